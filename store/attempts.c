/* The ledger of handling attempts. Must not know what a message says or who handles it. */
#include "attempts.h"

/* A message without a row has no counts yet. */
static bool read_counts(struct db_rows *rows, struct attempt *counts, struct error *error)
{
    bool found = false;
    if (!db_next(rows, &found, error))
        return false;
    *counts = (struct attempt){0};
    if (found) {
        counts->failures = db_column_int(rows, 0);
        counts->crashes = db_column_int(rows, 1);
    }
    return true;
}

bool attempts_begin(struct db *db, const char *message_id, const char *owner, int64_t now_ms,
                    struct attempt *before, struct error *error)
{
    /* Who is neither nobody nor us died while it ran the handler. */
    static const char SQL[] =
        "INSERT INTO attempts (message_id, owner, failures, crashes, begun_ms)"
        " VALUES (?, ?, 0, 0, ?)"
        " ON CONFLICT (message_id) DO UPDATE SET"
        " crashes = crashes + (owner NOT IN ('', excluded.owner)),"
        " owner = excluded.owner, begun_ms = excluded.begun_ms"
        " RETURNING failures, crashes";
    struct db_rows rows AUTO(db_rows_release) = {0};
    return db_query(db, SQL, BIND(db_text(message_id), db_text(owner), db_int(now_ms)), &rows,
                    error) &&
           read_counts(&rows, before, error);
}

bool attempts_look(struct db *db, const char *message_id, const char *owner, struct attempt *before,
                   struct error *error)
{
    static const char COUNT_CRASH[] = "UPDATE attempts SET crashes = crashes + 1, owner = ''"
                                      " WHERE message_id = ? AND owner NOT IN ('', ?)";
    static const char LOOK[] = "SELECT failures, crashes FROM attempts WHERE message_id = ?";
    struct db_rows rows AUTO(db_rows_release) = {0};
    return db_run(db, COUNT_CRASH, BIND(db_text(message_id), db_text(owner)), error) &&
           db_query(db, LOOK, BIND(db_text(message_id)), &rows, error) &&
           read_counts(&rows, before, error);
}

bool attempts_failed(struct db *db, const char *message_id, struct error *error)
{
    static const char SQL[] =
        "UPDATE attempts SET failures = failures + 1, owner = '' WHERE message_id = ?";
    return db_run(db, SQL, BIND(db_text(message_id)), error);
}

bool attempts_done(struct db *db, const char *message_id, struct error *error)
{
    static const char SQL[] = "DELETE FROM attempts WHERE message_id = ?";
    return db_run(db, SQL, BIND(db_text(message_id)), error);
}

bool attempts_undo(struct db *db, const char *message_id, struct error *error)
{
    static const char FORGET[] =
        "DELETE FROM attempts WHERE message_id = ? AND failures = 0 AND crashes = 0";
    static const char GIVE_BACK[] = "UPDATE attempts SET owner = '' WHERE message_id = ?";
    return db_run(db, FORGET, BIND(db_text(message_id)), error) &&
           db_run(db, GIVE_BACK, BIND(db_text(message_id)), error);
}

bool attempts_prune(struct db *db, int64_t now_ms, int64_t maximum, struct error *error)
{
    static const char SQL[] = "DELETE FROM attempts WHERE rowid IN"
                              " (SELECT rowid FROM attempts WHERE begun_ms < ? LIMIT ?)";
    return db_run(db, SQL, BIND(db_int(now_ms - ATTEMPTS_KEEP_MS), db_int(maximum)), error);
}
