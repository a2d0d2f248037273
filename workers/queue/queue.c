/* Picks the implementation by the URL's scheme and passes every call on. Knows no implementation
 * beyond how to open it. */
#include "queue.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "embedded.h"
#include "sqs.h"

struct scheme {
    const char *prefix;
    bool (*check)(const char *url, struct error *error);
    struct queue *(*open)(const char *url, const struct queue_host *host, struct error *error);
};

static const struct scheme schemes[] = {
    {"sqlite:", embedded_check, embedded_open},
    {"https:", sqs_check, sqs_open},
    {"http:", sqs_check, sqs_open},
};

static const struct scheme *scheme_of(const char *url, struct error *error)
{
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
        if (strncasecmp(url, schemes[i].prefix, strlen(schemes[i].prefix)) == 0)
            return &schemes[i];
    (void)error_set(error, ERROR_CONFIGURATION,
                    "'%.128s' is no queue URL: it starts with https:, http: or sqlite:", url);
    return NULL;
}

bool queue_url_check(const char *url, struct error *error)
{
    const struct scheme *scheme = scheme_of(url, error);
    return scheme && scheme->check(url, error);
}

bool queue_url_is_fifo(const char *url)
{
    const size_t length = strlen(url);
    return length > 5 && strcmp(url + length - 5, ".fifo") == 0;
}

struct queue *queue_open(const char *url, const struct queue_host *host, struct error *error)
{
    assert(host && host->world);
    const struct scheme *scheme = scheme_of(url, error);
    return scheme ? scheme->open(url, host, error) : NULL;
}

void queue_send(struct queue *queue, const struct queue_entry entries[], size_t count,
                queue_results_fn *done, void *context)
{
    assert(done && (entries || count == 0));
    queue->ops->send(queue, entries, count, done, context);
}

void queue_send_dead_letter(struct queue *queue, const struct queue_entry entries[], size_t count,
                            queue_results_fn *done, void *context)
{
    assert(done && (entries || count == 0));
    queue->ops->send_dead_letter(queue, entries, count, done, context);
}

void queue_receive(struct queue *queue, const struct queue_receive_options *options,
                   queue_messages_fn *done, void *context)
{
    assert(done && options);
    queue->ops->receive(queue, options, done, context);
}

void queue_stop_waiting(struct queue *queue)
{
    queue->ops->stop_waiting(queue);
}

void queue_delete(struct queue *queue, const char *const receipts[], size_t count,
                  queue_results_fn *done, void *context)
{
    assert(done && (receipts || count == 0));
    queue->ops->delete_batch(queue, receipts, count, done, context);
}

void queue_change_visibility(struct queue *queue, const struct queue_visibility changes[],
                             size_t count, queue_results_fn *done, void *context)
{
    assert(done && (changes || count == 0));
    queue->ops->change_visibility(queue, changes, count, done, context);
}

void queue_get_attributes(struct queue *queue, queue_attributes_fn *done, void *context)
{
    assert(done);
    queue->ops->attributes(queue, done, context);
}

int64_t queue_step(struct queue *queue)
{
    return queue->ops->step(queue);
}

int queue_fd(const struct queue *queue)
{
    return queue->ops->fd ? queue->ops->fd(queue) : -1;
}

void queue_close(struct queue *queue)
{
    if (queue)
        queue->ops->close(queue);
}

static const char *const actions[] = {
    [QUEUE_SEND] = "SendMessageBatch",
    [QUEUE_RECEIVE] = "ReceiveMessage",
    [QUEUE_DELETE] = "DeleteMessageBatch",
    [QUEUE_CHANGE_VISIBILITY] = "ChangeMessageVisibilityBatch",
    [QUEUE_GET_ATTRIBUTES] = "GetQueueAttributes",
};

const char *queue_action_name(enum queue_action action)
{
    return actions[action];
}

void queue_count_call(struct queue *queue, const char *action, enum error_kind result)
{
    for (size_t i = 0; i < QUEUE_ACTIONS; i++)
        if (strcmp(actions[i], action) == 0)
            queue->calls.by_result[i][result]++;
}
