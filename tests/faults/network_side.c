/* The worker. What role.c does for the program, without chores and routes, and with a handler that
 * stumbles now and then: only then does the consumer give messages back. */
#include "network_side.h"

#include <stdio.h>
#include <string.h>

#include "audit.h"
#include "buf.h"
#include "decision.h"
#include "decision_store.h"
#include "intake.h"
#include "intake_store.h"

enum {
    MAX_ATTEMPTS = 8,
    VISIBILITY_S = 30,
    WAIT_S = 20,
    POLLS = 2,
    PERMITS = 40,
    STUMBLES_OF_ONE = 2,
    STUMBLE_ONE_IN = 3
};

static const struct kind {
    const char *file;
    const struct db_schema *(*schema)(void);
    const char *queues[SIDE_QUEUES];
    consumer_handle_fn *hear;
} kinds[SIDES] = {
    [INTAKE] = {"intake.db", intake_schema, {"request", "confirmation"}, intake_hear},
    [DECISION] = {"decision.db", decision_schema, {"confirmation", "request"}, decision_hear},
};

/* By the event, so that no message ever fails as often as would dead-letter it. */
static bool stumbles(struct side *side, const struct event *event)
{
    uint32_t hash = 2166136261U;
    for (const char *at = event->id; *at; at++)
        hash = (hash ^ (unsigned char)*at) * 16777619U;
    uint8_t *times = &side->stumbled[(hash >> 8) % STUMBLES];
    if (!side->stumbling || hash % STUMBLE_ONE_IN != 0 || *times >= STUMBLES_OF_ONE)
        return false;
    ++*times;
    return true;
}

/* Planted: a receiver that does not know an event again. What only comes too late to be news is
 * left alone, so that nothing but the second effect can give it away. */
static bool had_effect(struct db *db, const struct event *event, bool *had, struct error *error)
{
    static const char SQL[] = "SELECT 1 FROM audit WHERE event_id = ?";
    struct db_rows rows AUTO(db_rows_release) = {0};
    return db_query(db, SQL, BIND(db_text(event->id)), &rows, error) && db_next(&rows, had, error);
}

static bool apply_again(struct db *db, const struct event *event, int64_t now_ms,
                        struct error *error)
{
    const enum booking_status to = event_status(event->type);
    struct audit_entry entry = {
        .at_ms = now_ms, .actor = "user", .from = BOOKING_PENDING, .to = to};
    bool had = false;
    if (!had_effect(db, event, &had, error))
        return false;
    id_copy(entry.booking_id, event->booking.id);
    id_copy(entry.provider_id, event->booking.provider_id);
    id_copy(entry.event_id, event->id);
    (void)snprintf(entry.event, sizeof entry.event, "%s", event_type_name(event->type));
    return !had || audit_append(db, &entry, error);
}

static bool hear(void *context, struct db *db, const struct event *event, int64_t now_ms,
                 enum consumer_effect *effect, struct error *error)
{
    struct side *side = context;
    if (!kinds[side->which].hear(NULL, db, event, now_ms, effect, error))
        return false;
    if (stumbles(side, event))
        return error_set(error, ERROR_BUSY, "stumbled");
    if (side->applies_twice && *effect == EFFECT_DUPLICATE)
        return apply_again(db, event, now_ms, error);
    return true;
}

static void wake(void *context)
{
    ((struct side *)context)->woken = true;
}

static bool open_store(struct side *side, struct error *error)
{
    const struct kind *kind = &kinds[side->which];
    struct buf path AUTO(buf_release) = {0};
    buf_printf(&path, "%s/%s", side->folder, kind->file);
    struct db *db = db_open(buf_text(&path), DB_WRITE, kind->schema(), error);
    if (!db)
        return false;
    side->writer = writer_new(db, NULL, NULL);
    side->reader = db_open(buf_text(&path), DB_READ, kind->schema(), error);
    return side->reader != NULL;
}

static void open_courier(struct side *side)
{
    const struct kind *kind = &kinds[side->which];
    const struct queue_host host = {
        .world = side->world, .wake = wake, .context = side, .single_threaded = true};
    for (size_t i = 0; i < SIDE_QUEUES; i++)
        side->queues[i] = side->open_queue(side->context, kind->queues[i], &host);
    side->publisher = publisher_new(&(struct publisher_options){
        .reader = side->reader,
        .writer = side->writer,
        .queue = side->queues[PUBLISHED],
        .world = side->world,
        .fair = true,
    });
    side->consumer = consumer_new(&(struct consumer_options){
        .writer = side->writer,
        .queue = side->queues[CONSUMED],
        .world = side->world,
        .source = kind->queues[CONSUMED],
        .handle = hear,
        .context = side,
        .max_attempts = MAX_ATTEMPTS,
        .visibility_s = VISIBILITY_S,
        .wait_s = WAIT_S,
        .polls = POLLS,
        .permits = PERMITS,
    });
}

bool side_start(struct side *side, struct error *error)
{
    if (!open_store(side, error)) {
        side_stop(side);
        return false;
    }
    open_courier(side);
    return true;
}

/* Queues and writer first: what they still hold leads back to publisher and consumer. */
void side_stop(struct side *side)
{
    for (size_t i = 0; i < SIDE_QUEUES; i++) {
        queue_close(side->queues[i]);
        side->queues[i] = NULL;
    }
    db_release(&side->reader);
    if (side->writer)
        writer_free(side->writer);
    publisher_free(side->publisher);
    consumer_free(side->consumer);
    side->writer = NULL;
    side->publisher = NULL;
    side->consumer = NULL;
}

static int64_t sooner(int64_t a, int64_t b)
{
    if (a < 0)
        return b;
    return b < 0 || a < b ? a : b;
}

/* What the store has yet to write: -1 = nothing. */
static int64_t write_wait(const struct side *side)
{
    const int64_t hangs_ms = side->hangs_until_ms - world_ticks_ms(side->world);
    if (writer_pending(side->writer) == 0)
        return -1;
    return hangs_ms > 0 ? hangs_ms : 0;
}

int64_t side_step(struct side *side)
{
    int64_t wait = -1;
    side->woken = false;
    if (side->hangs_until_ms <= world_ticks_ms(side->world))
        (void)writer_step(side->writer);
    (void)writer_deliver(side->writer);
    wait = sooner(wait, queue_step(side->queues[CONSUMED]));
    wait = sooner(wait, consumer_step(side->consumer));
    wait = sooner(wait, publisher_step(side->publisher));
    wait = sooner(wait, queue_step(side->queues[PUBLISHED]));
    wait = sooner(wait, write_wait(side));
    return side->woken ? 0 : wait;
}

bool side_quiet(const struct side *side)
{
    return !side->woken && writer_pending(side->writer) == 0 && publisher_idle(side->publisher);
}
