/* The app: everything about its answers. An answer is kept in the journal before it is shown as
 * staged, and what becomes of it is noted there, step by step. Answers that were given together are
 * one group: they are taken back and sent together. */
#ifndef BOOKFLOW_ANSWERS_H
#define BOOKFLOW_ANSWERS_H

#include "history.h"
#include "news.h"
#include "rows.h"

enum { TRIES_MAX = 6, UNDO_WITHOUT_JOURNAL_MS = 10 * 1000 };

enum journal_state {
    JOURNAL_NONE, /* nobody keeps one */
    JOURNAL_WORKS,
    JOURNAL_FAILED /* the person was told: answers go without */
};

struct answers {
    struct history history; /* of this console and of those before it */
    enum journal_state journal;
    struct buf lines; /* for the journal, not handed over yet */
    uint64_t asked;   /* how often lines were handed over */
    unsigned group;   /* the last one given out */
    int64_t last_s;   /* when the last answer was sent */
    /* What was not sent, or has no outcome, since an earlier console closed: */
    struct history_entry **leftovers;
    size_t leftover_count;
    unsigned leftover_group;
    bool looked_at; /* the person has seen them: from now on they are kept answers like others */
};

struct app;

void app_answers_release(struct app *app);

/* --- giving and taking back --- */

/* Says why not when the request cannot be answered. */
void app_stage(struct app *app, struct row *row, enum booking_command command, const char *reason);
/* All of them as one group; what cannot be answered is passed over. */
void app_stage_all(struct app *app, const struct row_list *rows, enum booking_command command,
                   const char *reason);
/* The group of that row, which must be staged. */
void app_undo(struct app *app, struct row *row);
void app_send(struct app *app, struct row *row);
size_t app_group_size(const struct app *app, const struct row *row);
/* Answers that wait for the person, because the connection was lost or the server too busy. */
bool row_is_kept(const struct row *row);
/* Of what was refused: type another reason, or let the request wait on. False: nothing was. */
void app_edit_reason(struct app *app);
bool app_keep_waiting(struct app *app);

/* --- what becomes of them --- */

void app_decision_news(struct app *app, const struct news *news);
/* The record of a row has changed: what does that mean for its answer? */
void app_record_changed(struct app *app, struct row *row);
void app_row_gone(struct app *app, struct row *row);
/* The connection is whole again. */
void app_back(struct app *app);
void app_tick_answers(struct app *app);

/* --- the journal --- */

/* From now on answers wait until they are kept. */
void app_use_journal(struct app *app);
/* NULL when there is nothing to be written. */
struct news *app_journal_question(struct app *app);
void app_journal_news(struct app *app, struct news *news);
/* Notes a step; `at_s` is now. */
void app_step(struct app *app, struct row *row, struct step step);
/* Looks what has become of bookings whose answer an earlier console left open. */
void app_ask_leftovers(struct app *app);
void app_leftover_news(struct app *app, const struct news *news);
/* Those that were not sent. */
size_t app_unsent_leftovers(const struct app *app);
void app_close_leftovers(struct app *app);
void app_send_leftovers(struct app *app);
void app_undo_leftovers(struct app *app);
/* Enter: shows what the message offers to look at. False: it offers nothing. */
bool app_see(struct app *app);
void app_forget_leftover(struct app *app, const struct history_entry *entry);

/* --- between these files --- */

/* "Zoe: ACCEPT " and what became of it. */
void app_say_of(struct app *app, const struct row *row, const char *what);
void app_activate(struct app *app, struct row *row);
void app_deactivate(struct app *app, const struct row *row);
/* Sends one answer, whatever its group. */
void app_send_one(struct app *app, struct row *row);
/* The last step is on the disk, or will never be. */
void app_step_kept(struct app *app, struct row *row);
/* The booking is not what the answer was given for. */
void app_overtaken(struct app *app, struct row *row, int status);

#endif
