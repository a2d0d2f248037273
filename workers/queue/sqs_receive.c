/* Receiving. A message whose MD5 is wrong is not handed on: it comes again when its visibility
 * timeout is over, and the queue's own redrive policy ends that. */
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "checks.h"
#include "sqs.h"

enum { POLL_MARGIN_MS = 10 * 1000 };

/* One message as it is handed on, and what its attributes point to. */
struct received {
    struct queue_message message;
    struct queue_attribute attributes[QUEUE_ATTRIBUTES_MAX + 1];
    struct md5_attribute digested[QUEUE_ATTRIBUTES_MAX];
    struct buf binaries[QUEUE_ATTRIBUTES_MAX]; /* decoded, for the digest only */
    size_t count;
};

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static int64_t number_of(const json_t *attributes, const char *name)
{
    return strtoll(text_of(attributes, name), NULL, 10);
}

static bool decode(const char *text, struct buf *out)
{
    const size_t length = strlen(text);
    unsigned char *bytes AUTO(memory_release) = memory_new(length + 1, 1);
    const int decoded = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)length);
    if (decoded < 0)
        return false;
    size_t padding = length > 0 && text[length - 1] == '=';
    padding += length > 1 && text[length - 2] == '=';
    buf_append(out, bytes, (size_t)decoded - padding);
    return true;
}

/* Those of type String are handed on; the digest covers all. */
static bool read_attribute(struct received *to, const char *name, const json_t *value)
{
    struct md5_attribute *digested = &to->digested[to->count];
    struct buf *binary = &to->binaries[to->count];
    const char *type = text_of(value, "DataType");
    const char *text = text_of(value, "StringValue");
    *digested = (struct md5_attribute){name, type, text, strlen(text), false};
    if (strncmp(type, "Binary", 6) == 0) {
        if (!decode(text_of(value, "BinaryValue"), binary))
            return false;
        *digested = (struct md5_attribute){name, type, buf_text(binary), binary->length, true};
    } else {
        size_t at = 0;
        while (to->attributes[at].name)
            at++;
        to->attributes[at] = (struct queue_attribute){name, text};
    }
    to->count++;
    return true;
}

static bool read_attributes(struct received *to, json_t *attributes)
{
    for (void *at = json_object_iter(attributes); at; at = json_object_iter_next(attributes, at))
        if (to->count == QUEUE_ATTRIBUTES_MAX ||
            !read_attribute(to, json_object_iter_key(at), json_object_iter_value(at)))
            return false;
    return true;
}

static bool digests_match(struct received *message, const json_t *from)
{
    char md5[MD5_HEX_SIZE];
    sqs_md5_text(message->message.body, message->message.body_length, md5);
    if (strcmp(text_of(from, "MD5OfBody"), md5) != 0)
        return false;
    sqs_md5_attributes(message->digested, message->count, md5);
    return strcmp(text_of(from, "MD5OfMessageAttributes"), md5) == 0;
}

static bool read_message(struct received *to, const json_t *from)
{
    const json_t *body = json_object_get(from, "Body");
    const json_t *system = json_object_get(from, "Attributes");
    *to = (struct received){.message = {
                                .id = text_of(from, "MessageId"),
                                .receipt = text_of(from, "ReceiptHandle"),
                                .body = text_of(from, "Body"),
                                .body_length = json_string_length(body),
                                .receive_count = number_of(system, "ApproximateReceiveCount"),
                                .sent_ms = number_of(system, "SentTimestamp"),
                            }};
    return json_is_string(body) && *to->message.id && *to->message.receipt &&
           read_attributes(to, json_object_get(from, "MessageAttributes")) &&
           digests_match(to, from);
}

static void release(struct received *message)
{
    for (size_t i = 0; i < message->count; i++)
        buf_release(&message->binaries[i]);
}

static void answer_messages(struct sqs_call *call, const json_t *answer,
                            const struct error *failure)
{
    struct received received[QUEUE_BATCH];
    struct queue_message messages[QUEUE_BATCH];
    const json_t *list = json_object_get(answer, "Messages");
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(list) && count < QUEUE_BATCH; i++)
        if (read_message(&received[count], json_array_get(list, i)))
            count++;
        else
            release(&received[count]);
    for (size_t i = 0; i < count; i++) {
        messages[i] = received[i].message;
        messages[i].attributes = received[i].attributes;
    }
    call->done.messages(call->context, messages, count, failure);
    for (size_t i = 0; i < count; i++)
        release(&received[i]);
}

static void receive_body(struct sqs_call *call, const struct queue_receive_options *options)
{
    buf_printf(&call->body,
               "{\"MaxNumberOfMessages\":%zu,\"WaitTimeSeconds\":%" PRId64
               ",\"VisibilityTimeout\":%" PRId64 ",\"MessageAttributeNames\":[\"All\"],"
               "\"MessageSystemAttributeNames\":[\"ApproximateReceiveCount\",\"SentTimestamp\"]",
               options->maximum, options->wait_s, options->visibility_s);
    if (call->queue->fifo) { /* a try after a lost answer is given the same messages again */
        char id[ID_SIZE];
        id_new(call->queue->host.world, id);
        buf_printf(&call->body, ",\"ReceiveRequestAttemptId\":\"%s\"", id);
    }
}

void sqs_receive(struct queue *queue, const struct queue_receive_options *options,
                 queue_messages_fn *done, void *context)
{
    struct sqs_call *call = sqs_call_new(queue, "ReceiveMessage", context);
    call->done.messages = done;
    call->answer = answer_messages;
    if (!queue_check_receive(options, &call->failure)) {
        sqs_call_settle(call);
        return;
    }
    receive_body(call, options);
    call->is_poll = options->wait_s > 0;
    call->timeout_ms = options->wait_s * 1000 + POLL_MARGIN_MS;
    sqs_call_begin(call);
}
