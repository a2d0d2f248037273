/* The scripted queue. */
#include "fake_queue.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"

static char *copy(const char *text)
{
    return text ? memory_text(text) : NULL;
}

static struct fake_call *record(struct queue *queue, enum fake_kind kind, size_t count,
                                void *context)
{
    struct fake_queue *fake = (struct fake_queue *)queue; /* its first member */
    struct fake_call *call = memory_new(1, sizeof *call);
    call->kind = kind;
    call->open = true;
    call->count = count;
    call->context = context;
    fake->calls = memory_resize(fake->calls, fake->count + 1, sizeof(struct fake_call *));
    fake->calls[fake->count++] = call;
    return call;
}

static void record_entries(struct queue *queue, enum fake_kind kind,
                           const struct queue_entry entries[], size_t count, queue_results_fn *done,
                           void *context)
{
    cr_assert(count >= 1 && count <= QUEUE_BATCH, "a batch of %zu", count);
    struct fake_call *call = record(queue, kind, count, context);
    call->results_done = done;
    for (size_t i = 0; i < count; i++) {
        struct fake_item *item = &call->items[i];
        item->text = copy(entries[i].body);
        item->group_id = copy(entries[i].group_id);
        item->deduplication_id = copy(entries[i].deduplication_id);
        const struct queue_attribute *attributes = entries[i].attributes;
        for (size_t a = 0; attributes && attributes[a].name; a++) {
            cr_assert(a < QUEUE_ATTRIBUTES_MAX && attributes[a].value[0]);
            item->names[a] = copy(attributes[a].name);
            item->values[a] = copy(attributes[a].value);
        }
    }
}

static void fake_send(struct queue *queue, const struct queue_entry entries[], size_t count,
                      queue_results_fn *done, void *context)
{
    record_entries(queue, FAKE_SEND, entries, count, done, context);
}

static void fake_send_dead_letter(struct queue *queue, const struct queue_entry entries[],
                                  size_t count, queue_results_fn *done, void *context)
{
    record_entries(queue, FAKE_DEAD_LETTER, entries, count, done, context);
}

static void fake_receive(struct queue *queue, const struct queue_receive_options *options,
                         queue_messages_fn *done, void *context)
{
    struct fake_call *call = record(queue, FAKE_RECEIVE, 0, context);
    cr_assert(options->maximum >= 1 && options->maximum <= QUEUE_BATCH);
    call->receive = *options;
    call->messages_done = done;
}

static void fake_delete(struct queue *queue, const char *const receipts[], size_t count,
                        queue_results_fn *done, void *context)
{
    cr_assert(count >= 1 && count <= QUEUE_BATCH);
    struct fake_call *call = record(queue, FAKE_DELETE, count, context);
    call->results_done = done;
    for (size_t i = 0; i < count; i++)
        call->items[i].text = copy(receipts[i]);
}

static void fake_change_visibility(struct queue *queue, const struct queue_visibility changes[],
                                   size_t count, queue_results_fn *done, void *context)
{
    cr_assert(count >= 1 && count <= QUEUE_BATCH);
    struct fake_call *call = record(queue, FAKE_VISIBILITY, count, context);
    call->results_done = done;
    for (size_t i = 0; i < count; i++) {
        call->items[i].text = copy(changes[i].receipt);
        call->items[i].visibility_s = changes[i].visibility_s;
    }
}

static void fake_stop_waiting(struct queue *queue)
{
    ((struct fake_queue *)queue)->stopped_waiting = true; /* its first member */
}

static int64_t fake_step(struct queue *queue)
{
    (void)queue;
    return -1;
}

static void call_free(struct fake_call *call)
{
    for (size_t i = 0; i < QUEUE_BATCH; i++) {
        struct fake_item *item = &call->items[i];
        free(item->text);
        free(item->group_id);
        free(item->deduplication_id);
        for (size_t a = 0; a < QUEUE_ATTRIBUTES_MAX; a++) {
            free(item->names[a]);
            free(item->values[a]);
        }
    }
    free(call);
}

static void fake_close(struct queue *queue)
{
    struct fake_queue *fake = (struct fake_queue *)queue; /* its first member */
    for (size_t i = 0; i < fake->count; i++)
        if (fake->calls[i]->open)
            fake_fail(fake->calls[i], ERROR_UNAVAILABLE, "closed");
    for (size_t i = 0; i < fake->count; i++)
        call_free(fake->calls[i]);
    free(fake->calls);
    free(fake);
}

struct fake_queue *fake_queue_new(void)
{
    static const struct queue_ops ops = {
        .send = fake_send,
        .send_dead_letter = fake_send_dead_letter,
        .receive = fake_receive,
        .stop_waiting = fake_stop_waiting,
        .delete_batch = fake_delete,
        .change_visibility = fake_change_visibility,
        .step = fake_step,
        .close = fake_close,
    };
    struct fake_queue *fake = memory_new(1, sizeof *fake);
    fake->queue.ops = &ops;
    return fake;
}

static size_t count_calls(const struct fake_queue *fake, enum fake_kind kind, bool only_open)
{
    size_t count = 0;
    for (size_t i = 0; i < fake->count; i++)
        count += fake->calls[i]->kind == kind && (fake->calls[i]->open || !only_open);
    return count;
}

struct fake_call *fake_open(const struct fake_queue *fake, enum fake_kind kind)
{
    for (size_t i = 0; i < fake->count; i++)
        if (fake->calls[i]->kind == kind && fake->calls[i]->open)
            return fake->calls[i];
    return NULL;
}

size_t fake_open_count(const struct fake_queue *fake, enum fake_kind kind)
{
    return count_calls(fake, kind, true);
}

size_t fake_total(const struct fake_queue *fake, enum fake_kind kind)
{
    return count_calls(fake, kind, false);
}

const char *fake_attribute(const struct fake_item *item, const char *name)
{
    for (size_t a = 0; a < QUEUE_ATTRIBUTES_MAX && item->names[a]; a++)
        if (strcmp(item->names[a], name) == 0)
            return item->values[a];
    return "";
}

static void answer_mixed(struct fake_call *call, size_t odd, enum error_kind kind,
                         enum error_kind others)
{
    cr_assert(call && call->open && call->results_done, "no such call is open");
    struct queue_result results[QUEUE_BATCH];
    for (size_t i = 0; i < call->count; i++) {
        const enum error_kind of = i == odd ? kind : others;
        results[i] = (struct queue_result){of, of == ERROR_NONE ? "" : "scripted", "id"};
    }
    call->open = false;
    call->results_done(call->context, results, call->count, NULL);
}

void fake_answer(struct fake_call *call, enum error_kind kind)
{
    answer_mixed(call, 0, kind, kind);
}

void fake_answer_but(struct fake_call *call, size_t odd, enum error_kind kind)
{
    answer_mixed(call, odd, kind, ERROR_NONE);
}

void fake_fail(struct fake_call *call, enum error_kind kind, const char *text)
{
    cr_assert(call && call->open, "no such call is open");
    struct error failure = {0};
    (void)error_set(&failure, kind, "%s", text);
    call->open = false;
    if (call->results_done)
        call->results_done(call->context, NULL, 0, &failure);
    else
        call->messages_done(call->context, NULL, 0, &failure);
}

void fake_give(struct fake_call *call, const struct queue_message messages[], size_t count)
{
    cr_assert(call && call->open && call->messages_done, "no receive is open");
    cr_assert(count <= call->receive.maximum, "%zu messages for a receive of %zu", count,
              call->receive.maximum);
    call->open = false;
    call->messages_done(call->context, messages, count, NULL);
}
