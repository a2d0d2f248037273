/* A connection to one of the broker's queues: made, stepped, closed. Must not know what a call
 * carries. */
#include <stdlib.h>

#include "broker_private.h"

static struct connection *of_queue(struct queue *queue)
{
    return (struct connection *)queue; /* its first member */
}

void call_append(struct call_list *list, struct call *call)
{
    if (!list->end)
        list->end = &list->first;
    call->next = NULL;
    *list->end = call;
    list->end = &call->next;
}

struct call *call_take(struct call_list *list)
{
    struct call *call = list->first;
    if (!call)
        return NULL;
    list->first = call->next;
    if (!list->first)
        list->end = NULL;
    return call;
}

void connection_wake(const struct connection *connection)
{
    if (connection->host.wake)
        connection->host.wake(connection->host.context);
}

static void stop_waiting(struct queue *queue)
{
    struct connection *connection = of_queue(queue);
    connection->stops++;
    connection_wake(connection);
}

int64_t connection_wait_ms(const struct connection *connection)
{
    const int64_t now = broker_now(connection->broker);
    if (connection->incoming.first)
        return 0;
    if (!connection->open.first)
        return -1;
    int64_t due = INT64_MAX;
    for (const struct call *call = connection->open.first; call; call = call->next) {
        const int64_t its = call_due_ms(call);
        due = its < due ? its : due;
    }
    return due > now ? due - now : 0;
}

/* Calls that a callback makes wait for the next step. */
static int64_t step(struct queue *queue)
{
    struct connection *connection = of_queue(queue);
    struct call_list todo = connection->incoming;
    connection->incoming = (struct call_list){0};
    for (struct call *call = call_take(&todo); call; call = call_take(&todo)) {
        call_meet_fate(call);
        call_append(&connection->open, call);
    }
    todo = connection->open;
    connection->open = (struct call_list){0};
    for (struct call *call = call_take(&todo); call; call = call_take(&todo)) {
        call_advance(call);
        if (call->effective && broker_now(connection->broker) >= call->answer_ms)
            call_answer(call);
        else
            call_append(&connection->open, call);
    }
    return connection_wait_ms(connection);
}

static void unlink_connection(struct connection *connection)
{
    struct connection **at = &connection->broker->connections;
    while (*at != connection)
        at = &(*at)->next;
    *at = connection->next;
}

/* Also what the callbacks call meanwhile. */
static void close_queue(struct queue *queue)
{
    struct connection *connection = of_queue(queue);
    while (connection->open.first)
        call_abandon(call_take(&connection->open));
    while (connection->incoming.first)
        call_abandon(call_take(&connection->incoming));
    unlink_connection(connection);
    free(connection);
}

static const struct queue_ops ops = {
    .send = broker_send,
    .send_dead_letter = broker_send_dead_letter,
    .receive = broker_receive,
    .stop_waiting = stop_waiting,
    .delete_batch = broker_delete,
    .change_visibility = broker_change_visibility,
    .attributes = broker_attributes,
    .step = step,
    .close = close_queue,
};

struct queue *broker_open(struct broker *broker, const char *name, const struct queue_host *host)
{
    struct connection *connection = memory_new(1, sizeof *connection);
    connection->queue.ops = &ops;
    connection->broker = broker;
    connection->mailbox = broker_mailbox(broker, name);
    connection->host = *host;
    connection->next = broker->connections;
    broker->connections = connection;
    return &connection->queue;
}
