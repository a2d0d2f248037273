/* The head and the message lines in words: the health tag, the clock, what is staged, what went
 * wrong. Knows nothing of curses. */
#include <string.h>
#include <time.h>

#include "text.h"
#include "view.h"

/* --- the head --- */

static void append_span(struct buf *out, const char *word, int64_t ms)
{
    const int64_t seconds = ms > 0 ? ms / 1000 : 0;
    buf_printf(out, "[%s %02lld:%02lld]", word, (long long)(seconds / 60),
               (long long)(seconds % 60));
}

/* How long an outcome takes or took, if that is too long; else 0. */
static int64_t slow_ms(const struct app *app)
{
    const struct connection *connection = &app->connection;
    const int64_t waits_ms = connection->awaited ? app_now_ms(app) - connection->asked_ms : 0;
    return waits_ms >= SLOW_MS ? waits_ms : connection->slow_ms;
}

static enum view_mood tag_of_connected(const struct app *app, struct buf *out)
{
    const struct connection *connection = &app->connection;
    const int64_t silent_ms = app_now_ms(app) - connection->heard_ms;
    const size_t sending = app_count(app, row_is_sending);
    if (silent_ms >= STALE_MS) {
        append_span(out, "STALE", silent_ms);
        return VIEW_WARN;
    }
    if (connection->unsent > 0 && connection->behind_s >= BEHIND_S) {
        buf_printf(out, "[QUEUE BEHIND %lld min]", (long long)(connection->behind_s / 60));
        return VIEW_WARN;
    }
    if (slow_ms(app) > 0) {
        buf_printf(out, "[SLOW %lld.%lld s]", (long long)(slow_ms(app) / 1000),
                   (long long)(slow_ms(app) % 1000 / 100));
        return VIEW_WARN;
    }
    buf_text_append(out, "[LIVE]");
    if (sending > 0)
        buf_printf(out, " %zu sending", sending);
    return VIEW_GOOD;
}

enum view_mood view_tag(const struct app *app, struct buf *out)
{
    const struct connection *connection = &app->connection;
    if (connection->signed_out) {
        buf_text_append(out, "[SIGNED OUT]");
        return VIEW_BAD;
    }
    if (app_is_live(app))
        return tag_of_connected(app, out);
    const bool tried = !connection->connected && (connection->ever || connection->retry_ms);
    append_span(out, tried ? "OFFLINE" : "CONNECTING", app_now_ms(app) - connection->lost_ms);
    return tried ? VIEW_BAD : VIEW_WARN;
}

void view_tabs(const struct app *app, struct buf *out)
{
    size_t waiting = app->rows.listed;
    const struct row *oldest = NULL;
    for (size_t i = 0; i < app->active_count; i++)
        waiting -= app->active[i]->listed && waiting > 0;
    for (size_t i = 0; i < app->rows.listed && !oldest; i++) {
        const struct row *row = app->rows.list[i];
        if (!row->answer && row->record->status == BOOKING_PENDING && row->record->received_s)
            oldest = row;
    }
    buf_printf(out, "[1 Inbox %zu]", waiting);
    if (!oldest)
        return;
    buf_text_append(out, "   oldest waits ");
    view_ago(out, app_now_s(app) - oldest->record->received_s);
}

/* --- the message --- */

static void append_next_try(const struct app *app, struct buf *out)
{
    const int64_t left_ms = app->connection.retry_ms - app_now_ms(app);
    if (left_ms > 0)
        buf_printf(out, "  Next try in %lld s.", (long long)((left_ms + 999) / 1000));
    buf_char(out, '\n');
}

static void message_connection(const struct app *app, struct buf *out)
{
    const struct connection *connection = &app->connection;
    if (connection->signed_out) {
        buf_text_append(out, "This console is signed out. Answers are kept.   L Sign in\n");
    } else if (connection->ever) {
        const time_t time = (time_t)connection->lost_s;
        struct tm tm = {0};
        char since[16] = "";
        if (localtime_r(&time, &tm))
            (void)strftime(since, sizeof since, "%H:%M:%S", &tm);
        buf_printf(out, "OFFLINE since %s. This is the list as it was then.", since);
        append_next_try(app, out);
        buf_text_append(out,
                        "Answers are kept; none is sent until the list is fresh.  F5 Try now\n");
    } else {
        buf_printf(out, "Connecting to %s ...", app->server);
        append_next_try(app, out);
        buf_text_append(out, "q quits, nothing is lost.  F5 Try now\n");
    }
}

/* Where there is no room for the detail, its first lines are here. */
static void message_quiet(const struct app *app, struct buf *out)
{
    if (!app->connection.connected || app->connection.signed_out)
        message_connection(app, out);
    else if (app->arrived > 0)
        buf_printf(out, "%zu new request%s; n jumps to %s.\n", app->arrived,
                   app->arrived > 1 ? "s" : "", app->arrived > 1 ? "the next" : "it");
    else if (app->rows.listed == 0 && app->connection.loaded)
        buf_text_append(out, "No requests are waiting. New ones appear here by themselves.\n");
    else if (view_layout(app->lines, app->columns).detail_lines == 0)
        view_detail(app, out);
}

void view_message(const struct app *app, struct buf *out)
{
    if (app->notice.length > 0)
        buf_printf(out, "%s\n", buf_text(&app->notice));
    message_quiet(app, out);
}

void view_staged(const struct app *app, struct buf *out)
{
    const struct row *row = app_staged_row(app);
    if (!row)
        return;
    view_outside(out, record_client(row->record), app->columns >= 60 ? 24 : 10);
    const int64_t left_s = (row->answer->due_ms - app_now_ms(app) + 999) / 1000;
    if (row->answer->state == ANSWER_KEPT)
        buf_printf(out, ": %s is kept, not sent.", row_verb(row));
    else
        buf_printf(out, ": %s %s %lld s", row_verb(row),
                   app->columns >= 40 ? "will be sent in" : "in",
                   (long long)(left_s > 0 ? left_s : 0));
    if (app->columns >= 60)
        buf_text_append(out, "   u Undo    s Send now\n");
}

void view_quit(const struct app *app, struct buf *out)
{
    const size_t staged = app_count(app, row_is_staged);
    const size_t sending = app_count(app, row_is_sending);
    if (app->leaving) {
        buf_printf(out, "Waiting for what becomes of %zu answer%s ...\n", sending,
                   sending == 1 ? "" : "s");
        return;
    }
    if (staged > 0)
        buf_printf(out, "%zu answer%s not sent. ", staged, staged == 1 ? " is" : "s are");
    if (sending > 0)
        buf_printf(out, "%zu %s on the way. ", sending, sending == 1 ? "is" : "are");
    buf_printf(out, "What now?\n%s\n", app_is_live(app) ? "" : "There is no connection.");
}

/* --- the keys --- */

void view_help(size_t columns, struct buf *out)
{
    enum { ROOMY = 60 };
    const char *group = "";
    size_t used = 0;
    for (size_t i = 0; key_binding_at(i); i++) {
        const struct key_binding *binding = key_binding_at(i);
        if (!binding->group)
            continue;
        const size_t length = strlen(binding->help) + 3;
        const bool heads = columns >= ROOMY && strcmp(group, binding->group) != 0;
        if (heads || used + length > columns) {
            buf_text_append(out, used > 0 ? "\n" : "");
            if (columns >= ROOMY)
                buf_printf(out, "%-8s", heads ? binding->group : "");
            used = columns >= ROOMY ? 8 : 0;
        }
        group = binding->group;
        buf_printf(out, "%s   ", binding->help);
        used += length;
    }
    buf_text_append(out, "\n! starts within two hours   + new\n");
}

const char *view_keys(const struct app *app)
{
    enum { STAGED = MODES, LEAVING, KINDS, WORDINGS = 3 };
    static const char *const keys[KINDS][WORDINGS] = {
        [MODE_INBOX] = {" a Accept  r Reject  u Undo  s Send now  n New  ? Help  q Quit",
                        " a Accept  r Reject  ? Help  q Quit", " a Accept r Reject ? Help"},
        [STAGED] = {" a Accept  r Reject  u Undo  s Send now  n New  ? Help  q Quit",
                    " u Undo  s Send now  ? Help  q Quit", " u Undo  s Send now  ? Help"},
        [MODE_REASON] = {" Up/Down or 0-6, then Enter.   Esc: nothing happens",
                         " Enter: this one  Esc: nothing", " Enter  Esc: nothing"},
        [MODE_TYPING] = {" Type the reason, then Enter.   Esc: nothing happens",
                         " Enter: reject  Esc: nothing", " Enter  Esc: nothing"},
        [MODE_HELP] = {" Esc closes"},
        [MODE_QUIT] = {" s Send now and quit   u Undo and quit   Esc Stay",
                       " s Send  u Undo, quit  Esc Stay", " s Send  u Undo  Esc Stay"},
        [LEAVING] = {" u Leave at once   Esc Stay"},
    };
    size_t kind = app->mode;
    if (app->mode == MODE_INBOX && app_staged_row(app))
        kind = STAGED;
    if (app->mode == MODE_QUIT && app->leaving)
        kind = LEAVING;
    size_t i = 0;
    while (strlen(keys[kind][i]) >= app->columns && i + 1 < WORDINGS && keys[kind][i + 1])
        i++;
    return keys[kind][i];
}
