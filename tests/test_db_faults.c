/* What fails: constraints, a full disk, damage, fsync; and the checkpoints. Where the disk has to
 * fail, a VFS passes everything on to the real one except what the test breaks. */
#include "db.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "db_support.h"

TestSuite(db_faults, .init = enter_folder, .fini = leave_folder);

Test(db_faults, failures_have_the_kind_that_says_what_to_do)
{
    static const struct {
        const char *sql;
        enum error_kind kind;
    } CASES[] = {
        {"INSERT INTO item (id) VALUES (1)", ERROR_CONFLICT},
        {"INSERT INTO item (name) VALUES ('taken')", ERROR_CONFLICT},
        {"INSERT INTO item (id, name) VALUES (2, x'00')", ERROR_CONFLICT},
        {"INSERT INTO item (data) VALUES (zeroblob(2000000))", ERROR_UNAVAILABLE},
        {"SELECT * FROM absent", ERROR_DAMAGED},
    };
    struct db *db AUTO(db_release) = open_as("a.db", DB_WRITE);
    run(db, "INSERT INTO item (id, name) VALUES (1, 'taken')");
    run(db, "PRAGMA max_page_count = 100");
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct error error = {0};
        cr_expect_not(db_run(db, CASES[i].sql, BIND_NOTHING, &error), "%s", CASES[i].sql);
        cr_expect_eq(error.kind, CASES[i].kind, "%s: %s", CASES[i].sql, error.text);
        cr_expect_eq(number(db, COUNT), 1, "%s", CASES[i].sql);
    }
}

Test(db_faults, a_damaged_page_is_told_as_damage)
{
    struct db *db = open_as("a.db", DB_WRITE);
    for (int64_t id = 1; id < 100; id++) {
        struct error error = {0};
        cr_assert(
            db_run(db, INSERT, BIND(db_int(id), db_text(NULL), db_bytes(folder, 20)), &error));
    }
    run(db, "INSERT INTO item (data) VALUES (zeroblob(100000))");
    const int64_t root = number(db, "SELECT rootpage FROM sqlite_schema WHERE name = 'item'");
    db_close(db);
    const int fd = open("a.db", O_WRONLY | O_CLOEXEC);
    char garbage[PAGE];
    memset(garbage, 0x5a, sizeof garbage);
    cr_assert(pwrite(fd, garbage, sizeof garbage, (root - 1) * PAGE) == PAGE && close(fd) == 0);

    struct db *again AUTO(db_release) = open_as("a.db", DB_WRITE);
    struct error error = {0};
    struct db_rows rows AUTO(db_rows_release) = {0};
    bool found = true;
    cr_assert(db_query(again, "SELECT data FROM item", BIND_NOTHING, &rows, &error));
    cr_expect_not(db_next(&rows, &found, &error));
    cr_expect_eq(error.kind, ERROR_DAMAGED, "%s", error.text);
    cr_expect(found, "an output was touched on failure");
}

Test(db_faults, a_commit_that_fails_has_rolled_back)
{
    struct db *db AUTO(db_release) = open_as("a.db", DB_WRITE);
    struct error error = {0};
    begin(db);
    insert(db, 1);
    run(db, "INSERT INTO child VALUES (7)");
    cr_expect_not(db_commit(db, &error));
    cr_expect_eq(error.kind, ERROR_CONFLICT, "%s", error.text);
    cr_expect_eq(number(db, COUNT), 0);
    db_rollback(db);
    begin(db);
    insert(db, 2);
    commit(db);
    cr_expect_eq(number(db, COUNT), 1);
}

/* The first rollback of a connection has its statement to make, for which there may be no memory.
 */
Test(db_faults, a_rollback_that_fails_is_repeated_by_the_next_transaction)
{
    struct db *db AUTO(db_release) = open_as("a.db", DB_WRITE);
    struct error error = {0};
    run(db, "INSERT INTO item (id) VALUES (1)");
    cr_assert(db_begin(db, &error), "%s", error.text);
    run(db, "INSERT INTO item (id) VALUES (2)");
    (void)sqlite3_hard_heap_limit64(1);
    db_rollback(db);
    (void)sqlite3_hard_heap_limit64(0);
    cr_assert(db_begin(db, &error), "%s", error.text);
    run(db, "INSERT INTO item (id) VALUES (3)");
    cr_assert(db_commit(db, &error), "%s", error.text);
    cr_expect_eq(number(db, "SELECT sum(id) FROM item"), 4, "what was rolled back is there");
}

Test(db_faults, nothing_runs_in_a_transaction_that_sqlite_has_ended)
{
    struct db *db AUTO(db_release) = open_as("a.db", DB_WRITE);
    struct error error = {0};
    run(db, "PRAGMA max_page_count = 100");
    begin(db);
    insert(db, 1);
    cr_assert(db_savepoint(db, &error));
    cr_assert_not(
        db_run(db, INSERT, BIND(db_int(2), db_text(NULL), db_bytes(NULL, 0)), &error) &&
        db_run(db, "INSERT INTO item (data) VALUES (zeroblob(2000000))", BIND_NOTHING, &error));
    /* Each of these would otherwise be a transaction of its own. */
    error_clear(&error);
    cr_expect_not(db_savepoint_undo(db, &error));
    cr_expect_eq(error.kind, ERROR_UNAVAILABLE, "%s", error.text);
    cr_expect_not(db_savepoint(db, &error));
    cr_expect_not(db_run(db, INSERT, BIND(db_int(3), db_text(NULL), db_text(NULL)), &error));
    cr_expect_not(db_commit(db, &error));
    cr_expect_eq(number(db, COUNT), 0);
    begin(db);
    insert(db, 4);
    commit(db);
    cr_expect_eq(number(db, COUNT), 1);
}

static void copy_file(const char *from, const char *to)
{
    FILE *in = fopen(from, "re");
    FILE *out = fopen(to, "we");
    cr_assert(in && out);
    for (int c = fgetc(in); c != EOF; c = fgetc(in))
        (void)fputc(c, out);
    cr_assert(fclose(in) == 0 && fclose(out) == 0);
}

Test(db_faults, a_checkpoint_copies_the_whole_wal)
{
    struct db *db AUTO(db_release) = open_as("a.db", DB_WRITE);
    struct error error = {0};
    insert(db, 1);
    cr_assert(db_checkpoint(db, &error), "%s", error.text);
    copy_file("a.db", "copy.db");
    struct db *copy AUTO(db_release) = open_as("copy.db", DB_READ);
    cr_expect_eq(number(copy, COUNT), 1);
    cr_expect(size_of("a.db-wal") > 0, "it was truncated");
}

Test(db_faults, a_checkpoint_that_a_reader_holds_up_says_so)
{
    struct db *db AUTO(db_release) = open_as("a.db", DB_WRITE);
    struct db *reader AUTO(db_release) = open_as("a.db", DB_READ);
    run(db, "PRAGMA busy_timeout = 0");
    insert(db, 1);
    struct error error = {0};
    struct db_rows rows AUTO(db_rows_release) = {0};
    bool found = false;
    cr_assert(db_query(reader, "SELECT id FROM item", BIND_NOTHING, &rows, &error));
    cr_assert(db_next(&rows, &found, &error) && found);
    insert(db, 2);
    cr_expect_not(db_checkpoint(db, &error));
    cr_expect_eq(error.kind, ERROR_UNAVAILABLE, "%s", error.text);
}

Test(db_faults, a_long_wal_is_copied_and_used_again)
{
    struct db *db AUTO(db_release) = open_as("a.db", DB_WRITE);
    for (int i = 1; i <= 4; i++) {
        run(db, "INSERT INTO item (data) VALUES (zeroblob(20000000))");
        cr_expect(size_of("a.db") > i * 20000000, "not copied");
        cr_expect(size_of("a.db-wal") < 30000000, "not used again");
    }
}

Test(db_faults, a_short_wal_is_left_alone)
{
    struct db *db AUTO(db_release) = open_as("a.db", DB_WRITE);
    run(db, "INSERT INTO item (data) VALUES (zeroblob(12000000))");
    cr_expect(size_of("a.db") < 1000000);
}

/* The VFS that breaks. Two sets of methods, as SQLite has one for databases and one for the rest.
 */
enum breakage { BREAK_NOTHING, BREAK_DATABASE_SYNC, BREAK_LOG_SYNC };
static enum breakage breakage;
static bool without_shared_memory;
static sqlite3_vfs *real_vfs;
static sqlite3_vfs breaking_vfs;
static sqlite3_io_methods database_methods;
static sqlite3_io_methods log_methods;
static int (*real_sync)(sqlite3_file *file, int flags);

static int database_sync(sqlite3_file *file, int flags)
{
    return breakage == BREAK_DATABASE_SYNC ? SQLITE_IOERR_FSYNC : real_sync(file, flags);
}

static int log_sync(sqlite3_file *file, int flags)
{
    return breakage == BREAK_LOG_SYNC ? SQLITE_IOERR_FSYNC : real_sync(file, flags);
}

static int breaking_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                         int *out)
{
    (void)vfs;
    const int code = real_vfs->xOpen(real_vfs, name, file, flags, out);
    if (code != SQLITE_OK)
        return code;
    const bool database = flags & SQLITE_OPEN_MAIN_DB;
    sqlite3_io_methods *methods = database ? &database_methods : &log_methods;
    *methods = *file->pMethods;
    real_sync = methods->xSync;
    methods->xSync = database ? database_sync : log_sync;
    methods->iVersion = without_shared_memory ? 1 : methods->iVersion;
    file->pMethods = methods;
    return SQLITE_OK;
}

static void use_breaking_vfs(void)
{
    real_vfs = sqlite3_vfs_find(NULL);
    breaking_vfs = *real_vfs;
    breaking_vfs.zName = "breaking";
    breaking_vfs.xOpen = breaking_open;
    cr_assert(sqlite3_vfs_register(&breaking_vfs, 1) == SQLITE_OK);
}

Test(db_faults, the_breaking_vfs_breaks_nothing_by_itself)
{
    use_breaking_vfs();
    struct db *db AUTO(db_release) = open_as("a.db", DB_WRITE);
    insert(db, 1);
    struct error error = {0};
    cr_assert(db_checkpoint(db, &error), "%s", error.text);
    struct db *shared AUTO(db_release) = open_as("shared.db", DB_WRITE_SHARED);
    insert(shared, 1);
}

Test(db_faults, a_file_system_that_cannot_do_wal_is_refused)
{
    use_breaking_vfs();
    without_shared_memory = true;
    assert_refused("a.db", DB_WRITE, &SCHEMA, "journal_mode = WAL did not take");
}

static void commit_without_fsync(void)
{
    use_breaking_vfs();
    struct db *db = open_as("a.db", DB_WRITE);
    breakage = BREAK_LOG_SYNC;
    insert(db, 1);
}

Test(db_faults, a_failed_fsync_at_a_commit_stops_the_process)
{
    assert_aborts(commit_without_fsync);
}

static void commit_shared_without_fsync(void)
{
    use_breaking_vfs();
    struct db *db = open_as("a.db", DB_WRITE_SHARED);
    breakage = BREAK_DATABASE_SYNC;
    insert(db, 1);
}

Test(db_faults, a_failed_fsync_at_a_shared_commit_stops_the_process)
{
    assert_aborts(commit_shared_without_fsync);
}

static void checkpoint_without_fsync(void)
{
    use_breaking_vfs();
    struct db *db = open_as("a.db", DB_WRITE);
    insert(db, 1);
    breakage = BREAK_DATABASE_SYNC;
    struct error error = {0};
    (void)!db_checkpoint(db, &error);
}

Test(db_faults, a_failed_fsync_at_a_checkpoint_stops_the_process)
{
    assert_aborts(checkpoint_without_fsync);
}

static void fill_wal_without_fsync(void)
{
    use_breaking_vfs();
    struct db *db = open_as("a.db", DB_WRITE);
    breakage = BREAK_DATABASE_SYNC;
    run(db, "INSERT INTO item (data) VALUES (zeroblob(20000000))");
}

Test(db_faults, a_failed_fsync_at_the_checkpoint_of_a_long_wal_stops_the_process)
{
    assert_aborts(fill_wal_without_fsync);
}

/* Changes the first byte of the first place that holds the text. */
static void spoil(const char *path, const char *text)
{
    FILE *file = fopen(path, "r+e");
    const size_t length = strlen(text);
    char window[32] = "";
    cr_assert(file && length < sizeof window);
    for (int c = fgetc(file); c != EOF && memcmp(window, text, length) != 0; c = fgetc(file)) {
        memmove(window, window + 1, length - 1);
        window[length - 1] = (char)c;
    }
    cr_assert(memcmp(window, text, length) == 0 && fseek(file, -(long)length - 1, SEEK_CUR) == 0 &&
              fputc('X', file) == 'X' && fclose(file) == 0);
}

Test(db_faults, what_an_index_and_its_table_say_apart_is_damage)
{
    struct error error = {0};
    struct db *db = open_as("a.db", DB_WRITE);
    run(db, "INSERT INTO item (id, name) VALUES (1, 'the name of it')");
    cr_expect(db_verify(db, &error), "%s", error.text);
    db_close(db);
    spoil("a.db", "the name of it");
    struct db *copy AUTO(db_release) = open_as("a.db", DB_COPY);
    cr_expect_not(db_verify(copy, &error));
    cr_expect_eq(error.kind, ERROR_DAMAGED);
    cr_expect(strstr(error.text, "damaged: "), "%s", error.text);
}
