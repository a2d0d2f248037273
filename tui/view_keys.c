/* The keys in words: the last line of the screen and the help. Made from the table of actions, so
 * that a key that was bound anew is called by its new name. */
#include <string.h>
#include <strings.h>

#include "dialog.h"
#include "view.h"

/* --- the last line --- */

/* What is offered, the most important last: on a narrow screen the first ones go. */
struct hint {
    const char *action;
    const char *word;
    int weight; /* the lightest goes first */
};

static const struct hint on_inbox[] = {
    {"accept", "Accept", 9}, {"reject", "Reject", 8}, {"menu", "Menu", 5},
    {"mark", "Mark", 3},     {"find", "Find", 4},     {"order", "Order", 2},
    {"keys", "Help", 7},     {"quit", "Quit", 6},     {NULL, NULL, 0}};
static const struct hint on_day[] = {{"accept", "Accept", 9},
                                     {"reject", "Reject", 8},
                                     {"menu", "Menu", 3},
                                     {"day-before", "Day before", 4},
                                     {"day-after", "after", 5},
                                     {"today", "Today", 2},
                                     {"keys", "Help", 7},
                                     {"quit", "Quit", 6},
                                     {NULL, NULL, 0}};
static const struct hint on_history[] = {{"inbox", "Inbox", 9}, {"menu", "Menu", 4},
                                         {"day", "Day", 5},     {"keys", "Help", 7},
                                         {"quit", "Quit", 6},   {NULL, NULL, 0}};
/* Where the line above has no room for it. */
static const struct hint on_staged[] = {{"undo", "Undo", 9},
                                        {"send", "Send now", 8},
                                        {"keys", "Help", 7},
                                        {"quit", "Quit", 6},
                                        {NULL, NULL, 0}};

static void append_hints(const struct app *app, const struct hint *hints, int lightest,
                         struct buf *out)
{
    for (size_t i = 0; hints[i].action; i++) {
        if (hints[i].weight < lightest)
            continue;
        buf_char(out, ' ');
        keymap_short_name(&app->keymap, hints[i].action, out);
        buf_printf(out, " %s ", hints[i].word);
    }
}

static const struct hint *hints_of(const struct app *app)
{
    static const struct hint *const hints[SHOWS] = {
        [SHOW_INBOX] = on_inbox, [SHOW_DAY] = on_day, [SHOW_HISTORY] = on_history};
    return app->columns < VIEW_ROOMY_COLUMNS && app_staged_row(app) ? on_staged
                                                                    : hints[app->showing];
}

void view_keys(const struct app *app, struct buf *out)
{
    static const char *const typing[MODES] = {[MODE_TYPING] =
                                                  " Enter: reject   Esc: nothing happens",
                                              [MODE_FIND] = " Enter: keep it so   Esc: show all",
                                              [MODE_HELP] = " Type to search   Esc closes"};
    if (typing[app->mode]) {
        buf_text_append(out, typing[app->mode]);
        return;
    }
    if (app->mode != MODE_NONE) {
        buf_text_append(out, " Up/Down, then Enter   Esc: go back");
        return;
    }
    for (int lightest = 0; lightest < 10; lightest++) {
        buf_clear(out);
        append_hints(app, hints_of(app), lightest, out);
        if (out->length < app->columns)
            return;
    }
}

/* --- the help --- */

static bool has_word(const char *text, const char *word)
{
    return strcasestr(text, word) != NULL;
}

void view_help(const struct app *app, size_t columns, struct buf *out)
{
    enum { ROOMY = 60, GROUP_COLUMNS = 8 };
    const size_t indent = columns >= ROOMY ? GROUP_COLUMNS : 0;
    const char *group = "";
    size_t used = 0;
    for (size_t i = 0; action_at(i); i++) {
        const struct action *action = action_at(i);
        struct buf line AUTO(buf_release) = {0};
        keymap_names(&app->keymap, action, &line);
        buf_printf(&line, " %s", action->words);
        if (!has_word(buf_text(&line), buf_text(&app->typed)))
            continue;
        const bool heads = strcmp(group, action->group) != 0;
        if ((heads && indent) || used + line.length + 3 > columns) {
            buf_text_append(out, used > 0 ? "\n" : "");
            if (indent)
                buf_printf(out, "%-8s", heads ? action->group : "");
            used = indent;
        }
        group = action->group;
        buf_printf(out, "%s   ", buf_text(&line));
        used += line.length + 3;
    }
    buf_text_append(out, used > 0 ? "\n" : "No key has that in its words.\n");
    buf_text_append(out, "! begins within two hours   + new   * marked\n");
}
