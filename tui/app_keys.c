/* The app: what each key does. The table at the end is the help, too. */
#include <string.h>

#include "app_parts.h"
#include "text.h"
#include "view.h"

enum { DEAF_MS = 150 };

const char *const app_reasons[] = {
    "Go back, nothing happens", "Not available at this time", "Please choose another day",
    "This is not offered",      "We cannot take new clients", "No reason",
    "Other: type it",
};

/* --- moving --- */

static void move_by(struct app *app, size_t up, size_t down)
{
    const size_t place = app_place(app);
    app_go_to(app, (place > up ? place - up : 0) + down);
}

static size_t page(const struct app *app)
{
    const size_t height = view_layout(app->lines, app->columns).list_lines;
    return height > 1 ? height - 1 : 1;
}

static void up(struct app *app)
{
    move_by(app, 1, 0);
}

static void down(struct app *app)
{
    move_by(app, 0, 1);
}

static void page_up(struct app *app)
{
    move_by(app, page(app), 0);
}

static void page_down(struct app *app)
{
    move_by(app, 0, page(app));
}

static void home(struct app *app)
{
    app_go_to(app, 0);
}

static void end(struct app *app)
{
    app_go_to(app, app->rows.listed);
}

static void next_new(struct app *app)
{
    for (size_t i = 1; i <= app->rows.listed; i++) {
        const size_t place = (app_place(app) + i) % app->rows.listed;
        if (app->rows.list[place]->fresh) {
            app_go_to(app, place);
            return;
        }
    }
    app_say(app, "Nothing new.");
}

/* --- answering --- */

/* The row an action means; NULL, and said why, when there is none that the person has seen. */
static struct row *aim(struct app *app)
{
    if (!app->cursor)
        app_say(app, "No requests are waiting.");
    else if (!app->shown || !view_fits(app))
        app_say(app, "The list has just changed. Look, then press the key again.");
    else
        return app->cursor;
    return NULL;
}

static void accept(struct app *app)
{
    struct row *row = aim(app);
    if (row)
        app_stage(app, row, BOOKING_ACCEPT, NULL);
}

static void reject(struct app *app)
{
    struct row *row = aim(app);
    if (!row)
        return;
    if (row->record->status != BOOKING_PENDING || !answer_is_over(row->answer)) {
        app_say(app, "This request is answered already.  u Undo while it is staged");
        return;
    }
    app->target = row;
    app->choice = REASON_GO_BACK;
    app->mode = MODE_REASON;
}

static void undo(struct app *app)
{
    struct row *row = app_staged_row(app);
    if (row)
        app_undo(app, row);
    else
        app_say(app, "Nothing is staged, so there is nothing to take back.");
}

static void send_now(struct app *app)
{
    struct row *row = app_staged_row(app);
    if (row)
        app_send(app, row);
    else
        app_say(app, "Nothing is staged, so there is nothing to send.");
}

/* --- the reason of a reject --- */

static void close_mode(struct app *app)
{
    app->mode = MODE_INBOX;
    app->target = NULL;
    app->leaving = false;
    buf_clear(&app->typed);
}

static void choice_up(struct app *app)
{
    app->choice -= app->choice > 0;
}

static void choice_down(struct app *app)
{
    app->choice += app->choice < REASONS - 1;
}

static void stage_reject(struct app *app, const char *reason)
{
    app_stage(app, app->target, BOOKING_REJECT, reason);
    close_mode(app);
}

static void choose(struct app *app)
{
    if (app->choice == REASON_OWN)
        app->mode = MODE_TYPING;
    else if (app->choice == REASON_GO_BACK)
        close_mode(app);
    else
        stage_reject(app, app->choice == REASON_NONE ? NULL : app_reasons[app->choice]);
}

static void typed_enter(struct app *app)
{
    if (app->typed.length == 0) {
        app_say(app, "An empty reason: nothing was rejected.");
        close_mode(app);
        return;
    }
    struct buf text AUTO(buf_release) = {0};
    buf_text_append(&text, buf_text(&app->typed));
    stage_reject(app, buf_text(&text));
}

static void typed_backspace(struct app *app)
{
    size_t length = app->typed.length;
    while (length > 0 && ((unsigned char)app->typed.data[length - 1] & 0xC0) == 0x80)
        length--;
    struct buf shorter = {0};
    buf_append(&shorter, buf_text(&app->typed), length > 0 ? length - 1 : 0);
    buf_release(&app->typed);
    app->typed = shorter;
}

static size_t letters(const struct buf *text)
{
    size_t count = 0;
    for (size_t i = 0; i < text->length; i++)
        count += ((unsigned char)text->data[i] & 0xC0) != 0x80;
    return count;
}

static void typed_letter(struct app *app, uint32_t key)
{
    if (key < ' ' || key >= KEY_CODE_UP)
        return;
    if (letters(&app->typed) >= REASON_LETTERS_MAX) {
        app_say(app, "A reason has at most %d letters.", REASON_LETTERS_MAX);
        return;
    }
    const unsigned shift = key < 0x80 ? 0 : key < 0x800 ? 6 : key < 0x10000 ? 12 : 18;
    static const unsigned char lead[] = {[0] = 0, [6] = 0xC0, [12] = 0xE0, [18] = 0xF0};
    buf_char(&app->typed, (char)(unsigned char)(lead[shift] | key >> shift));
    for (unsigned rest = shift; rest > 0; rest -= 6)
        buf_char(&app->typed, (char)(unsigned char)(0x80 | (key >> (rest - 6) & 0x3F)));
}

/* --- the rest --- */

static void help(struct app *app)
{
    app->mode = MODE_HELP;
}

static void fetch_again(struct app *app)
{
    if (app->connection.connected)
        app_fetch_list(app);
    else
        app_ask(app, request_new(REQUEST_SIGN_IN, NULL));
    app_say(app, "Fetching again ...");
}

static void sign_in(struct app *app)
{
    app_ask(app, request_new(REQUEST_SIGN_IN, NULL));
    app_say(app, "Signing in again ...");
}

static void redraw(struct app *app)
{
    app->redraw = true;
}

static void quit(struct app *app)
{
    if (app->active_count == 0)
        app->done = true;
    else if (app_count_staged(app) + app_count_sending(app) == 0)
        app->done = true; /* recorded: the worker delivers without us */
    else
        app->mode = MODE_QUIT;
}

static void quit_send(struct app *app)
{
    if (!app_is_live(app)) {
        app_say(app, "There is no connection, so nothing can be sent.  u Undo  Esc Stay");
        return;
    }
    for (size_t i = 0; i < app->active_count; i++)
        if (answer_is_staged(app->active[i]->answer))
            app_send(app, app->active[i]);
    app->leaving = true;
}

static void quit_undo(struct app *app)
{
    for (struct row *row = NULL; (row = app_staged_row(app));)
        app_undo(app, row);
    app->done = true;
}

static void say_quit(struct app *app)
{
    app_say(app, "Press q to quit.");
}

static void say_pasted(struct app *app)
{
    app_say(app, "Pasted text is ignored: it could answer requests.");
}

/* One line: mode, key, action; then group, label and words of the help. */
static const struct key_binding bindings[] = {
    {MODE_INBOX, KEY_CODE_UP, up, "MOVE", "Up k", "up"},
    {MODE_INBOX, 'k', up, NULL, NULL, NULL},
    {MODE_INBOX, KEY_CODE_DOWN, down, "MOVE", "Down j", "down"},
    {MODE_INBOX, 'j', down, NULL, NULL, NULL},
    {MODE_INBOX, KEY_CODE_PAGE_UP, page_up, "MOVE", "PgUp", "page up"},
    {MODE_INBOX, KEY_CODE_PAGE_DOWN, page_down, "MOVE", "PgDn", "page down"},
    {MODE_INBOX, KEY_CODE_HOME, home, "MOVE", "Home g", "oldest"},
    {MODE_INBOX, 'g', home, NULL, NULL, NULL},
    {MODE_INBOX, KEY_CODE_END, end, "MOVE", "End G", "newest"},
    {MODE_INBOX, 'G', end, NULL, NULL, NULL},
    {MODE_INBOX, 'n', next_new, "MOVE", "n", "next new"},
    {MODE_INBOX, 'a', accept, "ANSWER", "a", "accept"},
    {MODE_INBOX, 'r', reject, "ANSWER", "r", "reject, asks for a reason"},
    {MODE_INBOX, 'u', undo, "ANSWER", "u", "undo what is staged"},
    {MODE_INBOX, 's', send_now, "ANSWER", "s", "send it now"},
    {MODE_INBOX, KEY_CODE_F5, fetch_again, "OTHER", "F5", "fetch again"},
    {MODE_INBOX, 'L', sign_in, "OTHER", "L", "sign in again"},
    {MODE_INBOX, KEY_CODE_CTRL_L, redraw, "OTHER", "Ctrl-L", "redraw"},
    {MODE_INBOX, '?', help, "OTHER", "?", "these keys"},
    {MODE_INBOX, 'q', quit, "OTHER", "q", "quit"},
    {MODE_REASON, KEY_CODE_UP, choice_up, NULL, NULL, NULL},
    {MODE_REASON, 'k', choice_up, NULL, NULL, NULL},
    {MODE_REASON, KEY_CODE_DOWN, choice_down, NULL, NULL, NULL},
    {MODE_REASON, 'j', choice_down, NULL, NULL, NULL},
    {MODE_REASON, KEY_CODE_ENTER, choose, NULL, NULL, NULL},
    {MODE_REASON, KEY_CODE_ESCAPE, close_mode, NULL, NULL, NULL},
    {MODE_TYPING, KEY_CODE_ENTER, typed_enter, NULL, NULL, NULL},
    {MODE_TYPING, KEY_CODE_BACKSPACE, typed_backspace, NULL, NULL, NULL},
    {MODE_TYPING, KEY_CODE_ESCAPE, close_mode, NULL, NULL, NULL},
    {MODE_HELP, KEY_CODE_ESCAPE, close_mode, NULL, NULL, NULL},
    {MODE_HELP, '?', close_mode, NULL, NULL, NULL},
    {MODE_HELP, 'q', close_mode, NULL, NULL, NULL},
    {MODE_QUIT, 's', quit_send, NULL, NULL, NULL},
    {MODE_QUIT, 'u', quit_undo, NULL, NULL, NULL},
    {MODE_QUIT, KEY_CODE_ESCAPE, close_mode, NULL, NULL, NULL},
};

const struct key_binding *key_binding_at(size_t i)
{
    return i < sizeof bindings / sizeof bindings[0] ? &bindings[i] : NULL;
}

static const struct key_binding *find(enum mode mode, uint32_t key)
{
    for (size_t i = 0; i < sizeof bindings / sizeof bindings[0]; i++)
        if (bindings[i].mode == mode && bindings[i].key == key)
            return &bindings[i];
    return NULL;
}

static void unbound(struct app *app, uint32_t key)
{
    if (app->mode == MODE_TYPING)
        typed_letter(app, key);
    else if (app->mode == MODE_REASON && key >= '1' && key < '0' + REASONS)
        app->choice = key - '0'; /* points only; Enter chooses */
    else if (app->mode == MODE_INBOX && key != KEY_CODE_ESCAPE)
        app_say(app, "This key does nothing here.  ? shows the keys");
}

void app_key(struct app *app, uint32_t key)
{
    const int64_t now_ms = app_now_ms(app);
    const bool deaf = now_ms < app->deaf_until_ms && app->mode != MODE_TYPING;
    app->arrived = 0;
    if (key == KEY_CODE_ESCAPE) /* the rest of a split sequence may follow */
        app->deaf_until_ms = now_ms + DEAF_MS;
    else if (deaf)
        return;
    const struct key_binding *binding = find(app->mode, key);
    if (key == KEY_CODE_CTRL_C)
        say_quit(app);
    else if (key == KEY_CODE_PASTE)
        say_pasted(app);
    else if (binding)
        binding->act(app);
    else
        unbound(app, key);
}
