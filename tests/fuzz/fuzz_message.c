/* A message with its attributes, from the queue through the shipped consumer and the rules of both
 * workers. Whatever it is, exactly one thing becomes of it: it is applied or known and then
 * deleted, buried with a reason that the dead-letter queue takes and then deleted, or hidden to
 * come again.
 *
 * An input is attribute lines "Name: value", an empty line, and the body. */
#include <stdlib.h>
#include <string.h>

#include "checks.h"
#include "consumer.h"
#include "decision.h"
#include "fuzz_store.h"
#include "intake.h"
#include "queue.h"

/* A queue of one message, which it gives once. Answers are kept until they are asked for: no queue
 * answers inside the call. */
struct one {
    struct queue queue;
    struct queue_message message;
    bool given;
    queue_messages_fn *receive_done;
    void *receive_context;
    queue_results_fn *done;
    void *context;
    size_t buried, deleted, hidden;
};

static struct one *of(struct queue *queue)
{
    return (struct one *)queue; /* its first member */
}

static void later(struct queue *queue, queue_results_fn *done, void *context)
{
    FUZZ_CHECK(!of(queue)->done, "two calls for one message");
    of(queue)->done = done;
    of(queue)->context = context;
}

static void send(struct queue *queue, const struct queue_entry entries[], size_t count,
                 queue_results_fn *done, void *context)
{
    (void)queue, (void)entries, (void)count, (void)done, (void)context;
    FUZZ_CHECK(false, "a consumer sends nothing");
}

static void bury(struct queue *queue, const struct queue_entry entries[], size_t count,
                 queue_results_fn *done, void *context)
{
    struct error error = {0};
    FUZZ_CHECK(count == 1 && queue_check_batch(entries, count, &error) &&
                   queue_check_entry(&entries[0], &error),
               "the dead-letter queue refuses it: %s", error.text);
    FUZZ_CHECK(strcmp(entries[0].body, of(queue)->message.body) == 0, "another body is buried");
    FUZZ_CHECK(strcmp(entries[0].attributes[0].name, "DeadLetterReason") == 0, "without a reason");
    of(queue)->buried++;
    later(queue, done, context);
}

static void receive(struct queue *queue, const struct queue_receive_options *options,
                    queue_messages_fn *done, void *context)
{
    (void)options;
    of(queue)->receive_done = done;
    of(queue)->receive_context = context;
}

static void stop_waiting(struct queue *queue)
{
    (void)queue; /* every step answers the poll */
}

static void delete_batch(struct queue *queue, const char *const receipts[], size_t count,
                         queue_results_fn *done, void *context)
{
    FUZZ_CHECK(count == 1 && strcmp(receipts[0], of(queue)->message.receipt) == 0, "a receipt");
    of(queue)->deleted++;
    later(queue, done, context);
}

static void change_visibility(struct queue *queue, const struct queue_visibility changes[],
                              size_t count, queue_results_fn *done, void *context)
{
    struct error error = {0};
    FUZZ_CHECK(count == 1 && queue_check_visibility(changes[0].visibility_s, &error), "%s",
               error.text);
    of(queue)->hidden++;
    later(queue, done, context);
}

static int64_t step(struct queue *queue)
{
    struct one *one = of(queue);
    queue_results_fn *done = one->done;
    queue_messages_fn *receive_done = one->receive_done;
    one->done = NULL;
    one->receive_done = NULL;
    if (done)
        done(one->context, &(struct queue_result){.reason = "", .id = "copy"}, 1, NULL);
    if (receive_done)
        receive_done(one->receive_context, &one->message, one->given ? 0 : 1, NULL);
    one->given = one->given || receive_done;
    return -1;
}

static const struct queue_ops OPS = {
    .send = send,
    .send_dead_letter = bury,
    .receive = receive,
    .stop_waiting = stop_waiting,
    .delete_batch = delete_batch,
    .change_visibility = change_visibility,
    .step = step,
};

/* --- the consumer --- */

enum { STEPS_MAX = 64 };

static void settle(struct consumer *consumer, struct one *one, struct writer *writer)
{
    consumer_drain(consumer);
    for (int i = 0; i < STEPS_MAX && !consumer_idle(consumer); i++) {
        (void)consumer_step(consumer);
        (void)fuzz_writer_run(writer);
        (void)queue_step(&one->queue);
    }
    FUZZ_CHECK(consumer_idle(consumer), "the message is never done with");
}

static void one_thing_became_of_it(const struct consumer *consumer, const struct one *one)
{
    const struct consumer_state state = consumer_state(consumer);
    const size_t handled = (size_t)(state.applied + state.duplicates);
    FUZZ_CHECK(state.received == 1, "received %lld", (long long)state.received);
    FUZZ_CHECK(handled + one->buried + one->hidden == 1, "%zu handled, %zu buried, %zu hidden",
               handled, one->buried, one->hidden);
    FUZZ_CHECK(one->deleted == handled + one->buried, "deleted %zu times", one->deleted);
    FUZZ_CHECK(one->buried == (size_t)state.dead_lettered, "the count of dead letters");
}

/* A few turns before the drain: what it gives back it has not handled. */
static void consume(struct fuzz_stores *stores, struct writer *writer, consumer_handle_fn *handle,
                    const struct queue_message *message)
{
    enum { TURNS = 8 };
    struct one one = {.queue = {.ops = &OPS}, .message = *message};
    const struct consumer_options options = {
        .writer = writer,
        .queue = &one.queue,
        .world = &stores->world,
        .source = "request",
        .handle = handle,
        .max_attempts = 3,
        .visibility_s = 30,
        .polls = 1,
        .permits = 10,
    };
    struct consumer *consumer = consumer_new(&options);
    for (int i = 0; i < TURNS; i++) {
        (void)consumer_step(consumer);
        (void)fuzz_writer_run(writer);
        (void)queue_step(&one.queue);
    }
    settle(consumer, &one, writer);
    one_thing_became_of_it(consumer, &one);
    consumer_free(consumer);
}

/* --- the input --- */

/* "Name: value" lines up to an empty one. Returns the body. */
static char *read_attributes(char *text, struct queue_attribute attributes[])
{
    size_t count = 0;
    for (char *line = NULL; (line = fuzz_line(&text)) && *line;) {
        char *colon = strstr(line, ": ");
        if (!colon || count == QUEUE_ATTRIBUTES_MAX)
            continue;
        *colon = '\0';
        attributes[count++] = (struct queue_attribute){line, colon + 2};
    }
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text AUTO(memory_release) = fuzz_text(data, size);
    struct queue_attribute attributes[QUEUE_ATTRIBUTES_MAX + 1] = {0};
    const char *body = read_attributes(text, attributes);
    struct error error = {0};
    /* No queue gives out what it would not have taken in. */
    if (!queue_check_entry(&(struct queue_entry){.body = body, .attributes = attributes}, &error))
        return 0;
    const struct queue_message message = {.id = "message",
                                          .receipt = "receipt",
                                          .body = body,
                                          .body_length = strlen(body),
                                          .attributes = attributes,
                                          .receive_count = 1};
    struct fuzz_stores *stores = fuzz_stores_begin();
    consume(stores, &stores->decision, decision_hear, &message);
    consume(stores, &stores->intake, intake_hear, &message);
    fuzz_stores_undo(stores);
    return 0;
}
