/* The routes of the decision worker. */
#ifndef BOOKFLOW_DECISION_API_H
#define BOOKFLOW_DECISION_API_H

#include "server.h"

/* Handlers get a struct worker * as context. */
const struct http_route *decision_routes(void);

#endif
