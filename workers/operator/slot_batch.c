/* Slots on their way to the intake worker. */
#include "slot_batch.h"

#include <string.h>
#include <time.h>

#include "buf.h"
#include "remote.h"
#include "timestamp.h"

enum { SLOTS_PER_CALL = 10000 };

void slot_batch_release(struct slot_batch *batch)
{
    client_free(batch->client);
    json_decref(batch->slots);
}

bool slot_batch_flush(struct slot_batch *batch, struct error *error)
{
    size_t count = json_array_size(batch->slots);
    if (count == 0)
        return true;
    struct buf path AUTO(buf_release) = {0};
    buf_text_append(&path, "/providers/");
    client_escape(&path, batch->provider_id);
    buf_text_append(&path, "/slots");
    json_t *body = json_pack("{s:O}", "slots", batch->slots);
    json_t *answer = remote_call(batch->client, "POST", buf_text(&path), body, error);
    json_decref(body);
    json_decref(answer);
    batch->sent += answer ? count : 0;
    return answer && json_array_clear(batch->slots) == 0;
}

static bool name_slot(const struct new_slot *slot, struct buf *id, struct error *error)
{
    const time_t start = (time_t)slot->start_s;
    struct tm utc;
    char text[32];
    if (*slot->id) {
        buf_text_append(id, slot->id);
        return true;
    }
    (void)gmtime_r(&start, &utc);
    (void)strftime(text, sizeof text, "%Y%m%dT%H%MZ", &utc);
    buf_printf(id, "%s-%s", slot->provider_id, text);
    return id->length <= ID_MAX ||
           error_set(error, ERROR_INVALID, "provider id %s is too long to name slots after it",
                     slot->provider_id);
}

bool slot_batch_add(struct slot_batch *batch, const struct new_slot *slot, struct error *error)
{
    struct buf id AUTO(buf_release) = {0};
    char start[TIMESTAMP_SIZE];
    char end[TIMESTAMP_SIZE];
    bool other = strcmp(batch->provider_id, slot->provider_id) != 0;
    if ((other || json_array_size(batch->slots) == SLOTS_PER_CALL) &&
        !slot_batch_flush(batch, error))
        return false;
    if (!name_slot(slot, &id, error))
        return false;
    id_copy(batch->provider_id, slot->provider_id);
    return json_array_append_new(batch->slots,
                                 json_pack("{s:s,s:s,s:s}", "id", buf_text(&id), "start",
                                           timestamp_format(slot->start_s, start), "end",
                                           timestamp_format(slot->end_s, end))) == 0;
}

bool slot_batch_open(struct slot_batch *batch, struct error *error)
{
    batch->client = remote_open(error);
    batch->slots = json_array();
    return batch->client != NULL;
}
