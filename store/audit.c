/* The audit trail and its hash chain. Must not know who asks for it or what follows from it. */
#include "audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "idempotency.h"
#include "rows.h"

#define COLUMNS                                                                                    \
    "sequence, at_ms, booking_id, provider_id, actor, from_status, to_status, event, reason,"      \
    " event_id, hash"

enum { HASH_COLUMN = 10, LENGTH_BYTES = 8, NUMBER_SIZE = 24 };

static void feed(struct buf *text, const void *data, size_t length)
{
    char big_endian[LENGTH_BYTES];
    for (size_t i = 0; i < LENGTH_BYTES; i++)
        big_endian[i] = (char)(length >> 8 * (LENGTH_BYTES - 1 - i)); /* one byte is meant */
    buf_append(text, big_endian, sizeof big_endian);
    buf_append(text, data, length);
}

static void feed_text(struct buf *text, const char *value)
{
    feed(text, value, strlen(value));
}

static void feed_number(struct buf *text, int64_t value)
{
    char decimal[NUMBER_SIZE];
    (void)snprintf(decimal, sizeof decimal, "%" PRId64, value);
    feed_text(text, decimal);
}

/* The order is the format on disk; see audit.h before touching it. */
static void hash_entry(const struct audit_entry *entry, const unsigned char previous[DIGEST_SIZE],
                       unsigned char out[DIGEST_SIZE])
{
    struct buf text AUTO(buf_release) = {0};
    feed(&text, previous, DIGEST_SIZE);
    feed_number(&text, entry->sequence);
    feed_number(&text, entry->at_ms);
    feed_text(&text, entry->booking_id);
    feed_text(&text, entry->provider_id);
    feed_text(&text, entry->actor);
    feed_number(&text, entry->from);
    feed_number(&text, entry->to);
    feed_text(&text, entry->event);
    feed_text(&text, entry->reason);
    feed_text(&text, entry->event_id);
    digest_of(text.data, text.length, out);
}

/* The end of the chain: its sequence and hash, 0 and zero bytes when empty. */
static bool read_end(struct db *db, int64_t *sequence, unsigned char hash[DIGEST_SIZE],
                     struct error *error)
{
    static const char SQL[] = "SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1";
    struct db_rows rows AUTO(db_rows_release) = {0};
    bool found = false;
    if (!db_query(db, SQL, BIND_NOTHING, &rows, error) || !db_next(&rows, &found, error))
        return false;
    *sequence = 0;
    memset(hash, 0, DIGEST_SIZE);
    if (!found)
        return true;
    size_t length = 0;
    const void *stored = db_column_bytes(&rows, 1, &length);
    if (length != DIGEST_SIZE) {
        return error_set(error, ERROR_DAMAGED, "audit row %" PRId64 " has no hash",
                         db_column_int(&rows, 0));
    }
    *sequence = db_column_int(&rows, 0);
    memcpy(hash, stored, DIGEST_SIZE);
    return true;
}

bool audit_append(struct db *db, struct audit_entry *entry, struct error *error)
{
    static const char SQL[] =
        "INSERT INTO audit (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    unsigned char previous[DIGEST_SIZE];
    unsigned char hash[DIGEST_SIZE];
    struct audit_entry row = *entry;
    if (!read_end(db, &row.sequence, previous, error))
        return false;
    row.sequence++;
    hash_entry(&row, previous, hash);
    if (!db_run(db, SQL,
                BIND(db_int(row.sequence), db_int(row.at_ms), db_text(row.booking_id),
                     db_text(row.provider_id), db_text(row.actor), db_int(row.from), db_int(row.to),
                     db_text(row.event), db_text(row.reason), db_text(row.event_id),
                     db_bytes(hash, sizeof hash)),
                error))
        return false;
    entry->sequence = row.sequence;
    return true;
}

static bool copy_status(const struct db_rows *rows, int column, enum booking_status *out)
{
    const int64_t status = db_column_int(rows, column);
    if (status < 0 || status > BOOKING_ABSENT)
        return false;
    *out = (enum booking_status)status; /* within its range */
    return true;
}

/* False for a row that audit_append() cannot have written. */
static bool read_entry(const struct db_rows *rows, struct audit_entry *entry)
{
    entry->sequence = db_column_int(rows, 0);
    entry->at_ms = db_column_int(rows, 1);
    return row_text(rows, 2, entry->booking_id, sizeof entry->booking_id) &&
           row_text(rows, 3, entry->provider_id, sizeof entry->provider_id) &&
           row_text(rows, 4, entry->actor, sizeof entry->actor) &&
           copy_status(rows, 5, &entry->from) && copy_status(rows, 6, &entry->to) &&
           row_text(rows, 7, entry->event, sizeof entry->event) &&
           row_text(rows, 8, entry->reason, sizeof entry->reason) &&
           row_text(rows, 9, entry->event_id, sizeof entry->event_id);
}

static bool visit_all(struct db_rows *rows, audit_visit_fn *visit, void *context,
                      struct error *error)
{
    struct audit_entry entry;
    bool found = false;
    while (db_next(rows, &found, error)) {
        if (!found)
            return true;
        if (!read_entry(rows, &entry)) {
            return error_set(error, ERROR_DAMAGED, "audit row %" PRId64 " is damaged",
                             db_column_int(rows, 0));
        }
        visit(context, &entry);
    }
    return false;
}

bool audit_of_booking(struct db *db, const char *booking_id, audit_visit_fn *visit, void *context,
                      struct error *error)
{
    static const char SQL[] =
        "SELECT " COLUMNS " FROM audit WHERE booking_id = ? ORDER BY sequence";
    struct db_rows rows AUTO(db_rows_release) = {0};
    return db_query(db, SQL, BIND(db_text(booking_id)), &rows, error) &&
           visit_all(&rows, visit, context, error);
}

bool audit_read(struct db *db, const struct audit_page *page, audit_visit_fn *visit, void *context,
                struct error *error)
{
    static const char OF_PROVIDER[] = "SELECT " COLUMNS " FROM audit WHERE provider_id = ?3"
                                      " AND sequence > ?1 ORDER BY sequence LIMIT ?2";
    static const char OF_ALL[] =
        "SELECT " COLUMNS " FROM audit WHERE sequence > ?1 ORDER BY sequence LIMIT ?2";
    const struct db_value maximum = db_int((int64_t)page->maximum);
    struct db_rows rows AUTO(db_rows_release) = {0};
    return (page->provider_id
                ? db_query(db, OF_PROVIDER,
                           BIND(db_int(page->after), maximum, db_text(page->provider_id)), &rows,
                           error)
                : db_query(db, OF_ALL, BIND(db_int(page->after), maximum), &rows, error)) &&
           visit_all(&rows, visit, context, error);
}

bool audit_census(struct db *db, int64_t census[static BOOKING_STATUSES], struct error *error)
{
    static const char SQL[] = "SELECT status, count(*) FROM bookings GROUP BY status";
    struct db_rows rows AUTO(db_rows_release) = {0};
    bool found = false;
    if (!db_query(db, SQL, BIND_NOTHING, &rows, error) || !db_next(&rows, &found, error))
        return false;
    while (found) {
        const int64_t status = db_column_int(&rows, 0); /* the schema checks it */
        if (status >= 0 && status < BOOKING_STATUSES)
            census[status] = db_column_int(&rows, 1);
        if (!db_next(&rows, &found, error))
            return false;
    }
    return true;
}

bool audit_last(struct db *db, int64_t *sequence, struct error *error)
{
    static const char SQL[] = "SELECT max(sequence) FROM audit";
    struct db_rows rows AUTO(db_rows_release) = {0};
    bool found = false;
    if (!db_query(db, SQL, BIND_NOTHING, &rows, error) || !db_next(&rows, &found, error))
        return false;
    *sequence = found ? db_column_int(&rows, 0) : 0;
    return true;
}

struct chain {
    int64_t rows;
    int64_t broken_at;
    int64_t sequence; /* of the row before */
    unsigned char hash[DIGEST_SIZE];
};

/* True when the current row is what follows; the chain then ends with it. */
static bool follows(struct chain *chain, const struct db_rows *rows)
{
    struct audit_entry entry;
    unsigned char hash[DIGEST_SIZE];
    size_t length = 0;
    const void *stored = db_column_bytes(rows, HASH_COLUMN, &length);
    if (!read_entry(rows, &entry))
        return false;
    hash_entry(&entry, chain->hash, hash);
    if (length != DIGEST_SIZE || memcmp(stored, hash, DIGEST_SIZE) != 0)
        return false;
    chain->sequence = entry.sequence;
    memcpy(chain->hash, hash, DIGEST_SIZE);
    return true;
}

bool audit_verify(struct db *db, int64_t *rows, int64_t *broken_at, struct error *error)
{
    static const char SQL[] = "SELECT " COLUMNS " FROM audit ORDER BY sequence";
    struct db_rows all AUTO(db_rows_release) = {0};
    struct chain chain = {0};
    bool found = false;
    if (!db_query(db, SQL, BIND_NOTHING, &all, error) || !db_next(&all, &found, error))
        return false;
    while (found) {
        chain.rows++;
        /* Sequences have no gaps, so a row that is missing is named, not the one behind it. */
        if (chain.broken_at == 0 && !follows(&chain, &all))
            chain.broken_at = chain.sequence + 1;
        if (!db_next(&all, &found, error))
            return false;
    }
    *rows = chain.rows;
    *broken_at = chain.broken_at;
    return true;
}
