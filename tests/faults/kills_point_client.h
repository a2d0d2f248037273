/* The one client of a fault point: five bookings, two decisions, every promise written down. */
#ifndef BOOKFLOW_KILLS_POINT_CLIENT_H
#define BOOKFLOW_KILLS_POINT_CLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct point_client {
    const char *socket;
    FILE *log;
    int64_t promised;    /* 2xx answers to what writes */
    int64_t unavailable; /* 503 */
};

/* Goes as far as the worker lets it. */
void point_client_run(struct point_client *client);

/* One booking more, in a slot of its own: true = answered 201. */
bool point_client_again(struct point_client *client);

#endif
