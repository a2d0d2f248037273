/* Bearer tokens: who may call what, kept in a file that holds no secret. Knows neither HTTP nor
 * routes.
 *
 * A token is ID.SECRET: 16 hexadecimal digits that name it, a dot, and 64 that are 256 random bits.
 * So much chance needs no slow hash: the file keeps the plain SHA-256 of the secret's digits.
 *
 * The file is text, mode 0600: the line "bookflow tokens 1", then one line a token,
 *
 *     ID HASH ROLE PROVIDER CREATED EXPIRES NAME
 *
 * PROVIDER is "-" but for the role provider, EXPIRES is "-" for never, times are RFC 3339, and the
 * name is the rest of the line. A revoked token's line is gone.
 *
 * To change the format: a new number in the first line, a reader for both forms in tokens_parse(),
 * and `bookflow token create` that refuses the older one until it is rewritten. An older program
 * refuses every token of a newer file, which is right: it cannot know what the line means.
 *
 * What cannot be read lets nobody in: a damaged line is no token, two lines of one id are none, and
 * a file with a strange first line or with a mode for others holds none at all. */
#ifndef BOOKFLOW_TOKENS_H
#define BOOKFLOW_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "errors.h"
#include "ids.h"

enum token_role { TOKEN_ADMIN, TOKEN_BOOKER, TOKEN_PROVIDER, TOKEN_ROLES };

enum {
    TOKEN_HASH_BYTES = 32,
    TOKEN_ID_SIZE = 16 + 1,
    TOKEN_TEXT_SIZE = 16 + 1 + 64 + 1, /* ID.SECRET */
    TOKEN_NAME_MAX = 64,
    TOKENS_FILE_MAX = 4 * 1024 * 1024
};

struct token {
    char id[TOKEN_ID_SIZE];
    unsigned char hash[TOKEN_HASH_BYTES];
    enum token_role role;
    char provider_id[ID_SIZE]; /* "" but for TOKEN_PROVIDER */
    int64_t created_s;
    int64_t expires_s; /* INT64_MAX: never */
    char name[TOKEN_NAME_MAX + 1];
};

const char *token_role_name(enum token_role role);
/* False for a word that is no role. */
MUST_CHECK bool token_role_parse(const char *word, enum token_role *role);

/* 1 to 64 bytes that show as they are, and not one of the trail's own words: a token's name stands
 * in audit rows as the one who decided. ERROR_USAGE says what is wrong. */
MUST_CHECK bool token_name_check(const char *name, struct error *error);

/* --- What a file says. --- */

struct token_list {
    struct token *items; /* by id */
    size_t count;
    size_t damaged;    /* lines that are no token */
    char trouble[384]; /* "" = none; the first of them, by its number, never by what it holds */
};
void tokens_parse(struct token_list *list, const char *text, size_t length);
void token_list_release(struct token_list *list);

/* The token of an Authorization header, which ends at a CR, LF or NUL. False: no bearer token. */
MUST_CHECK bool tokens_bearer(const char *header, char out[TOKEN_TEXT_SIZE]);

/* --- The file as a worker sees it. --- */

struct tokens;
struct tokens *tokens_new(const char *path);
void tokens_free(struct tokens *tokens);

/* Reads the file again if it has changed; costs a stat() otherwise. A file that is not there holds
 * no tokens. */
void tokens_refresh(struct tokens *tokens);
/* Whether there is a file. */
bool tokens_present(const struct tokens *tokens);
/* Counts how often something else was read. */
uint64_t tokens_generation(const struct tokens *tokens);
/* What was read last. `trouble` names what lets somebody down. */
const struct token_list *tokens_list(const struct tokens *tokens);

/* The token that is presented as ID.SECRET, borrowed until the next refresh. ERROR_UNAUTHORISED:
 * not valid, or expired; ERROR_UNAVAILABLE: the file cannot be read. */
MUST_CHECK const struct token *tokens_check(const struct tokens *tokens, const char *presented,
                                            int64_t now_s, struct error *error);
/* True while a token that was checked before is still good. */
MUST_CHECK bool tokens_still(const struct tokens *tokens, const struct token *token, int64_t now_s);

/* --- The operator's changes. One at a time, each whole and on disk when it returns. --- */

/* Fills in id and hash, adds the line, and gives the secret form away, once. ERROR_DAMAGED: a line
 * of the file cannot be read, mend it first. */
MUST_CHECK bool tokens_add(const char *path, struct token *token, char text[TOKEN_TEXT_SIZE],
                           struct error *error);
/* ERROR_NOT_FOUND when no line has that id. Works whatever else is damaged. */
MUST_CHECK bool tokens_remove(const char *path, const char *id, struct error *error);
/* ERROR_CONFIGURATION: the file cannot be read, or others may. */
MUST_CHECK bool tokens_read(const char *path, struct token_list *list, struct error *error);

#endif
