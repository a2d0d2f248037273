/* The head and the message lines in words: the health tag, the clock, what is staged, what went
 * wrong. Knows nothing of curses. */
#include "text.h"
#include "view.h"

/* --- the head --- */

static void append_span(struct buf *out, const char *word, int64_t ms)
{
    const int64_t seconds = ms > 0 ? ms / 1000 : 0;
    buf_printf(out, "[%s %02lld:%02lld]", word, (long long)(seconds / 60),
               (long long)(seconds % 60));
}

/* How long an answer takes or took, if that is too long; else 0. */
static int64_t slow_ms(const struct app *app)
{
    const struct connection *connection = &app->connection;
    const int64_t asked_ms = connection->asked_ms ? app_now_ms(app) - connection->asked_ms : 0;
    return asked_ms >= SLOW_MS ? asked_ms : connection->slow_ms;
}

static enum view_mood tag_of_connected(const struct app *app, struct buf *out)
{
    const struct connection *connection = &app->connection;
    const int64_t silent_ms = app_now_ms(app) - connection->heard_ms;
    const size_t sending = app_count_sending(app);
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

void view_title(const struct app *app, struct buf *out)
{
    view_time(out, app_now_s(app), "%a %d %b  %H:%M %Z");
}

static size_t count_waiting(const struct app *app)
{
    size_t waiting = app->rows.listed;
    for (size_t i = 0; i < app->active_count; i++)
        waiting -= app->active[i]->listed && waiting > 0;
    return waiting;
}

void view_tabs(const struct app *app, struct buf *out)
{
    buf_printf(out, "[1 Inbox %zu]", count_waiting(app));
    if (app->rows.listed == 0)
        return;
    const int64_t received_s = app->rows.list[0]->record->received_s;
    if (received_s) {
        buf_text_append(out, "   oldest waits ");
        view_ago(out, app_now_s(app) - received_s);
    }
}

/* --- the message --- */

static void append_next_try(const struct app *app, struct buf *out)
{
    const int64_t left_ms = app->connection.retry_ms - app_now_ms(app);
    if (left_ms > 0)
        buf_printf(out, "  Next try in %lld s.", (long long)((left_ms + 999) / 1000));
}

static void message_connection(const struct app *app, size_t line, struct buf *out)
{
    const struct connection *connection = &app->connection;
    if (connection->signed_out) {
        buf_text_append(out,
                        line ? "" : " This console is signed out. Answers are kept.   L Sign in");
    } else if (line > 0) {
        buf_text_append(out, connection->ever ? " Answers are kept; none is sent until the list is "
                                                "fresh.  F5 Try now"
                                              : " q quits, nothing is lost.  F5 Try now");
    } else if (connection->ever) {
        buf_text_append(out, " OFFLINE since ");
        view_time(out, connection->lost_s, "%H:%M:%S");
        buf_text_append(out, ". This is the list as it was then.");
        append_next_try(app, out);
    } else {
        buf_printf(out, " Connecting to %s ...", app->server);
        append_next_try(app, out);
    }
}

static void message_staged(const struct app *app, const struct row *row, struct buf *out)
{
    const struct answer *answer = row->answer;
    buf_char(out, ' ');
    (void)text_fit(out, record_client(row->record), 24);
    const int64_t left_s = (answer->due_ms - app_now_ms(app) + 999) / 1000;
    if (answer->state == ANSWER_KEPT)
        buf_printf(out, ": %s is kept, not sent.   u Undo    s Send now", answer_verb(answer));
    else
        buf_printf(out, ": %s will be sent in %lld s   u Undo    s Send now", answer_verb(answer),
                   (long long)(left_s > 0 ? left_s : 0));
}

static void message_arrived(const struct app *app, struct buf *out)
{
    if (app->arrived > 0)
        buf_printf(out, " %zu new request%s; n jumps to %s.", app->arrived,
                   app->arrived > 1 ? "s" : "", app->arrived > 1 ? "the next" : "it");
    else if (app->rows.listed == 0 && app->connection.loaded)
        buf_text_append(out, " No requests are waiting. New ones appear here by themselves.");
}

/* Too long for one line: what does not fit on a whole word goes on the second. */
static void notice_part(const struct app *app, size_t line, size_t columns, struct buf *out)
{
    const char *text = buf_text(&app->notice);
    const size_t length = app->notice.length;
    size_t cut = length;
    while (cut > 0 && text_columns(text, cut) + 2 > columns)
        do
            cut--;
        while (cut > 0 && text[cut] != ' ');
    buf_char(out, ' ');
    if (line == 0)
        buf_append(out, text, cut ? cut : length);
    else if (cut && cut < length)
        buf_append(out, text + cut + 1, length - cut - 1);
}

/* What there is to say when nothing else is. */
static void message_quiet(const struct app *app, size_t line, struct buf *out)
{
    if (!app->connection.connected || app->connection.signed_out)
        message_connection(app, line, out);
    else if (line == 0)
        message_arrived(app, out);
}

void view_message(const struct app *app, size_t line, size_t columns, struct buf *out)
{
    const struct row *staged = app_staged_row(app);
    const bool narrow = view_layout(app->lines, app->columns).message_lines == 1;
    if (staged && (line == 1 || narrow)) {
        message_staged(app, staged, out);
        return;
    }
    if (app->notice.length == 0) {
        message_quiet(app, line, out);
        return;
    }
    notice_part(app, line, columns, out);
    if (line == 0 || out->length > 1)
        return;
    buf_clear(out);
    message_quiet(app, 0, out);
}
