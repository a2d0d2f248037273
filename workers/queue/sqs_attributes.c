/* What a queue says of itself, and through it where its dead letters go. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "json_fields.h"
#include "sqs.h"

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static int64_t number_of(const json_t *attributes, const char *name)
{
    return strtoll(text_of(attributes, name), NULL, 10);
}

/* {"deadLetterTargetArn": ARN, "maxReceiveCount": "5" or 5}, as text inside the JSON. */
static json_t *redrive_policy(const json_t *attributes)
{
    return json_loads(text_of(attributes, "RedrivePolicy"), 0, NULL);
}

static int64_t max_receives(const json_t *policy)
{
    const json_t *count = json_object_get(policy, "maxReceiveCount");
    return json_is_integer(count) ? json_integer_value(count)
                                  : strtoll(text_of(policy, "maxReceiveCount"), NULL, 10);
}

/* arn:aws:sqs:REGION:ACCOUNT:NAME is https://HOST/ACCOUNT/NAME at the host of its source, which
 * must be of the same region and account. */
static char *url_of_arn(const char *source, const char *arn)
{
    struct buf url AUTO(buf_release) = {0};
    const char *name = strrchr(arn, ':');
    const char *host = strstr(source, "://");
    const char *path = host ? strchr(host + 3, '/') : NULL;
    if (!name || !path)
        return NULL;
    const char *account = name;
    while (account > arn && account[-1] != ':')
        account--;
    buf_printf(&url, "%.*s/%.*s/%s", (int)(path - source), source, (int)(name - account), account,
               name + 1);
    return buf_take(&url);
}

/* {"redrivePermission": "byQueue", "sourceQueueArns": [ARN, ...]}, as text inside the JSON. */
static enum queue_allows read_allows(const json_t *attributes, struct buf *allowed)
{
    json_t *policy AUTO(json_release) =
        json_loads(text_of(attributes, "RedriveAllowPolicy"), 0, NULL);
    const json_t *sources = json_object_get(policy, "sourceQueueArns");
    const char *permission = text_of(policy, "redrivePermission");
    for (size_t i = 0; i < json_array_size(sources); i++) {
        const char *arn = json_string_value(json_array_get(sources, i));
        buf_printf(allowed, "%s ", arn ? arn : "");
    }
    if (strcmp(permission, "byQueue") == 0)
        return QUEUE_ALLOWS_LISTED;
    return strcmp(permission, "denyAll") == 0 ? QUEUE_ALLOWS_NONE : QUEUE_ALLOWS_ALL;
}

static bool is_encrypted(const json_t *attributes)
{
    return strcmp(text_of(attributes, "SqsManagedSseEnabled"), "true") == 0 ||
           *text_of(attributes, "KmsMasterKeyId");
}

static void answer_attributes(struct sqs_call *call, const json_t *answer,
                              const struct error *failure)
{
    const json_t *from = json_object_get(answer, "Attributes");
    json_t *policy AUTO(json_release) = redrive_policy(from);
    struct buf allowed AUTO(buf_release) = {0};
    char *dead_letter_url AUTO(memory_release) =
        url_of_arn(call->queue->url, text_of(policy, "deadLetterTargetArn"));
    const enum queue_allows allows = read_allows(from, &allowed);
    const struct queue_attributes attributes = {
        .visible = number_of(from, "ApproximateNumberOfMessages"),
        .in_flight = number_of(from, "ApproximateNumberOfMessagesNotVisible"),
        .delayed = number_of(from, "ApproximateNumberOfMessagesDelayed"),
        .oldest_age_s = -1, /* only CloudWatch knows */
        .visibility_s = number_of(from, "VisibilityTimeout"),
        .max_receives = max_receives(policy),
        .has_dead_letter = policy != NULL,
        .fifo = call->queue->fifo,
        .encrypted = is_encrypted(from),
        .retention_s = number_of(from, "MessageRetentionPeriod"),
        .skew_ms = service_counts(call->queue->service).skew_ms,
        .dead_letter_url = dead_letter_url ? dead_letter_url : "",
        .resource = text_of(from, "QueueArn"),
        .allows = allows,
        .allowed = buf_text(&allowed),
    };
    call->done.attributes(call->context, failure ? NULL : &attributes, failure);
}

static struct sqs_call *attributes_call(struct queue *queue, void *context)
{
    struct sqs_call *call = sqs_call_new(queue, "GetQueueAttributes", context);
    buf_text_append(&call->body, "{\"AttributeNames\":[\"All\"]");
    return call;
}

void sqs_attributes(struct queue *queue, queue_attributes_fn *done, void *context)
{
    struct sqs_call *call = attributes_call(queue, context);
    call->done.attributes = done;
    call->answer = answer_attributes;
    sqs_call_begin(call);
}

/* --- the dead-letter queue --- */

/* Those that were held go on, or are told why not. */
static void release_held(struct sqs *queue, const struct error *failure)
{
    for (struct sqs_call *call = queue->first, *next; call; call = next) {
        next = call->next;
        if (!call->for_dead_letters || call->call || call->due)
            continue;
        if (!failure) {
            sqs_call_begin(call);
            continue;
        }
        call->failure = *failure;
        sqs_call_settle(call);
    }
}

static void answer_dead_letters(struct sqs_call *call, const json_t *answer,
                                const struct error *failure)
{
    struct sqs *queue = call->queue;
    json_t *policy = redrive_policy(json_object_get(answer, "Attributes"));
    queue->dead_letters = failure ? DEAD_LETTERS_UNKNOWN : DEAD_LETTERS_KNOWN;
    if (!failure)
        queue->dead_letter_url = url_of_arn(queue->url, text_of(policy, "deadLetterTargetArn"));
    json_decref(policy);
    release_held(queue, failure);
}

void sqs_find_dead_letters(struct sqs *queue)
{
    if (queue->dead_letters == DEAD_LETTERS_ASKED)
        return;
    queue->dead_letters = DEAD_LETTERS_ASKED;
    struct sqs_call *call = attributes_call(&queue->queue, NULL);
    call->answer = answer_dead_letters;
    sqs_call_begin(call);
}
