/* The frame: erase, draw what is visible, one update. curses sends the difference; never clear(),
 * which would send everything. */
#include "screen.h"

#include <curses.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "view.h"

enum { MOOD_PAIR_GOOD = 1, MOOD_PAIR_WARN, MOOD_PAIR_BAD };

struct screen screen_start(void)
{
    const char *no_color = getenv("NO_COLOR");
    struct screen screen = {.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0};
    if (has_colors() && !(no_color && no_color[0] != '\0') && start_color() != ERR) {
        (void)use_default_colors();
        /* Both colours set: a default background may be anything. */
        (void)init_pair(MOOD_PAIR_GOOD, COLOR_BLACK, COLOR_GREEN);
        (void)init_pair(MOOD_PAIR_WARN, COLOR_BLACK, COLOR_YELLOW);
        (void)init_pair(MOOD_PAIR_BAD, COLOR_WHITE, COLOR_RED);
        screen.colour = true;
    }
    return screen;
}

static attr_t attribute_of(const struct screen *screen, enum view_mood mood)
{
    if (mood == VIEW_PLAIN)
        return A_NORMAL;
    if (!screen->colour)
        return A_REVERSE;
    return (attr_t)COLOR_PAIR(mood); /* moods and pairs count alike */
}

/* One line, cut to its width. Everything that reaches the terminal comes through here, so here it
 * is made safe, whoever wrote it. */
static void put(const struct screen *screen, size_t line, size_t column, size_t width,
                const char *text)
{
    struct buf safe AUTO(buf_release) = {0};
    struct buf cut AUTO(buf_release) = {0};
    text_display(&safe, text, strlen(text));
    (void)text_fit(&cut, buf_text(&safe), width);
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
    const attr_t attribute = attribute_of(screen, mood);
    (void)attron((int)attribute);
    put(screen, line, column, (size_t)COLS - column, text);
    (void)attroff((int)attribute);
}

static void put_rule(size_t line, size_t column, size_t width)
{
    (void)mvhline((int)line, (int)column, '-', (int)width);
}

static void draw_head(const struct screen *screen, const struct app *app)
{
    struct buf tag AUTO(buf_release) = {0};
    struct buf title AUTO(buf_release) = {0};
    struct buf tabs AUTO(buf_release) = {0};
    struct buf provider AUTO(buf_release) = {0};
    const size_t columns = app->columns;
    const enum view_mood mood = view_tag(app, &tag);
    const size_t room = columns > tag.length + 1 ? columns - tag.length - 1 : 0;
    view_title(app, &title);
    view_tabs(app, &tabs);
    buf_printf(&provider, " %s", app->provider);
    put(screen, 0, 0, room, buf_text(&provider));
    if (room > title.length + 3 + strlen(app->provider))
        put(screen, 0, room - title.length - 2, title.length, buf_text(&title));
    put_with(screen, mood, 0, columns > tag.length ? columns - tag.length : 0, buf_text(&tag));
    put(screen, 1, 0, columns, buf_text(&tabs));
    put(screen, 2, 0, view_layout(app->lines, columns).list_columns,
        "    STATE       WHEN            MIN   CLIENT");
}

static void draw_list(const struct screen *screen, const struct app *app,
                      const struct layout *layout)
{
    for (size_t i = 0; i < layout->list_lines && app->top + i < app->rows.listed; i++) {
        const struct row *row = app->rows.list[app->top + i];
        struct buf text AUTO(buf_release) = {0};
        struct buf state AUTO(buf_release) = {0};
        view_row(app, row, &text);
        put(screen, layout->list_top + i, 0, layout->list_columns - 1, buf_text(&text));
        const enum view_mood mood = view_state(app, row, &state);
        if (mood != VIEW_PLAIN)
            put_with(screen, mood, layout->list_top + i, 4, buf_text(&state));
    }
}

static void draw_detail(const struct screen *screen, const struct app *app,
                        const struct layout *layout)
{
    const size_t width = app->columns - layout->detail_left;
    if (layout->detail_lines == 0)
        return;
    put_rule(layout->detail_top, layout->detail_left, width);
    if (!app->cursor)
        return;
    struct buf head AUTO(buf_release) = {0};
    buf_printf(&head, " Request %s ", record_short_id(app->cursor->record));
    put(screen, layout->detail_top, layout->detail_left + 2, width - 2, buf_text(&head));
    for (size_t i = 0; i < layout->detail_lines; i++) {
        const size_t line = layout->detail_top + 1 + i;
        struct buf text AUTO(buf_release) = {0};
        view_detail(app, i, &text);
        if (line < layout->message_top && text.length > 0)
            put(screen, line, layout->detail_left, width, buf_text(&text));
    }
}

static void draw_message(const struct screen *screen, const struct app *app,
                         const struct layout *layout)
{
    const bool ruled = layout->message_lines > 1;
    if (ruled)
        put_rule(layout->message_top, 0, app->columns);
    for (size_t i = 0; i + ruled < layout->message_lines; i++) {
        struct buf text AUTO(buf_release) = {0};
        view_message(app, i, app->columns, &text);
        put(screen, layout->message_top + ruled + i, 0, app->columns, buf_text(&text));
    }
}

/* --- questions and help, over the list --- */

static void clear_lines(size_t from, size_t to)
{
    for (size_t line = from; line < to; line++) {
        (void)move((int)line, 0);
        (void)clrtoeol();
    }
}

/* Returns the line of the cursor. */
static size_t draw_reasons(const struct screen *screen, const struct app *app, size_t top)
{
    struct buf head AUTO(buf_release) = {0};
    buf_text_append(&head, " Reject ");
    (void)text_fit(&head, record_client(app->target->record), 30);
    buf_text_append(&head, "? Up/Down or 1-6, then Enter. Esc: nothing happens ");
    clear_lines(top, top + REASONS + 1);
    put_rule(top, 0, app->columns);
    put(screen, top, 2, app->columns - 2, buf_text(&head));
    for (size_t i = 0; i < REASONS; i++) {
        struct buf text AUTO(buf_release) = {0};
        buf_printf(&text, "%c %zu %s", i == app->choice ? '>' : ' ', i, app_reasons[i]);
        put(screen, top + 1 + i, 0, app->columns, buf_text(&text));
    }
    return top + 1 + app->choice;
}

static size_t draw_typing(const struct screen *screen, const struct app *app, size_t top)
{
    struct buf line AUTO(buf_release) = {0};
    const char *typed = buf_text(&app->typed);
    const char *end = typed + app->typed.length;
    while (text_columns(typed, (size_t)(end - typed)) + 4 > app->columns && typed < end)
        (void)text_next(&typed, end); /* the end of what is typed stays in sight */
    buf_printf(&line, "> %s_", typed);
    clear_lines(top, top + 2);
    put_rule(top, 0, app->columns);
    put(screen, top, 2, app->columns - 2,
        " Reason for the reject: type it, then Enter. Esc: nothing happens ");
    put(screen, top + 1, 0, app->columns, buf_text(&line));
    return top + 1;
}

static size_t draw_quit(const struct screen *screen, const struct app *app, size_t top)
{
    struct buf line AUTO(buf_release) = {0};
    if (app->leaving)
        buf_printf(&line, " Waiting for %zu answer(s) ...   u Leave at once   Esc Stay",
                   app_count_sending(app));
    else
        buf_printf(&line, " %zu answer(s) not sent, %zu on the way. What now?",
                   app_count_staged(app), app_count_sending(app));
    clear_lines(top, top + 3);
    put_rule(top, 0, app->columns);
    put(screen, top + 1, 0, app->columns, buf_text(&line));
    if (!app->leaving)
        put(screen, top + 2, 0, app->columns, " s Send now and quit   u Undo and quit   Esc Stay");
    return top + 1;
}

static size_t draw_help(const struct screen *screen, const struct app *app, size_t top)
{
    const char *group = "";
    struct buf text AUTO(buf_release) = {0};
    size_t line = top;
    clear_lines(top, app->lines - 1);
    put_rule(top, 0, app->columns);
    put(screen, top, 2, app->columns - 2, " Keys: Esc closes ");
    for (size_t i = 0; key_binding_at(i); i++) {
        const struct key_binding *binding = key_binding_at(i);
        if (!binding->group)
            continue;
        const bool first = strcmp(group, binding->group) != 0;
        struct buf entry AUTO(buf_release) = {0};
        buf_printf(&entry, "%s %s   ", binding->label, binding->help);
        if (first || text.length + entry.length > app->columns) {
            if (text.length > 0)
                put(screen, line, 0, app->columns, buf_text(&text));
            buf_clear(&text);
            line++;
            buf_printf(&text, " %-8s", first ? binding->group : "");
            group = binding->group;
        }
        buf_text_append(&text, buf_text(&entry));
    }
    put(screen, line, 0, app->columns, buf_text(&text));
    put(screen, line + 1, 0, app->columns, " MARKS   ! starts within two hours   + new");
    return top;
}

static void draw_keys(const struct screen *screen, const struct app *app)
{
    static const char keys[] = " a Accept  r Reject  u Undo  s Send now  n New  ? Help  q Quit";
    put(screen, app->lines - 1, 0, app->columns - 1, app->mode == MODE_INBOX ? keys : "");
}

static size_t draw_mode(const struct screen *screen, const struct app *app,
                        const struct layout *layout)
{
    const size_t wanted = REASONS + 2;
    const size_t top = app->lines > wanted ? app->lines - wanted : 0;
    switch (app->mode) {
    case MODE_REASON:
        return draw_reasons(screen, app, top);
    case MODE_TYPING:
        return draw_typing(screen, app, layout->message_top);
    case MODE_QUIT:
        return draw_quit(screen, app, layout->message_top);
    case MODE_HELP:
        return draw_help(screen, app, app->lines > 8 ? 2 : 0);
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
        draw_keys(screen, app);
        cursor = draw_mode(screen, app, &layout);
    }
    (void)move((int)cursor, 0);
    (void)wnoutrefresh(stdscr);
    (void)doupdate();
}
