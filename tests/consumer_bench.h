/* For tests of the consumer: a handler that does what the booking's id says, and messages for it.
 *
 *   "busy..."  writes, then fails for a passing cause      "bad..."  writes, then fails for good
 *   "bad-long..."  with a reason of 300 letters
 *   "dup..."   says that it knew                           else      writes an effect */
#ifndef BOOKFLOW_CONSUMER_BENCH_H
#define BOOKFLOW_CONSUMER_BENCH_H

#include "consumer.h"
#include "courier_bench.h"

struct stand {
    struct bench bench;
    struct consumer *consumer;
    struct buf handled; /* the ids of the bookings, "a b c " */
};

/* Default options for what is left 0: 2 polls, 20 permits, 30 s visibility, 3 attempts. */
void stand_open(struct stand *stand, struct consumer_options options);
/* The store as it is on disk now, under a new consumer; `of` stays. */
void stand_open_copy(struct stand *stand, const struct stand *of);
void stand_close(struct stand *stand);

/* Steps and writes until nothing moves; returns the last delay. */
int64_t stand_settle(struct stand *stand);
/* Lets time pass and settles. */
int64_t stand_pass(struct stand *stand, int64_t ms);

struct fake_call *stand_call(struct stand *stand, enum fake_kind kind);

/* Answers the oldest receive with one message, made for a booking. Does not step. */
void stand_give(struct stand *stand, const char *id, const char *receipt, const char *booking);
/* With `count` messages, ids and receipts NAME-0 and so on, all for this booking. */
void stand_give_many(struct stand *stand, const char *name, size_t count, const char *booking);
/* With one message of any body. */
void stand_give_body(struct stand *stand, const char *id, const char *body);

/* The delay, in seconds, of the only open change of visibility. */
int64_t stand_hidden_for(struct stand *stand);
struct consumer_state stand_state(const struct stand *stand);

#endif
