/* The calls with entries: sending, deleting, changing visibility. Entries are numbered; an answer
 * names them in any order, or not at all. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "checks.h"
#include "sqs.h"

static void set_text(json_t *object, const char *name, const char *text)
{
    if (text)
        (void)json_object_set_new(object, name, json_string(text));
}

static void answer_results(struct sqs_call *call, const json_t *answer, const struct error *failure)
{
    if (answer)
        sqs_read_results(call, answer);
    call->done.results(call->context, call->results, failure ? 0 : call->count, failure);
}

/* --- reading --- */

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static void refuse(struct sqs_call *call, size_t at, enum error_kind kind, const char *reason)
{
    (void)error_set(&call->refusals[at], kind, "%s", reason);
    call->results[at] = (struct queue_result){kind, call->refusals[at].text, ""};
}

/* The entry's number, or the count when it is none of ours. */
static size_t number_of(const struct sqs_call *call, const json_t *entry)
{
    char *end = NULL;
    const char *id = text_of(entry, "Id");
    const unsigned long at = strtoul(id, &end, 10);
    return *id && *end == '\0' && at < call->count ? at : call->count;
}

/* Refused before it was sent: whatever the answer says is not about it. */
static bool refused_here(const struct sqs_call *call, size_t at)
{
    return call->refusals[at].kind == ERROR_INVALID || call->refusals[at].kind == ERROR_TOO_LARGE;
}

static void entry_done(struct sqs_call *call, size_t at, const json_t *entry)
{
    if (call->body_md5[at][0] &&
        (strcmp(text_of(entry, "MD5OfMessageBody"), call->body_md5[at]) != 0 ||
         strcmp(text_of(entry, "MD5OfMessageAttributes"), call->attributes_md5[at]) != 0)) {
        refuse(call, at, ERROR_UNAVAILABLE, "SQS stored something else: the MD5 differs");
        return;
    }
    (void)snprintf(call->ids[at], ID_SIZE, "%s", text_of(entry, "MessageId"));
    error_clear(&call->refusals[at]);
    call->results[at] = (struct queue_result){ERROR_NONE, "", call->ids[at]};
}

static void entry_failed(struct sqs_call *call, size_t at, const json_t *entry)
{
    struct failure words;
    struct buf text AUTO(buf_release) = {0};
    const char *code = text_of(entry, "Code");
    const bool senders = json_is_true(json_object_get(entry, "SenderFault"));
    buf_printf(&text, "SQS: %s %s", code, text_of(entry, "Message"));
    failure_set(&words, FAILURE_REFUSED, buf_text(&text));
    error_clear(&call->refusals[at]);
    refuse(call, at, sqs_entry_kind(code, senders), words.text);
}

void sqs_read_results(struct sqs_call *call, const json_t *answer)
{
    static const struct {
        const char *list;
        void (*read)(struct sqs_call *call, size_t at, const json_t *entry);
    } LISTS[] = {{"Successful", entry_done}, {"Failed", entry_failed}};
    for (size_t list = 0; list < sizeof LISTS / sizeof *LISTS; list++) {
        const json_t *entries = json_object_get(answer, LISTS[list].list);
        for (size_t i = 0; i < json_array_size(entries); i++) {
            const json_t *entry = json_array_get(entries, i);
            const size_t at = number_of(call, entry);
            if (at < call->count && !refused_here(call, at))
                LISTS[list].read(call, at, entry);
        }
    }
}

/* --- asking --- */

/* Until the answer names it. */
static void begin_entries(struct sqs_call *call, size_t count)
{
    call->count = count;
    call->answer = answer_results;
    call->body = json_object();
    for (size_t i = 0; i < count; i++)
        refuse(call, i, ERROR_UNAVAILABLE, "SQS did not answer for it");
}

/* Wrong as a whole: too many, none, too large together. */
static void settle_refused(struct sqs_call *call, const struct error *refusal)
{
    call->answer = answer_results;
    call->failure = *refusal;
    sqs_call_settle(call);
}

static void ask(struct sqs_call *call, json_t *entries)
{
    const bool any = json_array_size(entries) > 0;
    (void)json_object_set_new(call->body, "Entries", entries);
    if (any)
        sqs_call_begin(call);
    else
        sqs_call_settle(call);
}

static json_t *numbered(size_t at)
{
    return json_pack("{s:o}", "Id", json_sprintf("%zu", at));
}

/* --- sending --- */

static json_t *attributes_of(const struct queue_entry *entry, char md5[MD5_HEX_SIZE])
{
    struct md5_attribute list[QUEUE_ATTRIBUTES_MAX];
    size_t count = 0;
    json_t *object = json_object();
    for (const struct queue_attribute *at = entry->attributes; at && at->name; at++) {
        (void)json_object_set_new(
            object, at->name,
            json_pack("{s:s,s:s}", "DataType", "String", "StringValue", at->value));
        list[count++] =
            (struct md5_attribute){at->name, "String", at->value, strlen(at->value), false};
    }
    sqs_md5_attributes(list, count, md5);
    return object;
}

static json_t *entry_to_json(struct sqs_call *call, size_t at, const struct queue_entry *entry)
{
    json_t *object = numbered(at);
    json_t *attributes = attributes_of(entry, call->attributes_md5[at]);
    sqs_md5_text(entry->body, strlen(entry->body), call->body_md5[at]);
    set_text(object, "MessageBody", entry->body);
    set_text(object, "MessageGroupId", entry->group_id);
    set_text(object, "MessageDeduplicationId", call->queue->fifo ? entry->deduplication_id : NULL);
    if (entry->delay_s > 0)
        (void)json_object_set_new(object, "DelaySeconds", json_integer(entry->delay_s));
    if (json_object_size(attributes) > 0)
        (void)json_object_set_new(object, "MessageAttributes", attributes);
    else
        json_decref(attributes);
    return object;
}

static void send_entries(struct sqs_call *call, const struct queue_entry entries[], size_t count)
{
    struct error refusal = {0};
    if (!queue_check_batch(entries, count, &refusal)) {
        settle_refused(call, &refusal);
        return;
    }
    begin_entries(call, count);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        error_clear(&refusal);
        if (queue_check_entry(&entries[i], &refusal)) {
            (void)json_array_append_new(list, entry_to_json(call, i, &entries[i]));
            continue;
        }
        error_clear(&call->refusals[i]);
        refuse(call, i, refusal.kind, refusal.text);
    }
    ask(call, list);
}

void sqs_send(struct queue *queue, const struct queue_entry entries[], size_t count,
              queue_results_fn *done, void *context)
{
    struct sqs_call *call = sqs_call_new(queue, "SendMessageBatch", context);
    call->done.results = done;
    send_entries(call, entries, count);
}

void sqs_send_dead_letter(struct queue *queue, const struct queue_entry entries[], size_t count,
                          queue_results_fn *done, void *context)
{
    struct sqs_call *call = sqs_call_new(queue, "SendMessageBatch", context);
    call->done.results = done;
    call->for_dead_letters = true;
    send_entries(call, entries, count);
}

/* --- receipts --- */

void sqs_delete(struct queue *queue, const char *const receipts[], size_t count,
                queue_results_fn *done, void *context)
{
    struct sqs_call *call = sqs_call_new(queue, "DeleteMessageBatch", context);
    struct error refusal = {0};
    call->done.results = done;
    if (!queue_check_count(count, &refusal)) {
        settle_refused(call, &refusal);
        return;
    }
    begin_entries(call, count);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *entry = numbered(i);
        set_text(entry, "ReceiptHandle", receipts[i]);
        (void)json_array_append_new(list, entry);
    }
    ask(call, list);
}

void sqs_change_visibility(struct queue *queue, const struct queue_visibility changes[],
                           size_t count, queue_results_fn *done, void *context)
{
    struct sqs_call *call = sqs_call_new(queue, "ChangeMessageVisibilityBatch", context);
    struct error refusal = {0};
    call->done.results = done;
    if (!queue_check_count(count, &refusal)) {
        settle_refused(call, &refusal);
        return;
    }
    begin_entries(call, count);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        error_clear(&refusal);
        if (!queue_check_visibility(changes[i].visibility_s, &refusal)) {
            error_clear(&call->refusals[i]);
            refuse(call, i, refusal.kind, refusal.text);
            continue;
        }
        json_t *entry = numbered(i);
        set_text(entry, "ReceiptHandle", changes[i].receipt);
        (void)json_object_set_new(entry, "VisibilityTimeout",
                                  json_integer(changes[i].visibility_s));
        (void)json_array_append_new(list, entry);
    }
    ask(call, list);
}
