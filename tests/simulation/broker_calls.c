/* What becomes of a call: trouble on a bad day, its effect and its answer. Must not know how
 * messages are kept. */
#include <stdio.h>
#include <stdlib.h>

#include "broker_private.h"

enum { SLOW_MS = 3000, LATE_S = 60, AGAIN_MS = 60000, KEPT_BACK_MS = 2000, STALL_MS = 5000 };

/* --- on the way --- */

/* Fails as a whole, without effect. */
static const struct {
    enum broker_fault fault;
    enum error_kind kind;
    const char *text;
} refusals[] = {
    {FAULT_REFUSED, ERROR_UNAVAILABLE, "connection refused"},
    {FAULT_THROTTLED, ERROR_BUSY, "rate exceeded"},
    {FAULT_UNAUTHORISED, ERROR_UNAUTHORISED, "the security token is expired"},
    {FAULT_QUEUE_MISSING, ERROR_NOT_FOUND, "the queue does not exist"},
    {FAULT_TOO_LARGE, ERROR_TOO_LARGE, "the batch is too long"},
};

static bool meets_refusal(struct call *call)
{
    struct broker *broker = call->connection->broker;
    const enum broker_call kind = (enum broker_call)call->kind;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        if (refusals[i].fault == FAULT_TOO_LARGE && call->count < 2)
            continue;
        if (!fault_happens(broker, kind, refusals[i].fault))
            continue;
        (void)error_set(&call->failure, refusals[i].kind, "%s", refusals[i].text);
        call->effective = true;
        return true;
    }
    return false;
}

/* Who overtakes whom is left to chance: the request or only its answer is late. */
static void be_slow(struct call *call)
{
    struct broker *broker = call->connection->broker;
    const int64_t late = broker_between(broker, 1, SLOW_MS);
    if (!call->taken && broker_between(broker, 0, 1))
        call->effect_ms += late;
    else
        call->delay_ms = late;
}

static void be_stalled(struct call *call)
{
    const int64_t hidden_s =
        call->kind == BROKER_RECEIVE ? call->visibility_s : MAILBOX_VISIBILITY_S;
    call->delay_ms = hidden_s * 1000 + broker_between(call->connection->broker, 1, STALL_MS);
}

static void meet_trouble(struct call *call)
{
    static const enum broker_fault troubles[] = {FAULT_REPLY_LOST,  FAULT_SLOW,
                                                 FAULT_STALLED,     FAULT_PARTIAL,
                                                 FAULT_SHORT_REPLY, FAULT_PARTIAL_LIES};
    struct broker *broker = call->connection->broker;
    const enum broker_call kind = (enum broker_call)call->kind;
    for (size_t i = 0; i < sizeof troubles / sizeof troubles[0]; i++)
        if (call->fault == BROKER_FAULTS && fault_happens(broker, kind, troubles[i]))
            call->fault = troubles[i];
    if (call->fault == FAULT_SLOW)
        be_slow(call);
    if (call->fault == FAULT_STALLED)
        be_stalled(call);
}

void call_meet_fate(struct call *call)
{
    struct broker *broker = call->connection->broker;
    const int64_t now = broker_now(broker);
    call->effect_ms = now;
    call->answer_ms = now;
    broker_mark(broker, (uint64_t)now);
    broker_mark(broker, ((uint64_t)call->kind << 8) + call->count);
    if (call->failure.kind != ERROR_NONE)
        call->effective = true;
    else if (call->kind != CALL_ATTRIBUTES && !meets_refusal(call) && call->kind != BROKER_RECEIVE)
        meet_trouble(call);
}

/* --- the effects --- */

/* When a message that is sent or given back shows, beyond when it should. */
static int64_t kept_back_ms(struct broker *broker, enum broker_call kind)
{
    if (fault_happens(broker, kind, FAULT_LATE))
        return broker_between(broker, 1, LATE_S) * 1000;
    return fault_happens(broker, kind, FAULT_REORDER) ? broker_between(broker, 1, KEPT_BACK_MS) : 0;
}

static void send_one(struct call *call, struct item *item)
{
    const bool dead = call->kind == BROKER_DEAD_LETTER;
    struct mailbox *mailbox = call->connection->mailbox;
    struct mailbox *target = dead ? mailbox->dead_letter : mailbox;
    struct broker *broker = mailbox->broker;
    const enum broker_call kind = (enum broker_call)call->kind;
    const int64_t visible = broker_now(broker) + item->seconds * 1000 + kept_back_ms(broker, kind);
    broker->counts.sent++;
    (void)mailbox_add(target, item->content, visible);
    if (fault_happens(broker, kind, FAULT_DUPLICATE))
        (void)mailbox_add(target, item->content, visible + broker_between(broker, 0, AGAIN_MS));
}

static void receipt_gone(struct item *item)
{
    (void)error_set(&item->outcome, ERROR_NOT_FOUND,
                    "the receipt is outdated or its message no longer in flight");
}

/* The lease has ended early: somebody else may have the message. */
static bool loses_receipt(struct call *call, struct message *message)
{
    struct broker *broker = call->connection->broker;
    if (!message || !fault_happens(broker, (enum broker_call)call->kind, FAULT_RECEIPT_LOST))
        return false;
    message->receipt = 0;
    message->visible_ms = broker_now(broker);
    mailbox_wake(call->connection->mailbox);
    return true;
}

static void delete_one(struct call *call, struct item *item)
{
    struct mailbox *mailbox = call->connection->mailbox;
    struct broker *broker = mailbox->broker;
    struct message *message = mailbox_find(mailbox, item->receipt);
    if (!message)
        return;
    if (loses_receipt(call, message)) {
        receipt_gone(item);
        return;
    }
    if (fault_happens(broker, BROKER_DELETE, FAULT_DUPLICATE))
        (void)mailbox_add(mailbox, message->content,
                          broker_now(broker) + broker_between(broker, 0, AGAIN_MS));
    broker->counts.deleted++;
    broker_mark_text(broker, message->content->id);
    mailbox_remove(mailbox, message);
}

static void hide_one(struct call *call, struct item *item)
{
    struct mailbox *mailbox = call->connection->mailbox;
    struct broker *broker = mailbox->broker;
    struct message *message = mailbox_find(mailbox, item->receipt);
    if (!message || message->visible_ms <= broker_now(broker) || loses_receipt(call, message)) {
        receipt_gone(item);
        return;
    }
    message->visible_ms =
        broker_now(broker) + item->seconds * 1000 + kept_back_ms(broker, BROKER_VISIBILITY);
    broker_mark_text(broker, message->content->id);
    broker_mark(broker, (uint64_t)message->visible_ms);
    mailbox_wake(mailbox);
}

static void fail_one(struct item *item)
{
    (void)error_set(&item->outcome, ERROR_UNAVAILABLE, "internal error, try again");
}

/* Some entries, one at least. */
static void pick(struct call *call, bool picked[QUEUE_BATCH])
{
    struct broker *broker = call->connection->broker;
    for (size_t i = 0; i < call->count; i++)
        picked[i] = broker_between(broker, 0, 1) == 1;
    picked[broker_between(broker, 0, (int64_t)call->count - 1)] = true;
}

static void (*const entry_effects[BROKER_CALLS])(struct call *call, struct item *item) = {
    [BROKER_SEND] = send_one,
    [BROKER_DEAD_LETTER] = send_one,
    [BROKER_DELETE] = delete_one,
    [BROKER_VISIBILITY] = hide_one,
};

static bool batch_effect(struct call *call)
{
    bool picked[QUEUE_BATCH] = {false};
    if (call->fault == FAULT_PARTIAL || call->fault == FAULT_PARTIAL_LIES)
        pick(call, picked);
    for (size_t i = 0; i < call->count; i++) {
        struct item *item = &call->items[i];
        if (item->outcome.kind == ERROR_NONE && !(picked[i] && call->fault == FAULT_PARTIAL))
            entry_effects[call->kind](call, item);
        if (picked[i])
            fail_one(item);
    }
    call->answered = call->count;
    if (call->fault == FAULT_SHORT_REPLY)
        call->answered =
            (size_t)broker_between(call->connection->broker, 0, (int64_t)call->count - 1);
    return true;
}

static bool is_over(const struct call *call)
{
    return call->stops != call->connection->stops ||
           broker_now(call->connection->broker) >= call->deadline_ms;
}

static void give(struct item *item, const struct message *message)
{
    item->content = content_share(message->content);
    item->receipt = message->receipt;
    item->receive_count = message->receive_count;
    (void)snprintf(item->receipt_text, sizeof item->receipt_text, "r-%llu",
                   (unsigned long long)message->receipt);
}

/* A long poll meets its trouble when its answer is on the way, not when it begins to wait. */
static bool receive_effect(struct call *call)
{
    struct mailbox *mailbox = call->connection->mailbox;
    struct message *taken[QUEUE_BATCH];
    if (mailbox_has_visible(mailbox) && fault_happens(mailbox->broker, BROKER_RECEIVE, FAULT_EMPTY))
        return true;
    call->count = mailbox_take(mailbox, call->maximum, call->visibility_s, taken);
    for (size_t i = 0; i < call->count; i++)
        give(&call->items[i], taken[i]);
    for (size_t i = 0; i < call->count; i++)
        mailbox_trouble(mailbox, taken[i]);
    call->answered = call->count;
    if (call->count == 0 && !is_over(call))
        return false;
    call->taken = true;
    meet_trouble(call);
    return true;
}

bool call_effect(struct call *call)
{
    if (call->kind == BROKER_RECEIVE)
        return receive_effect(call);
    if (call->kind != CALL_ATTRIBUTES)
        return batch_effect(call);
    mailbox_count(call->connection->mailbox, &call->attributes);
    return true;
}

void call_advance(struct call *call)
{
    const int64_t now = broker_now(call->connection->broker);
    if (call->effective || now < call->effect_ms || !call_effect(call))
        return;
    call->effective = true;
    call->answer_ms = now + call->delay_ms;
    if (call->fault == FAULT_REPLY_LOST)
        (void)error_set(&call->failure, ERROR_UNAVAILABLE, "connection reset");
}

int64_t call_due_ms(const struct call *call)
{
    const int64_t now = broker_now(call->connection->broker);
    if (call->effective)
        return call->answer_ms;
    if (call->effect_ms > now)
        return call->effect_ms;
    if (is_over(call))
        return now;
    const int64_t next = mailbox_next_ms(call->connection->mailbox);
    return next < call->deadline_ms ? next : call->deadline_ms;
}

/* --- the answers --- */

static void answer_results(const struct call *call, const struct error *failure)
{
    struct queue_result results[QUEUE_BATCH] = {0};
    for (size_t i = 0; i < call->answered; i++) {
        const struct item *item = &call->items[i];
        const char *id = item->content && item->outcome.kind == ERROR_NONE ? item->content->id : "";
        results[i] = (struct queue_result){item->outcome.kind, item->outcome.text, id};
    }
    call->on_results(call->context, results, failure ? 0 : call->answered, failure);
}

static void answer_messages(const struct call *call, const struct error *failure)
{
    struct queue_message messages[QUEUE_BATCH];
    const size_t count = failure ? 0 : call->answered;
    for (size_t i = 0; i < count; i++) {
        const struct item *item = &call->items[i];
        messages[i] = (struct queue_message){.id = item->content->id,
                                             .receipt = item->receipt_text,
                                             .body = item->content->body,
                                             .body_length = item->content->length,
                                             .attributes = item->content->attributes,
                                             .receive_count = item->receive_count,
                                             .sent_ms = item->content->sent_ms};
    }
    call->on_messages(call->context, messages, count, failure);
}

void call_answer(struct call *call)
{
    const struct error *failure = call->failure.kind == ERROR_NONE ? NULL : &call->failure;
    if (call->on_results)
        answer_results(call, failure);
    else if (call->on_messages)
        answer_messages(call, failure);
    else
        call->on_attributes(call->context, failure ? NULL : &call->attributes, failure);
    for (size_t i = 0; i < QUEUE_BATCH; i++)
        content_drop(call->items[i].content);
    free(call);
}

void call_abandon(struct call *call)
{
    if (!call->effective && call->failure.kind == ERROR_NONE &&
        broker_between(call->connection->broker, 0, 1))
        (void)call_effect(call);
    call->failure = (struct error){.kind = ERROR_UNAVAILABLE, .text = "the queue is closed"};
    call_answer(call);
}
