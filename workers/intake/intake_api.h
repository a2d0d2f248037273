/* The routes of the intake worker. */
#ifndef BOOKFLOW_INTAKE_API_H
#define BOOKFLOW_INTAKE_API_H

#include "server.h"

/* Handlers get a struct worker * as context. */
const struct http_route *intake_booking_routes(void);
const struct http_route *intake_slot_routes(void);
const struct http_route *intake_people_routes(void);

#endif
