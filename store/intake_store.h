/* intake.db: slots, bookings and the directory, as records. The rules are in workers/intake. */
#ifndef BOOKFLOW_INTAKE_STORE_H
#define BOOKFLOW_INTAKE_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "booking.h"
#include "db.h"
#include "event.h"

const struct db_schema *intake_schema(void);

struct slot {
    int64_t rowid;
    char id[ID_SIZE];
    char provider_id[ID_SIZE];
    int64_t start_s;
    int64_t end_s;
    bool available; /* no pending or confirmed booking holds it */
};

/* Adds a slot. *added is false when the very same one exists already; ERROR_CONFLICT when the id
 * exists with another provider or other times. */
MUST_CHECK bool slot_add(struct db *db, const struct slot *slot, bool *added, struct error *error);
MUST_CHECK bool slot_find(struct db *db, const char *id, struct slot *slot, bool *found,
                          struct error *error);
MUST_CHECK bool slot_delete(struct db *db, int64_t rowid, struct error *error);

struct slot_filter {
    const char *provider_id;
    int64_t from_s; /* start >= from */
    int64_t to_s;   /* start < to */
    bool only_available;
    int64_t after_start_s; /* paging: behind this slot of the page before; 0, 0 = from the top */
    int64_t after_rowid;
    size_t limit;
};
/* Ordered by start. The caller's array holds filter->limit slots. */
MUST_CHECK bool slot_list(struct db *db, const struct slot_filter *filter, struct slot slots[],
                          size_t *count, struct error *error);

/* Inserts a new booking. ERROR_CONFLICT: the slot has an active booking. */
MUST_CHECK bool intake_booking_add(struct db *db, const struct booking *booking, int64_t slot_rowid,
                                   int64_t now_s, struct error *error);
MUST_CHECK bool intake_booking_find(struct db *db, const char *id, struct booking *booking,
                                    bool *found, struct error *error);

/* Compare-and-set: fails with ERROR_CONFLICT when the status is no longer `from`. */
MUST_CHECK bool intake_booking_move(struct db *db, const char *id, enum booking_status from,
                                    enum booking_status to, struct error *error);

struct booking_filter {
    const char *user_id;        /* NULL = any */
    const char *provider_id;    /* NULL = any */
    enum booking_status status; /* BOOKING_ABSENT = any */
    int64_t before;             /* rowids below this one; 0 = from the newest */
    size_t limit;
};
/* Newest first. The caller's array has room for one more than filter->limit: the one behind tells
 * whether the page is the last. *next is the `before` of the next page, 0 when there is none.
 * Without a user only INTAKE_SCAN rows are looked at in one call, so that no request holds up the
 * loop: a page may then be short, or empty, and still have a next. */
enum { INTAKE_SCAN = 20000 };
MUST_CHECK bool intake_booking_list(struct db *db, const struct booking_filter *filter,
                                    struct booking bookings[], size_t *count, int64_t *next,
                                    struct error *error);

/* The ids of pending bookings whose slot started at or before now_s, oldest first. */
MUST_CHECK bool intake_booking_due(struct db *db, int64_t now_s, char ids[][ID_SIZE],
                                   size_t maximum, size_t *count, struct error *error);

/* The directory. */
struct person {
    char id[ID_SIZE];
    char name[NAME_SIZE];
    char email[NAME_SIZE]; /* "" = none */
    char phone[NAME_SIZE]; /* "" = none */
};
enum person_kind { PERSON_USER, PERSON_PROVIDER };

/* Creates or replaces; *created says which. */
MUST_CHECK bool person_put(struct db *db, enum person_kind kind, const struct person *person,
                           bool *created, struct error *error);
MUST_CHECK bool person_find(struct db *db, enum person_kind kind, const char *id,
                            struct person *person, bool *found, struct error *error);
MUST_CHECK bool person_delete(struct db *db, enum person_kind kind, const char *id, bool *found,
                              struct error *error);
/* By id, those behind `after` ("" = from the first). The caller's array holds page->limit people.
 */
struct person_page {
    enum person_kind kind;
    const char *after;
    size_t limit;
};
MUST_CHECK bool person_list(struct db *db, const struct person_page *page, struct person people[],
                            size_t *count, struct error *error);

#endif
