/* Where signed requests may go. An address in the environment or in a queue's URL must not make us
 * send credentials to a metadata service or over a wire in the clear. */
#ifndef BOOKFLOW_ENDPOINT_H
#define BOOKFLOW_ENDPOINT_H

#include <stdbool.h>

#include "errors.h"

enum { ENDPOINT_HOST_SIZE = 262 };

struct endpoint {
    char host[ENDPOINT_HOST_SIZE]; /* with the port, unless it is the scheme's own */
    bool plain;                    /* http: */
};

/* "https://host[:port][/...]"; http: only to a loopback host. ERROR_CONFIGURATION otherwise, and
 * for a link-local address (where metadata services live), a user, or a scheme of another kind. */
MUST_CHECK bool endpoint_parse(const char *url, struct endpoint *endpoint, struct error *error);

#endif
