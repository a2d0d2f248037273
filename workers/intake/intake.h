/* What intake decides: booking, cancelling, expiring, and what each event from the decision worker
 * does. Pure rules over the store; no sockets, no clock of its own. Each function runs inside a
 * transaction of the writer: state, audit row and outgoing event are one commit. */
#ifndef BOOKFLOW_INTAKE_H
#define BOOKFLOW_INTAKE_H

#include <stdint.h>

#include "booking.h"
#include "consumer.h"
#include "db.h"
#include "event.h"
#include "worker.h"

struct booking_order {
    const char *slot_id;
    const char *user_id;
    const struct world *world; /* for the new ids */
    int64_t now_ms;
    bool allow_past; /* BOOKFLOW_ALLOW_PAST_SLOTS */
};

/* ERROR_NOT_FOUND "Slot not found"; ERROR_CONFLICT "Slot is in the past", "Slot is already booked".
 */
MUST_CHECK bool intake_book(struct db *db, const struct booking_order *order,
                            struct booking *booking, struct error *error);

/* The booking, or ERROR_NOT_FOUND. */
MUST_CHECK bool intake_find(struct db *db, const char *id, struct booking *booking,
                            struct error *error);

struct booking_cancel {
    const char *booking_id;
    const char *reason; /* NULL = none */
    const struct world *world;
    int64_t now_ms;
};

/* The user cancels. ERROR_NOT_FOUND; ERROR_CONFLICT (then *booking is filled in). */
MUST_CHECK bool intake_cancel(struct db *db, const struct booking_cancel *cancel,
                              struct booking *booking, struct error *error);

/* The decision worker expires a booking when its slot starts, and says so: only it knows what was
 * decided. Intake does the same so much later, for the case that the decision worker never heard of
 * the booking. An answer that is merely late must not lose to it. */
enum { INTAKE_EXPIRY_GRACE_S = 900, INTAKE_EXPIRY_BATCH = 100 };

/* True on *due when intake_expire() has something to do; for the loop's read-only connection. */
MUST_CHECK bool intake_expiry_due(struct db *db, int64_t now_ms, bool *due, struct error *error);

/* Cancels, as the system and with reason "expired", up to INTAKE_EXPIRY_BATCH pending bookings
 * whose slot has started. */
MUST_CHECK bool intake_expire(struct db *db, const struct world *world, int64_t now_ms,
                              struct error *error);

/* A consumer_handle_fn; context is not used. A booking this store does not know, and a provider
 * that is not the booking's, dead-letter the message. */
bool intake_hear(void *context, struct db *db, const struct event *event, int64_t now_ms,
                 enum consumer_effect *effect, struct error *error);

#endif
