/* The frame: erase, draw what is visible, one update. curses sends the difference; never clear(),
 * which would send everything. */
#include "screen.h"

#include <curses.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "view.h"

struct screen screen_start(void)
{
    const char *no_color = getenv("NO_COLOR");
    struct screen screen = {.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0};
    if (has_colors() && !(no_color && no_color[0] != '\0') && start_color() != ERR) {
        (void)use_default_colors();
        /* Both colours set: a default background may be anything. */
        (void)init_pair(VIEW_GOOD, COLOR_BLACK, COLOR_GREEN);
        (void)init_pair(VIEW_WARN, COLOR_BLACK, COLOR_YELLOW);
        (void)init_pair(VIEW_BAD, COLOR_WHITE, COLOR_RED);
        screen.colour = true;
    }
    return screen;
}

/* One line, cut to its width. Everything that reaches the terminal comes through here, so here it
 * is made safe, whoever wrote it. */
static void put(const struct screen *screen, size_t line, size_t column, size_t width,
                const char *text)
{
    struct buf cut AUTO(buf_release) = {0};
    view_outside(&cut, text, width);
    if (move((int)line, (int)column) == ERR)
        return;
    if (screen->utf8) {
        (void)addstr(buf_text(&cut));
        return;
    }
    const char *at = buf_text(&cut);
    const char *end = at + cut.length;
    for (uint32_t letter = 0; at < end && (letter = text_next(&at, end));)
        (void)addch(letter < 0x80 ? (chtype)letter : '?');
}

static void put_with(const struct screen *screen, enum view_mood mood, size_t line, size_t column,
                     const char *text)
{
    const attr_t attribute = mood == VIEW_PLAIN ? A_NORMAL
                             : screen->colour   ? (attr_t)COLOR_PAIR(mood)
                                                : A_REVERSE;
    (void)attron((int)attribute);
    put(screen, line, column, (size_t)COLS - column, text);
    (void)attroff((int)attribute);
}

static void put_rule(const struct screen *screen, size_t line, size_t column, const char *title)
{
    const size_t width = (size_t)COLS - column;
    (void)mvhline((int)line, (int)column, '-', (int)width);
    put(screen, line, column + 2, width > 2 ? width - 2 : 0, title);
}

/* How much of a paragraph goes on a line: up to the last blank that fits. A word that is too long
 * for a line stays whole and is cut by put(). */
static size_t line_length(const char *text, size_t length, size_t width)
{
    size_t cut = length;
    while (cut > 0 && text_columns(text, cut) > width)
        do
            cut--;
        while (cut > 0 && text[cut] != ' ');
    return cut ? cut : length;
}

struct box {
    size_t top;
    size_t left;
    size_t width;
    size_t height;
};

/* A block, wrapped, one column in from the left. Returns the lines used. */
static size_t put_block(const struct screen *screen, struct box box, const char *text)
{
    size_t used = 0;
    while (*text && used < box.height) {
        const size_t paragraph = strcspn(text, "\n");
        const size_t length = line_length(text, paragraph, box.width - 1);
        struct buf line AUTO(buf_release) = {0};
        buf_append(&line, text, length);
        put(screen, box.top + used++, box.left + 1, box.width - 1, buf_text(&line));
        text += length + (text[length] != '\0');
    }
    return used;
}

/* --- the inbox --- */

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
    put(screen, 0, 1, room, app->provider);
    if (room > clock.length + 3 + strlen(app->provider))
        put(screen, 0, room - clock.length - 2, clock.length, buf_text(&clock));
    put_with(screen, mood, 0, columns > tag.length ? columns - tag.length : 0, buf_text(&tag));
    put(screen, 1, 0, columns, buf_text(&tabs));
}

static void draw_list(const struct screen *screen, const struct app *app,
                      const struct layout *layout)
{
    const size_t width = layout->list_columns;
    put(screen, layout->list_top - 1, 0, width, view_list_head(width));
    for (size_t i = 0; i < layout->list_lines && app->top + i < app->rows.listed; i++) {
        const struct row *row = app->rows.list[app->top + i];
        struct buf text AUTO(buf_release) = {0};
        struct buf state AUTO(buf_release) = {0};
        struct buf word AUTO(buf_release) = {0};
        view_row(app, row, width, &text);
        put(screen, layout->list_top + i, 0, width - 1, buf_text(&text));
        const enum view_mood mood = view_state(app, row, &state);
        /* The word only: a second that counts down then costs no change of colour. */
        buf_append(&word, buf_text(&state), strcspn(buf_text(&state), "0123456789"));
        if (mood != VIEW_PLAIN)
            put_with(screen, mood, layout->list_top + i, 4, buf_text(&word));
    }
}

static void draw_detail(const struct screen *screen, const struct app *app,
                        const struct layout *layout)
{
    struct buf head AUTO(buf_release) = {0};
    struct buf text AUTO(buf_release) = {0};
    if (layout->detail_lines == 0)
        return;
    if (app->cursor)
        buf_printf(&head, " Request %s ", record_short_id(app->cursor->record));
    put_rule(screen, layout->detail_top, layout->detail_left, buf_text(&head));
    view_detail(app, &text);
    (void)put_block(screen,
                    (struct box){layout->detail_top + 1, layout->detail_left,
                                 app->columns - layout->detail_left,
                                 layout->message_top - layout->detail_top - 1},
                    buf_text(&text));
}

/* What is staged has the last line; the rest has what is above it. */
static void draw_message(const struct screen *screen, const struct app *app,
                         const struct layout *layout)
{
    const size_t end = layout->message_top + layout->message_lines;
    struct box box = {layout->message_top, 0, app->columns, layout->message_lines};
    struct buf message AUTO(buf_release) = {0};
    struct buf staged AUTO(buf_release) = {0};
    view_message(app, &message);
    view_staged(app, &staged);
    if (box.height > 1) {
        put_rule(screen, box.top++, 0, "");
        box.height--;
    }
    if (staged.length > 0) {
        box.height--;
        put(screen, end - 1, 1, app->columns - 1, buf_text(&staged));
    }
    (void)put_block(screen, box, buf_text(&message));
}

/* --- questions and help, over the list --- */

/* Clears the lines above the last one and puts the title on top of them. Returns where to go on. */
static struct box open_dialog(const struct screen *screen, const struct app *app, size_t height,
                              const char *title)
{
    const size_t top = app->lines > height + 2 ? app->lines - height - 2 : 0;
    for (size_t line = top; line < app->lines; line++) {
        (void)move((int)line, 0);
        (void)clrtoeol();
    }
    put_rule(screen, top, 0, title);
    return (struct box){top + 1, 0, app->columns, app->lines - top - 2};
}

/* Each of these returns the line of the cursor. */
static size_t draw_reasons(const struct screen *screen, const struct app *app)
{
    struct buf title AUTO(buf_release) = {0};
    buf_text_append(&title, " Reject ");
    view_outside(&title, record_client(app->target->record), app->columns - 16);
    buf_text_append(&title, "? ");
    const struct box box = open_dialog(screen, app, REASONS, buf_text(&title));
    const size_t first = app->choice < box.height ? 0 : app->choice - box.height + 1;
    for (size_t i = first; i < REASONS && i - first < box.height; i++) {
        struct buf text AUTO(buf_release) = {0};
        buf_printf(&text, "%c %zu %s", i == app->choice ? '>' : ' ', i, app_reasons[i]);
        put(screen, box.top + i - first, 0, app->columns, buf_text(&text));
    }
    return box.top + app->choice - first;
}

static size_t draw_typing(const struct screen *screen, const struct app *app)
{
    struct buf line AUTO(buf_release) = {0};
    const char *typed = buf_text(&app->typed);
    const char *end = typed + app->typed.length;
    while (text_columns(typed, (size_t)(end - typed)) + 4 > app->columns && typed < end)
        (void)text_next(&typed, end); /* the end of what is typed stays in sight */
    buf_printf(&line, "> %s_", typed);
    const struct box box = open_dialog(screen, app, 1, " Reason for the reject ");
    put(screen, box.top, 0, app->columns, buf_text(&line));
    return box.top;
}

static size_t draw_quit(const struct screen *screen, const struct app *app)
{
    struct buf text AUTO(buf_release) = {0};
    view_quit(app, &text);
    const struct box box = open_dialog(screen, app, 2, "");
    (void)put_block(screen, box, buf_text(&text));
    return box.top;
}

static size_t draw_help(const struct screen *screen, const struct app *app)
{
    enum { LINES_WANTED = 8 };
    struct buf text AUTO(buf_release) = {0};
    view_help(app->columns - 1, &text);
    const struct box box = open_dialog(screen, app, LINES_WANTED, " Keys: Esc closes ");
    (void)put_block(screen, box, buf_text(&text));
    return box.top;
}

static size_t draw_mode(const struct screen *screen, const struct app *app,
                        const struct layout *layout)
{
    switch (app->mode) {
    case MODE_REASON:
        return draw_reasons(screen, app);
    case MODE_TYPING:
        return draw_typing(screen, app);
    case MODE_QUIT:
        return draw_quit(screen, app);
    case MODE_HELP:
        return draw_help(screen, app);
    case MODE_INBOX:
    case MODES:
        break;
    }
    const size_t place = app->cursor ? rows_place(&app->rows, app->cursor) - app->top : 0;
    return layout->list_top + place;
}

void screen_draw(const struct screen *screen, const struct app *app)
{
    const struct layout layout = view_layout(app->lines, app->columns);
    size_t cursor = 0;
    (void)erase();
    if (!view_fits(app)) {
        put(screen, 0, 0, app->columns, "Make the window bigger (30x6 needed). q Quit");
    } else {
        draw_head(screen, app);
        draw_list(screen, app, &layout);
        draw_detail(screen, app, &layout);
        draw_message(screen, app, &layout);
        cursor = draw_mode(screen, app, &layout);
        put(screen, app->lines - 1, 0, app->columns - 1, view_keys(app));
    }
    (void)move((int)cursor, 0);
    (void)wnoutrefresh(stdscr);
    (void)doupdate();
}
