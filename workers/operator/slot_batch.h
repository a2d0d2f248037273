/* Slots on their way to the intake worker: collected, sent in few requests. A slot without an id
 * gets one made of its provider and start, so that saying the same thing twice makes no slot twice.
 */
#ifndef BOOKFLOW_SLOT_BATCH_H
#define BOOKFLOW_SLOT_BATCH_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "client.h"
#include "errors.h"
#include "ids.h"

struct new_slot {
    const char *id; /* "" = make one */
    const char *provider_id;
    int64_t start_s;
    int64_t end_s;
};

/* All of one provider. */
struct slot_batch {
    struct client *client;
    char provider_id[ID_SIZE];
    json_t *slots;
    size_t sent;
};

MUST_CHECK bool slot_batch_open(struct slot_batch *batch, struct error *error);
MUST_CHECK bool slot_batch_add(struct slot_batch *batch, const struct new_slot *slot,
                               struct error *error);
/* Sends what is collected; after the last slot. */
MUST_CHECK bool slot_batch_flush(struct slot_batch *batch, struct error *error);
void slot_batch_release(struct slot_batch *batch); /* for AUTO() */

#endif
