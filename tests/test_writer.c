/* The writer, mostly on one thread, step by step; at the end with its own. */
#include "writer.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "db_support.h"

enum { MANY = 10000, LIMIT_MS = 60000 };

TestSuite(writer, .init = enter_folder, .fini = leave_folder);

/* What done() was told, in order. */
struct told {
    size_t count;
    int64_t ids[WRITER_BATCH * 2];
    enum error_kind kinds[WRITER_BATCH * 2];
    char text[384]; /* of the last failure */
};

struct insertion {
    struct operation operation; /* first: operations are cast back */
    int64_t id;
    const char *then; /* run behind the insert */
    bool swallow;     /* take a failure of `then` as fine */
    struct told *told;
    struct writer *again; /* done() submits it there once more, as id + 1 */
};

static bool apply_insertion(struct operation *operation, struct db *db, struct error *error)
{
    const struct insertion *self = (struct insertion *)operation;
    if (!db_run(db, INSERT, BIND(db_int(self->id), db_text(NULL), db_text(NULL)), error))
        return false;
    return !self->then || db_run(db, self->then, BIND_NOTHING, error) || self->swallow;
}

static void insertion_done(struct operation *operation, const struct error *failure)
{
    struct insertion *self = (struct insertion *)operation;
    struct told *told = self->told;
    cr_assert(told->count < sizeof told->ids / sizeof told->ids[0]);
    told->ids[told->count] = self->id;
    told->kinds[told->count++] = failure ? failure->kind : ERROR_NONE;
    struct writer *again = self->again;
    if (!again)
        free(self);
    if (failure) /* still readable: it is not the operation's */
        (void)snprintf(told->text, sizeof told->text, "%s", failure->text);
    if (again) {
        self->again = NULL;
        self->id++;
        writer_submit(again, operation);
    }
}

static struct insertion *submit(struct writer *writer, struct told *told, int64_t id,
                                const char *then)
{
    struct insertion *self = calloc(1, sizeof *self);
    cr_assert(self);
    *self = (struct insertion){
        .operation = {.apply = apply_insertion, .done = insertion_done},
        .id = id,
        .then = then,
        .told = told,
    };
    writer_submit(writer, &self->operation);
    return self;
}

static struct writer *new_writer(void)
{
    return writer_new(open_as("a.db", DB_WRITE), NULL, NULL);
}

/* As another process would see it. */
static int64_t stored(const char *sql)
{
    struct db *reader AUTO(db_release) = open_as("a.db", DB_READ);
    return number(reader, sql);
}

static void count_wake(void *context)
{
    int *wakes = context;
    (*wakes)++;
}

Test(writer, an_operation_is_told_after_its_commit_and_in_order)
{
    int wakes = 0;
    struct told told = {0};
    struct writer *writer = writer_new(open_as("a.db", DB_WRITE), count_wake, &wakes);
    cr_expect_eq(writer_step(writer), 0);
    cr_expect_eq(wakes, 0);
    for (int64_t id = 1; id <= 3; id++)
        (void)submit(writer, &told, id, NULL);
    cr_expect_eq(writer_pending(writer), 3);
    cr_expect_eq(writer_deliver(writer), 0);
    cr_expect_eq(writer_step(writer), 3);
    cr_expect_eq(wakes, 1);
    cr_expect_eq(stored(COUNT), 3);
    cr_expect_eq(told.count, 0, "told before writer_deliver()");
    cr_expect_eq(writer_deliver(writer), 3);
    cr_expect_eq(writer_pending(writer), 0);
    for (size_t i = 0; i < 3; i++) {
        cr_expect_eq(told.ids[i], (int64_t)i + 1);
        cr_expect_eq(told.kinds[i], ERROR_NONE);
    }
    const struct writer_counters counters = writer_counters(writer);
    cr_expect(counters.operations == 3 && counters.commits == 1 && counters.failed_commits == 0);
    writer_free(writer);
}

Test(writer, a_batch_has_a_limit)
{
    struct told told = {0};
    struct writer *writer = new_writer();
    for (int64_t id = 0; id <= WRITER_BATCH; id++)
        (void)submit(writer, &told, id, NULL);
    cr_expect_eq(writer_step(writer), WRITER_BATCH);
    cr_expect_eq(stored(COUNT), WRITER_BATCH);
    cr_expect_eq(writer_step(writer), 1);
    cr_expect_eq(writer_deliver(writer), WRITER_BATCH + 1);
    cr_expect_eq(writer_counters(writer).commits, 2);
    for (size_t i = 0; i < told.count; i++)
        cr_assert_eq(told.ids[i], (int64_t)i);
    writer_free(writer);
}

Test(writer, an_operation_that_fails_is_undone_alone)
{
    struct told told = {0};
    struct writer *writer = new_writer();
    (void)submit(writer, &told, 1, NULL);
    (void)submit(writer, &told, 2, "INSERT INTO item (id) VALUES (1)");
    (void)submit(writer, &told, 1, NULL); /* sees its neighbour */
    (void)submit(writer, &told, 4, NULL);
    cr_expect_eq(writer_step(writer), 4);
    cr_expect_eq(writer_deliver(writer), 4);
    static const enum error_kind KINDS[] = {ERROR_NONE, ERROR_CONFLICT, ERROR_CONFLICT, ERROR_NONE};
    for (size_t i = 0; i < 4; i++)
        cr_expect_eq(told.kinds[i], KINDS[i], "operation %zu", i);
    cr_expect_eq(stored("SELECT sum(1 << id) FROM item"), 1 << 1 | 1 << 4);
    const struct writer_counters counters = writer_counters(writer);
    cr_expect(counters.operations == 4 && counters.commits == 1 && counters.failed_commits == 0);
    writer_free(writer);
}

Test(writer, a_failure_the_operation_did_without_is_not_told)
{
    struct told told = {0};
    struct writer *writer = new_writer();
    submit(writer, &told, 1, "INSERT INTO item (id) VALUES (1)")->swallow = true;
    cr_expect_eq(writer_step(writer), 1);
    cr_expect_eq(writer_deliver(writer), 1);
    cr_expect_eq(told.kinds[0], ERROR_NONE);
    cr_expect_eq(stored(COUNT), 1);
    writer_free(writer);
}

/* Each way in which a batch is lost: nobody is told that it is durable, nothing is left, and the
 * next batch works. The guilty operation runs in the middle of three. */
Test(writer, a_batch_that_is_lost_fails_every_operation_of_it)
{
    static const struct {
        const char *name;
        const char *then;
        bool swallow;
        const char *reason;
    } CASES[] = {
        {"the commit fails", "INSERT INTO child VALUES (7)", false, "FOREIGN KEY"},
        {"the disk is full", "INSERT INTO item (data) VALUES (zeroblob(2000000))", false,
         "ended the transaction"},
        {"full and ignored", "INSERT INTO item (data) VALUES (zeroblob(2000000))", true,
         "ended the transaction"},
    };
    struct db *db = open_as("a.db", DB_WRITE);
    run(db, "PRAGMA max_page_count = 100");
    struct writer *writer = writer_new(db, NULL, NULL);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct told told = {0};
        (void)submit(writer, &told, 10, NULL);
        submit(writer, &told, 20, CASES[i].then)->swallow = CASES[i].swallow;
        (void)submit(writer, &told, 10, NULL); /* would have failed by itself */
        cr_expect_eq(writer_step(writer), 3);
        cr_expect_eq(writer_deliver(writer), 3);
        for (size_t k = 0; k < 3; k++)
            cr_expect_eq(told.kinds[k], ERROR_UNAVAILABLE, "%s: operation %zu", CASES[i].name, k);
        cr_expect(strstr(told.text, CASES[i].reason), "%s: %s", CASES[i].name, told.text);
        cr_expect_eq(stored(COUNT), (int64_t)i, "%s left something", CASES[i].name);
        cr_expect_eq(writer_counters(writer).failed_commits, (int64_t)i + 1);

        (void)submit(writer, &told, (int64_t)i, NULL);
        cr_expect_eq(writer_step(writer), 1);
        cr_expect_eq(writer_deliver(writer), 1);
        cr_expect_eq(told.kinds[3], ERROR_NONE, "%s: the next batch fails too", CASES[i].name);
    }
    writer_free(writer);
}

Test(writer, a_transaction_that_cannot_begin_fails_its_batch)
{
    struct db *holder AUTO(db_release) = open_as("a.db", DB_WRITE_SHARED);
    struct db *db = open_as("a.db", DB_WRITE_SHARED);
    run(db, "PRAGMA busy_timeout = 0");
    struct writer *writer = writer_new(db, NULL, NULL);
    struct told told = {0};
    begin(holder);
    (void)submit(writer, &told, 1, NULL);
    cr_expect_eq(writer_step(writer), 1);
    cr_expect_eq(writer_deliver(writer), 1);
    cr_expect_eq(told.kinds[0], ERROR_UNAVAILABLE);
    cr_expect(strstr(told.text, "locked"), "%s", told.text);
    db_rollback(holder);
    (void)submit(writer, &told, 1, NULL);
    cr_expect_eq(writer_step(writer), 1);
    cr_expect_eq(writer_deliver(writer), 1);
    cr_expect_eq(told.kinds[1], ERROR_NONE);
    writer_free(writer);
}

static bool apply_wordless(struct operation *operation, struct db *db, struct error *error)
{
    (void)operation;
    (void)db;
    (void)error;
    return false;
}

static void fail_wordlessly(void)
{
    struct writer *writer = new_writer();
    struct operation operation = {.apply = apply_wordless, .done = insertion_done};
    writer_submit(writer, &operation);
    (void)writer_step(writer);
}

Test(writer, a_failure_without_a_reason_is_a_bug)
{
    assert_aborts(fail_wordlessly);
}

Test(writer, what_done_submits_waits_for_the_next_step)
{
    struct told told = {0};
    struct writer *writer = new_writer();
    submit(writer, &told, 1, NULL)->again = writer;
    cr_expect_eq(writer_step(writer), 1);
    cr_expect_eq(writer_deliver(writer), 1);
    cr_expect_eq(writer_pending(writer), 1);
    cr_expect_eq(writer_deliver(writer), 0);
    cr_expect_eq(writer_step(writer), 1);
    cr_expect_eq(writer_deliver(writer), 1);
    cr_expect_eq(told.ids[1], 2);
    cr_expect_eq(told.kinds[1], ERROR_NONE);
    cr_expect_eq(stored(COUNT), 2);
    writer_free(writer);
}

Test(writer, freeing_finishes_tells_and_closes)
{
    struct told told = {0};
    struct writer *writer = new_writer();
    for (int64_t id = 0; id <= WRITER_BATCH; id++)
        submit(writer, &told, 2 * id, NULL)->again = id == 0 ? writer : NULL;
    writer_free(writer);
    cr_expect_eq(told.count, WRITER_BATCH + 2);
    cr_expect_eq(told.ids[told.count - 1], 1, "what done() submitted");
    cr_expect_eq(told.kinds[told.count - 1], ERROR_NONE);
    cr_expect(size_of("a.db-wal") < 0, "the database was not closed");
    struct db *next AUTO(db_release) = open_as("a.db", DB_WRITE);
    cr_expect_eq(number(next, COUNT), WRITER_BATCH + 2);
    writer_free(NULL);
}

/* With its own thread; the wake-up is a byte through a pipe. */
struct many {
    int64_t next; /* the id that must be told now */
    int64_t failed;
};

struct numbered {
    struct operation operation;
    int64_t id;
    int deliveries;
    struct many *many;
};

static bool apply_numbered(struct operation *operation, struct db *db, struct error *error)
{
    const struct numbered *self = (struct numbered *)operation;
    if (!db_run(db, INSERT, BIND(db_int(self->id), db_text(NULL), db_text(NULL)), error))
        return false;
    return self->id % 10 != 0 || error_set(error, ERROR_CONFLICT, "every tenth");
}

static void numbered_done(struct operation *operation, const struct error *failure)
{
    struct numbered *self = (struct numbered *)operation;
    cr_assert_eq(self->id, self->many->next, "out of order");
    cr_assert_eq(failure != NULL, self->id % 10 == 0);
    self->deliveries++;
    self->many->next++;
    self->many->failed += failure ? 1 : 0;
}

static void write_byte(void *context)
{
    const int *fd = context;
    cr_assert(write(*fd, "", 1) == 1);
}

Test(writer, its_thread_delivers_each_of_many_once)
{
    int ends[2];
    cr_assert(pipe(ends) == 0);
    struct numbered *all = calloc(MANY, sizeof *all);
    struct many many = {0};
    struct writer *writer = writer_new(open_as("a.db", DB_WRITE), write_byte, &ends[1]);
    struct error error = {0};
    cr_assert(writer_start(writer, &error), "%s", error.text);
    int64_t wakes = 0;
    for (int64_t id = 0; id < MANY; id++) {
        all[id] = (struct numbered){{apply_numbered, numbered_done, NULL, {0}}, id, 0, &many};
        writer_submit(writer, &all[id].operation);
        if (id % 1000 == 0) /* as a loop would, in between */
            (void)writer_deliver(writer);
    }
    while (writer_pending(writer) > 0) {
        struct pollfd ready = {.fd = ends[0], .events = POLLIN};
        char byte = 0;
        cr_assert(poll(&ready, 1, LIMIT_MS) == 1, "nobody woke the loop");
        cr_assert(read(ends[0], &byte, 1) == 1);
        wakes++;
        (void)writer_deliver(writer);
    }
    for (int64_t id = 0; id < MANY; id++)
        cr_assert_eq(all[id].deliveries, 1);
    const struct writer_counters counters = writer_counters(writer);
    cr_expect_eq(many.failed, MANY / 10);
    cr_expect_eq(counters.operations, MANY);
    cr_expect(counters.commits >= MANY / WRITER_BATCH && wakes <= counters.commits);
    cr_expect_eq(stored(COUNT), MANY - MANY / 10);
    writer_free(writer);
    free(all);
    cr_assert(close(ends[0]) == 0 && close(ends[1]) == 0);
}

Test(writer, its_thread_finishes_what_is_submitted_before_it_stops)
{
    struct told told = {0};
    struct writer *writer = new_writer();
    struct error error = {0};
    for (int64_t id = 0; id < 300; id++)
        (void)submit(writer, &told, id, NULL);
    cr_assert(writer_start(writer, &error), "%s", error.text);
    writer_free(writer);
    cr_expect_eq(told.count, 300);
    for (size_t i = 0; i < told.count; i++) {
        cr_assert_eq(told.ids[i], (int64_t)i);
        cr_assert_eq(told.kinds[i], ERROR_NONE);
    }
}

Test(writer, an_idle_thread_stops_at_once)
{
    struct writer *writer = new_writer();
    struct error error = {0};
    cr_assert(writer_start(writer, &error), "%s", error.text);
    writer_free(writer);
}
