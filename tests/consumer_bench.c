/* The stand of the consumer's tests. */
#include "consumer_bench.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool handle(void *context, struct db *db, const struct event *event, int64_t now_ms,
                   enum consumer_effect *effect, struct error *error)
{
    struct stand *stand = context;
    const char *booking = event->booking.id;
    buf_printf(&stand->handled, "%s ", booking);
    cr_assert_eq(now_ms, stand->bench.wall_ms);
    *effect = begins(booking, "dup") ? EFFECT_DUPLICATE : EFFECT_APPLIED;
    if (*effect == EFFECT_DUPLICATE)
        return true;
    if (!db_run(db, "INSERT INTO effect (event_id, traceparent) VALUES (?, ?)",
                BIND(db_text(event->id), db_text(event->traceparent)), error))
        return false;
    if (begins(booking, "busy"))
        return error_set(error, ERROR_UNAVAILABLE, "%s is away", booking);
    if (begins(booking, "bad-long"))
        return error_set(error, ERROR_INVALID, "%0300d", 1);
    if (begins(booking, "bad"))
        return error_set(error, ERROR_INVALID, "%s is not\npossible", booking);
    return true;
}

static void stand_start(struct stand *stand, struct consumer_options options)
{
    options.writer = stand->bench.writer;
    options.queue = &stand->bench.fake->queue;
    options.world = &stand->bench.world;
    options.source = "request";
    options.handle = handle;
    options.context = stand;
    options.max_attempts = options.max_attempts ? options.max_attempts : 3;
    options.visibility_s = options.visibility_s ? options.visibility_s : 30;
    options.wait_s = 20;
    options.polls = options.polls ? options.polls : 2;
    options.permits = options.permits ? options.permits : 20;
    stand->handled = (struct buf){0};
    stand->consumer = consumer_new(&options);
    (void)stand_settle(stand);
}

void stand_open(struct stand *stand, struct consumer_options options)
{
    bench_open(&stand->bench);
    stand_start(stand, options);
}

void stand_open_copy(struct stand *stand, const struct stand *of)
{
    bench_open_copy(&stand->bench, &of->bench);
    stand_start(stand, (struct consumer_options){0});
}

void stand_close(struct stand *stand)
{
    bench_close(&stand->bench);
    consumer_free(stand->consumer);
    buf_release(&stand->handled);
}

int64_t stand_settle(struct stand *stand)
{
    int64_t delay = consumer_step(stand->consumer);
    while (bench_settle(&stand->bench) > 0)
        delay = consumer_step(stand->consumer);
    return delay;
}

int64_t stand_pass(struct stand *stand, int64_t ms)
{
    bench_pass(&stand->bench, ms);
    return stand_settle(stand);
}

struct fake_call *stand_call(struct stand *stand, enum fake_kind kind)
{
    return fake_open(stand->bench.fake, kind);
}

static const struct queue_attribute ATTRIBUTES[] = {
    {"EventType", "BOOKING_CONFIRMED"},
    {"BookingId", "attribute-booking"},
    {"EventId", "attribute-event"},
    {"ProviderId", "p"},
    {"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
    {"Other", "x"},
    {NULL, NULL},
};

static struct queue_message message_of(const char *id, const char *receipt, const char *body)
{
    return (struct queue_message){
        .id = id,
        .receipt = receipt,
        .body = body,
        .body_length = strlen(body),
        .attributes = ATTRIBUTES,
        .receive_count = 1,
    };
}

static void body_of(struct buf *body, const char *booking, const char *event_id)
{
    buf_printf(body,
               "{\"bookingId\":\"%s\",\"providerId\":\"p\",\"acceptedAt\":\"2026-01-01T00:00:00Z\","
               "\"eventType\":\"BOOKING_CONFIRMED\",\"timestamp\":\"2026-01-01T00:00:00Z\","
               "\"eventId\":\"%s\"}",
               booking, event_id);
}

void stand_give(struct stand *stand, const char *id, const char *receipt, const char *booking)
{
    struct buf body AUTO(buf_release) = {0};
    body_of(&body, booking, id);
    const struct queue_message message = message_of(id, receipt, buf_text(&body));
    fake_give(stand_call(stand, FAKE_RECEIVE), &message, 1);
}

void stand_give_many(struct stand *stand, const char *name, size_t count, const char *booking)
{
    char names[QUEUE_BATCH][32];
    struct queue_message messages[QUEUE_BATCH];
    struct buf body AUTO(buf_release) = {0};
    body_of(&body, booking, name);
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(names[i], sizeof names[i], "%s-%zu", name, i);
        messages[i] = message_of(names[i], names[i], buf_text(&body));
    }
    fake_give(stand_call(stand, FAKE_RECEIVE), messages, count);
}

void stand_give_body(struct stand *stand, const char *id, const char *body)
{
    const struct queue_message message = message_of(id, id, body);
    fake_give(stand_call(stand, FAKE_RECEIVE), &message, 1);
}

int64_t stand_hidden_for(struct stand *stand)
{
    const struct fake_call *call = stand_call(stand, FAKE_VISIBILITY);
    cr_assert(call && call->count == 1, "not hidden");
    return call->items[0].visibility_s;
}

struct consumer_state stand_state(const struct stand *stand)
{
    return consumer_state(stand->consumer);
}
