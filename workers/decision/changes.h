/* The change stream: each provider's consoles hear of every change of its bookings, as server-sent
 * events. The id of an event is the sequence of its audit row, so a console that was away resumes
 * where it stopped and misses nothing. */
#ifndef BOOKFLOW_CHANGES_H
#define BOOKFLOW_CHANGES_H

#include <stdint.h>

#include "db.h"
#include "server.h"
#include "world.h"

struct changes;

struct changes *changes_new(struct db *reader, const struct world *world);

/* Turns the request into a stream of the provider's changes behind `after`; after < 0: from now on.
 */
void changes_subscribe(struct changes *changes, struct http_request *request,
                       const char *provider_id, int64_t after);

/* Sends what is new; call after each commit. Returns in how many ms a heartbeat is due; -1 = none.
 */
int64_t changes_step(struct changes *changes);

size_t changes_subscribers(const struct changes *changes);

void changes_free(struct changes *changes);

#endif
