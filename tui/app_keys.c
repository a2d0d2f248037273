/* The app: what each key does. The table is the help, too. */
#include "app.h"
#include "view.h"

enum { DEAF_MS = 150 };

const char *const app_reasons[] = {
    "Go back, nothing happens", "Not available at this time", "Please choose another day",
    "This is not offered",      "We cannot take new clients", "No reason",
    "Other: type it",
};

/* --- moving --- */

static void move(struct app *app, int by)
{
    const size_t height = view_layout(app->lines, app->columns).list_lines;
    const size_t page = height > 1 ? height - 1 : 1;
    const size_t lines = (size_t)(by < 0 ? -by : by);
    const size_t step = lines == BY_PAGE ? page : lines;
    if (app->mode == MODE_REASON) {
        app->choice += by > 0 && app->choice < REASONS - 1;
        app->choice -= by < 0 && app->choice > 0;
        return;
    }
    const size_t place = app_place(app);
    if (by > 0)
        app_go_to(app, place + step);
    else
        app_go_to(app, place > step ? place - step : 0);
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
        app_say(app,
                app->connection.loaded ? "No requests are waiting." : "The list is not here yet.");
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
    if (row->record->status != BOOKING_PENDING || !row_is_settled(row)) {
        app_stage(app, row, BOOKING_REJECT, NULL); /* says why not */
        return;
    }
    app->target = row;
    app->choice = REASON_GO_BACK;
    app->mode = MODE_REASON;
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

/* --- the reason of a reject --- */

static void close_mode(struct app *app)
{
    app->mode = MODE_INBOX;
    app->target = NULL;
    app->leaving = false;
    buf_clear(&app->typed);
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

static bool begins_letter(char byte)
{
    return ((unsigned char)byte & 0xC0) != 0x80;
}

static void typed_backspace(struct app *app)
{
    size_t length = app->typed.length;
    while (length > 0 && !begins_letter(app->typed.data[--length]))
        continue;
    struct buf shorter = {0};
    buf_append(&shorter, buf_text(&app->typed), length);
    buf_release(&app->typed);
    app->typed = shorter;
}

static void typed_letter(struct app *app, uint32_t key)
{
    size_t letters = 0;
    for (size_t i = 0; i < app->typed.length; i++)
        letters += begins_letter(app->typed.data[i]);
    if (key < ' ' || key >= KEY_CODE_UP)
        return;
    if (letters >= REASON_LETTERS_MAX) {
        app_say(app, "A reason has at most %d letters.", REASON_LETTERS_MAX);
        return;
    }
    static const unsigned char lead[] = {0, 0xC0, 0xE0, 0xF0}; /* UTF-8 by bytes that follow */
    unsigned rest = key < 0x80 ? 0 : key < 0x800 ? 1 : key < 0x10000 ? 2 : 3;
    buf_char(&app->typed, (char)(unsigned char)(lead[rest] | key >> 6 * rest));
    while (rest-- > 0)
        buf_char(&app->typed, (char)(unsigned char)(0x80 | (key >> 6 * rest & 0x3F)));
}

/* --- the rest --- */

static void help(struct app *app)
{
    app->mode = MODE_HELP;
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

/* What is recorded the worker delivers without us. */
static void quit(struct app *app)
{
    if (app_count(app, row_is_staged) + app_count(app, row_is_sending) == 0)
        app->done = true;
    else
        app->mode = MODE_QUIT;
}

static void quit_send(struct app *app)
{
    if (!app_is_live(app)) {
        app_say(app, "There is no connection, so nothing can be sent.");
        return;
    }
    for (size_t i = 0; i < app->active_count; i++)
        if (row_is_staged(app->active[i]))
            app_send(app, app->active[i]);
    app->leaving = true;
}

static void quit_undo(struct app *app)
{
    for (struct row *row = NULL; (row = app_staged_row(app));)
        app_undo(app, row);
    app->done = true;
}

/* --- the table --- */

/* One line: mode, keys, move or action; then the group and the words of the help. */
static const struct key_binding bindings[] = {
    {MODE_INBOX, {KEY_CODE_UP, 'k'}, -1, NULL, "MOVE", "Up k up"},
    {MODE_INBOX, {KEY_CODE_DOWN, 'j'}, 1, NULL, "MOVE", "Down j down"},
    {MODE_INBOX, {KEY_CODE_PAGE_UP}, -BY_PAGE, NULL, "MOVE", "PgUp PgDn page"},
    {MODE_INBOX, {KEY_CODE_PAGE_DOWN}, BY_PAGE, NULL, NULL, NULL},
    {MODE_INBOX, {KEY_CODE_HOME, 'g'}, -BY_EDGE, NULL, "MOVE", "Home g oldest"},
    {MODE_INBOX, {KEY_CODE_END, 'G'}, BY_EDGE, NULL, "MOVE", "End G newest"},
    {MODE_INBOX, {'n'}, 0, next_new, "MOVE", "n next new"},
    {MODE_INBOX, {'a'}, 0, accept, "ANSWER", "a accept"},
    {MODE_INBOX, {'r'}, 0, reject, "ANSWER", "r reject"},
    {MODE_INBOX, {'u'}, 0, undo, "ANSWER", "u undo"},
    {MODE_INBOX, {'s'}, 0, send_now, "ANSWER", "s send now"},
    {MODE_INBOX, {KEY_CODE_F5}, 0, fetch_again, "OTHER", "F5 fetch again"},
    {MODE_INBOX, {'L'}, 0, sign_in, "OTHER", "L sign in again"},
    {MODE_INBOX, {KEY_CODE_CTRL_L}, 0, redraw, "OTHER", "Ctrl-L redraw"},
    {MODE_INBOX, {'?'}, 0, help, "OTHER", "? these keys"},
    {MODE_INBOX, {'q'}, 0, quit, "OTHER", "q quit"},
    {MODE_REASON, {KEY_CODE_UP, 'k'}, -1, NULL, NULL, NULL},
    {MODE_REASON, {KEY_CODE_DOWN, 'j'}, 1, NULL, NULL, NULL},
    {MODE_REASON, {KEY_CODE_ENTER}, 0, choose, NULL, NULL},
    {MODE_REASON, {KEY_CODE_ESCAPE}, 0, close_mode, NULL, NULL},
    {MODE_TYPING, {KEY_CODE_ENTER}, 0, typed_enter, NULL, NULL},
    {MODE_TYPING, {KEY_CODE_BACKSPACE}, 0, typed_backspace, NULL, NULL},
    {MODE_TYPING, {KEY_CODE_ESCAPE}, 0, close_mode, NULL, NULL},
    {MODE_HELP, {KEY_CODE_ESCAPE, '?'}, 0, close_mode, NULL, NULL},
    {MODE_HELP, {'q'}, 0, close_mode, NULL, NULL},
    {MODE_QUIT, {'s'}, 0, quit_send, NULL, NULL},
    {MODE_QUIT, {'u'}, 0, quit_undo, NULL, NULL},
    {MODE_QUIT, {KEY_CODE_ESCAPE}, 0, close_mode, NULL, NULL},
};

const struct key_binding *key_binding_at(size_t i)
{
    return i < sizeof bindings / sizeof bindings[0] ? &bindings[i] : NULL;
}

static const struct key_binding *find(enum mode mode, uint32_t key)
{
    for (size_t i = 0; i < sizeof bindings / sizeof bindings[0]; i++)
        if (bindings[i].mode == mode && (bindings[i].keys[0] == key || bindings[i].keys[1] == key))
            return &bindings[i];
    return NULL;
}

static void unbound(struct app *app, uint32_t key)
{
    if (key == KEY_CODE_CTRL_C)
        app_say(app, "Press q to quit.");
    else if (key == KEY_CODE_PASTE)
        app_say(app, "Pasted text is ignored: it could answer requests.");
    else if (app->mode == MODE_TYPING)
        typed_letter(app, key);
    else if (app->mode == MODE_REASON && key >= '0' && key < '0' + REASONS)
        app->choice = key - '0'; /* points only; Enter chooses */
    else if (app->mode == MODE_INBOX && key != KEY_CODE_ESCAPE)
        app_say(app, "This key does nothing here.  ? shows the keys");
}

void app_key(struct app *app, uint32_t key)
{
    const int64_t now_ms = app_now_ms(app);
    if (now_ms < app->deaf_until_ms && app->mode != MODE_TYPING && key != KEY_CODE_ESCAPE)
        return;
    if (key == KEY_CODE_ESCAPE) /* the rest of a split sequence may follow */
        app->deaf_until_ms = now_ms + DEAF_MS;
    if (now_ms - app->noticed_ms >= NOTICE_MS)
        buf_clear(&app->notice);
    app->arrived = 0;
    const struct key_binding *binding = key ? find(app->mode, key) : NULL;
    if (!binding)
        unbound(app, key);
    else if (binding->act)
        binding->act(app);
    else
        move(app, binding->by);
}

/* Of a bunch these may pass: a held-down key comes in bunches on a slow line, and so does typing.
 */
static bool is_harmless(const struct app *app, uint32_t key)
{
    if (app->mode == MODE_TYPING)
        return key != KEY_CODE_ENTER;
    return key == 'j' || key == 'k' || key >= KEY_CODE_UP;
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
