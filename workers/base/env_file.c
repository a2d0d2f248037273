/* Reads KEY=value lines as systemd does. Knows nothing of files or of which keys exist. */
#include "env_file.h"

#include <openssl/crypto.h>
#include <string.h>

#include "buf.h"

struct reader {
    const char *at;
    const char *end;
    size_t line;
};

static bool ended(const struct reader *reader)
{
    return reader->at == reader->end;
}

static bool at_line_end(const struct reader *reader)
{
    return ended(reader) || *reader->at == '\n' || *reader->at == '\r';
}

static char take(struct reader *reader)
{
    if (*reader->at == '\n')
        reader->line++;
    return *reader->at++;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void skip_blanks(struct reader *reader)
{
    while (!ended(reader) && is_blank(*reader->at))
        reader->at++;
}

static void skip_line(struct reader *reader)
{
    while (!at_line_end(reader))
        reader->at++;
}

static bool bad_line(const struct reader *reader, const char *why, struct error *error)
{
    return error_set(error, ERROR_CONFIGURATION, "line %zu: %s", reader->line, why);
}

bool env_file_name_valid(const char *name, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        const char c = name[i];
        const bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return length > 0;
}

static bool read_name(struct reader *reader, struct buf *name, struct error *error)
{
    const char *const start = reader->at;
    while (!at_line_end(reader) && *reader->at != '=')
        reader->at++;
    if (at_line_end(reader))
        return bad_line(reader, "expected KEY=value", error);
    size_t length = (size_t)(reader->at - start);
    while (length > 0 && is_blank(start[length - 1]))
        length--;
    if (!env_file_name_valid(start, length))
        return bad_line(reader, "a name is letters, digits and _, and starts with no digit", error);
    buf_append(name, start, length);
    reader->at++;
    return true;
}

/* Behind a backslash. Between double quotes it protects only what a shell would expand and stays
 * itself before anything else; outside quotes it protects everything. At a line's end it joins. */
static void read_escape(struct reader *reader, bool quoted, struct buf *value)
{
    if (ended(reader))
        return;
    const char c = take(reader);
    if (c == '\r' && !ended(reader) && *reader->at == '\n')
        (void)take(reader);
    if (c == '\n' || c == '\r')
        return;
    if (quoted && !strchr("\"\\`$", c))
        buf_char(value, '\\');
    buf_char(value, c);
}

static bool read_quoted(struct reader *reader, struct buf *value, struct error *error)
{
    const struct reader opened = *reader;
    const char quote = take(reader);
    while (!ended(reader)) {
        const char c = take(reader);
        if (c == quote)
            return true;
        if (c == '\\' && quote == '"')
            read_escape(reader, true, value);
        else
            buf_char(value, c);
    }
    return bad_line(&opened, "the quote is never closed", error);
}

/* To the end of the line, less the blanks before it. */
static void read_plain(struct reader *reader, struct buf *value)
{
    size_t kept = value->length;
    while (!at_line_end(reader)) {
        const char c = take(reader);
        if (c == '\\')
            read_escape(reader, false, value);
        else
            buf_char(value, c);
        if (!is_blank(c))
            kept = value->length;
    }
    if (value->length > kept)
        value->data[value->length = kept] = '\0';
}

/* Quoted parts may stand next to each other and join; the first plain letter takes the rest. */
static bool read_value(struct reader *reader, struct buf *value, struct error *error)
{
    skip_blanks(reader);
    while (!at_line_end(reader) && (*reader->at == '"' || *reader->at == '\'')) {
        if (!read_quoted(reader, value, error))
            return false;
        skip_blanks(reader);
    }
    read_plain(reader, value);
    return true;
}

/* Values may be secrets. */
static void wipe(struct buf *buf)
{
    if (buf->data)
        OPENSSL_cleanse(buf->data, buf->capacity);
    buf_release(buf);
}

static bool read_assignment(struct reader *reader, env_file_fn *put, void *context,
                            struct error *error)
{
    struct buf name AUTO(buf_release) = {0};
    struct buf value AUTO(wipe) = {0};
    const size_t line = reader->line;
    if (!read_name(reader, &name, error) || !read_value(reader, &value, error))
        return false;
    if (strlen(buf_text(&value)) != value.length)
        return error_set(error, ERROR_CONFIGURATION, "line %zu: a NUL byte", line);
    put(context, buf_text(&name), buf_text(&value));
    return true;
}

bool env_file_parse(const char *text, size_t length, env_file_fn *put, void *context,
                    struct error *error)
{
    struct reader reader = {.at = text, .end = length > 0 ? text + length : text, .line = 1};
    while (!ended(&reader)) {
        const char c = *reader.at;
        if (c == '#' || c == ';')
            skip_line(&reader);
        else if (is_blank(c) || c == '\n' || c == '\r')
            (void)take(&reader);
        else if (!read_assignment(&reader, put, context, error))
            return false;
    }
    return true;
}
