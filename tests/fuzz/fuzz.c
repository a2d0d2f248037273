/* What the fuzz targets share. Must not know any of them, nor use what they put to the test. */
#include "fuzz.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fuzz_fail(const char *file, int line, const char *format, ...)
{
    va_list values;
    (void)fprintf(stderr, "%s:%d: does not hold: ", file, line);
    va_start(values, format);
    (void)vfprintf(stderr, format, values);
    va_end(values);
    (void)fputc('\n', stderr);
    abort();
}

char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = memory_new(size + 1, 1);
    size_t length = 0;
    for (size_t i = 0; i < size; i++)
        if (data[i] != 0)
            text[length++] = (char)data[i];
    /* No longer than it is, so that the sanitizer sees every byte read too far. */
    return memory_resize(text, length + 1, 1);
}

char *fuzz_line(char **text)
{
    if (**text == '\0')
        return NULL;
    char *line = *text;
    char *end = line + strcspn(line, "\n");
    *text = *end ? end + 1 : end;
    *end = '\0';
    return line;
}

/* --- texts --- */

/* The code point at *text; advances. UINT32_MAX for bytes that are no UTF-8. */
static uint32_t next_code(const unsigned char **text, const unsigned char *end)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    const unsigned char first = *(*text)++;
    if (first < 0x80)
        return first;
    const unsigned more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
    if (first < 0xC0 || first > 0xF7 || end - *text < (ptrdiff_t)more)
        return UINT32_MAX;
    uint32_t code = first & (0x3FU >> more);
    for (unsigned i = 0; i < more; i++, (*text)++) {
        if ((**text & 0xC0) != 0x80)
            return UINT32_MAX;
        code = code << 6 | (**text & 0x3FU);
    }
    const bool sound = code >= least[more] && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
    return sound ? code : UINT32_MAX;
}

static bool is_forbidden(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } forbidden[] = {
        {0, 0x1F},        {0x7F, 0x9F},     {0xAD, 0xAD},       {0x61C, 0x61C},
        {0x200B, 0x200F}, {0x2028, 0x202E}, {0x2060, 0x206F},   {0xFE00, 0xFE0F},
        {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB}, {0xE0000, 0xE0FFF},
    };
    for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++)
        if (code >= forbidden[i].first && code <= forbidden[i].last)
            return true;
    return code == UINT32_MAX;
}

static bool every_code(const char *text, size_t length, bool (*is_bad)(uint32_t code))
{
    /* Bytes are looked at without their sign. */
    const unsigned char *at = (const unsigned char *)text;
    const unsigned char *const end = at + length;
    while (at < end)
        if (is_bad(next_code(&at, end)))
            return false;
    return true;
}

static bool is_broken(uint32_t code)
{
    return code == UINT32_MAX;
}

bool fuzz_is_showable(const char *text, size_t length)
{
    return every_code(text, length, is_forbidden);
}

bool fuzz_is_utf8(const char *text, size_t length)
{
    return every_code(text, length, is_broken);
}

/* --- the world --- */

static int64_t wall_ms(void *context)
{
    return FUZZ_NOW_S * INT64_C(1000) + ((const struct fuzz_clock *)context)->ms;
}

static int64_t ticks_ms(void *context)
{
    return 1000000 + ((const struct fuzz_clock *)context)->ms;
}

static void give_random(void *context, void *bytes, size_t length)
{
    struct fuzz_clock *clock = context;
    for (size_t i = 0; i < length; i++) {
        clock->seed = clock->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        ((unsigned char *)bytes)[i] = (unsigned char)(clock->seed >> 56);
    }
}

struct world fuzz_world(struct fuzz_clock *clock)
{
    return (struct world){wall_ms, ticks_ms, give_random, clock};
}
