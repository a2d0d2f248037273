/* The app: what each key does. The table is the help, the menu and the configuration's names, too.
 */
#include "app.h"
#include "dialog.h"
#include "view.h"

enum { DEAF_MS = 150, WHEEL_LINES = 3 };

/* --- answering --- */

/* The row an action means; NULL, and said why, when there is none that the person has seen. */
static struct row *aim(struct app *app)
{
    struct row *row = app_row(app);
    if (!app->connection.loaded && !row)
        app_say(app, "The list is not here yet.");
    else if (!row)
        app_say(app, app->showing == SHOW_INBOX && app->rows.inbox.count == 0
                         ? "No requests are waiting."
                         : "There is no request under the cursor.");
    else if (!app->shown || !view_fits(app))
        app_say(app, "The list has just changed. Look, then press the key again.");
    else
        return row;
    return NULL;
}

static bool can_be_answered(struct app *app, struct row *row, enum booking_command command)
{
    if (row->record->status == BOOKING_PENDING && row_is_settled(row))
        return true;
    app_stage(app, row, command, NULL); /* says why not */
    return false;
}

/* Who rejects knows what is asked; what overlaps must have been seen. */
static void ask(struct app *app, enum mode mode, struct row *target)
{
    dialog_open(app, mode);
    app->target = target;
    app->shown = mode == MODE_REASON;
}

/* Where nothing can be taken back, the day must have been read. */
static bool is_risky(const struct app *app, const struct row *row)
{
    const bool blind = app->conf->undo_seconds == 0 && !app_knows_day(app, row);
    size_t none = 0;
    return blind || day_overlap(&app->rows, row, &none);
}

static void answer_marked(struct app *app, enum booking_command command)
{
    app_settle_plan(app);
    ask(app, command == BOOKING_ACCEPT ? MODE_BULK : MODE_REASON, NULL);
}

static void answer(struct app *app, enum booking_command command)
{
    struct row *row = aim(app);
    if (!row)
        return;
    if (app->showing == SHOW_INBOX && app->rows.marked > 0)
        answer_marked(app, command);
    else if (!can_be_answered(app, row, command))
        return;
    else if (command == BOOKING_REJECT)
        ask(app, MODE_REASON, row);
    else if (is_risky(app, row))
        ask(app, MODE_OVERLAP, row);
    else
        app_stage(app, row, BOOKING_ACCEPT, NULL);
}

static void accept(struct app *app)
{
    answer(app, BOOKING_ACCEPT);
}

static void reject(struct app *app)
{
    answer(app, BOOKING_REJECT);
}

static bool is_staged(const struct app *app)
{
    return app_staged_row(app) != NULL;
}

/* What `u` or `s` means; NULL, and said why, when there is nothing. */
static struct row *aim_at_staged(struct app *app)
{
    struct row *row = app_staged_row(app);
    if (!row)
        app_say(app, app_count(app, row_is_sending) > 0
                         ? "It is on its way already and cannot be taken back."
                         : "No answer is waiting to be sent.");
    return row;
}

static void undo(struct app *app)
{
    struct row *row = aim_at_staged(app);
    if (row)
        app_undo(app, row);
}

static void send_now(struct app *app)
{
    struct row *row = aim_at_staged(app);
    if (row)
        app_send(app, row);
}

static void mark(struct app *app)
{
    struct row *row = aim(app);
    if (!row)
        return;
    if (row->record->status != BOOKING_PENDING || row->answer)
        app_say(app, "This request is answered already.");
    else
        rows_mark(&app->rows, row, !row->marked);
}

static bool is_refused(const struct app *app)
{
    const struct row *row = app_row(app);
    return row && row->answer && row->answer->refused;
}

/* --- looking --- */

static void next_new(struct app *app)
{
    const struct row_list *list = &app->rows.list;
    for (size_t i = 1; i <= list->count; i++) {
        const size_t place = (app_place(app) + i) % list->count;
        if (list->rows[place]->fresh) {
            app_go_to(app, place);
            return;
        }
    }
    app_say(app, "Nothing new.");
}

static void show_inbox(struct app *app)
{
    app_show(app, SHOW_INBOX);
}

static void show_day(struct app *app)
{
    app_show(app, SHOW_DAY);
}

static void show_history(struct app *app)
{
    app_show(app, SHOW_HISTORY);
}

static void next_screen(struct app *app)
{
    app_show(app, (app->showing + 1) % SHOWS);
}

static void day_before(struct app *app)
{
    app_show_day(app, day_begin(app->day_s, -1));
}

static void day_after(struct app *app)
{
    app_show_day(app, day_begin(app->day_s, 1));
}

static void today(struct app *app)
{
    app_show_day(app, app_now_s(app));
}

static void find(struct app *app)
{
    dialog_open(app, MODE_FIND);
    app->target = app->cursor; /* where Esc goes back to */
    app_find(app, "");
}

static void order(struct app *app)
{
    static const char *const said[ORDERS] = {[ORDER_OLDEST] = "Order: who waits longest first.",
                                             [ORDER_TIME] = "Order: by start time.",
                                             [ORDER_NAME] = "Order: by name."};
    app_order(app, (app->rows.order + 1) % ORDERS);
    app_say(app, "%s", said[app->rows.order]);
}

static void copy(struct app *app)
{
    const struct row *row = aim(app);
    if (!row)
        return;
    buf_clear(&app->copied);
    view_request(app, row, &app->copied);
    buf_printf(&app->copied, ", %s", row->id);
    app_say(app, "Copied: %s", buf_text(&app->copied));
}

/* --- the rest --- */

static void menu(struct app *app)
{
    if (app_see(app))
        return;
    dialog_open(app, MODE_MENU);
    app->target = app_row(app);
}

static void help(struct app *app)
{
    dialog_open(app, MODE_HELP);
}

static bool is_signed_out(const struct app *app)
{
    return app->connection.signed_out;
}

static void sign_in(struct app *app)
{
    app_ask(app, news_new(NEWS_SIGN_IN, NULL));
    app_say(app, "Signing in again ...");
}

static void fetch_again(struct app *app)
{
    if (app->connection.connected)
        app_fetch_list(app);
    else
        app_ask(app, news_new(NEWS_SIGN_IN, NULL));
    app_say(app, "Fetching again ...");
}

static void redraw(struct app *app)
{
    app->redraw = true;
}

static void mouse(struct app *app)
{
    app->mouse = !app->mouse;
    app_say(app, app->mouse ? "Mouse on: a click selects, the wheel scrolls."
                            : "Mouse off: the terminal selects text again.");
}

/* What is recorded the worker delivers without us. */
static void quit(struct app *app)
{
    if (app_count(app, row_is_staged) + app_count(app, row_is_sending) == 0)
        app->done = true;
    else
        dialog_open(app, MODE_QUIT);
}

/* --- the table --- */

enum {
    INBOX = 1 << SHOW_INBOX,
    DAY = 1 << SHOW_DAY,
    HISTORY = 1 << SHOW_HISTORY,
    ROWS = INBOX | DAY,
    ALL = ROWS | HISTORY
};

/* clang-format off */
/* Name, the key that stays, other keys, screens, by, action, does it apply, group and words. */
static const struct action actions[] = {
    {"up", KEY_CODE_UP, "k", ALL, -1, NULL, NULL, "MOVE", "up"},
    {"down", KEY_CODE_DOWN, "j", ALL, 1, NULL, NULL, "MOVE", "down"},
    {"page-up", KEY_CODE_PAGE_UP, "", ALL, -BY_PAGE, NULL, NULL, "MOVE", "page up"},
    {"page-down", KEY_CODE_PAGE_DOWN, "", ALL, BY_PAGE, NULL, NULL, "MOVE", "page down"},
    {"first", KEY_CODE_HOME, "g", ALL, -BY_EDGE, NULL, NULL, "MOVE", "first"},
    {"last", KEY_CODE_END, "G", ALL, BY_EDGE, NULL, NULL, "MOVE", "last"},
    {"next-new", 0, "n", INBOX, 0, next_new, NULL, "MOVE", "next new"},
    {"accept", 0, "a", ROWS, 0, accept, NULL, "ANSWER", "accept"},
    {"reject", 0, "r", ROWS, 0, reject, NULL, "ANSWER", "reject"},
    {"undo", 0, "u", ALL, 0, undo, is_staged, "ANSWER", "undo"},
    {"send", 0, "s", ALL, 0, send_now, is_staged, "ANSWER", "send now"},
    {"edit", 0, "e", ROWS, 0, app_edit_reason, is_refused, "ANSWER", "edit the reason"},
    {"mark", 0, "Space", INBOX, 0, mark, NULL, "ANSWER", "mark"},
    {"menu", KEY_CODE_ENTER, "", ALL, 0, menu, NULL, "ANSWER", "menu"},
    {"inbox", 0, "1", ALL, 0, show_inbox, NULL, "SEE", "Inbox"},
    {"day", 0, "2", ALL, 0, show_day, NULL, "SEE", "Day"},
    {"history", 0, "3", ALL, 0, show_history, NULL, "SEE", "History"},
    {"next-screen", 0, "Tab", ALL, 0, next_screen, NULL, "SEE", "next pane"},
    {"day-before", KEY_CODE_LEFT, "h", DAY, 0, day_before, NULL, "SEE", "day before"},
    {"day-after", KEY_CODE_RIGHT, "l", DAY, 0, day_after, NULL, "SEE", "day after"},
    {"today", 0, "t", DAY, 0, today, NULL, "SEE", "today"},
    {"find", 0, "/", INBOX, 0, find, NULL, "SEE", "find"},
    {"order", 0, "o", INBOX, 0, order, NULL, "SEE", "order"},
    {"copy", 0, "y", ROWS, 0, copy, NULL, "SEE", "copy"},
    {"fetch", 0, "F5", ALL, 0, fetch_again, NULL, "OTHER", "fetch again"},
    {"sign-in", 0, "L", ALL, 0, sign_in, is_signed_out, "OTHER", "sign in again"},
    {"redraw", 0, "Ctrl-L", ALL, 0, redraw, NULL, "OTHER", "redraw"},
    {"mouse", 0, "F2", ALL, 0, mouse, NULL, "OTHER", "mouse on/off"},
    {"keys", 0, "?", ALL, 0, help, NULL, "OTHER", "these keys"},
    {"quit", 0, "q", ALL, 0, quit, NULL, "OTHER", "quit"},
};
/* clang-format on */
_Static_assert(sizeof actions / sizeof actions[0] <= ACTIONS_MAX, "a keymap has no room for them");

const struct action *action_at(size_t i)
{
    return i < sizeof actions / sizeof actions[0] ? &actions[i] : NULL;
}

/* --- every key --- */

/* From what was found to everything, from a refused reason to waiting. */
static void step_back(struct app *app)
{
    if (app->rows.wanted.length > 0)
        app_find(app, "");
    else
        (void)app_keep_waiting(app);
}

static void press(struct app *app, uint32_t key)
{
    const struct action *action = keymap_find(&app->keymap, key, app->showing);
    if (action && action->act)
        action->act(app);
    else if (action)
        app_move(app, action->by);
    else if (key == KEY_CODE_ESCAPE)
        step_back(app);
    else if (key == KEY_CODE_WHEEL_UP || key == KEY_CODE_WHEEL_DOWN)
        app_move(app, key == KEY_CODE_WHEEL_UP ? -WHEEL_LINES : WHEEL_LINES);
    else
        app_say(app, "This key does nothing here.  ? shows the keys");
}

static bool is_typing(const struct app *app)
{
    return app->mode != MODE_NONE && !dialog_of(app->mode);
}

/* What was said to the key before has been read. */
static void forget_what_was_said(struct app *app, uint32_t key)
{
    if (app_now_ms(app) - app->noticed_ms >= NOTICE_MS)
        buf_clear(&app->notice);
    app->arrived = 0;
    app->connection.away_ms = 0;
    if (key != KEY_CODE_ENTER)
        app->see = NULL;
}

void app_key(struct app *app, uint32_t key)
{
    const int64_t now_ms = app_now_ms(app);
    if (now_ms < app->deaf_until_ms && !is_typing(app) && key != KEY_CODE_ESCAPE)
        return;
    if (key == KEY_CODE_ESCAPE) /* the rest of a split sequence may follow */
        app->deaf_until_ms = now_ms + DEAF_MS;
    forget_what_was_said(app, key);
    if (key == KEY_CODE_CTRL_C)
        app_say(app, "Press q to quit.");
    else if (key == KEY_CODE_PASTE)
        app_say(app, "Pasted text is ignored: it could answer requests.");
    else if (is_typing(app))
        app_type(app, key);
    else if (app->mode != MODE_NONE)
        dialog_key(app, key);
    else
        press(app, key);
}

/* Of a bunch these may pass: a held-down key comes in bunches on a slow line, and so does typing.
 */
static bool is_harmless(const struct app *app, uint32_t key)
{
    if (is_typing(app))
        return key != KEY_CODE_ENTER;
    const struct action *action = keymap_find(&app->keymap, key, app->showing);
    return key >= KEY_CODE_UP || (action && !action->act);
}

void app_keys(struct app *app, const uint32_t *keys, size_t count)
{
    size_t letters = 0;
    for (size_t i = 0; i < count; i++)
        letters += keys[i] >= ' ' && keys[i] < KEY_CODE_UP;
    for (size_t i = 0; i < count; i++)
        app_key(app,
                letters < PASTE_LETTERS || is_harmless(app, keys[i]) ? keys[i] : KEY_CODE_PASTE);
}
