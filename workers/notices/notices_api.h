/* The routes about notices, on the intake side; for operators. */
#ifndef BOOKFLOW_NOTICES_API_H
#define BOOKFLOW_NOTICES_API_H

#include "server.h"

/* Handlers get a struct worker * as context. */
const struct http_route *notice_routes(void);

#endif
