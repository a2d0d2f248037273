/* The answers of before in words: what became of each, its steps, what that means and what to do;
 * and the question about those that an earlier console did not send. */
#include <string.h>

#include "view.h"

enum { STATE_COLUMNS = 14, GIVEN_COLUMNS = 17, NAME_COLUMNS = 40, TEXT_COLUMNS = 400 };

static const struct {
    const char *word;
    enum view_mood mood;
    const char *meaning;
} kinds[STEP_KINDS] = {
    [STEP_STAGED] = {"not sent", VIEW_WARN, "It was not sent: nobody knows of it."},
    [STEP_UNDONE] = {"taken back", VIEW_PLAIN, "It was taken back. Nothing was sent."},
    [STEP_SENT] = {"sending", VIEW_WARN,
                   "It is on its way. If no answer comes, the same key is used again, so it cannot "
                   "be booked twice."},
    [STEP_ANSWERED] = {"not done yet", VIEW_WARN,
                       "It is not done yet. It waits or is tried again."},
    [STEP_RECORDED] = {"recorded", VIEW_GOOD,
                       "The server has it and tells the client. Nothing to do."},
    [STEP_DELIVERED] = {"delivered", VIEW_GOOD, "The client is being told. Nothing to do."},
    [STEP_DONE_ALREADY] = {"done already", VIEW_GOOD,
                           "Somebody else has done the same. Nothing to do."},
    [STEP_NOT_DONE] = {"NOT DONE", VIEW_BAD,
                       "It was not done. If the request still waits, answer it again."},
};

static const char *verb_of(const struct history_entry *entry)
{
    return entry->command == BOOKING_ACCEPT ? "ACCEPT" : "REJECT";
}

static void append_day_and_time(const struct app *app, int64_t seconds, struct buf *out)
{
    view_day(app, seconds, out);
    buf_char(out, ' ');
    view_time(out, seconds, TIME_CLOCK);
}

/* "Zoe, Today 15:30" */
static void append_request(const struct app *app, const struct history_entry *entry,
                           struct buf *out)
{
    view_outside(out, entry->client, NAME_COLUMNS);
    if (!entry->start_s)
        return;
    buf_text_append(out, ", ");
    append_day_and_time(app, entry->start_s, out);
}

const char *view_history_head(size_t columns)
{
    return columns >= 60 ? "  OUTCOME       GIVEN            ANSWER  CLIENT"
                         : "  OUTCOME       ANSWER  CLIENT";
}

enum view_mood view_history_row(const struct app *app, const struct history_entry *entry,
                                size_t columns, struct buf *out)
{
    struct buf client AUTO(buf_release) = {0};
    const struct step *last = history_last(entry);
    const bool here = entry == history_newest(&app->answers.history, app_history_place(app));
    size_t column = 2 + STATE_COLUMNS;
    buf_printf(out, "%c %s", here ? '>' : ' ', kinds[last->kind].word);
    view_pad(out, column);
    if (columns >= 60) {
        append_day_and_time(app, entry->steps[0].at_s, out);
        view_pad(out, column += GIVEN_COLUMNS);
    }
    buf_printf(out, "%s  ", verb_of(entry));
    append_request(app, entry, &client);
    view_outside(out, buf_text(&client), columns - column - 8);
    return kinds[last->kind].mood;
}

/* Before the first step of a day; `day` is that of the step before. */
static void append_day(const struct app *app, int64_t seconds, struct buf *day, struct buf *out)
{
    struct buf now AUTO(buf_release) = {0};
    view_full_day(app, seconds, &now);
    if (strcmp(buf_text(&now), buf_text(day)) == 0)
        return;
    buf_printf(out, "%s\n", buf_text(&now));
    buf_clear(day);
    buf_text_append(day, buf_text(&now));
}

static void append_step(const struct history_entry *entry, const struct step *step, struct buf *out)
{
    view_time(out, step->at_s, TIME_SECOND);
    buf_text_append(out, "  ");
    if (step->kind == STEP_SENT)
        buf_printf(out, "sent POST %s, key %s, try %d",
                   entry->command == BOOKING_ACCEPT ? "accept" : "reject", entry->key,
                   step->number);
    else if (step->kind == STEP_ANSWERED && step->number == 0)
        buf_text_append(out, "no answer");
    else if (step->kind == STEP_ANSWERED)
        buf_printf(out, "answer %d", step->number);
    else
        buf_text_append(out, history_step_name(step->kind));
    if (step->text) {
        buf_text_append(out, ": ");
        view_outside(out, step->text, TEXT_COLUMNS);
    }
    buf_char(out, '\n');
}

void view_history_detail(const struct app *app, const struct history_entry *entry, struct buf *out)
{
    append_request(app, entry, out);
    buf_printf(out, ": %s\n", verb_of(entry));
    if (entry->reason) {
        buf_text_append(out, "reason: ");
        view_outside(out, entry->reason, TEXT_COLUMNS);
        buf_char(out, '\n');
    }
    buf_printf(out, "%s\n", kinds[history_last(entry)->kind].meaning);
    struct buf day AUTO(buf_release) = {0};
    for (size_t i = 0; i < entry->count; i++) {
        append_day(app, entry->steps[i].at_s, &day, out);
        append_step(entry, &entry->steps[i], out);
    }
}

/* --- what was not sent --- */

void view_restart_title(const struct app *app, struct buf *out)
{
    const size_t count = app_unsent_leftovers(app);
    buf_printf(out, " %zu answer%s not sent when the console closed ", count,
               count == 1 ? " was" : "s were");
}

/* What the booking is now. */
static void append_now(const struct app *app, const struct history_entry *entry, struct buf *out)
{
    const struct row *row = rows_find(&app->rows, entry->booking);
    const struct step *last = history_last(entry);
    if (!history_is_open(entry) && last->text)
        view_outside(out, last->text, TEXT_COLUMNS);
    else if (!history_is_open(entry))
        buf_text_append(out, kinds[last->kind].meaning);
    else if (!row || !row->answer || row->answer->entry != entry)
        buf_text_append(out, "not known yet");
    else
        buf_text_append(out, "still waits for an answer");
}

void view_restart(const struct app *app, struct buf *out)
{
    for (size_t i = 0; i < app->answers.leftover_count; i++) {
        const struct history_entry *entry = app->answers.leftovers[i];
        if (entry->unsure)
            continue;
        buf_printf(out, "%s ", verb_of(entry));
        append_request(app, entry, out);
        buf_text_append(out, ": ");
        append_now(app, entry, out);
        buf_char(out, '\n');
    }
}
