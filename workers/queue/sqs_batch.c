/* The calls with entries: sending, deleting, changing visibility. Entries are numbered; an answer
 * names them in any order, or not at all. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "checks.h"
#include "json_fields.h"
#include "sqs.h"

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

static void add(struct sqs_call *call, const char *name, const char *text)
{
    buf_text_append(&call->body, ",\"");
    buf_text_append(&call->body, name);
    buf_text_append(&call->body, "\":");
    json_append_text(&call->body, text);
}

static void add_number(struct sqs_call *call, const char *name, int64_t value)
{
    buf_printf(&call->body, ",\"%s\":%" PRId64, name, value);
}

/* What the answer does not name stays unanswered. */
static void begin_entries(struct sqs_call *call, size_t count)
{
    call->count = count;
    call->answer = answer_results;
    buf_text_append(&call->body, "{\"Entries\":");
    for (size_t i = 0; i < count; i++)
        refuse(call, i, ERROR_UNAVAILABLE, "SQS did not answer for it");
}

static void begin_entry(struct sqs_call *call, size_t at)
{
    buf_printf(&call->body, "%c{\"Id\":\"%zu\"", call->asked ? ',' : '[', at);
    call->asked = true;
}

static void end_entry(struct sqs_call *call)
{
    buf_char(&call->body, '}');
}

static void ask(struct sqs_call *call)
{
    buf_char(&call->body, ']');
    if (call->asked)
        sqs_call_begin(call);
    else
        sqs_call_settle(call);
}

/* Wrong as a whole: too many, none, too large together. */
static void settle_refused(struct sqs_call *call, const struct error *refusal)
{
    call->answer = answer_results;
    call->failure = *refusal;
    sqs_call_settle(call);
}

/* One that is not even sent. */
static void refuse_here(struct sqs_call *call, size_t at, const struct error *refusal)
{
    error_clear(&call->refusals[at]);
    refuse(call, at, refusal->kind, refusal->text);
}

/* --- sending --- */

static void add_attributes(struct sqs_call *call, size_t at, const struct queue_entry *entry)
{
    struct md5_attribute list[QUEUE_ATTRIBUTES_MAX];
    size_t count = 0;
    for (const struct queue_attribute *each = entry->attributes; each && each->name; each++) {
        buf_text_append(&call->body, count == 0 ? ",\"MessageAttributes\":{" : ",");
        json_append_text(&call->body, each->name);
        buf_text_append(&call->body, ":{\"DataType\":\"String\"");
        add(call, "StringValue", each->value);
        buf_char(&call->body, '}');
        list[count++] =
            (struct md5_attribute){each->name, "String", each->value, strlen(each->value), false};
    }
    if (count > 0)
        buf_char(&call->body, '}');
    sqs_md5_attributes(list, count, call->attributes_md5[at]);
}

static void add_entry(struct sqs_call *call, size_t at, const struct queue_entry *entry)
{
    begin_entry(call, at);
    sqs_md5_text(entry->body, strlen(entry->body), call->body_md5[at]);
    add(call, "MessageBody", entry->body);
    if (entry->group_id)
        add(call, "MessageGroupId", entry->group_id);
    if (entry->deduplication_id && call->queue->fifo)
        add(call, "MessageDeduplicationId", entry->deduplication_id);
    if (entry->delay_s > 0)
        add_number(call, "DelaySeconds", entry->delay_s);
    add_attributes(call, at, entry);
    end_entry(call);
}

static void send_entries(struct sqs_call *call, const struct queue_entry entries[], size_t count)
{
    struct error refusal = {0};
    if (!queue_check_batch(entries, count, &refusal)) {
        settle_refused(call, &refusal);
        return;
    }
    begin_entries(call, count);
    for (size_t i = 0; i < count; i++) {
        error_clear(&refusal);
        if (queue_check_entry(&entries[i], &refusal))
            add_entry(call, i, &entries[i]);
        else
            refuse_here(call, i, &refusal);
    }
    ask(call);
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
    for (size_t i = 0; i < count; i++) {
        begin_entry(call, i);
        add(call, "ReceiptHandle", receipts[i]);
        end_entry(call);
    }
    ask(call);
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
    for (size_t i = 0; i < count; i++) {
        error_clear(&refusal);
        if (!queue_check_visibility(changes[i].visibility_s, &refusal)) {
            refuse_here(call, i, &refusal);
            continue;
        }
        begin_entry(call, i);
        add(call, "ReceiptHandle", changes[i].receipt);
        add_number(call, "VisibilityTimeout", changes[i].visibility_s);
        end_entry(call);
    }
    ask(call);
}
