/* The questions in words. */
#include "dialog.h"
#include "text.h"
#include "view.h"

enum { TITLE_ROOM = 16, LINES_AROUND = 5 };

/* "y Accept all the same", "2 Please choose another day", "Space  Mark" */
void view_choice(const struct app *app, size_t i, const struct choice *choice, struct buf *out)
{
    enum { KEY_COLUMNS = 9 };
    if (choice->action) {
        keymap_short_name(&app->keymap, choice->action->name, out);
        view_pad(out, KEY_COLUMNS);
        buf_text_append(out, choice->action->words);
        return;
    }
    if (choice->key)
        text_append(out, choice->key);
    else
        buf_printf(out, "%zu", i);
    buf_printf(out, " %s", choice->text);
}

/* "Reject Zoe? " */
static void append_title(const struct app *app, const char *verb, struct buf *out)
{
    buf_printf(out, " %s ", verb);
    if (app->target)
        view_outside(out, record_client(app->target->record), app->columns - TITLE_ROOM);
    else
        buf_printf(out, "%zu requests", app->rows.marked);
    buf_text_append(out, "? ");
}

void view_reason_title(const struct app *app, struct buf *out)
{
    append_title(app, "Reject", out);
}

void view_overlap_title(const struct app *app, struct buf *out)
{
    append_title(app, "Accept", out);
}

void view_bulk_title(const struct app *app, struct buf *out)
{
    append_title(app, "Accept", out);
}

void view_menu_title(const struct app *app, struct buf *out)
{
    const struct row *row = app_row(app);
    buf_char(out, ' ');
    if (row)
        view_outside(out, record_client(row->record), app->columns - TITLE_ROOM);
    else
        buf_text_append(out, "Menu");
    buf_char(out, ' ');
}

void view_quit_title(const struct app *app, struct buf *out)
{
    (void)app;
    buf_text_append(out, " Quit ");
}

void view_overlap(const struct app *app, struct buf *out)
{
    view_request(app, app->target, out);
    buf_char(out, '\n');
    view_overlaps(app, app->target, out);
}

/* --- what is marked --- */

/* What stands in its way: something booked, else who of the marked asked first. */
static const struct row *obstacle(const struct app *app, const struct row *row)
{
    size_t i = 0;
    const struct row *booked = day_overlap(&app->rows, row, &i);
    for (size_t j = 0; !booked && j < app->plan.count; j++)
        if (app->plan.rows[j] != row && day_rows_overlap(app->plan.rows[j], row))
            return app->plan.rows[j];
    return booked;
}

static void append_marked(const struct app *app, const struct row *row, bool clear, struct buf *out)
{
    buf_text_append(out, clear ? "  " : "! ");
    view_request(app, row, out);
    const struct row *over = clear ? NULL : obstacle(app, row);
    if (over) {
        buf_text_append(out, " overlaps ");
        view_span(out, over->record->start_s, over->record->end_s);
        buf_text_append(out, ", ");
        view_outside(out, record_client(over->record), 30);
        buf_text_append(out, day_is_booked(over) ? " (accepted)" : " (asked first)");
    }
    buf_char(out, '\n');
}

static void append_unknown(const struct app *app, const struct row_list *marked, struct buf *out)
{
    size_t unknown = 0;
    for (size_t i = 0; i < marked->count; i++)
        unknown += !app_knows_day(app, marked->rows[i]);
    if (unknown > 0)
        buf_printf(out, "The day of %zu is not read yet: what they overlap is not known.\n",
                   unknown);
}

/* Those with an overlap first: they are what is to be decided. */
void view_marked(const struct app *app, struct buf *out)
{
    const bool accepts = app->mode == MODE_BULK;
    struct row_list marked AUTO(row_list_release) = {0};
    if (app->target)
        return;
    marked = rows_marked(&app->rows);
    const size_t around = dialog_count(app) + LINES_AROUND;
    const size_t room = app->lines > around ? app->lines - around : 1;
    size_t told = 0;
    if (accepts)
        append_unknown(app, &marked, out);
    for (int clear = !accepts; clear < 2; clear++) {
        for (size_t i = 0; i < marked.count && told < room; i++) {
            const bool overlaps = accepts && !row_list_has(&app->plan, marked.rows[i]);
            if (overlaps == (clear == 1))
                continue;
            append_marked(app, marked.rows[i], !overlaps, out);
            told++;
        }
    }
    if (told < marked.count)
        buf_printf(out, "and %zu more\n", marked.count - told);
}
