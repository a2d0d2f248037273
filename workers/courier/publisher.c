/* The publisher: steps, sends and notes. Loading and the order within a booking are the window's.
 * Must not know which queue it speaks to. */
#include "publisher.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "backoff.h"
#include "buf.h"
#include "checks.h"
#include "errors.h"
#include "event.h"
#include "window.h"

enum { CALLS = 8, ATTRIBUTES = 5, LOAD_AGAIN_MS = 1000 };

/* A batch on its way. count == 0: free. */
struct call {
    struct publisher *publisher;
    struct entry *entries[QUEUE_BATCH];
    size_t count;
    size_t bytes;
};

struct publisher {
    struct publisher_options options;
    struct window window;
    struct call calls[CALLS];
    size_t calls_open;
    size_t notes_open; /* notes that are not durable yet, those waiting for another try included */
    bool draining;
    struct outage queue;
    int64_t load_due_ms; /* ticks: the outbox could not be read; not again before */
    char load_reason[OUTAGE_REASON_SIZE];
    int64_t sent;
    int64_t failed;
    int64_t parked;
};

struct publisher *publisher_new(const struct publisher_options *options)
{
    struct publisher *publisher = memory_new(1, sizeof *publisher);
    publisher->options = *options;
    publisher->queue.since_ms = world_wall_ms(options->world);
    for (size_t i = 0; i < CALLS; i++)
        publisher->calls[i].publisher = publisher;
    return publisher;
}

static int64_t now_ms(const struct publisher *publisher)
{
    return world_ticks_ms(publisher->options.world);
}

/* --- what becomes of an entry --- */

/* Back to where it can be sent from, at once or when its own back-off is over. */
static void send_again(struct publisher *publisher, struct entry *entry)
{
    entry->note = NOTE_NOTHING;
    const bool waits = entry->due_ms > now_ms(publisher);
    entry_append(waits ? &publisher->window.waiting : &publisher->window.ready, entry);
}

static bool note_apply(struct operation *self, struct db *db, struct error *error)
{
    /* The operation is the entry's first member. */
    const struct entry *entry = (const struct entry *)self;
    switch (entry->note) {
    case NOTE_SENT:
        return outbox_sent(db, &entry->row, entry->noted_ms, error);
    case NOTE_FAILED:
        return outbox_failed(db, &entry->row, entry->reason, entry->noted_ms, error);
    case NOTE_PARKED:
        return outbox_park(db, &entry->row, entry->reason, entry->noted_ms, error);
    case NOTE_NOTHING:
        break;
    }
    return true;
}

/* The queue's answer stands whatever the store says: the entry keeps its note and does not go back
 * to be sent, or a full disk would send it for ever. */
static void note_later(struct publisher *publisher, struct entry *entry)
{
    entry->notes_failed++;
    entry->due_ms = now_ms(publisher) + backoff_ms(publisher->options.world, entry->notes_failed);
    entry_append(&publisher->window.waiting, entry);
}

static void note_done(struct operation *self, const struct error *failure)
{
    struct entry *entry = (struct entry *)self; /* its first member */
    struct publisher *publisher = entry->publisher;
    if (failure) {
        note_later(publisher, entry);
        return;
    }
    publisher->notes_open--;
    entry->notes_failed = 0;
    if (entry->note == NOTE_FAILED) {
        entry->failure_noted = true;
        send_again(publisher, entry);
        return;
    }
    const bool sent = entry->note == NOTE_SENT;
    *(sent ? &publisher->sent : &publisher->parked) += 1;
    if (sent && publisher->options.sent)
        publisher->options.sent(publisher->options.sent_context, &entry->row, entry->reason);
    window_remove(&publisher->window, entry);
}

static void note_submit(struct entry *entry)
{
    entry->operation = (struct operation){.apply = note_apply, .done = note_done};
    writer_submit(entry->publisher->options.writer, &entry->operation);
}

static void note(struct entry *entry, enum note what, const char *reason)
{
    struct publisher *publisher = entry->publisher;
    entry->note = what;
    entry->noted_ms = world_wall_ms(publisher->options.world);
    reason_copy(entry->reason, reason);
    publisher->notes_open++;
    note_submit(entry);
}

/* --- what the queue answered --- */

static void entry_refused(struct publisher *publisher, struct entry *entry, const char *reason)
{
    publisher->failed++;
    entry->sends_failed++;
    entry->due_ms = now_ms(publisher) + backoff_ms(publisher->options.world, entry->sends_failed);
    note(entry, NOTE_FAILED, reason);
}

static void entry_answered(struct entry *entry, const struct queue_result *result)
{
    if (result->kind == ERROR_NONE)
        note(entry, NOTE_SENT, result->id ? result->id : "");
    else if (result->kind == ERROR_INVALID || result->kind == ERROR_TOO_LARGE)
        note(entry, NOTE_PARKED, result->reason);
    else
        entry_refused(entry->publisher, entry, result->reason);
}

/* The queue is out of reach. While that lasts only the first failure of a row is written down:
 * noting each try would turn an outage of the queue into a storm of writes. */
static void call_failed(struct publisher *publisher, struct call *call, const struct error *failure)
{
    outage_failed(&publisher->queue, publisher->options.world, failure->text);
    for (size_t i = 0; i < call->count; i++) {
        struct entry *entry = call->entries[i];
        publisher->failed++;
        if (entry->failure_noted)
            send_again(publisher, entry);
        else
            note(entry, NOTE_FAILED, failure->text);
    }
}

/* Refused for its size as a whole, which a queue with a lower limit than the usual may do: only a
 * message that is too large by itself is to be parked. */
static void call_too_large(struct publisher *publisher, struct call *call, const char *reason)
{
    if (call->count == 1) {
        note(call->entries[0], NOTE_PARKED, reason);
        return;
    }
    for (size_t i = 0; i < call->count; i++) {
        call->entries[i]->alone = true;
        send_again(publisher, call->entries[i]);
    }
}

static void call_answered(struct publisher *publisher, struct call *call,
                          const struct queue_result results[], size_t count)
{
    outage_over(&publisher->queue, publisher->options.world);
    static const struct queue_result unanswered = {ERROR_UNAVAILABLE, "no answer for it", NULL};
    for (size_t i = 0; i < call->count; i++)
        entry_answered(call->entries[i], i < count ? &results[i] : &unanswered);
}

static void call_done(void *context, const struct queue_result results[], size_t count,
                      const struct error *failure)
{
    struct call *call = context;
    struct publisher *publisher = call->publisher;
    if (!failure)
        call_answered(publisher, call, results, count);
    else if (failure->kind == ERROR_TOO_LARGE)
        call_too_large(publisher, call, failure->text);
    else
        call_failed(publisher, call, failure);
    call->count = 0;
    call->bytes = 0;
    publisher->calls_open--;
}

/* --- sending --- */

static void attributes_of(const struct entry *entry,
                          struct queue_attribute attributes[static ATTRIBUTES + 1])
{
    const struct outbox_row *row = &entry->row;
    const char *traceparent = row->traceparent[0] ? "traceparent" : NULL;
    memcpy(attributes,
           (const struct queue_attribute[]){{"EventType", event_type_name(row->type)},
                                            {"BookingId", row->booking_id},
                                            {"ProviderId", row->provider_id},
                                            {"EventId", row->event_id},
                                            {traceparent, row->traceparent},
                                            {NULL, NULL}},
           (ATTRIBUTES + 1) * sizeof *attributes);
}

static size_t bytes_of(const struct entry *entry)
{
    struct queue_attribute attributes[ATTRIBUTES + 1];
    attributes_of(entry, attributes);
    return queue_entry_size(
        &(struct queue_entry){.body = entry->row.body, .attributes = attributes});
}

static bool call_has_room(const struct call *call, struct entry *entry)
{
    if (entry->bytes == 0)
        entry->bytes = bytes_of(entry);
    if (call->count == 0)
        return true;
    return call->count < QUEUE_BATCH && call->bytes + entry->bytes <= QUEUE_MESSAGE_MAX &&
           !entry->alone && !call->entries[0]->alone;
}

static void call_fill(struct call *call, struct window *window)
{
    while (window->ready.first && call_has_room(call, window->ready.first)) {
        struct entry *entry = entry_take(&window->ready);
        call->entries[call->count++] = entry;
        call->bytes += entry->bytes;
    }
}

static const char *group_of(const struct publisher_options *options, const struct outbox_row *row)
{
    if (options->fifo)
        return row->booking_id;
    return options->fair ? row->provider_id : NULL;
}

static void call_send(struct publisher *publisher, struct call *call)
{
    const struct publisher_options *options = &publisher->options;
    struct queue_attribute attributes[QUEUE_BATCH][ATTRIBUTES + 1];
    struct queue_entry entries[QUEUE_BATCH];
    for (size_t i = 0; i < call->count; i++) {
        const struct entry *entry = call->entries[i];
        attributes_of(entry, attributes[i]);
        entries[i] = (struct queue_entry){
            .body = entry->row.body,
            .attributes = attributes[i],
            .group_id = group_of(options, &entry->row),
            .deduplication_id = options->fifo ? entry->row.event_id : NULL,
        };
    }
    publisher->calls_open++;
    queue_send(options->queue, entries, call->count, call_done, call);
}

/* While the queue is down one call at a time asks whether it is back. */
static bool may_send(const struct publisher *publisher)
{
    const size_t most = publisher->queue.down ? 1 : CALLS;
    return !publisher->draining && publisher->window.ready.first && publisher->calls_open < most;
}

static void send_ready(struct publisher *publisher)
{
    struct call *call = publisher->calls;
    while (may_send(publisher) && !outage_waits(&publisher->queue, publisher->options.world)) {
        while (call->count > 0)
            call++;
        call_fill(call, &publisher->window);
        call_send(publisher, call);
    }
}

/* --- the step --- */

static void load_new(struct publisher *publisher)
{
    if (publisher->draining || now_ms(publisher) < publisher->load_due_ms)
        return;
    struct error error = {0};
    publisher->load_due_ms = 0;
    publisher->load_reason[0] = '\0';
    if (window_load(&publisher->window, publisher->options.reader, publisher, &error))
        return;
    publisher->load_due_ms = now_ms(publisher) + LOAD_AGAIN_MS;
    reason_copy(publisher->load_reason, error.text);
}

/* Goes once through those that wait: the list is empty but for refusals. */
static void resume_waiting(struct publisher *publisher)
{
    struct entry_list waiting = publisher->window.waiting;
    publisher->window.waiting = (struct entry_list){0};
    for (struct entry *entry = entry_take(&waiting); entry; entry = entry_take(&waiting))
        if (entry->due_ms > now_ms(publisher))
            entry_append(&publisher->window.waiting, entry);
        else if (entry->note == NOTE_NOTHING)
            entry_append(&publisher->window.ready, entry);
        else
            note_submit(entry);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t next_due(const struct publisher *publisher)
{
    int64_t due = INT64_MAX;
    for (const struct entry *entry = publisher->window.waiting.first; entry; entry = entry->next)
        due = earlier(due, entry->due_ms);
    if (may_send(publisher))
        due = earlier(due, publisher->queue.until_ms);
    if (publisher->load_due_ms > 0 && !publisher->draining)
        due = earlier(due, publisher->load_due_ms);
    if (due == INT64_MAX)
        return -1;
    const int64_t now = now_ms(publisher);
    return due > now ? due - now : 0;
}

int64_t publisher_step(struct publisher *publisher)
{
    resume_waiting(publisher);
    load_new(publisher);
    send_ready(publisher);
    return next_due(publisher);
}

bool publisher_idle(const struct publisher *publisher)
{
    return publisher->calls_open == 0 && publisher->notes_open == 0;
}

void publisher_drain(struct publisher *publisher)
{
    publisher->draining = true;
}

struct publisher_state publisher_state(const struct publisher *publisher)
{
    struct publisher_state state = {
        .sent = publisher->sent,
        .failed = publisher->failed,
        .parked = publisher->parked,
        .queue_down = publisher->queue.down,
        .since_ms = publisher->queue.since_ms,
    };
    reason_copy(state.reason,
                publisher->queue.down ? publisher->queue.reason : publisher->load_reason);
    return state;
}

void publisher_free(struct publisher *publisher)
{
    if (!publisher)
        return;
    window_release(&publisher->window);
    assert(publisher->window.rows == 0); /* none is with the queue or the writer */
    free(publisher);
}
