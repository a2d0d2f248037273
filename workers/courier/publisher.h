/* The publisher: carries the outbox to its queue. One thread, step by step; no clock, socket or
 * thread of its own.
 *
 * A booking's events go out in the order they were written: the next one only after the one before
 * was taken. Different bookings do not wait for each other. A row counts as sent only after the
 * transaction that says so; a crash between the two sends it again under the same event id. A
 * failing queue slows the whole publisher down (half jitter in [t/2, t], t = min(100 ms * 2^(n-1),
 * 5 s)); the first success ends that. A row the queue refuses for good is parked. */
#ifndef BOOKFLOW_PUBLISHER_H
#define BOOKFLOW_PUBLISHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db.h"
#include "outbox.h"
#include "queue.h"
#include "world.h"
#include "writer.h"

/* Told on the loop when it is durable that the queue has the event, under that id of its own. */
typedef void publisher_sent_fn(void *context, const struct outbox_row *row, const char *message_id);

struct publisher_options {
    struct db *reader;     /* read-only, the stepping thread's own; borrowed like all of these */
    struct writer *writer; /* of the same store */
    struct queue *queue;
    const struct world *world;
    bool fair; /* standard queues: message group = provider. FIFO: group = booking, always */
    bool fifo;
    publisher_sent_fn *sent; /* NULL = nobody is told */
    void *sent_context;
};

struct publisher;
struct publisher *publisher_new(const struct publisher_options *options);

/* Loads, sends and notes what it can; call after each commit that may have written an event, after
 * each callback of the queue, and when the returned delay (ms, -1 = nothing to wait for) is over.
 */
int64_t publisher_step(struct publisher *publisher);

/* True when nothing is in flight: no send and no note of one. */
bool publisher_idle(const struct publisher *publisher);

/* Sends nothing more; what is in flight is finished. */
void publisher_drain(struct publisher *publisher);

struct publisher_state {
    int64_t sent;
    int64_t failed; /* sends that will be tried again */
    int64_t parked;
    bool queue_down;  /* the last call failed as a whole */
    int64_t since_ms; /* wall time of the last change of queue_down */
    char reason[160]; /* why it is down */
};
struct publisher_state publisher_state(const struct publisher *publisher);

/* When idle, or after the queue and then the writer were closed: what they hold leads back here. */
void publisher_free(struct publisher *publisher);

#endif
