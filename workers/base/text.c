/* UTF-8 read by hand and made safe to show. Knows no locale and no terminal. */
#include "text.h"

#include <string.h>

#include "unicode.h"

enum { REPLACEMENT = 0xFFFD, MARKS_PER_LETTER = 2 };

/* Which second bytes may follow a lead byte: table 3-7 of the Unicode standard. The narrowed rows
 * keep out overlong forms, surrogates and what is above U+10FFFF. */
struct lead {
    unsigned char first, last;
    unsigned char following;
    unsigned char second_low, second_high;
};

static const struct lead LEADS[] = {
    {0xC2, 0xDF, 1, 0x80, 0xBF}, {0xE0, 0xE0, 2, 0xA0, 0xBF}, {0xE1, 0xEC, 2, 0x80, 0xBF},
    {0xED, 0xED, 2, 0x80, 0x9F}, {0xEE, 0xEF, 2, 0x80, 0xBF}, {0xF0, 0xF0, 3, 0x90, 0xBF},
    {0xF1, 0xF3, 3, 0x80, 0xBF}, {0xF4, 0xF4, 3, 0x80, 0x8F},
};

static const struct lead *find_lead(unsigned char byte)
{
    for (size_t i = 0; i < sizeof LEADS / sizeof LEADS[0]; i++)
        if (byte >= LEADS[i].first && byte <= LEADS[i].last)
            return &LEADS[i];
    return NULL;
}

/* Decodes one code point and advances. False for a malformed one: *text then stands behind its
 * maximal subpart (Unicode standard, section 3.9), which is at least one byte. */
static bool decode(const char **text, const char *end, uint32_t *code)
{
    const unsigned char byte = (unsigned char)*(*text)++;
    *code = byte;
    if (byte < 0x80)
        return true;
    *code = REPLACEMENT;
    const struct lead *lead = find_lead(byte);
    if (!lead)
        return false;
    uint32_t value = byte & (0x3FU >> lead->following);
    for (unsigned i = 0; i < lead->following; i++, (*text)++) {
        const unsigned char low = i == 0 ? lead->second_low : 0x80;
        const unsigned char high = i == 0 ? lead->second_high : 0xBF;
        if (*text == end || (unsigned char)**text < low || (unsigned char)**text > high)
            return false;
        value = value << 6 | ((unsigned char)**text & 0x3FU);
    }
    *code = value;
    return true;
}

uint32_t text_next(const char **text, const char *end)
{
    uint32_t code = 0;
    if (*text < end)
        (void)decode(text, end, &code);
    return code;
}

void text_append(struct buf *out, uint32_t code)
{
    static const unsigned char lead[] = {0, 0xC0, 0xE0, 0xF0}; /* by bytes that follow */
    unsigned rest = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    buf_char(out, (char)(unsigned char)(lead[rest] | code >> 6 * rest));
    while (rest-- > 0)
        buf_char(out, (char)(unsigned char)(0x80 | (code >> 6 * rest & 0x3F)));
}

void text_hex(char *out, const void *data, size_t length)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < length; i++) {
        *out++ = "0123456789abcdef"[bytes[i] >> 4];
        *out++ = "0123456789abcdef"[bytes[i] & 15];
    }
    *out = '\0';
}

bool text_is_utf8(const char *text, size_t length)
{
    const char *const end = length > 0 ? text + length : text;
    uint32_t code = 0;
    while (text < end)
        if (!decode(&text, end, &code))
            return false;
    return true;
}

/* What the sanitiser remembers from one code point to the next. */
struct display {
    bool blank;     /* the last one shown stood for a tab or newline */
    unsigned marks; /* how many more may sit on the last letter; none before the first */
};

static bool shown(struct display *display, uint32_t code)
{
    if (unicode_hidden(code))
        return false;
    display->blank = false;
    if (!unicode_mark(code)) {
        display->marks = MARKS_PER_LETTER;
        return true;
    }
    if (display->marks == 0)
        return false;
    display->marks--;
    return true;
}

static void blank(struct display *display, struct buf *out)
{
    if (!display->blank)
        buf_char(out, ' ');
    *display = (struct display){.blank = true, .marks = MARKS_PER_LETTER};
}

void text_display(struct buf *out, const char *text, size_t length)
{
    const char *const end = length > 0 ? text + length : text;
    struct display display = {0};
    while (text < end) {
        const char *const start = text;
        uint32_t code = 0;
        const bool sound = decode(&text, end, &code);
        if (code == '\t' || code == '\n')
            blank(&display, out);
        else if (!shown(&display, code))
            continue;
        else if (sound)
            buf_append(out, start, (size_t)(text - start));
        else
            buf_text_append(out, "\uFFFD");
    }
}

size_t text_columns(const char *text, size_t length)
{
    const char *const end = length > 0 ? text + length : text;
    size_t columns = 0;
    while (text < end)
        columns += unicode_columns(text_next(&text, end));
    return columns;
}

size_t text_fit(struct buf *out, const char *text, size_t columns)
{
    const char *const end = text + strlen(text);
    const size_t wanted = text_columns(text, (size_t)(end - text));
    if (wanted <= columns) {
        buf_text_append(out, text);
        return wanted;
    }
    if (columns == 0)
        return 0;
    const char *at = text;
    const char *cut = text;
    size_t used = 0;
    while (at < end) {
        const size_t width = unicode_columns(text_next(&at, end));
        if (used + width > columns - 1)
            break;
        used += width;
        cut = at;
    }
    buf_append(out, text, (size_t)(cut - text));
    buf_text_append(out, "…");
    return used + 1;
}
