/* The planted queue: passes everything on but for what its plant spoils. Knows neither the real
 * queue nor the client. */
#include "network_plants.h"

#include <stdlib.h>

#include "buf.h"

struct planted {
    struct queue queue; /* first */
    struct queue *inner;
    enum plant plant;
};

/* A call whose answer is spoilt on its way back. */
struct spoilt {
    struct planted *planted;
    queue_results_fn *on_results;
    queue_messages_fn *on_messages;
    void *context;
    size_t count;
};

static struct planted *of_queue(struct queue *queue)
{
    return (struct planted *)queue; /* its first member */
}

static struct spoilt *spoil(struct queue *queue, void *context)
{
    struct spoilt *spoilt = memory_new(1, sizeof *spoilt);
    spoilt->planted = of_queue(queue);
    spoilt->context = context;
    return spoilt;
}

static void all_is_well(void *context, const struct queue_result results[], size_t count,
                        const struct error *failure)
{
    struct spoilt *spoilt AUTO(memory_release) = context;
    struct queue_result good[QUEUE_BATCH];
    (void)results;
    (void)count;
    (void)failure;
    for (size_t i = 0; i < QUEUE_BATCH; i++)
        good[i] = (struct queue_result){ERROR_NONE, "", "m"};
    spoilt->on_results(spoilt->context, good, spoilt->count, NULL);
}

static void send(struct queue *queue, const struct queue_entry entries[], size_t count,
                 queue_results_fn *done, void *context)
{
    struct planted *planted = of_queue(queue);
    if (planted->plant != PLANT_SENT_ANYWAY) {
        queue_send(planted->inner, entries, count, done, context);
        return;
    }
    struct spoilt *spoilt = spoil(queue, context);
    spoilt->on_results = done;
    spoilt->count = count;
    queue_send(planted->inner, entries, count, all_is_well, spoilt);
}

static void send_dead_letter(struct queue *queue, const struct queue_entry entries[], size_t count,
                             queue_results_fn *done, void *context)
{
    struct planted *planted = of_queue(queue);
    if (planted->plant != PLANT_BURY_NOWHERE) {
        queue_send_dead_letter(planted->inner, entries, count, done, context);
        return;
    }
    struct spoilt *spoilt = spoil(queue, context);
    spoilt->on_results = done;
    spoilt->count = count;
    queue_send_dead_letter(planted->inner, entries, count, all_is_well, spoilt);
}

static void nobody_asks(void *context, const struct queue_result results[], size_t count,
                        const struct error *failure)
{
    (void)context;
    (void)results;
    (void)count;
    (void)failure;
}

static void delete_first(void *context, const struct queue_message messages[], size_t count,
                         const struct error *failure)
{
    struct spoilt *spoilt AUTO(memory_release) = context;
    for (size_t i = 0; i < count && !failure; i++)
        queue_delete(spoilt->planted->inner, &messages[i].receipt, 1, nobody_asks, NULL);
    spoilt->on_messages(spoilt->context, messages, count, failure);
}

static void receive(struct queue *queue, const struct queue_receive_options *options,
                    queue_messages_fn *done, void *context)
{
    struct planted *planted = of_queue(queue);
    if (planted->plant != PLANT_DELETE_FIRST) {
        queue_receive(planted->inner, options, done, context);
        return;
    }
    struct spoilt *spoilt = spoil(queue, context);
    spoilt->on_messages = done;
    queue_receive(planted->inner, options, delete_first, spoilt);
}

static void stop_waiting(struct queue *queue)
{
    queue_stop_waiting(of_queue(queue)->inner);
}

static void delete_batch(struct queue *queue, const char *const receipts[], size_t count,
                         queue_results_fn *done, void *context)
{
    queue_delete(of_queue(queue)->inner, receipts, count, done, context);
}

static void change_visibility(struct queue *queue, const struct queue_visibility changes[],
                              size_t count, queue_results_fn *done, void *context)
{
    queue_change_visibility(of_queue(queue)->inner, changes, count, done, context);
}

static void attributes(struct queue *queue, queue_attributes_fn *done, void *context)
{
    queue_get_attributes(of_queue(queue)->inner, done, context);
}

static int64_t step(struct queue *queue)
{
    return queue_step(of_queue(queue)->inner);
}

static void close_queue(struct queue *queue)
{
    queue_close(of_queue(queue)->inner);
    free(queue);
}

struct queue *planted_queue(struct queue *inner, enum plant plant)
{
    static const struct queue_ops ops = {
        .send = send,
        .send_dead_letter = send_dead_letter,
        .receive = receive,
        .stop_waiting = stop_waiting,
        .delete_batch = delete_batch,
        .change_visibility = change_visibility,
        .attributes = attributes,
        .step = step,
        .close = close_queue,
    };
    struct planted *planted = memory_new(1, sizeof *planted);
    planted->queue.ops = &ops;
    planted->inner = inner;
    planted->plant = plant;
    return &planted->queue;
}
