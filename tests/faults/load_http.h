/* HTTP as the harnesses speak it: one keep-alive connection to a unix socket that never blocks and
 * is expected to break at any byte. Knows nothing of bookings. */
#ifndef BOOKFLOW_LOAD_HTTP_H
#define BOOKFLOW_LOAD_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"

struct http_wire {
    const char *path; /* of the socket, borrowed */
    int fd;           /* -1 = not connected */
    struct buf out;
    struct buf in;
    bool asking; /* a request is on its way */
};

struct http_ask {
    const char *method;
    const char *path;
    const char *key;  /* Idempotency-Key; NULL = none */
    const char *body; /* JSON; NULL = none */
};

/* Puts the request down; http_wire_step() sends it. One at a time. */
void http_wire_ask(struct http_wire *wire, const struct http_ask *ask);

enum http_wire_state {
    HTTP_WIRE_WAITS,
    HTTP_WIRE_ANSWERED, /* status and body are there until the next request */
    HTTP_WIRE_BROKEN    /* nobody listens, or the connection is gone; the answer is unknown */
};

/* Connects if need be, sends and reads what can be. */
enum http_wire_state http_wire_step(struct http_wire *wire, int *status, const char **body);

/* The same, waiting up to `limit_ms`; false = no answer. Tries again while nobody listens. */
bool http_wire_call(struct http_wire *wire, const struct http_ask *ask, int limit_ms, int *status,
                    const char **body);

void http_wire_close(struct http_wire *wire);
void http_wire_release(struct http_wire *wire); /* for AUTO() */

int64_t harness_now_ms(void); /* monotonic */
void harness_pause_ms(int64_t ms);

#endif
