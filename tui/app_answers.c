/* The app: answers that are given, taken back and sent. What becomes of them is in app_outcomes.c,
 * what is kept of them in app_journal.c. */
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "dialog.h"
#include "text.h"
#include "view.h"

enum { NAME_COLUMNS = 40 };

void app_answers_release(struct app *app)
{
    history_release(&app->answers.history);
    buf_release(&app->answers.lines);
    free(app->answers.leftovers);
}

void app_say_of(struct app *app, const struct row *row, const char *what)
{
    struct buf name AUTO(buf_release) = {0};
    view_outside(&name, record_client(row->record), NAME_COLUMNS);
    app_say(app, "%s: %s %s", buf_text(&name), row_verb(row), what);
}

/* --- the answers under way --- */

void app_activate(struct app *app, struct row *row)
{
    if (app->active_count == app->active_capacity) {
        app->active_capacity = app->active_capacity ? 2 * app->active_capacity : 8;
        app->active = memory_resize(app->active, app->active_capacity, sizeof(struct row *));
    }
    app->active[app->active_count++] = row;
}

void app_deactivate(struct app *app, const struct row *row)
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

bool row_is_kept(const struct row *row)
{
    return row_is_staged(row) && row->answer->state == ANSWER_KEPT;
}

struct row *app_staged_row(const struct app *app)
{
    struct row *looked_at = app_row(app);
    if (looked_at && row_is_staged(looked_at))
        return looked_at;
    for (size_t i = app->active_count; i > 0; i--)
        if (row_is_staged(app->active[i - 1]))
            return app->active[i - 1];
    return NULL;
}

static bool is_of_group(const struct row *row, unsigned group)
{
    return row_is_staged(row) && row->answer->group == group;
}

size_t app_group_size(const struct app *app, const struct row *row)
{
    size_t size = 0;
    for (size_t i = 0; i < app->active_count; i++)
        size += is_of_group(app->active[i], row->answer->group);
    return size;
}

/* --- giving them --- */

static bool may_be_answered(const struct row *row)
{
    return row->record->status == BOOKING_PENDING && row_is_settled(row);
}

static void stage(struct app *app, struct row *row, enum booking_command command,
                  const char *reason)
{
    row_drop_answer(row);
    row->answer = memory_new(1, sizeof *row->answer);
    *row->answer = (struct answer){.state = ANSWER_SAVING,
                                   .command = command,
                                   .reason = reason ? memory_text(reason) : NULL,
                                   .group = app->answers.group};
    id_new(app->world, row->answer->key);
    app_activate(app, row);
    app_step(app, row, (struct step){.kind = STEP_STAGED});
}

/* The reason goes out and into the journal as it is, or not at all. */
static bool takes_reason(struct app *app, const char *reason)
{
    if (!reason || text_is_utf8(reason, strlen(reason)))
        return true;
    app_say(app, "The reason is not valid text. Nothing was rejected.");
    return false;
}

void app_stage(struct app *app, struct row *row, enum booking_command command, const char *reason)
{
    if (!may_be_answered(row)) {
        struct buf why AUTO(buf_release) = {0};
        buf_text_append(&why, "This request is answered already.");
        if (row_is_staged(row))
            view_hint(app, "undo", "Undo", &why);
        app_say(app, "%s", buf_text(&why));
        return;
    }
    app_stage_all(app, &(struct row_list){.rows = &row, .count = 1}, command, reason);
}

void app_stage_all(struct app *app, const struct row_list *rows, enum booking_command command,
                   const char *reason)
{
    if (!takes_reason(app, reason))
        return;
    buf_clear(&app->notice);
    app->ticked_ms = app_now_ms(app); /* nobody saw a countdown before */
    app->answers.group++;
    for (size_t i = 0; i < rows->count; i++)
        if (may_be_answered(rows->rows[i]))
            stage(app, rows->rows[i], command, reason);
}

/* --- taking them back --- */

static void take_back(struct app *app, struct row *row)
{
    app_step(app, row, (struct step){.kind = STEP_UNDONE});
    app_forget_leftover(app, row->answer->entry);
    app_deactivate(app, row);
    row_drop_answer(row);
    app_tidy(app, row);
}

void app_undo(struct app *app, struct row *row)
{
    const unsigned group = row->answer->group;
    const size_t size = app_group_size(app, row);
    const char *nothing = row->answer->tries > 0 ? "done" : "sent";
    struct buf what AUTO(buf_release) = {0};
    buf_printf(&what, "taken back. Nothing was %s.", nothing);
    if (size > 1)
        app_say(app, "%zu answers %s", size, buf_text(&what));
    else
        app_say_of(app, row, buf_text(&what));
    for (size_t i = app->active_count; i > 0; i--)
        if (is_of_group(app->active[i - 1], group))
            take_back(app, app->active[i - 1]);
}

/* --- sending them --- */

void app_send_one(struct app *app, struct row *row)
{
    struct answer *answer = row->answer;
    if (answer->state == ANSWER_SAVING) {
        answer->hurried = true;
        return;
    }
    answer->state = ANSWER_SENDING;
    answer->tries++;
    app->answers.last_s = app_now_s(app);
    app_forget_leftover(app, answer->entry);
    app_step(app, row, (struct step){.kind = STEP_SENT, .number = answer->tries});
}

void app_send(struct app *app, struct row *row)
{
    const unsigned group = row->answer->group;
    if (!app_is_live(app)) {
        app_say(app, "There is no connection. The answer is kept and shown; nothing was sent.");
        return;
    }
    for (size_t i = 0; i < app->active_count; i++)
        if (is_of_group(app->active[i], group))
            app_send_one(app, app->active[i]);
}

static void post(struct app *app, const struct row *row)
{
    const struct answer *answer = row->answer;
    struct news *question = news_new(NEWS_DECISION, row->id);
    question->command = answer->command;
    question->reason = answer->reason ? memory_text(answer->reason) : NULL;
    id_copy(question->key, answer->key);
    app_ask(app, question);
}

/* Without a journal nothing goes out before the person could have seen that. */
static int64_t undo_ms(const struct app *app, const struct answer *answer)
{
    const int64_t set_ms = (int64_t)app->conf->undo_seconds * 1000;
    return answer->unkept && set_ms < UNDO_WITHOUT_JOURNAL_MS ? UNDO_WITHOUT_JOURNAL_MS : set_ms;
}

void app_step_kept(struct app *app, struct row *row)
{
    struct answer *answer = row->answer;
    answer->mark = 0;
    if (answer->state == ANSWER_SENDING)
        post(app, row);
    if (answer->state != ANSWER_SAVING)
        return;
    answer->state = app_is_live(app) ? ANSWER_STAGED : ANSWER_KEPT;
    answer->due_ms = app_now_ms(app) + undo_ms(app, answer);
    const bool at_once = app->conf->undo_seconds == 0 || answer->hurried;
    if (answer->state == ANSWER_STAGED && at_once && !answer->unkept)
        app_send_one(app, row);
}

/* --- a reason that was refused --- */

static struct row *refused_row(const struct app *app)
{
    struct row *row = app_row(app);
    return row && row->answer && row->answer->state == ANSWER_NOT_DONE &&
                   row->record->status == BOOKING_PENDING
               ? row
               : NULL;
}

void app_edit_reason(struct app *app)
{
    struct row *row = refused_row(app);
    if (!row || !row->answer->refused) {
        app_say(app, "No reason was refused here.");
        return;
    }
    dialog_open(app, MODE_TYPING);
    app->target = row;
    buf_clear(&app->typed);
    buf_text_append(&app->typed, row->answer->reason);
}

bool app_keep_waiting(struct app *app)
{
    struct row *row = refused_row(app);
    if (!row)
        return false;
    row_drop_answer(row);
    app_say(app, "The request keeps waiting.");
    return true;
}

/* --- time --- */

/* What an outage kept is one group from now on, and nothing of it goes out by itself: the list has
 * changed since the person answered. What may have been done already is looked after at once. */
void app_back(struct app *app)
{
    struct connection *connection = &app->connection;
    app->answers.group++;
    for (size_t i = 0; i < app->active_count; i++) {
        struct answer *answer = app->active[i]->answer;
        if (answer->state != ANSWER_KEPT)
            continue;
        if (answer->group != app->answers.leftover_group)
            answer->group = app->answers.group;
        if (answer->unsure) {
            answer->state = ANSWER_RETRYING;
            answer->due_ms = app_now_ms(app);
        }
    }
    if (connection->away) {
        connection->away_ms = app_now_ms(app) - connection->lost_ms;
        buf_clear(&app->notice); /* what was said before is over */
    }
    connection->away = false;
    app_ask_leftovers(app);
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
            app_send_one(app, row);
    }
}
