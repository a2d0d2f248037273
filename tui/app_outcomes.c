/* The app: what becomes of an answer, from sent to delivered, or not done and why. */
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "dialog.h"
#include "text.h"
#include "view.h"

enum { FIRST_RETRY_MS = 1000, LAST_RETRY_MS = 30 * 1000, SENTENCE_COLUMNS = 200 };

/* Takes `why` over. Whoever was leaving must see it. */
static void end(struct app *app, struct row *row, enum answer_state state, struct buf *why)
{
    struct buf text AUTO(buf_release) = {0};
    struct answer *answer = row->answer;
    buf_printf(&text, "NOT DONE. %s", buf_text(why));
    free(answer->why);
    answer->why = buf_take(why);
    answer->state = state;
    app->leaving = false;
    if (app->mode == MODE_QUIT)
        dialog_close(app);
    app_say_of(app, row, buf_text(&text));
}

static void not_done(struct app *app, struct row *row, struct buf *why)
{
    app_deactivate(app, row);
    end(app, row, ANSWER_NOT_DONE, why);
    app_step(app, row, (struct step){.kind = STEP_NOT_DONE, .text = row->answer->why});
}

static void settle(struct app *app, struct row *row, enum step_kind kind)
{
    app_deactivate(app, row);
    row->answer->state = ANSWER_DELIVERED;
    app_step(app, row, (struct step){.kind = kind});
    app_tidy(app, row);
}

/* --- what others have done --- */

/* Accepted and rejected `on "front desk" at 10:41`. The worker calls whoever has no token of his
 * own "provider", which is all of us. */
static void append_where(const struct record *record, struct buf *out)
{
    const char *by = record->decided_by;
    if (by && strcmp(by, "provider") != 0) {
        buf_text_append(out, " on \"");
        view_outside(out, by, 30);
        buf_text_append(out, "\"");
    } else {
        buf_text_append(out, " elsewhere");
    }
}

static const char *end_of(const struct record *record)
{
    const char *by = record->decided_by ? record->decided_by : "";
    if (strcmp(by, "user") == 0)
        return "The client cancelled";
    return strcmp(by, "system") == 0 ? "It expired unanswered" : "It was cancelled";
}

static const char *did(const struct record *record)
{
    static const char *const words[BOOKING_STATUSES] = {
        [BOOKING_CONFIRMED] = "Already ACCEPTED", [BOOKING_REJECTED] = "Already REJECTED"};
    return words[record->status];
}

/* The sentence for a booking that is no longer what the answer was given for. */
static void explain(const struct row *row, bool alike, struct buf *why)
{
    const struct record *record = row->record;
    const bool gone = record->status == BOOKING_CANCELLED;
    buf_text_append(why, gone ? end_of(record) : did(record));
    if (!gone)
        append_where(record, why);
    if (record->decided_s)
        view_time(why, record->decided_s, TIME_AT);
    if (gone)
        buf_text_append(why, ". Nothing was booked. Nothing to do.");
    else if (alike)
        buf_text_append(why, ". Nothing to do.");
    else
        buf_printf(why, ". Your %s was not done.   Enter See it", row_verb(row));
}

void app_overtaken(struct app *app, struct row *row, int status)
{
    const enum booking_status wanted =
        row->answer->command == BOOKING_ACCEPT ? BOOKING_CONFIRMED : BOOKING_REJECTED;
    const bool alike = row->record->status == wanted;
    struct buf why AUTO(buf_release) = {0};
    explain(row, alike, &why);
    if (status)
        buf_printf(&why, "   (%d)", status);
    if (!alike) {
        not_done(app, row, &why);
        app->see = row;
        return;
    }
    app_say_of(app, row, buf_text(&why));
    settle(app, row, STEP_DONE_ALREADY);
}

static void note_left(struct app *app, struct row *row)
{
    app->connection.gone += row->listed && !row->left;
    row->left = true;
}

void app_record_changed(struct app *app, struct row *row)
{
    if (row->record->status != BOOKING_PENDING)
        note_left(app, row);
    app_tidy(app, row);
    if (!row->answer || row->record->status == BOOKING_PENDING)
        return;
    if (row->answer->state == ANSWER_RECORDED && row->record->delivered) {
        app_say_of(app, row, "delivered.");
        settle(app, row, STEP_DELIVERED);
    } else if (row_is_staged(row)) {
        app_overtaken(app, row, 0);
    }
}

void app_row_gone(struct app *app, struct row *row)
{
    struct buf why AUTO(buf_release) = {0};
    view_request(app, row, &why);
    buf_printf(&why,
               ", no longer exists. Nothing was sent to the client. It left your list.   "
               "(404, %s)",
               record_short_id(row->record));
    row->record->status = BOOKING_CANCELLED;
    note_left(app, row);
    if (!row_is_settled(row)) {
        not_done(app, row, &why);
        return;
    }
    if (row->listed)
        app_say(app, "%s", buf_text(&why));
    app_tidy(app, row);
}

/* --- what the server says --- */

static void again_later(struct app *app, struct row *row, const struct news *news)
{
    struct answer *answer = row->answer;
    int64_t wait_ms = FIRST_RETRY_MS;
    for (int i = 1; i < answer->tries && wait_ms < LAST_RETRY_MS; i++)
        wait_ms *= 2;
    if (news->wait_ms > wait_ms)
        wait_ms = news->wait_ms;
    answer->due_ms = app_now_ms(app) + (wait_ms < LAST_RETRY_MS ? wait_ms : LAST_RETRY_MS);
    struct buf text AUTO(buf_release) = {0};
    view_retry(app, row, &text);
    app_say_of(app, row, buf_text(&text));
}

/* Nothing was done, so it may wait for the person like one that was never sent. */
static void give_up(struct app *app, struct row *row)
{
    struct buf why AUTO(buf_release) = {0};
    buf_printf(&why, "The server was busy %d times. It is kept.", TRIES_MAX);
    view_hint(app, "send", "Send now", &why);
    view_hint(app, "undo", "Undo", &why);
    buf_printf(&why, "   (%d)", row->answer->status);
    row->answer->tries = 0;
    end(app, row, ANSWER_KEPT, &why);
}

/* What may have been done is asked about for as long as it takes. */
static void retry(struct app *app, struct row *row, const struct news *news)
{
    struct answer *answer = row->answer;
    answer->state = ANSWER_RETRYING;
    answer->unsure = answer->unsure || news->status == 0;
    if (!answer->unsure && answer->tries >= TRIES_MAX)
        give_up(app, row);
    else
        again_later(app, row, news);
}

static void signed_out(struct app *app, struct row *row, const struct news *news)
{
    app->connection.signed_out = true;
    app->connection.refusal = news->status;
    row->answer->state = ANSWER_KEPT;
}

static void gone(struct app *app, struct row *row, const struct news *news)
{
    (void)news;
    app_row_gone(app, row);
}

static size_t letters(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

static void refused(struct app *app, struct row *row, const struct news *news)
{
    struct buf why AUTO(buf_release) = {0};
    struct answer *answer = row->answer;
    const bool by_reason = answer->reason && (news->status == 400 || news->status == 422);
    if (news->error.kind == ERROR_CONFLICT && row->record->status != BOOKING_PENDING) {
        app_overtaken(app, row, news->status);
        return;
    }
    if (by_reason)
        buf_printf(&why, "The server did not take the reason text (%zu letters): ",
                   letters(answer->reason));
    view_outside(&why, news->error.text, SENTENCE_COLUMNS);
    if (by_reason) {
        view_hint(app, "edit", "Edit", &why);
        buf_text_append(&why, "   Esc Keep waiting");
    }
    buf_printf(&why, "   (%d)", news->status);
    answer->refused = by_reason;
    not_done(app, row, &why);
}

static void recorded(struct app *app, struct row *row)
{
    row->answer->state = ANSWER_RECORDED;
    app_step(app, row, (struct step){.kind = STEP_RECORDED});
    app->connection.next_check_ms = app_now_ms(app);
    app_say_of(app, row, row->record->delivered ? "delivered." : "recorded.");
    if (row->record->delivered)
        settle(app, row, STEP_DELIVERED);
}

void app_decision_news(struct app *app, const struct news *news)
{
    /* Every kind that is not here says that it will not be done. */
    static void (*const by_kind[ERROR_KINDS])(struct app *, struct row *, const struct news *) = {
        [ERROR_NOT_FOUND] = gone, [ERROR_UNAUTHORISED] = signed_out, [ERROR_FORBIDDEN] = signed_out,
        [ERROR_BUSY] = retry,     [ERROR_UNAVAILABLE] = retry,
    };
    struct row *row = rows_find(&app->rows, news->id);
    if (!row || !row->answer || row->answer->state != ANSWER_SENDING)
        return;
    if (news->error.kind == ERROR_NONE) {
        recorded(app, row);
        return;
    }
    row->answer->status = news->status;
    row->answer->state = ANSWER_RETRYING; /* its step must not look like one that is to be sent */
    app_step(
        app, row,
        (struct step){.kind = STEP_ANSWERED, .number = news->status, .text = news->error.text});
    (by_kind[news->error.kind] ? by_kind[news->error.kind] : refused)(app, row, news);
}
