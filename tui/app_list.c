/* The app: what is looked at - the list with its cursor, the day, what is marked. Rows that come
 * and go, another order and a search leave the row under the cursor and its line on the screen
 * alone. */
#include "app.h"
#include "view.h"

/* --- the cursor of the inbox --- */

size_t app_place(const struct app *app)
{
    return app->cursor ? rows_place(&app->rows, app->cursor) : 0;
}

static void keep_in_sight(struct app *app)
{
    const size_t height = view_layout(app->lines, app->columns).list.height;
    const size_t count = app->rows.list.count;
    const size_t place = app_place(app);
    if (place < app->top)
        app->top = place;
    if (place >= app->top + height)
        app->top = place - height + 1;
    if (app->top + height > count) /* no blank lines while rows are out of sight */
        app->top = count > height ? count - height : 0;
}

void app_resize(struct app *app, size_t lines, size_t columns)
{
    app->lines = lines;
    app->columns = columns;
    keep_in_sight(app);
}

size_t app_line(const struct app *app)
{
    return app_place(app) - app->top;
}

static void set_cursor(struct app *app, struct row *row)
{
    struct row *left = app->cursor;
    app->cursor = row;
    app->shown = false;
    if (left)
        app_tidy(app, left);
}

void app_hold_line(struct app *app, size_t line)
{
    const struct row_list *list = &app->rows.list;
    if (app->cursor && !rows_shows(&app->rows, app->cursor)) {
        const size_t place = app_place(app);
        set_cursor(app, list->count == 0
                            ? NULL
                            : list->rows[place < list->count ? place : list->count - 1]);
    }
    if (!app->cursor && list->count > 0)
        set_cursor(app, list->rows[0]);
    const size_t place = app_place(app);
    app->top = place > line ? place - line : 0;
    keep_in_sight(app);
}

void app_tidy(struct app *app, struct row *row)
{
    const bool waits = row->record->status == BOOKING_PENDING;
    if (row_is_settled(row) && row != app->cursor)
        row_drop_answer(row);
    if (!waits || row->answer)
        rows_mark(&app->rows, row, false);
    if (!row->listed || row == app->cursor || waits || row->answer)
        return;
    const size_t line = app_line(app);
    rows_unlist(&app->rows, row);
    app_hold_line(app, line);
}

void app_go_to(struct app *app, size_t place)
{
    if (!app->cursor)
        return;
    struct row *left = app->cursor;
    const size_t last = app->rows.list.count - 1;
    app->cursor = app->rows.list.rows[place < last ? place : last];
    app->cursor->fresh = false;
    app->touched = app->shown = true;
    keep_in_sight(app);
    if (left != app->cursor)
        app_tidy(app, left);
}

void app_look_at_first(struct app *app)
{
    const struct row_list *list = &app->rows.list;
    if (list->count == 0 || app->cursor == list->rows[0])
        return;
    set_cursor(app, list->rows[0]);
    app->top = 0;
}

void app_shown(struct app *app)
{
    app->shown = true;
}

void app_order(struct app *app, enum conf_order order)
{
    const size_t line = app_line(app);
    rows_sort(&app->rows, order);
    app_hold_line(app, line);
}

void app_find(struct app *app, const char *text)
{
    const size_t line = app_line(app);
    rows_want(&app->rows, text);
    /* What was looked at before the search is looked at again once it is back. */
    if (app->target && app->target != app->cursor && rows_shows(&app->rows, app->target))
        set_cursor(app, app->target);
    app_hold_line(app, line);
}

/* --- the screens --- */

struct row *app_row(const struct app *app)
{
    if (app->showing == SHOW_HISTORY)
        return NULL;
    return app->showing == SHOW_DAY ? app->day_cursor : app->cursor;
}

void app_show(struct app *app, enum view_kind screen)
{
    struct row *row = app_row(app);
    const int64_t day_s = app_day_s(app);
    if (screen == app->showing)
        return;
    app->showing = screen;
    app->shown = false;
    if (screen == SHOW_DAY) {
        app->day_cursor = row;
        app_show_day(app, day_s);
    }
}

size_t app_history_place(const struct app *app)
{
    const struct history *history = &app->answers.history;
    size_t place = 0;
    while (place < history->count && history_newest(history, place) != app->history_cursor)
        place++;
    return place < history->count ? place : 0;
}

/* --- moving --- */

static size_t moved(size_t place, int by, size_t height)
{
    const size_t page = height > 1 ? height - 1 : 1;
    const size_t lines = (size_t)(by < 0 ? -by : by);
    const size_t step = lines == BY_PAGE ? page : lines;
    if (by > 0)
        return place + step;
    return place > step ? place - step : 0;
}

static void move_in_list(struct app *app, int by)
{
    const size_t height = view_layout(app->lines, app->columns).list.height;
    app_go_to(app, moved(app_place(app), by, height));
}

/* From booking to booking: gaps and words are passed over. */
static void move_in_day(struct app *app, int by)
{
    struct agenda agenda AUTO(agenda_release) = app_agenda(app);
    size_t place = 0;
    size_t count = 0;
    for (size_t i = 0; i < agenda.count; i++) { /* the bookings come to the front */
        const struct day_line line = agenda.lines[i];
        if (!line.row || line.over)
            continue;
        place = line.row == app->day_cursor ? count : place;
        agenda.lines[count++] = line;
    }
    if (count == 0)
        return;
    const size_t wanted = moved(place, by, view_day_box(app).height);
    app->day_cursor = agenda.lines[wanted < count ? wanted : count - 1].row;
    app->shown = true;
}

static void move_in_history(struct app *app, int by)
{
    const struct history *history = &app->answers.history;
    const size_t wanted = moved(app_history_place(app), by, view_history_box(app).height);
    const size_t last = history->count > 0 ? history->count - 1 : 0;
    app->history_cursor = history_newest(history, wanted < last ? wanted : last);
}

void app_move(struct app *app, int by)
{
    static void (*const moves[SHOWS])(struct app * app, int by) = {
        [SHOW_INBOX] = move_in_list, [SHOW_DAY] = move_in_day, [SHOW_HISTORY] = move_in_history};
    moves[app->showing](app, by);
}

void app_click(struct app *app, size_t line, size_t column)
{
    const struct box list = view_layout(app->lines, app->columns).list;
    const size_t place = app->top + line - list.top;
    const bool inside =
        line >= list.top && line < list.top + list.height && column < list.left + list.width;
    if (app->mode == MODE_NONE && app->showing == SHOW_INBOX && inside &&
        place < app->rows.list.count)
        app_go_to(app, place);
}
