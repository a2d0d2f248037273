/* Transactions, nested savepoints, and the checkpoint that ends a clean run. Knows nothing of what
 * is inside them. */
#include "db.h"

#include <assert.h>
#include <sqlite3.h>

#include "db_private.h"

/* One constant text per depth, so that the statements are cached like any other. */
struct savepoint {
    const char *begin;
    const char *keep;
    const char *undo;
};

#define SAVEPOINT(name)                                                                            \
    {                                                                                              \
        "SAVEPOINT " name, "RELEASE " name, "ROLLBACK TO " name                                    \
    }
static const struct savepoint SAVEPOINTS[] = {SAVEPOINT("s1"), SAVEPOINT("s2"), SAVEPOINT("s3"),
                                              SAVEPOINT("s4"), SAVEPOINT("s5"), SAVEPOINT("s6")};
enum { SAVEPOINT_DEPTH = sizeof SAVEPOINTS / sizeof SAVEPOINTS[0] };

/* If there is anything to roll back. */
static bool roll_back(struct db *db, struct error *error)
{
    return sqlite3_get_autocommit(db->handle) || db_run(db, "ROLLBACK", BIND_NOTHING, error);
}

bool db_begin(struct db *db, struct error *error)
{
    assert(!db->transaction);
    if (!roll_back(db, error) || !db_run(db, "BEGIN IMMEDIATE", BIND_NOTHING, error))
        return false;
    db->transaction = true;
    db->depth = 0;
    return true;
}

bool db_commit(struct db *db, struct error *error)
{
    assert(db->transaction && db->depth == 0);
    if (!db_run(db, "COMMIT", BIND_NOTHING, error)) {
        db_rollback(db);
        return false;
    }
    db->transaction = false;
    return true;
}

void db_rollback(struct db *db)
{
    struct error ignored = {0}; /* one that fails, for lack of memory, is repeated by db_begin() */
    (void)!roll_back(db, &ignored);
    db->transaction = false;
    db->depth = 0;
}

bool db_savepoint(struct db *db, struct error *error)
{
    assert(db->transaction && db->depth < SAVEPOINT_DEPTH);
    if (!db_run(db, SAVEPOINTS[db->depth].begin, BIND_NOTHING, error))
        return false;
    db->depth++;
    return true;
}

/* Both ends leave the level even when they fail: then the level above is the one to undo, and with
 * it goes what was inside. */
static const struct savepoint *leave(struct db *db)
{
    assert(db->depth > 0);
    db->depth--;
    return &SAVEPOINTS[db->depth];
}

bool db_savepoint_keep(struct db *db, struct error *error)
{
    return db_run(db, leave(db)->keep, BIND_NOTHING, error);
}

bool db_savepoint_undo(struct db *db, struct error *error)
{
    const struct savepoint *savepoint = leave(db);
    return db_run(db, savepoint->undo, BIND_NOTHING, error) &&
           db_run(db, savepoint->keep, BIND_NOTHING, error);
}

bool db_checkpoint(struct db *db, struct error *error)
{
    const int code =
        sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_FULL, NULL, NULL);
    return code == SQLITE_OK || db_fail(db, code, error);
}
