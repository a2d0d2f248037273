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

/* --- the connection --- */

static void append_next_try(const struct app *app, struct buf *out)
{
    const int64_t left_ms = app->connection.retry_ms - app_now_ms(app);
    if (left_ms > 0)
        buf_printf(out, "  Next try in %lld s.", (long long)((left_ms + 999) / 1000));
}

static void append_signed_out(const struct app *app, struct buf *out)
{
    buf_text_append(out, "This console is signed out. Answers are kept.");
    view_hint(app, "sign-in", "Sign in", out);
    buf_printf(out, "   (%d)\n", app->connection.refusal);
}

/* The line that counts stands first: on a small screen the others have no room. */
static void append_offline(const struct app *app, struct buf *out)
{
    buf_text_append(out, "OFFLINE since ");
    view_time(out, app->connection.lost_s, TIME_SECOND);
    buf_text_append(out, ". This is the list as it was then.");
    append_next_try(app, out);
    const bool roomy = view_layout(app->lines, app->columns).message.height > 3;
    buf_text_append(out, roomy
                             ? "\nAnswers you give now are kept and shown; none is sent until the "
                               "list is fresh again."
                             : "\nAnswers are kept; none is sent until the list is fresh.");
    view_hint(app, "fetch", "Try now\n", out);
}

static void append_connecting(const struct app *app, struct buf *out)
{
    const struct connection *connection = &app->connection;
    buf_printf(out, "Connecting to %s ...  %lld s   (q quits, nothing is lost)\n", app->server,
               (long long)((app_now_ms(app) - connection->lost_ms) / 1000));
    if (connection->retry_ms == 0)
        return;
    append_next_try(app, out);
    view_hint(app, "fetch", "Try now\n", out);
}

/* What the tag means, where a word does not say it all. */
static void append_trouble(const struct app *app, struct buf *out)
{
    const struct connection *connection = &app->connection;
    const int64_t silent_s = (app_now_ms(app) - connection->heard_ms) / 1000;
    if (silent_s * 1000 >= STALE_MS) {
        buf_printf(out, "Connected, but nothing was heard for %lld s.", (long long)silent_s);
        view_hint(app, "fetch", "Fetch again\n", out);
    } else if (connection->unsent > 0 && connection->behind_s >= BEHIND_S)
        buf_printf(out, "Recorded, but clients are not told yet (%lld waiting).\n",
                   (long long)connection->unsent);
    else if (slow_ms(app) > 0)
        buf_text_append(out, "The server answers slowly; keys are still instant.\n");
    else if (app->answers.journal == JOURNAL_FAILED)
        buf_text_append(out, "Answers are not kept here: they are lost if this console dies.\n");
}

/* --- what waits for the person --- */

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static void append_leftovers(const struct app *app, struct buf *out)
{
    const size_t count = app_unsent_leftovers(app);
    if (count > 0)
        buf_printf(out, "%zu answer%s not sent when the console closed.   Enter Check %s\n", count,
                   count == 1 ? " was" : "s were", count == 1 ? "it" : "them");
}

/* "Back after 2 min. 3 new, 1 gone. 1 kept answer.  s Send  u Undo" */
static void append_back(const struct app *app, struct buf *out)
{
    const struct connection *connection = &app->connection;
    const size_t kept = app_count(app, row_is_kept);
    if (app_unsent_leftovers(app) > 0 || (connection->away_ms == 0 && kept == 0))
        return;
    if (connection->away_ms > 0) {
        buf_text_append(out, "Back after ");
        view_ago(out, connection->away_ms / 1000);
        buf_printf(out, ". %zu new, %zu gone. ", connection->came, connection->gone);
    }
    if (kept > 0) {
        buf_printf(out, "%zu kept answer%s.", kept, plural(kept));
        view_hint(app, "send", "Send", out);
        view_hint(app, "undo", "Undo", out);
    }
    buf_char(out, '\n');
}

static void append_list(const struct app *app, struct buf *out)
{
    const struct rows *rows = &app->rows;
    if (rows->marked > 0)
        buf_printf(out, "%zu marked.  ", rows->marked);
    if (app->arrived > 0) {
        buf_printf(out, "%zu new request%s arrived.", app->arrived, plural(app->arrived));
        view_hint(app, "next-new", "Next new", out);
    }
    if (rows->marked > 0 || app->arrived > 0)
        buf_char(out, '\n');
}

static void append_empty(const struct app *app, struct buf *out)
{
    const struct rows *rows = &app->rows;
    if (rows->list.count > 0)
        return;
    if (rows->inbox.count > 0) {
        buf_text_append(out, "Nothing matches \"");
        view_outside(out, buf_text(&rows->wanted), 30);
        buf_printf(out, "\".  %zu request%s hidden.   Esc Show all\n", rows->inbox.count,
                   plural(rows->inbox.count));
        return;
    }
    buf_text_append(out, "No requests are waiting. New ones appear here by themselves.\n");
    if (app->answers.last_s) {
        buf_text_append(out, "Last answer ");
        view_time(out, app->answers.last_s, TIME_CLOCK);
        buf_char(out, '.');
    }
    view_hint(app, "day", "Your day\n", out);
}

/* --- the message --- */

static void append_connection(const struct app *app, struct buf *out)
{
    if (app->connection.signed_out)
        append_signed_out(app, out);
    else if (app->connection.ever)
        append_offline(app, out);
    else
        append_connecting(app, out);
}

void view_message(const struct app *app, struct buf *out)
{
    const struct connection *connection = &app->connection;
    if (app->notice.length > 0)
        buf_printf(out, "%s\n", buf_text(&app->notice));
    append_leftovers(app, out);
    if (!connection->connected || connection->signed_out) {
        append_connection(app, out);
        return;
    }
    if (!connection->loaded)
        return;
    append_back(app, out);
    append_list(app, out);
    append_trouble(app, out);
    append_empty(app, out);
    /* Where there is no room for the detail, its first lines are here. */
    if (view_layout(app->lines, app->columns).detail.height == 0)
        view_detail(app, out);
}

/* --- the answers --- */

void view_hint(const struct app *app, const char *action, const char *word, struct buf *out)
{
    buf_text_append(out, "   ");
    keymap_short_name(&app->keymap, action, out);
    buf_printf(out, " %s", word);
}

/* Seconds until it is sent, at least 0. */
static long long left_s(const struct app *app, const struct answer *answer)
{
    const int64_t left_ms = answer->due_ms - app_now_ms(app);
    return left_ms > 0 ? (left_ms + 999) / 1000 : 0;
}

void view_retry(const struct app *app, const struct row *row, struct buf *out)
{
    const struct answer *answer = row->answer;
    if (answer->unsure)
        buf_text_append(out, "Sent, but no answer came. Checking what happened ...  (the same key "
                             "is used again, so it cannot be booked twice)");
    else
        buf_printf(out, "Server busy. Trying again in %lld s (%d of %d). Not sent yet.   (%d)",
                   left_s(app, answer), answer->tries + 1, TRIES_MAX, answer->status);
}

void view_answer(const struct app *app, const struct row *row, struct buf *out)
{
    enum { LONGEST = 400 };
    const struct answer *answer = row->answer;
    if (!answer)
        return;
    if (answer->state == ANSWER_RETRYING)
        view_retry(app, row, out);
    else if (answer->why)
        view_outside(out, answer->why, LONGEST);
    else if (answer->unkept && row_is_staged(row))
        buf_printf(out, "%s, not kept: it is lost if this console dies.", row_verb(row));
    else
        return;
    buf_char(out, '\n');
}

static void append_who(const struct app *app, const struct row *row, struct buf *out)
{
    const size_t size = app_group_size(app, row);
    if (size > 1)
        buf_printf(out, "%zu answers", size);
    else
        view_outside(out, record_client(row->record), app->columns >= VIEW_ROOMY_COLUMNS ? 24 : 10);
    buf_printf(out, ": %s ", row_verb(row));
}

void view_staged(const struct app *app, struct buf *out)
{
    const struct row *row = app_staged_row(app);
    if (!row)
        return;
    const struct answer *answer = row->answer;
    append_who(app, row, out);
    if (answer->state == ANSWER_SAVING)
        buf_text_append(out, "is being kept");
    else if (answer->state == ANSWER_KEPT)
        buf_text_append(out, answer->why      ? "is NOT DONE, but kept."
                             : answer->unkept ? "waits, not sent, not kept."
                                              : "is kept, not sent.");
    else
        buf_printf(out, "%s %lld s%s", app->columns >= 40 ? "will be sent in" : "in",
                   left_s(app, answer), answer->unkept ? ", not kept" : "");
    if (app->columns < VIEW_ROOMY_COLUMNS)
        return;
    view_hint(app, "undo", "Undo", out);
    view_hint(app, "send", "Send now", out);
    buf_char(out, '\n');
}

void view_quit(const struct app *app, struct buf *out)
{
    const size_t staged = app_count(app, row_is_staged);
    const size_t sending = app_count(app, row_is_sending);
    if (app->leaving) {
        buf_printf(out, "Waiting for what becomes of %zu answer%s ...\n", sending, plural(sending));
        return;
    }
    if (staged > 0)
        buf_printf(out, "%zu answer%s not sent. ", staged, staged == 1 ? " is" : "s are");
    if (sending > 0)
        buf_printf(out, "%zu %s on the way. ", sending, sending == 1 ? "is" : "are");
    buf_printf(out, "What now?\n%s\n", app_is_live(app) ? "" : "There is no connection.");
}
