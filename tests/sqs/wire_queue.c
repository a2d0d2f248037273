/* The queue between. Everything but seconds is passed on as it is. */
#include "wire_queue.h"

#include <stdlib.h>

#include "buf.h"

struct slowed {
    struct queue queue; /* first: what the owner holds */
    struct queue *inner;
};

static struct queue *inner(struct queue *queue)
{
    return ((struct slowed *)queue)->inner; /* its first member */
}

/* Rounded up: what is not zero must not become it. */
static int64_t slower(int64_t seconds)
{
    return (seconds + WIRE_FASTER - 1) / WIRE_FASTER;
}

static void pass_send(struct queue *queue, const struct queue_entry entries[], size_t count,
                      queue_results_fn *done, void *context)
{
    queue_send(inner(queue), entries, count, done, context);
}

static void pass_dead_letter(struct queue *queue, const struct queue_entry entries[], size_t count,
                             queue_results_fn *done, void *context)
{
    queue_send_dead_letter(inner(queue), entries, count, done, context);
}

static void pass_receive(struct queue *queue, const struct queue_receive_options *options,
                         queue_messages_fn *done, void *context)
{
    const struct queue_receive_options slow = {.maximum = options->maximum,
                                               .wait_s = slower(options->wait_s),
                                               .visibility_s = slower(options->visibility_s)};
    queue_receive(inner(queue), &slow, done, context);
}

static void pass_stop_waiting(struct queue *queue)
{
    queue_stop_waiting(inner(queue));
}

static void pass_delete(struct queue *queue, const char *const receipts[], size_t count,
                        queue_results_fn *done, void *context)
{
    queue_delete(inner(queue), receipts, count, done, context);
}

static void pass_visibility(struct queue *queue, const struct queue_visibility changes[],
                            size_t count, queue_results_fn *done, void *context)
{
    struct queue_visibility slow[QUEUE_BATCH];
    for (size_t i = 0; i < count && i < QUEUE_BATCH; i++)
        slow[i] = (struct queue_visibility){changes[i].receipt, slower(changes[i].visibility_s)};
    queue_change_visibility(inner(queue), slow, count, done, context);
}

static void pass_attributes(struct queue *queue, queue_attributes_fn *done, void *context)
{
    queue_get_attributes(inner(queue), done, context);
}

static int64_t pass_step(struct queue *queue)
{
    const int64_t wait = queue_step(inner(queue));
    return wait < 0 ? wait : wait * WIRE_FASTER;
}

static int pass_fd(const struct queue *queue)
{
    return queue_fd(((const struct slowed *)queue)->inner); /* its first member */
}

static void pass_close(struct queue *queue)
{
    queue_close(inner(queue));
    free(queue);
}

struct queue *slowed_queue(struct queue *inside)
{
    static const struct queue_ops ops = {
        .send = pass_send,
        .send_dead_letter = pass_dead_letter,
        .receive = pass_receive,
        .stop_waiting = pass_stop_waiting,
        .delete_batch = pass_delete,
        .change_visibility = pass_visibility,
        .attributes = pass_attributes,
        .step = pass_step,
        .fd = pass_fd,
        .close = pass_close,
    };
    if (!inside)
        return NULL;
    struct slowed *slowed = memory_new(1, sizeof *slowed);
    slowed->queue.ops = &ops;
    slowed->inner = inside;
    return &slowed->queue;
}
