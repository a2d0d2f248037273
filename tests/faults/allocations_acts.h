/* What happens in the story, one act after the other. */
#ifndef BOOKFLOW_ALLOCATIONS_ACTS_H
#define BOOKFLOW_ALLOCATIONS_ACTS_H

#include "allocations_stage.h"

enum act_kind {
    ACT_ASK,    /* a request and its answer */
    ACT_CONFIG, /* settings are read */
    ACT_OPEN,   /* both workers start */
    ACT_TURN,   /* what was asked goes through the queues */
    ACT_CLOSE   /* SIGTERM, and the end of the process */
};

struct act {
    enum act_kind kind;
    const char *line;    /* "METHOD path"; @0 to @3 are the ids of the bookings so far */
    const char *headers; /* NULL = none; each with its CRLF */
    const char *body;    /* NULL = none */
    bool books;          /* the answer has the id of one more booking */
    bool streams;        /* the answer has no end; only its status counts */
};

extern const struct act acts[];
extern const size_t acts_count;

struct ids {
    char all[STAGE_IDS][ID_TEXT];
    size_t count;
};

/* True when it came to its end; an answer is in `answer`. False: it failed and says why. */
MUST_CHECK bool act_do(const struct act *act, struct stage *stage, const struct ids *ids,
                       struct answer *answer, struct error *error);

/* Ids are made by chance, and how much of it was used depends on what failed: hides them. */
void answer_mask(struct answer *answer);

/* Notes the id that a booking's answer has. */
void act_learn(const struct act *act, const struct answer *answer, struct ids *ids);

#endif
