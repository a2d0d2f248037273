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
    ROWS_PER_STEP = 256,        /* of all subscribers: the loop has other work, too */
    BACKLOG_PAUSE = 256 * 1024, /* a reader that is so far behind gets no more for the moment, */
    PAUSE_MS = 250,
    STALLED_MS = 60000 /* and is let go when that lasts; it resumes by Last-Event-ID */
};

struct subscriber {
    struct subscriber *next;
    struct changes *changes;
    struct http_stream *stream; /* NULL: the client has gone */
    char provider_id[ID_SIZE];
    int64_t sequence;   /* the last one sent */
    bool behind;        /* there may be more for it in the trail */
    int64_t stalled_ms; /* ticks since when it takes nothing; 0 = it does */
};

/* What one turn of one subscriber read from the trail. */
struct turn {
    struct changed {
        int64_t sequence;
        char booking_id[ID_SIZE];
    } rows[ROWS_PER_STEP];
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

/* One turn: at most `maximum` rows. A read that fails leaves the subscriber where it is: the next
 * step tries again. Returns how many rows it took. */
static size_t catch_up(struct subscriber *subscriber, struct turn *turn, size_t maximum)
{
    struct error error = {0};
    turn->count = 0;
    const struct audit_page page = {subscriber->provider_id, subscriber->sequence, maximum};
    if (!audit_read(subscriber->changes->reader, &page, note_row, turn, &error))
        return 0;
    for (size_t i = 0; i < turn->count && subscriber->stream; i++) {
        if (!send_one(subscriber, &turn->rows[i], &error))
            return i;
        subscriber->sequence = turn->rows[i].sequence;
    }
    subscriber->behind = turn->count == maximum;
    return turn->count;
}

/* True while the client does not read; one that never does is let go. */
static bool is_stalled(struct subscriber *subscriber, int64_t now)
{
    if (http_stream_backlog(subscriber->stream) <= BACKLOG_PAUSE) {
        subscriber->stalled_ms = 0;
        return false;
    }
    subscriber->stalled_ms = subscriber->stalled_ms ? subscriber->stalled_ms : now;
    if (now - subscriber->stalled_ms > STALLED_MS) {
        http_stream_close(subscriber->stream);
        subscriber->stream = NULL;
    }
    return true;
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

/* The list from `first` on comes to its front, so that the next step begins there. */
static void rotate(struct changes *changes, struct subscriber *first)
{
    struct subscriber **link = &changes->subscribers;
    while (*link != first)
        link = &(*link)->next;
    if (link == &changes->subscribers)
        return;
    struct subscriber *front = changes->subscribers;
    changes->subscribers = first;
    *link = NULL;
    while (first->next)
        first = first->next;
    first->next = front;
}

/* Serves until the step's rows are used up. Returns in how many ms there is more to do; -1 =
 * nothing. */
static int64_t serve_all(struct changes *changes, int64_t now)
{
    size_t left = ROWS_PER_STEP;
    int64_t delay = -1;
    for (struct subscriber *each = changes->subscribers; each; each = each->next) {
        if (!each->stream || !each->behind)
            continue;
        if (left == 0) {
            rotate(changes, each);
            return 0;
        }
        if (is_stalled(each, now))
            delay = PAUSE_MS;
        else
            left -= catch_up(each, &changes->turn, left);
        if (each->behind && !each->stalled_ms && each->stream)
            delay = left == 0 ? 0 : PAUSE_MS; /* rows to spare: a read has failed */
    }
    return delay;
}

int64_t changes_step(struct changes *changes)
{
    if (!changes->subscribers)
        return -1;
    mark_new(changes);
    const int64_t more = serve_all(changes, world_ticks_ms(changes->world));
    sweep_gone(changes);
    const int64_t beat = heartbeat(changes);
    return more >= 0 && more < beat ? more : beat;
}

size_t changes_subscribers(const struct changes *changes)
{
    return changes->count;
}

void changes_free(struct changes *changes)
{
    if (!changes)
        return;
    for (struct subscriber *each = changes->subscribers; each; each = each->next) {
        if (each->stream)
            http_stream_close(each->stream);
        each->stream = NULL;
    }
    sweep_gone(changes);
    free(changes);
}
