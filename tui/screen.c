/* The frame: erase, draw what is visible, one update. curses sends the difference; never clear(),
 * which would send everything. */
#include "screen.h"

#include <curses.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>

#include "dialog.h"
#include "paint.h"
#include "text.h"
#include "view.h"

struct screen screen_start(bool colour)
{
    const char *no_color = getenv("NO_COLOR");
    struct screen screen = {.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0};
    (void)idlok(stdscr, TRUE); /* a list that scrolls is not written again */
    if (colour && has_colors() && !(no_color && no_color[0] != '\0') && start_color() != ERR) {
        (void)use_default_colors();
        /* Both colours set: a default background may be anything. */
        (void)init_pair(VIEW_GOOD, COLOR_BLACK, COLOR_GREEN);
        (void)init_pair(VIEW_WARN, COLOR_BLACK, COLOR_YELLOW);
        (void)init_pair(VIEW_BAD, COLOR_WHITE, COLOR_RED);
        screen.colour = true;
    }
    return screen;
}

/* --- the screens: each returns the line of the cursor --- */

static void draw_head(const struct screen *screen, const struct app *app)
{
    struct buf tag AUTO(buf_release) = {0};
    struct buf clock AUTO(buf_release) = {0};
    struct buf tabs AUTO(buf_release) = {0};
    const size_t columns = app->columns;
    const enum view_mood mood = view_tag(app, &tag);
    const size_t room = columns > tag.length + 1 ? columns - tag.length - 1 : 0;
    view_clock(app, &clock);
    view_tabs(app, &tabs);
    paint(screen, (struct box){0, 1, room, 1}, app->provider);
    if (room > clock.length + 3 + strlen(app->provider))
        paint(screen, (struct box){0, room - clock.length - 2, clock.length, 1}, buf_text(&clock));
    paint_with(screen, mood, (struct box){0, columns - tag.length, tag.length, 1}, buf_text(&tag));
    paint(screen, (struct box){1, 0, columns, 1}, buf_text(&tabs));
}

static void draw_row(const struct screen *screen, const struct app *app, const struct row *row,
                     struct box line)
{
    struct buf text AUTO(buf_release) = {0};
    struct buf state AUTO(buf_release) = {0};
    struct buf word AUTO(buf_release) = {0};
    view_row(app, row, line.width, &text);
    paint(screen, (struct box){line.top, line.left, line.width - 1, 1}, buf_text(&text));
    const enum view_mood mood = view_state(app, row, &state);
    /* The word only: a second that counts down then costs no change of colour. */
    buf_append(&word, buf_text(&state), strcspn(buf_text(&state), "0123456789"));
    if (mood != VIEW_PLAIN)
        paint_with(screen, mood, (struct box){line.top, line.left + 4, word.length, 1},
                   buf_text(&word));
}

static size_t draw_list(const struct screen *screen, const struct app *app, struct box box)
{
    const struct row_list *list = &app->rows.list;
    paint(screen, (struct box){box.top - 1, box.left, box.width, 1}, view_list_head(box.width));
    for (size_t i = 0; i < box.height && app->top + i < list->count; i++)
        draw_row(screen, app, list->rows[app->top + i],
                 (struct box){box.top + i, box.left, box.width, 1});
    return app->cursor ? box.top + app_line(app) : box.top;
}

/* So that the line stands in the middle where there is more above and below. */
static size_t first_line(size_t line, size_t count, size_t height)
{
    const size_t first = line > height / 2 ? line - height / 2 : 0;
    if (count <= height)
        return 0;
    return first < count - height ? first : count - height;
}

static size_t draw_agenda(const struct screen *screen, const struct app *app, struct box box)
{
    struct agenda agenda AUTO(agenda_release) = app_agenda(app);
    struct buf head AUTO(buf_release) = {0};
    const size_t found = agenda_line(&agenda, app_row(app));
    const size_t at = found < agenda.count ? found : 0;
    const size_t first = first_line(at, agenda.count, box.height);
    view_day_head(app, box.width, &head);
    paint(screen, (struct box){box.top - 1, box.left, box.width, 1}, buf_text(&head));
    for (size_t i = first; i < agenda.count && i - first < box.height; i++) {
        struct buf text AUTO(buf_release) = {0};
        view_day_line(app, &agenda.lines[i], box.width, &text);
        paint(screen, (struct box){box.top + i - first, box.left, box.width - 1, 1},
              buf_text(&text));
    }
    return box.top + at - first;
}

static size_t draw_history(const struct screen *screen, const struct app *app)
{
    const struct history *history = &app->answers.history;
    const struct box box = view_history_box(app);
    const size_t at = app_history_place(app);
    const size_t first = first_line(at, history->count, box.height);
    paint(screen, (struct box){box.top - 1, 0, box.width, 1}, view_history_head(box.width));
    for (size_t i = first; i < history->count && i - first < box.height; i++) {
        struct buf text AUTO(buf_release) = {0};
        (void)view_history_row(app, history_newest(history, i), box.width - 1, &text);
        paint(screen, (struct box){box.top + i - first, 0, box.width - 1, 1}, buf_text(&text));
    }
    return box.top + at - first;
}

static void draw_detail(const struct screen *screen, const struct app *app, struct box box)
{
    struct buf head AUTO(buf_release) = {0};
    struct buf text AUTO(buf_release) = {0};
    const struct row *row = app_row(app);
    const struct history_entry *entry =
        history_newest(&app->answers.history, app_history_place(app));
    if (box.height == 0)
        return;
    if (app->showing == SHOW_HISTORY) {
        buf_text_append(&head, " What became of it ");
        if (entry)
            view_history_detail(app, entry, &text);
    } else if (row) {
        buf_printf(&head, " Request %s ", record_short_id(row->record));
        view_detail(app, &text);
    }
    paint_rule(screen, &box, buf_text(&head));
    paint_block(screen, paint_inside(box), buf_text(&text), 0);
}

static size_t draw_panes(const struct screen *screen, const struct app *app,
                         const struct layout *layout)
{
    if (app->showing == SHOW_HISTORY)
        return draw_history(screen, app);
    if (app->showing == SHOW_DAY && layout->day.height == 0)
        return draw_agenda(screen, app, layout->list);
    const size_t in_list = draw_list(screen, app, layout->list);
    if (layout->day.height == 0)
        return in_list;
    struct buf title AUTO(buf_release) = {0};
    buf_char(&title, ' ');
    view_full_day(app, app_day_s(app), &title);
    buf_char(&title, ' ');
    paint_rule(screen, &layout->day, buf_text(&title));
    const size_t in_day = draw_agenda(screen, app, view_day_box(app));
    return app->showing == SHOW_DAY ? in_day : in_list;
}

/* What is staged has the last line; the rest has what is above it. */
static void draw_message(const struct screen *screen, const struct app *app, struct box box)
{
    struct buf message AUTO(buf_release) = {0};
    struct buf staged AUTO(buf_release) = {0};
    const size_t end = box.top + box.height;
    view_message(app, &message);
    view_staged(app, &staged);
    if (box.height > 1) {
        paint_rule(screen, &box, "");
        box = paint_inside(box);
    }
    if (staged.length > 0) {
        box.height--;
        paint(screen, (struct box){end - 1, 1, app->columns - 1, 1}, buf_text(&staged));
    }
    paint_block(screen, box, buf_text(&message), 0);
}

/* --- questions and help, over the screen --- */

/* Clears the lines above the last one and puts the title on top of them. Returns where to go on. */
static struct box open_dialog(const struct screen *screen, const struct app *app, size_t height,
                              const char *title)
{
    const size_t top = app->lines > height + 2 ? app->lines - height - 2 : 0;
    const struct box box = {top, 0, app->columns, app->lines - top - 1};
    for (size_t line = top; line < app->lines; line++) {
        (void)move((int)line, 0);
        (void)clrtoeol();
    }
    paint_rule(screen, &box, title);
    return paint_inside(box);
}

static size_t draw_choices(const struct screen *screen, const struct app *app, struct box box)
{
    const struct dialog *dialog = dialog_of(app->mode);
    const size_t first = first_line(app->choice, dialog_count(app), box.height);
    struct choice choice = {0};
    for (size_t i = first; i - first < box.height && dialog->choice(app, i, &choice); i++) {
        struct buf text AUTO(buf_release) = {0};
        buf_text_append(&text, i == app->choice ? "> " : "  ");
        view_choice(app, i, &choice, &text);
        paint(screen, (struct box){box.top + i - first, box.left, box.width, 1}, buf_text(&text));
    }
    return box.top + app->choice - first;
}

static size_t draw_dialog(const struct screen *screen, const struct app *app)
{
    const struct dialog *dialog = dialog_of(app->mode);
    struct buf title AUTO(buf_release) = {0};
    struct buf text AUTO(buf_release) = {0};
    dialog->title(app, &title);
    if (dialog->text)
        dialog->text(app, &text);
    const size_t lines = paint_lines(buf_text(&text), app->columns);
    struct box box = open_dialog(screen, app, lines + dialog_count(app), buf_text(&title));
    /* The choices must be seen, whatever becomes of the words. */
    const size_t most = box.height > dialog_count(app) ? box.height - dialog_count(app) : 1;
    struct box words = box;
    words.height = lines < most ? lines : most;
    paint_block(screen, words, buf_text(&text), 0);
    box.top += words.height;
    box.height -= words.height;
    return draw_choices(screen, app, box);
}

/* A line that is typed; where the messages stand when it is a search, so that the list and what is
 * said of it stay in sight. */
static size_t draw_typing(const struct screen *screen, const struct app *app)
{
    const bool finds = app->mode == MODE_FIND;
    const char *label = finds ? "Find: " : "> ";
    const char *typed = buf_text(&app->typed);
    const char *end = typed + app->typed.length;
    struct buf line AUTO(buf_release) = {0};
    struct box box = {app->lines - 2, 0, app->columns, 1};
    while (text_columns(typed, (size_t)(end - typed)) + strlen(label) + 2 > box.width)
        (void)text_next(&typed, end); /* the end of what is typed stays in sight */
    if (!finds)
        box = open_dialog(screen, app, 1, " Reason for the reject ");
    buf_printf(&line, "%s%s_", label, typed);
    view_pad(&line, box.width);
    paint(screen, box, buf_text(&line));
    return box.top;
}

static size_t draw_help(const struct screen *screen, const struct app *app)
{
    enum { LINES_WANTED = 11 };
    struct buf text AUTO(buf_release) = {0};
    struct buf title AUTO(buf_release) = {0};
    view_help(app, app->columns - 1, &text);
    buf_printf(&title, " Keys: Esc closes. Search: %s_ ", buf_text(&app->typed));
    const size_t lines = paint_lines(buf_text(&text), app->columns);
    const struct box box = open_dialog(screen, app, LINES_WANTED, buf_text(&title));
    const size_t last = lines > box.height ? lines - box.height : 0;
    paint_block(screen, box, buf_text(&text), app->choice < last ? app->choice : last);
    return box.top - 1;
}

static size_t draw_mode(const struct screen *screen, const struct app *app)
{
    if (dialog_of(app->mode))
        return draw_dialog(screen, app);
    return app->mode == MODE_HELP ? draw_help(screen, app) : draw_typing(screen, app);
}

static void draw_all(const struct screen *screen, const struct app *app)
{
    const struct layout layout = view_layout(app->lines, app->columns);
    struct buf keys AUTO(buf_release) = {0};
    draw_head(screen, app);
    size_t line = draw_panes(screen, app, &layout);
    size_t column = app->showing == SHOW_DAY ? layout.day.left : 0;
    draw_detail(screen, app, view_detail_box(app));
    draw_message(screen, app, layout.message);
    if (app->mode != MODE_NONE) {
        line = draw_mode(screen, app);
        column = 0;
    }
    view_keys(app, &keys);
    paint(screen, (struct box){app->lines - 1, 0, app->columns - 1, 1}, buf_text(&keys));
    (void)move((int)line, (int)column);
}

void screen_draw(const struct screen *screen, const struct app *app)
{
    (void)erase();
    if (view_fits(app)) {
        draw_all(screen, app);
    } else {
        paint(screen, (struct box){0, 0, app->columns, 1},
              "Make the window bigger (30x6 needed). q Quit");
        (void)move(0, 0);
    }
    (void)wnoutrefresh(stdscr);
    (void)doupdate();
}
