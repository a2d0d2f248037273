/* One worker for the proof about the network: the shipped rules, publisher, consumer and store, put
 * together and stepped on one thread; it can be killed and started again on its store. */
#ifndef BOOKFLOW_NETWORK_SIDE_H
#define BOOKFLOW_NETWORK_SIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "consumer.h"
#include "db.h"
#include "publisher.h"
#include "queue.h"
#include "writer.h"

enum { INTAKE, DECISION, SIDES };
enum { PUBLISHED, CONSUMED, SIDE_QUEUES };
enum { STUMBLES = 4096 };

/* A connection to the queue of that name, "request" or "confirmation". */
typedef struct queue *side_queue_fn(void *context, const char *name, const struct queue_host *host);

struct side {
    int which;
    const char *folder; /* of its store */
    const struct world *world;
    side_queue_fn *open_queue;
    void *context;
    bool stumbling;         /* some handlers fail for a passing cause */
    bool applies_twice;     /* planted: what is a duplicate has its effect again */
    int64_t hangs_until_ms; /* ticks: its store does not write before */

    /* Its own. */
    struct writer *writer; /* NULL = not started */
    struct db *reader;
    struct queue *queues[SIDE_QUEUES];
    struct publisher *publisher;
    struct consumer *consumer;
    bool woken;
    uint8_t stumbled[STUMBLES]; /* times, by a hash of the event's id */
};

MUST_CHECK bool side_start(struct side *side, struct error *error);

/* At once and undrained: what is in hand comes again. */
void side_stop(struct side *side);

/* In how many ms it wants to be stepped again; -1 = when somebody else has done something. */
int64_t side_step(struct side *side);

/* Nothing of its own is on the way. */
bool side_quiet(const struct side *side);

#endif
