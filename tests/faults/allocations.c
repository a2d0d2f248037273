/* Every allocation failing in turn, once and for good.
 *
 * Two processes go through the story, act by act. Before each act they fork a child for each
 * allocation that the act makes: in the child that one fails (or that one and all behind it), and
 * the child goes on from there to the end. What may come of it: the right answer; 503, and the
 * right answer when asked again; or "out of memory" and abort(), on purpose, after which a new
 * process finds both stores whole and telling one story. Nothing else: no crash, no report of a
 * sanitizer, no leak, no other answer.
 *
 * There is no chance in it: each run is the same. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "allocations_acts.h"
#include "allocations_ledger.h"
#include "allocations_memory.h"
#include "buf.h"
#include "figure.h"
#include "log.h"

enum {
    WORKERS = 2,
    REPORTS = 8,
    CHILD_S = 30,
    EXIT_RIGHT = 0,
    EXIT_STOPPED = 70, /* on purpose; the stores are good */
    EXIT_WRONG = 71,
    EXIT_LEAK = 72
};

enum plant { PLANT_NONE, PLANT_LIBRARIES, PLANT_LEAK };

/* One process that goes through the story. Global, for the stop is a hook without a context. */
static struct {
    struct ledger *ledger;
    struct stage stage;
    struct ids ids;
    const struct act *act;
    struct stage_bookings bookings; /* before and after the act */
    enum plant plant;
    const struct plan *plan;
    int number; /* of the worker */
    int said;   /* a file: what the child wrote to stderr */
} run;

_Noreturn static void give_verdict(int code, const char *what, const char *why)
{
    (void)snprintf(run.ledger->reason, sizeof run.ledger->reason, "%s: %s", what, why);
    _exit(code);
}

/* --- in a child --- */

static void check_stores(const struct stage_bookings *bookings)
{
    struct error error = {0};
    if (!stage_verify(&run.stage, bookings, &error))
        give_verdict(EXIT_WRONG, "the stores", error.text);
}

/* True when these bytes were found good before; otherwise notes them. */
static bool seen_before(uint64_t content)
{
    size_t at = (size_t)content % SEEN;
    for (size_t tries = 0; tries < SEEN / 2 && run.ledger->seen[at]; tries++) {
        if (run.ledger->seen[at] == content)
            return true;
        at = (at + 1) % SEEN;
    }
    run.ledger->seen[at] = content;
    return false;
}

/* In place of abort(): what would a new process find? */
static void stopped(void)
{
    struct error error = {0};
    run.ledger->owner = memory_refused();
    if (run.act->kind == ACT_CONFIG || seen_before(disk_content(run.stage.disk) | 1))
        _exit(EXIT_STOPPED);
    stage_died(&run.stage);
    if (!stage_open(&run.stage, &error))
        give_verdict(EXIT_WRONG, "does not start after the stop", error.text);
    check_stores(&run.bookings);
    _exit(EXIT_STOPPED);
}

static bool answers_equal(const struct answer *one, const struct answer *other)
{
    return one->status == other->status && strcmp(one->body, other->body) == 0;
}

/* Only what a client may be told: later it works. */
static void expect_clean_error(const struct answer *answer, const struct error *error, bool done)
{
    run.ledger->clean = true;
    if (run.act->kind != ACT_ASK) {
        if (error->kind != ERROR_UNAVAILABLE)
            give_verdict(EXIT_WRONG, "an error of the wrong kind", error->text);
        return;
    }
    if (!done || answer->status != 503 || strncmp(answer->body, "{\"error\":\"", 10) != 0)
        give_verdict(EXIT_WRONG, "wrong answer", answer->status ? answer->text : "none");
}

/* Once more, with memory. A worker that did not start is started again. */
static void do_again(struct answer *answer)
{
    struct error error = {0};
    if (run.act->kind == ACT_OPEN)
        stage_close(&run.stage);
    if (!act_do(run.act, &run.stage, &run.ids, answer, &error))
        give_verdict(EXIT_WRONG, "fails with memory, too", error.text);
    answer_mask(answer);
    if (!answers_equal(answer, &run.ledger->expected))
        give_verdict(EXIT_WRONG, "asked again", answer->text);
}

static void finish_story(void)
{
    struct error error = {0};
    const struct stage_bookings after = {run.bookings.most, run.bookings.most};
    if (run.act->kind == ACT_CONFIG)
        return;
    if (run.act->kind == ACT_CLOSE && (stage_close(&run.stage), !stage_open(&run.stage, &error)))
        give_verdict(EXIT_WRONG, "does not start after its end", error.text);
    check_stores(&after);
    stage_close(&run.stage);
}

/* The act, with memory refused. */
static void live(int64_t number, bool all)
{
    static struct answer answer;
    struct error error = {0};
    memory_watch();
    memory_refuse(number, all);
    const bool done = act_do(run.act, &run.stage, &run.ids, &answer, &error);
    memory_relent();
    run.ledger->owner = memory_refused();
    answer_mask(&answer);
    if (!done || !answers_equal(&answer, &run.ledger->expected)) {
        expect_clean_error(&answer, &error, done);
        do_again(&answer);
    }
    finish_story();
    if (run.plant == PLANT_LEAK && memory_refused() != MEMORY_OWNERS)
        (void)!memory_new(1, 1);
    if (memory_live() > 0) {
        char what[64];
        (void)snprintf(what, sizeof what, "%zu allocations, one of %zu bytes", memory_live(),
                       memory_live_example());
        give_verdict(EXIT_LEAK, "leak", what);
    }
    _exit(EXIT_RIGHT);
}

/* --- in the parent --- */

static void print_said(void)
{
    char text[2048];
    const ssize_t length = pread(run.said, text, sizeof text - 1, 0);
    text[length > 0 ? length : 0] = '\0';
    (void)fprintf(stderr, "    %s\n", text);
}

static bool said_out_of_memory(void)
{
    static const char MESSAGE[] = "out of memory\n";
    char end[sizeof MESSAGE] = "";
    const off_t length = lseek(run.said, 0, SEEK_END);
    const off_t from = length - (off_t)sizeof MESSAGE + 1;
    (void)!pread(run.said, end, sizeof MESSAGE - 1, from > 0 ? from : 0);
    return strcmp(end, MESSAGE) == 0;
}

static void complain(int64_t number, bool all, int status)
{
    struct ledger *ledger = run.ledger;
    static const char *const OWNERS[] = {"ours", "SQLite's", "jansson's", "libevent's",
                                         "OpenSSL's"};
    if (run.plant != PLANT_NONE || ledger->wrong + ledger->leaks + ledger->crashes > REPORTS)
        return;
    (void)fprintf(stderr, "act %td (%s), allocation %" PRId64 "%s (%s), status %#x: %s\n",
                  run.act - acts, run.act->line ? run.act->line : "-", number,
                  all ? " and all behind it" : "",
                  ledger->owner < MEMORY_OWNERS ? OWNERS[ledger->owner] : "?", (unsigned)status,
                  ledger->reason);
    print_said();
}

static void count(int64_t number, bool all, int status)
{
    struct ledger *ledger = run.ledger;
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    ledger->points++;
    if (ledger->owner < MEMORY_OWNERS)
        ledger->by_owner[ledger->owner]++;
    if (code == EXIT_RIGHT) {
        ledger->refused += ledger->clean;
        ledger->right += !ledger->clean;
        return;
    }
    if (code == EXIT_STOPPED && said_out_of_memory()) {
        ledger->stopped++;
        return;
    }
    ledger->wrong += code == EXIT_WRONG || code == EXIT_STOPPED;
    ledger->leaks += code == EXIT_LEAK;
    ledger->crashes += code != EXIT_WRONG && code != EXIT_STOPPED && code != EXIT_LEAK;
    complain(number, all, status);
}

static int in_child(void (*body)(int64_t, bool), int64_t number, bool all)
{
    int status = 0;
    run.ledger->clean = false;
    run.ledger->owner = MEMORY_OWNERS;
    run.ledger->reason[0] = '\0';
    (void)!ftruncate(run.said, 0);
    (void)lseek(run.said, 0, SEEK_SET);
    const pid_t child = fork();
    if (child == 0) {
        (void)alarm(CHILD_S);
        (void)dup2(run.said, STDERR_FILENO);
        body(number, all);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

/* How many allocations it makes, and what comes of it with memory. */
static void rehearse(int64_t number, bool all)
{
    struct error error = {0};
    (void)all;
    memory_note(run.ledger->owners, ASKED_MAX);
    memory_refuse(number, false);
    if (!act_do(run.act, &run.stage, &run.ids, &run.ledger->expected, &error)) {
        (void)fprintf(stderr, "%s\n", error.text);
        _exit(EXIT_WRONG);
    }
    run.ledger->asked = memory_asked();
    answer_mask(&run.ledger->expected);
    _exit(EXIT_RIGHT);
}

/* Those of SQLite are by far the most, and alike: of them every so many. Starting is slow. With the
 * others the first one ends the process: what is behind it is never asked for. */
static bool chosen(int64_t number, bool all)
{
    const int open = run.act->kind == ACT_OPEN ? run.plan->open_stride : 1;
    if (run.ledger->owners[number - 1] != MEMORY_SQLITE)
        return !all && number % run.plan->stride == 0;
    return (number + all) % ((int64_t)run.plan->sqlite_stride * open) == 0;
}

static void try_points(void)
{
    int64_t mine = 0;
    for (int64_t point = 0; point < 2 * run.ledger->asked; point++) {
        const int64_t number = point / 2 + 1;
        const bool all = point % 2 != 0;
        if (chosen(number, all) && mine++ % WORKERS == run.number)
            count(number, all, in_child(live, number, all));
    }
}

/* The answer's body is a pointer, and it was another process's. */
static bool rehearsed(void)
{
    const int status = in_child(rehearse, 0, false);
    if (status == 0)
        return true;
    run.ledger->crashes++;
    complain(0, false, status);
    return false;
}

static bool go_on(void)
{
    struct error error = {0};
    static struct answer answer;
    if (!act_do(run.act, &run.stage, &run.ids, &answer, &error)) {
        (void)fprintf(stderr, "act %td: %s\n", run.act - acts, error.text);
        return false;
    }
    act_learn(run.act, &answer, &run.ids);
    if (run.act->books)
        run.bookings.least = run.bookings.most;
    return true;
}

static void go_through_the_story(void)
{
    (void)EVP_Digest("", 0, (unsigned char[EVP_MAX_MD_SIZE]){0}, NULL, EVP_sha256(), NULL);
    stage_init(&run.stage);
    memory_on_abort = stopped;
    for (size_t i = 0; i < acts_count; i++) {
        run.act = &acts[i];
        run.bookings.most += run.act->books;
        if (!rehearsed())
            break;
        try_points();
        if (!go_on())
            break;
    }
    stage_close(&run.stage);
    stage_release(&run.stage);
}

static void work(struct ledger *ledger, int number, enum plant plant, const struct plan *plan)
{
    run.ledger = ledger;
    run.number = number;
    run.plant = plant;
    run.plan = plan;
    run.said = memfd_create("said", MFD_CLOEXEC);
    memory_hook(plant == PLANT_LIBRARIES);
    go_through_the_story();
    exit(EXIT_SUCCESS);
}

/* Both workers; the sum of what they found is in ledgers[0]. */
static void prove(struct ledger *ledgers, enum plant plant, const struct plan *plan)
{
    pid_t children[WORKERS];
    memset(ledgers, 0, WORKERS * sizeof *ledgers);
    for (int i = 0; i < WORKERS; i++) {
        children[i] = fork();
        if (children[i] == 0)
            work(&ledgers[i], i, plant, plan);
    }
    for (int i = 0; i < WORKERS; i++) {
        int status = 0;
        (void)waitpid(children[i], &status, 0);
        ledgers[i].crashes += status != 0;
    }
    for (int i = 1; i < WORKERS; i++)
        ledger_add(&ledgers[0], &ledgers[i]);
}

static const struct plan PLANS[] = {[PROVE_CI] = {4, 16, 60, 1000},
                                    [PROVE_FULL] = {1, 4, 60, 5000},
                                    [PROVE_NIGHTLY] = {1, 1, 1, 30000}};

/* Enough for the planted bugs. */
static const struct plan FEW = {25, 800, 10, 0};

static int64_t found_with(struct ledger *ledgers, enum plant plant)
{
    prove(ledgers, plant, &FEW);
    return plant == PLANT_LEAK ? ledgers->leaks : ledgers->wrong + ledgers->crashes;
}

int main(void)
{
    struct ledger *ledgers = mmap(NULL, WORKERS * sizeof *ledgers, PROT_READ | PROT_WRITE,
                                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (ledgers == MAP_FAILED)
        return EXIT_FAILURE;
    const struct plan *plan = &PLANS[prove_size()];
    (void)clearenv();
    (void)setenv("EVENT_NOEPOLL", "1", 1); /* what epoll watches is the kernel's, not the child's */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)!log_set_level("error"); /* the last word is to be the one of a stop */
    const int64_t bugs = found_with(ledgers, PLANT_LIBRARIES);
    const int64_t leaks = found_with(ledgers, PLANT_LEAK);
    prove(ledgers, PLANT_NONE, plan);
    return ledger_figure(ledgers, plan, bugs, leaks) ? EXIT_SUCCESS : EXIT_FAILURE;
}
