/* The outbox and what becomes of its rows. Must not know queues or when to send. */
#include "outbox.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "buf.h"
#include "idempotency.h"
#include "rows.h"
#include "text.h"

enum { GONE = -1 };

/* A booking is a trace, and its id says which: so both workers continue the same one without
 * storing it. An event is a span of it. W3C Trace Context, version 00, sampled. */
static void traceparent_of(const struct event *event, char out[TRACEPARENT_SIZE])
{
    enum { TRACE_BYTES = 16, SPAN_BYTES = 8 };
    unsigned char digest[DIGEST_SIZE];
    char trace[2 * TRACE_BYTES + 1];
    char span[2 * SPAN_BYTES + 1];
    digest_of(event->booking.id, strlen(event->booking.id), digest);
    text_hex(trace, digest, TRACE_BYTES);
    digest_of(event->id, strlen(event->id), digest);
    text_hex(span, digest, SPAN_BYTES);
    (void)snprintf(out, TRACEPARENT_SIZE, "00-%s-%s-01", trace, span);
}

bool outbox_add(struct db *db, const struct event *event, int64_t now_ms, struct error *error)
{
    static const char SQL[] = "INSERT INTO outbox (booking_id, provider_id, event_id, traceparent,"
                              " type, created_ms, body) VALUES (?, ?, ?, ?, ?, ?, ?)";
    struct buf body AUTO(buf_release) = {0};
    char traceparent[TRACEPARENT_SIZE];
    event_to_json(event, &body);
    if (event->traceparent[0])
        memcpy(traceparent, event->traceparent, sizeof traceparent);
    else
        traceparent_of(event, traceparent);
    return db_run(db, SQL,
                  BIND(db_text(event->booking.id), db_text(event->booking.provider_id),
                       db_text(event->id), db_text(traceparent),
                       db_text(event_type_name(event->type)), db_int(now_ms),
                       db_text(buf_text(&body))),
                  error);
}

static bool read_row(const struct db_rows *rows, struct outbox_row *row, struct error *error)
{
    *row = (struct outbox_row){.sequence = db_column_int(rows, 0)};
    if (!row_text(rows, 1, row->booking_id, sizeof row->booking_id) ||
        !row_text(rows, 2, row->provider_id, sizeof row->provider_id) ||
        !row_text(rows, 3, row->event_id, sizeof row->event_id) ||
        !row_text(rows, 4, row->traceparent, sizeof row->traceparent) ||
        !event_type_parse(db_column_text(rows, 5), &row->type))
        return error_set(error, ERROR_DAMAGED, "outbox row %" PRId64 " is damaged", row->sequence);
    row->created_ms = db_column_int(rows, 6);
    row->attempts = db_column_int(rows, 7);
    row->body = memory_text(db_column_text(rows, 8));
    return true;
}

static bool read_rows(struct db_rows *source, struct outbox_row rows[], size_t *count,
                      struct error *error)
{
    bool found = false;
    while (db_next(source, &found, error)) {
        if (!found)
            return true;
        if (!read_row(source, &rows[*count], error))
            return false;
        (*count)++;
    }
    return false;
}

bool outbox_load(struct db *db, int64_t after, struct outbox_row rows[], size_t maximum,
                 size_t *count, struct error *error)
{
    static const char SQL[] =
        "SELECT sequence, booking_id, provider_id, event_id, traceparent, type, created_ms,"
        " attempts, body FROM outbox WHERE sequence > ? AND parked = 0 ORDER BY sequence LIMIT ?";
    struct db_rows source AUTO(db_rows_release) = {0};
    size_t loaded = 0;
    if (!db_query(db, SQL, BIND(db_int(after), db_int((int64_t)maximum)), &source, error))
        return false;
    if (!read_rows(&source, rows, &loaded, error)) {
        for (size_t i = 0; i < loaded; i++)
            outbox_row_release(&rows[i]);
        return false;
    }
    *count = loaded;
    return true;
}

void outbox_row_release(struct outbox_row *row)
{
    free(row->body);
    row->body = NULL;
}

/* What happened to a row, for the history. */
struct outcome {
    const char *name;
    const char *reason;
    int64_t now_ms;
};

/* A queue's words come from outside: made safe to show, and cut to what a reason may have. */
static void copy_reason(const char *reason, char out[REASON_SIZE])
{
    const char *const end = reason + strlen(reason);
    const char *cut = reason;
    for (size_t i = 0; i < REASON_MAX && cut < end; i++)
        (void)text_next(&cut, end);
    struct buf safe AUTO(buf_release) = {.maximum = REASON_SIZE - 1};
    text_display(&safe, reason, (size_t)(cut - reason));
    memcpy(out, buf_text(&safe), safe.length + 1);
}

static bool tell(struct db *db, const struct outbox_row *row, struct outcome outcome,
                 struct error *error)
{
    struct audit_entry entry = {
        .at_ms = outcome.now_ms,
        .actor = "system",
        .from = event_status(row->type),
        .to = event_status(row->type),
    };
    id_copy(entry.booking_id, row->booking_id);
    id_copy(entry.provider_id, row->provider_id);
    id_copy(entry.event_id, row->event_id);
    memcpy(entry.event, outcome.name, strlen(outcome.name) + 1);
    copy_reason(outcome.reason, entry.reason);
    return audit_append(db, &entry, error);
}

/* Runs a statement about one row that returns its attempts; GONE when there is no such row any
 * more. */
static bool attempts_by(struct db *db, const char *sql, int64_t sequence, int64_t *attempts,
                        struct error *error)
{
    struct db_rows rows AUTO(db_rows_release) = {0};
    bool found = false;
    if (!db_query(db, sql, BIND(db_int(sequence)), &rows, error) || !db_next(&rows, &found, error))
        return false;
    *attempts = found ? db_column_int(&rows, 0) : GONE;
    return true;
}

/* In two statements: RETURNING costs more than both, and this runs once for every event. */
bool outbox_sent(struct db *db, const struct outbox_row *row, int64_t now_ms, struct error *error)
{
    static const char LOOK[] = "SELECT attempts FROM outbox WHERE sequence = ?";
    static const char DELETE[] = "DELETE FROM outbox WHERE sequence = ?";
    int64_t attempts = 0;
    if (!attempts_by(db, LOOK, row->sequence, &attempts, error))
        return false;
    if (attempts == GONE)
        return true;
    if (!db_run(db, DELETE, BIND(db_int(row->sequence)), error))
        return false;
    struct buf reason AUTO(buf_release) = {0};
    if (attempts > 0) {
        buf_printf(&reason, "after %" PRId64 " failed %s", attempts,
                   attempts == 1 ? "try" : "tries");
    }
    return tell(db, row, (struct outcome){"PUBLISHED", buf_text(&reason), now_ms}, error);
}

bool outbox_failed(struct db *db, const struct outbox_row *row, const char *reason, int64_t now_ms,
                   struct error *error)
{
    static const char SQL[] =
        "UPDATE outbox SET attempts = attempts + 1 WHERE sequence = ? RETURNING attempts";
    int64_t attempts = 0;
    if (!attempts_by(db, SQL, row->sequence, &attempts, error))
        return false;
    return attempts != 1 ||
           tell(db, row, (struct outcome){"PUBLISH_FAILED", reason, now_ms}, error);
}

bool outbox_park(struct db *db, const struct outbox_row *row, const char *reason, int64_t now_ms,
                 struct error *error)
{
    static const char SQL[] =
        "UPDATE outbox SET parked = 1 WHERE sequence = ? AND parked = 0 RETURNING attempts";
    int64_t attempts = 0;
    if (!attempts_by(db, SQL, row->sequence, &attempts, error))
        return false;
    return attempts == GONE ||
           tell(db, row, (struct outcome){"PUBLISH_PARKED", reason, now_ms}, error);
}

bool outbox_pressure(struct db *db, struct outbox_pressure *pressure, struct error *error)
{
    /* Each count runs over an index, the oldest stops at the first row: no body is read. */
    static const char SQL[] =
        "SELECT (SELECT count(*) FROM outbox), (SELECT count(*) FROM outbox WHERE parked = 1),"
        " (SELECT created_ms FROM outbox WHERE parked = 0 ORDER BY sequence LIMIT 1)";
    struct db_rows rows AUTO(db_rows_release) = {0};
    bool found = false;
    if (!db_query(db, SQL, BIND_NOTHING, &rows, error) || !db_next(&rows, &found, error))
        return false;
    const int64_t parked = found ? db_column_int(&rows, 1) : 0;
    *pressure = (struct outbox_pressure){
        .unsent = found ? db_column_int(&rows, 0) - parked : 0,
        .oldest_ms = found ? db_column_int(&rows, 2) : 0,
        .parked = parked,
    };
    return true;
}
