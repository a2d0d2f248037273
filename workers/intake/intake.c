/* What intake decides. */
#include "intake.h"

#include <stdio.h>
#include <string.h>

#include "audit.h"
#include "intake_store.h"
#include "notices.h"
#include "outbox.h"

/* One step of a booking's life: what moves, who moved it, and whether the other worker must hear.
 */
struct step {
    struct booking *booking; /* holds the new status */
    enum booking_status from;
    enum event_type type;
    enum event_actor actor;
    const char *reason;   /* "" = none */
    const char *event_id; /* NULL = a new event, to be published */
    const struct world *world;
    int64_t now_ms;
};

static void event_of(const struct step *step, struct event *event)
{
    *event = (struct event){.type = step->type, .at_s = step->now_ms / 1000};
    event->booking = *step->booking;
    event->cancelled_by = step->actor;
    (void)snprintf(event->reason, sizeof event->reason, "%s", step->reason);
    id_new(step->world, event->id);
}

static bool publish(struct db *db, const struct step *step, char event_id[ID_SIZE],
                    struct error *error)
{
    struct event event;
    event_of(step, &event);
    id_copy(event_id, event.id);
    if (step->type == EVENT_BOOKING_CREATED) {
        struct person user = {0};
        bool found = false;
        if (!person_find(db, PERSON_USER, step->booking->user_id, &user, &found, error))
            return false;
        if (found)
            (void)snprintf(event.user_name, sizeof event.user_name, "%s", user.name);
    }
    return outbox_add(db, &event, step->now_ms, error);
}

/* The trail, the outgoing event and the notices of a step whose row is already written. */
static bool record(struct db *db, const struct step *step, struct error *error)
{
    struct audit_entry entry = {
        .at_ms = step->now_ms, .from = step->from, .to = step->booking->status};
    if (step->event_id)
        id_copy(entry.event_id, step->event_id);
    else if (!publish(db, step, entry.event_id, error))
        return false;
    id_copy(entry.booking_id, step->booking->id);
    id_copy(entry.provider_id, step->booking->provider_id);
    (void)snprintf(entry.actor, sizeof entry.actor, "%s",
                   event_actor_name(step->actor, ACTOR_PROVIDER));
    (void)snprintf(entry.event, sizeof entry.event, "%s", event_type_name(step->type));
    (void)snprintf(entry.reason, sizeof entry.reason, "%s", step->reason);
    const struct notice_cause cause = {step->booking, entry.actor, step->reason, step->now_ms};
    return audit_append(db, &entry, error) && notices_add(db, &cause, error);
}

static bool move(struct db *db, const struct step *step, struct error *error)
{
    return intake_booking_move(db, step->booking->id, step->from, step->booking->status, error) &&
           record(db, step, error);
}

bool intake_book(struct db *db, const struct booking_order *order, struct booking *booking,
                 struct error *error)
{
    struct slot slot = {0};
    bool found = false;
    if (!slot_find(db, order->slot_id, &slot, &found, error))
        return false;
    if (!found)
        return error_set(error, ERROR_NOT_FOUND, "Slot not found");
    if (!order->allow_past && slot.start_s <= order->now_ms / 1000)
        return error_set(error, ERROR_CONFLICT, "Slot is in the past");
    if (!slot.available)
        return error_set(error, ERROR_CONFLICT, "Slot is already booked");
    *booking =
        (struct booking){.start_s = slot.start_s, .end_s = slot.end_s, .status = BOOKING_PENDING};
    id_new(order->world, booking->id);
    id_copy(booking->user_id, order->user_id);
    id_copy(booking->provider_id, slot.provider_id);
    id_copy(booking->slot_id, slot.id);
    const struct step step = {
        .booking = booking,
        .from = BOOKING_ABSENT,
        .type = EVENT_BOOKING_CREATED,
        .actor = ACTOR_USER,
        .reason = "",
        .world = order->world,
        .now_ms = order->now_ms,
    };
    return intake_booking_add(db, booking, slot.rowid, order->now_ms / 1000, error) &&
           record(db, &step, error);
}

bool intake_find(struct db *db, const char *id, struct booking *booking, struct error *error)
{
    bool found = false;
    if (!intake_booking_find(db, id, booking, &found, error))
        return false;
    return found || error_set(error, ERROR_NOT_FOUND, "Booking not found");
}

bool intake_cancel(struct db *db, const struct booking_cancel *cancel, struct booking *booking,
                   struct error *error)
{
    if (!intake_find(db, cancel->booking_id, booking, error))
        return false;
    const struct step step = {
        .booking = booking,
        .from = booking->status,
        .type = EVENT_BOOKING_CANCELLED,
        .actor = ACTOR_USER,
        .reason = cancel->reason ? cancel->reason : "",
        .world = cancel->world,
        .now_ms = cancel->now_ms,
    };
    if (!booking_command_result(BOOKING_CANCEL, booking->status, &booking->status))
        return error_set(error, ERROR_CONFLICT, "Cannot cancel booking with status: %s",
                         booking_status_name(booking->status));
    return move(db, &step, error);
}

bool intake_expiry_due(struct db *db, int64_t now_ms, bool *due, struct error *error)
{
    char ids[1][ID_SIZE];
    size_t count = 0;
    if (!intake_booking_due(db, now_ms / 1000 - INTAKE_EXPIRY_GRACE_S, ids, 1, &count, error))
        return false;
    *due = count > 0;
    return true;
}

static bool expire_one(struct db *db, const char *id, const struct world *world, int64_t now_ms,
                       struct error *error)
{
    struct booking booking = {0};
    if (!intake_find(db, id, &booking, error))
        return false;
    const struct step step = {
        .booking = &booking,
        .from = booking.status,
        .type = EVENT_BOOKING_CANCELLED,
        .actor = ACTOR_SYSTEM,
        .reason = "expired",
        .world = world,
        .now_ms = now_ms,
    };
    return !booking_command_result(BOOKING_EXPIRE, booking.status, &booking.status) ||
           move(db, &step, error);
}

bool intake_expire(struct db *db, const struct world *world, int64_t now_ms, struct error *error)
{
    char ids[INTAKE_EXPIRY_BATCH][ID_SIZE];
    size_t count = 0;
    if (!intake_booking_due(db, now_ms / 1000 - INTAKE_EXPIRY_GRACE_S, ids, INTAKE_EXPIRY_BATCH,
                            &count, error))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!expire_one(db, ids[i], world, now_ms, error))
            return false;
    return true;
}

bool intake_hear(void *context, struct db *db, const struct event *event, int64_t now_ms,
                 enum consumer_effect *effect, struct error *error)
{
    (void)context;
    struct booking booking = {0};
    if (event->type == EVENT_BOOKING_CREATED)
        return error_set(error, ERROR_INVALID, "BOOKING_CREATED does not belong on this queue");
    if (!intake_find(db, event->booking.id, &booking, error))
        return error_context(error, "%s of %s", event_type_name(event->type), event->booking.id);
    if (strcmp(booking.provider_id, event->booking.provider_id) != 0)
        return error_set(error, ERROR_INVALID, "%s of %s comes from another provider",
                         event_type_name(event->type), booking.id);
    const struct step step = {
        .booking = &booking,
        .from = booking.status,
        .type = event->type,
        .actor = event->cancelled_by,
        .reason = event->reason,
        .event_id = event->id,
        .now_ms = now_ms,
    };
    *effect = EFFECT_DUPLICATE;
    if (!booking_moves_up(booking.status, event_status(event->type)))
        return true;
    *effect = EFFECT_APPLIED;
    booking.status = event_status(event->type);
    return move(db, &step, error);
}
