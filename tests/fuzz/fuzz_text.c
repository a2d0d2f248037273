/* The sanitiser for text from outside. Whatever goes in, what comes out acts on no terminal, is the
 * same when sanitised again, and fits the columns it was given. */
#include <string.h>

#include "fuzz.h"
#include "text.h"
#include "view.h"

static void decoded_alike(const char *text, size_t length)
{
    const char *at = text;
    const char *const end = text + length;
    size_t codes = 0;
    for (; at < end; codes++) {
        const char *const before = at;
        (void)text_next(&at, end);
        FUZZ_CHECK(at > before && at <= end, "a code point of %td bytes", at - before);
    }
    FUZZ_CHECK(codes <= length, "more code points than bytes");
    FUZZ_CHECK(text_is_utf8(text, length) == fuzz_is_utf8(text, length), "UTF-8 or not");
}

static void fits(const struct buf *safe, size_t columns)
{
    struct buf out AUTO(buf_release) = {0};
    const size_t used = text_fit(&out, buf_text(safe), columns);
    FUZZ_CHECK(used <= columns, "%zu columns of %zu", used, columns);
    FUZZ_CHECK(used == text_columns(buf_text(&out), out.length), "%zu columns said, %zu used", used,
               text_columns(buf_text(&out), out.length));
    FUZZ_CHECK(fuzz_is_showable(buf_text(&out), out.length), "a cut text acts on the terminal");
    FUZZ_CHECK(text_columns(buf_text(safe), safe->length) > columns ||
                   strcmp(buf_text(&out), buf_text(safe)) == 0,
               "cut without need");
}

static void as_the_console_shows_it(const char *text, size_t columns)
{
    struct buf out AUTO(buf_release) = {0};
    view_outside(&out, text, columns);
    FUZZ_CHECK(fuzz_is_showable(buf_text(&out), out.length), "the console shows what acts");
    FUZZ_CHECK(text_columns(buf_text(&out), out.length) <= columns, "wider than its column");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf safe AUTO(buf_release) = {0};
    struct buf again AUTO(buf_release) = {0};
    char *text AUTO(memory_release) = fuzz_text(data, size);
    /* char and uint8_t may look at the same bytes. */
    const char *raw = (const char *)data;
    decoded_alike(raw, size);
    text_display(&safe, raw, size);
    FUZZ_CHECK(fuzz_is_showable(buf_text(&safe), safe.length), "what is shown acts");
    FUZZ_CHECK(safe.length <= 3 * size, "%zu bytes become %zu", size, safe.length);
    text_display(&again, buf_text(&safe), safe.length);
    FUZZ_CHECK(strcmp(buf_text(&safe), buf_text(&again)) == 0, "sanitised twice is not once");
    for (size_t columns = 0; columns < 4; columns++)
        fits(&safe, columns);
    fits(&safe, size % 80);
    as_the_console_shows_it(text, size > 0 ? data[0] % 80 : 0);
    return 0;
}
