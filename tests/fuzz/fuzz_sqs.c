/* What an SQS server answers, or something else in its place: each call ends once, with what was
 * asked for and nothing that acts on a terminal. The first byte says which call, the second whether
 * the answer is a 200. The service beneath is replaced at link time: an answer is its bytes. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "sqs.h"

enum { CALLS = 6, ENTRIES = 3 };

/* What the queue has asked, to be answered by hand. */
struct asked {
    service_done_fn *done;
    void *context;
};

struct world_of {
    struct asked asked; /* of the call that is open; service_begin() puts it there */
    size_t ended;
    bool refused; /* the call as a whole */
};

/* A service is nothing but the place where its call is kept. */
struct service {
    struct world_of *world;
};

struct service_call *__wrap_service_begin(struct service *service,
                                          const struct service_request *request,
                                          service_done_fn *done, void *context);
struct service_call *__wrap_service_begin(struct service *service,
                                          const struct service_request *request,
                                          service_done_fn *done, void *context)
{
    json_t *body = json_loads(request->body, JSON_REJECT_DUPLICATES, NULL);
    FUZZ_CHECK(json_is_object(body), "what is asked is no JSON: %s", request->body);
    json_decref(body);
    free(request->body);
    service->world->asked = (struct asked){done, context};
    return (struct service_call *)service; /* never looked into */
}

struct service_counts __wrap_service_counts(const struct service *service);
struct service_counts __wrap_service_counts(const struct service *service)
{
    (void)service;
    return (struct service_counts){0};
}

/* --- what comes back --- */

static void showable(const char *text)
{
    FUZZ_CHECK(fuzz_is_showable(text, strlen(text)), "a reason acts: %s", text);
}

static void end(struct world_of *world, const struct error *failure)
{
    world->ended++;
    world->refused = failure != NULL;
    if (failure)
        showable(failure->text);
}

static void on_results(void *context, const struct queue_result results[], size_t count,
                       const struct error *failure)
{
    end(context, failure);
    FUZZ_CHECK(count == (failure ? 0 : ENTRIES), "%zu results", count);
    for (size_t i = 0; i < count; i++) {
        showable(results[i].reason);
        FUZZ_CHECK((results[i].kind == ERROR_NONE) == (results[i].reason[0] == '\0'),
                   "result %zu says %d and '%s'", i, (int)results[i].kind, results[i].reason);
    }
}

static void on_messages(void *context, const struct queue_message messages[], size_t count,
                        const struct error *failure)
{
    end(context, failure);
    FUZZ_CHECK(count <= QUEUE_BATCH && (!failure || count == 0), "%zu messages", count);
    for (size_t i = 0; i < count; i++) {
        const struct queue_message *message = &messages[i];
        FUZZ_CHECK(*message->id && *message->receipt, "a message without id or receipt");
        FUZZ_CHECK(message->body[message->body_length] == '\0', "a body without an end");
        size_t attributes = 0;
        for (const struct queue_attribute *at = message->attributes; at && at->name; at++)
            attributes += strlen(at->name) + strlen(at->value) > 0;
        FUZZ_CHECK(attributes <= QUEUE_ATTRIBUTES_MAX, "%zu attributes", attributes);
    }
}

static void on_attributes(void *context, const struct queue_attributes *attributes,
                          const struct error *failure)
{
    end(context, failure);
    FUZZ_CHECK((attributes == NULL) == (failure != NULL), "attributes or a failure");
    if (attributes)
        FUZZ_CHECK(attributes->dead_letter_url && attributes->allowed, "texts are not NULL");
}

/* --- the calls --- */

static void send(struct queue *queue, struct world_of *world)
{
    static const struct queue_attribute attributes[] = {{"EventType", "a\"b"}, {NULL, NULL}};
    static const struct queue_entry entries[ENTRIES] = {
        {.body = "{\"a\":1}", .attributes = attributes}, {.body = "b\\\n"}, {.body = "c"}};
    sqs_send(queue, entries, ENTRIES, on_results, world);
}

static void send_dead_letter(struct queue *queue, struct world_of *world)
{
    static const struct queue_entry entries[ENTRIES] = {
        {.body = "a"}, {.body = "b"}, {.body = "c"}};
    sqs_send_dead_letter(queue, entries, ENTRIES, on_results, world);
}

static void delete_some(struct queue *queue, struct world_of *world)
{
    static const char *const receipts[ENTRIES] = {"r1", "r\"2", "r3"};
    sqs_delete(queue, receipts, ENTRIES, on_results, world);
}

static void change_visibility(struct queue *queue, struct world_of *world)
{
    static const struct queue_visibility changes[ENTRIES] = {{"r1", 0}, {"r2", 4}, {"r3", 43200}};
    sqs_change_visibility(queue, changes, ENTRIES, on_results, world);
}

static void receive(struct queue *queue, struct world_of *world)
{
    const struct queue_receive_options options = {.maximum = QUEUE_BATCH, .wait_s = 20};
    sqs_receive(queue, &options, on_messages, world);
}

static void ask_attributes(struct queue *queue, struct world_of *world)
{
    sqs_attributes(queue, on_attributes, world);
}

static void answer(struct world_of *world, int status, const char *text, size_t length)
{
    const struct asked asked = world->asked;
    json_t *object = status == 200 ? json_loadb(text, length, JSON_ALLOW_NUL, NULL) : NULL;
    struct failure failure = {0};
    world->asked = (struct asked){0};
    if (!json_is_object(object)) {
        failure_read(&failure, status, text, length);
        showable(failure.text);
    }
    asked.done(asked.context, json_is_object(object) ? object : NULL,
               json_is_object(object) ? NULL : &failure);
    json_decref(object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const calls[CALLS])(struct queue * queue, struct world_of * world) = {
        send, delete_some, change_visibility, receive, ask_attributes, send_dead_letter};
    static const int statuses[] = {200, 400, 403, 503};
    if (size < 2)
        return 0;
    struct world_of world = {.ended = 0};
    struct service service = {&world};
    struct fuzz_clock clock = {.ms = FUZZ_NOW_S * INT64_C(1000)};
    const struct world time = fuzz_world(&clock);
    struct sqs sqs = {.host = {.world = &time},
                      .service = &service,
                      .url = memory_text("https://sqs.eu-north-1.amazonaws.com/1/q"),
                      .fifo = (data[1] & 4) != 0};
    calls[data[0] % CALLS](&sqs.queue, &world);
    /* A dead letter asks who the dead-letter queue is before it goes there. Nothing else asks
     * twice, so this ends. */
    while (world.asked.done)
        answer(&world, statuses[data[1] % 4], (const char *)data + 2, size - 2);
    /* Answered without asking: held back, or refused here. */
    while (sqs.first) {
        struct sqs_call *call = sqs.first;
        FUZZ_CHECK(call->due, "a call that nobody will end");
        call->answer(call, NULL, call->failure.kind ? &call->failure : NULL);
        sqs.first = call->next;
        buf_release(&call->body);
        free(call);
    }
    FUZZ_CHECK(world.ended == 1, "ended %zu times", world.ended);
    free(sqs.url);
    free(sqs.dead_letter_url);
    return 0;
}
