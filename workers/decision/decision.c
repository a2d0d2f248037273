/* What the decision worker decides. */
#include "decision.h"

#include <stdio.h>
#include <string.h>

#include "audit.h"
#include "outbox.h"

/* One step of a booking's life on this side. The record holds the new status, actor and reason. */
struct step {
    struct decision_record *record;
    enum booking_status from;
    enum event_type type;
    const char *event_id; /* NULL = a new event, to be published */
    bool by_system;       /* otherwise by the provider; of a new event */
    const struct world *world;
    int64_t now_ms;
};

static bool publish(struct db *db, const struct step *step, char event_id[ID_SIZE],
                    struct error *error)
{
    struct event event = {.type = step->type, .at_s = step->now_ms / 1000};
    event.booking = step->record->booking;
    event.cancelled_by = step->by_system ? ACTOR_SYSTEM : ACTOR_PROVIDER;
    (void)snprintf(event.reason, sizeof event.reason, "%s", step->record->reason);
    id_new(step->world, event.id);
    id_copy(event_id, event.id);
    return outbox_add(db, &event, step->now_ms, error);
}

/* The trail and the outgoing event of a step whose row is already written. */
static bool record_step(struct db *db, const struct step *step, struct error *error)
{
    const struct decision_record *record = step->record;
    struct audit_entry entry = {
        .at_ms = step->now_ms, .from = step->from, .to = record->booking.status};
    if (step->event_id)
        id_copy(entry.event_id, step->event_id);
    else if (!publish(db, step, entry.event_id, error))
        return false;
    id_copy(entry.booking_id, record->booking.id);
    id_copy(entry.provider_id, record->booking.provider_id);
    (void)snprintf(entry.actor, sizeof entry.actor, "%s",
                   *record->decided_by ? record->decided_by : "user");
    (void)snprintf(entry.event, sizeof entry.event, "%s", event_type_name(step->type));
    (void)snprintf(entry.reason, sizeof entry.reason, "%s", record->reason);
    return audit_append(db, &entry, error);
}

static void note_who(struct decision_record *record, const char *actor, const char *reason,
                     int64_t now_ms)
{
    record->decided_s = now_ms / 1000;
    record->delivered = false;
    (void)snprintf(record->decided_by, sizeof record->decided_by, "%s", actor);
    (void)snprintf(record->reason, sizeof record->reason, "%s", reason);
}

static bool move(struct db *db, const struct step *step, struct error *error)
{
    return decision_move(db, step->record, step->from, error) && record_step(db, step, error);
}

static const struct {
    const char *verb;
    enum event_type type;
} commands[BOOKING_COMMANDS] = {
    [BOOKING_ACCEPT] = {"accept", EVENT_BOOKING_CONFIRMED},
    [BOOKING_REJECT] = {"reject", EVENT_BOOKING_REJECTED},
    [BOOKING_WITHDRAW] = {"cancel", EVENT_BOOKING_CANCELLED},
};

bool decision_of_provider(struct db *db, const char *provider_id, const char *booking_id,
                          struct decision_record *record, struct error *error)
{
    bool found = false;
    if (!decision_find(db, booking_id, record, &found, error))
        return false;
    if (!found || strcmp(record->booking.provider_id, provider_id) != 0)
        return error_set(error, ERROR_NOT_FOUND, DECISION_ABSENT);
    return true;
}

/* A booking that came before its slot started and was not decided by then is as good as cancelled:
 * the sweep has just not come by yet. One that came later is the provider's to decide. */
static bool has_expired(const struct decision_record *record, int64_t now_ms)
{
    return record->booking.status == BOOKING_PENDING &&
           record->received_s < record->booking.start_s && record->booking.start_s <= now_ms / 1000;
}

bool decision_make(struct db *db, const struct decision *decision, struct decision_record *record,
                   struct error *error)
{
    if (!decision_of_provider(db, decision->provider_id, decision->booking_id, record, error))
        return false;
    struct booking *booking = &record->booking;
    const struct step step = {
        .record = record,
        .from = booking->status,
        .type = commands[decision->command].type,
        .world = decision->world,
        .now_ms = decision->now_ms,
    };
    if (has_expired(record, decision->now_ms)) {
        booking->status = BOOKING_CANCELLED;
        note_who(record, "system", "expired", booking->start_s * 1000);
    }
    if (!booking_command_result(decision->command, booking->status, &booking->status))
        return error_set(error, ERROR_CONFLICT, "Cannot %s booking with status: %s",
                         commands[decision->command].verb, booking_status_name(booking->status));
    note_who(record, decision->actor, decision->reason ? decision->reason : "", decision->now_ms);
    return move(db, &step, error);
}

bool decision_expiry_due(struct db *db, int64_t now_ms, bool *due, struct error *error)
{
    char ids[1][ID_SIZE];
    size_t count = 0;
    if (!decision_due(db, now_ms / 1000, ids, 1, &count, error))
        return false;
    *due = count > 0;
    return true;
}

static bool expire_one(struct db *db, const char *id, const struct world *world, int64_t now_ms,
                       struct error *error)
{
    struct decision_record record = {0};
    bool found = false;
    if (!decision_find(db, id, &record, &found, error))
        return false;
    const struct step step = {
        .record = &record,
        .from = record.booking.status,
        .type = EVENT_BOOKING_CANCELLED,
        .by_system = true,
        .world = world,
        .now_ms = now_ms,
    };
    if (!found ||
        !booking_command_result(BOOKING_EXPIRE, record.booking.status, &record.booking.status))
        return true;
    note_who(&record, "system", "expired", now_ms);
    return move(db, &step, error);
}

bool decision_expire(struct db *db, const struct world *world, int64_t now_ms, struct error *error)
{
    char ids[DECISION_EXPIRY_BATCH][ID_SIZE];
    size_t count = 0;
    if (!decision_due(db, now_ms / 1000, ids, DECISION_EXPIRY_BATCH, &count, error))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!expire_one(db, ids[i], world, now_ms, error))
            return false;
    return true;
}

static struct step heard(struct decision_record *record, const struct event *event, int64_t now_ms)
{
    return (struct step){
        .record = record,
        .from = record->booking.status,
        .type = event->type,
        .event_id = event->id,
        .now_ms = now_ms,
    };
}

/* The first we hear of a booking: its create, or a cancel that was faster. */
static bool hear_first(struct db *db, const struct event *event, int64_t now_ms,
                       struct error *error)
{
    struct decision_record record = {.booking = event->booking, .received_s = now_ms / 1000};
    struct step step = heard(&record, event, now_ms);
    step.from = BOOKING_ABSENT;
    record.booking.status = event_status(event->type);
    (void)snprintf(record.user_name, sizeof record.user_name, "%s", event->user_name);
    if (event->type == EVENT_BOOKING_CANCELLED)
        note_who(&record, event_actor_name(event->cancelled_by, ACTOR_USER), event->reason, now_ms);
    return decision_add(db, &record, error) && record_step(db, &step, error);
}

/* The create of a tombstone: it fills in what is missing and reopens nothing. */
static bool hear_create_again(struct db *db, struct decision_record *record,
                              const struct event *event, int64_t now_ms,
                              enum consumer_effect *effect, struct error *error)
{
    if (record->booking.start_s != 0)
        return true;
    *effect = EFFECT_APPLIED;
    const struct step step = heard(record, event, now_ms);
    return decision_fill(db, &event->booking, event->user_name, error) &&
           record_step(db, &step, error);
}

static bool hear_cancel(struct db *db, struct decision_record *record, const struct event *event,
                        int64_t now_ms, enum consumer_effect *effect, struct error *error)
{
    const struct step step = heard(record, event, now_ms);
    if (!booking_moves_up(record->booking.status, BOOKING_CANCELLED))
        return true;
    *effect = EFFECT_APPLIED;
    record->booking.status = BOOKING_CANCELLED;
    note_who(record, event_actor_name(event->cancelled_by, ACTOR_USER), event->reason, now_ms);
    return move(db, &step, error);
}

bool decision_hear(void *context, struct db *db, const struct event *event, int64_t now_ms,
                   enum consumer_effect *effect, struct error *error)
{
    (void)context;
    struct decision_record record = {0};
    bool found = false;
    if (event->type != EVENT_BOOKING_CREATED && event->type != EVENT_BOOKING_CANCELLED)
        return error_set(error, ERROR_INVALID, "%s does not belong on this queue",
                         event_type_name(event->type));
    if (!decision_find(db, event->booking.id, &record, &found, error))
        return false;
    if (!found) {
        *effect = EFFECT_APPLIED;
        return hear_first(db, event, now_ms, error);
    }
    if (strcmp(record.booking.provider_id, event->booking.provider_id) != 0)
        return error_set(error, ERROR_INVALID, "%s of %s names another provider",
                         event_type_name(event->type), record.booking.id);
    *effect = EFFECT_DUPLICATE;
    return event->type == EVENT_BOOKING_CREATED
               ? hear_create_again(db, &record, event, now_ms, effect, error)
               : hear_cancel(db, &record, event, now_ms, effect, error);
}
