/* Statements, values, rows, transactions and savepoints, and who sees what. Opening is in
 * test_db_open.c, what fails in test_db_faults.c. */
#include "db.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "db_support.h"

TestSuite(db, .init = enter_folder, .fini = leave_folder);

Test(db, values_of_every_type_come_back)
{
    struct db *db AUTO(db_release) = open_as("a.db", DB_WRITE);
    struct error error = {0};
    cr_assert(
        db_run(db, INSERT, BIND(db_int(INT64_MIN), db_text("é"), db_bytes("a\0b", 3)), &error));
    cr_expect_eq(db_changes(db), 1);
    cr_assert(db_run(db, INSERT, BIND(db_int(2), db_text(NULL), db_bytes(NULL, 0)), &error));
    cr_assert(db_run(db, INSERT, BIND(db_int(3), db_text(""), db_text(NULL)), &error));

    struct db_rows rows AUTO(db_rows_release) = {0};
    cr_assert(db_query(db, "SELECT id, name, data FROM item WHERE id <> ?1 ORDER BY id",
                       BIND(db_int(0)), &rows, &error));
    bool found = false;
    size_t length = 9;
    cr_assert(db_next(&rows, &found, &error) && found);
    cr_expect_eq(db_column_int(&rows, 0), INT64_MIN);
    cr_expect_str_eq(db_column_text(&rows, 1), "é");
    cr_expect_arr_eq(db_column_bytes(&rows, 2, &length), "a\0b", 3);
    cr_expect_eq(length, 3);

    cr_assert(db_next(&rows, &found, &error) && found);
    cr_expect_str_eq(db_column_text(&rows, 1), "");
    cr_expect(db_column_is_null(&rows, 1));
    cr_expect_not(db_column_is_null(&rows, 2), "bytes without length are not NULL");
    (void)db_column_bytes(&rows, 2, &length);
    cr_expect_eq(length, 0);

    cr_assert(db_next(&rows, &found, &error) && found);
    cr_expect_not(db_column_is_null(&rows, 1));
    cr_expect(db_column_is_null(&rows, 2));
    cr_expect_eq(error.kind, ERROR_NONE);
}

Test(db, rows_stay_at_their_end)
{
    struct db *db AUTO(db_release) = open_as("a.db", DB_WRITE);
    struct error error = {0};
    insert(db, 1);
    struct db_rows rows AUTO(db_rows_release) = {0};
    cr_assert(db_query(db, COUNT, BIND_NOTHING, &rows, &error));
    bool found = false;
    cr_assert(db_next(&rows, &found, &error) && found);
    for (int i = 0; i < 3; i++)
        cr_assert(db_next(&rows, &found, &error) && !found);
}

Test(db, changes_counts_what_the_last_statement_did)
{
    struct db *db AUTO(db_release) = open_as("a.db", DB_WRITE);
    insert(db, 1);
    insert(db, 2);
    run(db, "UPDATE item SET note = 'x'");
    cr_expect_eq(db_changes(db), 2);
    run(db, "UPDATE item SET note = 'x' WHERE id = 7");
    cr_expect_eq(db_changes(db), 0);
}

Test(db, a_reused_buffer_runs_what_it_says_now)
{
    struct db *db AUTO(db_release) = open_as("a.db", DB_WRITE);
    char sql[32];
    (void)snprintf(sql, sizeof sql, "SELECT %d", 1);
    cr_expect_eq(number(db, sql), 1);
    (void)snprintf(sql, sizeof sql, "SELECT %d", 2);
    cr_expect_eq(number(db, sql), 2);
}

static void query_twice(void)
{
    struct db *db = open_as("a.db", DB_WRITE);
    struct error error = {0};
    struct db_rows outer = {0};
    struct db_rows inner = {0};
    cr_assert(db_query(db, COUNT, BIND_NOTHING, &outer, &error));
    (void)!db_query(db, COUNT, BIND_NOTHING, &inner, &error);
}

Test(db, the_same_query_twice_at_once_is_a_bug)
{
    assert_aborts(query_twice);
}

static void bind_too_little(void)
{
    struct db *db = open_as("a.db", DB_WRITE);
    struct error error = {0};
    (void)!db_run(db, INSERT, BIND(db_int(1)), &error);
}

Test(db, a_missing_value_is_a_bug)
{
    assert_aborts(bind_too_little);
}

Test(db, two_may_write_a_shared_store_in_turns)
{
    struct db *one AUTO(db_release) = open_as("a.db", DB_WRITE_SHARED);
    struct db *two AUTO(db_release) = open_as("a.db", DB_WRITE_SHARED);
    run(two, "PRAGMA busy_timeout = 0");
    begin(one);
    insert(one, 1);
    struct error error = {0};
    cr_expect_not(db_begin(two, &error));
    cr_expect_eq(error.kind, ERROR_UNAVAILABLE, "%s", error.text);
    /* Opening a third must not drop the locks of the first, though it is the same process. */
    struct db *three AUTO(db_release) = open_as("a.db", DB_READ);
    cr_expect_eq(number(three, COUNT), 0);
    cr_expect_not(db_begin(two, &error));
    commit(one);
    begin(two);
    insert(two, 2);
    commit(two);
    cr_expect_eq(number(one, COUNT), 2);
}

Test(db, a_reader_sees_only_what_is_committed)
{
    struct db *writer AUTO(db_release) = open_as("a.db", DB_WRITE);
    struct db *reader AUTO(db_release) = open_as("a.db", DB_READ);
    begin(writer);
    insert(writer, 1);
    cr_expect_eq(number(reader, COUNT), 0);
    commit(writer);
    cr_expect_eq(number(reader, COUNT), 1);
    begin(writer);
    insert(writer, 2);
    db_rollback(writer);
    cr_expect_eq(number(reader, COUNT), 1);
    cr_expect_eq(number(writer, COUNT), 1);
}

Test(db, a_reader_neither_writes_nor_checkpoints)
{
    struct db *writer = open_as("a.db", DB_WRITE);
    insert(writer, 1);
    struct db *reader = open_as("a.db", DB_READ);
    struct error error = {0};
    cr_expect_not(db_run(reader, INSERT, BIND(db_int(2), db_text(NULL), db_text(NULL)), &error));
    cr_expect_eq(error.kind, ERROR_UNAVAILABLE, "%s", error.text);
    const off_t wal = size_of("a.db-wal");
    cr_assert(wal > 0);
    db_close(reader);
    cr_expect_eq(size_of("a.db-wal"), wal);
    db_close(writer);
}

Test(db, savepoints_nest)
{
    struct db *db AUTO(db_release) = open_as("a.db", DB_WRITE);
    struct error error = {0};
    begin(db);
    cr_assert(db_savepoint(db, &error));
    insert(db, 1);
    cr_assert(db_savepoint(db, &error));
    insert(db, 2);
    cr_assert(db_savepoint_undo(db, &error));
    cr_assert(db_savepoint(db, &error));
    insert(db, 3);
    cr_assert(db_savepoint_keep(db, &error));
    cr_assert(db_savepoint_keep(db, &error));
    cr_assert(db_savepoint(db, &error));
    insert(db, 4);
    cr_assert(db_savepoint(db, &error));
    insert(db, 5);
    cr_assert(db_savepoint_keep(db, &error));
    cr_assert(db_savepoint_undo(db, &error));
    commit(db);
    cr_expect_eq(number(db, "SELECT sum(1 << id) FROM item"), 1 << 1 | 1 << 3);
}

static void leave_savepoint_open(void)
{
    struct db *db = open_as("a.db", DB_WRITE);
    struct error error = {0};
    begin(db);
    cr_assert(db_savepoint(db, &error));
    (void)!db_commit(db, &error);
}

Test(db, a_savepoint_left_open_is_a_bug)
{
    assert_aborts(leave_savepoint_open);
}
