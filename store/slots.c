/* The slots of intake.db. */
#include <string.h>

#include "intake_store.h"
#include "rows.h"

/* The text of `status < 2` must stand as in the partial index, or SQLite does not use it. */
#define SLOT_AVAILABLE                                                                             \
    "NOT EXISTS (SELECT 1 FROM bookings b WHERE b.slot = s.slot AND b.status < 2)"
#define SLOT_COLUMNS "s.slot, s.id, s.provider_id, s.start_s, s.end_s, " SLOT_AVAILABLE

static void read_slot(const struct db_rows *rows, void *element)
{
    struct slot *slot = element;
    slot->rowid = db_column_int(rows, 0);
    id_copy(slot->id, db_column_text(rows, 1));
    id_copy(slot->provider_id, db_column_text(rows, 2));
    slot->start_s = db_column_int(rows, 3);
    slot->end_s = db_column_int(rows, 4);
    slot->available = db_column_int(rows, 5) != 0;
}

bool slot_find(struct db *db, const char *id, struct slot *slot, bool *found, struct error *error)
{
    const struct row_query query = {"SELECT " SLOT_COLUMNS " FROM slots s WHERE s.id = ?",
                                    BIND(db_text(id))};
    const struct row_target target = {read_slot, slot, sizeof *slot};
    return rows_read_one(db, &query, &target, found, error);
}

static bool same_slot(const struct slot *a, const struct slot *b)
{
    return strcmp(a->provider_id, b->provider_id) == 0 && a->start_s == b->start_s &&
           a->end_s == b->end_s;
}

bool slot_add(struct db *db, const struct slot *slot, bool *added, struct error *error)
{
    if (!db_run(db,
                "INSERT INTO slots (id, provider_id, start_s, end_s) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (id) DO NOTHING",
                BIND(db_text(slot->id), db_text(slot->provider_id), db_int(slot->start_s),
                     db_int(slot->end_s)),
                error))
        return false;
    *added = db_changes(db) == 1;
    if (*added)
        return true;
    struct slot existing = {0};
    bool found = false;
    if (!slot_find(db, slot->id, &existing, &found, error))
        return false;
    if (!found || !same_slot(slot, &existing))
        return error_set(error, ERROR_CONFLICT, "Slot %s exists with another provider or time",
                         slot->id);
    return true;
}

bool slot_delete(struct db *db, int64_t rowid, struct error *error)
{
    return db_run(db, "DELETE FROM slots WHERE slot = ?", BIND(db_int(rowid)), error);
}

bool slot_list(struct db *db, const struct slot_filter *filter, struct slot slots[], size_t *count,
               struct error *error)
{
    const struct row_query query = {
        "SELECT " SLOT_COLUMNS " FROM slots s"
        " WHERE s.provider_id = ?1 AND s.start_s >= max(?2, ?4) AND s.start_s < ?3"
        " AND (s.start_s, s.slot) > (?4, ?5) AND (NOT ?6 OR " SLOT_AVAILABLE ")"
        " ORDER BY s.start_s, s.slot LIMIT ?7",
        BIND(db_text(filter->provider_id), db_int(filter->from_s), db_int(filter->to_s),
             db_int(filter->after_start_s), db_int(filter->after_rowid),
             db_int(filter->only_available), db_int((int64_t)filter->limit))};
    const struct row_target target = {read_slot, slots, sizeof *slots};
    return rows_read_all(db, &query, &target, count, error);
}
