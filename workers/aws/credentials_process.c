/* credential_process: a program of the user's whose output is the credentials. It runs beside the
 * loop, which looks at its pipe; it is given a minute. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "credentials_private.h"

enum { LIMIT_MS = 60 * 1000, LOOK_MS = 20, OUTPUT_MAX = 64 * 1024 };

/* As a program expects to be started: none of our descriptors (libcurl's sockets are inherited), no
 * signal blocked or ignored, a group of its own so that it is stopped as a whole. */
static void prepare(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, int output)
{
    sigset_t none;
    sigset_t all;
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    (void)posix_spawn_file_actions_init(actions);
    (void)posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    (void)posix_spawn_file_actions_adddup2(actions, output, STDOUT_FILENO);
    (void)posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
    (void)posix_spawnattr_init(attributes);
    (void)posix_spawnattr_setsigmask(attributes, &none);
    (void)posix_spawnattr_setsigdefault(attributes, &all);
    (void)posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                   POSIX_SPAWN_SETSIGDEF);
}

/* Through the shell, as the profile is the user's own and its command line is written for one. */
static int spawn(const char *command, int output, pid_t *process)
{
    char shell[] = "sh";
    char option[] = "-c";
    char *line AUTO(memory_release) = memory_text(command);
    char *const arguments[] = {shell, option, line, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    prepare(&actions, &attributes, output);
    const int code = posix_spawn(process, "/bin/sh", &actions, &attributes, arguments, environ);
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&actions);
    return code;
}

enum link_result process_start(struct credentials_chain *chain, const char *command,
                               struct error *error)
{
    int ends[2] = {-1, -1};
    if (pipe2(ends, O_CLOEXEC) < 0) {
        (void)error_set(error, ERROR_UNAVAILABLE, "credential_process: %s", strerror(errno));
        return LINK_FAILED;
    }
    const int code = spawn(command, ends[1], &chain->process);
    (void)close(ends[1]);
    if (code != 0) {
        (void)close(ends[0]);
        chain->process = 0;
        (void)error_set(error, ERROR_CONFIGURATION, "credential_process: %s", strerror(code));
        return LINK_FAILED;
    }
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK); /* our end only: it may write as it likes */
    chain->process_fd = ends[0];
    chain->process_until_ms = world_ticks_ms(chain->options.world) + LIMIT_MS;
    chain->process_output.maximum = OUTPUT_MAX;
    exchanges_wake(chain->options.exchanges); /* so that it is looked at from now on */
    return LINK_PENDING;
}

void process_stop(struct credentials_chain *chain)
{
    if (chain->process > 0) {
        (void)kill(-chain->process, SIGKILL);
        (void)waitpid(chain->process, NULL, 0);
    }
    if (chain->process_fd >= 0)
        (void)close(chain->process_fd);
    buf_wipe(&chain->process_output);
    chain->process = 0;
    chain->process_fd = -1;
}

static bool take_output(struct credentials_chain *chain, struct error *error)
{
    const struct buf *output = &chain->process_output;
    struct found *fresh = &chain->fresh;
    if (!found_from_json(fresh, buf_text(output), output->length, error))
        return false;
    (void)snprintf(fresh->source, SOURCE_SIZE, "credential_process");
    return fresh->expires_ms == 0 || fresh->expires_ms > world_wall_ms(chain->options.world) ||
           error_set(error, ERROR_UNAVAILABLE, "what it prints has expired");
}

static void ended(struct credentials_chain *chain, struct error *error)
{
    const bool found = !error->kind && take_output(chain, error);
    process_stop(chain);
    if (found) {
        chain_found(chain);
        return;
    }
    (void)error_context(error, "credential_process");
    chain_failed(chain, error);
}

/* Whether it has ended. It stays a zombie until process_stop(), so that its number still names its
 * group and nobody else's. */
static bool has_ended(const struct credentials_chain *chain, struct error *error)
{
    siginfo_t info = {0};
    if (waitid(P_PID, (id_t)chain->process, &info, WEXITED | WNOHANG | WNOWAIT) == 0) {
        if (info.si_pid == 0)
            return false;
        if (info.si_code != CLD_EXITED || info.si_status != 0)
            (void)error_set(error, ERROR_UNAVAILABLE, "%s %d",
                            info.si_code == CLD_EXITED ? "it failed with status"
                                                       : "it was ended by signal",
                            info.si_status);
    }
    return true;
}

/* As much as there is, and not more than credentials can be. */
static void read_output(struct credentials_chain *chain)
{
    char block[4096];
    ssize_t got = 1;
    while (got > 0 && !chain->process_output.overflow) {
        got = read(chain->process_fd, block, sizeof block);
        buf_append(&chain->process_output, block, got > 0 ? (size_t)got : 0);
    }
    OPENSSL_cleanse(block, sizeof block);
}

/* It is over when it has ended, not when its pipe is closed: what it leaves running may hold that
 * open. */
int64_t process_step(struct credentials_chain *chain)
{
    struct error error = {0};
    if (chain->process == 0)
        return -1;
    const bool over = has_ended(chain, &error);
    read_output(chain);
    if (chain->process_output.overflow)
        (void)error_set(&error, ERROR_CONFIGURATION, "it prints more than credentials");
    else if (!over && world_ticks_ms(chain->options.world) >= chain->process_until_ms)
        (void)error_set(&error, ERROR_UNAVAILABLE, "did not end within %d s", LIMIT_MS / 1000);
    else if (!over)
        return LOOK_MS;
    ended(chain, &error);
    return -1;
}
