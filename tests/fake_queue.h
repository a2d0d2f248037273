/* A queue that does nothing by itself: it keeps every call made to it until the test answers. */
#ifndef BOOKFLOW_FAKE_QUEUE_H
#define BOOKFLOW_FAKE_QUEUE_H

#include "queue.h"

enum fake_kind { FAKE_SEND, FAKE_DEAD_LETTER, FAKE_RECEIVE, FAKE_DELETE, FAKE_VISIBILITY };

/* A message that was sent, or a receipt that was named. */
struct fake_item {
    char *text; /* body or receipt */
    char *group_id;
    char *deduplication_id;
    char *names[QUEUE_ATTRIBUTES_MAX];
    char *values[QUEUE_ATTRIBUTES_MAX];
    int64_t visibility_s;
};

struct fake_call {
    enum fake_kind kind;
    bool open;
    size_t count;
    struct fake_item items[QUEUE_BATCH];
    struct queue_receive_options receive;
    queue_results_fn *results_done;
    queue_messages_fn *messages_done;
    void *context;
};

struct fake_queue {
    struct queue queue;       /* the first member */
    struct fake_call **calls; /* all that were ever made, in order */
    size_t count;
    bool stopped_waiting;
};

struct fake_queue *fake_queue_new(void); /* freed by queue_close() */

/* The oldest call of a kind that is not answered, NULL = none; how many there are; how many there
 * ever were. */
struct fake_call *fake_open(const struct fake_queue *fake, enum fake_kind kind);
size_t fake_open_count(const struct fake_queue *fake, enum fake_kind kind);
size_t fake_total(const struct fake_queue *fake, enum fake_kind kind);

/* "" when absent. */
const char *fake_attribute(const struct fake_item *item, const char *name);

/* Answers every entry alike, one entry otherwise than the rest, or the call as a whole. */
void fake_answer(struct fake_call *call, enum error_kind kind);
void fake_answer_but(struct fake_call *call, size_t odd, enum error_kind kind);
void fake_fail(struct fake_call *call, enum error_kind kind, const char *text);
void fake_give(struct fake_call *call, const struct queue_message messages[], size_t count);

#endif
