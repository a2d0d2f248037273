/* Changing the tokens file: a lock on its folder, a new file beside it, one rename. So a worker
 * reads the old one or the new one, and a power cut leaves one of them. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "text.h"
#include "tokens_private.h"
#include "world.h"

enum { LOCK_TRIES = 250, LOCK_PAUSE_MS = 20 };

/* The file under change. */
struct change {
    const char *path;
    int folder; /* locked while it is open */
    struct buf text;
    struct stat old;
};

static void change_end(struct change *change)
{
    if (change->folder >= 0)
        (void)close(change->folder);
    buf_release(&change->text);
}

/* Another command is done in a moment. */
static bool lock(int folder, const char *path, struct error *error)
{
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(folder, LOCK_EX | LOCK_NB) == 0)
            return true;
        if (errno != EWOULDBLOCK && errno != EINTR)
            return error_set(error, ERROR_CONFIGURATION, "cannot lock the folder of %s: %s", path,
                             strerror(errno));
        (void)poll(NULL, 0, LOCK_PAUSE_MS);
    }
    return error_set(error, ERROR_BUSY, "another command is changing %s; try again", path);
}

static bool change_begin(struct change *change, struct error *error)
{
    char *copy AUTO(memory_release) = memory_text(change->path);
    change->folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (change->folder < 0)
        return error_set(error, ERROR_CONFIGURATION, "cannot open the folder of %s: %s",
                         change->path, strerror(errno));
    return lock(change->folder, change->path, error) &&
           tokens_load(change->path, &change->text, &change->old, error);
}

static bool write_all(int fd, const char *data, size_t length)
{
    while (length > 0) {
        const ssize_t count = write(fd, data, length);
        if (count < 0 && errno != EINTR)
            return false;
        data += count > 0 ? count : 0;
        length -= count > 0 ? (size_t)count : 0;
    }
    return true;
}

/* A file that root makes must still be its worker's. */
static bool give_to_owner(int fd, const struct change *change)
{
    struct stat owner = change->old;
    if (owner.st_nlink == 0 && fstat(change->folder, &owner) != 0)
        return false;
    return owner.st_uid == geteuid() || geteuid() != 0 ||
           fchown(fd, owner.st_uid, owner.st_gid) == 0;
}

static bool replace(const struct change *change, char *name, struct error *error)
{
    const int fd = mkostemp(name, O_CLOEXEC); /* 0600 */
    bool good = fd >= 0 && give_to_owner(fd, change) &&
                write_all(fd, buf_text(&change->text), change->text.length) && fsync(fd) == 0;
    int reason = errno;
    if (fd >= 0)
        (void)close(fd);
    if (good) {
        good = rename(name, change->path) == 0 && fsync(change->folder) == 0;
        reason = errno;
    }
    if (!good && fd >= 0)
        (void)unlink(name); /* gone already if only the last step failed */
    return good || error_set(error, ERROR_CONFIGURATION, "cannot write %s: %s", change->path,
                             strerror(reason));
}

static bool change_commit(const struct change *change, struct error *error)
{
    struct buf name AUTO(buf_release) = {0};
    if (change->text.overflow)
        return error_set(error, ERROR_TOO_LARGE, "%s would be larger than 4 MiB", change->path);
    buf_printf(&name, "%s.XXXXXX", change->path);
    return replace(change, name.data, error);
}

/* --- Adding. --- */

static bool check_sound(const struct change *change, struct error *error)
{
    struct token_list list;
    tokens_parse(&list, buf_text(&change->text), change->text.length);
    const bool sound =
        list.damaged == 0 || error_set(error, ERROR_DAMAGED, "%s: %s; mend it or take it out first",
                                       change->path, list.trouble);
    token_list_release(&list);
    return sound;
}

/* ID.SECRET into `text`, id and hash into the token. */
static void make_secret(struct token *token, char text[TOKEN_TEXT_SIZE])
{
    const struct world *world = world_real();
    unsigned char chance[8 + 32];
    world->random(world->context, chance, sizeof chance);
    text_hex(text, chance, 8);
    text[TOKEN_ID_SIZE - 1] = '.';
    text_hex(text + TOKEN_ID_SIZE, chance + 8, 32);
    OPENSSL_cleanse(chance, sizeof chance);
    memcpy(token->id, text, TOKEN_ID_SIZE - 1);
    token->id[TOKEN_ID_SIZE - 1] = '\0';
    token_hash(text + TOKEN_ID_SIZE, token->hash);
}

bool tokens_add(const char *path, struct token *token, char text[TOKEN_TEXT_SIZE],
                struct error *error)
{
    struct change change AUTO(change_end) = {.path = path, .folder = -1};
    if (!token_name_check(token->name, error) || !change_begin(&change, error))
        return false;
    if (change.old.st_nlink == 0)
        buf_text_append(&change.text, TOKENS_HEADER);
    if (!check_sound(&change, error))
        return false;
    make_secret(token, text);
    token_print(token, &change.text);
    if (change_commit(&change, error))
        return true;
    OPENSSL_cleanse(text, TOKEN_TEXT_SIZE);
    return false;
}

/* --- Removing. By the text alone, so that it works beside damaged lines, and on one. --- */

static bool line_has_id(const char *line, const char *id)
{
    return strncmp(line, id, TOKEN_ID_SIZE - 1) == 0 && line[TOKEN_ID_SIZE - 1] == ' ';
}

bool tokens_remove(const char *path, const char *id, struct error *error)
{
    struct change change AUTO(change_end) = {.path = path, .folder = -1};
    struct buf kept AUTO(buf_release) = {.maximum = TOKENS_FILE_MAX};
    if (!change_begin(&change, error))
        return false;
    const char *line = buf_text(&change.text);
    const char *const end = line + change.text.length;
    while (line < end) {
        const char *line_end = memchr(line, '\n', (size_t)(end - line));
        const char *next = line_end ? line_end + 1 : end;
        if (strlen(id) != TOKEN_ID_SIZE - 1 || !line_has_id(line, id))
            buf_append(&kept, line, (size_t)(next - line));
        line = next;
    }
    if (kept.length == change.text.length)
        return error_set(error, ERROR_NOT_FOUND, "no token has the id %.40s", id);
    buf_clear(&change.text);
    buf_append(&change.text, buf_text(&kept), kept.length);
    return change_commit(&change, error);
}
