/* The tokens file and the Authorization header. Whatever the bytes are, a token is one that its own
 * line says in the one form that there is, each id has one, and a line that is none is counted. A
 * header gives a token of the one form, or none.
 *
 * An input is a header's value, a line end, and a file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "text.h"
#include "timestamp.h"
#include "tokens.h"

static const char *const roles[] = {"admin", "booker", "provider"};

/* The line of a token, written here a second time. */
static void print(const struct token *token, struct buf *out)
{
    char hash[2 * TOKEN_HASH_BYTES + 1];
    char created[TIMESTAMP_SIZE];
    char expires[TIMESTAMP_SIZE] = "-";
    text_hex(hash, token->hash, sizeof token->hash);
    if (token->expires_s != INT64_MAX)
        (void)timestamp_format(token->expires_s, expires);
    buf_printf(out, "\n%s %s %s %s %s %s %s\n", token->id, hash, roles[token->role],
               token->role == TOKEN_PROVIDER ? token->provider_id : "-",
               timestamp_format(token->created_s, created), expires, token->name);
}

static size_t lines_of(const char *text, size_t length)
{
    size_t lines = 0;
    for (size_t i = 0; i < length; i++)
        lines += text[i] == '\n' || i + 1 == length;
    return lines;
}

static void is_in_the_file(const struct token *token, const char *text, size_t length)
{
    struct buf line AUTO(buf_release) = {0};
    print(token, &line);
    FUZZ_CHECK(memmem(text, length, buf_text(&line), line.length), "no such line: %s",
               buf_text(&line));
    FUZZ_CHECK(strlen(token->id) == TOKEN_ID_SIZE - 1 && token->role < TOKEN_ROLES, "no token");
    FUZZ_CHECK(fuzz_is_showable(token->name, strlen(token->name)), "a name that acts");
    FUZZ_CHECK((token->role == TOKEN_PROVIDER) == (*token->provider_id != '\0'), "whose is it?");
}

static void read_file(const char *text, size_t length)
{
    struct token_list list AUTO(token_list_release) = {.items = NULL};
    tokens_parse(&list, text, length);
    const size_t lines = lines_of(text, length);
    const size_t header = sizeof "bookflow tokens 1\n" - 1;
    const bool known = length >= header && memcmp(text, "bookflow tokens 1\n", header) == 0;
    FUZZ_CHECK(known ? 1 + list.count + list.damaged == lines
                     : list.count == 0 && list.damaged == 1,
               "%zu tokens and %zu damaged lines of %zu", list.count, list.damaged, lines);
    FUZZ_CHECK((list.damaged == 0) == (list.trouble[0] == '\0'), "%zu damaged, and said: %s",
               list.damaged, list.trouble);
    FUZZ_CHECK(fuzz_is_showable(list.trouble, strlen(list.trouble)), "trouble that acts");
    for (size_t i = 0; i < list.count; i++) {
        is_in_the_file(&list.items[i], text, length);
        FUZZ_CHECK(i == 0 || strcmp(list.items[i - 1].id, list.items[i].id) < 0, "one id twice");
    }
}

static void read_header(const char *header)
{
    char token[TOKEN_TEXT_SIZE];
    if (!tokens_bearer(header, token))
        return;
    FUZZ_CHECK(strlen(token) == TOKEN_TEXT_SIZE - 1 && token[TOKEN_ID_SIZE - 1] == '.' &&
                   strspn(token, "0123456789abcdef.") == TOKEN_TEXT_SIZE - 1 &&
                   strchr(token, '.') == strrchr(token, '.'),
               "a token of another form: %s", token);
    FUZZ_CHECK(strncasecmp(header, "Bearer ", 7) == 0 && strstr(header, token), "out of nothing");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* char and uint8_t may look at the same bytes. */
    const char *bytes = (const char *)data;
    const char *end = size > 0 ? memchr(bytes, '\n', size) : NULL;
    const size_t header_length = end ? (size_t)(end - bytes) : size;
    char *header AUTO(memory_release) = fuzz_text(data, header_length);
    read_header(header);
    if (end)
        read_file(end + 1, size - header_length - 1);
    return 0;
}
