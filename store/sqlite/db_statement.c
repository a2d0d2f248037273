/* Statements: prepared once and kept by the address of their text, bound by type, stepped, read.
 * Also how SQLite's result codes become our error kinds. Knows nothing of files, pragmas and
 * migrations (db.c) nor of transactions (db_transaction.c), except that a lost one stops work. */
#include "db.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "db_private.h"

enum { PRIMARY_CODE_MASK = 0xff };

/* Result codes that are not ERROR_UNAVAILABLE. SQLITE_ERROR is SQL that does not fit the schema
 * found: as no SQL of ours is wrong, the schema is. */
static const struct {
    int code;
    enum error_kind kind;
    enum error_kind kind_opening; /* inside db_open() */
} KINDS[] = {
    {SQLITE_CONSTRAINT, ERROR_CONFLICT, ERROR_CONFLICT},
    {SQLITE_CORRUPT, ERROR_DAMAGED, ERROR_DAMAGED},
    {SQLITE_NOTADB, ERROR_DAMAGED, ERROR_CONFIGURATION},
    {SQLITE_ERROR, ERROR_DAMAGED, ERROR_DAMAGED},
    {SQLITE_CANTOPEN, ERROR_UNAVAILABLE, ERROR_CONFIGURATION},
    {SQLITE_READONLY, ERROR_UNAVAILABLE, ERROR_CONFIGURATION},
    {SQLITE_PERM, ERROR_UNAVAILABLE, ERROR_CONFIGURATION},
};

static enum error_kind kind_of(int code, bool opening)
{
    for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++)
        if (KINDS[i].code == (code & PRIMARY_CODE_MASK))
            return opening ? KINDS[i].kind_opening : KINDS[i].kind;
    return ERROR_UNAVAILABLE;
}

void db_check_fsync(int code)
{
    static const char MESSAGE[] =
        "<0>bookflow: fsync failed; what is on disk is unknown, stopping at once\n";
    if (code != SQLITE_IOERR_FSYNC && code != SQLITE_IOERR_DIR_FSYNC)
        return;
    (void)!write(STDERR_FILENO, MESSAGE, sizeof MESSAGE - 1);
    abort();
}

bool db_fail(struct db *db, int code, struct error *error)
{
    db_check_fsync(code);
    return error_set(error, kind_of(code, db->opening), "store: %s (SQLite code %d)",
                     sqlite3_errmsg(db->handle), code);
}

static size_t slot_of(const char *sql)
{
    /* The low bits of an address carry little; a multiplication spreads the rest. */
    return (size_t)(((uintptr_t)sql * UINT64_C(0x9E3779B97F4A7C15)) >> 32) % DB_STATEMENT_SLOTS;
}

/* The slot that holds this SQL, or the free one where it belongs. The text is compared too: should
 * anybody pass a buffer after all, the wrong statement is never run. */
static struct statement *find_slot(struct db *db, const char *sql)
{
    for (size_t i = slot_of(sql);; i = (i + 1) % DB_STATEMENT_SLOTS) {
        struct statement *slot = &db->statements[i];
        if (!slot->sql || (slot->sql == sql && strcmp(sqlite3_sql(slot->handle), sql) == 0))
            return slot;
    }
}

static struct statement *find_statement(struct db *db, const char *sql, struct error *error)
{
    struct statement *slot = find_slot(db, sql);
    if (slot->sql)
        return slot;
    const char *tail = NULL;
    const int code =
        sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &slot->handle, &tail);
    if (code != SQLITE_OK) {
        (void)db_fail(db, code, error);
        return NULL;
    }
    assert(slot->handle && *tail == '\0'); /* one statement, nothing behind it */
    assert(db->statement_count < DB_STATEMENT_SLOTS / 2);
    db->statement_count++;
    slot->sql = sql;
    return slot;
}

static int bind_one(sqlite3_stmt *handle, int index, const struct db_value *value)
{
    switch (value->type) {
    case DB_INT:
        return sqlite3_bind_int64(handle, index, value->integer);
    case DB_TEXT:
        return sqlite3_bind_text(handle, index, value->data, -1, SQLITE_STATIC);
    case DB_BYTES: /* a NULL pointer would bind NULL, not the empty value */
        return sqlite3_bind_blob64(handle, index, value->data ? value->data : "",
                                   (sqlite3_uint64)value->integer, SQLITE_STATIC);
    case DB_NULL:
    case DB_END:
        break;
    }
    return sqlite3_bind_null(handle, index);
}

static int bind_all(sqlite3_stmt *handle, const struct db_value values[])
{
    int count = 0;
    for (; values[count].type != DB_END; count++) {
        const int code = bind_one(handle, count + 1, &values[count]);
        if (code != SQLITE_OK)
            return code;
    }
    assert(count == sqlite3_bind_parameter_count(handle));
    return SQLITE_OK;
}

static void put_back(struct statement *statement)
{
    (void)sqlite3_reset(statement->handle); /* repeats the error of the last step */
    (void)sqlite3_clear_bindings(statement->handle);
    statement->state = STATEMENT_IDLE;
}

/* Takes the statement out of the cache and binds its values. */
static struct statement *take_out(struct db *db, const char *sql, const struct db_value values[],
                                  struct error *error)
{
    /* SQLite ends a transaction by itself on some failures. What came after would be committed
     * statement by statement, so nothing runs until its owner has called db_rollback(). */
    if (db->transaction && sqlite3_get_autocommit(db->handle)) {
        (void)error_set(error, ERROR_UNAVAILABLE,
                        "store: an earlier failure has ended the transaction");
        return NULL;
    }
    struct statement *statement = find_statement(db, sql, error);
    if (!statement)
        return NULL;
    assert(statement->state == STATEMENT_IDLE);
    const int code = bind_all(statement->handle, values);
    if (code != SQLITE_OK) {
        (void)db_fail(db, code, error);
        put_back(statement);
        return NULL;
    }
    statement->state = STATEMENT_RUNNING;
    return statement;
}

bool db_run(struct db *db, const char *sql, const struct db_value values[], struct error *error)
{
    struct statement *statement = take_out(db, sql, values, error);
    if (!statement)
        return false;
    int code = SQLITE_ROW;
    while (code == SQLITE_ROW) /* a pragma answers what it set */
        code = sqlite3_step(statement->handle);
    const bool ran = code == SQLITE_DONE || db_fail(db, code, error);
    put_back(statement);
    return ran;
}

bool db_query(struct db *db, const char *sql, const struct db_value values[], struct db_rows *rows,
              struct error *error)
{
    struct statement *statement = take_out(db, sql, values, error);
    if (!statement)
        return false;
    *rows = (struct db_rows){.db = db, .statement = statement};
    return true;
}

bool db_next(struct db_rows *rows, bool *found, struct error *error)
{
    struct statement *statement = rows->statement;
    if (statement->state == STATEMENT_FINISHED) { /* SQLite would start again */
        *found = false;
        return true;
    }
    const int code = sqlite3_step(statement->handle);
    if (code == SQLITE_ROW) {
        *found = true;
        return true;
    }
    statement->state = STATEMENT_FINISHED;
    const bool ended = code == SQLITE_DONE || db_fail(rows->db, code, error);
    (void)sqlite3_reset(statement->handle); /* gives its read lock back early */
    if (ended)
        *found = false;
    return ended;
}

void db_rows_release(struct db_rows *rows)
{
    if (rows->statement)
        put_back(rows->statement);
    *rows = (struct db_rows){0};
}

static sqlite3_stmt *handle_of(const struct db_rows *rows)
{
    const struct statement *statement = rows->statement;
    return statement->handle;
}

int64_t db_column_int(const struct db_rows *rows, int column)
{
    return sqlite3_column_int64(handle_of(rows), column);
}

/* SQLite copies a text to put a NUL behind it, and without memory says NULL, which would read as an
 * empty column. */
static const void *not_lost(const struct db_rows *rows, const void *value)
{
    if (!value && sqlite3_errcode(rows->db->handle) == SQLITE_NOMEM)
        memory_exhausted();
    return value;
}

const char *db_column_text(const struct db_rows *rows, int column)
{
    const void *text = not_lost(rows, sqlite3_column_text(handle_of(rows), column));
    return text ? text : "";
}

const void *db_column_bytes(const struct db_rows *rows, int column, size_t *length)
{
    const void *data = not_lost(rows, sqlite3_column_blob(handle_of(rows), column));
    *length = (size_t)sqlite3_column_bytes(handle_of(rows), column); /* never negative */
    return data;
}

bool db_column_is_null(const struct db_rows *rows, int column)
{
    return sqlite3_column_type(handle_of(rows), column) == SQLITE_NULL;
}

int64_t db_changes(const struct db *db)
{
    return sqlite3_changes64(db->handle);
}

void db_statements_close(struct db *db)
{
    for (size_t i = 0; i < DB_STATEMENT_SLOTS; i++) {
        assert(db->statements[i].state == STATEMENT_IDLE); /* else rows outlive the database */
        (void)sqlite3_finalize(db->statements[i].handle);
    }
}
