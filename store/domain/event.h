/* The four events that cross the queues, and their JSON (one object; the order of keys is fixed).
 *
 *   BOOKING_CREATED    bookingId userId providerId slotId slotStart slotEnd eventType timestamp
 *   BOOKING_CANCELLED  bookingId userId providerId slotId cancelledAt reason eventType timestamp
 *   BOOKING_CONFIRMED  bookingId providerId acceptedAt eventType timestamp
 *   BOOKING_REJECTED   bookingId providerId rejectedAt reason eventType timestamp
 *
 * Behind those we add eventId, userName on CREATED when known, and cancelledBy ("user", "provider",
 * "system") on CANCELLED. Consumers ignore other keys. To
 * change a body: add a key behind the others, never rename, reorder or remove one. */
#ifndef BOOKFLOW_EVENT_H
#define BOOKFLOW_EVENT_H

#include <stddef.h>

#include "booking.h"
#include "buf.h"

enum event_type {
    EVENT_BOOKING_CREATED,
    EVENT_BOOKING_CANCELLED,
    EVENT_BOOKING_CONFIRMED,
    EVENT_BOOKING_REJECTED,
    EVENT_TYPES
};

/* In characters (code points) and in bytes with the NUL. */
enum { REASON_MAX = 200, REASON_SIZE = 4 * REASON_MAX + 1 };
enum { NAME_MAX_CHARACTERS = 200, NAME_SIZE = 4 * NAME_MAX_CHARACTERS + 1 };
enum { TRACEPARENT_SIZE = 56 };

/* Who cancelled. ACTOR_UNSAID in messages of other producers. */
enum event_actor { ACTOR_UNSAID, ACTOR_USER, ACTOR_PROVIDER, ACTOR_SYSTEM, EVENT_ACTORS };

struct event {
    enum event_type type;
    char id[ID_SIZE];                   /* eventId; stable over every retry */
    struct booking booking;             /* the fields that this type carries; others empty or 0 */
    int64_t at_s;                       /* timestamp, and acceptedAt, rejectedAt or cancelledAt */
    char reason[REASON_SIZE];           /* "" = none; written as null */
    enum event_actor cancelled_by;      /* of CANCELLED */
    char user_name[NAME_SIZE];          /* "" = unknown */
    char traceparent[TRACEPARENT_SIZE]; /* a message attribute, not in the body; "" = none */
};

const char *event_type_name(enum event_type type);
MUST_CHECK bool event_type_parse(const char *name, enum event_type *type);

/* "user", "provider", "system"; the fallback's name for ACTOR_UNSAID. */
const char *event_actor_name(enum event_actor actor, enum event_actor fallback);

/* The status that an event of this type says its booking has reached. */
enum booking_status event_status(enum event_type type);

void event_to_json(const struct event *event, struct buf *body);

/* Reads a body that anybody may have written. Without an eventId the id is the SHA-256 of the body
 * (64 hex digits). ERROR_INVALID says what is wrong: undecodable, of unknown type, a field missing
 * or out of range. A reason or name that is too long is out of range. */
MUST_CHECK bool event_from_json(const char *body, size_t length, struct event *event,
                                struct error *error);

#endif
