/* Text from outside: decoded as the Unicode standard says, shown without doing harm. */
#include "text.h"

#include <criterion/criterion.h>
#include <locale.h>
#include <string.h>

#include "unicode.h"

#define FFFD "\uFFFD"

/* Decodes `text` and writes it again, so that replacements can be seen. */
static void rewrite(const char *text, size_t length, uint32_t out[], size_t *count)
{
    const char *at = text;
    *count = 0;
    while (at < text + length)
        out[(*count)++] = text_next(&at, text + length);
    cr_assert_eq(at, text + length);
}

/* The ill-formed sequences are tables 3-8 to 3-11 of the Unicode standard, section 3.9. */
Test(text, one_replacement_for_each_maximal_subpart)
{
    static const struct {
        const char *name, *text;
        uint32_t codes[10];
    } CASES[] = {
        {"one to four bytes", "a\u00E9\u20AC\U0001F600", {'a', 0xE9, 0x20AC, 0x1F600}},
        {"the ends of each length",
         "\x7F\xC2\x80\u07FF\u0800\uFFFF\U00010000\U0010FFFF",
         {0x7F, 0x80, 0x7FF, 0x800, 0xFFFF, 0x10000, 0x10FFFF}},
        {"around the surrogates", "\uD7FF\uE000", {0xD7FF, 0xE000}},
        {"overlong",
         "\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41",
         {0xFFFD, 0xFFFD, 0xFFFD, 0xFFFD, 0xFFFD, 0xFFFD, 0xFFFD, 0xFFFD, 'A'}},
        {"surrogates",
         "\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41",
         {0xFFFD, 0xFFFD, 0xFFFD, 0xFFFD, 0xFFFD, 0xFFFD, 0xFFFD, 0xFFFD, 'A'}},
        {"beyond the last",
         "\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42",
         {0xFFFD, 0xFFFD, 0xFFFD, 0xFFFD, 0xFFFD, 'A', 0xFFFD, 0xFFFD, 'B'}},
        {"cut short",
         "\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41",
         {0xFFFD, 0xFFFD, 0xFFFD, 0xFFFD, 'A'}},
        {"cut by the end", "a\xF0\x9F\x98", {'a', 0xFFFD}},
        {"a lead alone", "\xC3", {0xFFFD}},
        {"leads that never are", "\xC1\xF5\xFE", {0xFFFD, 0xFFFD, 0xFFFD}},
        {"a real replacement", FFFD, {0xFFFD}},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        uint32_t codes[32] = {0};
        size_t count = 0;
        rewrite(CASES[i].text, strlen(CASES[i].text), codes, &count);
        for (size_t j = 0; j < 10; j++)
            cr_expect_eq(codes[j], CASES[i].codes[j], "%s: code point %zu is %X", CASES[i].name, j,
                         codes[j]);
    }
}

Test(text, the_end_gives_zero)
{
    const char *text = "x";
    cr_assert_eq(text_next(&text, text), 0);
    cr_assert_str_eq(text, "x");
}

Test(text, tells_utf8_from_the_rest)
{
    static const struct {
        const char *text;
        bool valid;
    } CASES[] = {
        {"", true},
        {"plain", true},
        {"\u00E9\u20AC\U0001F600\U0010FFFF", true},
        {FFFD, true},
        {"\x80", false},
        {"a\xC3", false},
        {"\xC0\x80", false},
        {"\xE0\x9F\xBF", false},
        {"\xED\xA0\x80", false},
        {"\xF0\x8F\xBF\xBF", false},
        {"\xF4\x90\x80\x80", false},
        {"\xC3(", false},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        cr_expect_eq(text_is_utf8(CASES[i].text, strlen(CASES[i].text)), CASES[i].valid, "case %zu",
                     i);
    cr_assert_not(text_is_utf8("\u00E9", 1), "the second byte is out of bounds");
    cr_assert(text_is_utf8(NULL, 0));
    cr_assert(text_is_utf8("a\0b", 3));
}

Test(text, shows_letters_and_drops_what_acts)
{
    static const struct {
        const char *name, *text, *shown;
    } CASES[] = {
        {"plain", "Anna B. (2)", "Anna B. (2)"},
        {"nothing", "", ""},
        {"other scripts", "\u65E5\u672C\u8A9E \u0395\u03BB\u03BB \u05E9\u05DC",
         "\u65E5\u672C\u8A9E \u0395\u03BB\u03BB \u05E9\u05DC"},
        {"emoji", "\U0001F600!", "\U0001F600!"},
        {"Devanagari", "\u0915\u094D\u0937\u093F", "\u0915\u094D\u0937\u093F"},
        {"escape", "a\x1b[2Jb", "a[2Jb"},
        {"bell and backspace", "a\a\b\rb", "ab"},
        {"delete",
         "a\x7F"
         "b",
         "ab"},
        {"C1",
         "a\xC2\x80\xC2\x9B"
         "31m\xC2\x9F"
         "b",
         "a31mb"},
        {"C1 as bare bytes",
         "a\x9B"
         "31m",
         "a" FFFD "31m"},
        {"tab", "a\tb", "a b"},
        {"newline", "a\nb", "a b"},
        {"a run of them", "a\r\n\t\nb", "a b"},
        {"two runs", "a\tb\tc", "a b c"},
        {"spaces stay", "a  b", "a  b"},
        {"tab between spaces", "a \t b", "a   b"},
        {"bidi overrides", "\u202Eabc\u202C\u202A\u202B\u202D", "abc"},
        {"bidi isolates", "\u2066a\u2067b\u2068c\u2069", "abc"},
        {"bidi marks", "a\u200E\u200F\u061Cb", "ab"},
        {"zero width", "a\u200B\u200C\u200D\u2060\uFEFFb", "ab"},
        {"separators", "a\u2028\u2029b", "ab"},
        {"variation selectors", "\u2764\uFE0F\U000E0100", "\u2764"},
        {"tags", "\U0001F3F4\U000E0067\U000E007F", "\U0001F3F4"},
        {"soft hyphen and fillers", "a\u00AD\u3164\u115Fb", "ab"},
        {"annotation", "a\uFFF9\uFFFA\uFFFBb", "ab"},
        {"one mark", "e\u0301", "e\u0301"},
        {"two marks", "e\u0301\u0302", "e\u0301\u0302"},
        {"stacked marks", "e\u0301\u0302\u0303\u0304\u20DDz\u0301", "e\u0301\u0302z\u0301"},
        {"hidden ones do not reset the count", "e\u0301\u0302\u200D\u0303", "e\u0301\u0302"},
        {"a mark without a letter", "\u0301abc", "abc"},
        {"a mark behind a newline", "a\n\u0301b", "a \u0301b"},
        {"malformed", "a\xFF\xC3(\xF0\x9F\x98", "a" FFFD FFFD "(" FFFD},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct buf out AUTO(buf_release) = {0};
        text_display(&out, CASES[i].text, strlen(CASES[i].text));
        cr_expect_str_eq(buf_text(&out), CASES[i].shown, "%s: \"%s\"", CASES[i].name,
                         buf_text(&out));
    }
    struct buf out AUTO(buf_release) = {0};
    text_display(&out, NULL, 0);
    text_display(&out, "a\0b", 3);
    cr_assert_str_eq(buf_text(&out), "ab", "a NUL goes like any control");
}

/* Encodes by hand, for the decoder is what is under test. */
static size_t encode(uint32_t code, char out[5])
{
    static const unsigned char LEADS[] = {0, 0, 0xC0, 0xE0, 0xF0};
    const size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = length; i > 1; i--, code >>= 6)
        out[i - 1] = (char)(0x80 | (code & 0x3F));
    out[0] = (char)(LEADS[length > 1 ? length : 0] | code);
    out[length] = '\0';
    return length;
}

Test(text, every_code_point_is_shown_as_itself_or_not_at_all)
{
    for (uint32_t code = 1; code <= 0x10FFFF; code++) {
        if (code >= 0xD800 && code <= 0xDFFF)
            continue;
        char text[5];
        const size_t length = encode(code, text);
        const char *at = text;
        cr_assert_eq(text_next(&at, text + length), code, "U+%04X decodes", code);
        cr_assert(text_is_utf8(text, length), "U+%04X", code);
        struct buf out AUTO(buf_release) = {0};
        text_display(&out, text, length);
        const bool space = code == '\t' || code == '\n';
        const bool dropped = unicode_hidden(code) || unicode_mark(code);
        cr_assert_str_eq(buf_text(&out), space ? " " : dropped ? "" : text, "U+%04X", code);
    }
}

Test(text, counts_columns_as_terminals_do)
{
    static const struct {
        const char *name, *text;
        size_t columns;
    } CASES[] = {
        {"nothing", "", 0},
        {"ascii", "abc", 3},
        {"accents", "\u00E9e\u0301", 2},
        {"Chinese", "\u65E5\u672C", 4},
        {"Hangul", "\uD55C", 2},
        {"Hangul by parts", "\u1112\u1161\u11AB", 2},
        {"full width", "\uFF21", 2},
        {"half width katakana", "\uFF71", 1},
        {"emoji", "\U0001F600", 2},
        {"emoji of the skin", "\U0001F44D\U0001F3FD", 4},
        {"Devanagari", "\u0915\u094D\u0937\u093F", 3},
        {"Thai", "\u0E01\u0E34", 1},
        {"ellipsis and replacement", "…" FFFD, 2},
        {"far planes", "\U00020000\U0002FFFD", 4},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        cr_expect_eq(text_columns(CASES[i].text, strlen(CASES[i].text)), CASES[i].columns,
                     "%s: %zu", CASES[i].name, text_columns(CASES[i].text, strlen(CASES[i].text)));
}

Test(text, columns_do_not_depend_on_the_locale)
{
    cr_assert_not_null(setlocale(LC_ALL, "C"));
    cr_assert_eq(text_columns("\u65E5e\u0301", strlen("\u65E5e\u0301")), 3);
}

Test(text, fits_on_a_whole_letter)
{
    static const struct {
        const char *text;
        size_t columns;
        const char *shown;
        size_t used;
    } CASES[] = {
        {"abc", 3, "abc", 3},
        {"abc", 9, "abc", 3},
        {"abcd", 3, "ab…", 3},
        {"abcd", 1, "…", 1},
        {"abcd", 0, "", 0},
        {"", 0, "", 0},
        {"", 5, "", 0},
        {"\u65E5\u672C", 4, "\u65E5\u672C", 4},
        {"\u65E5\u672C", 3, "\u65E5…", 3},
        {"\u65E5\u672C\u8A9E", 4, "\u65E5…", 3},
        {"\u65E5\u672C", 1, "…", 1},
        {"e\u0301\u0302fg", 2, "e\u0301\u0302…", 2},
        {"e\u0301", 1, "e\u0301", 1},
        {"a\U0001F600b", 3, "a…", 2},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct buf out AUTO(buf_release) = {0};
        const size_t used = text_fit(&out, CASES[i].text, CASES[i].columns);
        cr_expect_str_eq(buf_text(&out), CASES[i].shown, "case %zu: %s", i, buf_text(&out));
        cr_expect_eq(used, CASES[i].used, "case %zu: %zu", i, used);
        cr_expect_eq(text_columns(buf_text(&out), out.length), used, "case %zu", i);
    }
}

Test(text, bytes_are_shown_as_lower_case_hex)
{
    const unsigned char bytes[] = {0x00, 0x0F, 0x10, 0xAB, 0xFF};
    char out[2 * sizeof bytes + 1];
    text_hex(out, bytes, sizeof bytes);
    cr_assert_str_eq(out, "000f10abff");
    text_hex(out, bytes, 0);
    cr_assert_str_eq(out, "");
}
