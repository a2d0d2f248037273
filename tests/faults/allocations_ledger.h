/* What was tried and what came of it; lies in memory that is shared by all processes. */
#ifndef BOOKFLOW_ALLOCATIONS_LEDGER_H
#define BOOKFLOW_ALLOCATIONS_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "allocations_memory.h"
#include "allocations_stage.h"

enum { ASKED_MAX = 16384, SEEN = 1 << 12 };

/* Of the libraries' and our own allocations every `stride`-th is tried, of SQLite's every
 * `sqlite_stride`-th, and when the workers start every `open_stride`-th of these. */
struct plan {
    int stride;
    int sqlite_stride;
    int open_stride;
    int64_t wanted; /* points */
};

/* Shared with the children: what they find out. */
struct ledger {
    int64_t points;
    int64_t by_owner[MEMORY_OWNERS];
    int64_t right;   /* as if nothing had been */
    int64_t refused; /* a clean error, and then right */
    int64_t stopped;
    int64_t wrong;
    int64_t leaks;
    int64_t crashes;
    /* Of the act at hand. */
    int64_t asked;
    unsigned char owners[ASKED_MAX];
    bool clean;
    enum memory_owner owner;
    struct answer expected;
    char reason[512];
    uint64_t seen[SEEN]; /* contents of the disk that were found good; 0 = free */
};

void ledger_add(struct ledger *sum, const struct ledger *more);

/* Prints the figure; false when it is missed. `bugs` and `leaks`: what was found of the planted. */
MUST_CHECK bool ledger_figure(const struct ledger *sum, const struct plan *plan, int64_t bugs,
                              int64_t leaks);

#endif
