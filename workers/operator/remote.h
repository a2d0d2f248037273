/* What the operator's verbs share: a client of the worker named by BOOKFLOW_URL, and the way a verb
 * fails - one line on stderr, the exit code by the kind. */
#ifndef BOOKFLOW_REMOTE_H
#define BOOKFLOW_REMOTE_H

#include <jansson.h>

#include "client.h"
#include "errors.h"

/* BOOKFLOW_URL (default http://127.0.0.1:3000) and BOOKFLOW_TOKEN, or BOOKFLOW_TOKEN_FILE. */
MUST_CHECK struct client *remote_open(struct error *error);

/* Sends and reads a JSON object; an answer of 400 or more is a failure. `body` may be NULL and
 * stays the caller's. The caller owns the result. */
MUST_CHECK json_t *remote_call(struct client *client, const char *method, const char *path,
                               const json_t *body, struct error *error);

/* Prints "bookflow: sentence"; returns the exit code. */
int remote_fail(const struct error *error);

/* Prints a usage text: to stdout and 0 when asked for, else to stderr and 2. */
int remote_usage(const char *text, bool asked);

/* Prints a text from outside, safe for a terminal: cut and padded to `columns`, or whole for 0. */
void remote_print(const char *text, size_t columns);

#endif
