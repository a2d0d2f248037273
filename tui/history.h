/* The answers given on this computer, each with its steps: what the journal keeps and what History
 * shows. Pure: no files, no clock. Texts are as they came from outside, not sanitised. */
#ifndef BOOKFLOW_HISTORY_H
#define BOOKFLOW_HISTORY_H

#include <jansson.h>
#include <stddef.h>

#include "booking.h"
#include "buf.h"

enum step_kind {
    STEP_STAGED,
    STEP_UNDONE,
    STEP_SENT,     /* `number` is the try */
    STEP_ANSWERED, /* `number` is the HTTP status, 0 = no answer came; `text` the sentence */
    STEP_RECORDED,
    STEP_DELIVERED,
    STEP_DONE_ALREADY, /* by somebody else, alike */
    STEP_NOT_DONE,     /* `text` says why */
    STEP_KINDS
};

struct step {
    int64_t at_s;
    enum step_kind kind;
    int number;
    const char *text; /* NULL = none */
};

/* Its texts are its own. */
struct history_entry {
    const char *key; /* the Idempotency-Key, the same on every try */
    const char *booking;
    const char *client;
    const char *reason; /* NULL = none */
    int64_t start_s;
    enum booking_command command; /* BOOKING_ACCEPT or BOOKING_REJECT */
    struct step *steps;           /* at least one once it is in a history */
    size_t count;
    bool unsure; /* sent, and nobody knows what the server did with it */
};

/* Entries stay at their address until they are pruned. */
struct history {
    struct history_entry **entries; /* oldest first */
    size_t count;
    void *by_key;   /* of tsearch(3) */
    size_t damaged; /* lines that were passed over */
};

enum { HISTORY_MAX = 1000, HISTORY_DAYS = 30 };

void history_release(struct history *history);
void history_free(struct history **history); /* the struct, too; for AUTO() */

/* Copies key, booking, client, reason, start and command; the first step is still to be added. */
struct history_entry *history_begin(struct history *history, const struct history_entry *entry);
/* Moves the entries of `from` behind those of `to`. */
void history_move(struct history *to, struct history *from);
/* Copies the step. */
void history_add(struct history_entry *entry, const struct step *step);

/* The newest is 0; NULL behind the oldest. */
const struct history_entry *history_newest(const struct history *history, size_t i);
const struct step *history_last(const struct history_entry *entry);
/* Something is still to come: it was staged, or sent without a final outcome. */
bool history_is_open(const struct history_entry *entry);
/* Drops what is closed and older than HISTORY_DAYS, or beyond the newest HISTORY_MAX. Returns how
 * many that were. */
size_t history_prune(struct history *history, int64_t now_s);

/* Appends the journal's line for the last step. */
void history_write_line(const struct history_entry *entry, const struct step *step,
                        struct buf *out);
/* Takes a line of the journal in; a damaged one is counted and changes nothing. */
void history_read_line(struct history *history, const char *line, size_t length);

/* An answer with its steps, for people's programs. */
json_t *history_to_json(const struct history_entry *entry);
/* "staged", "not done" ...: as the journal and the JSON name a step. */
const char *history_step_name(enum step_kind kind);

#endif
