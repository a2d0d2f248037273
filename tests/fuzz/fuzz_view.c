/* What the screen would show. Must not know how the app came to its state. */
#include "fuzz_view.h"

#include <string.h>

#include "dialog.h"
#include "fuzz.h"
#include "text.h"
#include "view.h"

/* Blocks are paragraphs: a newline ends each, a tab parts left from right. */
static void block_is_showable(const struct buf *block, const char *what)
{
    const char *at = buf_text(block);
    while (*at) {
        const size_t length = strcspn(at, "\t\n");
        FUZZ_CHECK(fuzz_is_showable(at, length), "the %s acts: %s", what, buf_text(block));
        at += length + (at[length] != '\0');
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
        {"quit", view_quit},     {"tabs", view_tabs},       {"title", view_title},
        {"keys", view_keys},     {"marked", view_marked},
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

static void check_dialog(const struct app *app)
{
    const struct dialog *dialog = dialog_of(app->mode);
    struct choice choice = {0};
    struct buf out AUTO(buf_release) = {0};
    if (!dialog)
        return;
    dialog->title(app, &out);
    if (dialog->text)
        dialog->text(app, &out);
    block_is_showable(&out, "question");
    for (size_t i = 0; dialog->choice(app, i, &choice); i++)
        FUZZ_CHECK(choice.act && (choice.text || choice.action), "choice %zu is none", i);
    FUZZ_CHECK(app->choice < dialog_count(app), "choice %zu is chosen", app->choice);
}

static void check_day(const struct app *app, size_t columns)
{
    struct agenda agenda AUTO(agenda_release) = app_agenda(app);
    for (size_t i = 0; i < agenda.count; i++) {
        struct buf out AUTO(buf_release) = {0};
        view_day_line(app, &agenda.lines[i], columns, &out);
        FUZZ_CHECK(fuzz_is_showable(buf_text(&out), out.length), "a day acts: %s", buf_text(&out));
    }
    FUZZ_CHECK(app->showing != SHOW_DAY || !app->day_cursor ||
                   agenda_line(&agenda, app->day_cursor) < agenda.count,
               "the cursor points at a booking of another day");
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
    const struct box list = view_layout(app->lines, app->columns).list;
    const struct row_list *shown = &app->rows.list;
    FUZZ_CHECK(!app->cursor == (shown->count == 0), "the cursor points at nothing");
    FUZZ_CHECK(!app->cursor || rows_shows(&app->rows, app->cursor),
               "the cursor points at a row off the list");
    FUZZ_CHECK(fuzz_is_utf8(buf_text(&app->typed), app->typed.length), "what was typed");
    check_blocks(app);
    check_dialog(app);
    if (!view_fits(app))
        return;
    check_day(app, list.width);
    for (size_t i = 0; i < list.height && app->top + i < shown->count; i++)
        check_row(app, shown->rows[app->top + i], list.width);
}
