/* The loops of the power-cut harness. */
#include "power_cuts_bench.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"

enum { STARTS = 3, RECOVERY_OPERATIONS = 60, REPORTS = 5, OPERATIONS = 4096 };
#define EPOCH_MS (INT64_C(1771491600000)) /* 2026-02-19T09:00:00Z */

static int64_t still_ms(void *context)
{
    return ((struct bench *)context)->now_ms;
}

/* SplitMix64 again, and not the disk's: what the disk does must not depend on how many ids are
 * made. */
static uint64_t mix(uint64_t value)
{
    value += UINT64_C(0x9E3779B97F4A7C15);
    value = (value ^ (value >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94D049BB133111EB);
    return value ^ (value >> 31);
}

static void random_bytes(void *context, void *bytes, size_t length)
{
    struct bench *bench = context;
    for (size_t i = 0; i < length; i++) {
        bench->chance = mix(bench->chance);
        ((unsigned char *)bytes)[i] = (unsigned char)bench->chance;
    }
}

void bench_init(struct bench *bench, uint64_t seed)
{
    *bench = (struct bench){.folder = "/tmp/bookflow-power-XXXXXX", .seed = seed};
    bench->world = (struct world){still_ms, still_ms, random_bytes, bench};
    if (!mkdtemp(bench->folder)) {
        perror(bench->folder);
        exit(EXIT_FAILURE);
    }
}

void bench_release(struct bench *bench)
{
    DIR *folder = opendir(bench->folder);
    for (struct dirent *each = folder ? readdir(folder) : NULL; each; each = readdir(folder))
        (void)unlinkat(dirfd(folder), each->d_name, 0);
    if (folder)
        (void)closedir(folder);
    (void)rmdir(bench->folder);
}

void bench_path(const struct bench *bench, const char *name, char out[BENCH_PATH_SIZE])
{
    (void)snprintf(out, BENCH_PATH_SIZE, "%s/%s", bench->folder, name);
}

struct db *bench_open_store(struct bench *bench, const char *name, const struct db_schema *schema,
                            struct error *error)
{
    char path[BENCH_PATH_SIZE];
    bench_path(bench, name, path);
    struct db *db = NULL;
    for (int i = 0; i < STARTS && !db; i++) {
        error_clear(error);
        db = db_open(path, DB_WRITE, schema, error);
    }
    return db;
}

int64_t bench_number(struct db *db, const char *sql)
{
    struct db_rows rows AUTO(db_rows_release) = {0};
    struct error error = {0};
    bool found = false;
    if (!db_query(db, sql, BIND_NOTHING, &rows, &error) || !db_next(&rows, &found, &error))
        return -1;
    return found ? db_column_int(&rows, 0) : -1;
}

bool bench_is_whole(struct db *db, struct error *error)
{
    struct db_rows rows AUTO(db_rows_release) = {0};
    bool found = false;
    if (!db_query(db, "PRAGMA integrity_check", BIND_NOTHING, &rows, error) ||
        !db_next(&rows, &found, error))
        return false;
    return (found && strcmp(db_column_text(&rows, 0), "ok") == 0) ||
           error_set(error, ERROR_DAMAGED, "integrity_check: %s",
                     found ? db_column_text(&rows, 0) : "nothing");
}

int64_t tally_bad(const struct tally *tally)
{
    return tally->by_verdict[VERDICT_LOST] + tally->by_verdict[VERDICT_CORRUPT] +
           tally->by_verdict[VERDICT_CONTRADICTED] + tally->stopped;
}

/* A fresh disk, and the world as it was at the start of every other run. */
static void *begin(struct bench *bench, const struct subject *subject, enum disk_honesty honesty)
{
    bench->now_ms = EPOCH_MS;
    bench->chance = bench->seed;
    bench->disk = disk_new(bench->seed, honesty);
    disk_set_time(bench->disk, EPOCH_MS);
    return memory_new(1, subject->record_size);
}

static void end(struct bench *bench, void *record)
{
    disk_free(bench->disk);
    bench->disk = NULL;
    free(record);
}

struct seen;

/* One way a cut can end, or one fault. */
struct ending {
    const struct subject *subject;
    const char *what;
    int64_t operation;
    uint64_t seed;
    bool quiet;
    struct seen *good;
};

static void report(const struct bench *bench, const struct ending *ending, const char *verdict,
                   const char *why, const struct tally *tally)
{
    if (!ending->quiet && tally_bad(tally) <= REPORTS)
        (void)fprintf(stderr,
                      "%s, %s, seed %" PRIu64 ", operation %" PRId64 ", end %" PRIx64 ": %s: %s\n",
                      ending->subject->name, ending->what, bench->seed, ending->operation,
                      ending->seed, verdict, why);
}

static bool judge(struct bench *bench, const void *record, const struct ending *ending,
                  struct tally *tally)
{
    static const char *const NAMES[VERDICTS] = {"kept", "lost", "corrupt", "contradicted"};
    struct error why = {0};
    const enum verdict verdict = ending->subject->check(record, bench, &why);
    tally->by_verdict[verdict]++;
    tally->distinct++;
    if (verdict != VERDICT_KEPT)
        report(bench, ending, NAMES[verdict], why.text, tally);
    return verdict == VERDICT_KEPT;
}

/* States that were found good: a check is a function of the bytes on the disk and the promises, so
 * it need not be made twice. Open addressing; 0 is a free place. */
struct seen {
    uint64_t *all;
    size_t count;
    size_t capacity;
};

static uint64_t *seen_place(const struct seen *seen, uint64_t state)
{
    size_t at = (size_t)state % seen->capacity;
    while (seen->all[at] && seen->all[at] != state)
        at = (at + 1) % seen->capacity;
    return &seen->all[at];
}

static bool seen_has(const struct seen *seen, uint64_t state)
{
    return seen->count > 0 && *seen_place(seen, state) == state;
}

static void seen_grow(struct seen *seen)
{
    struct seen larger = {.count = seen->count,
                          .capacity = seen->capacity ? 2 * seen->capacity : 1024};
    larger.all = memory_new(larger.capacity, sizeof *larger.all);
    for (size_t i = 0; i < seen->capacity; i++)
        if (seen->all[i])
            *seen_place(&larger, seen->all[i]) = seen->all[i];
    free(seen->all);
    *seen = larger;
}

static void seen_add(struct seen *seen, uint64_t state)
{
    if (2 * seen->count >= seen->capacity)
        seen_grow(seen);
    *seen_place(seen, state) = state;
    seen->count++;
}

static uint64_t hash_record(const void *record, size_t size)
{
    uint64_t hash = 1;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ ((const unsigned char *)record)[i]) * UINT64_C(0x100000001B3);
    return hash;
}

/* The power comes back; in one case of sixteen only to go again while the stores recover. */
static void power_returns(struct bench *bench, const void *record, const struct ending *ending,
                          struct tally *tally)
{
    struct error ignored = {0};
    disk_power_on(bench->disk);
    tally->cuts++;
    if (ending->seed % 16 != 1)
        return;
    disk_cut_after(bench->disk, 1 + (int64_t)(mix(ending->seed) % RECOVERY_OPERATIONS));
    (void)ending->subject->check(record, bench, &ignored);
    tally->second_cuts += disk_is_off(bench->disk);
    disk_cut(bench->disk);
    disk_power_on(bench->disk);
}

static void try_endings(struct bench *bench, const void *record, struct ending *ending,
                        const struct plan *plan, struct tally *tally)
{
    const uint64_t first = mix(bench->seed ^ (uint64_t)ending->operation << 20);
    const uint64_t promised = hash_record(record, ending->subject->record_size);
    disk_keep(bench->disk);
    for (int64_t i = 0; i < plan->seeds; i++) {
        ending->seed = first + (uint64_t)i;
        disk_go_back(bench->disk, ending->seed);
        power_returns(bench, record, ending, tally);
        const uint64_t state = mix(disk_content(bench->disk) ^ promised);
        if (seen_has(ending->good, state))
            tally->by_verdict[VERDICT_KEPT]++;
        else if (judge(bench, record, ending, tally))
            seen_add(ending->good, state);
    }
}

void bench_cut_everywhere(struct bench *bench, const struct subject *subject,
                          const struct plan *plan, struct tally *tally)
{
    struct seen good = {0};
    struct ending ending = {
        .subject = subject, .what = "power cut", .quiet = plan->quiet, .good = &good};
    bench->weaken = plan->weaken;
    bench->answers_early = plan->answers_early;
    for (bool cut = true; cut;) {
        ending.operation += plan->step;
        void *record = begin(bench, subject, plan->honesty);
        disk_cut_after(bench->disk, ending.operation);
        const bool finished = subject->run(record, bench);
        cut = disk_is_off(bench->disk);
        if (cut)
            try_endings(bench, record, &ending, plan, tally);
        tally->runs += cut;
        if (!cut && !finished) {
            tally->stopped++;
            report(bench, &ending, "stopped", "without a cause", tally);
        }
        end(bench, record);
    }
    free(good.all);
    bench->weaken = NULL;
    bench->answers_early = false;
}

/* A run without a fault: how many operations, and what each is. */
static int64_t rehearse(struct bench *bench, const struct subject *subject, char kinds[OPERATIONS])
{
    void *record = begin(bench, subject, DISK_HONEST);
    disk_watch(bench->disk, kinds, OPERATIONS);
    (void)subject->run(record, bench);
    const int64_t count = disk_operations(bench->disk);
    end(bench, record);
    return count < OPERATIONS ? count : OPERATIONS;
}

static void fail_once(struct bench *bench, const struct ending *ending, int code,
                      struct tally *tally)
{
    void *record = begin(bench, ending->subject, DISK_HONEST);
    disk_fail_after(bench->disk, ending->operation, code, 1);
    const bool went_on = ending->subject->run(record, bench);
    tally->runs++;
    if (!went_on) {
        tally->stopped++;
        report(bench, ending, "stopped", "it did not go on", tally);
    }
    disk_cut(bench->disk);
    disk_power_on(bench->disk);
    (void)judge(bench, record, ending, tally);
    end(bench, record);
}

void bench_fail_everywhere(struct bench *bench, const struct subject *subject, int code,
                           int64_t step, struct tally *tally)
{
    char kinds[OPERATIONS];
    struct ending ending = {
        .subject = subject, .what = sqlite3_errstr(code), .quiet = bench->answers_early};
    bench->closes_in_the_dark = true;
    const int64_t operations = rehearse(bench, subject, kinds);
    for (int64_t i = 1; i <= operations; i += step) {
        ending.operation = i;
        if ((kinds[i - 1] == 'r') == (code == SQLITE_IOERR_READ))
            fail_once(bench, &ending, code, tally);
    }
    bench->closes_in_the_dark = false;
}

bool bench_repeats(struct bench *bench, const struct subject *subject)
{
    uint64_t traces[2];
    for (size_t i = 0; i < 2; i++) {
        void *record = begin(bench, subject, DISK_HONEST);
        (void)subject->run(record, bench);
        traces[i] = disk_trace(bench->disk);
        end(bench, record);
    }
    return traces[0] == traces[1];
}
