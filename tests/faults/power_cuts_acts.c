/* The acts of the store subjects: each a letter, what it asks a booking to become, and the shipped
 * function that does it on either side. */
#include <stdio.h>
#include <string.h>

#include "consumer.h"
#include "decision.h"
#include "intake.h"
#include "intake_store.h"
#include "power_cuts_work.h"

static const char PROVIDER[] = "provider-1";

struct act {
    char letter;
    enum booking_status to; /* BOOKING_ABSENT: it is not about a booking's status */
    bool (*apply[STORE_KINDS])(struct task *task, struct db *db, struct error *error);
};

static void name_slot(const struct task *task, char out[ID_SIZE])
{
    (void)snprintf(out, ID_SIZE, "slot-%zu", task->which);
}

static int64_t start_of(const struct task *task)
{
    return task->work->bench->now_ms / 1000 + 86400 + (int64_t)task->which * 1800;
}

static bool nothing(struct task *task, struct db *db, struct error *error)
{
    (void)task;
    (void)db;
    (void)error;
    return true;
}

static bool add_slot(struct task *task, struct db *db, struct error *error)
{
    struct slot slot = {.start_s = start_of(task), .end_s = start_of(task) + 1800};
    bool added = false;
    name_slot(task, slot.id);
    id_copy(slot.provider_id, PROVIDER);
    return slot_add(db, &slot, &added, error);
}

static bool book(struct task *task, struct db *db, struct error *error)
{
    char slot_id[ID_SIZE];
    struct booking booking = {0};
    name_slot(task, slot_id);
    const struct booking_order order = {.slot_id = slot_id,
                                        .user_id = "user-1",
                                        .world = &task->work->bench->world,
                                        .now_ms = task->work->bench->now_ms};
    if (!intake_book(db, &order, &booking, error))
        return false;
    id_copy(task->booking_id, booking.id);
    return true;
}

static bool cancel(struct task *task, struct db *db, struct error *error)
{
    struct booking booking = {0};
    const struct booking_cancel asked = {.booking_id = task->booking_id,
                                         .reason = "no longer needed",
                                         .world = &task->work->bench->world,
                                         .now_ms = task->work->bench->now_ms};
    return intake_cancel(db, &asked, &booking, error);
}

static void event_of(const struct task *task, enum event_type type, struct event *event)
{
    *event = (struct event){.type = type, .at_s = task->work->bench->now_ms / 1000};
    id_new(&task->work->bench->world, event->id);
    id_copy(event->booking.id, task->booking_id);
    id_copy(event->booking.user_id, "user-1");
    id_copy(event->booking.provider_id, PROVIDER);
    name_slot(task, event->booking.slot_id);
    event->booking.start_s = start_of(task);
    event->booking.end_s = start_of(task) + 1800;
}

static bool hear_answer(struct task *task, struct db *db, struct error *error)
{
    static const enum event_type TYPES[] = {[BOOKING_CONFIRMED] = EVENT_BOOKING_CONFIRMED,
                                            [BOOKING_REJECTED] = EVENT_BOOKING_REJECTED,
                                            [BOOKING_CANCELLED] = EVENT_BOOKING_CANCELLED};
    struct event event;
    enum consumer_effect effect = EFFECT_APPLIED;
    event_of(task, TYPES[task->act->to], &event);
    event.cancelled_by = ACTOR_PROVIDER;
    return intake_hear(NULL, db, &event, task->work->bench->now_ms, &effect, error);
}

static bool hear_request(struct task *task, struct db *db, struct error *error)
{
    const bool cancels = task->act->to == BOOKING_CANCELLED;
    struct event event;
    enum consumer_effect effect = EFFECT_APPLIED;
    event_of(task, cancels ? EVENT_BOOKING_CANCELLED : EVENT_BOOKING_CREATED, &event);
    event.cancelled_by = ACTOR_USER;
    return decision_hear(NULL, db, &event, task->work->bench->now_ms, &effect, error);
}

static bool decide(struct task *task, struct db *db, struct error *error)
{
    static const enum booking_command COMMANDS[] = {[BOOKING_CONFIRMED] = BOOKING_ACCEPT,
                                                    [BOOKING_REJECTED] = BOOKING_REJECT,
                                                    [BOOKING_CANCELLED] = BOOKING_WITHDRAW};
    struct decision_record record = {0};
    const struct decision decision = {.command = COMMANDS[task->act->to],
                                      .provider_id = PROVIDER,
                                      .booking_id = task->booking_id,
                                      .actor = "provider",
                                      .reason = "as the provider wishes",
                                      .world = &task->work->bench->world,
                                      .now_ms = task->work->bench->now_ms};
    return decision_make(db, &decision, &record, error);
}

static bool publish(struct task *task, struct db *db, struct error *error)
{
    return outbox_sent(db, &task->row, task->work->bench->now_ms, error);
}

static bool publish_fails(struct task *task, struct db *db, struct error *error)
{
    return outbox_failed(db, &task->row, "the queue is down", task->work->bench->now_ms, error);
}

/* Slot, book, cancel (user), yes, no, withdraw (provider), sent, failed to be sent. */
static const struct act ACTS[] = {
    {'A', BOOKING_ABSENT, {add_slot, nothing}},
    {'B', BOOKING_PENDING, {book, hear_request}},
    {'C', BOOKING_CANCELLED, {cancel, hear_request}},
    {'Y', BOOKING_CONFIRMED, {hear_answer, decide}},
    {'N', BOOKING_REJECTED, {hear_answer, decide}},
    {'X', BOOKING_CANCELLED, {hear_answer, decide}},
    {'S', BOOKING_ABSENT, {publish, publish}},
    {'F', BOOKING_ABSENT, {publish_fails, publish_fails}},
};

static bool load_row(struct task *task)
{
    size_t count = 0;
    struct error ignored = {0};
    return outbox_load(task->work->db, 0, &task->row, 1, &count, &ignored) && count == 1;
}

static const struct act *act_of(char letter)
{
    for (size_t i = 0; i < sizeof ACTS / sizeof ACTS[0]; i++)
        if (ACTS[i].letter == letter)
            return &ACTS[i];
    return NULL;
}

static struct promised_booking *promised(const struct task *task)
{
    struct promises *promises = task->work->promises;
    return promises && task->which < WORK_BOOKINGS ? &promises->bookings[task->which] : NULL;
}

bool task_prepare(struct task *task, struct work *work, char letter, size_t which)
{
    *task = (struct task){.work = work, .act = act_of(letter), .which = which};
    if (letter == 'S' || letter == 'F')
        return load_row(task);
    struct promised_booking *booking = promised(task);
    if (booking && task->act->to < BOOKING_STATUSES)
        booking->tried |= 1u << task->act->to;
    if (work->kind == STORE_DECISION)
        (void)snprintf(task->booking_id, sizeof task->booking_id, "booking-%zu", which);
    else if (booking)
        id_copy(task->booking_id, booking->id);
    return task->booking_id[0] || letter == 'A' || letter == 'B';
}

bool task_apply(struct task *task, struct db *db, struct error *error)
{
    return task->act->apply[task->work->kind](task, db, error);
}

void task_promise(const struct task *task)
{
    struct promises *promises = task->work->promises;
    struct promised_booking *booking = promised(task);
    if (booking && task->act->to < BOOKING_STATUSES) {
        id_copy(booking->id, task->booking_id);
        if (booking_moves_up(booking->status, task->act->to))
            booking->status = task->act->to;
    } else if (booking && task->act->letter == 'A') {
        promises->slots[task->which] = task->work->kind == STORE_INTAKE;
    } else if (promises && task->act->letter == 'S' && promises->sent_count < WORK_SENT) {
        id_copy(promises->sent[promises->sent_count++], task->row.event_id);
    }
}

void task_release(struct task *task)
{
    outbox_row_release(&task->row);
}
