/* The slots of a connection: each makes a call from what the client gave, checked as SQS does. What
 * becomes of it is not decided here. */
#include <stdlib.h>
#include <string.h>

#include "broker_private.h"
#include "checks.h"

static struct call *call_new(struct queue *queue, int kind, void *context)
{
    struct call *call = memory_new(1, sizeof *call);
    call->connection = (struct connection *)queue; /* its first member */
    call->kind = kind;
    call->context = context;
    call->fault = BROKER_FAULTS;
    call->stops = call->connection->stops;
    return call;
}

static void submit(struct call *call)
{
    call_append(&call->connection->incoming, call);
    connection_wake(call->connection);
}

static void fill_sending(struct broker *broker, struct item *item, const struct queue_entry *given)
{
    if (!queue_check_entry(given, &item->outcome))
        return;
    if (given->deduplication_id) {
        (void)error_set(&item->outcome, ERROR_INVALID,
                        "a deduplication id is for FIFO queues, this one is standard");
        return;
    }
    item->content = content_new(broker, given);
    item->seconds = given->delay_s;
}

static void submit_sending(struct call *call, const struct queue_entry entries[], size_t count)
{
    if (queue_check_batch(entries, count, &call->failure))
        for (; call->count < count; call->count++)
            fill_sending(call->connection->broker, &call->items[call->count],
                         &entries[call->count]);
    submit(call);
}

void broker_send(struct queue *queue, const struct queue_entry entries[], size_t count,
                 queue_results_fn *done, void *context)
{
    struct call *call = call_new(queue, BROKER_SEND, context);
    call->on_results = done;
    submit_sending(call, entries, count);
}

void broker_send_dead_letter(struct queue *queue, const struct queue_entry entries[], size_t count,
                             queue_results_fn *done, void *context)
{
    struct call *call = call_new(queue, BROKER_DEAD_LETTER, context);
    call->on_results = done;
    if (!call->connection->mailbox->dead_letter)
        (void)error_set(&call->failure, ERROR_CONFIGURATION, "queue %s has no dead-letter queue",
                        call->connection->mailbox->name);
    submit_sending(call, entries, count);
}

void broker_receive(struct queue *queue, const struct queue_receive_options *options,
                    queue_messages_fn *done, void *context)
{
    struct call *call = call_new(queue, BROKER_RECEIVE, context);
    call->on_messages = done;
    call->maximum = options->maximum;
    call->visibility_s = options->visibility_s;
    if (queue_check_receive(options, &call->failure))
        call->deadline_ms = broker_now(call->connection->broker) + options->wait_s * 1000;
    submit(call);
}

/* 0, which is nobody's, for what is none of ours. */
static uint64_t receipt_of(const char *text)
{
    return strncmp(text, "r-", 2) == 0 ? strtoull(text + 2, NULL, 10) : 0;
}

void broker_delete(struct queue *queue, const char *const receipts[], size_t count,
                   queue_results_fn *done, void *context)
{
    struct call *call = call_new(queue, BROKER_DELETE, context);
    call->on_results = done;
    if (queue_check_count(count, &call->failure))
        for (; call->count < count; call->count++)
            call->items[call->count].receipt = receipt_of(receipts[call->count]);
    submit(call);
}

void broker_change_visibility(struct queue *queue, const struct queue_visibility changes[],
                              size_t count, queue_results_fn *done, void *context)
{
    struct call *call = call_new(queue, BROKER_VISIBILITY, context);
    call->on_results = done;
    if (queue_check_count(count, &call->failure))
        for (; call->count < count; call->count++) {
            struct item *item = &call->items[call->count];
            item->receipt = receipt_of(changes[call->count].receipt);
            item->seconds = changes[call->count].visibility_s;
            (void)!queue_check_visibility(item->seconds, &item->outcome);
        }
    submit(call);
}

void broker_attributes(struct queue *queue, queue_attributes_fn *done, void *context)
{
    struct call *call = call_new(queue, CALL_ATTRIBUTES, context);
    call->on_attributes = done;
    submit(call);
}
