/* The consumer's messages in hand: each is in one stage, each stage is a list. Shared by the files
 * of the consumer; nobody else includes it.
 *
 *   ARRIVED -> BEGINNING -> READY -> HANDLING -> DELETE -> DELETING -> gone
 *                 |                     |-> HIDE -> HIDING -> gone (comes again later)
 *                 |-> SUSPECT (waits to be alone, then BEGINNING again)
 *                 any failure for good -> BURY -> BURYING -> FORGET -> FORGETTING -> DELETE
 *   An attempt that is noted but will not happen: UNDO -> UNDOING -> HIDE, or gone.
 *
 * A stage in -ING means: with the writer or the queue, whose answer moves the message on. */
#ifndef BOOKFLOW_CONSUMER_MESSAGE_H
#define BOOKFLOW_CONSUMER_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attempts.h"
#include "backoff.h"
#include "consumer.h"
#include "event.h"
#include "lookup.h"
#include "writer.h"

enum stage {
    STAGE_ARRIVED,
    STAGE_BEGINNING,
    STAGE_SUSPECT,
    STAGE_READY,
    STAGE_HANDLING,
    STAGE_UNDO,
    STAGE_UNDOING,
    STAGE_BURY,
    STAGE_BURYING,
    STAGE_FORGET,
    STAGE_FORGETTING,
    STAGE_HIDE, /* from here on its lease is not renewed any more */
    STAGE_HIDING,
    STAGE_DELETE,
    STAGE_DELETING,
    STAGE_GONE, /* done with, but its renewal is still open */
    STAGES
};

/* The attributes that are kept for a dead letter. */
enum kept {
    KEPT_EVENT_TYPE,
    KEPT_BOOKING_ID,
    KEPT_PROVIDER_ID,
    KEPT_EVENT_ID,
    KEPT_TRACEPARENT,
    KEPT
};

struct message {
    struct operation operation; /* the first member, so that it leads back here */
    const struct work *work;    /* what the operation does */
    struct consumer *consumer;
    enum stage stage;
    struct message *previous, *next; /* in the list of its stage */
    struct lookup_node by_id;

    char *id;
    char *receipt;
    char *body;
    size_t body_length;
    char *kept[KEPT]; /* NULL = absent */
    int64_t receive_count;
    int64_t attempts; /* of the handler, crashes included, as far as known */

    int64_t received_ms; /* ticks: first */
    int64_t expires_ms;  /* ticks: the lease */
    int64_t renew_ms;
    bool renewing;      /* a renewal is open */
    bool fresh_receipt; /* a newer receipt came while a call with the older one was open */
    bool lost;          /* somebody else may have it by now */

    /* While BEGINNING or HANDLING these are the writer's. */
    struct event event;
    struct attempt before;
    bool begun;
    int64_t handled_ms;
    enum consumer_effect effect;
    bool failed;

    struct error error; /* of the handler, or why it is buried */
    int64_t hide_s;
    int64_t due_ms; /* ticks: a failed call for it is not repeated before */
    int64_t tries;
};

struct message_list {
    struct message *first, *last;
    size_t count;
};

struct poll {
    struct consumer *consumer;
    size_t maximum;
    int64_t begun_ms;
    int64_t due_ms; /* ticks: not again before */
    bool open;
};

struct consumer {
    struct consumer_options options;
    char owner[ID_SIZE];
    struct message_list stages[STAGES];
    size_t in_hand;
    struct lookup by_id;
    struct message *alone; /* the suspect whose attempt is under way */
    struct poll *polls;
    size_t polls_open;
    size_t reserved;      /* permits that open polls may use */
    int64_t lease_due_ms; /* when a lease wants something */
    struct outage queue;
    struct outage store;
    char bury_reason[OUTAGE_REASON_SIZE]; /* why the last dead letter did not get away */
    bool draining;
    struct consumer_state state;
};

/* consumer_message.c */
int64_t consumer_now(const struct consumer *consumer);
size_t stage_count(const struct consumer *consumer, enum stage stage);
size_t consumer_running(const struct consumer *consumer);
struct message *message_new(struct consumer *consumer, const struct queue_message *from);
void message_take_receipt(struct message *message, const struct queue_message *from);
void message_move(struct message *message, enum stage stage);
void message_drop(struct message *message); /* out of hand; freed as soon as no call has it */
void message_free(struct message *message);
void message_hide(struct message *message, int64_t seconds);
void message_give_back(struct message *message); /* visible at once, unhandled */
void message_bury(struct message *message);      /* message->error says why */
void message_tell(const struct message *message, enum consumer_outcome outcome);
/* Its last call failed: sets due_ms. */
void message_try_later(struct message *message);
/* The back-off after the n-th failure, in seconds. */
int64_t hide_after(const struct consumer *consumer, int64_t failures);

/* consumer_handle.c: what is done on the writer. */
void handle_step(struct consumer *consumer);

/* consumer_lease.c: deletes, hiding, renewals. */
void lease_begin(struct message *message, int64_t from_ms);
void lease_step(struct consumer *consumer);

/* consumer_bury.c: dead letters. */
extern const char *const KEPT_NAMES[KEPT];
void bury_step(struct consumer *consumer);

#endif
