/* Tokens as text: lines of the file, and what a client presents. Opens nothing. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "text.h"
#include "timestamp.h"
#include "tokens_private.h"

enum { ID_DIGITS = TOKEN_ID_SIZE - 1, SECRET_DIGITS = 64, LINE_MAX_BYTES = 512 };

static const char *const roles[TOKEN_ROLES] = {
    [TOKEN_ADMIN] = "admin", [TOKEN_BOOKER] = "booker", [TOKEN_PROVIDER] = "provider"};

const char *token_role_name(enum token_role role)
{
    return roles[role];
}

bool token_role_parse(const char *word, enum token_role *role)
{
    for (enum token_role i = TOKEN_ADMIN; i < TOKEN_ROLES; i++) {
        if (strcmp(word, roles[i]) == 0) {
            *role = i;
            return true;
        }
    }
    return false;
}

bool token_name_check(const char *name, struct error *error)
{
    static const char *const taken[] = {"user", "provider", "system", "queue"};
    struct buf shown AUTO(buf_release) = {0};
    const size_t length = strlen(name);
    text_display(&shown, name, length);
    if (length == 0 || length > TOKEN_NAME_MAX || name[0] == ' ' || name[length - 1] == ' ' ||
        strcmp(buf_text(&shown), name) != 0)
        return error_set(error, ERROR_USAGE,
                         "a token's name is 1 to %d bytes of plain text without blanks around it",
                         TOKEN_NAME_MAX);
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (strcmp(name, taken[i]) == 0)
            return error_set(
                error, ERROR_USAGE,
                "a token must not be called \"%s\": the audit trail says that of others", name);
    return true;
}

void token_hash(const char *secret, unsigned char hash[TOKEN_HASH_BYTES])
{
    if (EVP_Digest(secret, strlen(secret), hash, NULL, EVP_sha256(), NULL) != 1)
        abort(); /* only memory can fail it */
}

void token_print(const struct token *token, struct buf *out)
{
    char hash[2 * TOKEN_HASH_BYTES + 1];
    char created[TIMESTAMP_SIZE];
    char expires[TIMESTAMP_SIZE];
    text_hex(hash, token->hash, sizeof token->hash);
    buf_printf(out, "%s %s %s %s %s %s %s\n", token->id, hash, roles[token->role],
               token->role == TOKEN_PROVIDER ? token->provider_id : "-",
               timestamp_format(token->created_s, created),
               token->expires_s == INT64_MAX ? "-" : timestamp_format(token->expires_s, expires),
               token->name);
}

/* --- One line. --- */

static bool is_hex(const char *text, size_t length)
{
    return strspn(text, "0123456789abcdef") >= length;
}

static void read_hash(const char *digits, unsigned char hash[TOKEN_HASH_BYTES])
{
    static const char values[] = "0123456789abcdef";
    for (size_t i = 0; i < TOKEN_HASH_BYTES; i++)
        hash[i] = (unsigned char)((strchr(values, digits[2 * i]) - values) * 16 +
                                  (strchr(values, digits[2 * i + 1]) - values));
}

/* Only the form that token_print() gives: whoever edits by hand hears of it. */
static bool read_time(const char *text, int64_t *seconds)
{
    struct error ignored = {0};
    char again[TIMESTAMP_SIZE];
    return timestamp_parse(text, seconds, &ignored) &&
           strcmp(timestamp_format(*seconds, again), text) == 0;
}

static bool read_provider(const char *text, struct token *token)
{
    const size_t length = strlen(text);
    if (token->role != TOKEN_PROVIDER)
        return strcmp(text, "-") == 0;
    if (!id_valid(text, length))
        return false;
    id_copy(token->provider_id, text);
    return true;
}

static bool read_expiry(const char *text, struct token *token)
{
    token->expires_s = INT64_MAX;
    return strcmp(text, "-") == 0 || read_time(text, &token->expires_s);
}

enum { ID, HASH, ROLE, PROVIDER, CREATED, EXPIRES, NAME, FIELDS };

/* Cuts the line at its first blanks; the name is the rest. */
static bool split(char *line, char *fields[FIELDS])
{
    for (size_t i = ID; i < NAME; i++) {
        fields[i] = line;
        char *blank = strchr(line, ' ');
        if (!blank)
            return false;
        *blank = '\0';
        line = blank + 1;
    }
    fields[NAME] = line;
    return true;
}

static bool read_id_and_hash(const char *id, const char *digits, struct token *token)
{
    if (strlen(id) != ID_DIGITS || !is_hex(id, ID_DIGITS) || strlen(digits) != SECRET_DIGITS ||
        !is_hex(digits, SECRET_DIGITS))
        return false;
    (void)snprintf(token->id, sizeof token->id, "%s", id);
    read_hash(digits, token->hash);
    return true;
}

/* `line` without its end; it is cut to pieces. */
static bool read_line(char *line, struct token *token)
{
    char *fields[FIELDS];
    struct error ignored = {0};
    if (!split(line, fields) || !read_id_and_hash(fields[ID], fields[HASH], token) ||
        !token_role_parse(fields[ROLE], &token->role) || !read_provider(fields[PROVIDER], token) ||
        !read_time(fields[CREATED], &token->created_s) || !read_expiry(fields[EXPIRES], token) ||
        !token_name_check(fields[NAME], &ignored))
        return false;
    (void)snprintf(token->name, sizeof token->name, "%s", fields[NAME]);
    return true;
}

/* --- The file. --- */

static void damaged(struct token_list *list, size_t number)
{
    if (list->damaged++ == 0)
        (void)snprintf(list->trouble, sizeof list->trouble, "line %zu is no token", number);
}

static void take_line(struct token_list *list, const char *text, size_t length, size_t number)
{
    char line[LINE_MAX_BYTES];
    struct token token = {.role = TOKEN_BOOKER};
    const bool whole = length < sizeof line && !memchr(text, '\0', length);
    if (whole) {
        memcpy(line, text, length);
        line[length] = '\0';
    }
    if (!whole || !read_line(line, &token)) {
        damaged(list, number);
        return;
    }
    list->items = memory_resize(list->items, list->count + 1, sizeof *list->items);
    list->items[list->count++] = token;
}

static int compare(const void *left, const void *right)
{
    return strcmp(((const struct token *)left)->id, ((const struct token *)right)->id);
}

/* One of two lines with the same id may be a mistake, and nobody can say which. */
static void drop_doubles(struct token_list *list)
{
    size_t kept = 0;
    size_t count = 0; /* of one id */
    if (list->count > 0)
        qsort(list->items, list->count, sizeof *list->items, compare);
    for (size_t i = 0; i < list->count; i += count) {
        for (count = 1; i + count < list->count; count++)
            if (compare(&list->items[i], &list->items[i + count]) != 0)
                break;
        if (count == 1) {
            list->items[kept++] = list->items[i];
            continue;
        }
        if (list->damaged == 0)
            (void)snprintf(list->trouble, sizeof list->trouble, "%zu lines have the id %s", count,
                           list->items[i].id);
        list->damaged += count;
    }
    list->count = kept;
}

void tokens_parse(struct token_list *list, const char *text, size_t length)
{
    const size_t header = sizeof TOKENS_HEADER - 1;
    *list = (struct token_list){.items = NULL};
    if (length < header || memcmp(text, TOKENS_HEADER, header) != 0) {
        list->damaged = 1;
        (void)snprintf(list->trouble, sizeof list->trouble,
                       "line 1 is not \"%.*s\", so no line is a token", (int)header - 1,
                       TOKENS_HEADER);
        return;
    }
    const char *const end = text + length;
    const char *line = text + header;
    for (size_t number = 2; line < end; number++) {
        const char *line_end = memchr(line, '\n', (size_t)(end - line));
        if (line_end)
            take_line(list, line, (size_t)(line_end - line), number);
        else
            damaged(list, number); /* cut off: its name may go on */
        line = line_end ? line_end + 1 : end;
    }
    drop_doubles(list);
}

void token_list_release(struct token_list *list)
{
    free(list->items);
    *list = (struct token_list){.items = NULL};
}

/* --- What a client presents. --- */

bool tokens_bearer(const char *header, char out[TOKEN_TEXT_SIZE])
{
    static const char scheme[] = "Bearer ";
    const size_t prefix = sizeof scheme - 1;
    if (strncasecmp(header, scheme, prefix) != 0)
        return false;
    const char *token = header + prefix + strspn(header + prefix, " ");
    const size_t length = strcspn(token, " \t\r\n");
    const char *rest = token + length + strspn(token + length, " \t");
    if (length != TOKEN_TEXT_SIZE - 1 || (*rest != '\0' && *rest != '\r' && *rest != '\n') ||
        !is_hex(token, ID_DIGITS) || token[ID_DIGITS] != '.' ||
        !is_hex(token + TOKEN_ID_SIZE, SECRET_DIGITS))
        return false;
    memcpy(out, token, length);
    out[length] = '\0';
    return true;
}
