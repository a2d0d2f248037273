/* The records of intake.db: one statement or two per function, no rules. */
#include "intake_store.h"

#include "rows.h"
#include "schema.h"

enum { INTAKE_APPLICATION_ID = 0x424b4631 }; /* "BKF1" */

const struct db_schema *intake_schema(void)
{
    static const struct db_migration migrations[] = {{{schema_shared_1, schema_intake_1}},
                                                     {{schema_intake_2}}};
    static const struct db_schema schema = {
        .application_id = INTAKE_APPLICATION_ID,
        .migrations = migrations,
        .count = sizeof migrations / sizeof *migrations,
    };
    return &schema;
}

#define BOOKING_COLUMNS "id, user_id, provider_id, slot_id, start_s, end_s, status"

static void read_booking(const struct db_rows *rows, void *element)
{
    struct booking *booking = element;
    id_copy(booking->id, db_column_text(rows, 0));
    id_copy(booking->user_id, db_column_text(rows, 1));
    id_copy(booking->provider_id, db_column_text(rows, 2));
    id_copy(booking->slot_id, db_column_text(rows, 3));
    booking->start_s = db_column_int(rows, 4);
    booking->end_s = db_column_int(rows, 5);
    booking->status = (enum booking_status)db_column_int(rows, 6); /* the table checks its range */
}

bool intake_booking_add(struct db *db, const struct booking *booking, int64_t slot_rowid,
                        int64_t now_s, struct error *error)
{
    return db_run(db,
                  "INSERT INTO bookings (id, user_id, provider_id, slot, slot_id, start_s, end_s,"
                  " status, created_s) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                  BIND(db_text(booking->id), db_text(booking->user_id),
                       db_text(booking->provider_id), db_int(slot_rowid), db_text(booking->slot_id),
                       db_int(booking->start_s), db_int(booking->end_s), db_int(booking->status),
                       db_int(now_s)),
                  error);
}

bool intake_booking_find(struct db *db, const char *id, struct booking *booking, bool *found,
                         struct error *error)
{
    const struct row_query query = {"SELECT " BOOKING_COLUMNS " FROM bookings WHERE id = ?",
                                    BIND(db_text(id))};
    const struct row_target target = {read_booking, booking, sizeof *booking};
    return rows_read_one(db, &query, &target, found, error);
}

bool intake_booking_move(struct db *db, const char *id, enum booking_status from,
                         enum booking_status to, struct error *error)
{
    if (!db_run(db, "UPDATE bookings SET status = ? WHERE id = ? AND status = ?",
                BIND(db_int(to), db_text(id), db_int(from)), error))
        return false;
    if (db_changes(db) != 1)
        return error_set(error, ERROR_CONFLICT, "Booking is no longer %s",
                         booking_status_name(from));
    return true;
}

/* The rowid of a booking is the cursor of the page that it ends. */
static bool rowid_of(struct db *db, const struct booking *booking, int64_t *rowid,
                     struct error *error)
{
    const struct row_query query = {"SELECT booking FROM bookings WHERE id = ?",
                                    BIND(db_text(booking->id))};
    const struct row_target target = {row_read_number, rowid, sizeof *rowid};
    bool found = false;
    return rows_read_one(db, &query, &target, &found, error);
}

/* Drops what was read beyond the limit; then there is a next page, behind the last that stays. */
static bool end_page(struct db *db, const struct booking_filter *filter,
                     const struct booking bookings[], size_t *count, int64_t *next,
                     struct error *error)
{
    if (*count <= filter->limit)
        return true;
    *count = filter->limit;
    return rowid_of(db, &bookings[*count - 1], next, error);
}

static bool list_of_user(struct db *db, const struct booking_filter *filter,
                         struct booking bookings[], size_t *count, int64_t *next,
                         struct error *error)
{
    const struct row_query query = {
        "SELECT " BOOKING_COLUMNS " FROM bookings WHERE user_id = ?1 AND booking < ?2"
        " AND (?3 OR status = ?4) AND (?5 IS NULL OR provider_id = ?5)"
        " ORDER BY booking DESC LIMIT ?6",
        BIND(db_text(filter->user_id), db_int(filter->before ? filter->before : INT64_MAX),
             db_int(filter->status == BOOKING_ABSENT), db_int(filter->status),
             db_text(filter->provider_id), db_int((int64_t)filter->limit + 1))};
    const struct row_target target = {read_booking, bookings, sizeof *bookings};
    *next = 0;
    if (!rows_read_all(db, &query, &target, count, error))
        return false;
    return end_page(db, filter, bookings, count, next, error);
}

static bool newest_rowid(struct db *db, int64_t *rowid, struct error *error)
{
    const struct row_query query = {"SELECT max(booking) FROM bookings", BIND_NOTHING};
    const struct row_target target = {row_read_number, rowid, sizeof *rowid};
    bool found = false;
    return rows_read_one(db, &query, &target, &found, error);
}

/* Bookings are never deleted, so rowids are dense and a stretch of them is a stretch of work. */
static bool list_by_scan(struct db *db, const struct booking_filter *filter,
                         struct booking bookings[], size_t *count, int64_t *next,
                         struct error *error)
{
    int64_t newest = 0;
    if (!newest_rowid(db, &newest, error))
        return false;
    int64_t before = filter->before && filter->before <= newest ? filter->before : newest + 1;
    int64_t floor = before > INTAKE_SCAN ? before - INTAKE_SCAN : 1;
    const struct row_query query = {
        "SELECT " BOOKING_COLUMNS " FROM bookings WHERE booking < ?1 AND booking >= ?2"
        " AND (?3 OR status = ?4) AND (?5 IS NULL OR provider_id = ?5)"
        " ORDER BY booking DESC LIMIT ?6",
        BIND(db_int(before), db_int(floor), db_int(filter->status == BOOKING_ABSENT),
             db_int(filter->status), db_text(filter->provider_id),
             db_int((int64_t)filter->limit + 1))};
    const struct row_target target = {read_booking, bookings, sizeof *bookings};
    *next = floor > 1 ? floor : 0;
    if (!rows_read_all(db, &query, &target, count, error))
        return false;
    return end_page(db, filter, bookings, count, next, error);
}

bool intake_booking_list(struct db *db, const struct booking_filter *filter,
                         struct booking bookings[], size_t *count, int64_t *next,
                         struct error *error)
{
    return filter->user_id ? list_of_user(db, filter, bookings, count, next, error)
                           : list_by_scan(db, filter, bookings, count, next, error);
}

bool intake_booking_due(struct db *db, int64_t now_s, char ids[][ID_SIZE], size_t maximum,
                        size_t *count, struct error *error)
{
    const struct row_query query = {
        "SELECT id FROM bookings WHERE status = 0 AND created_s < start_s AND start_s <= ?"
        " ORDER BY start_s LIMIT ?",
        BIND(db_int(now_s), db_int((int64_t)maximum))};
    const struct row_target target = {row_read_id, ids, sizeof *ids};
    return rows_read_all(db, &query, &target, count, error);
}
