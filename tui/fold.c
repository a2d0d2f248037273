/* Folding by ranges of Unicode: what people's names are written with in Europe, America and
 * Vietnam. Knows no locale. */
#include "fold.h"

#include <string.h>

#include "text.h"
#include "unicode.h"

/* The letter that each code point from `first` on is found by; '.' = itself, as NUL below. */
static const struct range {
    uint32_t first;
    const char *letters;
} ranges[] = {
    {0xC0, "aaaaaaaceeeeiiiidnooooo.ouuuuytsaaaaaaaceeeeiiiidnooooo.ouuuuyty"
           "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkklllllll"
           "lllnnnnnn.nnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs"},
    {0x1A0, "oo"},
    {0x1AF, "uu"},
    {0x1CD, "aaiioouuuuuuuuuu"},
    {0x218, "sstt"},
    {0x1E00, "aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmm"
             "mmmmnnnnnnnnoooooooopppprrrrrrrrssssssssssttttttttuuuuuuuuuuvvvv"
             "wwwwwwwwwwxxxxyyzzzzzzhtwyas....aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeee"
             "eeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy......"},
};

/* Capitals whose small letter is so much further on. */
static const struct {
    uint32_t first;
    uint32_t last;
    uint32_t further;
} capitals[] = {{0x391, 0x3A9, 32}, {0x400, 0x40F, 80}, {0x410, 0x42F, 32}};

/* Two letters for one: the second of them. */
static char second_letter(uint32_t code)
{
    static const struct {
        uint32_t code;
        char letter;
    } pairs[] = {{0xC6, 'e'}, {0xE6, 'e'},  {0xDF, 's'},  {0xDE, 'h'},
                 {0xFE, 'h'}, {0x152, 'e'}, {0x153, 'e'}, {0x1E9E, 's'}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (pairs[i].code == code)
            return pairs[i].letter;
    return '\0';
}

static char latin(uint32_t code)
{
    if (code < 0x80)
        return (char)(code >= 'A' && code <= 'Z' ? code + ('a' - 'A') : code);
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        const uint32_t at = code - ranges[i].first;
        if (code < ranges[i].first || at >= strlen(ranges[i].letters))
            continue;
        if (ranges[i].letters[at] != '.')
            return ranges[i].letters[at];
    }
    return '\0';
}

static uint32_t small(uint32_t code)
{
    for (size_t i = 0; i < sizeof capitals / sizeof capitals[0]; i++)
        if (code >= capitals[i].first && code <= capitals[i].last)
            return code + capitals[i].further;
    return code;
}

void fold(struct buf *out, const char *text)
{
    const char *const end = text + strlen(text);
    while (text < end) {
        const uint32_t code = text_next(&text, end);
        if (unicode_hidden(code) || unicode_mark(code))
            continue;
        const char letter = latin(code);
        if (letter)
            buf_char(out, letter);
        else
            text_append(out, small(code));
        if (second_letter(code))
            buf_char(out, second_letter(code));
    }
}

char *fold_new(const char *text)
{
    struct buf out AUTO(buf_release) = {0};
    fold(&out, text);
    return memory_text(buf_text(&out)); /* not one byte more: there may be a hundred thousand */
}
