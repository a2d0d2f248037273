/* The proof about faults on the wire: every fault of faults.mjs against every call it can happen
 * to, each a scene of its own in a process of its own, many at a time because they mostly wait. Run
 * by wire_faults.sh, which starts the peer.
 *
 *   sqs_faults SEED [PLANTED:CALL:FAULT...]   planted: a program built with a bug that this cell
 *                                             must find
 *   sqs_faults SEED --cell CALL FAULT         one of them, to see it again; 3 = something is wrong
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buf.h"
#include "figure.h"
#include "wire_scene.h"

enum {
    CELLS = 512,
    AT_ONCE = 256,
    CHANCE = 60,          /* percent */
    RECEIVES_MOST = 1000, /* as many as SQS allows */
    GIVES_UP = 3,
    EXTRA = 2, /* fair weather, and a queue that gives up */
    FOUND = 3, /* exit code */
    CI_PART = 3
};

/* Processes that a core bears: with more of them none gets anything done within a lease. */
#ifdef __SANITIZE_ADDRESS__
enum { A_CORE_BEARS = 8 };
#else
enum { A_CORE_BEARS = 48 };
#endif

struct run {
    struct wire_cell cell;
    const char *planted; /* program; NULL = ours */
    pid_t pid;
    int result; /* pipe */
    struct wire_outcome outcome;
};

struct proof {
    char folder[64];
    uint64_t seed;
    struct run runs[CELLS];
    size_t count, begun;
    size_t faults;
    int64_t fired, bookings, events, redriven, violated;
    size_t planted, found;
};

/* --- which --- */

static struct run *add_cell(struct proof *proof, const char *call, const char *fault)
{
    if (proof->count == CELLS)
        abort();
    struct run *run = &proof->runs[proof->count++];
    *run = (struct run){.cell = {.seed = proof->seed + proof->count,
                                 .chance = CHANCE,
                                 .max_receives = RECEIVES_MOST},
                        .result = -1};
    (void)snprintf(run->cell.call, sizeof run->cell.call, "%s", call);
    (void)snprintf(run->cell.fault, sizeof run->cell.fault, "%s", fault);
    return run;
}

/* Those that wait longest begin first: for a time-out, or for credentials to be asked for again. */
static bool is_slow(const char *fault)
{
    static const char *const slow[] = {"stall", "expired", "wrong-signature", "unknown-key",
                                       "skewed"};
    for (size_t i = 0; i < sizeof slow / sizeof *slow; i++)
        if (strcmp(slow[i], fault) == 0)
            return true;
    return false;
}

static void add_faults(struct proof *proof, json_t *faults, bool slow)
{
    const bool part = prove_size() == PROVE_CI;
    const char *fault = NULL;
    json_t *calls = NULL;
    size_t number = 0;
    json_object_foreach(faults, fault, calls)
    {
        for (size_t i = 0; i < json_array_size(calls); i++, number++)
            if (is_slow(fault) == slow && (!part || (number + proof->seed) % CI_PART == 0))
                (void)add_cell(proof, json_string_value(json_array_get(calls, i)), fault);
    }
}

static void add_all(struct proof *proof)
{
    struct peer peer;
    peer_open(&peer, "proof");
    json_t *about = peer_ask(&peer, "/about", NULL);
    json_t *faults = json_object_get(about, "faults");
    proof->faults = json_object_size(faults);
    add_faults(proof, faults, true);
    (void)add_cell(proof, "*", "");
    struct wire_cell *redriven = &add_cell(proof, "ReceiveMessage", "reply-lost")->cell;
    redriven->chance = 100;
    redriven->max_receives = GIVES_UP;
    redriven->redriven = true;
    add_faults(proof, faults, false);
    json_decref(about);
    peer_close(&peer);
}

/* PROGRAM:CALL:FAULT, cut in place. */
static bool add_planted(struct proof *proof, char *text)
{
    char *call = strchr(text, ':');
    char *fault = call ? strchr(call + 1, ':') : NULL;
    if (!fault)
        return false;
    *call++ = '\0';
    *fault++ = '\0';
    add_cell(proof, call, fault)->planted = text;
    proof->planted++;
    return true;
}

/* --- running --- */

static void run_planted(const struct proof *proof, const struct run *run)
{
    char seed[24];
    (void)snprintf(seed, sizeof seed, "%" PRIu64, proof->seed);
    (void)!freopen("/dev/null", "w", stdout);
    (void)execl(run->planted, run->planted, seed, "--cell", run->cell.call, run->cell.fault, NULL);
    (void)fprintf(stderr, "%s: %s\n", run->planted, strerror(errno));
    _exit(1);
}

static void run_begin(struct proof *proof, struct run *run)
{
    int ends[2] = {-1, -1};
    (void)fflush(stdout);
    if (pipe(ends) < 0)
        abort();
    run->pid = fork();
    if (run->pid == 0) {
        (void)close(ends[0]);
        if (run->planted)
            run_planted(proof, run);
        wire_play(&run->cell, proof->folder, &run->outcome);
        (void)!write(ends[1], &run->outcome, sizeof run->outcome);
        exit(0); /* so that leaks are looked for */
    }
    (void)close(ends[1]);
    run->result = ends[0];
}

static void run_ended(struct proof *proof, struct run *run)
{
    int status = 0;
    const ssize_t got = read(run->result, &run->outcome, sizeof run->outcome);
    (void)close(run->result);
    run->result = -1;
    (void)waitpid(run->pid, &status, 0);
    if (run->planted) {
        proof->found += WIFEXITED(status) && WEXITSTATUS(status) == FOUND;
        return;
    }
    if (got != (ssize_t)sizeof run->outcome || status != 0)
        (void)snprintf(run->outcome.violation, VIOLATION_SIZE, "it ended with %d", status);
    proof->fired += run->outcome.fired;
    proof->bookings += run->outcome.bookings;
    proof->events += run->outcome.events;
    proof->redriven += run->outcome.redriven;
    proof->violated += run->outcome.violation[0] != '\0';
    (void)printf("%-30s %-22s fired %4" PRId64 ", %2" PRId64 " bookings, %5.1f s %s\n",
                 run->cell.call, run->cell.fault, run->outcome.fired, run->outcome.bookings,
                 (double)run->outcome.ms / 1000, run->outcome.violation);
}

/* Waits for one of those that run. */
static size_t wait_for_one(struct proof *proof)
{
    struct pollfd fds[AT_ONCE];
    struct run *runs[AT_ONCE];
    size_t count = 0;
    size_t ended = 0;
    for (size_t i = 0; i < proof->begun; i++)
        if (proof->runs[i].result >= 0) {
            runs[count] = &proof->runs[i];
            fds[count++] = (struct pollfd){.fd = proof->runs[i].result, .events = POLLIN};
        }
    if (poll(fds, count, -1) < 0)
        abort();
    for (size_t i = 0; i < count; i++)
        if (fds[i].revents) {
            run_ended(proof, runs[i]);
            ended++;
        }
    return ended;
}

static void run_all(struct proof *proof)
{
    const long bears = sysconf(_SC_NPROCESSORS_ONLN) * A_CORE_BEARS;
    const size_t most = bears < AT_ONCE ? (size_t)bears : AT_ONCE;
    size_t running = 0;
    while (proof->begun < proof->count || running > 0)
        if (proof->begun < proof->count && running < most) {
            run_begin(proof, &proof->runs[proof->begun++]);
            running++;
        } else {
            running -= wait_for_one(proof);
        }
}

static bool prove(struct proof *proof)
{
    const int64_t begun = world_ticks_ms(world_real());
    run_all(proof);
    const bool well = proof->violated == 0 && proof->found == proof->planted;
    return figure("R7", well,
                  "SQS faults on the wire: %zu faults x 4 calls = %zu runs (%" PRId64
                  " faults fired, %" PRId64 " bookings, %" PRId64 " events); %s, %" PRId64
                  " violations; %" PRId64
                  " given up by the queue and redriven; controls %zu/%zu found; %" PRId64 " s",
                  proof->faults, proof->count - proof->planted - EXTRA, proof->fired,
                  proof->bookings, proof->events,
                  proof->violated ? "NOT all converged" : "all converged, 0 lost, 0 effects twice",
                  proof->violated, proof->redriven, proof->found, proof->planted,
                  (world_ticks_ms(world_real()) - begun) / 1000);
}

static int see_one(struct proof *proof, const char *call, const char *fault)
{
    struct run *run = add_cell(proof, call, fault);
    wire_play(&run->cell, proof->folder, &run->outcome);
    (void)printf("%s %s: fired %" PRId64 " %s\n", call, fault, run->outcome.fired,
                 run->outcome.violation);
    return run->outcome.violation[0] ? FOUND : 0;
}

int main(int count, char **arguments)
{
    struct proof *proof AUTO(memory_release) = memory_new(1, sizeof *proof);
    int code = 2;
    bool good = true;
    proof->seed = count > 1 ? strtoull(arguments[1], NULL, 10) : 1;
    (void)snprintf(proof->folder, sizeof proof->folder, "/dev/shm/bookflow-wire-XXXXXX");
    if (!mkdtemp(proof->folder))
        return 1;
    if (count == 5 && strcmp(arguments[2], "--cell") == 0) {
        code = see_one(proof, arguments[3], arguments[4]);
    } else {
        add_all(proof);
        for (int i = 2; i < count && good; i++)
            good = add_planted(proof, arguments[i]);
        if (good)
            code = prove(proof) ? 0 : 1;
    }
    (void)rmdir(proof->folder);
    return code;
}
