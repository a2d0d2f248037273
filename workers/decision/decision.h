/* What the decision worker decides: the provider's commands, expiry, and what each event from
 * intake does. Pure rules over the store; no sockets, no clock of its own. Each function runs
 * inside a transaction of the writer: state, audit row and outgoing event are one commit. */
#ifndef BOOKFLOW_DECISION_H
#define BOOKFLOW_DECISION_H

#include <stdint.h>

#include "booking.h"
#include "consumer.h"
#include "db.h"
#include "decision_store.h"
#include "event.h"
#include "world.h"

/* Of a booking that is not there, or another provider's: the two must read the same. */
#define DECISION_ABSENT "Booking not found or does not belong to this provider"

struct decision {
    enum booking_command command; /* BOOKING_ACCEPT, BOOKING_REJECT or BOOKING_WITHDRAW */
    const char *provider_id;
    const char *booking_id;
    const char *actor;  /* who decides, as others will read it */
    const char *reason; /* NULL = none */
    const struct world *world;
    int64_t now_ms;
};

/* Decides, once: by compare-and-set on the booking's status. *record is the booking as it is then.
 * ERROR_NOT_FOUND: absent, or another provider's (the two read the same). ERROR_CONFLICT: the
 * status does not allow it, or its slot has started (then *record is filled in). */
MUST_CHECK bool decision_make(struct db *db, const struct decision *decision,
                              struct decision_record *record, struct error *error);

/* The provider's own booking, or ERROR_NOT_FOUND. */
MUST_CHECK bool decision_of_provider(struct db *db, const char *provider_id, const char *booking_id,
                                     struct decision_record *record, struct error *error);

enum { DECISION_EXPIRY_BATCH = 100 };

/* True on *due when decision_expire() has something to do; for the loop's read-only connection. */
MUST_CHECK bool decision_expiry_due(struct db *db, int64_t now_ms, bool *due, struct error *error);

/* Cancels, as the system and with reason "expired", up to DECISION_EXPIRY_BATCH pending bookings
 * whose slot has started, and says so on the confirmation queue: intake does the same by its own
 * clock, and two clocks that disagree still end in one state. */
MUST_CHECK bool decision_expire(struct db *db, const struct world *world, int64_t now_ms,
                                struct error *error);

/* A consumer_handle_fn; context is not used. A cancel before its create leaves a tombstone. A
 * message that names another provider than the booking's is dead-lettered. */
bool decision_hear(void *context, struct db *db, const struct event *event, int64_t now_ms,
                   enum consumer_effect *effect, struct error *error);

#endif
