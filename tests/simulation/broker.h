/* SQS on a bad day: queues with SQS semantics in memory whose network and servers fail as told.
 *
 * They outlive their clients: a worker that dies closes its connection, the messages stay. One
 * thread, time from the world, everything happens inside queue_step(). Each named queue has a
 * dead-letter queue, NAME-dlq. Standard queues: at least once, any order. */
#ifndef BOOKFLOW_BROKER_H
#define BOOKFLOW_BROKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "queue.h"
#include "world.h"

struct broker;

/* World: the simulation's; also its chance. */
struct broker *broker_new(const struct world *world);
void broker_free(struct broker *broker); /* when all connections are closed */

/* A message received so often goes to the dead-letter queue instead; 100 unless told. */
void broker_set_max_receives(struct broker *broker, int64_t receives);

/* A client's connection to a queue, which is made on first use. queue_close() answers what is open
 * with ERROR_UNAVAILABLE; whether it had its effect is left to chance. */
struct queue *broker_open(struct broker *broker, const char *name, const struct queue_host *host);

enum broker_call {
    BROKER_SEND,
    BROKER_RECEIVE,
    BROKER_DELETE,
    BROKER_VISIBILITY,
    BROKER_DEAD_LETTER,
    BROKER_CALLS
};

/* What can go wrong with one call or one message, seen from behind the queue interface. What only
 * the wire knows (truncated bodies, wrong MD5, ...) becomes one of these there. Amend as needed,
 * one line of meaning each. */
enum broker_fault {
    FAULT_REFUSED,    /* fails at once, no effect */
    FAULT_REPLY_LOST, /* has its effect, fails */
    FAULT_SLOW,       /* is answered a little later, others overtake it */
    FAULT_STALLED,   /* is answered (having had its effect at first) after the visibility timeout */
    FAULT_THROTTLED, /* ERROR_BUSY as a whole */
    FAULT_PARTIAL,   /* some entries fail and have no effect */
    FAULT_PARTIAL_LIES,  /* some entries are said to fail but had their effect */
    FAULT_SHORT_REPLY,   /* fewer results than entries, all had their effect */
    FAULT_UNAUTHORISED,  /* credentials expired, invalid, or skewed clock: ERROR_UNAUTHORISED as a
                            whole */
    FAULT_QUEUE_MISSING, /* ERROR_NOT_FOUND as a whole */
    FAULT_TOO_LARGE,     /* ERROR_TOO_LARGE as a whole, for a batch of more than one entry */
    FAULT_DUPLICATE, /* a message sent, received or deleted is delivered again, under the same id */
    FAULT_REORDER,   /* a message sent or to be received is kept back behind later ones */
    FAULT_LATE,      /* a message sent or given back becomes visible seconds later */
    FAULT_TWICE,     /* the same message to two receives at once: the lease of the first is gone */
    FAULT_RECEIPT_LOST, /* the receipt expires early: ERROR_NOT_FOUND for it */
    FAULT_EMPTY,        /* a receive gives nothing although there is something */
    BROKER_FAULTS
};

/* Chances in a million, by call and fault; all zero at first. */
struct broker_weather {
    uint32_t chance[BROKER_CALLS][BROKER_FAULTS];
};
void broker_set_weather(struct broker *broker, const struct broker_weather *weather);

/* Whether such a fault can happen to such a call; the chances of others are not looked at. */
bool broker_fault_applies(enum broker_call call, enum broker_fault fault);
const char *broker_call_name(enum broker_call call);
const char *broker_fault_name(enum broker_fault fault);

/* In how many ms some connection wants queue_step(), whoever made it want it; -1 = none. */
int64_t broker_wait_ms(const struct broker *broker);

/* Another producer's message, as it is. */
void broker_put(struct broker *broker, const char *name, const struct queue_entry *entry);

/* Moves everything from NAME-dlq back to NAME, under new ids, as SQS does; returns how many. */
size_t broker_redrive(struct broker *broker, const char *name);

/* Messages in the queue, visible or not. */
size_t broker_depth(const struct broker *broker, const char *name);

/* The bodies and attributes of NAME's messages, in no order. */
typedef void broker_visit_fn(void *context, const struct queue_message *message);
void broker_visit(const struct broker *broker, const char *name, broker_visit_fn *visit,
                  void *context);

/* How often each fault has happened since the start. */
struct broker_counts {
    int64_t faults[BROKER_CALLS][BROKER_FAULTS];
    int64_t sent, received, redelivered, deleted;
};
struct broker_counts broker_counts(const struct broker *broker);

/* Of everything done so far: equal for equal histories. */
uint64_t broker_trace(const struct broker *broker);

#endif
