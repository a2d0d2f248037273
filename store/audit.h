/* The audit trail: one row for every transition and every publish outcome, written in the
 * transaction it tells of, each carrying the SHA-256 of itself and its predecessor's hash. An
 * edited or removed row breaks the chain. It is also the decision worker's change log: sequence is
 * the id of the event stream.
 *
 * The hash covers, each as 8-byte big-endian length and bytes: previous hash, sequence, at_ms,
 * booking_id, provider_id, actor, from, to, event, reason, event_id (numbers in decimal). To add a
 * field, append it to that list in a migration that starts a new chain version; never reorder. */
#ifndef BOOKFLOW_AUDIT_H
#define BOOKFLOW_AUDIT_H

#include <stddef.h>
#include <stdint.h>

#include "booking.h"
#include "db.h"
#include "event.h"

enum { ACTOR_SIZE = ID_SIZE + 16, AUDIT_EVENT_SIZE = 32 };

struct audit_entry {
    int64_t sequence; /* given by audit_append() */
    int64_t at_ms;
    char booking_id[ID_SIZE];
    char provider_id[ID_SIZE];
    char actor[ACTOR_SIZE];   /* "user", "provider", a token's name, "system", "queue" */
    enum booking_status from; /* from == to: no transition (a publish outcome) */
    enum booking_status to;
    char event[AUDIT_EVENT_SIZE]; /* an event type; PUBLISHED, PUBLISH_FAILED, PUBLISH_PARKED;
                                   * NOTICE_SENT, NOTICE_FAILED, NOTICE_GIVEN_UP */
    char reason[REASON_SIZE];
    char event_id[ID_SIZE];
};

MUST_CHECK bool audit_append(struct db *db, struct audit_entry *entry, struct error *error);

/* Calls `visit` for each row of a booking, oldest first. */
typedef void audit_visit_fn(void *context, const struct audit_entry *entry);
MUST_CHECK bool audit_of_booking(struct db *db, const char *booking_id, audit_visit_fn *visit,
                                 void *context, struct error *error);

/* Rows of one provider, or of all, with a sequence above `after`, oldest first, at most `maximum`.
 */
struct audit_page {
    const char *provider_id; /* NULL = all */
    int64_t after;
    size_t maximum;
};
MUST_CHECK bool audit_read(struct db *db, const struct audit_page *page, audit_visit_fn *visit,
                           void *context, struct error *error);

/* The bookings of the store by status. Reads all of them. */
MUST_CHECK bool audit_census(struct db *db, int64_t census[static BOOKING_STATUSES],
                             struct error *error);

/* The highest sequence, 0 when empty. */
MUST_CHECK bool audit_last(struct db *db, int64_t *sequence, struct error *error);

/* Recomputes the whole chain: *broken_at is the first bad sequence, 0 when whole; *rows how many.
 */
MUST_CHECK bool audit_verify(struct db *db, int64_t *rows, int64_t *broken_at, struct error *error);

#endif
