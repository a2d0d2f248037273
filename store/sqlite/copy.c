/* The copier. The loop and its thread share two flags; everything else belongs to the thread until
 * it has ended. */
#include "copy.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "db_private.h"

/* At a time: each chunk is forced to disk before the next, so that a commit's fsync never finds the
 * whole copy in front of it. */
enum { CHUNK_PAGES = 256 };

struct copy {
    char *from;
    char *to;
    char *part; /* the copy until it is whole */
    void (*wake)(void *context);
    void *context;
    pthread_t thread;
    atomic_bool stop;
    atomic_bool ended;
    int64_t bytes;
    struct error error;
};

static void close_database(sqlite3 **database)
{
    (void)sqlite3_close(*database);
}

static void close_file(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static bool failed(sqlite3 *database, const char *doing, struct error *error)
{
    return error_set(error, ERROR_UNAVAILABLE, "%s: %s", doing, sqlite3_errmsg(database));
}

/* A read transaction, so that every page is of the same moment, whatever the writer does next. */
static bool open_source(const struct copy *copy, sqlite3 **source, struct error *error)
{
    if (sqlite3_open_v2(copy->from, source, SQLITE_OPEN_READONLY | SQLITE_OPEN_PRIVATECACHE,
                        NULL) != SQLITE_OK ||
        sqlite3_exec(*source, "BEGIN; SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL) !=
            SQLITE_OK)
        return failed(*source, "cannot read the store", error);
    return true;
}

/* Without a journal and without SQLite's own syncs: a copy that is not whole is worth nothing. */
static bool open_target(const struct copy *copy, sqlite3 **target, struct error *error)
{
    (void)unlink(copy->part);
    if (mknod(copy->part, S_IFREG | S_IRUSR | S_IWUSR, 0) != 0)
        return error_set(error, ERROR_UNAVAILABLE, "cannot make %s: %s", copy->part,
                         strerror(errno));
    if (sqlite3_open_v2(copy->part, target,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_NOFOLLOW,
                        NULL) != SQLITE_OK ||
        sqlite3_exec(*target, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", NULL, NULL,
                     NULL) != SQLITE_OK)
        return failed(*target, "cannot write the copy", error);
    return true;
}

static bool copy_pages(struct copy *copy, sqlite3 *source, sqlite3 *target, int fd)
{
    sqlite3_backup *backup = sqlite3_backup_init(target, "main", source, "main");
    int code = backup ? SQLITE_OK : sqlite3_errcode(target);
    while (code == SQLITE_OK && !atomic_load(&copy->stop)) {
        code = sqlite3_backup_step(backup, CHUNK_PAGES);
        if (fdatasync(fd) != 0)
            code = SQLITE_IOERR_FSYNC;
    }
    (void)sqlite3_backup_finish(backup);
    if (code == SQLITE_OK)
        return error_set(&copy->error, ERROR_UNAVAILABLE,
                         "the copy was given up: the worker stops");
    return code == SQLITE_DONE ||
           error_set(&copy->error, ERROR_UNAVAILABLE, "the copy failed: %s", sqlite3_errstr(code));
}

static bool make_part(struct copy *copy)
{
    sqlite3 *source AUTO(close_database) = NULL;
    sqlite3 *target AUTO(close_database) = NULL;
    if (!open_source(copy, &source, &copy->error) || !open_target(copy, &target, &copy->error))
        return false;
    /* A second descriptor: closing it may drop SQLite's locks, which nobody but us would meet. */
    int fd AUTO(close_file) = open(copy->part, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    return (fd >= 0 || error_set(&copy->error, ERROR_UNAVAILABLE, "cannot open %s: %s", copy->part,
                                 strerror(errno))) &&
           copy_pages(copy, source, target, fd);
}

static bool keep_part(struct copy *copy)
{
    struct stat status = {0};
    char *folder AUTO(memory_release) = memory_text(copy->to);
    *strrchr(folder, '/') = '\0';
    int file AUTO(close_file) = open(copy->part, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    int directory AUTO(close_file) = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0 || directory < 0 || fsync(file) != 0 || fstat(file, &status) != 0 ||
        rename(copy->part, copy->to) != 0 || fsync(directory) != 0)
        return error_set(&copy->error, ERROR_UNAVAILABLE, "cannot keep %s: %s", copy->to,
                         strerror(errno));
    copy->bytes = status.st_size;
    return true;
}

static void *run(void *context)
{
    struct copy *copy = context;
    if (!make_part(copy) || !keep_part(copy))
        (void)unlink(copy->part);
    atomic_store(&copy->ended, true);
    copy->wake(copy->context);
    return NULL;
}

static char *with_ending(const char *path, const char *ending)
{
    struct buf text AUTO(buf_release) = {0};
    buf_printf(&text, "%s%s", path, ending);
    return buf_take(&text);
}

static void copy_release(struct copy *copy)
{
    free(copy->from);
    free(copy->to);
    free(copy->part);
    free(copy);
}

struct copy *copy_new(const struct db *source, void (*wake)(void *context), void *context,
                      struct error *error)
{
    const char *path = sqlite3_db_filename(source->handle, "main");
    struct copy *copy = memory_new(1, sizeof *copy);
    copy->from = memory_text(path);
    copy->to = with_ending(path, ".copy");
    copy->part = with_ending(path, ".copy.part");
    copy->wake = wake;
    copy->context = context;
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all); /* signals are the loop's */
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    const int code = pthread_create(&copy->thread, NULL, run, copy);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code == 0)
        return copy;
    (void)error_set(error, ERROR_UNAVAILABLE, "cannot start a thread: %s", strerror(code));
    copy_release(copy);
    return NULL;
}

bool copy_ended(const struct copy *copy)
{
    return atomic_load(&copy->ended);
}

bool copy_result(const struct copy *copy, const char **path, int64_t *bytes, struct error *error)
{
    if (copy->error.kind != ERROR_NONE)
        return error_set(error, copy->error.kind, "%s", copy->error.text);
    *path = copy->to;
    *bytes = copy->bytes;
    return true;
}

void copy_stop(struct copy *copy)
{
    atomic_store(&copy->stop, true);
}

void copy_free(struct copy *copy)
{
    if (!copy)
        return;
    copy_stop(copy);
    (void)pthread_join(copy->thread, NULL);
    copy_release(copy);
}
