/* The records of decision.db: one statement or two per function, no rules. */
#include "decision_store.h"

#include <stdio.h>

#include "rows.h"
#include "schema.h"

enum { DECISION_APPLICATION_ID = 0x424b4632 }; /* "BKF2" */

const struct db_schema *decision_schema(void)
{
    static const struct db_migration migrations[] = {{{schema_shared_1, schema_decision_1}}};
    static const struct db_schema schema = {
        .application_id = DECISION_APPLICATION_ID,
        .migrations = migrations,
        .count = sizeof migrations / sizeof *migrations,
    };
    return &schema;
}

#define RECORD_COLUMNS                                                                             \
    "id, user_id, provider_id, slot_id, start_s, end_s, status, user_name, received_s,"            \
    " decided_s, decided_by, reason,"                                                              \
    " decided_s > 0 AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.booking_id = id), booking"

static void read_record(const struct db_rows *rows, void *element)
{
    struct decision_record *record = element;
    struct booking *booking = &record->booking;
    id_copy(booking->id, db_column_text(rows, 0));
    id_copy(booking->user_id, db_column_text(rows, 1));
    id_copy(booking->provider_id, db_column_text(rows, 2));
    id_copy(booking->slot_id, db_column_text(rows, 3));
    booking->start_s = db_column_int(rows, 4);
    booking->end_s = db_column_int(rows, 5);
    booking->status = (enum booking_status)db_column_int(rows, 6); /* the table checks its range */
    (void)snprintf(record->user_name, sizeof record->user_name, "%s", db_column_text(rows, 7));
    record->received_s = db_column_int(rows, 8);
    record->decided_s = db_column_int(rows, 9);
    (void)snprintf(record->decided_by, sizeof record->decided_by, "%s", db_column_text(rows, 10));
    (void)snprintf(record->reason, sizeof record->reason, "%s", db_column_text(rows, 11));
    record->delivered = db_column_int(rows, 12) != 0;
    record->rowid = db_column_int(rows, 13);
}

bool decision_add(struct db *db, const struct decision_record *record, struct error *error)
{
    const struct booking *booking = &record->booking;
    return db_run(
        db,
        "INSERT INTO bookings (id, user_id, provider_id, slot_id, start_s, end_s, status,"
        " user_name, received_s, decided_s, decided_by, reason)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        BIND(db_text(booking->id), db_text(booking->user_id), db_text(booking->provider_id),
             db_text(booking->slot_id), db_int(booking->start_s), db_int(booking->end_s),
             db_int(booking->status), db_text(record->user_name), db_int(record->received_s),
             db_int(record->decided_s), db_text(record->decided_by), db_text(record->reason)),
        error);
}

bool decision_fill(struct db *db, const struct booking *booking, const char *user_name,
                   struct error *error)
{
    return db_run(db,
                  "UPDATE bookings SET user_id = ?, user_name = ?, slot_id = ?, start_s = ?,"
                  " end_s = ? WHERE id = ? AND start_s = 0",
                  BIND(db_text(booking->user_id), db_text(user_name), db_text(booking->slot_id),
                       db_int(booking->start_s), db_int(booking->end_s), db_text(booking->id)),
                  error);
}

bool decision_find(struct db *db, const char *id, struct decision_record *record, bool *found,
                   struct error *error)
{
    const struct row_query query = {"SELECT " RECORD_COLUMNS " FROM bookings WHERE id = ?",
                                    BIND(db_text(id))};
    const struct row_target target = {read_record, record, sizeof *record};
    return rows_read_one(db, &query, &target, found, error);
}

bool decision_move(struct db *db, const struct decision_record *record, enum booking_status from,
                   struct error *error)
{
    if (!db_run(db,
                "UPDATE bookings SET status = ?, decided_s = ?, decided_by = ?, reason = ?"
                " WHERE id = ? AND status = ?",
                BIND(db_int(record->booking.status), db_int(record->decided_s),
                     db_text(record->decided_by), db_text(record->reason),
                     db_text(record->booking.id), db_int(from)),
                error))
        return false;
    if (db_changes(db) != 1)
        return error_set(error, ERROR_CONFLICT, "Booking is no longer %s",
                         booking_status_name(from));
    return true;
}

/* Each way to look has its index: by start for a stretch of time, by status for one status, by
 * provider for everything. A stretch is ordered by its rowids alone, before any row is read. */
static const char *list_sql(const struct decision_filter *filter)
{
    if (filter->from_s || filter->to_s)
        return "SELECT " RECORD_COLUMNS " FROM bookings WHERE booking IN"
               " (SELECT booking FROM bookings INDEXED BY bookings_by_start"
               " WHERE provider_id = ?1 AND start_s >= ?4 AND start_s < ?5"
               " AND (?3 < 0 OR status = ?3) AND booking < ?2 ORDER BY booking DESC LIMIT ?6)"
               " ORDER BY booking DESC";
    if (filter->status != BOOKING_ABSENT)
        return "SELECT " RECORD_COLUMNS " FROM bookings INDEXED BY bookings_by_status"
               " WHERE provider_id = ?1 AND status = ?3 AND booking < ?2"
               " AND ?4 <= ?5 ORDER BY booking DESC LIMIT ?6";
    return "SELECT " RECORD_COLUMNS " FROM bookings INDEXED BY bookings_by_provider"
           " WHERE provider_id = ?1 AND booking < ?2 AND ?3 < 0 AND ?4 <= ?5"
           " ORDER BY booking DESC LIMIT ?6";
}

bool decision_list(struct db *db, const struct decision_filter *filter,
                   struct decision_record records[], size_t *count, int64_t *next,
                   struct error *error)
{
    int64_t status = filter->status == BOOKING_ABSENT ? -1 : (int64_t)filter->status;
    const struct row_query query = {
        list_sql(filter),
        BIND(db_text(filter->provider_id), db_int(filter->before ? filter->before : INT64_MAX),
             db_int(status), db_int(filter->from_s),
             db_int(filter->to_s ? filter->to_s : INT64_MAX), db_int((int64_t)filter->limit + 1))};
    const struct row_target target = {read_record, records, sizeof *records};
    if (!rows_read_all(db, &query, &target, count, error))
        return false;
    *next = 0;
    if (*count > filter->limit) {
        *count = filter->limit;
        *next = records[*count - 1].rowid;
    }
    return true;
}

bool decision_due(struct db *db, int64_t now_s, char ids[][ID_SIZE], size_t maximum, size_t *count,
                  struct error *error)
{
    const struct row_query query = {
        "SELECT id FROM bookings WHERE status = 0 AND received_s < start_s AND start_s <= ?"
        " ORDER BY start_s LIMIT ?",
        BIND(db_int(now_s), db_int((int64_t)maximum))};
    const struct row_target target = {row_read_id, ids, sizeof *ids};
    return rows_read_all(db, &query, &target, count, error);
}
