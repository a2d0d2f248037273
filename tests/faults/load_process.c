/* Starting and ending workers. */
#include "load_process.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buf.h"
#include "load_http.h"

enum { VARIABLES_MAX = 32 };

static char *variable(const char *name, const char *value)
{
    struct buf text AUTO(buf_release) = {0};
    buf_printf(&text, "%s=%s", name, value);
    return buf_take(&text);
}

/* In the child: nothing is freed, exec takes it all. */
static void fill_environment(const struct process_plan *plan, char *environment[])
{
    const struct {
        const char *name, *value;
    } own[] = {
        {"PATH", "/usr/bin:/bin"},
        {"HOME", plan->state_dir},
        {"TZ", "UTC"},
        {"BOOKFLOW_STATE_DIR", plan->state_dir},
        {"SQS_BOOKING_REQUEST_QUEUE_URL", plan->request_url},
        {"SQS_BOOKING_CONFIRMATION_QUEUE_URL", plan->confirmation_url},
        {"ASAN_OPTIONS", getenv("ASAN_OPTIONS")},
    };
    struct buf listen = {0};
    size_t count = 0;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (own[i].value)
            environment[count++] = variable(own[i].name, own[i].value);
    buf_printf(&listen, "unix:%s", plan->socket);
    environment[count++] = variable("BOOKFLOW_LISTEN", buf_text(&listen));
    for (const char *const *more = plan->variables; more && *more; more++) {
        assert(count < VARIABLES_MAX);
        environment[count++] = memory_text(*more);
    }
    environment[count] = NULL;
}

static void become(const struct process_plan *plan)
{
    char *environment[VARIABLES_MAX + 1];
    char *arguments[] = {memory_text(plan->program), memory_text("serve"), memory_text(plan->role),
                         NULL};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int log = open(plan->log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (log < 0 || dup2(log, STDERR_FILENO) < 0 || dup2(log, STDOUT_FILENO) < 0)
        _exit(EXIT_FAILURE);
    fill_environment(plan, environment);
    (void)execve(plan->program, arguments, environment);
    _exit(EXIT_FAILURE);
}

pid_t process_start(const struct process_plan *plan)
{
    const pid_t pid = fork();
    assert(pid >= 0);
    if (pid == 0)
        become(plan);
    return pid;
}

static int wait_for(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        assert(errno == EINTR);
    return status;
}

int process_end(pid_t pid, int signal)
{
    (void)kill(pid, signal);
    return wait_for(pid);
}

bool process_ended(pid_t pid, int limit_ms, int *status)
{
    const int64_t until_ms = harness_now_ms() + limit_ms;
    while (waitpid(pid, status, WNOHANG) != pid) {
        if (harness_now_ms() >= until_ms)
            return false;
        harness_pause_ms(1);
    }
    return true;
}
