/* The consumer: brings messages from a queue to a handler, each handled in one transaction, deleted
 * only after it is durable. One thread, step by step; no clock, socket or thread of its own.
 *
 * What becomes of a message:
 *   applied or nothing new      deleted
 *   undecodable, out of range   dead-lettered at once, with the reason
 *   failing for a passing cause hidden again for half jitter in [t/2, t], t = min(2 s * 2^(n-1),
 * 900 s), at least 1 s, n = failures in our own ledger failing max_attempts times, or crashing the
 * worker three times: dead-lettered, with the reason
 *
 * Before its handler runs, a message's attempt is committed. A message that has crashed a worker
 * before is handled alone, so that its neighbours are not counted with it. */
#ifndef BOOKFLOW_CONSUMER_H
#define BOOKFLOW_CONSUMER_H

#include <stdbool.h>
#include <stdint.h>

#include "db.h"
#include "event.h"
#include "queue.h"
#include "world.h"
#include "writer.h"

enum consumer_effect { EFFECT_APPLIED, EFFECT_DUPLICATE };

/* Applies one event inside the writer's transaction, on the writer's thread. A failure whose kind
 * says retry (see errors.h) is tried again; any other kind dead-letters the message. */
typedef bool consumer_handle_fn(void *context, struct db *db, const struct event *event,
                                int64_t now_ms, enum consumer_effect *effect, struct error *error);

/* What became of a message, told on the loop when it is durable: handled, failed and to be tried
 * again, or in the dead-letter queue. */
enum consumer_outcome { HEARD_APPLIED, HEARD_DUPLICATE, HEARD_FAILED, HEARD_DEAD };
struct consumer_news {
    enum consumer_outcome outcome;
    const char *message_id;
    const struct event *event; /* its id is "" when the message could not be read */
    const char *reason;        /* "" = none */
};
typedef void consumer_heard_fn(void *context, const struct consumer_news *news);

struct consumer_options {
    struct writer *writer; /* all borrowed */
    struct queue *queue;
    bool fifo; /* it and its dead-letter queue: copies then need a group */
    const struct world *world;
    const char *source; /* DeadLetterSource: the queue's name, "request" or "confirmation" */
    consumer_handle_fn *handle;
    void *context;
    consumer_heard_fn *heard; /* NULL = nobody is told */
    void *heard_context;
    int64_t max_attempts; /* BOOKFLOW_MAX_ATTEMPTS */
    int64_t visibility_s; /* asked for at each receive; leases are renewed well before it ends */
    int64_t wait_s;       /* of the long polls */
    size_t polls;         /* long polls open at once */
    size_t permits;       /* messages in hand at most */
};

struct consumer;
struct consumer *consumer_new(const struct consumer_options *options);

/* Polls, handles, deletes, renews what is due. Call after each callback of queue or writer and when
 * the returned delay (ms, -1 = none) is over. */
int64_t consumer_step(struct consumer *consumer);

/* Takes nothing new: open polls end, what they still return is given back (visible at once) without
 * costing an attempt, handlers finish, deletes are flushed. */
void consumer_drain(struct consumer *consumer);

/* True when no message is in hand and no call is open. */
bool consumer_idle(const struct consumer *consumer);

/* How long messages took from their receipt to the commit of what they did. */
enum { HANDLING_BOUNDS = 11 };
extern const int64_t HANDLING_BOUNDS_MS[HANDLING_BOUNDS];
struct handling {
    int64_t within[HANDLING_BOUNDS + 1]; /* at most the bound, more than the one before; the rest */
    int64_t total_ms;
};

struct consumer_state {
    struct handling handling;
    int64_t received, applied, duplicates, failed, dead_lettered, given_back, leases_lost;
    bool
        caught_up; /* the last poll brought less than it asked for, and nothing is in hand: what was
                    * waiting is applied. (SQS samples its servers: there it is only a hint.) */
    bool queue_down;
    int64_t since_ms;      /* wall time of the last change of queue_down */
    char reason[160];      /* what is wrong now; "" = nothing */
    char dead_reason[160]; /* of the newest dead letter */
};
struct consumer_state consumer_state(const struct consumer *consumer);

/* When idle, or after the queue and then the writer were closed: what they hold leads back here.
 * Messages still in hand come again by themselves. */
void consumer_free(struct consumer *consumer);

#endif
