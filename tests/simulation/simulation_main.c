/* The program: worlds by the thousand, in two processes, and the figure; or one world again.
 *
 *   simulation                           as many worlds as PROVE_SIZE says, and the figure
 *   simulation FIRST COUNT [PROCESSES [lies]]
 *                                        these worlds, on disks that lie about their syncs or not
 *   simulation SEED                      this world, with its trail
 *
 * Exit 1, and the first world that went wrong, when an invariant does not hold. */
#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <malloc.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"
#include "disk.h"
#include "figure.h"
#include "log.h"
#include "simulation.h"
#include "world_template.h"

enum { PROCESSES = 2, PROCESSES_MAX = 16, TWICE = 20, FOLDER_SIZE = PATH_MAX };

/* What one process has lived through, as it is handed over in a pipe. */
struct totals {
    struct simulation_counts counts;
    int64_t wrong[WRONGS];
    uint64_t trace;
    int64_t first_wrong; /* seed; -1 = none */
    struct violation violation;
    bool repeatable; /* some seeds twice: the same traces */
    double seconds;
};

struct range {
    uint64_t first;
    uint64_t count;
    uint64_t processes;
    enum disk_honesty honesty;
};

/* --- a place for the lock files, which are real --- */

struct place {
    char folder[FOLDER_SIZE];
    struct template template;
    enum disk_honesty honesty;
};

static bool place_make(struct place *place, struct error *error)
{
    const char *parent = getenv("TMPDIR");
    char *real AUTO(memory_release) = realpath(parent ? parent : "/tmp", NULL);
    (void)snprintf(place->folder, sizeof place->folder, "%s/simulation-XXXXXX", real ? real : "");
    if (!mkdtemp(place->folder))
        return error_set(error, ERROR_UNAVAILABLE, "cannot make %s", place->folder);
    return template_make(&place->template, place->folder, error);
}

static void place_release(struct place *place)
{
    DIR *folder = opendir(place->folder);
    for (struct dirent *entry = folder ? readdir(folder) : NULL; entry; entry = readdir(folder))
        (void)unlinkat(dirfd(folder), entry->d_name, 0);
    if (folder)
        (void)closedir(folder);
    (void)rmdir(place->folder);
    template_release(&place->template);
}

static struct simulation_ground ground_of(const struct place *place)
{
    return (struct simulation_ground){place->folder, &place->template, place->honesty};
}

/* --- many worlds --- */

static void add_counts(struct simulation_counts *sum, const struct simulation_counts *counts)
{
    sum->worlds += counts->worlds;
    sum->bookings += counts->bookings;
    sum->cuts += counts->cuts;
    sum->kills += counts->kills;
    sum->drains += counts->drains;
    sum->refusals += counts->refusals;
    sum->duplicates += counts->duplicates;
    sum->redeliveries += counts->redeliveries;
    sum->dead_letters += counts->dead_letters;
    sum->attempts_left += counts->attempts_left;
    sum->notices += counts->notices;
    sum->steps += counts->steps;
}

static void add_result(struct totals *totals, uint64_t seed, const struct simulation_result *result)
{
    add_counts(&totals->counts, &result->counts);
    totals->trace += result->trace; /* in any order the same */
    totals->wrong[result->violation.wrong]++;
    if (result->violation.wrong && totals->first_wrong < 0) {
        totals->first_wrong = (int64_t)seed;
        totals->violation = result->violation;
    }
}

static void add_totals(struct totals *sum, const struct totals *totals)
{
    add_counts(&sum->counts, &totals->counts);
    sum->trace += totals->trace;
    for (int i = 0; i < WRONGS; i++)
        sum->wrong[i] += totals->wrong[i];
    if (totals->first_wrong >= 0 &&
        (sum->first_wrong < 0 || totals->first_wrong < sum->first_wrong)) {
        sum->first_wrong = totals->first_wrong;
        sum->violation = totals->violation;
    }
    sum->repeatable = sum->repeatable && totals->repeatable;
}

/* The first worlds once more, now that the process is not fresh any more. */
static bool is_repeatable(const struct range *range, const struct simulation_ground *ground)
{
    for (uint64_t i = 0; i < range->count / 2 && i < TWICE; i++) {
        struct simulation_result results[2];
        for (int again = 0; again < 2; again++)
            simulation_run(range->first + i, ground, NULL, &results[again]);
        if (results[0].trace != results[1].trace)
            return false;
    }
    return true;
}

/* One process's share of the range, until a world goes wrong. */
static struct totals live_through(const struct range *range, uint64_t which,
                                  const struct simulation_ground *ground)
{
    struct totals totals = {.first_wrong = -1};
    for (uint64_t i = which; i < range->count && totals.first_wrong < 0; i += range->processes) {
        struct simulation_result result;
        simulation_run(range->first + i, ground, NULL, &result);
        add_result(&totals, range->first + i, &result);
    }
    totals.repeatable = totals.first_wrong >= 0 || which > 0 || is_repeatable(range, ground);
    return totals;
}

static int process(const struct range *range, uint64_t which, int out)
{
    struct place place = {.honesty = range->honesty};
    struct error error = {0};
    if (!place_make(&place, &error)) {
        (void)fprintf(stderr, "simulation: %s\n", error.text);
        place_release(&place);
        return EXIT_FAILURE;
    }
    const struct simulation_ground ground = ground_of(&place);
    const struct totals totals = live_through(range, which, &ground);
    place_release(&place);
    const bool handed = write(out, &totals, sizeof totals) == (ssize_t)sizeof totals;
    (void)close(out);
    return handed ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* The pipe to read a process's totals from; -1 = it could not be started. */
static int start_process(const struct range *range, uint64_t which)
{
    int ends[2];
    if (pipe(ends) != 0)
        return -1;
    const pid_t child = fork();
    if (child == 0) {
        (void)close(ends[0]);
        exit(process(range, which, ends[1]));
    }
    (void)close(ends[1]);
    return child > 0 ? ends[0] : -1;
}

/* False when one of the processes died, which no world may make it do. */
static bool live_in_processes(const struct range *range, struct totals *sum)
{
    int pipes[PROCESSES_MAX];
    bool whole = true;
    *sum = (struct totals){.first_wrong = -1, .repeatable = true};
    for (uint64_t i = 0; i < range->processes; i++)
        pipes[i] = start_process(range, i);
    for (uint64_t i = 0; i < range->processes; i++) {
        struct totals totals;
        if (read(pipes[i], &totals, sizeof totals) == (ssize_t)sizeof totals)
            add_totals(sum, &totals);
        else
            whole = false;
        (void)close(pipes[i]);
    }
    while (wait(NULL) > 0) {
    }
    return whole;
}

/* --- reports --- */

static double seconds_now(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void print_violation(const struct totals *totals)
{
    (void)printf("violated: %s in world %" PRId64 ", step %" PRId64 ": %s\n",
                 wrong_names[totals->violation.wrong], totals->first_wrong, totals->violation.step,
                 totals->violation.text);
}

/* The amounts that a full run promises. */
static bool enough(const struct range *range, const struct simulation_counts *counts)
{
    static const int64_t worlds = 4500;
    static const int64_t bookings = 100000;
    static const int64_t cuts = 80000;
    const bool full = (int64_t)range->count >= worlds;
    return !full || (counts->bookings >= bookings && counts->cuts >= cuts);
}

static bool report(const struct range *range, const struct totals *totals, double seconds)
{
    const struct simulation_counts *counts = &totals->counts;
    const bool right = totals->first_wrong < 0 && enough(range, counts);
    if (totals->first_wrong >= 0)
        print_violation(totals);
    (void)figure("R2", right,
                 "simulated: %" PRId64 " bookings, %" PRId64 " power cuts, %" PRId64
                 " kills, %" PRId64 " duplicates, %" PRId64 " redeliveries; %" PRId64
                 " lost, %" PRId64 " stuck, %" PRId64 " diverged, %" PRId64
                 " double-booked; seeds %" PRIu64 "-%" PRIu64 ", trace %016" PRIx64 ", %.0f s",
                 counts->bookings, counts->cuts, counts->kills, counts->duplicates,
                 counts->redeliveries, totals->wrong[WRONG_LOST], totals->wrong[WRONG_STUCK],
                 totals->wrong[WRONG_DIVERGED] + totals->wrong[WRONG_MOVED_DOWN] +
                     totals->wrong[WRONG_TWO_EFFECTS],
                 totals->wrong[WRONG_DOUBLE_BOOKED], range->first, range->first + range->count - 1,
                 totals->trace, seconds);
    (void)printf("simulation: %" PRId64 " worlds, %" PRId64 " steps, %" PRId64 " drains, %" PRId64
                 " refusals of a disk, %" PRId64 " dead letters redriven, %" PRId64
                 " attempts forgotten by age, %" PRId64 " notices arrived\n",
                 counts->worlds, counts->steps, counts->drains, counts->refusals,
                 counts->dead_letters, counts->attempts_left, counts->notices);
    return figure("R2", totals->repeatable, "same seed twice: same trace") && right;
}

static int simulate(const struct range *range)
{
    struct totals totals;
    const double begun = seconds_now();
    if (!live_in_processes(range, &totals)) {
        (void)figure("R2", false, "simulated: a process died");
        return EXIT_FAILURE;
    }
    return report(range, &totals, seconds_now() - begun) ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int replay(uint64_t seed)
{
    struct place place = {0};
    struct error error = {0};
    struct simulation_result result = {0};
    if (!place_make(&place, &error)) {
        (void)fprintf(stderr, "simulation: %s\n", error.text);
        return EXIT_FAILURE;
    }
    const struct simulation_ground ground = ground_of(&place);
    struct trail *trail = trail_new();
    simulation_run(seed, &ground, trail, &result);
    place_release(&place);
    trail_print(trail);
    trail_free(trail);
    struct totals totals = {.first_wrong = -1};
    add_result(&totals, seed, &result);
    if (result.violation.wrong)
        print_violation(&totals);
    (void)printf("world %" PRIu64 ": %" PRId64 " bookings, %" PRId64
                 " power cuts, trace %016" PRIx64 "\n",
                 seed, result.counts.bookings, result.counts.cuts, result.trace);
    return result.violation.wrong ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* For speed alone: a world lives for milliseconds and its memory comes and goes. */
static void tune(void)
{
    enum { KEEP = 256 * 1024 * 1024, LOOKASIDE_BYTES = 1200, LOOKASIDE_SLOTS = 200 };
    (void)mallopt(M_TRIM_THRESHOLD, KEEP);
    (void)mallopt(M_MMAP_THRESHOLD, KEEP);
    (void)sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    (void)sqlite3_config(SQLITE_CONFIG_LOOKASIDE, LOOKASIDE_BYTES, LOOKASIDE_SLOTS);
}

int main(int count, char **arguments)
{
    static const uint64_t sizes[] = {
        [PROVE_CI] = 800, [PROVE_FULL] = 4500, [PROVE_NIGHTLY] = 60000};
    struct range range = {1, sizes[prove_size()], PROCESSES, DISK_HONEST};
    tune();
    if (!log_set_level("error"))
        return EXIT_FAILURE;
    (void)fflush(stdout);
    if (count == 2)
        return replay(strtoull(arguments[1], NULL, 10));
    if (count > 2) {
        range.first = strtoull(arguments[1], NULL, 10);
        range.count = strtoull(arguments[2], NULL, 10);
    }
    if (count > 3)
        range.processes = strtoull(arguments[3], NULL, 10) % PROCESSES_MAX;
    if (count > 4 && strcmp(arguments[4], "lies") == 0)
        range.honesty = DISK_SYNC_LIES;
    return simulate(&range);
}
