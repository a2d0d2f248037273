/* Holds a log of promises against two stores: fault_check [--settled] LOG INTAKE.db DECISION.db.
 * Exit 0 when all are kept, 1 when not, 2 when it could not look. */
#include <stdio.h>
#include <string.h>

#include "load_promises.h"

int main(int count, char **words)
{
    const bool settled = count > 1 && strcmp(words[1], "--settled") == 0;
    struct promises_result result = {0};
    struct error error = {0};
    if (count != 4 + settled) {
        (void)fputs("usage: fault_check [--settled] LOG INTAKE.db DECISION.db\n", stderr);
        return 2;
    }
    const struct promises_paths paths = {.log = words[1 + settled],
                                         .intake = words[2 + settled],
                                         .decision = words[3 + settled],
                                         .settled = settled};
    if (!promises_check(&paths, &result, &error)) {
        (void)fprintf(stderr, "fault_check: %s\n", error.text);
        return 2;
    }
    (void)printf("%lld bookings, %lld statuses promised; %lld lost, %lld below, %lld doubled,"
                 " %lld broken, %lld damaged%s%s\n",
                 (long long)result.bookings, (long long)result.statuses, (long long)result.lost,
                 (long long)result.below, (long long)result.doubled, (long long)result.broken,
                 (long long)result.damaged, *result.first ? "; first: " : "", result.first);
    return promises_kept(&result) ? 0 : 1;
}
