/* Preloaded into a worker: every call that changes what is on disk goes through here and is
 * counted, over all threads; the one that the plan names is made to fail, or the process is killed
 * right before or right after it. (strace injects too, but counts each thread by itself, so that
 * most calls of the second thread would never be hit.) Must not need anything that makes such
 * calls itself.
 *
 *   FAULT_KIND    kill-before, kill-after, EIO, ENOSPC, EINTR, count, forget, unheard
 *   FAULT_CALL    pwrite64, fdatasync, ... or any
 *   FAULT_AT      the how manieth such call, from 1
 *   FAULT_REPORT  file that is told "CALL PATH" of the call that was hit; with count, at the end,
 *                 "CALL COUNT" of each
 *
 * Two are planted bugs, for controls. forget: kill-before (if there is a FAULT_AT), and the WAL of
 * intake.db is kept in memory, so that what was answered is gone with the process. unheard: a call
 * that is said to have been hit, and yet the worker is told that all is well. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum call {
    CALL_PWRITE,
    CALL_FDATASYNC,
    CALL_FSYNC,
    CALL_FTRUNCATE,
    CALL_UNLINK,
    CALL_RENAME,
    CALL_MKDIR,
    CALL_MKNOD,
    CALL_CREATE,
    CALL_FCHMOD,
    CALL_FCHOWN,
    CALL_UTIMENS,
    CALL_BIND,
    CALLS
};

static const char *const names[CALLS] = {"pwrite64", "fdatasync", "fsync", "ftruncate", "unlink",
                                         "rename",   "mkdir",     "mknod", "create",    "fchmod",
                                         "fchown",   "utimensat", "bind"};

enum { PATH_SIZE = 512 };

/* A preloaded library has no other place for what it was told at start. */
static struct {
    bool counts, before, after, forgets;
    int error;
    long at;
    bool only[CALLS];
    const char *report;
    atomic_long seen;
    atomic_long totals[CALLS];
    int memory; /* the forgetful WAL; -1 = none yet */
} plan = {.memory = -1};

static int error_named(const char *name)
{
    static const struct {
        const char *name;
        int number;
    } errors[] = {{"EIO", EIO}, {"ENOSPC", ENOSPC}, {"EINTR", EINTR}};
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (strcmp(name, errors[i].name) == 0)
            return errors[i].number;
    return 0;
}

__attribute__((constructor)) static void read_plan(void)
{
    const char *kind = getenv("FAULT_KIND");
    const char *call = getenv("FAULT_CALL");
    const char *at = getenv("FAULT_AT");
    if (!kind)
        return;
    plan.counts = strcmp(kind, "count") == 0;
    plan.after = strcmp(kind, "kill-after") == 0;
    plan.forgets = strcmp(kind, "forget") == 0;
    plan.before = plan.forgets || strcmp(kind, "kill-before") == 0;
    plan.error = error_named(kind);
    plan.at = at ? strtol(at, NULL, 10) : 0;
    plan.report = getenv("FAULT_REPORT");
    for (size_t i = 0; call && i < CALLS; i++)
        plan.only[i] = strcmp(call, "any") == 0 || strcmp(call, names[i]) == 0;
}

static void tell(const char *line)
{
    const int fd = plan.report ? (int)syscall(SYS_openat, AT_FDCWD, plan.report,
                                              O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)
                               : -1;
    if (fd < 0)
        return;
    (void)!write(fd, line, strlen(line));
    (void)close(fd);
}

__attribute__((destructor)) static void tell_counts(void)
{
    char line[PATH_SIZE];
    for (size_t i = 0; plan.counts && i < CALLS; i++) {
        (void)snprintf(line, sizeof line, "%s %ld\n", names[i], atomic_load(&plan.totals[i]));
        tell(line);
    }
}

static void tell_hit(enum call call, int fd, const char *path)
{
    char line[2 * PATH_SIZE];
    char link[64];
    char target[PATH_SIZE] = "";
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (!path && readlink(link, target, sizeof target - 1) > 0)
        path = target;
    (void)snprintf(line, sizeof line, "%s %s\n", names[call], path ? path : "?");
    tell(line);
}

static void die(void)
{
    (void)syscall(SYS_kill, getpid(), SIGKILL);
    for (;;) /* until it has arrived */
        (void)pause();
}

/* True: this is the call. False with errno set: it is to fail. */
static bool is_hit(enum call call, int fd, const char *path)
{
    atomic_fetch_add(&plan.totals[call], 1);
    if (!plan.only[call] || plan.at == 0 || atomic_fetch_add(&plan.seen, 1) + 1 != plan.at)
        return false;
    tell_hit(call, fd, path);
    if (plan.before)
        die();
    return true;
}

/* The call itself, with what the plan has for it. */
static long pass(enum call call, int fd, const char *path, const long words[5])
{
    const bool hit = is_hit(call, fd, path);
    if (hit && plan.error) {
        errno = plan.error;
        return -1;
    }
    const long result = syscall(words[0], words[1], words[2], words[3], words[4]);
    const int number = errno;
    if (hit && plan.after)
        die();
    errno = number;
    return result;
}

#define WORDS(...) ((const long[5]){__VA_ARGS__})

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at)
{
    return pass(CALL_PWRITE, fd, NULL, WORDS(SYS_pwrite64, fd, (long)bytes, (long)count, at));
}

int fdatasync(int fd)
{
    return (int)pass(CALL_FDATASYNC, fd, NULL, WORDS(SYS_fdatasync, fd));
}

int fsync(int fd)
{
    return (int)pass(CALL_FSYNC, fd, NULL, WORDS(SYS_fsync, fd));
}

int ftruncate64(int fd, off64_t length)
{
    return (int)pass(CALL_FTRUNCATE, fd, NULL, WORDS(SYS_ftruncate, fd, length));
}

int unlink(const char *path)
{
    return (int)pass(CALL_UNLINK, -1, path, WORDS(SYS_unlinkat, AT_FDCWD, (long)path));
}

int rename(const char *from, const char *to)
{
    return (int)pass(CALL_RENAME, -1, to,
                     WORDS(SYS_renameat, AT_FDCWD, (long)from, AT_FDCWD, (long)to));
}

int mkdir(const char *path, mode_t mode)
{
    return (int)pass(CALL_MKDIR, -1, path, WORDS(SYS_mkdirat, AT_FDCWD, (long)path, mode));
}

int mknod(const char *path, mode_t mode, dev_t device)
{
    return (int)pass(CALL_MKNOD, -1, path,
                     WORDS(SYS_mknodat, AT_FDCWD, (long)path, mode, (long)device));
}

int fchmod(int fd, mode_t mode)
{
    return (int)pass(CALL_FCHMOD, fd, NULL, WORDS(SYS_fchmod, fd, mode));
}

int fchown(int fd, uid_t user, gid_t group)
{
    return (int)pass(CALL_FCHOWN, fd, NULL, WORDS(SYS_fchown, fd, user, group));
}

int utimensat(int folder, const char *path, const struct timespec times[2], int flags)
{
    return (int)pass(CALL_UTIMENS, -1, path,
                     WORDS(SYS_utimensat, folder, (long)path, (long)times, flags));
}

int bind(int fd, const struct sockaddr *address, socklen_t length)
{
    return (int)pass(CALL_BIND, fd, NULL, WORDS(SYS_bind, fd, (long)address, length));
}

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text);
    return length >= strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

/* Both connections of the process see the same WAL, and nobody after them. */
static int open_forgetful(int flags)
{
    char link[64];
    if (plan.memory < 0)
        plan.memory = memfd_create("wal", MFD_CLOEXEC);
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", plan.memory);
    return (int)syscall(SYS_openat, AT_FDCWD, link, flags & ~(O_CREAT | O_NOFOLLOW | O_EXCL), 0);
}

static int open_path(const char *path, int flags, mode_t mode)
{
    const long words[5] = {SYS_openat, AT_FDCWD, (long)path, flags, mode};
    if (plan.forgets && ends_with(path, "/intake.db-wal"))
        return open_forgetful(flags);
    if (flags & O_CREAT)
        return (int)pass(CALL_CREATE, -1, path, words);
    return (int)syscall(words[0], words[1], words[2], words[3], words[4]);
}

static mode_t mode_of(int flags, va_list more)
{
    return flags & O_CREAT ? va_arg(more, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    const mode_t mode = mode_of(flags, more);
    va_end(more);
    return open_path(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    const mode_t mode = mode_of(flags, more);
    va_end(more);
    return open_path(path, flags, mode);
}
