/* Drives queues from a test: starts calls, steps until they are answered, keeps the answers. */
#ifndef BOOKFLOW_QUEUE_PROBE_H
#define BOOKFLOW_QUEUE_PROBE_H

#include "queue_contract.h"

enum { PROBE_QUEUES = 4 };

struct probe {
    const struct queue_contract *with;
    struct queue *queues[PROBE_QUEUES]; /* all are stepped */
    size_t count;
};
struct queue *probe_open(struct probe *probe, const char *name);
void probe_close(struct probe *probe); /* all of them; for AUTO() */

/* How a case begins: opens the usual queue and closes it, and all others opened, at its end. */
#define NAME "orders"
#define DEAD "orders-dlq"
#define PROBE()                                                                                    \
    struct probe probe AUTO(probe_close) = {.with = with};                                         \
    struct queue *queue = probe_open(&probe, NAME)
#define MESSAGES(name) struct probe_messages name AUTO(probe_messages_release) = {0}

/* Answers. `calls` counts how often the callback came. */
struct probe_results {
    int calls;
    enum error_kind failure;
    size_t count;
    enum error_kind kinds[QUEUE_BATCH];
    char ids[QUEUE_BATCH][ID_SIZE];
};
struct probe_message {
    char *id, *receipt, *body;
    char *attributes; /* "name=value;" of each, sorted by name */
    int64_t receive_count, sent_ms;
};
struct probe_messages {
    int calls;
    enum error_kind failure;
    size_t count;
    struct probe_message list[QUEUE_BATCH];
};
void probe_messages_release(struct probe_messages *messages);

queue_results_fn probe_on_results;
queue_messages_fn probe_on_messages;

/* Steps until *calls is 1 (fails when that does not come), or for a while. */
void probe_until(struct probe *probe, const int *calls);
void probe_quiet(struct probe *probe);
void probe_advance(struct probe *probe, int64_t ms);

/* Each starts a call and waits for its answer. */
void probe_send(struct probe *probe, struct queue *queue, const struct queue_entry entries[],
                size_t count, struct probe_results *results);
void probe_send_text(struct probe *probe, struct queue *queue, const char *body);
void probe_receive(struct probe *probe, struct queue *queue, int64_t visibility_s,
                   struct probe_messages *messages);
enum error_kind probe_delete(struct probe *probe, struct queue *queue, const char *receipt);
enum error_kind probe_hide(struct probe *probe, struct queue *queue, const char *receipt,
                           int64_t visibility_s);
struct queue_attributes probe_attributes(struct probe *probe, struct queue *queue);

/* Starts a receive of up to ten that waits. */
void probe_poll(struct queue *queue, int64_t wait_s, struct probe_messages *messages);

/* Receives once: how many came, and, with one, its body is checked (NULL = any). */
size_t probe_count(struct probe *probe, struct queue *queue, const char *body);

#endif
