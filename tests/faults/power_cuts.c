/* Does anything that was acknowledged get lost when the power goes, or a disk fails?
 *
 *   power_cuts [SEED]
 *
 * The shipped stores and the embedded queue work on a disk that loses power, which is cut at every
 * operation, with many ends for each cut. Controls in the same run: with less than our setting, or
 * on a disk that lies, it must be found out. A broken promise is printed with what repeats it. */
#include <inttypes.h>
#include <malloc.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "buf.h"
#include "figure.h"
#include "power_cuts_bench.h"
#include "power_cuts_store.h"

struct size {
    int64_t seeds; /* ends of each cut */
    int64_t control_seeds;
    int64_t control_step;
    int64_t fault_step;
};
static const struct size SIZES[] = {
    [PROVE_CI] = {.seeds = 4, .control_seeds = 1, .control_step = 11, .fault_step = 4},
    [PROVE_FULL] = {.seeds = 20, .control_seeds = 1, .control_step = 5, .fault_step = 1},
    [PROVE_NIGHTLY] = {.seeds = 200, .control_seeds = 5, .control_step = 1, .fault_step = 1},
};

/* What must be found out: settings that are not enough, a disk that lies, and bugs: an event that
 * goes missing, a trail that is edited, an answer that is given before the commit. */
static const struct control {
    const char *name;
    struct plan plan;
    enum verdict verdict; /* the least that must be seen */
    bool everywhere;      /* by the checks of every kind of work */
} CONTROLS[] = {
    {"NORMAL", {.weaken = "PRAGMA synchronous = NORMAL"}, VERDICT_LOST, false},
    {"OFF", {.weaken = "PRAGMA synchronous = OFF"}, VERDICT_LOST, false},
    {"lying sync", {.honesty = DISK_SYNC_LIES}, VERDICT_LOST, true},
    {"forgotten event",
     {.weaken = "CREATE TEMP TRIGGER forget AFTER INSERT ON outbox WHEN new.sequence % 3 = 0"
                " BEGIN DELETE FROM outbox WHERE sequence = new.sequence; END"},
     VERDICT_CONTRADICTED,
     false},
    {"edited trail",
     {.weaken = "CREATE TEMP TRIGGER edit AFTER INSERT ON audit WHEN new.sequence % 3 = 0"
                " BEGIN UPDATE audit SET reason = 'edited' WHERE sequence = new.sequence; END"},
     VERDICT_CONTRADICTED,
     false},
    {"early answer", {.answers_early = true}, VERDICT_LOST, false},
};
enum { CONTROL_COUNT = sizeof CONTROLS / sizeof CONTROLS[0] };

static const struct subject *const WORK[] = {&power_cuts_intake, &power_cuts_decision,
                                             &power_cuts_queue};
enum { WORK_COUNT = sizeof WORK / sizeof WORK[0] };

/* True when every kind of work finds it. */
static bool prove_control(struct bench *bench, const struct control *control,
                          const struct size *size, struct tally *tally)
{
    struct plan plan = control->plan;
    bool found = true;
    plan.seeds = size->control_seeds;
    plan.step = size->control_step;
    plan.quiet = true;
    for (size_t i = 0; i < (control->everywhere ? WORK_COUNT : 1); i++) {
        const int64_t before = tally->by_verdict[control->verdict];
        bench_cut_everywhere(bench, WORK[i], &plan, tally);
        found &= tally->by_verdict[control->verdict] > before;
    }
    return found;
}

/* True when every one of them is found; says how often. */
static bool prove_controls(struct bench *bench, const struct size *size, struct buf *said)
{
    bool found = true;
    for (size_t i = 0; i < CONTROL_COUNT; i++) {
        struct tally tally = {0};
        found &= prove_control(bench, &CONTROLS[i], size, &tally);
        buf_printf(said, "%s%s %" PRId64 "/%" PRId64, i ? ", " : "", CONTROLS[i].name,
                   tally_bad(&tally), tally.cuts);
    }
    return found;
}

static bool prove_cuts(struct bench *bench, const struct size *size)
{
    const struct plan plan = {.seeds = size->seeds, .step = 1};
    struct buf controls AUTO(buf_release) = {0};
    struct tally tally = {0};
    bool repeats = true;
    for (size_t i = 0; i < WORK_COUNT; i++) {
        bench_cut_everywhere(bench, WORK[i], &plan, &tally);
        repeats &= bench_repeats(bench, WORK[i]);
    }
    const bool found = prove_controls(bench, size, &controls);
    return figure("R3", tally_bad(&tally) == 0 && tally.cuts > 0 && found && repeats,
                  "power cuts at every I/O operation: %" PRId64 " cuts (%" PRId64
                  " operations x %" PRId64 " seeds, %" PRId64 " different ends, %" PRId64
                  " cut again while recovering); %" PRId64 " lost, %" PRId64 " corrupt, %" PRId64
                  " contradictions; controls found: %s; one seed, one history: %s",
                  tally.cuts, tally.runs, size->seeds, tally.distinct, tally.second_cuts,
                  tally.by_verdict[VERDICT_LOST], tally.by_verdict[VERDICT_CORRUPT],
                  tally.by_verdict[VERDICT_CONTRADICTED], buf_text(&controls),
                  repeats ? "yes" : "NO");
}

static bool prove_migrations(struct bench *bench, const struct size *size)
{
    struct tally tally = {0};
    struct tally control = {0};
    const struct plan plan = {.seeds = size->seeds, .step = 1};
    const struct plan lying = {.honesty = DISK_SYNC_LIES,
                               .seeds = size->control_seeds,
                               .step = size->control_step,
                               .quiet = true};
    for (size_t i = 0; i < POWER_CUTS_MIGRATIONS; i++)
        bench_cut_everywhere(bench, &power_cuts_migrations[i], &plan, &tally);
    bench_cut_everywhere(bench, &power_cuts_migrations[POWER_CUTS_NEXT], &lying, &control);
    return figure(
        "R3", tally_bad(&tally) == 0 && tally.cuts > 0 && tally_bad(&control) > 0,
        "power cuts at every I/O operation of each migration (intake, decision, queue, and "
        "one to come): %" PRId64 " cuts (%" PRId64 " operations x %" PRId64 " seeds); %" PRId64
        " lost, %" PRId64 " corrupt, %" PRId64 " half done; control: lying sync broke %" PRId64
        " of %" PRId64,
        tally.cuts, tally.runs, size->seeds, tally.by_verdict[VERDICT_LOST],
        tally.by_verdict[VERDICT_CORRUPT], tally.by_verdict[VERDICT_CONTRADICTED],
        tally_bad(&control), control.cuts);
}

static bool prove_faults(struct bench *bench, const struct size *size)
{
    static const int CODES[] = {SQLITE_IOERR_WRITE, SQLITE_FULL, SQLITE_IOERR_READ};
    struct tally tally = {0};
    for (size_t i = 0; i < sizeof CODES / sizeof CODES[0]; i++) {
        for (size_t j = 0; j < WORK_COUNT; j++)
            bench_fail_everywhere(bench, WORK[j], CODES[i], size->fault_step, &tally);
        bench_fail_everywhere(bench, &power_cuts_migrations[POWER_CUTS_NEXT], CODES[i],
                              size->fault_step, &tally);
    }
    struct tally control = {0};
    bench->answers_early = true;
    bench_fail_everywhere(bench, &power_cuts_intake, SQLITE_FULL, size->control_step, &control);
    bench->answers_early = false;
    return figure(
        "R3", tally_bad(&tally) == 0 && tally.runs > 0 && tally_bad(&control) > 0,
        "write errors and a full disk at every write, read errors at every read: %" PRId64
        " faults; %" PRId64 " lost, %" PRId64 " corrupt, %" PRId64 " contradictions; %" PRId64
        " did not go on; control: early answer found in %" PRId64 " of %" PRId64,
        tally.runs, tally.by_verdict[VERDICT_LOST], tally.by_verdict[VERDICT_CORRUPT],
        tally.by_verdict[VERDICT_CONTRADICTED], tally.stopped, tally_bad(&control), control.runs);
}

/* Ten thousand small worlds come and go: their memory is kept for the next one, and nobody counts
 * it. */
static void keep_memory(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, 64 * 1024 * 1024);
    (void)mallopt(M_TRIM_THRESHOLD, 256 * 1024 * 1024);
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

int main(int count, char *arguments[])
{
    keep_memory();
    const uint64_t seed = count > 1 ? strtoull(arguments[1], NULL, 10) : 1;
    const struct size *size = &SIZES[prove_size()];
    struct bench bench;
    (void)printf("seed %" PRIu64 "\n", seed);
    bench_init(&bench, seed);
    bool reached = prove_cuts(&bench, size);
    reached &= prove_migrations(&bench, size);
    reached &= prove_faults(&bench, size);
    bench_release(&bench);
    return reached ? EXIT_SUCCESS : EXIT_FAILURE;
}
