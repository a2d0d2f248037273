/* The tokens of a running worker: read when the file changes, asked by every request. */
#include "tokens.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tokens_private.h"

struct tokens {
    char *path;
    struct token_list list;
    bool unreadable; /* list.trouble says why */
    bool seen;       /* `file` is what the list was read from, or what could not be read */
    struct stat file;
    uint64_t generation;
};

/* --- Reading. --- */

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static bool read_all(int fd, struct buf *text)
{
    char chunk[16 * 1024];
    ssize_t count = 0;
    do {
        count = read(fd, chunk, sizeof chunk);
        if (count > 0)
            buf_append(text, chunk, (size_t)count);
    } while ((count > 0 && !text->overflow) || (count < 0 && errno == EINTR));
    return count >= 0;
}

static bool is_private(const struct stat *file)
{
    return S_ISREG(file->st_mode) && (file->st_mode & 077) == 0 &&
           (file->st_uid == geteuid() || file->st_uid == 0);
}

bool tokens_load(const char *path, struct buf *text, struct stat *file, struct error *error)
{
    int fd AUTO(close_fd) = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    *file = (struct stat){.st_nlink = 0};
    if (fd < 0 && errno == ENOENT)
        return true;
    if (fd < 0 || fstat(fd, file) != 0)
        return error_set(error, ERROR_CONFIGURATION, "cannot read %s: %s", path, strerror(errno));
    if (!is_private(file))
        return error_set(error, ERROR_CONFIGURATION,
                         "%s must be a file of its user's alone: chmod 600 it, or chown it", path);
    text->maximum = TOKENS_FILE_MAX;
    if (!read_all(fd, text))
        return error_set(error, ERROR_CONFIGURATION, "cannot read %s: %s", path, strerror(errno));
    return !text->overflow ||
           error_set(error, ERROR_CONFIGURATION, "%s is larger than 4 MiB", path);
}

bool tokens_read(const char *path, struct token_list *list, struct error *error)
{
    struct buf text AUTO(buf_release) = {0};
    struct stat file;
    *list = (struct token_list){.items = NULL};
    if (!tokens_load(path, &text, &file, error))
        return false;
    if (file.st_nlink > 0)
        tokens_parse(list, buf_text(&text), text.length);
    return true;
}

/* --- Noticing. --- */

struct tokens *tokens_new(const char *path)
{
    struct tokens *tokens = memory_new(1, sizeof *tokens);
    tokens->path = memory_text(path);
    tokens_refresh(tokens);
    return tokens;
}

void tokens_free(struct tokens *tokens)
{
    if (!tokens)
        return;
    token_list_release(&tokens->list);
    free(tokens->path);
    free(tokens);
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/* The change time moves with the mode, the owner and the content, and nobody can set it. */
static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_nlink == b->st_nlink && a->st_mode == b->st_mode && a->st_uid == b->st_uid &&
           same_time(a->st_mtim, b->st_mtim) && same_time(a->st_ctim, b->st_ctim);
}

/* What is remembered is the file as it was before it was read: one that changes meanwhile is read
 * once more, never once too few. */
void tokens_refresh(struct tokens *tokens)
{
    struct error error = {0};
    struct stat now = {.st_nlink = 0};
    struct token_list list;
    if (stat(tokens->path, &now) != 0)
        now = (struct stat){.st_nlink = 0};
    if (tokens->seen && same_file(&now, &tokens->file))
        return;
    tokens->unreadable = !tokens_read(tokens->path, &list, &error);
    if (tokens->unreadable)
        (void)snprintf(list.trouble, sizeof list.trouble, "%s", error.text);
    token_list_release(&tokens->list);
    tokens->list = list;
    tokens->file = now;
    tokens->seen = true;
    tokens->generation++;
}

bool tokens_present(const struct tokens *tokens)
{
    return tokens->file.st_nlink > 0;
}

uint64_t tokens_generation(const struct tokens *tokens)
{
    return tokens->generation;
}

const struct token_list *tokens_list(const struct tokens *tokens)
{
    return &tokens->list;
}

/* --- Checking. --- */

/* The id is no secret: it is only where to look. */
static int compare_id(const void *id, const void *token)
{
    return memcmp(id, ((const struct token *)token)->id, TOKEN_ID_SIZE - 1);
}

static const struct token *find(const struct tokens *tokens, const char *id)
{
    return tokens->list.count == 0 ? NULL
                                   : bsearch(id, tokens->list.items, tokens->list.count,
                                             sizeof *tokens->list.items, compare_id);
}

const struct token *tokens_check(const struct tokens *tokens, const char *presented, int64_t now_s,
                                 struct error *error)
{
    unsigned char hash[TOKEN_HASH_BYTES];
    if (tokens->unreadable) {
        (void)error_set(error, ERROR_UNAVAILABLE, "Tokens cannot be checked at the moment");
        return NULL;
    }
    token_hash(presented + TOKEN_ID_SIZE, hash);
    const struct token *token = find(tokens, presented);
    if (!token || CRYPTO_memcmp(hash, token->hash, sizeof hash) != 0) {
        (void)error_set(error, ERROR_UNAUTHORISED, "The bearer token is not valid");
        return NULL;
    }
    if (now_s >= token->expires_s) {
        (void)error_set(error, ERROR_UNAUTHORISED, "The bearer token has expired");
        return NULL;
    }
    return token;
}

/* A line that was edited is another token, though it kept its id. */
bool tokens_still(const struct tokens *tokens, const struct token *token, int64_t now_s)
{
    const struct token *now = find(tokens, token->id);
    return now && now_s < now->expires_s && now->role == token->role &&
           strcmp(now->provider_id, token->provider_id) == 0 &&
           memcmp(now->hash, token->hash, sizeof now->hash) == 0;
}
