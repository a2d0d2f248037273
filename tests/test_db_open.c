/* Opening a database: what is refused and in which words, what is set, who else may have it open,
 * migrations. */
#include "db.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db_support.h"

enum { NOBODY = 65534 };

static const struct db_schema OLDER = {APPLICATION, MIGRATIONS, 1};
static const struct db_schema STRANGER = {APPLICATION + 1, MIGRATIONS, 2};

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    cr_assert(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

TestSuite(db_open, .init = enter_folder, .fini = leave_folder);

Test(db_open, files_are_for_the_owner_only_whatever_the_umask)
{
    (void)umask(0);
    struct db *db AUTO(db_release) = open_as("a.db", DB_WRITE);
    insert(db, 1);
    static const char *const FILES[] = {"a.db", "a.db-wal", "a.db-shm", "a.db.lock"};
    for (size_t i = 0; i < sizeof FILES / sizeof FILES[0]; i++) {
        struct stat status = {0};
        cr_assert(stat(FILES[i], &status) == 0, "%s", FILES[i]);
        cr_expect_eq(status.st_mode & 0777, 0600, "%s has %o", FILES[i], status.st_mode);
    }
}

Test(db_open, pragmas_are_as_the_mode_says)
{
    static const struct {
        const char *path;
        enum db_mode mode;
        const char *journal;
        int64_t synchronous;
    } CASES[] = {{"a.db", DB_WRITE, "wal", 2},
                 {"shared.db", DB_WRITE_SHARED, "persist", 2},
                 {"a.db", DB_READ, "wal", 2}};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct db *db AUTO(db_release) = open_as(CASES[i].path, CASES[i].mode);
        struct error error = {0};
        struct db_rows rows AUTO(db_rows_release) = {0};
        bool found = false;
        cr_assert(db_query(db, "PRAGMA journal_mode", BIND_NOTHING, &rows, &error) &&
                  db_next(&rows, &found, &error) && found);
        cr_expect_str_eq(db_column_text(&rows, 0), CASES[i].journal, "case %zu", i);
        cr_expect_eq(number(db, "PRAGMA synchronous"), CASES[i].synchronous, "case %zu", i);
        cr_expect_eq(number(db, "PRAGMA foreign_keys"), 1, "case %zu", i);
        cr_expect_eq(number(db, "PRAGMA page_size"), PAGE, "case %zu", i);
        cr_expect_eq(number(db, "PRAGMA user_version"), 2, "case %zu", i);
        cr_expect_eq(number(db, "PRAGMA application_id"), APPLICATION, "case %zu", i);
    }
}

Test(db_open, the_schema_cannot_be_written_by_hand)
{
    struct db *db AUTO(db_release) = open_as("a.db", DB_WRITE);
    struct error error = {0};
    run(db, "PRAGMA writable_schema = ON"); /* taken, without effect */
    cr_expect_not(db_run(db, "DELETE FROM sqlite_schema", BIND_NOTHING, &error));
    run(db, "PRAGMA journal_mode = OFF");
    cr_expect_eq(number(db, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
}

Test(db_open, a_path_that_is_no_store_is_refused_by_name)
{
    cr_assert(mkdir("folder", 0700) == 0);
    write_file("text.db", "this is no database, and it is longer than the header of one");
    write_file("empty.db", "");
    write_file("real.db", "");
    cr_assert(symlink("real.db", "link.db") == 0);
    cr_assert(mkfifo("pipe.db", 0600) == 0);
    static const struct {
        const char *path;
        enum db_mode mode;
        const char *reason;
    } CASES[] = {
        {"absent/a.db", DB_WRITE, "No such file"},  {"absent/a.db", DB_READ, "No such file"},
        {"absent.db", DB_READ, "No such file"},     {"folder", DB_WRITE, "is a folder"},
        {"folder", DB_READ, "is a folder"},         {"folder/", DB_WRITE, "is a folder"},
        {"text.db", DB_WRITE, "not a database"},    {"text.db", DB_READ, "not a database"},
        {"link.db", DB_WRITE, "is a link"},         {"pipe.db", DB_WRITE, "a device"},
        {"empty.db", DB_READ, "application_id"},    {"text.db/a.db", DB_WRITE, "Not a directory"},
        {"text.db", DB_WRITE_SHARED, "not a data"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        assert_refused(CASES[i].path, CASES[i].mode, &SCHEMA, CASES[i].reason);
    cr_expect_eq(size_of("empty.db"), 0);
}

Test(db_open, without_memory_it_is_unavailable_and_not_misconfigured)
{
    struct error error = {0};
    cr_assert(sqlite3_initialize() == SQLITE_OK);
    (void)sqlite3_hard_heap_limit64(1);
    struct db *db AUTO(db_release) = db_open("a.db", DB_WRITE, &SCHEMA, &error);
    (void)sqlite3_hard_heap_limit64(0);
    cr_assert_null(db);
    cr_expect_eq(error.kind, ERROR_UNAVAILABLE, "%s", error.text);
}

Test(db_open, a_link_to_the_folder_is_followed)
{
    cr_assert(mkdir("private", 0700) == 0 && symlink("private", "state") == 0);
    struct db *db AUTO(db_release) = open_as("state/a.db", DB_WRITE);
    insert(db, 1);
    cr_expect(size_of("private/a.db") >= 0);
}

Test(db_open, what_may_not_be_written_is_refused)
{
    struct db *db = open_as("a.db", DB_WRITE);
    db_close(db);
    cr_assert(mkdir("shut", 0755) == 0 && chmod("a.db", 0444) == 0 && chmod(folder, 0755) == 0);
    cr_assert(chmod("a.db.lock", 0666) == 0);
    struct db *half = open_as("half.db", DB_WRITE);
    db_close(half);
    cr_assert(chmod("half.db", 0666) == 0 && chmod("half.db.lock", 0666) == 0);
    cr_assert(geteuid() != 0 || seteuid(NOBODY) == 0);
    assert_refused("shut/a.db", DB_WRITE, &SCHEMA, "lock file: Permission denied");
    assert_refused("shut/a.db", DB_WRITE_SHARED, &SCHEMA, "create it: Permission denied");
    assert_refused("a.db", DB_WRITE, &SCHEMA, "read-only");
    assert_refused("half.db", DB_WRITE, &SCHEMA, "readonly"); /* no place for the WAL */
    cr_assert(geteuid() != NOBODY || seteuid(0) == 0);
}

Test(db_open, a_store_of_another_kind_or_time_is_refused_and_left_alone)
{
    db_close(open_as("a.db", DB_WRITE));
    assert_refused("a.db", DB_WRITE, &OLDER, "version 2, newer than the 1 ");
    assert_refused("a.db", DB_WRITE_SHARED, &OLDER, "version 2, newer than the 1 ");
    assert_refused("a.db", DB_READ, &OLDER, "version 2, newer than the 1 ");
    assert_refused("a.db", DB_WRITE, &STRANGER, "application_id is 1112229463, not 1112229464");
    assert_refused("a.db", DB_READ, &STRANGER, "application_id");

    struct error error = {0};
    db_close(db_open("old.db", DB_WRITE, &OLDER, &error));
    assert_refused("old.db", DB_READ, &SCHEMA, "version 1, older than the 2 ");
    db_close(open_as("old.db", DB_WRITE));
    db_close(open_as("old.db", DB_READ));

    sqlite3 *foreign = NULL;
    cr_assert(sqlite3_open("foreign.db", &foreign) == SQLITE_OK);
    cr_assert(sqlite3_exec(foreign, "CREATE TABLE x (y)", NULL, NULL, NULL) == SQLITE_OK);
    (void)sqlite3_close(foreign);
    assert_refused("foreign.db", DB_WRITE, &SCHEMA, "application_id is 0, not");
    cr_expect(size_of("foreign.db-wal") < 0, "its journal mode was changed");
}

Test(db_open, a_migration_is_all_or_nothing)
{
    static const struct db_migration BROKEN[] = {
        {{"CREATE TABLE first (x) STRICT;"}},
        {{"CREATE TABLE first (x INTEGER) STRICT;"}},
        {{"CREATE TABLE second (x INTEGER) STRICT;", "CREATE TABLE first (x INTEGER) STRICT;"}},
    };
    static const struct db_migration WHOLE[] = {
        {{NULL}},
        {{"CREATE TABLE first (x INTEGER) STRICT;"}},
        {{"CREATE TABLE second (x INTEGER) STRICT;", "CREATE TABLE third (x INTEGER) STRICT;"}},
    };
    static const struct db_schema FIRST_BROKEN = {APPLICATION, BROKEN, 1};
    static const struct db_schema THIRD_BROKEN = {APPLICATION, BROKEN, 3};
    static const struct db_schema TWO = {APPLICATION, WHOLE, 2};
    static const struct db_schema THREE = {APPLICATION, WHOLE, 3};
    struct error error = {0};
    cr_assert_null(db_open("a.db", DB_WRITE, &FIRST_BROKEN, &error));
    cr_expect(strstr(error.text, "migration to version 1"), "%s", error.text);

    struct db *two = db_open("a.db", DB_WRITE, &TWO, &(struct error){0});
    cr_assert(two);
    db_close(two);
    error_clear(&error);
    cr_assert_null(db_open("a.db", DB_WRITE, &THIRD_BROKEN, &error));
    cr_expect_eq(error.kind, ERROR_DAMAGED);
    cr_expect(strstr(error.text, "migration to version 3: store: table first"), "%s", error.text);

    struct db *same AUTO(db_release) = db_open("a.db", DB_READ, &TWO, &(struct error){0});
    cr_assert(same, "the version went up");
    cr_expect_eq(number(same, "SELECT count(*) FROM sqlite_schema WHERE name = 'second'"), 0);
    struct db *three AUTO(db_release) = db_open("a.db", DB_WRITE, &THREE, &(struct error){0});
    cr_assert(three);
    cr_expect_eq(number(three, "SELECT count(*) FROM second"), 0);
}

Test(db_open, a_store_has_one_writer_and_any_readers)
{
    struct db *first = open_as("a.db", DB_WRITE);
    assert_refused("a.db", DB_WRITE, &SCHEMA, "is in use by another worker");
    struct db *reader = open_as("a.db", DB_READ);
    struct db *other = open_as("b.db", DB_WRITE);
    db_close(first);
    struct db *second = open_as("a.db", DB_WRITE);
    assert_refused("a.db", DB_WRITE, &SCHEMA, "is in use by another worker");
    db_close(second);
    db_close(other);
    db_close(reader);
}

Test(db_open, a_refused_opener_leaves_the_lock_to_the_holder)
{
    struct db *db AUTO(db_release) = open_as("a.db", DB_WRITE);
    assert_refused("a.db", DB_WRITE, &SCHEMA, "is in use");
    insert(db, 1);
    assert_refused("a.db", DB_WRITE, &SCHEMA, "is in use");
}

/* As nobody: for root every folder may be written. */
Test(db_open, a_copy_is_read_where_nothing_may_be_written_and_nothing_is_left_beside_it)
{
    static const char NAME[] = "copies/a copy?of#100%41.db";
    struct db *db = open_as("a.db", DB_WRITE);
    insert(db, 1);
    db_close(db);
    cr_assert(mkdir("copies", 0755) == 0 && rename("a.db", NAME) == 0);
    cr_assert(chmod(NAME, 0444) == 0 && chmod("copies", 0555) == 0 && chmod(folder, 0755) == 0);
    cr_assert(geteuid() != 0 || seteuid(NOBODY) == 0);
    struct db *copy AUTO(db_release) = open_as(NAME, DB_COPY);
    cr_expect_eq(number(copy, COUNT), 1);
    cr_expect_not(db_run(copy, "DELETE FROM item", BIND_NOTHING, &(struct error){0}));
    cr_assert(geteuid() != NOBODY || seteuid(0) == 0);
    cr_expect(size_of("copies/a copy?of#100%41.db-wal") < 0, "a WAL was left");
    cr_expect(size_of("copies/a copy?of#100%41.db-shm") < 0, "an index of the WAL was left");
    cr_assert(chmod("copies", 0755) == 0);
}

Test(db_open, a_copy_with_a_wal_beside_it_has_what_is_in_the_wal)
{
    struct db *db AUTO(db_release) = open_as("a.db", DB_WRITE);
    insert(db, 1);
    cr_assert(size_of("a.db-wal") > 0);
    struct db *copy AUTO(db_release) = open_as("a.db", DB_COPY);
    cr_expect_eq(number(copy, COUNT), 1);
    assert_refused("absent.db", DB_COPY, &SCHEMA, "No such file");
    assert_refused("a.db", DB_COPY, &OLDER, "version 2, newer than the 1 ");
    assert_refused("a.db", DB_COPY, &STRANGER, "application_id");
}
