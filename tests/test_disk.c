/* The disk that loses power, before anybody relies on it: what is synced stays, what is not may go,
 * locks hold, one seed is one history. */
#include <criterion/criterion.h>
#include <sqlite3.h>
#include <string.h>

#include "disk.h"

static sqlite3 *open_on(const char *path, int flags)
{
    sqlite3 *handle = NULL;
    cr_assert(sqlite3_open_v2(path, &handle, flags, NULL) == SQLITE_OK, "%s",
              sqlite3_errmsg(handle));
    return handle;
}

static sqlite3 *open_writer(const char *path)
{
    return open_on(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
}

static int run(sqlite3 *handle, const char *sql)
{
    return sqlite3_exec(handle, sql, NULL, NULL, NULL);
}

static void must(sqlite3 *handle, const char *sql)
{
    cr_assert(run(handle, sql) == SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(handle));
}

/* -1 = it cannot be asked. */
static int64_t number(sqlite3 *handle, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    (void)sqlite3_prepare_v2(handle, sql, -1, &statement, NULL);
    const int64_t value =
        sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : -1;
    (void)sqlite3_finalize(statement);
    return value;
}

static void insert_rows(sqlite3 *handle, int count)
{
    for (int i = 0; i < count; i++)
        must(handle, "INSERT INTO t (data) VALUES (randomblob(3000))");
}

static sqlite3 *open_table(const char *mode)
{
    sqlite3 *handle = open_writer("/disk/a.db");
    must(handle, mode);
    must(handle, "CREATE TABLE t (id INTEGER PRIMARY KEY, data BLOB)");
    return handle;
}

Test(disk, keeps_what_was_synced)
{
    static const char *const MODES[] = {
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL",
        "PRAGMA journal_mode = PERSIST; PRAGMA synchronous = FULL",
        "PRAGMA journal_mode = DELETE; PRAGMA synchronous = EXTRA",
    };
    for (size_t i = 0; i < sizeof MODES / sizeof MODES[0]; i++)
        for (uint64_t seed = 1; seed <= 20; seed++) {
            struct disk *disk = disk_new(seed, DISK_HONEST);
            sqlite3 *handle = open_table(MODES[i]);
            insert_rows(handle, 20);
            disk_cut(disk);
            cr_expect(run(handle, "INSERT INTO t DEFAULT VALUES") != SQLITE_OK);
            (void)sqlite3_close(handle);
            disk_power_on(disk);
            handle = open_writer("/disk/a.db");
            cr_expect(number(handle, "SELECT count(*) FROM t") == 20, "%s", MODES[i]);
            (void)sqlite3_close(handle);
            disk_free(disk);
        }
}

static int losing_seeds(const char *mode, enum disk_honesty honesty)
{
    int losing = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct disk *disk = disk_new(seed, honesty);
        sqlite3 *handle = open_table(mode);
        insert_rows(handle, 20);
        disk_cut(disk);
        (void)sqlite3_close(handle);
        disk_power_on(disk);
        handle = open_writer("/disk/a.db");
        losing += number(handle, "SELECT count(*) FROM t") != 20;
        (void)sqlite3_close(handle);
        disk_free(disk);
    }
    return losing;
}

Test(disk, loses_what_was_not_synced)
{
    cr_expect(losing_seeds("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL", DISK_HONEST) >
              5);
    cr_expect(losing_seeds("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF", DISK_HONEST) > 5);
    cr_expect(losing_seeds("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL", DISK_SYNC_LIES) >
              5);
}

static uint64_t history(uint64_t seed, int64_t *rows)
{
    struct disk *disk = disk_new(seed, DISK_HONEST);
    sqlite3 *handle = open_table("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    insert_rows(handle, 10);
    disk_cut(disk);
    (void)sqlite3_close(handle);
    disk_power_on(disk);
    handle = open_writer("/disk/a.db");
    *rows = number(handle, "SELECT count(*) FROM t");
    must(handle, "CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, data BLOB)");
    insert_rows(handle, 3);
    (void)sqlite3_close(handle);
    const uint64_t trace = disk_trace(disk);
    disk_free(disk);
    return trace;
}

Test(disk, has_one_history_for_one_seed)
{
    int64_t rows = 0;
    int64_t rows_again = 0;
    const uint64_t trace = history(7, &rows);
    cr_expect(trace == history(7, &rows_again));
    cr_expect(rows == rows_again);
    cr_expect(trace != history(8, &rows));
}

Test(disk, a_reader_sees_the_writers_commits_and_keeps_its_snapshot)
{
    struct disk *disk = disk_new(1, DISK_HONEST);
    sqlite3 *writer = open_table("PRAGMA journal_mode = WAL");
    sqlite3 *reader = open_on("/disk/a.db", SQLITE_OPEN_READONLY);
    insert_rows(writer, 2);
    cr_expect(number(reader, "SELECT count(*) FROM t") == 2);
    must(reader, "BEGIN");
    cr_expect(number(reader, "SELECT count(*) FROM t") == 2);
    insert_rows(writer, 1);
    cr_expect(number(reader, "SELECT count(*) FROM t") == 2);
    must(reader, "COMMIT");
    cr_expect(number(reader, "SELECT count(*) FROM t") == 3);
    (void)sqlite3_close(reader);
    (void)sqlite3_close(writer);
    disk_free(disk);
}

Test(disk, two_writers_exclude_each_other)
{
    static const char *const MODES[] = {"PRAGMA journal_mode = WAL",
                                        "PRAGMA journal_mode = PERSIST"};
    for (size_t i = 0; i < 2; i++) {
        struct disk *disk = disk_new(1, DISK_HONEST);
        sqlite3 *one = open_table(MODES[i]);
        sqlite3 *two = open_writer("/disk/a.db");
        must(one, "BEGIN IMMEDIATE");
        insert_rows(one, 1);
        cr_expect(run(two, "BEGIN IMMEDIATE") == SQLITE_BUSY);
        must(one, "COMMIT");
        must(two, "BEGIN IMMEDIATE");
        cr_expect(number(two, "SELECT count(*) FROM t") == 1);
        insert_rows(two, 1);
        must(two, "COMMIT");
        cr_expect(number(one, "SELECT count(*) FROM t") == 2);
        (void)sqlite3_close(one);
        (void)sqlite3_close(two);
        disk_free(disk);
    }
}

Test(disk, a_reader_holds_up_the_commit_of_a_rollback_journal)
{
    struct disk *disk = disk_new(1, DISK_HONEST);
    sqlite3 *writer = open_table("PRAGMA journal_mode = PERSIST");
    sqlite3 *reader = open_on("/disk/a.db", SQLITE_OPEN_READONLY);
    sqlite3 *late = open_on("/disk/a.db", SQLITE_OPEN_READONLY);
    must(reader, "BEGIN");
    cr_expect(number(reader, "SELECT count(*) FROM t") == 0);
    must(writer, "BEGIN IMMEDIATE");
    insert_rows(writer, 1);
    cr_expect(run(writer, "COMMIT") == SQLITE_BUSY);
    cr_expect(number(late, "SELECT count(*) FROM t") == -1, "a pending writer lets nobody in");
    must(reader, "COMMIT");
    must(writer, "COMMIT");
    cr_expect(number(late, "SELECT count(*) FROM t") == 1);
    (void)sqlite3_close(late);
    (void)sqlite3_close(reader);
    (void)sqlite3_close(writer);
    disk_free(disk);
}

Test(disk, fails_an_operation_once)
{
    struct disk *disk = disk_new(1, DISK_HONEST);
    sqlite3 *handle = open_table("PRAGMA journal_mode = WAL");
    disk_fail_after(disk, 1, SQLITE_FULL, 1);
    cr_expect(run(handle, "INSERT INTO t DEFAULT VALUES") == SQLITE_FULL);
    cr_expect(run(handle, "INSERT INTO t DEFAULT VALUES") == SQLITE_OK);
    cr_expect(number(handle, "SELECT count(*) FROM t") == 1);
    (void)sqlite3_close(handle);
    disk_free(disk);
}

Test(disk, has_the_time_it_is_told)
{
    struct disk *disk = disk_new(1, DISK_HONEST);
    sqlite3 *handle = open_writer("/disk/a.db");
    disk_set_time(disk, INT64_C(1771495200000));
    cr_expect(number(handle, "SELECT unixepoch()") == 1771495200);
    (void)sqlite3_close(handle);
    disk_free(disk);
}

Test(disk, one_cut_has_many_ends)
{
    int64_t least = INT64_MAX;
    int64_t most = 0;
    struct disk *disk = disk_new(1, DISK_HONEST);
    sqlite3 *handle = open_table("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    insert_rows(handle, 20);
    disk_cut(disk);
    (void)sqlite3_close(handle);
    disk_keep(disk);
    for (uint64_t seed = 1; seed <= 40; seed++) {
        disk_go_back(disk, seed);
        disk_power_on(disk);
        handle = open_writer("/disk/a.db");
        const int64_t rows = number(handle, "SELECT count(*) FROM t");
        least = rows < least ? rows : least;
        most = rows > most ? rows : most;
        (void)sqlite3_close(handle);
    }
    cr_expect(least < 5 && most == 20, "%lld to %lld", (long long)least, (long long)most);
    disk_free(disk);
}
