/* The consumer's work on the writer: noting attempts, running handlers, forgetting. What an
 * operation does runs on the writer's thread and touches only its own message. Must not call the
 * queue.
 *
 * An operation that fails as a whole is the store's failure, not the message's: the message goes
 * back to the stage it came from and is tried again, its lease renewed, no attempt counted. */
#include <stdlib.h>

#include "buf.h"
#include "consumer_message.h"

enum { CRASHES_MAX = 3 };

static void store_answered(struct consumer *consumer, const struct error *failure)
{
    if (failure)
        outage_failed(&consumer->store, consumer->options.world, failure->text);
    else
        outage_over(&consumer->store, consumer->options.world);
}

/* --- one message, one operation --- */

struct work {
    enum stage from;
    enum stage during;
    bool (*apply)(struct operation *self, struct db *db, struct error *error);
    void (*finished)(struct message *message);
};

static bool handle_apply(struct operation *self, struct db *db, struct error *error)
{
    struct message *message = (struct message *)self; /* its first member */
    const struct consumer_options *options = &message->consumer->options;
    error_clear(&message->error);
    if (!db_savepoint(db, error))
        return false;
    message->failed = !options->handle(options->context, db, &message->event, message->handled_ms,
                                       &message->effect, &message->error);
    if (message->failed)
        return db_savepoint_undo(db, error) && attempts_failed(db, message->id, error);
    return db_savepoint_keep(db, error) && attempts_done(db, message->id, error);
}

const int64_t HANDLING_BOUNDS_MS[HANDLING_BOUNDS] = {5,   10,   25,   50,   100,  250,
                                                     500, 1000, 2500, 5000, 10000};

static void note_handling(struct handling *handling, int64_t took_ms)
{
    size_t bound = 0;
    while (bound < HANDLING_BOUNDS && took_ms > HANDLING_BOUNDS_MS[bound])
        bound++;
    handling->within[bound]++;
    handling->total_ms += took_ms;
}

static void handle_succeeded(struct message *message)
{
    struct consumer_state *state = &message->consumer->state;
    note_handling(&state->handling, consumer_now(message->consumer) - message->received_ms);
    const bool applied = message->effect == EFFECT_APPLIED;
    *(applied ? &state->applied : &state->duplicates) += 1;
    message_tell(message, applied ? HEARD_APPLIED : HEARD_DUPLICATE);
    if (message->lost)
        message_drop(message); /* comes again, as a duplicate */
    else
        message_move(message, STAGE_DELETE);
}

static void handle_finished(struct message *message)
{
    struct consumer *consumer = message->consumer;
    message->begun = false;
    message->tries = 0;
    message->due_ms = 0;
    if (!message->failed) {
        handle_succeeded(message);
        return;
    }
    consumer->state.failed++;
    message_tell(message, HEARD_FAILED);
    const int64_t failures = message->before.failures + 1;
    message->attempts = failures + message->before.crashes;
    if (message->lost)
        message_drop(message);
    else if (!error_policy(message->error.kind)->retry ||
             failures >= consumer->options.max_attempts)
        message_bury(message);
    else
        message_hide(message, hide_after(consumer, failures));
}

static bool undo_apply(struct operation *self, struct db *db, struct error *error)
{
    return attempts_undo(db, ((struct message *)self)->id, error); /* its first member */
}

static void undo_finished(struct message *message)
{
    message->begun = false;
    if (message->lost)
        message_drop(message);
    else if (message->consumer->draining)
        message_give_back(message);
    else
        message_move(message, STAGE_ARRIVED); /* it was lost, and has come again since */
}

static bool forget_apply(struct operation *self, struct db *db, struct error *error)
{
    return attempts_done(db, ((struct message *)self)->id, error); /* its first member */
}

static void forget_finished(struct message *message)
{
    if (message->lost)
        message_drop(message);
    else
        message_move(message, STAGE_DELETE);
}

static const struct work HANDLE = {STAGE_READY, STAGE_HANDLING, handle_apply, handle_finished};
static const struct work UNDO = {STAGE_UNDO, STAGE_UNDOING, undo_apply, undo_finished};
static const struct work FORGET = {STAGE_FORGET, STAGE_FORGETTING, forget_apply, forget_finished};

static void work_done(struct operation *self, const struct error *failure)
{
    struct message *message = (struct message *)self; /* its first member */
    store_answered(message->consumer, failure);
    if (!failure)
        message->work->finished(message);
    else
        message_move(message,
                     message->lost && message->work == &HANDLE ? STAGE_UNDO : message->work->from);
}

static void submit_all(struct consumer *consumer, const struct work *work)
{
    struct message_list *waiting = &consumer->stages[work->from];
    while (waiting->first) {
        struct message *message = waiting->first;
        message->work = work;
        message->handled_ms = world_wall_ms(consumer->options.world);
        message->operation = (struct operation){.apply = work->apply, .done = work_done};
        message_move(message, work->during);
        writer_submit(consumer->options.writer, &message->operation);
    }
}

/* --- many messages, one operation: their attempts --- */

struct begin {
    struct operation operation;
    struct consumer *consumer;
    int64_t now_ms;
    bool alone; /* one suspect, and nothing else runs */
    size_t count;
    struct message *messages[];
};

static bool is_hopeless(const struct message *message)
{
    return message->before.crashes >= CRASHES_MAX ||
           message->before.failures >= message->consumer->options.max_attempts;
}

static bool begin_one(const struct begin *begin, struct message *message, struct db *db,
                      struct error *error)
{
    const char *owner = begin->consumer->owner;
    message->begun = false;
    if (!attempts_look(db, message->id, owner, &message->before, error))
        return false;
    if (is_hopeless(message) || (message->before.crashes > 0 && !begin->alone))
        return true;
    struct attempt looked_at = {0};
    message->begun = attempts_begin(db, message->id, owner, begin->now_ms, &looked_at, error);
    return message->begun;
}

static bool begin_apply(struct operation *self, struct db *db, struct error *error)
{
    const struct begin *begin = (const struct begin *)self; /* its first member */
    for (size_t i = 0; i < begin->count; i++)
        if (!begin_one(begin, begin->messages[i], db, error))
            return false;
    return true;
}

static void begin_hopeless(struct message *message)
{
    const struct attempt *before = &message->before;
    message->attempts = before->failures + before->crashes;
    error_clear(&message->error);
    if (before->crashes >= CRASHES_MAX)
        (void)error_set(&message->error, ERROR_INVALID, "crashed the worker %lld times",
                        (long long)before->crashes);
    else
        (void)error_set(&message->error, ERROR_INVALID, "failed %lld times",
                        (long long)before->failures);
    message_bury(message);
}

static void begin_finished(struct message *message)
{
    const bool draining = message->consumer->draining;
    if (message->begun)
        message_move(message, message->lost || draining ? STAGE_UNDO : STAGE_READY);
    else if (message->lost)
        message_drop(message);
    else if (draining)
        message_give_back(message);
    else if (is_hopeless(message))
        begin_hopeless(message);
    else
        message_move(message, STAGE_SUSPECT);
}

static void begin_failed(const struct begin *begin, struct message *message)
{
    message->begun = false;
    if (message->lost)
        message_drop(message);
    else
        message_move(message, begin->alone ? STAGE_SUSPECT : STAGE_ARRIVED);
}

static void begin_done(struct operation *self, const struct error *failure)
{
    struct begin *begin AUTO(memory_release) = (struct begin *)self; /* its first member */
    store_answered(begin->consumer, failure);
    for (size_t i = 0; i < begin->count; i++)
        if (failure)
            begin_failed(begin, begin->messages[i]);
        else
            begin_finished(begin->messages[i]);
}

/* Takes the first `count` messages of a stage. */
static void begin_submit(struct consumer *consumer, enum stage from, size_t count)
{
    struct begin *begin = memory_new(1, sizeof *begin + count * sizeof(struct message *));
    begin->operation = (struct operation){.apply = begin_apply, .done = begin_done};
    begin->consumer = consumer;
    begin->now_ms = world_wall_ms(consumer->options.world);
    begin->alone = from == STAGE_SUSPECT;
    begin->count = count;
    if (begin->alone)
        consumer->alone = consumer->stages[from].first;
    for (size_t i = 0; i < count; i++) {
        begin->messages[i] = consumer->stages[from].first;
        message_move(begin->messages[i], STAGE_BEGINNING);
    }
    writer_submit(consumer->options.writer, &begin->operation);
}

/* A message that has crashed a worker runs when nothing else does; while one waits for that,
 * nothing new begins. */
static void begin_what_may(struct consumer *consumer)
{
    const size_t suspects = stage_count(consumer, STAGE_SUSPECT);
    const size_t arrived = stage_count(consumer, STAGE_ARRIVED);
    if (consumer->alone)
        return;
    if (suspects > 0) {
        if (consumer_running(consumer) == 0)
            begin_submit(consumer, STAGE_SUSPECT, 1);
        return;
    }
    if (arrived > 0)
        begin_submit(consumer, STAGE_ARRIVED, arrived);
}

/* --- the step --- */

static void give_back_unhandled(struct consumer *consumer)
{
    while (consumer->stages[STAGE_READY].first)
        message_move(consumer->stages[STAGE_READY].first, STAGE_UNDO);
    while (consumer->stages[STAGE_ARRIVED].first)
        message_give_back(consumer->stages[STAGE_ARRIVED].first);
    while (consumer->stages[STAGE_SUSPECT].first)
        message_give_back(consumer->stages[STAGE_SUSPECT].first);
}

void handle_step(struct consumer *consumer)
{
    if (consumer->draining)
        give_back_unhandled(consumer);
    if (outage_waits(&consumer->store, consumer->options.world))
        return;
    submit_all(consumer, &FORGET);
    submit_all(consumer, &UNDO);
    submit_all(consumer, &HANDLE);
    begin_what_may(consumer);
}
