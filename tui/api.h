/* The network of the console: one thread listens to the change stream, one sends requests, so that
 * a key never waits. Both speak to the screen's thread by mailboxes only. */
#ifndef BOOKFLOW_API_H
#define BOOKFLOW_API_H

#include "remote.h"

struct api;

/* Starts both threads; what they find is told as news. `remote` must outlive it. */
MUST_CHECK struct api *api_start(const struct remote *remote, struct error *error);
/* Ends the calls under way, joins the threads. */
void api_free(struct api *api);
void api_release(struct api **api);

/* Hands a request over. */
void api_submit(struct api *api, struct request *request);
/* Readable while there are news. */
int api_fd(const struct api *api);
/* The next news, the caller's now; NULL = none. */
struct news *api_take(struct api *api);

#endif
