/* One fault at one call of a real worker, and what comes after it.
 *
 *   fault_point BOOKFLOW SHIM FOLDER KIND CALL AT [keep]
 *
 * Runs `serve all` with the fault planted (see kills_shim.c), a client that notes what it is
 * promised, then the worker again without the fault; looks whether every promise was kept, the
 * audit chains are whole, the pipeline comes to rest and takes bookings again. Prints one line:
 *
 *   ok|BAD KIND CALL AT OUTCOME PROMISED UNAVAILABLE HIT...
 *
 * where OUTCOME is killed, stopped (aborted on purpose), refused (to start), lived, or unreached.
 * FOLDER is made, and removed unless the point is BAD or to be kept. */
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buf.h"
#include "kills_converge.h"
#include "kills_point_client.h"
#include "load_http.h"
#include "load_process.h"
#include "load_promises.h"

enum { WORDS = 7, STOP_MS = 20000, START_MS = 20000, REST_MS = 6000, TEXT_SIZE = 65536 };

struct point {
    const char *program, *shim, *folder, *kind, *call, *at;
    struct process_plan plan;
    const char *promises;
    const char *outcome;
    char complaint[512];
};

static bool bad(struct point *point, const char *what)
{
    (void)snprintf(point->complaint, sizeof point->complaint, "%s", what);
    return false;
}

static char *in_folder(const struct point *point, const char *name)
{
    struct buf path AUTO(buf_release) = {0};
    buf_printf(&path, "%s/%s", point->folder, name);
    return buf_take(&path);
}

/* The end of a file, on one line. */
static void read_text(const struct point *point, const char *name, char text[TEXT_SIZE])
{
    char *path AUTO(memory_release) = in_folder(point, name);
    FILE *file = fopen(path, "re");
    const size_t length = file ? fread(text, 1, TEXT_SIZE - 1, file) : 0;
    text[length] = '\0';
    for (char *at = text; *at; at++)
        *at = *at == '\n' ? ' ' : *at;
    if (file)
        (void)fclose(file);
}

static bool log_says(const struct point *point, const char *words)
{
    char text[TEXT_SIZE];
    read_text(point, "worker.log", text);
    return strstr(text, words) != NULL;
}

/* --- The worker with the fault in it. --- */

static char *setting(const char *name, const char *value)
{
    struct buf text AUTO(buf_release) = {0};
    buf_printf(&text, "%s=%s", name, value);
    return buf_take(&text);
}

static pid_t start_faulty(struct point *point)
{
    char *report AUTO(memory_release) = in_folder(point, "hit");
    char *variables[] = {setting("LD_PRELOAD", point->shim), setting("FAULT_KIND", point->kind),
                         setting("FAULT_CALL", point->call), setting("FAULT_AT", point->at),
                         setting("FAULT_REPORT", report),    NULL};
    point->plan.variables = (const char *const *)variables;
    const pid_t pid = process_start(&point->plan);
    point->plan.variables = NULL;
    for (size_t i = 0; variables[i]; i++)
        free(variables[i]);
    return pid;
}

static bool listens(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool good = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    (void)close(fd);
    return good;
}

/* False: it ended first. */
static bool wait_ready(const struct point *point, pid_t pid, int *status)
{
    const int64_t until_ms = harness_now_ms() + START_MS;
    while (harness_now_ms() < until_ms) {
        if (listens(point->plan.socket))
            return true;
        if (process_ended(pid, 0, status))
            return false;
        harness_pause_ms(1);
    }
    *status = process_end(pid, SIGKILL);
    return false;
}

/* How a worker that did not end by itself did so, in one word; NULL when it may not. */
static const char *outcome_of_signal(const struct point *point, int signal, bool reached)
{
    const bool is_error = point->kind[0] == 'E';
    if (!is_error && reached && signal == SIGKILL)
        return "killed";
    return is_error && signal == SIGABRT && log_says(point, "fsync failed") ? "stopped" : NULL;
}

static const char *outcome_of(const struct point *point, int status)
{
    char *hit AUTO(memory_release) = in_folder(point, "hit");
    const bool reached = access(hit, F_OK) == 0;
    if (WIFSIGNALED(status))
        return outcome_of_signal(point, WTERMSIG(status), reached);
    if (WEXITSTATUS(status) == 0)
        return reached ? "lived" : "unreached";
    return point->kind[0] == 'E' && log_says(point, " serve.failed ") ? "refused" : NULL;
}

/* SQLite syncs folders too and shrugs when that fails. */
static bool hit_a_file(const struct point *point)
{
    char text[TEXT_SIZE];
    struct stat status;
    read_text(point, "hit", text);
    char *path = strchr(text, ' ');
    char *end = path ? strchr(path + 1, ' ') : NULL;
    if (end)
        *end = '\0';
    return path && stat(path + 1, &status) == 0 && S_ISREG(status.st_mode);
}

static bool run_faulty(struct point *point, struct point_client *client)
{
    int status = 0;
    const pid_t pid = start_faulty(point);
    if (wait_ready(point, pid, &status)) {
        point_client_run(client);
        (void)kill(pid, SIGTERM);
        if (!process_ended(pid, STOP_MS, &status)) {
            (void)process_end(pid, SIGKILL);
            return bad(point, "the faulty worker does not stop");
        }
    }
    point->outcome = outcome_of(point, status);
    if (!point->outcome)
        return bad(point, "the faulty worker ended without a word");
    if (strcmp(point->call, "fdatasync") == 0 && strcmp(point->outcome, "lived") == 0 &&
        hit_a_file(point))
        return bad(point, "it lived on after a failed fsync");
    return true;
}

/* --- The worker after it. --- */

static bool is_whole(struct point *point, bool settled, struct error *error)
{
    char *intake AUTO(memory_release) = in_folder(point, "intake.db");
    char *decision AUTO(memory_release) = in_folder(point, "decision.db");
    struct promises_result result = {0};
    const struct promises_paths paths = {
        .log = point->promises, .intake = intake, .decision = decision, .settled = settled};
    if (!promises_check(&paths, &result, error))
        return bad(point, error->text);
    return promises_kept(&result) || bad(point, result.first);
}

static bool comes_to_rest(struct point *point, struct error *error)
{
    char *intake AUTO(memory_release) = in_folder(point, "intake.db");
    char *decision AUTO(memory_release) = in_folder(point, "decision.db");
    char *queues AUTO(memory_release) = in_folder(point, "queues.db");
    const struct converge_paths paths = {.intake = intake, .decision = decision, .queues = queues};
    struct converge_times times = {0};
    if (!converge_watch(&paths, true, REST_MS, &times, error))
        return bad(point, error->text);
    return times.unfinished == 0 || bad(point, "the pipeline does not come to rest");
}

static bool stops_well(struct point *point, pid_t pid)
{
    int status = 0;
    (void)kill(pid, SIGTERM);
    if (!process_ended(pid, STOP_MS, &status)) {
        (void)process_end(pid, SIGKILL);
        return bad(point, "the worker does not stop");
    }
    return (WIFEXITED(status) && WEXITSTATUS(status) == 0) || bad(point, "the worker falls");
}

static bool run_after(struct point *point, struct point_client *client)
{
    struct error error = {0};
    int status = 0;
    const pid_t pid = process_start(&point->plan);
    if (!wait_ready(point, pid, &status))
        return bad(point, "the worker does not start again");
    const bool good = is_whole(point, false, &error) &&
                      (point_client_again(client) || bad(point, "no 201 after the restart")) &&
                      comes_to_rest(point, &error);
    return stops_well(point, pid) && good && is_whole(point, true, &error);
}

/* --- */

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

static bool run(struct point *point)
{
    struct point_client client = {.socket = point->plan.socket,
                                  .log = fopen(point->promises, "we")};
    char hit[TEXT_SIZE];
    if (!client.log)
        return false;
    const bool good = run_faulty(point, &client) && run_after(point, &client);
    (void)fclose(client.log);
    read_text(point, "hit", hit);
    (void)printf("%s %s %s %s %s %lld %lld %s%s%s\n", good ? "ok" : "BAD", point->kind, point->call,
                 point->at, point->outcome ? point->outcome : "?", (long long)client.promised,
                 (long long)client.unavailable, hit, *point->complaint ? "| " : "",
                 point->complaint);
    return good;
}

int main(int count, char **words)
{
    if (count < WORDS) {
        (void)fputs("usage: fault_point BOOKFLOW SHIM FOLDER KIND CALL AT [keep]\n", stderr);
        return 2;
    }
    struct point point = {.program = words[1],
                          .shim = words[2],
                          .folder = words[3],
                          .kind = words[4],
                          .call = words[5],
                          .at = words[6],
                          .outcome = "?"};
    char *socket AUTO(memory_release) = in_folder(&point, "sock");
    char *log AUTO(memory_release) = in_folder(&point, "worker.log");
    char *promises AUTO(memory_release) = in_folder(&point, "promises.log");
    point.promises = promises;
    point.plan = (struct process_plan){.program = point.program,
                                       .role = "all",
                                       .state_dir = point.folder,
                                       .socket = socket,
                                       .log = log};
    if (mkdir(point.folder, 0700) != 0)
        return 2;
    const bool good = run(&point);
    if (good && count == WORDS)
        (void)nftw(point.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return good ? 0 : 1;
}
