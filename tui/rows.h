/* The bookings that the console knows, each with the answer given to it, and the list of those that
 * are shown, oldest waiting first. A row stays at its address for the whole session, so it may be
 * pointed to. */
#ifndef BOOKFLOW_ROWS_H
#define BOOKFLOW_ROWS_H

#include <stddef.h>

#include "ids.h"
#include "record.h"

enum answer_state {
    ANSWER_STAGED,   /* sent at due_ms unless it is taken back */
    ANSWER_KEPT,     /* nothing can be sent now: waits for the connection, then is staged again */
    ANSWER_SENDING,  /* no outcome yet */
    ANSWER_RETRYING, /* sent again at due_ms, with the same key */
    ANSWER_RECORDED, /* the worker has it */
    ANSWER_DELIVERED,
    ANSWER_NOT_DONE,
    ANSWER_STATES
};

struct answer {
    enum answer_state state;
    enum booking_command command; /* BOOKING_ACCEPT or BOOKING_REJECT */
    char key[ID_SIZE];            /* the Idempotency-Key, the same on every try */
    char *reason;                 /* NULL = none */
    char *why;                    /* of NOT DONE: what happened and what to do */
    int64_t due_ms;
    int tries;
    bool unsure; /* sent, and no outcome came: it may have been done */
};

struct row {
    const char *id; /* the record's */
    struct record *record;
    struct answer *answer; /* NULL = none given */
    bool listed;
    bool fresh;       /* arrived by itself and was not under the cursor yet */
    uint32_t fetched; /* in which fetch of the list it was last heard of */
};

/* The answer can be taken back without anybody having seen it. */
bool row_is_staged(const struct row *row);
/* The answer is on its way, with an outcome still to come. */
bool row_is_sending(const struct row *row);
/* Nothing is under way: no answer, or one that is delivered or not done. */
bool row_is_settled(const struct row *row);
/* "ACCEPT" or "REJECT": the answer. */
const char *row_verb(const struct row *row);
void row_drop_answer(struct row *row);

struct rows {
    void *tree; /* of tsearch(3), by id */
    struct row **list;
    size_t list_capacity;
    size_t listed;
};

void rows_release(struct rows *rows);

/* NULL when it is not known. */
struct row *rows_find(const struct rows *rows, const char *id);

/* Takes the record over: a new row, or the merge into the one there is. *changed: it was news. */
struct row *rows_put(struct rows *rows, struct record *record, bool *changed);

/* Where a row stands in the list, or would stand. */
size_t rows_place(const struct rows *rows, const struct row *row);

/* Into and out of the list. Both return the place and may be called only when it changes. */
size_t rows_list(struct rows *rows, struct row *row);
size_t rows_unlist(struct rows *rows, struct row *row);

#endif
