/* A worker as its request handlers and event handlers see it: its store, and the world around it.
 * Filled by role.c; the same for both roles. */
#ifndef BOOKFLOW_WORKER_H
#define BOOKFLOW_WORKER_H

#include <stdbool.h>

#include "booking.h"
#include "consumer.h"
#include "db.h"
#include "world.h"
#include "writer.h"

struct backup;
struct publisher;
struct queue;
struct changes;
struct notifier;
struct loop_waker;

struct worker {
    const char *name;  /* "intake" or "decision" */
    struct db *reader; /* read-only, for the loop */
    struct writer *writer;
    const struct world *world;
    const struct queue *outgoing;
    const struct queue *incoming;
    struct publisher *publisher;
    struct consumer *consumer;
    consumer_handle_fn *hear;  /* what the consumer does with an event */
    struct changes *changes;   /* the decision worker's change stream; NULL on intake */
    struct notifier *notifier; /* tells people; NULL on decision, and when nobody is told */
    struct loop_waker *waker;  /* runs the worker's steps soon */
    struct backup *backup;
    int64_t census[BOOKING_STATUSES]; /* bookings by status */
    bool allow_past_slots;
};

#endif
