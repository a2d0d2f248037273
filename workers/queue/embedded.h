/* The embedded queue, as queue.c and its own parts see it: an open handle, and a call on it.
 *
 * Every call is a record that goes to the handle's writer, is applied on the writer's thread, and
 * comes back in queue_step() to be answered. */
#ifndef BOOKFLOW_EMBEDDED_H
#define BOOKFLOW_EMBEDDED_H

#include "embedded_messages.h"
#include "embedded_url.h"
#include "queue.h"
#include "writer.h"

MUST_CHECK bool embedded_check(const char *url, struct error *error);
MUST_CHECK struct queue *embedded_open(const char *url, const struct queue_host *host,
                                       struct error *error);

struct embedded;

/* The first member of every kind of call. */
struct call {
    struct operation operation; /* first: the writer hands this back */
    struct embedded *queue;
    struct error refusal; /* found wrong before it was submitted */
    /* On the loop: calls back, and frees the call unless it goes on. */
    void (*answer)(struct call *call, const struct error *failure);
    bool rings; /* set by apply: others may find a message now, or sooner than they think */
    struct call *next;
};

struct call_list {
    struct call *first;
    struct call **end;
};
void call_list_init(struct call_list *list);
void call_list_push(struct call_list *list, struct call *call);
struct call *call_list_pop(struct call_list *list); /* NULL when empty */

enum { EMBEDDED_DEAF_MS = 50 }; /* how often a handle looks that cannot hear the bell */

struct embedded {
    struct queue queue; /* first: what the owner holds */
    struct embedded_options options;
    char *dead_letter_url; /* "" = none */
    struct queue_host host;
    struct messages messages; /* used by apply only */
    struct writer *writer;
    int bell;     /* see embedded_bell.h; -1 = deaf */
    bool ringing; /* something was committed that others should look at */
    bool closing;
    int64_t bells;            /* heard so far */
    int64_t stops;            /* queue_stop_waiting() so far */
    int64_t heard_ms;         /* ticks; when a deaf handle last took it that the bell rang */
    struct call_list waiting; /* long polls that found nothing yet */
    struct call_list late;    /* calls made while closing */
};

/* Takes the call; its answer comes in a later step. */
void embedded_submit(struct call *call);
void embedded_wake(const struct embedded *queue);

/* embedded_calls.c and embedded_receive.c: the slots of queue_ops. */
void embedded_send(struct queue *queue, const struct queue_entry entries[], size_t count,
                   queue_results_fn *done, void *context);
void embedded_send_dead_letter(struct queue *queue, const struct queue_entry entries[],
                               size_t count, queue_results_fn *done, void *context);
void embedded_delete(struct queue *queue, const char *const receipts[], size_t count,
                     queue_results_fn *done, void *context);
void embedded_change_visibility(struct queue *queue, const struct queue_visibility changes[],
                                size_t count, queue_results_fn *done, void *context);
void embedded_attributes(struct queue *queue, queue_attributes_fn *done, void *context);
void embedded_receive(struct queue *queue, const struct queue_receive_options *options,
                      queue_messages_fn *done, void *context);
void embedded_stop_waiting(struct queue *queue);

/* The long polls: looks again for those that may find something (all of them, when a bell was
 * heard), answers those whose time is over; and how long the rest can wait (ms, -1 = no end). */
void embedded_poll_waiting(struct embedded *queue, bool heard);
int64_t embedded_waiting_ms(const struct embedded *queue);

#endif
