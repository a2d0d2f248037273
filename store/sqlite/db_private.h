/* What the files of the database module share, and nobody else includes: the connection itself, its
 * statements, and how a result code of SQLite becomes an error of ours. */
#ifndef BOOKFLOW_DB_PRIVATE_H
#define BOOKFLOW_DB_PRIVATE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

#include "db.h"
#include "errors.h"

/* SQL is text constants, so their number is known when the program is written; twice as many slots
 * as there will ever be statements keep the probing short. */
enum { DB_STATEMENT_SLOTS = 512 };

enum statement_state {
    STATEMENT_IDLE,
    STATEMENT_RUNNING,
    STATEMENT_FINISHED /* gave its last row, not released yet */
};

struct statement {
    const char *sql; /* the key; NULL: a free slot */
    sqlite3_stmt *handle;
    enum statement_state state;
};

struct db {
    sqlite3 *handle;
    int lock_fd;      /* -1 = none */
    bool opening;     /* inside db_open(): what fails is the configuration */
    bool transaction; /* between db_begin() and its end, even if SQLite rolled it back meanwhile */
    size_t depth;     /* of savepoints */
    size_t statement_count;
    struct statement statements[DB_STATEMENT_SLOTS];
};

/* Turns a result code into an error; aborts on a failed fsync. Always returns false. */
bool db_fail(struct db *db, int code, struct error *error);

/* Aborts the process if the code says that an fsync failed. */
void db_check_fsync(int code);

/* Finalises every statement. */
void db_statements_close(struct db *db);

#endif
