/* The app: answers from staged to delivered, or not done and why. */
#include <stdlib.h>

#include "app_parts.h"
#include "text.h"
#include "view.h"

enum { FIRST_RETRY_MS = 1000, LAST_RETRY_MS = 30 * 1000 };

void app_name(const struct row *row, struct buf *out)
{
    buf_clear(out);
    (void)text_fit(out, record_client(row->record), 40);
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

static size_t count(const struct app *app, bool (*is)(const struct answer *answer))
{
    size_t found = 0;
    for (size_t i = 0; i < app->active_count; i++)
        found += is(app->active[i]->answer);
    return found;
}

size_t app_count_staged(const struct app *app)
{
    return count(app, answer_is_staged);
}

size_t app_count_sending(const struct app *app)
{
    return count(app, answer_is_sending);
}

struct row *app_staged_row(const struct app *app)
{
    if (app->cursor && answer_is_staged(app->cursor->answer))
        return app->cursor;
    for (size_t i = app->active_count; i > 0; i--)
        if (answer_is_staged(app->active[i - 1]->answer))
            return app->active[i - 1];
    return NULL;
}

void app_stage(struct app *app, struct row *row, enum booking_command command, const char *reason)
{
    if (row->record->status != BOOKING_PENDING || !answer_is_over(row->answer)) {
        app_say(app, "This request is answered already.  u Undo while it is staged");
        return;
    }
    answer_free(row->answer);
    row->answer = answer_new(app->world, command, reason);
    row->answer->due_ms = app_now_ms(app) + app->undo_ms;
    buf_clear(&app->notice);
    activate(app, row);
}

void app_undo(struct app *app, struct row *row)
{
    struct buf name AUTO(buf_release) = {0};
    app_name(row, &name);
    app_say(app, "%s: %s taken back. Nothing was sent.", buf_text(&name), answer_verb(row->answer));
    deactivate(app, row);
    answer_free(row->answer);
    row->answer = NULL;
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
    struct request *request = request_new(REQUEST_DECISION, row->record->id);
    request->command = answer->command;
    request->reason = answer->reason ? memory_text(answer->reason) : NULL;
    id_copy(request->key, answer->key);
    app_ask(app, request);
}

/* --- what became of it --- */

/* Takes `why` over. */
static void not_done(struct app *app, struct row *row, struct buf *why)
{
    struct buf name AUTO(buf_release) = {0};
    app_name(row, &name);
    deactivate(app, row);
    answer_fail(row->answer, buf_take(why));
    app_say(app, "%s: %s NOT DONE. %s", buf_text(&name), answer_verb(row->answer),
            row->answer->why);
}

static void delivered(struct app *app, struct row *row)
{
    struct buf name AUTO(buf_release) = {0};
    app_name(row, &name);
    app_say(app, "%s: %s delivered.", buf_text(&name), answer_verb(row->answer));
    deactivate(app, row);
    row->answer->state = ANSWER_DELIVERED;
    app_tidy(app, row);
}

/* The sentences for a booking that is no longer what the answer was given for. */
static void explain(const struct row *row, struct buf *why)
{
    const struct record *record = row->record;
    struct buf by AUTO(buf_release) = {0};
    if (record->decided_by)
        (void)text_fit(&by, record->decided_by, 30);
    const bool cancelled = record->status == BOOKING_CANCELLED;
    const bool accepted = record->status == BOOKING_CONFIRMED;
    const bool same = accepted == (row->answer->command == BOOKING_ACCEPT);
    buf_text_append(why, cancelled  ? "The booking was cancelled"
                         : accepted ? "Already ACCEPTED"
                                    : "Already REJECTED");
    if (by.length)
        buf_printf(why, cancelled ? " by %s" : " on \"%s\"", buf_text(&by));
    if (record->decided_s) {
        buf_text_append(why, " at ");
        view_clock(why, record->decided_s);
    }
    if (cancelled)
        buf_text_append(why, ". Nothing was booked. Nothing to do.");
    else
        buf_printf(why, same ? ". Nothing to do." : ". Your %s was not done.",
                   answer_verb(row->answer));
}

void app_record_changed(struct app *app, struct row *row)
{
    struct answer *answer = row->answer;
    const enum booking_status status = row->record->status;
    if (!answer)
        app_tidy(app, row);
    if (answer_is_over(answer)) /* a NOT DONE stays until it was looked at */
        return;
    if (answer->state == ANSWER_RECORDED && row->record->delivered) {
        delivered(app, row); /* the answer may be gone now */
        return;
    }
    if (status == BOOKING_PENDING || !answer_is_staged(answer))
        return;
    struct buf why AUTO(buf_release) = {0};
    explain(row, &why);
    not_done(app, row, &why);
}

void app_row_gone(struct app *app, struct row *row)
{
    struct buf why AUTO(buf_release) = {0};
    row->record->status = BOOKING_CANCELLED;
    buf_printf(&why, "It no longer exists. Nothing was sent to the client. (404, %s)",
               record_short_id(row->record));
    if (!answer_is_over(row->answer))
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
    if (news->error.kind == ERROR_CONFLICT && row->record->status != BOOKING_PENDING)
        explain(row, &why);
    else
        (void)text_fit(&why, news->error.text, 200);
    buf_printf(&why, " (%d)", news->status);
    not_done(app, row, &why);
}

static void recorded(struct app *app, struct row *row)
{
    struct buf name AUTO(buf_release) = {0};
    app_name(row, &name);
    row->answer->state = ANSWER_RECORDED;
    app->connection.next_check_ms = app_now_ms(app);
    app_say(app, "%s: %s recorded.", buf_text(&name), answer_verb(row->answer));
    if (row->record->delivered)
        delivered(app, row);
}

void app_decision_news(struct app *app, struct news *news)
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
    size_t kept = 0;
    for (size_t i = 0; i < app->active_count; i++) {
        struct answer *answer = app->active[i]->answer;
        if (answer->state != ANSWER_KEPT)
            continue;
        answer->state = ANSWER_STAGED;
        answer->due_ms = app_now_ms(app) + app->undo_ms;
        kept++;
    }
    if (kept > 0)
        app_say(app, "Back. %zu kept answer%s.   s Send now   u Undo", kept, kept > 1 ? "s" : "");
}

void app_tick_answers(struct app *app)
{
    const int64_t now_ms = app_now_ms(app);
    for (size_t i = 0; i < app->active_count; i++) {
        struct row *row = app->active[i];
        struct answer *answer = row->answer;
        const bool waits = answer->state == ANSWER_STAGED || answer->state == ANSWER_RETRYING;
        if (!waits || now_ms < answer->due_ms)
            continue;
        if (app_is_live(app))
            app_send(app, row);
        else if (answer->state == ANSWER_STAGED)
            answer->state = ANSWER_KEPT;
    }
}
