/* A worker as a real process that a harness starts, kills and starts again. */
#ifndef BOOKFLOW_LOAD_PROCESS_H
#define BOOKFLOW_LOAD_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

struct process_plan {
    const char *program;                        /* of bookflow */
    const char *role;                           /* "intake", "decision", "all" */
    const char *state_dir;                      /* must exist */
    const char *socket;                         /* where it listens */
    const char *log;                            /* appended to */
    const char *request_url, *confirmation_url; /* NULL = the embedded queue of `serve all` */
    const char *const *variables;               /* more of them, NULL at the end; may be NULL */
};

/* Dies with the harness. Aborts the harness when it cannot fork. */
pid_t process_start(const struct process_plan *plan);

/* Sends the signal and waits; the status as waitpid() has it. */
int process_end(pid_t pid, int signal);

/* Waits up to `limit_ms`; false = still running. */
bool process_ended(pid_t pid, int limit_ms, int *status);

#endif
