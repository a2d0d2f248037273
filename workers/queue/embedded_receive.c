/* Receiving, and the long polls: a receive that finds nothing waits in a list and looks again when
 * the bell rings, when the next hidden message shows, and for no other reason. Knows no SQL. */
#include <stdlib.h>

#include "checks.h"
#include "embedded.h"

struct receive {
    struct call call; /* first */
    queue_messages_fn *done;
    void *context;
    int64_t deadline_ms; /* ticks */
    int64_t stops;       /* the queue's, when it was made */
    int64_t bells;       /* the queue's, when it last looked */
    struct message_receiving receiving;
};

static struct receive *of_call(struct call *call)
{
    return (struct receive *)call; /* its first member */
}

static bool receive_apply(struct operation *operation, struct db *db, struct error *error)
{
    struct receive *receive = (struct receive *)operation; /* its first member's first member */
    struct message_receiving *receiving = &receive->receiving;
    receiving->moved = false;
    if (!messages_receive(&receive->call.queue->messages, db, receiving, error))
        return false;
    receive->call.rings = receiving->moved;
    return true;
}

static void look(struct receive *receive)
{
    receive->bells = receive->call.queue->bells;
    embedded_submit(&receive->call);
}

static void give(struct receive *receive, const struct error *failure)
{
    struct queue_attribute attributes[QUEUE_BATCH][QUEUE_ATTRIBUTES_MAX + 1];
    struct queue_message messages[QUEUE_BATCH];
    const size_t count = failure ? 0 : receive->receiving.count;
    for (size_t i = 0; i < count; i++)
        message_unpack(&receive->receiving.received[i], attributes[i], &messages[i]);
    receive->done(receive->context, messages, count, failure);
    message_receiving_release(&receive->receiving);
    free(receive);
}

static bool over(const struct receive *receive)
{
    const struct embedded *queue = receive->call.queue;
    return receive->stops != queue->stops ||
           world_ticks_ms(queue->host.world) >= receive->deadline_ms;
}

static void receive_answer(struct call *call, const struct error *failure)
{
    struct receive *receive = of_call(call);
    if (failure || receive->receiving.count > 0 || over(receive))
        give(receive, failure);
    else if (receive->bells != call->queue->bells)
        look(receive); /* it rang while this look was under way */
    else
        call_list_push(&call->queue->waiting, call);
}

void embedded_receive(struct queue *queue, const struct queue_receive_options *options,
                      queue_messages_fn *done, void *context)
{
    struct receive *receive = memory_new(1, sizeof(*receive));
    struct embedded *embedded = (struct embedded *)queue; /* its first member */
    receive->call.queue = embedded;
    receive->call.operation.apply = receive_apply;
    receive->call.answer = receive_answer;
    receive->done = done;
    receive->context = context;
    receive->stops = embedded->stops;
    receive->receiving.maximum = options->maximum;
    receive->receiving.visibility_s = options->visibility_s;
    if (queue_check_receive(options, &receive->call.refusal))
        receive->deadline_ms = world_ticks_ms(embedded->host.world) + options->wait_s * 1000;
    look(receive);
}

void embedded_stop_waiting(struct queue *queue)
{
    struct embedded *embedded = (struct embedded *)queue; /* its first member */
    embedded->stops++;
    embedded_wake(embedded);
}

static bool due(const struct receive *receive)
{
    const struct embedded *queue = receive->call.queue;
    return world_wall_ms(queue->host.world) >= receive->receiving.next_ms;
}

void embedded_poll_waiting(struct embedded *queue, bool heard)
{
    struct call_list waiting = queue->waiting;
    if (!waiting.first)
        return;
    call_list_init(&queue->waiting);
    for (struct call *call = call_list_pop(&waiting); call; call = call_list_pop(&waiting)) {
        struct receive *receive = of_call(call);
        if (over(receive))
            give(receive, NULL);
        else if (heard || due(receive))
            look(receive);
        else
            call_list_push(&queue->waiting, call);
    }
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t embedded_waiting_ms(const struct embedded *queue)
{
    const struct world *world = queue->host.world;
    const int64_t ticks = world_ticks_ms(world);
    const int64_t wall = world_wall_ms(world);
    int64_t wait = queue->bell < 0 ? EMBEDDED_DEAF_MS : INT64_MAX;
    for (struct call *call = queue->waiting.first; call; call = call->next) {
        const struct receive *receive = of_call(call);
        wait = smaller(wait, receive->deadline_ms - ticks);
        wait = smaller(wait, receive->receiving.next_ms - wall);
        wait = receive->stops != queue->stops ? 0 : wait;
    }
    if (!queue->waiting.first)
        return -1;
    return wait < 0 ? 0 : wait;
}
