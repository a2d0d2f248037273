/* The records of intake.db: one statement or two per function, no rules. */
#include "intake_store.h"

#include "db_ids.h"
#include "schema.h"

enum { INTAKE_APPLICATION_ID = 0x424b4631 }; /* "BKF1" */

const struct db_schema *intake_schema(void)
{
    static const struct db_migration migrations[] = {{{schema_shared_1, schema_intake_1}}};
    static const struct db_schema schema = {
        .application_id = INTAKE_APPLICATION_ID,
        .migrations = migrations,
        .count = sizeof migrations / sizeof *migrations,
    };
    return &schema;
}

#define BOOKING_COLUMNS "id, user_id, provider_id, slot_id, start_s, end_s, status, booking"

static void read_booking(const struct db_rows *rows, struct booking *booking)
{
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
    struct db_rows rows AUTO(db_rows_release) = {0};
    if (!db_query(db, "SELECT " BOOKING_COLUMNS " FROM bookings WHERE id = ?", BIND(db_text(id)),
                  &rows, error) ||
        !db_next(&rows, found, error))
        return false;
    if (*found)
        read_booking(&rows, booking);
    return true;
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

/* Fills the caller's array from a running query; *last is the rowid of the last one. */
static bool read_page(struct db_rows *rows, struct booking bookings[], size_t *count, int64_t *last,
                      struct error *error)
{
    size_t read = 0;
    bool found = false;
    while (true) {
        if (!db_next(rows, &found, error))
            return false;
        if (!found)
            break;
        read_booking(rows, &bookings[read++]);
        *last = db_column_int(rows, 7);
    }
    *count = read;
    return true;
}

static bool list_of_user(struct db *db, const struct booking_filter *filter,
                         struct booking bookings[], size_t *count, int64_t *next,
                         struct error *error)
{
    struct db_rows rows AUTO(db_rows_release) = {0};
    bool any = filter->status == BOOKING_ABSENT;
    int64_t last = 0;
    if (!db_query(db,
                  "SELECT " BOOKING_COLUMNS " FROM bookings WHERE user_id = ?1 AND booking < ?2"
                  " AND (?3 OR status = ?4) AND (?5 IS NULL OR provider_id = ?5)"
                  " ORDER BY booking DESC LIMIT ?6",
                  BIND(db_text(filter->user_id),
                       db_int(filter->before ? filter->before : INT64_MAX), db_int(any),
                       db_int(filter->status), db_text(filter->provider_id),
                       db_int((int64_t)filter->limit)),
                  &rows, error) ||
        !read_page(&rows, bookings, count, &last, error))
        return false;
    *next = *count == filter->limit ? last : 0;
    return true;
}

static bool newest_rowid(struct db *db, int64_t *rowid, struct error *error)
{
    struct db_rows rows AUTO(db_rows_release) = {0};
    bool found = false;
    if (!db_query(db, "SELECT max(booking) FROM bookings", BIND_NOTHING, &rows, error) ||
        !db_next(&rows, &found, error))
        return false;
    *rowid = found ? db_column_int(&rows, 0) : 0;
    return true;
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
    struct db_rows rows AUTO(db_rows_release) = {0};
    int64_t last = 0;
    if (!db_query(db,
                  "SELECT " BOOKING_COLUMNS " FROM bookings WHERE booking < ?1 AND booking >= ?2"
                  " AND (?3 OR status = ?4) AND (?5 IS NULL OR provider_id = ?5)"
                  " ORDER BY booking DESC LIMIT ?6",
                  BIND(db_int(before), db_int(floor), db_int(filter->status == BOOKING_ABSENT),
                       db_int(filter->status), db_text(filter->provider_id),
                       db_int((int64_t)filter->limit)),
                  &rows, error) ||
        !read_page(&rows, bookings, count, &last, error))
        return false;
    if (*count == filter->limit)
        *next = last;
    else
        *next = floor > 1 ? floor : 0;
    return true;
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
    struct db_rows rows AUTO(db_rows_release) = {0};
    if (!db_query(
            db,
            "SELECT id FROM bookings WHERE status = 0 AND created_s < start_s AND start_s <= ?"
            " ORDER BY start_s LIMIT ?",
            BIND(db_int(now_s), db_int((int64_t)maximum)), &rows, error))
        return false;
    return db_read_ids(&rows, ids, count, error);
}
