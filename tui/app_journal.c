/* The app: what is kept of its answers, and what earlier consoles have left. Pure like the rest: it
 * makes lines and hears what became of them. */
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "dialog.h"

void app_use_journal(struct app *app)
{
    app->answers.journal = JOURNAL_WORKS;
}

/* --- steps --- */

static void begin(struct app *app, struct row *row)
{
    const struct record *record = row->record;
    struct answer *answer = row->answer;
    answer->entry = history_begin(&app->answers.history,
                                  &(struct history_entry){.key = answer->key,
                                                          .booking = record->id,
                                                          .client = record_client(record),
                                                          .reason = answer->reason,
                                                          .start_s = record->start_s,
                                                          .command = answer->command});
}

/* Takes the step down; true when it must be waited for until that is on the disk. */
static bool note(struct app *app, struct history_entry *entry, struct step *step)
{
    step->at_s = app_now_s(app);
    history_add(entry, step);
    if (app->answers.journal == JOURNAL_NONE)
        return false;
    history_write_line(entry, step, &app->answers.lines);
    return true;
}

void app_step(struct app *app, struct row *row, struct step step)
{
    struct answer *answer = row->answer;
    if (!answer->entry)
        begin(app, row);
    if (note(app, answer->entry, &step))
        answer->mark = app->answers.asked + 1;
    else
        app_step_kept(app, row);
}

struct news *app_journal_question(struct app *app)
{
    struct answers *answers = &app->answers;
    if (answers->lines.length == 0)
        return NULL;
    struct news *question = news_new(NEWS_JOURNAL, NULL);
    question->number = ++answers->asked;
    question->lines = answers->lines;
    answers->lines = (struct buf){0};
    return question;
}

static void say_journal(struct app *app, const struct error *error)
{
    if (error->kind == ERROR_NONE)
        app_say(app, "The journal can be written again: answers are kept.");
    else
        app_say(app, "Answers are not kept: they are lost if this console dies. Journal: %s.",
                error->text);
}

/* The first failure must be seen before anything goes out; later ones are known. */
static void note_journal(struct app *app, const struct error *error)
{
    const enum journal_state state = error->kind == ERROR_NONE ? JOURNAL_WORKS : JOURNAL_FAILED;
    if (state != app->answers.journal)
        say_journal(app, error);
    app->answers.journal = state;
}

static void on_written(struct app *app, const struct news *news)
{
    const bool kept = news->error.kind == ERROR_NONE;
    note_journal(app, &news->error);
    for (size_t i = 0; i < app->active_count; i++) {
        struct row *row = app->active[i];
        struct answer *answer = row->answer;
        if (kept || (answer->mark && answer->mark <= news->number))
            answer->unkept = !kept;
        if (answer->mark && answer->mark <= news->number)
            app_step_kept(app, row);
    }
}

/* --- what was left --- */

size_t app_unsent_leftovers(const struct app *app)
{
    size_t count = 0;
    for (size_t i = 0; i < app->answers.leftover_count && !app->answers.looked_at; i++)
        count += !app->answers.leftovers[i]->unsure;
    return count;
}

void app_forget_leftover(struct app *app, const struct history_entry *entry)
{
    struct answers *answers = &app->answers;
    size_t kept = 0;
    for (size_t i = 0; i < answers->leftover_count; i++)
        if (answers->leftovers[i] != entry)
            answers->leftovers[kept++] = answers->leftovers[i];
    answers->leftover_count = kept;
}

static void collect_leftovers(struct app *app, const struct history *history)
{
    struct answers *answers = &app->answers;
    answers->leftovers = memory_new(history->count + 1, sizeof(struct history_entry *));
    for (size_t i = 0; i < history->count; i++)
        if (history_is_open(history->entries[i]))
            answers->leftovers[answers->leftover_count++] = history->entries[i];
}

/* Goes on with it where the earlier console stopped: with the same key. What was sent is looked
 * after at once, what was not waits for the person. */
static void adopt(struct app *app, struct row *row, struct history_entry *entry)
{
    struct answer *answer = memory_new(1, sizeof *answer);
    *answer = (struct answer){.state = entry->unsure ? ANSWER_RETRYING : ANSWER_KEPT,
                              .command = entry->command,
                              .reason = entry->reason ? memory_text(entry->reason) : NULL,
                              .due_ms = app_now_ms(app),
                              .group = app->answers.leftover_group,
                              .entry = entry,
                              .unsure = entry->unsure};
    id_copy(answer->key, entry->key);
    row_drop_answer(row);
    row->answer = answer;
    app_activate(app, row);
    if (entry->unsure)
        app_say_of(app, row,
                   "was sent before the console closed, but no answer came. Checking "
                   "what happened ...");
    if (entry->unsure || row->record->status == BOOKING_PENDING)
        return;
    app_overtaken(app, row, 0);
    buf_clear(&app->notice); /* the question about it tells all that */
}

/* What the person has answered anew waits until that is settled. False: nothing is known of it. */
static bool look_after(struct app *app, struct history_entry *entry)
{
    struct row *row = rows_find(&app->rows, entry->booking);
    if (row && row_is_settled(row))
        adopt(app, row, entry);
    return row;
}

void app_ask_leftovers(struct app *app)
{
    struct answers *answers = &app->answers;
    for (size_t i = 0; i < answers->leftover_count && app_is_live(app); i++) {
        struct history_entry *entry = answers->leftovers[i];
        if (history_is_open(entry) && !look_after(app, entry))
            app_ask(app, news_new(NEWS_BOOKING, entry->booking));
    }
}

void app_leftover_news(struct app *app, const struct news *news)
{
    struct answers *answers = &app->answers;
    for (size_t i = 0; i < answers->leftover_count; i++) {
        struct history_entry *entry = answers->leftovers[i];
        if (!history_is_open(entry) || strcmp(entry->booking, news->id) != 0)
            continue;
        if (news->error.kind == ERROR_NOT_FOUND)
            (void)note(app, entry,
                       &(struct step){.kind = STEP_NOT_DONE,
                                      .text = "The request no longer exists. (404)"});
        else
            (void)look_after(app, entry);
    }
}

/* The journal of earlier consoles comes before what was answered here meanwhile. */
static void on_opened(struct app *app, struct news *news)
{
    struct history *history = &app->answers.history;
    if (news->history) {
        if (news->error.kind == ERROR_NONE)
            collect_leftovers(app, news->history);
        history_move(news->history, history);
        *history = *news->history;
        *news->history = (struct history){0};
    }
    if (history->damaged > 0)
        app_say(app, "%zu damaged lines of the journal were passed over.", history->damaged);
    note_journal(app, &news->error);
    app->answers.leftover_group = ++app->answers.group;
    app_ask_leftovers(app);
}

void app_journal_news(struct app *app, struct news *news)
{
    if (news->kind == NEWS_OPENED)
        on_opened(app, news);
    else
        on_written(app, news);
}

/* --- the question about it --- */

static struct row *leftover_row(const struct app *app)
{
    for (size_t i = 0; i < app->active_count; i++)
        if (row_is_staged(app->active[i]) &&
            app->active[i]->answer->group == app->answers.leftover_group)
            return app->active[i];
    return NULL;
}

void app_close_leftovers(struct app *app)
{
    app->answers.looked_at = true;
    dialog_close(app);
}

void app_send_leftovers(struct app *app)
{
    struct row *row = leftover_row(app);
    if (!app_is_live(app)) {
        app_say(app, "There is no connection, so nothing can be sent.");
        return;
    }
    app_close_leftovers(app);
    if (row)
        app_send(app, row);
}

void app_undo_leftovers(struct app *app)
{
    struct answers *answers = &app->answers;
    struct row *row = leftover_row(app);
    app_close_leftovers(app);
    if (row)
        app_undo(app, row);
    for (size_t i = answers->leftover_count; i > 0; i--) { /* what was not found yet */
        struct history_entry *entry = answers->leftovers[i - 1];
        if (!history_is_open(entry) || entry->unsure)
            continue;
        (void)note(app, entry, &(struct step){.kind = STEP_UNDONE});
        app_forget_leftover(app, entry);
    }
}

bool app_see(struct app *app)
{
    struct row *row = app->see;
    app->see = NULL;
    if (app_unsent_leftovers(app) > 0) {
        app_ask_leftovers(app);
        dialog_open(app, MODE_RESTART);
        return true;
    }
    if (!row || !rows_shows(&app->rows, row))
        return false;
    app_show(app, SHOW_INBOX);
    app_go_to(app, rows_place(&app->rows, row));
    return true;
}
