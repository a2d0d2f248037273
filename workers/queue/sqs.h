/* Amazon SQS, as its own parts see it: an open queue, and a call on it. The JSON protocol, by the
 * service's model; every answer's MD5 is verified. */
#ifndef BOOKFLOW_SQS_H
#define BOOKFLOW_SQS_H

#include <jansson.h>

#include "buf.h"
#include "failure.h"
#include "queue.h"
#include "service.h"

MUST_CHECK bool sqs_check(const char *url, struct error *error);
MUST_CHECK struct queue *sqs_open(const char *url, const struct queue_host *host,
                                  struct error *error);

enum { MD5_HEX_SIZE = 33, CALL_TIMEOUT_MS = 10 * 1000 };

struct sqs;

/* A call on its way. What it is for says how its answer is read. */
struct sqs_call {
    struct sqs *queue;
    struct sqs_call *next;
    struct sqs_call *previous;
    struct service_call *call; /* NULL: nothing to ask, or waiting for the dead-letter queue */
    const char *action;
    struct buf body; /* until it is sent: the object without its end, where the URL goes */
    bool is_poll;
    bool due; /* to be answered in the next step, without asking */
    bool for_dead_letters;
    bool asked; /* there is an entry to ask about */
    int64_t timeout_ms;
    struct error failure; /* when it is due */
    size_t count;         /* of entries */
    struct queue_result results[QUEUE_BATCH];
    struct error refusals[QUEUE_BATCH];       /* what results' reasons point to */
    char ids[QUEUE_BATCH][ID_SIZE];           /* of messages sent */
    char body_md5[QUEUE_BATCH][MD5_HEX_SIZE]; /* of entries sent */
    char attributes_md5[QUEUE_BATCH][MD5_HEX_SIZE];
    /* Reads the answer (NULL when there is none), calls back. */
    void (*answer)(struct sqs_call *call, const json_t *answer, const struct error *failure);
    union {
        queue_results_fn *results;
        queue_messages_fn *messages;
        queue_attributes_fn *attributes;
    } done;
    void *context;
};

enum dead_letters { DEAD_LETTERS_UNKNOWN, DEAD_LETTERS_ASKED, DEAD_LETTERS_KNOWN };

struct sqs {
    struct queue queue; /* first: what the owner holds */
    struct queue_host host;
    struct service *service;
    char *url;
    bool fifo;
    struct sqs_call *first;
    enum dead_letters dead_letters;
    char *dead_letter_url; /* NULL = none */
};

/* A call of this queue, not yet under way. */
struct sqs_call *sqs_call_new(struct queue *queue, const char *action, void *context);

/* In queue.c: notes what became of a call. */
void queue_count_call(struct queue *queue, const char *action, enum error_kind result);

/* Sends its body, or holds it until the dead-letter queue is known. */
void sqs_call_begin(struct sqs_call *call);

/* Nothing to ask: answered in the next step. */
void sqs_call_settle(struct sqs_call *call);

/* Asks again who the dead-letter queue is. */
void sqs_find_dead_letters(struct sqs *queue);

/* What a failure means to the queue's owner. */
void sqs_failure(const struct failure *failure, struct error *error);
enum error_kind sqs_entry_kind(const char *code, bool senders_fault);

/* The outcomes of a batch, entry by entry; what the answer does not name stays unanswered. */
void sqs_read_results(struct sqs_call *call, const json_t *answer);

/* Hex MD5 of a text, and of attributes by SQS's own rule. */
void sqs_md5_text(const char *text, size_t length, char out[MD5_HEX_SIZE]);
struct md5_attribute {
    const char *name;
    const char *type; /* "String", "Number", "Binary", with what may stand behind a dot */
    const void *value;
    size_t length;
    bool binary;
};
/* Sorts them. "" for none. */
void sqs_md5_attributes(struct md5_attribute attributes[], size_t count, char out[MD5_HEX_SIZE]);

/* The slots of queue_ops. */
void sqs_send(struct queue *queue, const struct queue_entry entries[], size_t count,
              queue_results_fn *done, void *context);
void sqs_send_dead_letter(struct queue *queue, const struct queue_entry entries[], size_t count,
                          queue_results_fn *done, void *context);
void sqs_delete(struct queue *queue, const char *const receipts[], size_t count,
                queue_results_fn *done, void *context);
void sqs_change_visibility(struct queue *queue, const struct queue_visibility changes[],
                           size_t count, queue_results_fn *done, void *context);
void sqs_receive(struct queue *queue, const struct queue_receive_options *options,
                 queue_messages_fn *done, void *context);
void sqs_attributes(struct queue *queue, queue_attributes_fn *done, void *context);

#endif
