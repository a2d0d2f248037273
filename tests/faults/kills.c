/* kill -9 of both workers, over and over, under HTTP load.
 *
 *   fault_kills BOOKFLOW FAULT_LOAD FOLDER KILLS MEAN_MS SEED [VARIABLE=VALUE...]
 *
 * FOLDER must be empty. Two workers with a state directory each and one embedded queue file between
 * them (other queues: SQS_BOOKING_..._QUEUE_URL in the environment). A kill comes MEAN_MS after the
 * one before on average, at any moment of a worker's life, its start included; the worker is
 * started again at once. VARIABLEs go to the intake worker: controls plant their bugs so. */
#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buf.h"
#include "figure.h"
#include "kills_converge.h"
#include "load_http.h"
#include "load_process.h"
#include "load_promises.h"

enum { INTAKE, DECISION, WORKERS, FIRST_OPTION = 7, READY_MS = 10000, STOP_MS = 15000 };
/* A control has a planted bug, after which nothing converges: it is not waited for as long. */
enum { PROMPT_MS = 5000, LIMIT_MS = 120000, CONTROL_LIMIT_MS = 15000 };
enum { CLIENTS = 6, THINK_MS = 12, ANY_MOMENT_ONE_IN = 4 };

enum { TEXTS_MAX = 16 };

struct kills {
    const char *folder;
    const char *load_program;
    const char *log; /* of the promises */
    struct process_plan plans[WORKERS];
    pid_t pids[WORKERS];
    pid_t load;
    uint64_t chance;
    int64_t killed;
    int64_t unready;        /* killed before they listened */
    int64_t fallen;         /* ended otherwise than by our kill */
    char *texts[TEXTS_MAX]; /* paths and URLs that the rest points to */
    size_t texts_count;
};

static const char *keep(struct kills *kills, struct buf *text)
{
    assert(kills->texts_count < TEXTS_MAX);
    kills->texts[kills->texts_count] = buf_take(text);
    return kills->texts[kills->texts_count++];
}

static void release(struct kills *kills)
{
    for (size_t i = 0; i < kills->texts_count; i++)
        free(kills->texts[i]);
}

static int64_t draw(struct kills *kills, int64_t below)
{
    kills->chance = kills->chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int64_t)(kills->chance >> 33) % below;
}

static const char *in_folder(struct kills *kills, const char *name)
{
    struct buf path = {0};
    buf_printf(&path, "%s/%s", kills->folder, name);
    return keep(kills, &path);
}

static const char *queue_url(struct kills *kills, const char *variable, const char *name)
{
    struct buf url = {0};
    const char *given = getenv(variable);
    if (given)
        return given;
    buf_printf(&url, "sqlite:%s/queues.db?queue=%s", kills->folder, name);
    return keep(kills, &url);
}

static void make_plans(struct kills *kills, const char *program, char **variables)
{
    static const char *const roles[WORKERS] = {"intake", "decision"};
    static const char *const sockets[WORKERS] = {"i.sock", "d.sock"};
    static const char *const logs[WORKERS] = {"intake.log", "decision.log"};
    const char *request = queue_url(kills, "SQS_BOOKING_REQUEST_QUEUE_URL", "request");
    const char *confirmation =
        queue_url(kills, "SQS_BOOKING_CONFIRMATION_QUEUE_URL", "confirmation");
    for (size_t i = 0; i < WORKERS; i++) {
        kills->plans[i] = (struct process_plan){
            .program = program,
            .role = roles[i],
            .state_dir = in_folder(kills, roles[i]),
            .socket = in_folder(kills, sockets[i]),
            .log = in_folder(kills, logs[i]),
            .request_url = request,
            .confirmation_url = confirmation,
            .variables = i == INTAKE ? (const char *const *)variables : NULL,
        };
        const int made = mkdir(kills->plans[i].state_dir, 0700);
        assert(made == 0);
    }
}

static bool listens(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const bool good = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    (void)close(fd);
    return good;
}

static bool wait_for(const struct kills *kills, size_t worker)
{
    const int64_t until_ms = harness_now_ms() + READY_MS;
    while (!listens(kills->plans[worker].socket)) {
        if (harness_now_ms() > until_ms)
            return false;
        harness_pause_ms(1);
    }
    return true;
}

static bool all_listen(const struct kills *kills)
{
    return wait_for(kills, INTAKE) && wait_for(kills, DECISION);
}

static void start_load(struct kills *kills, const char *seed)
{
    char clients[16];
    char think[16];
    (void)snprintf(clients, sizeof clients, "%d", CLIENTS);
    (void)snprintf(think, sizeof think, "%d", THINK_MS);
    (void)fflush(stdout);
    kills->load = fork();
    if (kills->load == 0) {
        (void)execl(kills->load_program, kills->load_program, kills->plans[INTAKE].socket,
                    kills->plans[DECISION].socket, kills->log, seed, clients, think, (char *)NULL);
        _exit(2);
    }
}

static void kill_one(struct kills *kills, size_t victim)
{
    kills->unready += !listens(kills->plans[victim].socket);
    const int status = process_end(kills->pids[victim], SIGKILL);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        kills->fallen++;
    kills->killed++;
    kills->pids[victim] = process_start(&kills->plans[victim]);
}

/* By the clock, so that what a kill and a start take is not added. Most victims have begun to work,
 * also on a machine that is busy with other things. */
static void kill_many(struct kills *kills, int64_t count, int64_t mean_ms)
{
    int64_t next_ms = harness_now_ms();
    while (kills->killed < count) {
        const size_t victim = (size_t)draw(kills, WORKERS);
        const bool at_any_moment = draw(kills, ANY_MOMENT_ONE_IN) == 0;
        const int64_t now_ms = harness_now_ms();
        next_ms = (next_ms > now_ms - mean_ms ? next_ms : now_ms - mean_ms) +
                  draw(kills, 2 * mean_ms + 1);
        if (next_ms > now_ms)
            harness_pause_ms(next_ms - now_ms);
        if (!at_any_moment && !wait_for(kills, victim))
            kills->fallen++;
        kill_one(kills, victim);
    }
}

/* Both must drain and end with 0. */
static bool stop_workers(struct kills *kills)
{
    bool good = true;
    for (size_t i = 0; i < WORKERS; i++) {
        int status = 0;
        (void)kill(kills->pids[i], SIGTERM);
        if (!process_ended(kills->pids[i], STOP_MS, &status))
            status = process_end(kills->pids[i], SIGKILL);
        good = good && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    return good;
}

static bool report(const struct kills *kills, const struct converge_times *times,
                   const struct promises_result *result)
{
    const bool kept = promises_kept(result) && kills->fallen == 0;
    const bool converged =
        times->unfinished == 0 && times->total_ms <= (prove_size() == PROVE_CI ? 3 : 1) * PROMPT_MS;
    if (*result->first)
        (void)printf("first: %s\n", result->first);
    (void)printf("after the last kill: %lld ms until all was done but %lld messages that the dead"
                 " still held (%lld bookings waited for them, the rest were only not deleted yet);"
                 " their leases ran out at %lld ms; %lld ms later all was done\n",
                 (long long)times->work_ms, (long long)times->leased, (long long)times->behind,
                 (long long)times->leases_ms, (long long)times->after_ms);
    return figure("R4", kept && converged,
                  "kill -9: %lld kills of both workers under load (%lld before they listened), %lld"
                  " fell by themselves; %lld bookings and %lld decisions acknowledged, %lld lost,"
                  " %lld below, %lld doubled, %lld broken, %lld damaged; %lld dead letters put"
                  " back; converged %lld ms after the last kill, %lld of these on leases of the"
                  " dead (%s)",
                  (long long)kills->killed, (long long)kills->unready, (long long)kills->fallen,
                  (long long)result->bookings, (long long)result->statuses, (long long)result->lost,
                  (long long)result->below, (long long)result->doubled, (long long)result->broken,
                  (long long)result->damaged, (long long)times->redriven,
                  (long long)times->total_ms,
                  (long long)(times->total_ms - times->work_ms - times->after_ms),
                  times->unfinished == 0 ? "all done" : "NOT DONE");
}

static bool judge(struct kills *kills, struct error *error)
{
    struct converge_times times = {0};
    struct promises_result result = {0};
    struct error unseen = {0};
    const char *intake = in_folder(kills, "intake/intake.db");
    const char *decision = in_folder(kills, "decision/decision.db");
    const char *queues = in_folder(kills, "queues.db");
    const struct converge_paths paths = {.intake = intake, .decision = decision, .queues = queues};
    const struct promises_paths against = {
        .log = kills->log, .intake = intake, .decision = decision, .settled = true};
    const bool control = *kills->plans[INTAKE].variables;
    const int64_t limit_ms = control ? CONTROL_LIMIT_MS : LIMIT_MS;
    if (!all_listen(kills) || !converge_watch(&paths, false, limit_ms, &times, &unseen))
        times.unfinished = 1;
    if (unseen.kind)
        (void)printf("%s\n", unseen.text);
    if (!stop_workers(kills))
        kills->fallen++;
    const bool checked = promises_check(&against, &result, error);
    return checked && report(kills, &times, &result);
}

static int usage(void)
{
    (void)fputs("usage: fault_kills BOOKFLOW FAULT_LOAD FOLDER KILLS MEAN_MS SEED"
                " [VARIABLE=VALUE...]\n",
                stderr);
    return 2;
}

int main(int count, char **words)
{
    struct error error = {0};
    if (count < FIRST_OPTION)
        return usage();
    struct kills kills = {
        .load_program = words[2],
        .folder = words[3],
        .chance = strtoull(words[6], NULL, 10),
    };
    kills.log = in_folder(&kills, "promises.log");
    make_plans(&kills, words[1], words + FIRST_OPTION);
    for (size_t i = 0; i < WORKERS; i++)
        kills.pids[i] = process_start(&kills.plans[i]);
    if (!all_listen(&kills)) {
        (void)fputs("fault_kills: the workers do not start\n", stderr);
        return 1;
    }
    start_load(&kills, words[6]);
    const int64_t begun_ms = harness_now_ms();
    kill_many(&kills, strtol(words[4], NULL, 10), strtol(words[5], NULL, 10));
    (void)printf("seed %s: the kills took %lld ms\n", words[6],
                 (long long)(harness_now_ms() - begun_ms));
    (void)fflush(stdout);
    (void)process_end(kills.load, SIGTERM);
    const bool good = judge(&kills, &error);
    if (error.kind)
        (void)fprintf(stderr, "fault_kills: %s\n", error.text);
    release(&kills);
    return good ? 0 : 1;
}
