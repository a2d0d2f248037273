/* Sums, and the figure. Knows nothing of how it is found out. */
#include "allocations_ledger.h"

#include <inttypes.h>

#include "figure.h"

void ledger_add(struct ledger *sum, const struct ledger *more)
{
    sum->points += more->points;
    sum->right += more->right;
    sum->refused += more->refused;
    sum->stopped += more->stopped;
    sum->wrong += more->wrong;
    sum->leaks += more->leaks;
    sum->crashes += more->crashes;
    for (int owner = 0; owner < MEMORY_OWNERS; owner++)
        sum->by_owner[owner] += more->by_owner[owner];
}

bool ledger_figure(const struct ledger *sum, const struct plan *plan, int64_t bugs, int64_t leaks)
{
    const int64_t *by = sum->by_owner;
    const bool good = sum->crashes + sum->leaks + sum->wrong == 0 && sum->points >= plan->wanted &&
                      bugs > 0 && leaks > 0;
    return figure(
        "R6", good,
        "allocations failed in turn: %" PRId64 " points (%" PRId64 " ours, %" PRId64
        " SQLite, %" PRId64 " jansson, %" PRId64 " libevent, %" PRId64 " OpenSSL); %" PRId64
        " crashes, %" PRId64 " leaks, %" PRId64 " wrong answers; right at once in %" PRId64
        ", a clean error in %" PRId64 ", stopped on purpose in %" PRId64
        ", stores whole after each; planted: unchecked jansson %s, leak %s",
        sum->points, by[MEMORY_OURS], by[MEMORY_SQLITE], by[MEMORY_JANSSON], by[MEMORY_LIBEVENT],
        by[MEMORY_OPENSSL], sum->crashes, sum->leaks, sum->wrong, sum->right, sum->refused,
        sum->stopped, bugs > 0 ? "found" : "missed", leaks > 0 ? "found" : "missed");
}
