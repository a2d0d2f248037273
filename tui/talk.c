/* What a typed line means. Actions are those of the keys, by their names or their keys. */
#include "talk.h"

#include <stdlib.h>
#include <string.h>

#include "dialog.h"
#include "text.h"

/* Wide enough that no sentence is cut. */
enum { LINES = 50, COLUMNS = 250, DAY_WAIT_MS = 3000, FIRST_WAIT_MS = 10 * 1000 };

void talk_begin(struct talk *talk, struct app *app)
{
    *talk = (struct talk){.app = app, .until_ms = app_now_ms(app) + FIRST_WAIT_MS};
    app_resize(app, LINES, COLUMNS);
    talk_say(talk, "Bookflow, in lines. Type help for what can be typed.");
}

void talk_release(struct talk *talk)
{
    row_list_release(&talk->numbered);
    buf_release(&talk->out);
}

/* --- who is meant --- */

/* Puts the cursor there; false, and said why, when that request cannot be answered any more. */
static bool aim(struct talk *talk, struct row *row)
{
    struct app *app = talk->app;
    talk->row = row;
    if (row->listed && !rows_shows(&app->rows, row))
        app_find(app, "");
    if (!rows_shows(&app->rows, row)) {
        talk_request(talk, row);
        return false;
    }
    app_go_to(app, rows_place(&app->rows, row));
    return app->cursor == row;
}

static struct row *row_of(struct talk *talk, const char *number)
{
    char *end = NULL;
    const unsigned long i = strtoul(number, &end, 10);
    if (*end == '\0' && i >= 1 && i <= talk->numbered.count)
        return talk->numbered.rows[i - 1];
    talk_say(talk, "There is no request %.20s. Type list.", number);
    return NULL;
}

/* --- what waits for a day --- */

static bool day_is_known(const struct talk *talk)
{
    const struct app *app = talk->app;
    const struct day *day = days_held(&app->days, app_day_s(app));
    return (day && day->known) || !app_is_live(app) || app_now_ms(app) >= talk->until_ms;
}

static void act(struct talk *talk)
{
    const struct row *row = talk->app->cursor;
    const struct row *staged = app_staged_row(talk->app);
    talk->action->act(talk->app);
    if (staged && row_is_sending(staged))
        talk_say(talk, "Sending.");
    if (row && strcmp(talk->action->name, "mark") == 0)
        talk_say(talk, "%s. %zu marked.", row->marked ? "Marked" : "Not marked",
                 talk->app->rows.marked);
}

static void go_on(struct talk *talk)
{
    struct app *app = talk->app;
    void (*const then)(struct talk *) = talk->then;
    if (!then || !day_is_known(talk))
        return;
    talk->then = NULL;
    if (app->showing == SHOW_DAY || app->cursor == talk->row)
        then(talk);
    else
        talk_request(talk, talk->row); /* it has left the list meanwhile */
    app_show(app, SHOW_INBOX);
    app->shown = true; /* what it was about was said */
}

static void wait_for_day(struct talk *talk, void (*then)(struct talk *talk))
{
    talk->then = then;
    talk->until_ms = app_now_ms(talk->app) + DAY_WAIT_MS;
    go_on(talk);
}

/* --- actions --- */

static bool has_key(const struct talk *talk, const struct action *action, const char *word)
{
    struct buf names AUTO(buf_release) = {0};
    const size_t length = strlen(word);
    keymap_names(&talk->app->keymap, action, &names);
    for (const char *name = buf_text(&names); *name; name += strspn(name, " ")) {
        const size_t whole = strcspn(name, " ");
        if (whole == length && strncmp(name, word, length) == 0)
            return true;
        name += whole;
    }
    return false;
}

/* Of the keys' actions, those that mean something in lines, and what they are about. */
enum about { ABOUT_NOBODY, ABOUT_ROW, ABOUT_ANSWERING, ABOUT_STAGED };

static const struct action *action_of(const struct talk *talk, const char *word, enum about *about)
{
    static const struct {
        const char *name;
        enum about about;
    } known[] = {{"accept", ABOUT_ANSWERING}, {"reject", ABOUT_ANSWERING},
                 {"mark", ABOUT_ROW},         {"edit", ABOUT_ROW},
                 {"undo", ABOUT_STAGED},      {"send", ABOUT_STAGED},
                 {"order", ABOUT_NOBODY},     {"fetch", ABOUT_NOBODY},
                 {"sign-in", ABOUT_NOBODY},   {"quit", ABOUT_NOBODY}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        size_t j = 0;
        while (strcmp(action_at(j)->name, known[i].name) != 0)
            j++;
        *about = known[i].about;
        if (strcmp(known[i].name, word) == 0 || has_key(talk, action_at(j), word))
            return action_at(j);
    }
    return NULL;
}

/* Who an action without a number means: the one that was talked about. */
static struct row *row_meant(const struct talk *talk, enum about about)
{
    if (about == ABOUT_NOBODY)
        return NULL;
    if (about != ABOUT_STAGED || (talk->row && row_is_staged(talk->row)))
        return talk->row;
    return talk->staged && row_is_staged(talk->staged) ? talk->staged : NULL;
}

/* Finds the row; NULL where none is meant. False, and said why: it is not clear who is. */
static bool find_row(struct talk *talk, enum about about, const char *number, struct row **row)
{
    const bool bulk = about == ABOUT_ANSWERING && talk->app->rows.marked > 0;
    const char *name = talk->action->name;
    if (*number != '\0' && bulk) {
        talk_say(talk, "%zu are marked: type %s for those, or mark a number again to unmark it.",
                 talk->app->rows.marked, name);
        return false;
    }
    if (*number != '\0')
        return (*row = row_of(talk, number)) != NULL;
    *row = bulk ? NULL : row_meant(talk, about);
    if (*row || bulk || about == ABOUT_NOBODY || about == ABOUT_STAGED)
        return true;
    talk_say(talk, "Which one? Type %s and its number; list says who waits.", name);
    return false;
}

static void run_action(struct talk *talk, enum about about, const char *number)
{
    struct row *row = NULL;
    if (!find_row(talk, about, number, &row) || (row && !aim(talk, row)))
        return;
    talk->app->shown = true;
    if (row && about == ABOUT_ANSWERING)
        wait_for_day(talk, act); /* does it overlap? */
    else
        act(talk);
}

/* --- words of its own --- */

static void list(struct talk *talk, const char *rest)
{
    (void)rest;
    talk->listed = 0;
    talk_list(talk);
}

static void more(struct talk *talk, const char *rest)
{
    (void)rest;
    talk_list(talk);
}

static void find(struct talk *talk, const char *rest)
{
    app_find(talk->app, rest);
    list(talk, rest);
}

static void day(struct talk *talk, const char *rest)
{
    const struct row *row = *rest ? row_of(talk, rest) : NULL;
    if (*rest && !row)
        return;
    app_show(talk->app, SHOW_DAY);
    app_show_day(talk->app, row ? row->record->start_s : app_now_s(talk->app));
    wait_for_day(talk, talk_agenda);
}

static void history(struct talk *talk, const char *rest)
{
    (void)rest;
    talk_history(talk);
}

static void status(struct talk *talk, const char *rest)
{
    (void)rest;
    talk_status(talk);
}

static void help(struct talk *talk, const char *rest)
{
    (void)rest;
    talk_help(talk);
}

static void tell_about(struct talk *talk, const char *number)
{
    struct row *row = row_of(talk, number);
    if (row && aim(talk, row))
        wait_for_day(talk, talk_detail);
}

static bool run_own(struct talk *talk, const char *word, const char *rest)
{
    static const struct {
        const char *word;
        void (*run)(struct talk *talk, const char *rest);
    } own[] = {{"list", list}, {"more", more},       {"find", find},     {"day", day},
               {"help", help}, {"history", history}, {"status", status}, {"?", help}};
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        if (strcmp(own[i].word, word) == 0) {
            own[i].run(talk, rest);
            return true;
        }
    }
    return false;
}

/* --- a question is open --- */

static void answer_question(struct talk *talk, const char *line)
{
    struct app *app = talk->app;
    char *end = NULL;
    const unsigned long i = strtoul(line, &end, 10);
    if (*line == '\0') {
        dialog_close(app);
        talk_say(talk, "Nothing happened.");
    } else if (*line < '0' || *line > '9' || *end != '\0' || i >= dialog_count(app)) {
        talk_say(talk, "That is none of them. Type a number. An empty line goes back.");
    } else {
        app->choice = i;
        app_key(app, KEY_CODE_ENTER);
        talk->mode = app->mode == talk->mode && !app->leaving ? app->mode : MODE_NONE;
    }
}

static void type_reason(struct app *app, const char *line)
{
    buf_clear(&app->typed); /* one that was refused */
    for (const char *end = line + strlen(line); line < end;)
        app_key(app, text_next(&line, end));
    app_key(app, KEY_CODE_ENTER);
}

/* --- lines --- */

static void command(struct talk *talk, const char *line)
{
    const size_t length = strcspn(line, " \t");
    char *word AUTO(memory_release) = memory_text_n(line, length);
    const char *rest = line + length + strspn(line + length, " \t");
    enum about about = ABOUT_NOBODY;
    talk->action = action_of(talk, word, &about);
    if (*word >= '0' && *word <= '9')
        tell_about(talk, line);
    else if (talk->action)
        run_action(talk, about, rest);
    else if (!run_own(talk, word, rest))
        talk_say(talk, "\"%.40s\" means nothing here. Type help.", word);
}

void talk_line(struct talk *talk, const char *line)
{
    struct app *app = talk->app;
    char *trimmed AUTO(memory_release) = memory_text(line + strspn(line, " \t"));
    size_t length = strlen(trimmed);
    while (length > 0 && strchr(" \t\r", trimmed[length - 1]))
        trimmed[--length] = '\0';
    talk->then = NULL; /* the person goes on */
    app_show(app, SHOW_INBOX);
    if (!text_is_utf8(trimmed, length))
        talk_say(talk, "That is not text in UTF-8.");
    else if (app->mode != MODE_NONE && dialog_of(app->mode))
        answer_question(talk, trimmed);
    else if (app->mode != MODE_NONE)
        type_reason(app, trimmed);
    else if (length > 0)
        command(talk, trimmed);
    talk_hear(talk);
}

/* --- what is new --- */

static void hear_notice(struct talk *talk)
{
    struct app *app = talk->app;
    if (app->notice.length > 0)
        talk_say(talk, "%s", buf_text(&app->notice));
    buf_clear(&app->notice); /* it is on no screen: said is said */
}

static enum talk_link link_of(const struct app *app)
{
    const struct connection *connection = &app->connection;
    if (connection->signed_out)
        return LINK_SIGNED_OUT;
    if (app_is_live(app))
        return LINK_LIVE;
    return !connection->connected && (connection->ever || connection->retry_ms) ? LINK_OFFLINE
                                                                                : LINK_CONNECTING;
}

static void hear_link(struct talk *talk)
{
    struct app *app = talk->app;
    const enum talk_link before = talk->link;
    talk->link = link_of(app);
    if (talk->link == before || (talk->link == LINK_CONNECTING && before != LINK_NEW))
        return;
    talk_status(talk);
    app->connection.away_ms = 0;
    if (talk->link == LINK_LIVE) {
        talk->listed = 0;
        talk_list(talk);
    }
}

static void hear_arrivals(struct talk *talk)
{
    const struct row_list *inbox = &talk->app->rows.inbox;
    if (talk->app->arrived == 0)
        return;
    talk->app->arrived = 0;
    for (size_t i = 0; i < inbox->count; i++)
        if (inbox->rows[i]->fresh) {
            talk_say(talk, "A new request.");
            talk_request(talk, inbox->rows[i]);
        }
}

static void hear_staged(struct talk *talk)
{
    struct row *row = app_staged_row(talk->app);
    if (!row || row->answer->state == ANSWER_SAVING || row->answer->group == talk->group)
        return;
    talk->group = row->answer->group;
    talk->staged = row;
    talk_staged(talk, row);
}

static void hear_question(struct talk *talk)
{
    const enum mode mode = talk->app->mode;
    if (mode != talk->mode && mode != MODE_NONE)
        talk_question(talk);
    talk->mode = mode;
}

void talk_hear(struct talk *talk)
{
    go_on(talk);
    hear_notice(talk);
    hear_link(talk);
    hear_arrivals(talk);
    hear_staged(talk);
    hear_question(talk);
    app_shown(talk->app);
}

bool talk_is_busy(const struct talk *talk)
{
    const struct app *app = talk->app;
    for (size_t i = 0; i < app->active_count; i++)
        if (app->active[i]->answer->state == ANSWER_SAVING)
            return true;
    return talk->then || (talk->link <= LINK_CONNECTING && app_now_ms(app) < talk->until_ms);
}
