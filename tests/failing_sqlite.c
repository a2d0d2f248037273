/* SQLite's calls through the linker's --wrap, so that the failure can be put at any of them. The
 * countdown is global because a wrapped function has no context of ours. */
#include "failing_sqlite.h"

#include <sqlite3.h>

static int64_t calls_left; /* until the one that fails; 0 = none does */
static bool has_failed;

void sqlite_fails_at(int64_t nth)
{
    calls_left = nth;
    has_failed = false;
}

bool sqlite_has_failed(void)
{
    calls_left = 0;
    return has_failed;
}

static bool fails_now(void)
{
    if (calls_left == 0 || --calls_left > 0)
        return false;
    has_failed = true;
    return true;
}

int __real_sqlite3_step(sqlite3_stmt *statement);
int __wrap_sqlite3_step(sqlite3_stmt *statement);
int __wrap_sqlite3_step(sqlite3_stmt *statement)
{
    return fails_now() ? SQLITE_FULL : __real_sqlite3_step(statement);
}

int __real_sqlite3_prepare_v3(sqlite3 *handle, const char *sql, int length, unsigned flags,
                              sqlite3_stmt **statement, const char **tail);
int __wrap_sqlite3_prepare_v3(sqlite3 *handle, const char *sql, int length, unsigned flags,
                              sqlite3_stmt **statement, const char **tail);
int __wrap_sqlite3_prepare_v3(sqlite3 *handle, const char *sql, int length, unsigned flags,
                              sqlite3_stmt **statement, const char **tail)
{
    return fails_now() ? SQLITE_NOMEM
                       : __real_sqlite3_prepare_v3(handle, sql, length, flags, statement, tail);
}

int __real_sqlite3_exec(sqlite3 *handle, const char *sql, int (*row)(void *, int, char **, char **),
                        void *context, char **text);
int __wrap_sqlite3_exec(sqlite3 *handle, const char *sql, int (*row)(void *, int, char **, char **),
                        void *context, char **text);
int __wrap_sqlite3_exec(sqlite3 *handle, const char *sql, int (*row)(void *, int, char **, char **),
                        void *context, char **text)
{
    return fails_now() ? SQLITE_FULL : __real_sqlite3_exec(handle, sql, row, context, text);
}

int __real_sqlite3_bind_text(sqlite3_stmt *statement, int index, const char *text, int length,
                             void (*release)(void *));
int __wrap_sqlite3_bind_text(sqlite3_stmt *statement, int index, const char *text, int length,
                             void (*release)(void *));
int __wrap_sqlite3_bind_text(sqlite3_stmt *statement, int index, const char *text, int length,
                             void (*release)(void *))
{
    return fails_now() ? SQLITE_TOOBIG
                       : __real_sqlite3_bind_text(statement, index, text, length, release);
}
