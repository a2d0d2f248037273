/* The app: answers from staged to delivered, or not done and why. */
#include <assert.h>
#include <stdlib.h>

#include "app.h"
#include "text.h"
#include "view.h"

enum { FIRST_RETRY_MS = 1000, LAST_RETRY_MS = 30 * 1000, NAME_COLUMNS = 40 };

/* "Zoe: ACCEPT " and what became of it. */
static void say_of(struct app *app, const struct row *row, const char *what)
{
    struct buf name AUTO(buf_release) = {0};
    view_outside(&name, record_client(row->record), NAME_COLUMNS);
    app_say(app, "%s: %s %s", buf_text(&name), row_verb(row), what);
}

static void activate(struct app *app, struct row *row)
{
    if (app->active_count == app->active_capacity) {
        app->active_capacity = app->active_capacity ? 2 * app->active_capacity : 8;
        app->active = memory_resize(app->active, app->active_capacity, sizeof(struct row *));
    }
    app->active[app->active_count++] = row;
}

static void deactivate(struct app *app, const struct row *row)
{
    size_t kept = 0;
    for (size_t i = 0; i < app->active_count; i++)
        if (app->active[i] != row)
            app->active[kept++] = app->active[i];
    app->active_count = kept;
}

size_t app_count(const struct app *app, bool (*is)(const struct row *row))
{
    size_t found = 0;
    for (size_t i = 0; i < app->active_count; i++)
        found += is(app->active[i]);
    return found;
}

struct row *app_staged_row(const struct app *app)
{
    if (app->cursor && row_is_staged(app->cursor))
        return app->cursor;
    for (size_t i = app->active_count; i > 0; i--)
        if (row_is_staged(app->active[i - 1]))
            return app->active[i - 1];
    return NULL;
}

void app_stage(struct app *app, struct row *row, enum booking_command command, const char *reason)
{
    if (row->record->status != BOOKING_PENDING || !row_is_settled(row)) {
        app_say(app, row_is_staged(row) ? "This request is answered already: u takes it back."
                                        : "This request is answered already.");
        return;
    }
    row_drop_answer(row);
    row->answer = memory_new(1, sizeof *row->answer);
    *row->answer = (struct answer){.state = app_is_live(app) ? ANSWER_STAGED : ANSWER_KEPT,
                                   .command = command,
                                   .reason = reason ? memory_text(reason) : NULL,
                                   .due_ms = app_now_ms(app) + UNDO_MS};
    id_new(app->world, row->answer->key);
    app->ticked_ms = app_now_ms(app);
    buf_clear(&app->notice);
    activate(app, row);
}

void app_undo(struct app *app, struct row *row)
{
    say_of(app, row, "taken back. Nothing was sent.");
    deactivate(app, row);
    row_drop_answer(row);
    app_tidy(app, row);
}

void app_send(struct app *app, struct row *row)
{
    struct answer *answer = row->answer;
    if (!app_is_live(app)) {
        answer->state = ANSWER_KEPT;
        app_say(app, "There is no connection. The answer is kept and shown; nothing was sent.");
        return;
    }
    answer->state = ANSWER_SENDING;
    answer->tries++;
    struct news *question = news_new(NEWS_DECISION, row->id);
    question->command = answer->command;
    question->reason = answer->reason ? memory_text(answer->reason) : NULL;
    id_copy(question->key, answer->key);
    app_ask(app, question);
}

/* --- what became of it --- */

/* Takes `why` over. Whoever was leaving must see it. */
static void not_done(struct app *app, struct row *row, struct buf *why)
{
    struct buf text AUTO(buf_release) = {0};
    deactivate(app, row);
    row->answer->why = buf_take(why);
    row->answer->state = ANSWER_NOT_DONE;
    app->leaving = false;
    if (app->mode == MODE_QUIT)
        app->mode = MODE_INBOX;
    buf_printf(&text, "NOT DONE. %s", row->answer->why);
    say_of(app, row, buf_text(&text));
}

/* Delivered, or somebody else has done the same. */
static void settle(struct app *app, struct row *row, const char *what)
{
    say_of(app, row, what);
    deactivate(app, row);
    row->answer->state = ANSWER_DELIVERED;
    app_tidy(app, row);
}

/* The sentences for a booking that is no longer what the answer was given for. */
static void explain(const struct row *row, struct buf *why)
{
    static const char *const words[BOOKING_STATUSES] = {[BOOKING_CONFIRMED] = "Already ACCEPTED",
                                                        [BOOKING_REJECTED] = "Already REJECTED",
                                                        [BOOKING_CANCELLED] = "It was cancelled"};
    const struct record *record = row->record;
    assert(words[record->status]);
    buf_text_append(why, words[record->status]);
    view_decision(record, why);
    if (record->status == BOOKING_CANCELLED)
        buf_text_append(why, ". Nothing was booked. Nothing to do.");
    else
        buf_printf(why, ". Your %s was not done.", row_verb(row));
}

static bool is_what_was_wanted(const struct row *row)
{
    const enum booking_status wanted =
        row->answer->command == BOOKING_ACCEPT ? BOOKING_CONFIRMED : BOOKING_REJECTED;
    return row->record->status == wanted;
}

/* The booking is no longer pending, and not by this answer. */
static void overtaken(struct app *app, struct row *row)
{
    struct buf why AUTO(buf_release) = {0};
    if (is_what_was_wanted(row)) {
        buf_text_append(&why, "was done already");
        view_decision(row->record, &why);
        buf_text_append(&why, ". Nothing to do.");
        settle(app, row, buf_text(&why));
        return;
    }
    explain(row, &why);
    not_done(app, row, &why);
}

void app_record_changed(struct app *app, struct row *row)
{
    if (!row->answer)
        app_tidy(app, row);
    if (row_is_settled(row)) /* a NOT DONE stays until it was looked at */
        return;
    if (row->answer->state == ANSWER_RECORDED && row->record->delivered)
        settle(app, row, "delivered.");
    else if (row->record->status != BOOKING_PENDING && row_is_staged(row))
        overtaken(app, row);
}

void app_row_gone(struct app *app, struct row *row)
{
    struct buf why AUTO(buf_release) = {0};
    row->record->status = BOOKING_CANCELLED;
    buf_printf(&why, "It no longer exists. Nothing was sent to the client. (404, %s)",
               record_short_id(row->record));
    if (!row_is_settled(row))
        not_done(app, row, &why);
    else
        app_tidy(app, row);
}

static void retry(struct app *app, struct row *row, const struct news *news)
{
    struct answer *answer = row->answer;
    int64_t wait_ms = FIRST_RETRY_MS;
    for (int i = 1; i < answer->tries && wait_ms < LAST_RETRY_MS; i++)
        wait_ms *= 2;
    if (news->wait_ms > wait_ms)
        wait_ms = news->wait_ms;
    answer->state = ANSWER_RETRYING;
    answer->due_ms = app_now_ms(app) + (wait_ms < LAST_RETRY_MS ? wait_ms : LAST_RETRY_MS);
    answer->unsure = answer->unsure || news->status == 0;
    if (answer->unsure)
        app_say(app, "Sent, but no answer came. Checking what happened ... (the same key is used "
                     "again, so it cannot be done twice)");
    else
        app_say(app, "Server busy. Trying again in %lld s (try %d). Not done yet. (%d)",
                (long long)((answer->due_ms - app_now_ms(app)) / 1000), answer->tries,
                news->status);
}

static void signed_out(struct app *app, struct row *row)
{
    app->connection.signed_out = true;
    row->answer->state = ANSWER_KEPT;
    app_say(app, "This console is signed out. Answers are kept.   L Sign in");
}

static void refused(struct app *app, struct row *row, const struct news *news)
{
    struct buf why AUTO(buf_release) = {0};
    if (news->error.kind == ERROR_CONFLICT && row->record->status != BOOKING_PENDING) {
        overtaken(app, row);
        return;
    }
    view_outside(&why, news->error.text, 200);
    buf_printf(&why, " (%d)", news->status);
    not_done(app, row, &why);
}

static void recorded(struct app *app, struct row *row)
{
    row->answer->state = ANSWER_RECORDED;
    app->connection.next_check_ms = app_now_ms(app);
    if (row->record->delivered)
        settle(app, row, "delivered.");
    else
        say_of(app, row, "recorded.");
}

void app_decision_news(struct app *app, const struct news *news)
{
    struct row *row = rows_find(&app->rows, news->id);
    if (!row || !row->answer || row->answer->state != ANSWER_SENDING)
        return;
    switch (news->error.kind) {
    case ERROR_NONE:
        recorded(app, row);
        return;
    case ERROR_NOT_FOUND:
        app_row_gone(app, row);
        return;
    case ERROR_UNAUTHORISED:
    case ERROR_FORBIDDEN:
        signed_out(app, row);
        return;
    case ERROR_BUSY:
    case ERROR_UNAVAILABLE:
        retry(app, row, news);
        return;
    default: /* every other kind says that it will not be done */
        refused(app, row, news);
        return;
    }
}

/* --- time --- */

void app_restage_kept(struct app *app)
{
    const int64_t away_ms = app_now_ms(app) - app->connection.lost_ms;
    size_t kept = 0;
    app->ticked_ms = app_now_ms(app);
    for (size_t i = 0; i < app->active_count; i++) {
        struct answer *answer = app->active[i]->answer;
        if (answer->state != ANSWER_KEPT)
            continue;
        answer->state = ANSWER_STAGED;
        answer->due_ms = app_now_ms(app) + UNDO_MS;
        kept++;
    }
    if (kept > 0) {
        struct buf ago AUTO(buf_release) = {0};
        view_ago(&ago, away_ms / 1000);
        app_say(app, "Back after %s. %zu kept answer%s in %d s.", buf_text(&ago), kept,
                kept > 1 ? "s go out" : " goes out", UNDO_MS / 1000);
    }
}

/* The time to take an answer back is time on the screen: a process that was stopped gives it anew.
 */
void app_tick_answers(struct app *app)
{
    const int64_t now_ms = app_now_ms(app);
    const bool live = app_is_live(app);
    const int64_t gap_ms = now_ms - app->ticked_ms;
    app->ticked_ms = now_ms;
    for (size_t i = 0; i < app->active_count; i++) {
        struct row *row = app->active[i];
        struct answer *answer = row->answer;
        const bool staged = answer->state == ANSWER_STAGED;
        if (staged && gap_ms >= GAP_MS)
            answer->due_ms += gap_ms;
        if (staged && !live)
            answer->state = ANSWER_KEPT;
        else if ((staged || answer->state == ANSWER_RETRYING) && live && now_ms >= answer->due_ms)
            app_send(app, row);
    }
}
