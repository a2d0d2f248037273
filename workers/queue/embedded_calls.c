/* The calls of the embedded queue that are answered as soon as they are committed: sending,
 * deleting, changing the visibility, asking for the attributes. Copies what the caller gave, and
 * knows no SQL. */
#include <stdlib.h>
#include <string.h>

#include "checks.h"
#include "embedded.h"

/* One entry of a batch: a message to send, or a receipt. */
struct entry {
    struct error outcome; /* ERROR_NONE until it is refused */
    char *text;           /* body or receipt */
    struct buf packed;
    int64_t seconds; /* delay or visibility */
    char id[ID_SIZE];
};

struct batch {
    struct call call;   /* first */
    const char *target; /* the queue to send to */
    queue_results_fn *done;
    void *context;
    bool (*apply)(struct batch *batch, struct db *db, struct entry *entry, struct error *error);
    size_t count;
    struct entry entries[QUEUE_BATCH];
};

static void batch_free(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        free(batch->entries[i].text);
        buf_release(&batch->entries[i].packed);
    }
    free(batch);
}

static bool batch_apply(struct operation *operation, struct db *db, struct error *error)
{
    struct batch *batch = (struct batch *)operation; /* its first member's first member */
    for (size_t i = 0; i < batch->count; i++)
        if (batch->entries[i].outcome.kind == ERROR_NONE &&
            !batch->apply(batch, db, &batch->entries[i], error))
            return false;
    return true;
}

static void batch_answer(struct call *call, const struct error *failure)
{
    struct batch *batch = (struct batch *)call; /* its first member */
    struct queue_result results[QUEUE_BATCH] = {0};
    for (size_t i = 0; i < batch->count; i++) {
        const struct entry *entry = &batch->entries[i];
        results[i] = (struct queue_result){entry->outcome.kind, entry->outcome.text, entry->id};
    }
    batch->done(batch->context, results, failure ? 0 : batch->count, failure);
    batch_free(batch);
}

static struct batch *batch_new(struct queue *queue, queue_results_fn *done, void *context)
{
    struct batch *batch = memory_new(1, sizeof(*batch));
    batch->call.queue = (struct embedded *)queue; /* its first member */
    batch->call.operation.apply = batch_apply;
    batch->call.answer = batch_answer;
    batch->done = done;
    batch->context = context;
    return batch;
}

static bool send_apply(struct batch *batch, struct db *db, struct entry *entry, struct error *error)
{
    const struct message_sending sending = {.queue = batch->target,
                                            .body = entry->text,
                                            .packed = &entry->packed,
                                            .delay_s = entry->seconds};
    batch->call.rings = true;
    return messages_send(&batch->call.queue->messages, db, &sending, entry->id, error);
}

static void fill_sending(struct entry *entry, const struct queue_entry *given)
{
    if (!queue_check_entry(given, &entry->outcome))
        return;
    if (given->deduplication_id) {
        (void)error_set(&entry->outcome, ERROR_INVALID,
                        "a deduplication id is for FIFO queues, this one is standard");
        return;
    }
    entry->text = memory_text(given->body);
    entry->seconds = given->delay_s;
    messages_pack(&entry->packed, given->attributes);
}

static void submit_sending(struct batch *batch, const struct queue_entry entries[], size_t count)
{
    if (queue_check_batch(entries, count, &batch->call.refusal))
        for (batch->count = 0; batch->count < count; batch->count++)
            fill_sending(&batch->entries[batch->count], &entries[batch->count]);
    batch->apply = send_apply;
    embedded_submit(&batch->call);
}

void embedded_send(struct queue *queue, const struct queue_entry entries[], size_t count,
                   queue_results_fn *done, void *context)
{
    struct batch *batch = batch_new(queue, done, context);
    batch->target = batch->call.queue->options.name;
    submit_sending(batch, entries, count);
}

void embedded_send_dead_letter(struct queue *queue, const struct queue_entry entries[],
                               size_t count, queue_results_fn *done, void *context)
{
    struct batch *batch = batch_new(queue, done, context);
    batch->target = batch->call.queue->options.dead_letter;
    if (!*batch->target)
        (void)error_set(&batch->call.refusal, ERROR_CONFIGURATION,
                        "queue %s has no dead-letter queue", batch->call.queue->options.name);
    submit_sending(batch, entries, count);
}

static bool delete_apply(struct batch *batch, struct db *db, struct entry *entry,
                         struct error *error)
{
    bool again = false;
    if (!messages_delete(&batch->call.queue->messages, db, entry->text, &again, error))
        return false;
    batch->call.rings = batch->call.rings || again;
    return true;
}

void embedded_delete(struct queue *queue, const char *const receipts[], size_t count,
                     queue_results_fn *done, void *context)
{
    struct batch *batch = batch_new(queue, done, context);
    if (queue_check_count(count, &batch->call.refusal))
        for (; batch->count < count; batch->count++)
            batch->entries[batch->count].text = memory_text(receipts[batch->count]);
    batch->apply = delete_apply;
    embedded_submit(&batch->call);
}

static bool hide_apply(struct batch *batch, struct db *db, struct entry *entry, struct error *error)
{
    const struct queue_visibility change = {entry->text, entry->seconds};
    bool found = false;
    if (!messages_hide(&batch->call.queue->messages, db, &change, &found, error))
        return false;
    batch->call.rings = true;
    if (!found)
        (void)error_set(&entry->outcome, ERROR_NOT_FOUND,
                        "the receipt is outdated or its message no longer in flight");
    return true;
}

static void fill_change(struct entry *entry, const struct queue_visibility *given)
{
    if (!queue_check_visibility(given->visibility_s, &entry->outcome))
        return;
    entry->text = memory_text(given->receipt);
    entry->seconds = given->visibility_s;
}

void embedded_change_visibility(struct queue *queue, const struct queue_visibility changes[],
                                size_t count, queue_results_fn *done, void *context)
{
    struct batch *batch = batch_new(queue, done, context);
    if (queue_check_count(count, &batch->call.refusal))
        for (; batch->count < count; batch->count++)
            fill_change(&batch->entries[batch->count], &changes[batch->count]);
    batch->apply = hide_apply;
    embedded_submit(&batch->call);
}

struct question {
    struct call call; /* first */
    queue_attributes_fn *done;
    void *context;
    struct queue_attributes attributes;
};

static bool question_apply(struct operation *operation, struct db *db, struct error *error)
{
    struct question *question = (struct question *)operation; /* as in batch_apply() */
    return messages_count(&question->call.queue->messages, db, &question->attributes, error);
}

static void question_answer(struct call *call, const struct error *failure)
{
    struct question *question = (struct question *)call; /* its first member */
    question->attributes.retention_s = -1;
    question->attributes.dead_letter_url = call->queue->dead_letter_url;
    question->attributes.resource = "";
    question->attributes.allowed = "";
    question->done(question->context, failure ? NULL : &question->attributes, failure);
    free(question);
}

void embedded_attributes(struct queue *queue, queue_attributes_fn *done, void *context)
{
    struct question *question = memory_new(1, sizeof(*question));
    question->call.queue = (struct embedded *)queue; /* its first member */
    question->call.operation.apply = question_apply;
    question->call.answer = question_answer;
    question->done = done;
    question->context = context;
    embedded_submit(&question->call);
}
