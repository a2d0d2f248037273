/* Every call to SQLite that an operation of the stores or the rules makes fails in turn: the
 * operation says so each time, with a kind and a sentence. Nothing is swallowed. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "failing_sqlite.h"
#include "failure_operations.h"
#include "intake_store.h"

enum { CALLS_MAX = 2000 };

static void run(struct db *db, const char *sql)
{
    struct error error = {0};
    cr_assert(db_run(db, sql, BIND_NOTHING, &error), "%s: %s", sql, error.text);
}

static void in_both(struct failure_bench *bench, const char *sql)
{
    run(bench->rules.intake, sql);
    run(bench->rules.decision, sql);
}

static void undo(struct failure_bench *bench)
{
    in_both(bench, "ROLLBACK TO try");
    in_both(bench, "RELEASE try");
}

/* Runs an operation with its nth call failing. True: there was an nth call. */
static bool fails_at(struct failure_bench *bench, const struct failure_operation *operation,
                     int64_t nth)
{
    struct error error = {0};
    in_both(bench, "SAVEPOINT try");
    sqlite_fails_at(nth);
    const bool done = operation->run(bench, &error);
    const bool failed = sqlite_has_failed();
    undo(bench);
    cr_expect_eq(done, !failed, "%s, call %d: the failure was swallowed, or: %s", operation->name,
                 (int)nth, error.text);
    cr_expect(done || (error.kind == ERROR_UNAVAILABLE && strstr(error.text, "store: ")),
              "%s, call %d: %s", operation->name, (int)nth, error.text);
    return failed;
}

Test(store_failures, every_call_that_fails_is_told_and_nothing_is_half_done)
{
    struct failure_bench bench AUTO(failure_bench_close);
    int64_t failed = 0;
    size_t count = 0;
    const struct failure_operation *operations = failure_operations(&count);
    failure_bench_open(&bench);
    for (size_t i = 0; i < count; i++) {
        int64_t nth = 1;
        while (nth < CALLS_MAX && fails_at(&bench, &operations[i], nth))
            nth++;
        cr_assert(nth > 1 && nth < CALLS_MAX, "%s: %d calls", operations[i].name, (int)nth);
        failed += nth - 1;
    }
    (void)fprintf(stderr, "store_failures: %d calls failed in turn\n", (int)failed);
}

/* Opens a store in a new file with the nth call failing, and then without. True: there was one. */
static bool open_fails_at(const struct failure_bench *bench, int64_t nth)
{
    struct buf path AUTO(buf_release) = {0};
    struct error error = {0};
    buf_printf(&path, "%s/new-%d.db", bench->rules.folder, (int)nth);
    sqlite_fails_at(nth);
    struct db *db AUTO(db_release) = db_open(buf_text(&path), DB_WRITE, intake_schema(), &error);
    const bool failed = sqlite_has_failed();
    cr_expect_eq(db != NULL, !failed, "call %d: %s", (int)nth, error.text);
    cr_expect(db || strstr(error.text, buf_text(&path)) == error.text, "call %d: %s", (int)nth,
              error.text);
    error_clear(&error);
    struct db *again AUTO(db_release) =
        db ? NULL : db_open(buf_text(&path), DB_WRITE, intake_schema(), &error);
    cr_expect(db || again, "what call %d left behind cannot be opened: %s", (int)nth, error.text);
    cr_expect(db || db_verify(again, &error), "call %d: %s", (int)nth, error.text);
    return failed;
}

Test(store_failures, a_store_whose_opening_fails_anywhere_is_opened_the_next_time)
{
    struct failure_bench bench AUTO(failure_bench_close);
    int64_t nth = 1;
    failure_bench_open(&bench);
    while (nth < CALLS_MAX && open_fails_at(&bench, nth))
        nth++;
    cr_expect(nth > 10 && nth < CALLS_MAX, "%d calls", (int)nth);
}

/* The transaction's own calls, outside the one that the bench keeps open. */
static bool begin_and_end(struct db *db, struct error *error)
{
    if (!db_begin(db, error))
        return false;
    if (db_savepoint(db, error) && db_savepoint_undo(db, error) && db_savepoint(db, error) &&
        db_savepoint_keep(db, error))
        return db_commit(db, error);
    db_rollback(db);
    return false;
}

Test(store_failures, a_transaction_that_fails_anywhere_is_over_and_the_next_one_works)
{
    struct failure_bench bench AUTO(failure_bench_close);
    struct error error = {0};
    failure_bench_open(&bench);
    db_rollback(bench.rules.intake);
    for (int64_t nth = 1; nth < CALLS_MAX; nth++) {
        error_clear(&error);
        sqlite_fails_at(nth);
        const bool done = begin_and_end(bench.rules.intake, &error);
        cr_expect_eq(done, !sqlite_has_failed(), "call %d: %s", (int)nth, error.text);
        if (done)
            break;
    }
    error_clear(&error);
    cr_expect(begin_and_end(bench.rules.intake, &error), "%s", error.text);
    sqlite_fails_at(1);
    cr_expect_not(db_verify(bench.rules.decision, &error));
    cr_expect(sqlite_has_failed());
}
