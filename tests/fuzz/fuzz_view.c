/* What the screen would show. Must not know how the app came to its state. */
#include "fuzz_view.h"

#include <string.h>

#include "fuzz.h"
#include "text.h"
#include "view.h"

/* Blocks are paragraphs: a newline ends each. */
static void block_is_showable(const struct buf *block, const char *what)
{
    const char *at = buf_text(block);
    while (*at) {
        const size_t length = strcspn(at, "\n");
        FUZZ_CHECK(fuzz_is_showable(at, length), "the %s acts: %s", what, buf_text(block));
        at += length + (at[length] == '\n');
    }
    FUZZ_CHECK(!block->overflow, "the %s overflows", what);
}

static void check_blocks(const struct app *app)
{
    static const struct {
        const char *name;
        void (*write)(const struct app *app, struct buf *out);
    } blocks[] = {
        {"detail", view_detail}, {"message", view_message}, {"staged", view_staged},
        {"quit", view_quit},     {"tabs", view_tabs},
    };
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        struct buf out AUTO(buf_release) = {0};
        blocks[i].write(app, &out);
        block_is_showable(&out, blocks[i].name);
    }
    struct buf tag AUTO(buf_release) = {0};
    (void)view_tag(app, &tag);
    block_is_showable(&tag, "tag");
}

static void check_row(const struct app *app, const struct row *row, size_t columns)
{
    struct buf out AUTO(buf_release) = {0};
    view_row(app, row, columns, &out);
    FUZZ_CHECK(fuzz_is_showable(buf_text(&out), out.length), "a row acts: %s", buf_text(&out));
    FUZZ_CHECK(text_columns(buf_text(&out), out.length) <= columns, "a row of %zu in %zu: %s",
               text_columns(buf_text(&out), out.length), columns, buf_text(&out));
}

void fuzz_view_check(const struct app *app)
{
    const struct layout layout = view_layout(app->lines, app->columns);
    FUZZ_CHECK(!app->cursor == (app->rows.listed == 0), "the cursor points at nothing");
    FUZZ_CHECK(!app->cursor || app->cursor->listed, "the cursor points at a row off the list");
    FUZZ_CHECK(fuzz_is_utf8(buf_text(&app->typed), app->typed.length), "what was typed");
    check_blocks(app);
    for (size_t i = 0; view_fits(app) && i < layout.list_lines; i++)
        if (app->top + i < app->rows.listed)
            check_row(app, app->rows.list[app->top + i], layout.list_columns);
}
