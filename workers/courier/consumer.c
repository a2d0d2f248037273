/* The consumer: polling, receiving and the step. What becomes of a message is in the files beside
 * it. Must not know which queue it speaks to, nor what an event means. */
#include "consumer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "consumer_message.h"

enum { EMPTY_POLL_MS = 100, TRACEPARENT_LENGTH = TRACEPARENT_SIZE - 1 };

struct consumer *consumer_new(const struct consumer_options *options)
{
    assert(options->visibility_s > 0 && options->permits > 0 && options->polls > 0);
    struct consumer *consumer = memory_new(1, sizeof *consumer);
    consumer->options = *options;
    id_new(options->world, consumer->owner);
    consumer->queue.since_ms = world_wall_ms(options->world);
    consumer->lease_due_ms = INT64_MAX;
    consumer->polls = memory_new(options->polls, sizeof *consumer->polls);
    for (size_t i = 0; i < options->polls; i++)
        consumer->polls[i].consumer = consumer;
    return consumer;
}

/* --- receiving --- */

/* It goes into the events that follow from this one, so it must look like one. */
static void take_traceparent(struct message *message)
{
    const char *traceparent = message->kept[KEPT_TRACEPARENT];
    if (traceparent && strlen(traceparent) == TRACEPARENT_LENGTH &&
        strspn(traceparent, "0123456789abcdef-") == TRACEPARENT_LENGTH)
        memcpy(message->event.traceparent, traceparent, TRACEPARENT_SIZE);
}

static void receive_one(struct consumer *consumer, const struct queue_message *from)
{
    consumer->state.received++;
    struct message *in_hand = lookup_find(&consumer->by_id, from->id);
    if (in_hand) {
        message_take_receipt(in_hand, from);
        return;
    }
    struct message *message = message_new(consumer, from);
    if (consumer->draining)
        message_give_back(message);
    else if (!event_from_json(message->body, message->body_length, &message->event,
                              &message->error))
        message_bury(message);
    else
        take_traceparent(message);
}

static void poll_done(void *context, const struct queue_message messages[], size_t count,
                      const struct error *failure)
{
    struct poll *poll = context;
    struct consumer *consumer = poll->consumer;
    const struct world *world = consumer->options.world;
    poll->open = false;
    consumer->polls_open--;
    consumer->reserved -= poll->maximum;
    consumer->state.caught_up = !failure && count < poll->maximum;
    if (failure) {
        outage_failed(&consumer->queue, world, failure->text);
        return;
    }
    outage_over(&consumer->queue, world);
    for (size_t i = 0; i < count; i++)
        receive_one(consumer, &messages[i]);
    /* A queue that does not wait must not make us spin. Only this poll pauses: a server may end all
     * that wait when one message comes. */
    if (count == 0 && consumer_now(consumer) - poll->begun_ms < EMPTY_POLL_MS)
        poll->due_ms = consumer_now(consumer) + EMPTY_POLL_MS;
}

/* --- polling --- */

static size_t permits_free(const struct consumer *consumer)
{
    const size_t taken = consumer->in_hand + consumer->reserved;
    return taken < consumer->options.permits ? consumer->options.permits - taken : 0;
}

/* While the queue is down one poll at a time asks whether it is back. */
static bool wants_poll(const struct consumer *consumer)
{
    const size_t most = consumer->queue.down ? 1 : consumer->options.polls;
    return !consumer->draining && consumer->polls_open < most && permits_free(consumer) > 0;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* When this one may begin. What cannot be written down is not worth receiving: the store counts as
 * well. */
static int64_t poll_due(const struct consumer *consumer, const struct poll *poll)
{
    return later(poll->due_ms, later(consumer->queue.until_ms, consumer->store.until_ms));
}

static int64_t next_poll_due(const struct consumer *consumer)
{
    int64_t due = INT64_MAX;
    for (size_t i = 0; i < consumer->options.polls; i++)
        if (!consumer->polls[i].open)
            due = earlier(due, poll_due(consumer, &consumer->polls[i]));
    return due;
}

static void poll_begin(struct consumer *consumer, struct poll *poll)
{
    const size_t permits = permits_free(consumer);
    poll->maximum = permits < QUEUE_BATCH ? permits : QUEUE_BATCH;
    poll->begun_ms = consumer_now(consumer);
    poll->open = true;
    consumer->polls_open++;
    consumer->reserved += poll->maximum;
    const struct queue_receive_options options = {
        .maximum = poll->maximum,
        .wait_s = consumer->options.wait_s,
        .visibility_s = consumer->options.visibility_s,
    };
    queue_receive(consumer->options.queue, &options, poll_done, poll);
}

static void poll_step(struct consumer *consumer)
{
    for (size_t i = 0; i < consumer->options.polls && wants_poll(consumer); i++) {
        struct poll *poll = &consumer->polls[i];
        if (!poll->open && consumer_now(consumer) >= poll_due(consumer, poll))
            poll_begin(consumer, poll);
    }
}

/* --- the step --- */

/* What is due already and still here waits for an answer, not for time. */
static int64_t stage_due(const struct consumer *consumer, enum stage stage)
{
    int64_t due = INT64_MAX;
    const struct message *message = consumer->stages[stage].first;
    for (; message; message = message->next)
        if (message->due_ms > consumer_now(consumer))
            due = earlier(due, message->due_ms);
    return due;
}

static bool waits_for_store(const struct consumer *consumer)
{
    return outage_waits(&consumer->store, consumer->options.world) &&
           stage_count(consumer, STAGE_ARRIVED) + stage_count(consumer, STAGE_SUSPECT) +
                   stage_count(consumer, STAGE_READY) + stage_count(consumer, STAGE_UNDO) +
                   stage_count(consumer, STAGE_FORGET) >
               0;
}

static int64_t next_due(const struct consumer *consumer)
{
    int64_t due = consumer->in_hand > 0 ? consumer->lease_due_ms : INT64_MAX;
    due = earlier(due, stage_due(consumer, STAGE_BURY));
    due = earlier(due, stage_due(consumer, STAGE_HIDE));
    due = earlier(due, stage_due(consumer, STAGE_DELETE));
    if (waits_for_store(consumer))
        due = earlier(due, consumer->store.until_ms);
    if (wants_poll(consumer))
        due = earlier(due, next_poll_due(consumer));
    if (due == INT64_MAX)
        return -1;
    return later(due - consumer_now(consumer), 0);
}

int64_t consumer_step(struct consumer *consumer)
{
    handle_step(consumer);
    bury_step(consumer);
    lease_step(consumer);
    poll_step(consumer);
    return next_due(consumer);
}

void consumer_drain(struct consumer *consumer)
{
    consumer->draining = true;
    queue_stop_waiting(consumer->options.queue);
}

bool consumer_idle(const struct consumer *consumer)
{
    return consumer->in_hand == 0 && consumer->polls_open == 0;
}

struct consumer_state consumer_state(const struct consumer *consumer)
{
    struct consumer_state state = consumer->state;
    state.caught_up = state.caught_up && consumer->in_hand == 0;
    state.queue_down = consumer->queue.down;
    state.since_ms = consumer->queue.since_ms;
    const char *reason = consumer->bury_reason;
    if (consumer->store.down)
        reason = consumer->store.reason;
    if (consumer->queue.down)
        reason = consumer->queue.reason;
    reason_copy(state.reason, reason);
    return state;
}

/* With the queue or the writer: an answer would come to freed memory. */
static bool stage_is_answered_later(enum stage stage)
{
    static const bool answered_later[STAGES] = {
        [STAGE_BEGINNING] = true, [STAGE_HANDLING] = true,   [STAGE_UNDOING] = true,
        [STAGE_BURYING] = true,   [STAGE_FORGETTING] = true, [STAGE_HIDING] = true,
        [STAGE_DELETING] = true,  [STAGE_GONE] = true,
    };
    return answered_later[stage];
}

void consumer_free(struct consumer *consumer)
{
    if (!consumer)
        return;
    assert(consumer->polls_open == 0);
    for (int stage = 0; stage < STAGES; stage++)
        while (consumer->stages[stage].first) {
            assert(!stage_is_answered_later((enum stage)stage));
            message_free(consumer->stages[stage].first);
        }
    free(consumer->polls);
    free(consumer);
}
