/* The tokens and limits of a running worker: read at start, watched once a second, and what is
 * wrong with them logged. Who is let in is decided in http/admission.c. */
#ifndef BOOKFLOW_GUARD_H
#define BOOKFLOW_GUARD_H

#include "loop.h"
#include "server.h"
#include "settings.h"

struct guard;

/* Borrows the server, and is freed after it. ERROR_CONFIGURATION: the tokens file cannot be used.
 */
MUST_CHECK struct guard *guard_new(const struct settings *settings, struct loop *loop,
                                   struct http_server *server, struct error *error);
void guard_free(struct guard *guard);

/* Whether every line of the tokens file can be used, for `serve --check`. */
MUST_CHECK bool guard_check(const struct settings *settings, struct error *error);

#endif
