/* A message queue with the semantics of Amazon SQS: at least once, unordered, a visibility timeout
 * and a new receipt per receive, a receive count, redrive to a dead-letter queue, long polls.
 *
 * Two implementations, chosen by the URL's scheme: `https:` and `http:` speak to SQS; `sqlite:` is
 * the queue embedded in a SQLite file. One contract suite runs against both.
 *
 * Everything is asynchronous: a call copies what it needs, returns at once, and its callback is
 * called later, on the thread that calls queue_step(), exactly once, also when the call fails or
 * the queue is closed. What a callback is given is borrowed for its duration. Callbacks may call
 * the queue again.
 *
 * A call fails as a whole (`failure` is set, results are not to be read) or answers entry by entry:
 * every entry has its own outcome and must be looked at. */
#ifndef BOOKFLOW_QUEUE_H
#define BOOKFLOW_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "errors.h"
#include "ids.h"
#include "world.h"

enum {
    QUEUE_BATCH = 10,            /* entries in one call */
    QUEUE_MESSAGE_MAX = 1048576, /* bytes of one message, and of one batch: bodies and attributes */
    QUEUE_ATTRIBUTES_MAX = 10,
    QUEUE_WAIT_MAX_S = 20,
    QUEUE_DELAY_MAX_S = 900,
    QUEUE_VISIBILITY_MAX_S = 43200
};

/* Message attributes; all of ours are of type String. An array ended by a NULL name. */
struct queue_attribute {
    const char *name;
    const char *value;
};

struct queue_entry {
    const char *body; /* UTF-8, at least one character, of the set that SQS allows */
    const struct queue_attribute *attributes; /* NULL = none */
    const char *group_id;                     /* NULL = none; required on a FIFO queue */
    const char *deduplication_id;             /* NULL = none; FIFO only */
    int64_t delay_s;
};

struct queue_message {
    const char *id;      /* stable over receives */
    const char *receipt; /* of this receive; only the newest works */
    const char *body;
    size_t body_length;
    const struct queue_attribute *attributes; /* ended by a NULL name */
    int64_t receive_count;                    /* 1 at the first receive */
    int64_t sent_ms;                          /* wall time */
};

/* What became of one entry. ERROR_NONE: done. Otherwise what to do: ERROR_INVALID or
 * ERROR_TOO_LARGE: this entry will never be taken; ERROR_NOT_FOUND: the receipt is no longer valid
 * (the message will come again); anything else: try again. */
struct queue_result {
    enum error_kind kind;
    const char *reason; /* "" when done */
    const char *id;     /* of a message sent */
};

typedef void queue_results_fn(void *context, const struct queue_result results[], size_t count,
                              const struct error *failure);
typedef void queue_messages_fn(void *context, const struct queue_message messages[], size_t count,
                               const struct error *failure);

struct queue_receive_options {
    size_t maximum;       /* 1 to QUEUE_BATCH */
    int64_t wait_s;       /* 0 to QUEUE_WAIT_MAX_S; a message that arrives ends the wait at once */
    int64_t visibility_s; /* how long the received messages stay hidden */
};

struct queue_visibility {
    const char *receipt;
    int64_t visibility_s; /* from now; 0 = visible at once */
};

/* Whose messages a queue takes as dead letters. */
enum queue_allows { QUEUE_ALLOWS_ALL, QUEUE_ALLOWS_NONE, QUEUE_ALLOWS_LISTED };

struct queue_attributes {
    int64_t visible;   /* waiting to be received */
    int64_t in_flight; /* received, not deleted */
    int64_t delayed;
    int64_t oldest_age_s; /* of the oldest visible one; -1 = unknown, 0 with none */
    int64_t visibility_s; /* the queue's own default */
    int64_t max_receives; /* 0 = no redrive */
    bool has_dead_letter;
    bool fifo;
    bool encrypted;              /* at rest; false for the embedded queue, whose disk may be */
    int64_t retention_s;         /* how long a message is kept; -1 = until it is deleted */
    int64_t skew_ms;             /* the service's clock minus ours; 0 = unknown, or none */
    const char *dead_letter_url; /* as queue_open() takes it; "" = none, or not to be opened */
    const char *resource;        /* the ARN; "" = the embedded queue, or not told */
    enum queue_allows allows;
    const char *allowed; /* the ARNs of those listed, each with a blank behind it */
};
typedef void queue_attributes_fn(void *context, const struct queue_attributes *attributes,
                                 const struct error *failure);

/* The calls to a queue service so far, by what became of them; ERROR_NONE: answered. */
enum queue_action {
    QUEUE_SEND,
    QUEUE_RECEIVE,
    QUEUE_DELETE,
    QUEUE_CHANGE_VISIBILITY,
    QUEUE_GET_ATTRIBUTES,
    QUEUE_ACTIONS
};
struct queue_calls {
    int64_t by_result[QUEUE_ACTIONS][ERROR_KINDS];
};
/* SQS's name: "SendMessageBatch", ... */
const char *queue_action_name(enum queue_action action);

/* An open queue. Implementations embed this as their first member. */
struct queue {
    const struct queue_ops *ops;
    struct queue_calls calls; /* none of the embedded queue, which calls nobody */
};

/* One slot per thing a queue can do; the wrappers below are what callers use. */
struct queue_ops {
    /* Appends up to QUEUE_BATCH messages, in order. */
    void (*send)(struct queue *queue, const struct queue_entry entries[], size_t count,
                 queue_results_fn *done, void *context);
    /* The same, to this queue's dead-letter queue. Without one: fails with ERROR_CONFIGURATION. */
    void (*send_dead_letter)(struct queue *queue, const struct queue_entry entries[], size_t count,
                             queue_results_fn *done, void *context);
    /* Gives up to options.maximum messages; none after wait_s. */
    void (*receive)(struct queue *queue, const struct queue_receive_options *options,
                    queue_messages_fn *done, void *context);
    /* Ends every open long poll now; each is answered with what it has, mostly nothing. */
    void (*stop_waiting)(struct queue *queue);
    void (*delete_batch)(struct queue *queue, const char *const receipts[], size_t count,
                         queue_results_fn *done, void *context);
    void (*change_visibility)(struct queue *queue, const struct queue_visibility changes[],
                              size_t count, queue_results_fn *done, void *context);
    void (*attributes)(struct queue *queue, queue_attributes_fn *done, void *context);
    /* Does what is due and calls back what is finished. Returns in how many ms it wants to be
     * called again if nobody wakes it earlier; -1 = only when woken. */
    int64_t (*step)(struct queue *queue);
    /* See queue_fd(); NULL = none. */
    int (*fd)(const struct queue *queue);
    /* Calls still open are answered with ERROR_UNAVAILABLE before it returns. */
    void (*close)(struct queue *queue);
};

struct account;

/* How an implementation reaches its owner: `wake` may be called from any thread and means "call
 * queue_step() soon"; NULL when the owner steps by itself. */
struct queue_host {
    const struct world *world; /* unless single_threaded: asked from the queue's thread, too */
    void (*wake)(void *context);
    void *context;
    struct account *account; /* for https: and http:; NULL = only sqlite: is used */
    bool single_threaded;    /* start no thread: all work happens inside queue_step() (tests,
                                simulation) */
};

/* Opens by URL. ERROR_CONFIGURATION for a URL that is not one of ours or a file that cannot be
 * opened; ERROR_UNAVAILABLE when it can be later. A queue behind https: is not contacted yet. */
MUST_CHECK struct queue *queue_open(const char *url, const struct queue_host *host,
                                    struct error *error);

/* True for a URL that queue_open() would try; otherwise ERROR_CONFIGURATION says what is wrong. */
MUST_CHECK bool queue_url_check(const char *url, struct error *error);

/* Its name ends in .fifo: messages then need a group, and keep their order in it. */
bool queue_url_is_fifo(const char *url);

void queue_send(struct queue *queue, const struct queue_entry entries[], size_t count,
                queue_results_fn *done, void *context);
void queue_send_dead_letter(struct queue *queue, const struct queue_entry entries[], size_t count,
                            queue_results_fn *done, void *context);
void queue_receive(struct queue *queue, const struct queue_receive_options *options,
                   queue_messages_fn *done, void *context);
void queue_stop_waiting(struct queue *queue);
void queue_delete(struct queue *queue, const char *const receipts[], size_t count,
                  queue_results_fn *done, void *context);
void queue_change_visibility(struct queue *queue, const struct queue_visibility changes[],
                             size_t count, queue_results_fn *done, void *context);
void queue_get_attributes(struct queue *queue, queue_attributes_fn *done, void *context);
int64_t queue_step(struct queue *queue);

/* A descriptor that the owner's loop watches and that becomes readable when queue_step() is due
 * because of what somebody else did to the queue; queue_step() empties it. -1 = there is none. */
int queue_fd(const struct queue *queue);
void queue_close(struct queue *queue);

#endif
