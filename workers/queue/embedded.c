/* The embedded queue: opening, stepping and closing a handle. Knows neither SQL nor what the calls
 * carry.
 *
 * A handle has its own connection and writer, whose thread does all work on the file; the loop only
 * submits and delivers. Several handles, in one process or in several, share nothing but the file
 * (see embedded_bell.h for how one wakes the other). */
#include "embedded.h"

#include <stdlib.h>

#include "buf.h"
#include "embedded_bell.h"

static struct embedded *of_queue(struct queue *queue)
{
    return (struct embedded *)queue; /* its first member */
}

void call_list_init(struct call_list *list)
{
    list->first = NULL;
    list->end = &list->first;
}

void call_list_push(struct call_list *list, struct call *call)
{
    call->next = NULL;
    *list->end = call;
    list->end = &call->next;
}

struct call *call_list_pop(struct call_list *list)
{
    struct call *call = list->first;
    if (!call)
        return NULL;
    list->first = call->next;
    if (!list->first)
        list->end = &list->first;
    return call;
}

void embedded_wake(const struct embedded *queue)
{
    if (queue->host.wake)
        queue->host.wake(queue->host.context);
}

/* A refused call goes the same way as the others, so that answers keep their order. */
static bool apply_nothing(struct operation *operation, struct db *db, struct error *error)
{
    (void)operation;
    (void)db;
    (void)error;
    return true;
}

static void committed(struct operation *operation, const struct error *failure)
{
    struct call *call = (struct call *)operation; /* its first member */
    struct embedded *queue = call->queue;
    if (!failure && call->rings)
        queue->ringing = true;
    if (queue->closing)
        call_list_push(&queue->late, call);
    else
        call->answer(call, call->refusal.kind != ERROR_NONE ? &call->refusal : failure);
}

void embedded_submit(struct call *call)
{
    struct embedded *queue = call->queue;
    if (queue->closing) {
        call_list_push(&queue->late, call);
        return;
    }
    if (call->refusal.kind != ERROR_NONE)
        call->operation.apply = apply_nothing;
    call->operation.done = committed;
    writer_submit(queue->writer, &call->operation);
    if (queue->host.single_threaded)
        embedded_wake(queue);
}

static void ring(struct embedded *queue)
{
    if (queue->ringing)
        embedded_bell_ring(queue->options.path);
    queue->ringing = false;
}

/* A deaf handle takes it that the bell rang every so often. */
static bool listen_bell(struct embedded *queue, bool rung)
{
    const int64_t ticks = world_ticks_ms(queue->host.world);
    bool heard = rung;
    if (queue->bell >= 0)
        heard = embedded_bell_heard(queue->bell) || rung;
    else if (ticks - queue->heard_ms >= EMBEDDED_DEAF_MS)
        heard = true;
    if (heard) {
        queue->heard_ms = ticks;
        queue->bells++;
    }
    return heard;
}

static int64_t step(struct queue *base)
{
    struct embedded *queue = of_queue(base);
    if (queue->host.single_threaded)
        (void)writer_step(queue->writer);
    (void)writer_deliver(queue->writer);
    const bool rung = queue->ringing;
    ring(queue);
    embedded_poll_waiting(queue, listen_bell(queue, rung));
    if (queue->host.single_threaded && writer_pending(queue->writer) > 0)
        return 0;
    return embedded_waiting_ms(queue);
}

static int bell_fd(const struct queue *base)
{
    return ((const struct embedded *)base)->bell; /* its first member */
}

static void answer_all(struct call_list *list)
{
    static const struct error closed = {.kind = ERROR_UNAVAILABLE, .text = "the queue is closed"};
    for (struct call *call = call_list_pop(list); call; call = call_list_pop(list))
        call->answer(call, &closed);
}

static void release(struct embedded *queue)
{
    embedded_bell_close(queue->bell);
    embedded_options_release(&queue->options);
    free(queue->dead_letter_url);
    free(queue);
}

static void close_queue(struct queue *base)
{
    struct embedded *queue = of_queue(base);
    queue->closing = true;
    writer_free(queue->writer);
    answer_all(&queue->waiting);
    answer_all(&queue->late);
    ring(queue);
    release(queue);
}

static const struct queue_ops ops = {
    .send = embedded_send,
    .send_dead_letter = embedded_send_dead_letter,
    .receive = embedded_receive,
    .stop_waiting = embedded_stop_waiting,
    .delete_batch = embedded_delete,
    .change_visibility = embedded_change_visibility,
    .attributes = embedded_attributes,
    .step = step,
    .fd = bell_fd,
    .close = close_queue,
};

bool embedded_check(const char *url, struct error *error)
{
    struct embedded_options options AUTO(embedded_options_release) = {0};
    return embedded_options_parse(url, &options, error);
}

static bool start(struct embedded *queue, struct error *error)
{
    const struct queue_host *host = &queue->host;
    struct db *db = db_open(queue->options.path, DB_WRITE_SHARED, &messages_schema, error);
    if (!db)
        return error_context(error, "queue %s", queue->options.name);
    queue->writer = writer_new(db, host->single_threaded ? NULL : host->wake, host->context);
    if (!host->single_threaded && !writer_start(queue->writer, error)) {
        writer_free(queue->writer);
        return error_context(error, "queue %s", queue->options.name);
    }
    queue->bell = embedded_bell_listen(queue->options.path);
    return true;
}

static char *dead_letter_url(const struct embedded_options *options)
{
    struct buf url AUTO(buf_release) = {0};
    if (options->dead_letter[0])
        buf_printf(&url, "sqlite:%s?queue=%s", options->path, options->dead_letter);
    return buf_take(&url);
}

struct queue *embedded_open(const char *url, const struct queue_host *host, struct error *error)
{
    struct embedded *queue = memory_new(1, sizeof(*queue));
    queue->queue.ops = &ops;
    queue->host = *host;
    queue->bell = -1;
    call_list_init(&queue->waiting);
    call_list_init(&queue->late);
    if (!embedded_options_parse(url, &queue->options, error) || !start(queue, error)) {
        release(queue);
        return NULL;
    }
    queue->dead_letter_url = dead_letter_url(&queue->options);
    messages_init(&queue->messages, &queue->options, host->world);
    return &queue->queue;
}
