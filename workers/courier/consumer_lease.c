/* The consumer's calls about receipts: deleting, hiding, renewing; in batches, every entry's answer
 * looked at. Must not know the writer. */
#include <stdlib.h>

#include "buf.h"
#include "consumer_message.h"

enum { RENEW_AHEAD_MS = 10000, RENEW_AGAIN_MS = 100 };

struct receipt_call;
struct receipt_work {
    enum stage from; /* not looked at for renewals, which go beside every stage */
    enum stage during;
    void (*send)(struct receipt_call *call);
    void (*answered)(struct receipt_call *call, struct message *message, enum error_kind kind);
};

struct receipt_call {
    const struct receipt_work *work;
    struct consumer *consumer;
    int64_t sent_ms;
    size_t count;
    struct message *messages[QUEUE_BATCH];
};

static void call_done(void *context, const struct queue_result results[], size_t count,
                      const struct error *failure)
{
    struct receipt_call *call AUTO(memory_release) = context;
    for (size_t i = 0; i < call->count; i++) {
        /* A call that failed as a whole says nothing about a receipt. */
        const bool answered = !failure && i < count;
        call->work->answered(call, call->messages[i],
                             answered ? results[i].kind : ERROR_UNAVAILABLE);
    }
}

static void send_delete(struct receipt_call *call)
{
    const char *receipts[QUEUE_BATCH];
    for (size_t i = 0; i < call->count; i++)
        receipts[i] = call->messages[i]->receipt;
    queue_delete(call->consumer->options.queue, receipts, call->count, call_done, call);
}

static void send_visibility(struct receipt_call *call)
{
    struct queue_visibility changes[QUEUE_BATCH];
    for (size_t i = 0; i < call->count; i++) {
        const struct message *message = call->messages[i];
        const int64_t visibility_s =
            message->renewing ? call->consumer->options.visibility_s : message->hide_s;
        changes[i] = (struct queue_visibility){message->receipt, visibility_s};
    }
    queue_change_visibility(call->consumer->options.queue, changes, call->count, call_done, call);
}

static void call_add(struct receipt_call **call, const struct receipt_work *work,
                     struct message *message)
{
    if (!*call) {
        *call = memory_new(1, sizeof **call);
        (*call)->work = work;
        (*call)->consumer = message->consumer;
        (*call)->sent_ms = consumer_now(message->consumer);
    }
    message->fresh_receipt = false;
    (*call)->messages[(*call)->count++] = message;
}

/* Sends the call when it is full, or in any case. */
static void call_send(struct receipt_call **call, bool in_any_case)
{
    if (!*call || (!in_any_case && (*call)->count < QUEUE_BATCH))
        return;
    struct receipt_call *full = *call;
    *call = NULL;
    full->work->send(full);
}

static bool receipt_is_gone(enum error_kind kind)
{
    return kind == ERROR_NOT_FOUND || kind == ERROR_INVALID;
}

/* --- deleting and hiding --- */

static void finish_answered(struct receipt_call *call, struct message *message,
                            enum error_kind kind)
{
    struct consumer *consumer = message->consumer;
    if (message->fresh_receipt) {
        /* The answer is about a receipt that was replaced meanwhile. */
        message_move(message, call->work->from);
        return;
    }
    if (kind == ERROR_NONE) {
        message_drop(message);
        return;
    }
    if (receipt_is_gone(kind))
        consumer->state.leases_lost++;
    if (receipt_is_gone(kind) || consumer_now(consumer) >= message->expires_ms) {
        message_drop(message); /* comes again; what was applied is then a duplicate */
        return;
    }
    message_try_later(message);
    message_move(message, call->work->from);
}

static const struct receipt_work DELETE = {STAGE_DELETE, STAGE_DELETING, send_delete,
                                           finish_answered};
static const struct receipt_work HIDE = {STAGE_HIDE, STAGE_HIDING, send_visibility,
                                         finish_answered};

/* A renewal that is still open could arrive after the change and undo it, so its answer is waited
 * for. */
static void flush(struct consumer *consumer, const struct receipt_work *work)
{
    const int64_t now = consumer_now(consumer);
    struct receipt_call *call = NULL;
    struct message *next = NULL;
    for (struct message *message = consumer->stages[work->from].first; message; message = next) {
        next = message->next;
        if (message->renewing || message->due_ms > now)
            continue;
        call_add(&call, work, message);
        message_move(message, work->during);
        call_send(&call, false);
    }
    call_send(&call, true);
}

/* --- leases --- */

static void schedule(struct message *message)
{
    struct consumer *consumer = message->consumer;
    const int64_t now = consumer_now(consumer);
    const int64_t remaining = message->expires_ms - now;
    const int64_t ahead = remaining / 2 < RENEW_AHEAD_MS ? remaining / 2 : RENEW_AHEAD_MS;
    const int64_t wait = remaining - ahead < RENEW_AGAIN_MS ? RENEW_AGAIN_MS : remaining - ahead;
    message->renew_ms = now + wait < message->expires_ms ? now + wait : message->expires_ms;
    if (message->renew_ms < consumer->lease_due_ms)
        consumer->lease_due_ms = message->renew_ms;
}

void lease_begin(struct message *message, int64_t from_ms)
{
    message->expires_ms = from_ms + message->consumer->options.visibility_s * 1000;
    schedule(message);
}

/* What has not begun is left to whoever receives it next; what is under way ends by itself. */
static void lease_lost(struct message *message)
{
    message->lost = true;
    message->consumer->state.leases_lost++;
    if (message->stage == STAGE_READY)
        message_move(message, STAGE_UNDO);
    else if (message->stage == STAGE_ARRIVED || message->stage == STAGE_SUSPECT ||
             message->stage == STAGE_BURY)
        message_drop(message);
}

static void renew_answered(struct receipt_call *call, struct message *message, enum error_kind kind)
{
    message->renewing = false;
    if (message->stage == STAGE_GONE) {
        message_free(message);
        return;
    }
    if (message->fresh_receipt || message->lost)
        return;
    if (kind == ERROR_NONE)
        lease_begin(message, call->sent_ms);
    else if (receipt_is_gone(kind) && message->stage < STAGE_HIDE)
        lease_lost(message);
    else
        schedule(message);
}

static const struct receipt_work RENEW = {STAGES, STAGES, send_visibility, renew_answered};

static void renew_one(struct message *message, struct receipt_call **call)
{
    struct consumer *consumer = message->consumer;
    const int64_t now = consumer_now(consumer);
    if (message->lost)
        return;
    if (now >= message->expires_ms) {
        lease_lost(message);
        return;
    }
    if (!message->renewing && message->renew_ms <= now) {
        message->renewing = true;
        call_add(call, &RENEW, message);
        call_send(call, false);
    }
    const int64_t due = message->renewing ? message->expires_ms : message->renew_ms;
    if (due < consumer->lease_due_ms)
        consumer->lease_due_ms = due;
}

static void renew_due(struct consumer *consumer)
{
    if (consumer_now(consumer) < consumer->lease_due_ms)
        return;
    consumer->lease_due_ms = INT64_MAX;
    struct receipt_call *call = NULL;
    struct message *next = NULL;
    for (int stage = 0; stage < STAGE_HIDE; stage++)
        for (struct message *message = consumer->stages[stage].first; message; message = next) {
            next = message->next;
            renew_one(message, &call);
        }
    call_send(&call, true);
}

void lease_step(struct consumer *consumer)
{
    flush(consumer, &DELETE);
    flush(consumer, &HIDE);
    renew_due(consumer);
}
