/* Errors and what follows from each kind. Knows nothing of who asks: HTTP, shell or courier. */
#include "errors.h"

#include <assert.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* The exit codes are those of sysexits.h where it has one: 75 temporary, 77 not allowed, 78
 * configuration. */
static const struct error_policy POLICIES[ERROR_KINDS] = {
    [ERROR_NONE] = {"none", 200, 0, false},
    [ERROR_INVALID] = {"invalid", 400, 1, false},
    [ERROR_UNPROCESSABLE] = {"unprocessable", 422, 1, false},
    [ERROR_UNAUTHORISED] = {"unauthorised", 401, 77, false},
    [ERROR_FORBIDDEN] = {"forbidden", 403, 77, false},
    [ERROR_NOT_FOUND] = {"not_found", 404, 1, false},
    [ERROR_CONFLICT] = {"conflict", 409, 1, false},
    [ERROR_TOO_LARGE] = {"too_large", 413, 1, false},
    [ERROR_UNSUPPORTED] = {"unsupported", 415, 1, false},
    [ERROR_BUSY] = {"busy", 429, 75, true},
    [ERROR_UNAVAILABLE] = {"unavailable", 503, 75, true},
    [ERROR_USAGE] = {"usage", 400, 2, false},
    [ERROR_CONFIGURATION] = {"configuration", 503, 78, true},
    [ERROR_DAMAGED] = {"damaged", 503, 1, true},
};

static size_t letter_length(unsigned char lead)
{
    if (lead >= 0xF0)
        return 4;
    if (lead >= 0xE0)
        return 3;
    return lead >= 0xC0 ? 2 : 1;
}

/* A sentence that filled its room may end in the middle of a UTF-8 letter, which no JSON writer
 * would take; the whole letter goes. */
static void drop_broken_letter(char *text)
{
    const size_t length = strlen(text);
    size_t lead = length;
    while (lead > 0 && length - lead < 4 && ((unsigned char)text[lead - 1] & 0xC0) == 0x80)
        lead--;
    if (lead > 0 && letter_length((unsigned char)text[lead - 1]) > length - (lead - 1))
        text[lead - 1] = '\0';
}

bool error_set(struct error *error, enum error_kind kind, const char *format, ...)
{
    assert(kind > ERROR_NONE && kind < ERROR_KINDS);
    if (error->kind != ERROR_NONE)
        return false;
    error->kind = kind;
    va_list values;
    va_start(values, format);
    const int wanted = vsnprintf(error->text, sizeof error->text, format, values);
    va_end(values);
    if (wanted < 0 || (size_t)wanted >= sizeof error->text)
        drop_broken_letter(error->text);
    return false;
}

bool error_context(struct error *error, const char *format, ...)
{
    if (error->kind == ERROR_NONE)
        return false;
    char sentence[sizeof error->text];
    memcpy(sentence, error->text, sizeof sentence);
    va_list values;
    va_start(values, format);
    const int length = vsnprintf(error->text, sizeof error->text, format, values);
    va_end(values);
    const size_t used = length < 0 ? 0 : strlen(error->text);
    const int rest = snprintf(error->text + used, sizeof error->text - used, ": %s", sentence);
    if (rest < 0 || (size_t)rest >= sizeof error->text - used)
        drop_broken_letter(error->text);
    return false;
}

void error_clear(struct error *error)
{
    *error = (struct error){0};
}

const struct error_policy *error_policy(enum error_kind kind)
{
    assert(kind < ERROR_KINDS);
    return &POLICIES[kind];
}
