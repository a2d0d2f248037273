/* What the files of the broker share; nobody else includes it.
 *
 * broker.c           the broker, its queues' names and what a simulation asks of it
 * broker_messages.c  one queue's messages: added, taken, hidden, deleted
 * broker_faults.c    what goes wrong, by chance
 * broker_queue.c     a connection: opened, stepped, closed
 * broker_slots.c     the slots: a call is made from what the client gave
 * broker_calls.c     what becomes of a call: trouble, its effect and its answer */
#ifndef BOOKFLOW_BROKER_PRIVATE_H
#define BOOKFLOW_BROKER_PRIVATE_H

#include "broker.h"
#include "buf.h"

enum { MAILBOX_VISIBILITY_S = 30, MAILBOX_NAME_SIZE = 96, NUMBER_SIZE = 24 };

/* What was sent; shared by a message, its copies, and the answers that carry it. */
struct content {
    size_t references;
    char id[NUMBER_SIZE];
    char *body;
    size_t length;
    struct buf packed;                                           /* names and values */
    struct queue_attribute attributes[QUEUE_ATTRIBUTES_MAX + 1]; /* ended by a NULL name */
    int64_t sent_ms;                                             /* wall time */
};
struct content *content_share(struct content *content);
void content_drop(struct content *content); /* NULL is fine */

struct message {
    struct message *next;
    struct content *content;
    int64_t visible_ms; /* ticks */
    int64_t receive_count;
    uint64_t receipt; /* the newest; 0 = none that works */
};

struct mailbox {
    struct mailbox *next;
    struct broker *broker;
    char name[MAILBOX_NAME_SIZE];
    struct mailbox *dead_letter; /* NULL: it is one itself */
    struct message *messages;    /* in the order of their arrival */
    size_t depth;
};

struct broker {
    const struct world *world;
    struct mailbox *mailboxes;
    struct connection *connections;
    int64_t max_receives;
    uint64_t last_id;
    uint64_t last_receipt;
    struct broker_weather weather;
    struct broker_counts counts;
    uint64_t trace;
};
int64_t broker_now(const struct broker *broker);
void broker_mark(struct broker *broker, uint64_t fact); /* into the trace */
void broker_mark_text(struct broker *broker, const char *text);
struct mailbox *broker_mailbox(struct broker *broker, const char *name);

/* --- broker_messages.c --- */

/* The entry as a content of its own, under a new id. */
struct content *content_new(struct broker *broker, const struct queue_entry *entry);

/* Puts a message, which shares the content, at the end. Wakes who waits for it. */
struct message *mailbox_add(struct mailbox *mailbox, struct content *content, int64_t visible_ms);

/* Takes visible messages for so long; how many. On the way those received too often are moved to
 * the dead-letter queue. */
size_t mailbox_take(struct mailbox *mailbox, size_t maximum, int64_t visibility_s,
                    struct message *taken[]);
/* Tells who waits for it that something may show earlier than it did. */
void mailbox_wake(const struct mailbox *mailbox);
/* What the weather does to a message that was received, once its receipt is in the answer. */
void mailbox_trouble(struct mailbox *mailbox, struct message *message);
bool mailbox_has_visible(const struct mailbox *mailbox);
struct message *mailbox_find(const struct mailbox *mailbox, uint64_t receipt);
void mailbox_remove(struct mailbox *mailbox, const struct message *message); /* frees it */
int64_t mailbox_next_ms(const struct mailbox *mailbox); /* ticks; INT64_MAX = nothing hidden */
void mailbox_count(const struct mailbox *mailbox, struct queue_attributes *attributes);

/* --- broker_faults.c --- */

/* True: the fault happens now; it is counted. */
bool fault_happens(struct broker *broker, enum broker_call call, enum broker_fault fault);
/* The same in two parts, for what can only be counted later. */
bool fault_threatens(struct broker *broker, enum broker_call call, enum broker_fault fault);
void fault_count(struct broker *broker, enum broker_call call, enum broker_fault fault);

/* Uniform; nothing is drawn for a range of one. */
int64_t broker_between(struct broker *broker, int64_t low, int64_t high);

/* --- broker_queue.c, broker_slots.c, broker_calls.c --- */

struct call;
struct call_list {
    struct call *first;
    struct call **end; /* NULL = empty */
};

struct connection {
    struct queue queue; /* first: what the owner holds */
    struct broker *broker;
    struct mailbox *mailbox;
    struct queue_host host;
    struct connection *next;
    struct call_list incoming; /* made since the last step */
    struct call_list open;
    int64_t stops; /* queue_stop_waiting() so far */
};
void connection_wake(const struct connection *connection);
int64_t connection_wait_ms(const struct connection *connection);

/* One entry of a batch, or one message received. */
struct item {
    struct error outcome;
    struct content *content;
    int64_t seconds; /* delay or visibility */
    int64_t receive_count;
    uint64_t receipt; /* given; or, received: */
    char receipt_text[NUMBER_SIZE];
};

enum { CALL_ATTRIBUTES = BROKER_CALLS };

struct call {
    struct call *next;
    struct connection *connection;
    int kind;                     /* enum broker_call or CALL_ATTRIBUTES */
    queue_results_fn *on_results; /* one of the three */
    queue_messages_fn *on_messages;
    queue_attributes_fn *on_attributes;
    void *context;

    enum broker_fault fault; /* BROKER_FAULTS = none */
    struct error failure;    /* of the call as a whole */
    bool taken;              /* a receive has what it will answer with */
    bool effective;          /* has had its effect, or will have none */
    int64_t effect_ms;       /* ticks: not before */
    int64_t delay_ms;        /* of the answer, behind the effect */
    int64_t answer_ms;       /* ticks, when effective */

    int64_t deadline_ms; /* of a receive; ticks */
    int64_t visibility_s;
    int64_t stops; /* the connection's, when it was made */
    size_t maximum;

    struct queue_attributes attributes;
    size_t answered; /* results in the answer */
    size_t count;
    struct item items[QUEUE_BATCH];
};
void call_append(struct call_list *list, struct call *call);
struct call *call_take(struct call_list *list); /* the first, NULL = empty */

/* The time of its effect has come: false = nothing yet, ask again later (a receive). */
bool call_effect(struct call *call);
/* What happens to it on the way: decided once, before its effect. */
void call_meet_fate(struct call *call);
/* Has its effect when it may. */
void call_advance(struct call *call);
int64_t call_due_ms(const struct call *call); /* ticks */
void call_answer(struct call *call);          /* and frees it */
/* The connection is closed under it. */
void call_abandon(struct call *call);

/* The slots. */
void broker_send(struct queue *queue, const struct queue_entry entries[], size_t count,
                 queue_results_fn *done, void *context);
void broker_send_dead_letter(struct queue *queue, const struct queue_entry entries[], size_t count,
                             queue_results_fn *done, void *context);
void broker_receive(struct queue *queue, const struct queue_receive_options *options,
                    queue_messages_fn *done, void *context);
void broker_delete(struct queue *queue, const char *const receipts[], size_t count,
                   queue_results_fn *done, void *context);
void broker_change_visibility(struct queue *queue, const struct queue_visibility changes[],
                              size_t count, queue_results_fn *done, void *context);
void broker_attributes(struct queue *queue, queue_attributes_fn *done, void *context);

#endif
