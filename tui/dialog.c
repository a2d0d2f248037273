/* What the questions offer and do. Their words are in view_dialog.c. */
#include "dialog.h"

#include <string.h>

#include "app.h"
#include "view.h"

/* --- open and closed --- */

void dialog_open(struct app *app, enum mode mode)
{
    app->mode = mode;
    app->target = NULL;
    app->choice = 0;
    buf_clear(&app->typed);
}

void dialog_close(struct app *app)
{
    app->mode = MODE_NONE;
    app->target = NULL;
    app->leaving = false;
    buf_clear(&app->typed);
}

static bool from_table(const struct choice *table, size_t count, size_t i, struct choice *choice)
{
    if (i >= count)
        return false;
    *choice = table[i];
    return true;
}

/* --- the reason of a reject --- */

static void unmark_all(struct app *app)
{
    struct row_list marked AUTO(row_list_release) = rows_marked(&app->rows);
    for (size_t i = 0; i < marked.count; i++)
        rows_mark(&app->rows, marked.rows[i], false);
}

static void stage_all(struct app *app, const struct row_list *rows, enum booking_command command,
                      const char *reason)
{
    app_stage_all(app, rows, command, reason);
    unmark_all(app);
    dialog_close(app);
}

void dialog_reject(struct app *app, const char *reason)
{
    if (app->target) {
        app_stage(app, app->target, BOOKING_REJECT, reason);
        dialog_close(app);
        return;
    }
    struct row_list marked AUTO(row_list_release) = rows_marked(&app->rows);
    stage_all(app, &marked, BOOKING_REJECT, reason);
}

static void reject_for_reason(struct app *app)
{
    dialog_reject(app, app->conf->reasons[app->choice - 1]);
}

static void reject_without_reason(struct app *app)
{
    dialog_reject(app, NULL);
}

static void type_reason(struct app *app)
{
    struct row *target = app->target;
    dialog_open(app, MODE_TYPING);
    app->target = target;
}

static bool reason_choice(const struct app *app, size_t i, struct choice *choice)
{
    static const struct choice others[] = {{"No reason", NULL, 0, reject_without_reason},
                                           {"Other: type it", NULL, 0, type_reason}};
    const size_t reasons = app->conf->reason_count;
    *choice = (struct choice){"Go back, nothing happens", NULL, 0, dialog_close};
    if (i > 0 && i <= reasons)
        *choice = (struct choice){app->conf->reasons[i - 1], NULL, 0, reject_for_reason};
    return i <= reasons || from_table(others, 2, i - reasons - 1, choice);
}

/* --- accepting where something overlaps --- */

static void accept_target(struct app *app)
{
    app_stage(app, app->target, BOOKING_ACCEPT, NULL);
    dialog_close(app);
}

static bool overlap_choice(const struct app *app, size_t i, struct choice *choice)
{
    static const struct choice choices[] = {{"Go back, nothing happens", NULL, 0, dialog_close},
                                            {"Accept all the same", NULL, 'y', accept_target}};
    (void)app;
    return from_table(choices, 2, i, choice);
}

static void accept_plan(struct app *app)
{
    struct row_list plan AUTO(row_list_release) = app->plan;
    app->plan = (struct row_list){0};
    stage_all(app, &plan, BOOKING_ACCEPT, NULL);
}

static void accept_marked(struct app *app)
{
    struct row_list marked AUTO(row_list_release) = rows_marked(&app->rows);
    stage_all(app, &marked, BOOKING_ACCEPT, NULL);
}

/* Three kinds: nothing overlaps, something does, everything does. */
static bool bulk_choice(const struct app *app, size_t i, struct choice *choice)
{
    static const struct choice go_back = {"Go back, nothing happens", NULL, 0, dialog_close};
    static const struct choice all = {"Accept all of them", NULL, 'y', accept_marked};
    static const struct choice some = {"Accept those that overlap nothing; the others wait on",
                                       NULL, 'y', accept_plan};
    static const struct choice risky = {"Accept all of them all the same", NULL, 'e',
                                        accept_marked};
    const bool whole = app->plan.count == app->rows.marked;
    const struct choice choices[] = {go_back,
                                     whole                 ? all
                                     : app->plan.count > 0 ? some
                                                           : risky,
                                     risky};
    return from_table(choices, whole || app->plan.count == 0 ? 2 : 3, i, choice);
}

/* --- the menu --- */

static bool is_offered(const struct app *app, const struct action *action)
{
    return action->act && (action->where & 1U << app->showing) &&
           strcmp(action->name, "menu") != 0 && (!action->applies || action->applies(app));
}

static const struct action *menu_action(const struct app *app, size_t i)
{
    for (size_t j = 0; action_at(j); j++)
        if (is_offered(app, action_at(j)) && i-- == 0)
            return action_at(j);
    return NULL;
}

/* As its key would, on the row that the menu was opened for. */
static void do_action(struct app *app)
{
    const struct action *action = menu_action(app, app->choice - 1);
    app->shown = app->shown && app->target == app_row(app);
    dialog_close(app);
    action->act(app);
}

static bool menu_choice(const struct app *app, size_t i, struct choice *choice)
{
    const struct action *action = i > 0 ? menu_action(app, i - 1) : NULL;
    *choice = (struct choice){"     Go back", NULL, 0, dialog_close};
    if (action)
        *choice = (struct choice){NULL, action, 0, do_action};
    return i == 0 || action;
}

/* --- what an earlier console did not send --- */

static bool restart_choice(const struct app *app, size_t i, struct choice *choice)
{
    static const struct choice choices[] = {
        {"Go back, they stay kept", NULL, 0, app_close_leftovers},
        {"Send them now", NULL, 's', app_send_leftovers},
        {"Take them back", NULL, 'u', app_undo_leftovers}};
    (void)app;
    return from_table(choices, 3, i, choice);
}

/* --- leaving --- */

static void quit_send(struct app *app)
{
    if (!app_is_live(app)) {
        app_say(app, "There is no connection, so nothing can be sent.");
        return;
    }
    for (size_t i = 0; i < app->active_count; i++)
        if (row_is_staged(app->active[i]))
            app_send_one(app, app->active[i]);
    app->leaving = true;
    app->choice = 0;
}

static void quit_undo(struct app *app)
{
    for (struct row *row = NULL; (row = app_staged_row(app));)
        app_undo(app, row);
    app->done = true;
}

static bool quit_choice(const struct app *app, size_t i, struct choice *choice)
{
    static const struct choice choices[] = {{"Stay", NULL, 0, dialog_close},
                                            {"Send now and quit", NULL, 's', quit_send},
                                            {"Undo and quit", NULL, 'u', quit_undo}};
    static const struct choice leaving[] = {{"Stay", NULL, 0, dialog_close},
                                            {"Leave at once", NULL, 'u', quit_undo}};
    return app->leaving ? from_table(leaving, 2, i, choice) : from_table(choices, 3, i, choice);
}

/* --- the table --- */

const struct dialog *dialog_of(enum mode mode)
{
    static const struct dialog dialogs[MODES] = {
        [MODE_REASON] = {view_reason_title, view_marked, reason_choice},
        [MODE_MENU] = {view_menu_title, NULL, menu_choice},
        [MODE_OVERLAP] = {view_overlap_title, view_overlap, overlap_choice},
        [MODE_BULK] = {view_bulk_title, view_marked, bulk_choice},
        [MODE_RESTART] = {view_restart_title, view_restart, restart_choice},
        [MODE_QUIT] = {view_quit_title, view_quit, quit_choice},
    };
    return dialogs[mode].choice ? &dialogs[mode] : NULL;
}

size_t dialog_count(const struct app *app)
{
    const struct dialog *dialog = dialog_of(app->mode);
    struct choice choice = {0};
    size_t count = 0;
    while (dialog && dialog->choice(app, count, &choice))
        count++;
    return count;
}

/* What was aimed at when the question was asked must be what the person still looks at. */
static void act(struct app *app, const struct choice *choice)
{
    if (app->shown || choice->act == dialog_close)
        choice->act(app);
    else
        app_say(app, "Something has just changed. Look, then press the key again.");
}

/* True when the key stands for a choice; in the menu, each key for what it always does. */
static bool act_by_key(struct app *app, uint32_t key)
{
    const struct action *action = keymap_find(&app->keymap, key, app->showing);
    struct choice choice = {0};
    for (size_t i = 0; dialog_of(app->mode)->choice(app, i, &choice); i++) {
        const bool meant = choice.action ? choice.action == action : choice.key == key;
        if (!meant)
            continue;
        app->choice = i;
        act(app, &choice);
        return true;
    }
    return false;
}

static size_t moved_choice(const struct app *app, int by)
{
    const size_t last = dialog_count(app) - 1;
    const size_t lines = (size_t)(by < 0 ? -by : by);
    if (by < 0)
        return app->choice > lines ? app->choice - lines : 0;
    return last - app->choice > lines ? app->choice + lines : last;
}

void dialog_key(struct app *app, uint32_t key)
{
    const struct action *action = keymap_find(&app->keymap, key, app->showing);
    struct choice choice = {0};
    if (key == KEY_CODE_ESCAPE)
        dialog_close(app);
    else if (key == KEY_CODE_ENTER && dialog_of(app->mode)->choice(app, app->choice, &choice))
        act(app, &choice);
    else if (act_by_key(app, key))
        return;
    else if (key >= '0' && key <= '9' && key - '0' < dialog_count(app))
        app->choice = key - '0'; /* points only; Enter chooses */
    else if (action && !action->act)
        app->choice = moved_choice(app, action->by);
}
