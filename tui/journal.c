/* The journal as a file of lines, each on the disk before anybody is told. A file for each server
 * and provider, and beside it an empty one that is locked: the journal itself is replaced when it
 * is compacted. What a line says is in history.c. */
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    LINE_LENGTH_MAX = 64 * 1024,
    FILE_LENGTH_MAX = 64 * 1024 * 1024, /* of a longer one the end is read */
    OWNER_ONLY = 0600,
    FOLDER_OWNER_ONLY = 0700
};

struct journal {
    int fd;
    int lock;
    int64_t length;     /* up to here all lines are whole */
    bool torn;          /* behind that there may be half a line, which is to be ended first */
    struct buf backlog; /* what could not be written yet */
};

/* --- where it is --- */

static bool unusable(const char *path, struct error *error)
{
    return error_set(error, ERROR_UNAVAILABLE, "%s (%.200s)", strerror(errno), path);
}

/* XDG: a path that is not absolute counts as none. */
static bool folder_path(struct buf *path, struct error *error)
{
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    if (state && state[0] == '/')
        buf_printf(path, "%s/bookflow", state);
    else if (home && home[0] == '/')
        buf_printf(path, "%s/.local/state/bookflow", home);
    else
        return error_set(error, ERROR_UNAVAILABLE, "neither XDG_STATE_HOME nor HOME is set");
    return true;
}

/* FNV-1a: an address may be longer than a file's name and hold any letter. */
static uint64_t hash_of(const char *text)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001B3);
    return hash;
}

static bool file_path(const struct journal_owner *owner, struct buf *path, struct error *error)
{
    if (!folder_path(path, error))
        return false;
    buf_printf(path, "/console-%s-%016" PRIx64 ".journal", owner->provider, hash_of(owner->server));
    return true;
}

static bool make_folders(const char *path, struct error *error)
{
    struct buf folder AUTO(buf_release) = {0};
    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        buf_clear(&folder);
        buf_append(&folder, path, (size_t)(slash - path));
        if (mkdir(buf_text(&folder), FOLDER_OWNER_ONLY) != 0 && errno != EEXIST)
            return unusable(buf_text(&folder), error);
    }
    return true;
}

/* --- reading --- */

static void close_file(FILE **file)
{
    if (*file)
        (void)fclose(*file);
    *file = NULL;
}

/* The end of a file that has grown beyond all measure: its first line is half a line. */
static void skip_to_end(FILE *file)
{
    struct stat about = {0};
    if (fstat(fileno(file), &about) == 0 && about.st_size > FILE_LENGTH_MAX)
        (void)fseek(file, about.st_size - FILE_LENGTH_MAX, SEEK_SET);
}

static bool read_lines(const char *path, struct history *history, struct error *error)
{
    FILE *file AUTO(close_file) = fopen(path, "re");
    char *line AUTO(memory_release) = NULL;
    size_t capacity = 0;
    if (!file)
        return errno == ENOENT || unusable(path, error);
    skip_to_end(file);
    for (ssize_t length = 0; (length = getline(&line, &capacity, file)) > 0;) {
        const bool whole = line[length - 1] == '\n' && length <= LINE_LENGTH_MAX;
        if (whole && length > 1)
            history_read_line(history, line, (size_t)length - 1);
        history->damaged += !whole;
    }
    return !ferror(file) || unusable(path, error);
}

bool journal_read(const struct journal_owner *owner, struct history *history, struct error *error)
{
    struct buf path AUTO(buf_release) = {0};
    return file_path(owner, &path, error) && read_lines(buf_text(&path), history, error);
}

/* --- writing --- */

static bool write_whole(int fd, const char *data, size_t length)
{
    while (length > 0) {
        const ssize_t written = write(fd, data, length);
        if (written < 0 && errno != EINTR)
            return false;
        data += written > 0 ? written : 0;
        length -= written > 0 ? (size_t)written : 0;
    }
    return true;
}

static bool write_history(int fd, const struct history *history)
{
    for (size_t i = 0; i < history->count; i++) {
        struct buf lines AUTO(buf_release) = {0};
        const struct history_entry *entry = history->entries[i];
        for (size_t j = 0; j < entry->count; j++)
            history_write_line(entry, &entry->steps[j], &lines);
        if (!write_whole(fd, buf_text(&lines), lines.length))
            return false;
    }
    return fsync(fd) == 0;
}

/* A name is only safe on the disk with its folder. */
static bool sync_folder(const char *path)
{
    struct buf folder AUTO(buf_release) = {0};
    buf_append(&folder, path, (size_t)(strrchr(path, '/') - path));
    const int fd = open(buf_text(&folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        (void)close(fd);
    return synced;
}

/* Puts the history in place of the file. Failing leaves the file as it was: it only grows on. What
 * could not be understood stays beside it. */
static void compact(const char *path, const struct history *history)
{
    struct buf fresh AUTO(buf_release) = {0};
    struct buf damaged AUTO(buf_release) = {0};
    buf_printf(&fresh, "%s.new", path);
    buf_printf(&damaged, "%s.damaged", path);
    const int fd =
        open(buf_text(&fresh), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, OWNER_ONLY);
    if (fd < 0)
        return;
    const bool written = write_history(fd, history);
    (void)close(fd);
    if (written && history->damaged > 0) {
        (void)unlink(buf_text(&damaged));
        (void)!link(path, buf_text(&damaged));
    }
    if (!written || rename(buf_text(&fresh), path) != 0)
        (void)unlink(buf_text(&fresh));
}

static bool take_lock(struct journal *journal, const char *path, struct error *error)
{
    struct buf name AUTO(buf_release) = {0};
    buf_printf(&name, "%s.lock", path);
    journal->lock = open(buf_text(&name), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, OWNER_ONLY);
    if (journal->lock < 0)
        return unusable(buf_text(&name), error);
    if (flock(journal->lock, LOCK_EX | LOCK_NB) == 0)
        return true;
    return error_set(error, ERROR_BUSY, "another console on this computer keeps it");
}

static bool open_file(struct journal *journal, const char *path, struct error *error)
{
    struct stat about = {0};
    char last = '\n';
    journal->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, OWNER_ONLY);
    if (journal->fd < 0 || fstat(journal->fd, &about) != 0 || !sync_folder(path))
        return unusable(path, error);
    if (about.st_size > 0 && pread(journal->fd, &last, 1, about.st_size - 1) != 1)
        return unusable(path, error);
    journal->length = about.st_size;
    journal->torn = last != '\n';
    return true;
}

/* The steps of opening it, in their order. */
static bool prepare(struct journal *journal, const struct journal_owner *owner,
                    struct history *history, struct error *error)
{
    struct buf path AUTO(buf_release) = {0};
    if (!file_path(owner, &path, error) || !make_folders(buf_text(&path), error) ||
        !take_lock(journal, buf_text(&path), error) || !read_lines(buf_text(&path), history, error))
        return false;
    if (history_prune(history, time(NULL)) > 0 || history->damaged > 0)
        compact(buf_text(&path), history);
    return open_file(journal, buf_text(&path), error);
}

/* A file at its limit is an error like any other, not the end of the process. */
static void survive_limit(void)
{
    sigset_t limit;
    (void)sigemptyset(&limit);
    (void)sigaddset(&limit, SIGXFSZ);
    (void)pthread_sigmask(SIG_BLOCK, &limit, NULL);
}

struct journal *journal_open(const struct journal_owner *owner, struct history *history,
                             struct error *error)
{
    struct journal *journal AUTO(journal_release) = memory_new(1, sizeof *journal);
    *journal = (struct journal){.fd = -1, .lock = -1};
    survive_limit();
    if (!prepare(journal, owner, history, error))
        return NULL;
    struct journal *opened = journal;
    journal = NULL;
    return opened;
}

void journal_free(struct journal *journal)
{
    if (!journal)
        return;
    if (journal->fd >= 0)
        (void)close(journal->fd);
    if (journal->lock >= 0)
        (void)close(journal->lock);
    buf_release(&journal->backlog);
    free(journal);
}

void journal_release(struct journal **journal)
{
    journal_free(*journal);
    *journal = NULL;
}

/* What failed is cut off again, so that nothing stands there twice when it is written anew: after a
 * failed fsync nobody knows what the disk has. */
bool journal_append(struct journal *journal, const struct buf *lines, struct error *error)
{
    struct buf *backlog = &journal->backlog;
    buf_append(backlog, buf_text(lines), lines->length);
    if (backlog->overflow || lines->overflow)
        return error_set(error, ERROR_UNAVAILABLE, "too much could not be written");
    if ((!journal->torn || write_whole(journal->fd, "\n", 1)) &&
        write_whole(journal->fd, buf_text(backlog), backlog->length) && fsync(journal->fd) == 0) {
        journal->length = lseek(journal->fd, 0, SEEK_END);
        journal->torn = false;
        buf_clear(backlog);
        return true;
    }
    (void)error_set(error, ERROR_UNAVAILABLE, "%s", strerror(errno));
    journal->torn = journal->torn || ftruncate(journal->fd, journal->length) != 0;
    return false;
}
