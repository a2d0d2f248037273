/* An answer on its way: staged, where it can be taken back, then sending, recorded, delivered, or
 * NOT DONE and why. Pure state; who sends it and who shows it is not known here. */
#ifndef BOOKFLOW_ANSWER_H
#define BOOKFLOW_ANSWER_H

#include <stdint.h>

#include "booking.h"
#include "world.h"

enum answer_state {
    ANSWER_STAGED,   /* sent at due_ms unless it is taken back */
    ANSWER_KEPT,     /* its time came while there was no connection: waits for a person */
    ANSWER_SENDING,  /* no answer yet */
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
    bool unsure; /* sent, and no answer came: it may have been done */
};

struct answer *answer_new(const struct world *world, enum booking_command command,
                          const char *reason);
void answer_free(struct answer *answer);

/* Can be taken back without anybody having seen it. */
bool answer_is_staged(const struct answer *answer);
/* Needs nothing more: delivered, not done, or none at all. */
bool answer_is_over(const struct answer *answer);
/* On its way to the worker, with an outcome still to come. */
bool answer_is_sending(const struct answer *answer);

/* "ACCEPT" or "REJECT". */
const char *answer_verb(const struct answer *answer);

/* Ends it as NOT DONE; takes `why` over. */
void answer_fail(struct answer *answer, char *why);

#endif
