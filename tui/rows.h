/* The bookings that the console knows, each with the answer given to it, and the list of those that
 * are shown: in an order, without what the person does not look for. A row stays at its address for
 * the whole session, so it may be pointed to. */
#ifndef BOOKFLOW_ROWS_H
#define BOOKFLOW_ROWS_H

#include <stddef.h>

#include "ids.h"
#include "record.h"
#include "row_list.h"

enum answer_state {
    ANSWER_SAVING,   /* on its way into the journal: not shown as staged before it is there */
    ANSWER_STAGED,   /* sent at due_ms unless it is taken back */
    ANSWER_KEPT,     /* it could not be sent: waits for the person */
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
    int status;                  /* of the last refusal */
    unsigned group;              /* what was given together is taken back and sent together */
    struct history_entry *entry; /* its steps */
    uint64_t mark; /* which lines of the journal must be on the disk before it goes on; 0 = none */
    bool unsure;   /* sent, and no outcome came: it may have been done */
    bool hurried;  /* to be sent as soon as it is in the journal */
    bool unkept;   /* not in the journal */
    bool refused;  /* of NOT DONE: the reason was, so another one may help */
};

struct row {
    const char *id; /* the record's */
    struct record *record;
    struct answer *answer; /* NULL = none given */
    char *folded;          /* the client's name for finding and sorting; NULL = never listed */
    uint32_t fetched;      /* in which fetch of the list it was last heard of */
    bool left;             /* it was seen to wait no more */
    bool listed;           /* belongs to the inbox, be it shown or hidden */
    bool fresh;            /* arrived by itself and was not under the cursor yet */
    bool marked;           /* only while it is listed */
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
    void *tree;                    /* of tsearch(3), by id */
    struct row_list known;         /* all of them, by start */
    struct row_list inbox;         /* what waits or is looked at, in the order that is shown */
    struct row_list other[ORDERS]; /* the same in the other orders, settled when they are used */
    struct row_list list;          /* of the inbox, what is shown */
    enum conf_order order;
    struct buf wanted; /* folded: what the person looks for; empty = everything */
    bool wants_id;     /* it may be the end of an id, too */
    size_t marked;
    int64_t longest_s; /* of all bookings */
    bool gathering;    /* rows are put behind those in order, until rows_settle() */
};

void rows_init(struct rows *rows, enum conf_order order);
void rows_release(struct rows *rows);

/* NULL when it is not known. */
struct row *rows_find(const struct rows *rows, const char *id);

/* Takes the record over: a new row, or the merge into the one there is. *changed: it was news. */
struct row *rows_put(struct rows *rows, struct record *record, bool *changed);

/* Where a row stands among those that are shown, or would stand. */
size_t rows_place(const struct rows *rows, const struct row *row);
/* Is it among them? */
bool rows_shows(const struct rows *rows, const struct row *row);

/* Into and out of the inbox. A mark goes with its row. May be called only when it changes. */
void rows_list(struct rows *rows, struct row *row);
void rows_unlist(struct rows *rows, struct row *row);
/* Many are to come: puts them in order once, by rows_settle(). Places mean nothing between. */
void rows_gather(struct rows *rows);
void rows_settle(struct rows *rows);
/* The first of `known` that may last until then or longer. */
size_t rows_reaching(const struct rows *rows, int64_t at_s);

void rows_sort(struct rows *rows, enum conf_order order);
/* Shows what has this text in its name or at the end of its id; "" shows everything. */
void rows_want(struct rows *rows, const char *text);
void rows_mark(struct rows *rows, struct row *row, bool marked);
/* Those that are marked, who waits longest first; the caller's. */
struct row_list rows_marked(const struct rows *rows);

#endif
