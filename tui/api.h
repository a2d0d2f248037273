/* What may wait: one thread listens to the change stream, one asks the network questions, one keeps
 * the journal, so that a key never waits. They speak to the screen's thread by pipes of owned news.
 */
#ifndef BOOKFLOW_API_H
#define BOOKFLOW_API_H

#include "news.h"
#include "remote.h"

struct api;

/* Starts the threads. `remote` must outlive it. The journal's first news is NEWS_OPENED. */
MUST_CHECK struct api *api_start(const struct remote *remote, struct error *error);
/* Only listens to the change stream: no questions, no journal. */
MUST_CHECK struct api *api_listen(const struct remote *remote, struct error *error);
/* Ends the calls under way, writes what the journal was handed, joins the threads. */
void api_free(struct api *api);

/* Hands a question over; false, and nothing done, while too many wait already. */
MUST_CHECK bool api_ask(struct api *api, struct news *question);
/* Readable while there are news. */
int api_fd(const struct api *api);
/* The next news, the caller's now; NULL = none. */
struct news *api_take(struct api *api);

#endif
