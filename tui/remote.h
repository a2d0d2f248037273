/* The decision worker's API, call by call: blocking, on the caller's thread. Used by the network
 * threads and by the verbs without a screen. */
#ifndef BOOKFLOW_REMOTE_H
#define BOOKFLOW_REMOTE_H

#include <jansson.h>

#include "client.h"
#include "news.h"

/* Where the worker is and who asks. Borrowed texts. */
struct remote {
    const char *url;
    const char *provider;
    const char *token;      /* NULL = none, or in the file */
    const char *token_file; /* NULL = none; read again on every sign-in */
};

/* A client for it, signed in. */
MUST_CHECK struct client *remote_client(const struct remote *remote, const atomic_bool *stop,
                                        struct error *error);
/* Reads the token again. */
MUST_CHECK bool remote_sign_in(const struct remote *remote, struct client *client,
                               struct error *error);

/* Appends "/providers/P" and the rest. */
void remote_path(const struct remote *remote, struct buf *path, const char *rest);

/* GET: the object of a 200; otherwise NULL and the refusal. *status is 0 when nothing came. */
MUST_CHECK json_t *remote_get(struct client *client, const char *path, int *status,
                              struct error *error);

/* Every page of a list; `query` is "" or "&status=pending&...", already encoded. `each` gets every
 * booking, newest first, and returns false to end. */
typedef bool remote_each_fn(void *context, const json_t *booking);
struct remote_list {
    const char *query;
    remote_each_fn *each;
    void *context;
};
MUST_CHECK bool remote_list(const struct remote *remote, struct client *client,
                            const struct remote_list *list, struct error *error);

MUST_CHECK json_t *remote_booking(const struct remote *remote, struct client *client,
                                  const char *id, struct error *error);

/* Sends a decision and writes into it what became of it. */
void remote_decide(const struct remote *remote, struct client *client, struct news *news);

#endif
