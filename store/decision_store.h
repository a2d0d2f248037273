/* decision.db: the providers' bookings, as records. The rules are in workers/decision. */
#ifndef BOOKFLOW_DECISION_STORE_H
#define BOOKFLOW_DECISION_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "audit.h"
#include "booking.h"
#include "db.h"
#include "event.h"

const struct db_schema *decision_schema(void);

/* A booking as its provider sees it. */
struct decision_record {
    struct booking booking;
    char user_name[NAME_SIZE]; /* "" = unknown */
    int64_t received_s;
    int64_t decided_s; /* of the last change of status; 0 = none yet */
    char decided_by[ACTOR_SIZE];
    char reason[REASON_SIZE];
    bool delivered; /* decided, and no event of it is waiting in the outbox */
    int64_t rowid;  /* of the store; the cursor of the page it ends */
};

MUST_CHECK bool decision_add(struct db *db, const struct decision_record *record,
                             struct error *error);

/* The create of a tombstone has come: fills in times and name, leaves the status. */
MUST_CHECK bool decision_fill(struct db *db, const struct booking *booking, const char *user_name,
                              struct error *error);

MUST_CHECK bool decision_find(struct db *db, const char *id, struct decision_record *record,
                              bool *found, struct error *error);

/* Compare-and-set from `from` to record's status, with decided_s, decided_by and reason.
 * ERROR_CONFLICT when the status is no longer `from`. */
MUST_CHECK bool decision_move(struct db *db, const struct decision_record *record,
                              enum booking_status from, struct error *error);

struct decision_filter {
    const char *provider_id;
    enum booking_status status; /* BOOKING_ABSENT = any */
    int64_t from_s;             /* slot start >= from; 0 = any */
    int64_t to_s;               /* slot start < to; 0 = any */
    int64_t before;             /* rowids below this one; 0 = from the newest */
    size_t limit;
};
/* Newest first. The caller's array has room for one more than filter->limit: the one behind tells
 * whether the page is the last. *next is the `before` of the next page, 0 when there is none. */
MUST_CHECK bool decision_list(struct db *db, const struct decision_filter *filter,
                              struct decision_record records[], size_t *count, int64_t *next,
                              struct error *error);

/* The ids of pending bookings whose slot started at or before now_s, oldest first. */
MUST_CHECK bool decision_due(struct db *db, int64_t now_s, char ids[][ID_SIZE], size_t maximum,
                             size_t *count, struct error *error);

#endif
