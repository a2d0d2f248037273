/* A SQLite database as we use it: opened with its pragmas read back, statements prepared once and
 * bound by type, one transaction at a time. The one place (with writer.c) that knows sqlite3.h.
 *
 * A connection belongs to one thread at a time. SQL is always a string constant: its address is the
 * key of the statement cache. Error kinds: ERROR_CONFLICT (a constraint), ERROR_UNAVAILABLE (busy,
 * disk full, I/O), ERROR_CONFIGURATION (cannot open, newer version), ERROR_DAMAGED (corrupt). An
 * fsync that failed aborts the process: after it nobody knows what is on disk, so it is not
 * retried. */
#ifndef BOOKFLOW_DB_H
#define BOOKFLOW_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "errors.h"

struct db;

/* The schema of one store. Migration i takes PRAGMA user_version from i to i + 1, in one
 * transaction; its parts are SQL texts run in order, ended by NULL. A released migration is never
 * edited. */
enum { DB_MIGRATION_PARTS = 4 };
struct db_migration {
    const char *parts[DB_MIGRATION_PARTS];
};
struct db_schema {
    int32_t application_id; /* PRAGMA application_id: a file of another kind is refused */
    const struct db_migration *migrations;
    size_t count;
};

enum db_mode {
    DB_WRITE,        /* creates (mode 0600) and migrates; WAL, synchronous=FULL; one per store */
    DB_WRITE_SHARED, /* several processes may write: rollback journal instead of WAL (SQLite 3.40
                      * has the WAL-reset bug that two writers can meet), busy time-out 5 s */
    DB_READ,         /* read-only, never checkpoints; the file must exist */
    DB_COPY          /* the same for a file that nobody writes, such as a backup: leaves nothing
                      * behind and works in a folder that may not be written, unless there is a
                      * WAL beside it */
};

MUST_CHECK struct db *db_open(const char *path, enum db_mode mode, const struct db_schema *schema,
                              struct error *error);
void db_close(struct db *db);
void db_release(struct db **db); /* for AUTO() */

/* Values to bind: db_run(db, SQL, BIND(db_text(id), db_int(now)), error). Text and bytes are
 * borrowed for the call (db_run) or until the rows are released (db_query). */
enum db_type { DB_END, DB_NULL, DB_INT, DB_TEXT, DB_BYTES };
struct db_value {
    enum db_type type;
    int64_t integer; /* or the length of bytes */
    const void *data;
};
#define BIND(...)    ((const struct db_value[]){__VA_ARGS__, {.type = DB_END}})
#define BIND_NOTHING ((const struct db_value[]){{.type = DB_END}})

static inline struct db_value db_int(int64_t value)
{
    return (struct db_value){.type = DB_INT, .integer = value};
}

/* NULL binds NULL. */
static inline struct db_value db_text(const char *text)
{
    return (struct db_value){.type = text ? DB_TEXT : DB_NULL, .data = text};
}

static inline struct db_value db_bytes(const void *data, size_t length)
{
    return (struct db_value){.type = DB_BYTES, .integer = (int64_t)length, .data = data};
}

/* Runs a statement that returns no rows. */
MUST_CHECK bool db_run(struct db *db, const char *sql, const struct db_value values[],
                       struct error *error);

/* Runs a query. `struct db_rows rows AUTO(db_rows_release) = {0};` then db_query() and a loop over
 * db_next(). The same SQL may not be running twice at once on one connection (assert). */
struct db_rows {
    struct db *db;
    void *statement;
};
MUST_CHECK bool db_query(struct db *db, const char *sql, const struct db_value values[],
                         struct db_rows *rows, struct error *error);

/* Goes to the next row: true = *found says whether there is one. */
MUST_CHECK bool db_next(struct db_rows *rows, bool *found, struct error *error);
void db_rows_release(struct db_rows *rows);

/* The columns of the current row, from 0. Text is never NULL ("" for NULL) and, like bytes, valid
 * until the next db_next(). */
int64_t db_column_int(const struct db_rows *rows, int column);
const char *db_column_text(const struct db_rows *rows, int column);
const void *db_column_bytes(const struct db_rows *rows, int column, size_t *length);
bool db_column_is_null(const struct db_rows *rows, int column);

/* Rows changed by the last db_run(). */
int64_t db_changes(const struct db *db);

/* BEGIN IMMEDIATE, COMMIT, ROLLBACK. A commit that fails has rolled back. Some failures (disk full)
 * end the transaction early: then everything but db_rollback() fails with ERROR_UNAVAILABLE.
 *
 * Inside, savepoints nest, six deep; each is ended by one keep or undo. If that one fails, undo the
 * level above, or the transaction. */
MUST_CHECK bool db_begin(struct db *db, struct error *error);
MUST_CHECK bool db_commit(struct db *db, struct error *error);
void db_rollback(struct db *db);
MUST_CHECK bool db_savepoint(struct db *db, struct error *error);
MUST_CHECK bool db_savepoint_keep(struct db *db, struct error *error);
MUST_CHECK bool db_savepoint_undo(struct db *db, struct error *error);

/* Reads every page and compares every index with its table: ERROR_DAMAGED says what is wrong. Takes
 * seconds for a large file. */
MUST_CHECK bool db_verify(struct db *db, struct error *error);

/* Bytes on disk, without and of the WAL; 0 when unknown. */
struct db_size {
    int64_t store;
    int64_t wal;
};
struct db_size db_size(const struct db *db);

/* Copies the whole WAL into the database (not truncating it). At a clean stop. */
MUST_CHECK bool db_checkpoint(struct db *db, struct error *error);

#endif
