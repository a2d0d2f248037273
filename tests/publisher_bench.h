/* For tests of the publisher: one publisher on one bench, and rows for its outbox. */
#ifndef BOOKFLOW_PUBLISHER_BENCH_H
#define BOOKFLOW_PUBLISHER_BENCH_H

#include "courier_bench.h"
#include "event.h"
#include "publisher.h"

struct outlet {
    struct bench bench;
    struct publisher *publisher;
};

/* A fair standard queue. */
void outlet_open(struct outlet *outlet);
/* The store as it is on disk now, under a new publisher; `of` stays. */
void outlet_open_copy(struct outlet *outlet, const struct outlet *of);
void outlet_close(struct outlet *outlet);

struct publisher *outlet_publisher(struct bench *bench, bool fifo, bool fair);

/* Writes an event into the outbox. The booking "traced" has a traceparent. */
void outlet_add(struct outlet *outlet, const char *booking, const char *event_id,
                enum event_type type);
/* `count` events of as many bookings. */
void outlet_add_many(struct outlet *outlet, int count);

/* Steps and writes until nothing moves any more; returns the last delay. */
int64_t outlet_settle(struct outlet *outlet);

/* The oldest open send, NULL = none; the event id of one of its entries. */
struct fake_call *outlet_sending(const struct outlet *outlet);
const char *outlet_event(const struct fake_call *call, size_t entry);

/* Rows in the outbox. */
int64_t outlet_unsent(struct outlet *outlet);

#endif
