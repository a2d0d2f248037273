/* The routes that both workers have: /health, /ready, /metrics, /openapi.json. */
#ifndef BOOKFLOW_HEALTH_H
#define BOOKFLOW_HEALTH_H

#include "role.h"
#include "server.h"

enum { HEALTH_ROLES_MAX = 2 };

struct health {
    struct role *roles[HEALTH_ROLES_MAX]; /* NULL = not run by this process */
    struct http_server *server;
    int64_t started_ms; /* wall time */
};

/* Handlers get a struct health * as context. */
const struct http_route *health_routes(void);

#endif
