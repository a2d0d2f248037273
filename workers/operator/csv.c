/* Comma-separated values, split in place. */
#include "csv.h"

#include <string.h>

/* Takes a quoted field, at its opening quote; undoubles quotes. Returns what stands behind it. */
static char *take_quoted(char *at, char **field)
{
    char *out = ++at;
    *field = out;
    for (; *at; at++) {
        if (*at == '"' && *++at != '"') {
            *out = '\0';
            return at;
        }
        *out++ = *at;
    }
    return NULL;
}

static char *take_field(char *at, char **field)
{
    if (*at == '"')
        return take_quoted(at, field);
    *field = at;
    return at + strcspn(at, ",");
}

static char *cut_line(char **text)
{
    char *line = *text;
    char *end = line + strcspn(line, "\n");
    *text = *end ? end + 1 : end;
    if (end > line && end[-1] == '\r')
        end[-1] = '\0';
    *end = '\0';
    return line;
}

bool csv_line(char **text, char *fields[], size_t count, struct error *error)
{
    char *at = cut_line(text);
    for (size_t i = 0; i < count; i++) {
        at = take_field(at, &fields[i]);
        if (!at)
            return error_set(error, ERROR_INVALID, "a quote is not closed");
        char behind = *at;
        if (i + 1 < count && behind != ',')
            return error_set(error, ERROR_INVALID, "has %zu columns, not %zu", i + 1, count);
        if (i + 1 == count && behind)
            return error_set(error, ERROR_INVALID, "has more than %zu columns", count);
        if (behind)
            *at++ = '\0';
    }
    return true;
}
