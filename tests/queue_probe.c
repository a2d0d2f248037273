/* Knows the queue's interface and nothing of any implementation. */
#include "queue_probe.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"

enum { TURNS_MAX = 2000, TURNS_QUIET = 8 };

struct queue *probe_open(struct probe *probe, const char *name)
{
    cr_assert_lt(probe->count, PROBE_QUEUES);
    struct queue *queue = probe->with->open(probe->with->context, name);
    cr_assert_not_null(queue);
    probe->queues[probe->count++] = queue;
    return queue;
}

void probe_close(struct probe *probe)
{
    while (probe->count > 0)
        queue_close(probe->queues[--probe->count]);
}

void probe_on_results(void *context, const struct queue_result results[], size_t count,
                      const struct error *failure)
{
    struct probe_results *out = context;
    out->calls++;
    out->failure = failure ? failure->kind : ERROR_NONE;
    out->count = failure ? 0 : count;
    for (size_t i = 0; i < out->count; i++) {
        out->kinds[i] = results[i].kind;
        (void)snprintf(out->ids[i], ID_SIZE, "%s", results[i].id);
        cr_assert_eq(results[i].kind == ERROR_NONE, !*results[i].reason, "entry %zu: '%s'", i,
                     results[i].reason);
    }
}

static int by_name(const void *a, const void *b)
{
    const struct queue_attribute *left = a, *right = b;
    return strcmp(left->name, right->name);
}

static char *join(const struct queue_attribute *attributes)
{
    struct queue_attribute sorted[QUEUE_ATTRIBUTES_MAX] = {0};
    struct buf text AUTO(buf_release) = {0};
    size_t count = 0;
    for (; attributes[count].name; count++)
        sorted[count] = attributes[count];
    qsort(sorted, count, sizeof(sorted[0]), by_name);
    for (size_t i = 0; i < count; i++)
        buf_printf(&text, "%s=%s;", sorted[i].name, sorted[i].value);
    return buf_take(&text);
}

void probe_on_messages(void *context, const struct queue_message messages[], size_t count,
                       const struct error *failure)
{
    struct probe_messages *out = context;
    out->calls++;
    out->failure = failure ? failure->kind : ERROR_NONE;
    out->count = failure ? 0 : count;
    for (size_t i = 0; i < out->count; i++) {
        const struct queue_message *message = &messages[i];
        cr_assert_eq(strlen(message->body), message->body_length);
        out->list[i] = (struct probe_message){.id = memory_text(message->id),
                                              .receipt = memory_text(message->receipt),
                                              .body = memory_text(message->body),
                                              .attributes = join(message->attributes),
                                              .receive_count = message->receive_count,
                                              .sent_ms = message->sent_ms};
    }
}

void probe_messages_release(struct probe_messages *messages)
{
    for (size_t i = 0; i < messages->count; i++) {
        free(messages->list[i].id);
        free(messages->list[i].receipt);
        free(messages->list[i].body);
        free(messages->list[i].attributes);
    }
    *messages = (struct probe_messages){0};
}

static void turn(struct probe *probe)
{
    for (size_t i = 0; i < probe->count; i++)
        (void)queue_step(probe->queues[i]);
    probe->with->turn(probe->with->context, probe->queues, probe->count);
}

void probe_until(struct probe *probe, const int *calls)
{
    for (int i = 0; i < TURNS_MAX && *calls == 0; i++)
        turn(probe);
    cr_assert_eq(*calls, 1, "the answer came %d times", *calls);
}

void probe_quiet(struct probe *probe)
{
    for (int i = 0; i < TURNS_QUIET; i++)
        turn(probe);
}

void probe_advance(struct probe *probe, int64_t ms)
{
    probe->with->advance(probe->with->context, ms);
}

void probe_send(struct probe *probe, struct queue *queue, const struct queue_entry entries[],
                size_t count, struct probe_results *results)
{
    *results = (struct probe_results){0};
    queue_send(queue, entries, count, probe_on_results, results);
    probe_until(probe, &results->calls);
}

void probe_send_text(struct probe *probe, struct queue *queue, const char *body)
{
    struct probe_results results;
    probe_send(probe, queue, &(struct queue_entry){.body = body}, 1, &results);
    cr_assert_eq(results.failure, ERROR_NONE);
    cr_assert_eq(results.kinds[0], ERROR_NONE);
}

void probe_receive(struct probe *probe, struct queue *queue, int64_t visibility_s,
                   struct probe_messages *messages)
{
    const struct queue_receive_options options = {.maximum = QUEUE_BATCH,
                                                  .visibility_s = visibility_s};
    probe_messages_release(messages);
    queue_receive(queue, &options, probe_on_messages, messages);
    probe_until(probe, &messages->calls);
    cr_assert_eq(messages->failure, ERROR_NONE);
}

enum error_kind probe_delete(struct probe *probe, struct queue *queue, const char *receipt)
{
    struct probe_results results = {0};
    queue_delete(queue, &receipt, 1, probe_on_results, &results);
    probe_until(probe, &results.calls);
    cr_assert_eq(results.failure, ERROR_NONE);
    return results.kinds[0];
}

enum error_kind probe_hide(struct probe *probe, struct queue *queue, const char *receipt,
                           int64_t visibility_s)
{
    const struct queue_visibility change = {receipt, visibility_s};
    struct probe_results results = {0};
    queue_change_visibility(queue, &change, 1, probe_on_results, &results);
    probe_until(probe, &results.calls);
    cr_assert_eq(results.failure, ERROR_NONE);
    return results.kinds[0];
}

struct probe_answer {
    int calls;
    struct queue_attributes attributes;
};

static void on_attributes(void *context, const struct queue_attributes *attributes,
                          const struct error *failure)
{
    struct probe_answer *answer = context;
    cr_assert_null(failure);
    answer->calls++;
    answer->attributes = *attributes;
}

struct queue_attributes probe_attributes(struct probe *probe, struct queue *queue)
{
    struct probe_answer answer = {0};
    queue_get_attributes(queue, on_attributes, &answer);
    probe_until(probe, &answer.calls);
    return answer.attributes;
}

void probe_poll(struct queue *queue, int64_t wait_s, struct probe_messages *messages)
{
    const struct queue_receive_options options = {
        .maximum = QUEUE_BATCH, .wait_s = wait_s, .visibility_s = CONTRACT_VISIBILITY_S};
    queue_receive(queue, &options, probe_on_messages, messages);
}

size_t probe_count(struct probe *probe, struct queue *queue, const char *body)
{
    struct probe_messages messages AUTO(probe_messages_release) = {0};
    probe_receive(probe, queue, CONTRACT_VISIBILITY_S, &messages);
    if (messages.count == 1 && body)
        cr_assert_str_eq(messages.list[0].body, body);
    return messages.count;
}
