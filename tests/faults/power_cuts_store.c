/* A worker's store under work, and what must be true of it after the power came back: it opens, it
 * is whole, everything acknowledged is there, and booking, outbox and trail tell one story. */
#include "power_cuts_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit.h"
#include "decision_store.h"
#include "intake_store.h"
#include "power_cuts_work.h"

enum { BATCH = 8, GO_ON_TRIES = 2, AGAIN = 100 /* slots that no script has */ };

/* A letter and a number are an act (power_cuts_acts.c), a point commits what is before it, K copies
 * the WAL into the database. */
static const char INTAKE_SCRIPT[] =
    "A0A1A2A3A4. B0B1. S0. Y0C1. F0. K S0. B2B3B4. N2X0. S0. K Y3S0. C3.";
static const char DECISION_SCRIPT[] = "B0B1B2. Y0N1. S0. K C2. F0. X0S0.";

/* How the last transition, the trail and the outbox may disagree. A `own` event is one that this
 * store has to publish: it waits in the outbox or is noted as published, once, and nothing else is.
 */
#define CONTRADICTIONS(own)                                                                        \
    "WITH facts (id, own, sent) AS (SELECT event_id, (" own ") AND event NOT LIKE 'PUBLISH%',"     \
    "  event = 'PUBLISHED' FROM audit UNION ALL SELECT event_id, 0, 1 FROM outbox)"                \
    "SELECT (SELECT count(*) FROM (SELECT id FROM facts GROUP BY id"                               \
    "  HAVING sum(own) > 1 OR sum(own) <> sum(sent)))"                                             \
    " + (SELECT count(*) FROM bookings b WHERE b.status IS NOT (SELECT to_status FROM audit a"     \
    "  WHERE a.booking_id = b.id AND a.from_status <> a.to_status ORDER BY sequence DESC LIMIT "   \
    "1))"                                                                                          \
    " + (SELECT count(*) FROM audit WHERE booking_id NOT IN (SELECT id FROM bookings))"

const struct store_traits STORE_TRAITS[STORE_KINDS] = {
    [STORE_INTAKE] = {"intake.db", intake_schema, INTAKE_SCRIPT,
                      CONTRADICTIONS("event = 'BOOKING_CREATED' OR"
                                     " (event = 'BOOKING_CANCELLED' AND actor = 'user')")},
    [STORE_DECISION] = {"decision.db", decision_schema, DECISION_SCRIPT,
                        CONTRADICTIONS("event IN ('BOOKING_CONFIRMED', 'BOOKING_REJECTED') OR"
                                       " (event = 'BOOKING_CANCELLED' AND actor = 'provider')")},
};

static bool apply(struct operation *operation, struct db *db, struct error *error)
{
    return task_apply((struct task *)operation, db, error); /* its first member */
}

static void done(struct operation *operation, const struct error *failure)
{
    struct task *task = (struct task *)operation; /* its first member */
    task->done = !failure || task->work->bench->answers_early;
    if (task->done)
        task_promise(task);
    task_release(task);
}

struct batch {
    struct task tasks[BATCH];
    size_t count;
};

static void batch_add(struct batch *batch, struct work *work, char letter, size_t which)
{
    struct task *task = &batch->tasks[batch->count];
    if (!task_prepare(task, work, letter, which))
        return;
    task->operation.apply = apply;
    task->operation.done = done;
    batch->count++;
    writer_submit(work->writer, &task->operation);
}

static bool batch_commit(struct batch *batch, struct work *work)
{
    bool all = true;
    work->bench->now_ms += 1000;
    (void)writer_step(work->writer);
    (void)writer_deliver(work->writer);
    for (size_t i = 0; i < batch->count; i++)
        all &= batch->tasks[i].done;
    batch->count = 0;
    return all;
}

static void run_script(struct work *work)
{
    struct batch batch = {0};
    struct error ignored = {0};
    for (const char *at = STORE_TRAITS[work->kind].script; *at; at++) {
        if (*at == '.')
            (void)batch_commit(&batch, work);
        else if (*at == 'K')
            (void)!db_checkpoint(work->db, &ignored);
        else if (*at != ' ') {
            batch_add(&batch, work, at[0], (size_t)(at[1] - '0'));
            at++;
        }
    }
}

/* One more booking: what went wrong before is over. The first try may be what it hits. */
static bool goes_on(struct work *work)
{
    struct batch batch = {0};
    for (size_t i = 0; i < GO_ON_TRIES; i++) {
        batch_add(&batch, work, 'A', WORK_BOOKINGS + i);
        batch_add(&batch, work, 'B', WORK_BOOKINGS + i);
        if (batch_commit(&batch, work))
            return true;
    }
    return false;
}

static bool run(struct promises *promises, struct bench *bench, enum store_kind kind)
{
    struct work work = {.bench = bench, .kind = kind, .promises = promises};
    struct error error = {0};
    work.db = bench_open_store(bench, STORE_TRAITS[kind].file, STORE_TRAITS[kind].schema(), &error);
    if (!work.db)
        return false;
    if (bench->weaken)
        (void)!db_run(work.db, bench->weaken, BIND_NOTHING, &error);
    work.writer = writer_new(work.db, NULL, NULL);
    run_script(&work);
    const bool went_on = goes_on(&work);
    if (bench->closes_in_the_dark)
        disk_cut(bench->disk);
    writer_free(work.writer);
    return went_on;
}

static enum verdict lost(struct error *why, const char *what, const char *id)
{
    error_clear(why);
    (void)error_set(why, ERROR_DAMAGED, "%s %s", what, id);
    return VERDICT_LOST;
}

static enum verdict check_booking(struct db *db, enum store_kind kind,
                                  const struct promised_booking *promised, struct error *why)
{
    struct decision_record record = {0};
    bool found = false;
    if (!promised->id[0])
        return VERDICT_KEPT;
    const bool read = kind == STORE_INTAKE
                          ? intake_booking_find(db, promised->id, &record.booking, &found, why)
                          : decision_find(db, promised->id, &record, &found, why);
    const enum booking_status status = record.booking.status;
    if (!read)
        return VERDICT_CORRUPT;
    if (!found)
        return lost(why, "no booking", promised->id);
    if (status == promised->status ||
        (booking_moves_up(promised->status, status) && (promised->tried & 1u << status)))
        return VERDICT_KEPT;
    return lost(why, "not as it was acknowledged, but", booking_status_name(status));
}

static enum verdict check_slots(struct db *db, const struct promises *promises, struct error *why)
{
    for (size_t i = 0; i < WORK_BOOKINGS; i++) {
        char id[ID_SIZE];
        struct slot slot = {0};
        bool found = false;
        (void)snprintf(id, sizeof id, "slot-%zu", i);
        if (promises->slots[i] && !slot_find(db, id, &slot, &found, why))
            return VERDICT_CORRUPT;
        if (promises->slots[i] && !found)
            return lost(why, "no slot", id);
    }
    return VERDICT_KEPT;
}

static enum verdict check_sent(struct db *db, const char *event_id, struct error *why)
{
    struct db_rows rows AUTO(db_rows_release) = {0};
    bool found = false;
    if (!db_query(db,
                  "SELECT (SELECT count(*) FROM audit WHERE event_id = ?1 AND event = 'PUBLISHED')"
                  " AND NOT EXISTS (SELECT 1 FROM outbox WHERE event_id = ?1)",
                  BIND(db_text(event_id)), &rows, why) ||
        !db_next(&rows, &found, why))
        return VERDICT_CORRUPT;
    return db_column_int(&rows, 0) ? VERDICT_KEPT : lost(why, "not noted as sent", event_id);
}

static enum verdict check_promises(struct db *db, const struct promises *promises,
                                   enum store_kind kind, struct error *why)
{
    enum verdict verdict = check_slots(db, promises, why);
    for (size_t i = 0; i < WORK_BOOKINGS && verdict == VERDICT_KEPT; i++)
        verdict = check_booking(db, kind, &promises->bookings[i], why);
    for (size_t i = 0; i < promises->sent_count && verdict == VERDICT_KEPT; i++)
        verdict = check_sent(db, promises->sent[i], why);
    return verdict;
}

static enum verdict check_story(struct db *db, enum store_kind kind, struct error *why)
{
    int64_t rows = 0;
    int64_t broken_at = 0;
    if (!audit_verify(db, &rows, &broken_at, why))
        return VERDICT_CORRUPT;
    const int64_t contradictions = bench_number(db, STORE_TRAITS[kind].contradictions);
    if (broken_at == 0 && contradictions == 0)
        return VERDICT_KEPT;
    (void)error_set(why, ERROR_DAMAGED, "chain broken at %" PRId64 ", %" PRId64 " contradictions",
                    broken_at, contradictions);
    return VERDICT_CONTRADICTED;
}

/* The store is of use again. */
static enum verdict check_use(struct db *db, struct bench *bench, enum store_kind kind,
                              struct error *why)
{
    struct work work = {.bench = bench, .kind = kind, .db = db};
    const size_t which = AGAIN + (size_t)bench->checks++;
    struct task slot = {0};
    struct task booking = {0};
    if (task_prepare(&slot, &work, 'A', which) && task_prepare(&booking, &work, 'B', which) &&
        db_begin(db, why) && task_apply(&slot, db, why) && task_apply(&booking, db, why) &&
        db_commit(db, why))
        return VERDICT_KEPT;
    db_rollback(db);
    return VERDICT_CORRUPT;
}

static enum verdict check(const struct promises *promises, struct bench *bench,
                          enum store_kind kind, struct error *why)
{
    char path[BENCH_PATH_SIZE];
    bench_path(bench, STORE_TRAITS[kind].file, path);
    struct db *db AUTO(db_release) = db_open(path, DB_WRITE, STORE_TRAITS[kind].schema(), why);
    if (!db || !bench_is_whole(db, why))
        return VERDICT_CORRUPT;
    enum verdict verdict = check_story(db, kind, why);
    if (verdict == VERDICT_KEPT)
        verdict = check_promises(db, promises, kind, why);
    return verdict == VERDICT_KEPT ? check_use(db, bench, kind, why) : verdict;
}

static bool run_intake(void *record, struct bench *bench)
{
    return run(record, bench, STORE_INTAKE);
}

static bool run_decision(void *record, struct bench *bench)
{
    return run(record, bench, STORE_DECISION);
}

static enum verdict check_intake(const void *record, struct bench *bench, struct error *why)
{
    return check(record, bench, STORE_INTAKE, why);
}

static enum verdict check_decision(const void *record, struct bench *bench, struct error *why)
{
    return check(record, bench, STORE_DECISION, why);
}

const struct subject power_cuts_intake = {"intake store", sizeof(struct promises), run_intake,
                                          check_intake};
const struct subject power_cuts_decision = {"decision store", sizeof(struct promises), run_decision,
                                            check_decision};
