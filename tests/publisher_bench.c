/* The outlet of the publisher's tests. */
#include "publisher_bench.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "outbox.h"

struct publisher *outlet_publisher(struct bench *bench, bool fifo, bool fair)
{
    return publisher_new(&(struct publisher_options){
        .reader = bench->reader,
        .writer = bench->writer,
        .queue = &bench->fake->queue,
        .world = &bench->world,
        .fifo = fifo,
        .fair = fair,
    });
}

void outlet_open(struct outlet *outlet)
{
    bench_open(&outlet->bench);
    outlet->publisher = outlet_publisher(&outlet->bench, false, true);
}

void outlet_open_copy(struct outlet *outlet, const struct outlet *of)
{
    bench_open_copy(&outlet->bench, &of->bench);
    outlet->publisher = outlet_publisher(&outlet->bench, false, true);
}

void outlet_close(struct outlet *outlet)
{
    bench_close(&outlet->bench);
    publisher_free(outlet->publisher);
}

struct addition {
    struct operation operation;
    struct event event;
};

static bool add_apply(struct operation *self, struct db *db, struct error *error)
{
    return outbox_add(db, &((struct addition *)self)->event, 1, error);
}

static void add_done(struct operation *self, const struct error *failure)
{
    (void)self;
    cr_assert_null(failure);
}

void outlet_add(struct outlet *outlet, const char *booking, const char *event_id,
                enum event_type type)
{
    struct addition addition = {.operation = {.apply = add_apply, .done = add_done}};
    struct event *event = &addition.event;
    event->type = type;
    event->at_s = 1700000000;
    id_copy(event->id, event_id);
    id_copy(event->booking.id, booking);
    id_copy(event->booking.user_id, "user");
    id_copy(event->booking.provider_id, "provider");
    id_copy(event->booking.slot_id, "slot");
    if (strcmp(booking, "traced") == 0)
        (void)snprintf(event->traceparent, sizeof event->traceparent, "%s",
                       "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    writer_submit(outlet->bench.writer, &addition.operation);
    (void)bench_settle(&outlet->bench);
}

void outlet_add_many(struct outlet *outlet, int count)
{
    for (int i = 0; i < count; i++) {
        char booking[32];
        (void)snprintf(booking, sizeof booking, "many-%d", i);
        outlet_add(outlet, booking, booking, EVENT_BOOKING_CONFIRMED);
    }
}

int64_t outlet_settle(struct outlet *outlet)
{
    int64_t delay = publisher_step(outlet->publisher);
    while (bench_settle(&outlet->bench) > 0)
        delay = publisher_step(outlet->publisher);
    return delay;
}

struct fake_call *outlet_sending(const struct outlet *outlet)
{
    return fake_open(outlet->bench.fake, FAKE_SEND);
}

const char *outlet_event(const struct fake_call *call, size_t entry)
{
    return fake_attribute(&call->items[entry], "EventId");
}

int64_t outlet_unsent(struct outlet *outlet)
{
    return bench_number(&outlet->bench, "SELECT count(*) FROM outbox");
}
