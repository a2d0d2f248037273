/* The change stream: reads the audit trail behind each subscriber and sends the bookings it names.
 */
#include "changes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "buf.h"
#include "decision_json.h"
#include "decision_store.h"
#include "json_fields.h"

enum {
    HEARTBEAT_MS = 15000,
    ROWS_PER_TURN = 256,        /* for one subscriber, before the next one has its turn */
    BACKLOG_PAUSE = 256 * 1024, /* a slow reader gets no more until it has read this far */
    BACKLOG_CLOSE = 4 * 1024 * 1024
};

struct subscriber {
    struct subscriber *next;
    struct changes *changes;
    struct http_stream *stream; /* NULL: the client has gone */
    char provider_id[ID_SIZE];
    int64_t sequence; /* the last one sent */
    bool behind;      /* there may be more for it in the trail */
};

/* What one turn of one subscriber read from the trail. */
struct turn {
    struct changed {
        int64_t sequence;
        char booking_id[ID_SIZE];
    } rows[ROWS_PER_TURN];
    size_t count;
};

struct changes {
    struct db *reader;
    const struct world *world;
    struct subscriber *subscribers;
    size_t count;
    int64_t sequence; /* every subscriber is marked for what is at or below it */
    int64_t heartbeat_ms;
    struct turn turn;
};

struct changes *changes_new(struct db *reader, const struct world *world)
{
    struct changes *changes = memory_new(1, sizeof *changes);
    struct error error = {0};
    changes->reader = reader;
    changes->world = world;
    changes->heartbeat_ms = world_ticks_ms(world) + HEARTBEAT_MS;
    (void)!audit_last(reader, &changes->sequence, &error); /* 0 only means one look more */
    return changes;
}

static void closed(void *context, struct http_stream *stream)
{
    struct subscriber *subscriber = context;
    (void)stream;
    subscriber->stream = NULL; /* swept by the next step */
}

void changes_subscribe(struct changes *changes, struct http_request *request,
                       const char *provider_id, int64_t after)
{
    struct error error = {0};
    int64_t now = 0;
    if (!audit_last(changes->reader, &now, &error)) {
        http_reply_error(request, &error, NULL);
        return;
    }
    struct subscriber *subscriber = memory_new(1, sizeof *subscriber);
    subscriber->changes = changes;
    id_copy(subscriber->provider_id, provider_id);
    subscriber->sequence = after < 0 || after > now ? now : after;
    subscriber->behind = true;
    subscriber->stream = http_stream_start(request, closed, subscriber);
    subscriber->next = changes->subscribers;
    changes->subscribers = subscriber;
    changes->count++;
    char id[24];
    (void)snprintf(id, sizeof id, "%" PRId64, subscriber->sequence);
    http_stream_event(subscriber->stream, id, NULL, NULL);
}

static void note_row(void *context, const struct audit_entry *entry)
{
    struct turn *turn = context;
    struct changed *changed = &turn->rows[turn->count++];
    changed->sequence = entry->sequence;
    id_copy(changed->booking_id, entry->booking_id);
}

static bool send_one(struct subscriber *subscriber, const struct changed *changed,
                     struct error *error)
{
    struct decision_record record = {0};
    bool found = false;
    if (!decision_find(subscriber->changes->reader, changed->booking_id, &record, &found, error))
        return false;
    if (!found)
        return true;
    struct buf data AUTO(buf_release) = {0};
    char id[24];
    json_t *booking = decision_to_json(&record);
    json_append(&data, booking);
    json_decref(booking);
    (void)snprintf(id, sizeof id, "%" PRId64, changed->sequence);
    http_stream_event(subscriber->stream, id, "booking", buf_text(&data));
    return true;
}

/* One turn. A read that fails leaves the subscriber where it is: the next step tries again. */
static void catch_up(struct subscriber *subscriber, struct turn *turn)
{
    struct error error = {0};
    turn->count = 0;
    const struct audit_page page = {subscriber->provider_id, subscriber->sequence, ROWS_PER_TURN};
    if (!audit_of_provider(subscriber->changes->reader, &page, note_row, turn, &error))
        return;
    for (size_t i = 0; i < turn->count && subscriber->stream; i++) {
        if (!send_one(subscriber, &turn->rows[i], &error))
            return;
        subscriber->sequence = turn->rows[i].sequence;
    }
    subscriber->behind = turn->count == ROWS_PER_TURN;
}

static void serve(struct subscriber *subscriber, struct turn *turn)
{
    size_t backlog = http_stream_backlog(subscriber->stream);
    if (backlog > BACKLOG_CLOSE) {
        http_stream_close(subscriber->stream);
        subscriber->stream = NULL;
    } else if (backlog <= BACKLOG_PAUSE) {
        catch_up(subscriber, turn);
    }
}

static void mark_new(struct changes *changes)
{
    struct error error = {0};
    int64_t last = changes->sequence;
    if (!audit_last(changes->reader, &last, &error) || last == changes->sequence)
        return;
    changes->sequence = last;
    for (struct subscriber *each = changes->subscribers; each; each = each->next)
        each->behind = true;
}

static void sweep_gone(struct changes *changes)
{
    struct subscriber **link = &changes->subscribers;
    while (*link) {
        struct subscriber *subscriber = *link;
        if (subscriber->stream) {
            link = &subscriber->next;
            continue;
        }
        *link = subscriber->next;
        free(subscriber);
        changes->count--;
    }
}

static int64_t heartbeat(struct changes *changes)
{
    int64_t now = world_ticks_ms(changes->world);
    if (now >= changes->heartbeat_ms) {
        for (struct subscriber *each = changes->subscribers; each; each = each->next)
            if (each->stream)
                http_stream_comment(each->stream, "alive");
        changes->heartbeat_ms = now + HEARTBEAT_MS;
    }
    return changes->heartbeat_ms - now;
}

int64_t changes_step(struct changes *changes)
{
    if (!changes->subscribers)
        return -1;
    bool more = false;
    mark_new(changes);
    for (struct subscriber *each = changes->subscribers; each; each = each->next) {
        if (each->stream && each->behind)
            serve(each, &changes->turn);
        more = more || (each->stream && each->behind);
    }
    sweep_gone(changes);
    int64_t delay = heartbeat(changes);
    return more && delay > 10 ? 10 : delay;
}

size_t changes_subscribers(const struct changes *changes)
{
    return changes->count;
}

void changes_free(struct changes *changes)
{
    if (!changes)
        return;
    for (struct subscriber *each = changes->subscribers; each; each = each->next)
        if (each->stream)
            http_stream_close(each->stream);
    for (struct subscriber *each = changes->subscribers; each; each = each->next)
        each->stream = NULL;
    sweep_gone(changes);
    free(changes);
}
