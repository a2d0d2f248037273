/* Work that a role gives itself from time to time: expiring bookings, forgetting what is old. One
 * of a kind is with the writer at a time. */
#ifndef BOOKFLOW_CHORES_H
#define BOOKFLOW_CHORES_H

#include "worker.h"

enum { CHORES_SWEEP_MS = 1000 };

/* How a role expires bookings. */
struct chores_expiry {
    bool (*due)(struct db *db, int64_t now_ms, bool *due, struct error *error);
    bool (*expire)(struct db *db, const struct world *world, int64_t now_ms, struct error *error);
    bool when_caught_up; /* only when no answer of the other worker can be waiting */
};

struct chore {
    struct operation operation; /* first: the writer hands this back */
    struct chores *chores;
    int64_t next_ms; /* ticks */
    int64_t now_ms;  /* wall time it was submitted at */
    bool busy;
    bool more; /* there may be more than one run does: look again at once */
};

/* Stays where it is while a chore is with the writer. */
struct chores {
    struct worker *worker;
    struct chores_expiry how;
    struct chore expiry;
    struct chore pruning;
};
void chores_init(struct chores *chores, struct worker *worker, const struct chores_expiry *how);

/* Gives the writer what is due. Call at least every CHORES_SWEEP_MS. */
void chores_step(struct chores *chores);

#endif
