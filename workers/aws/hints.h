/* What the headers of an answer say besides: the server's clock, and how long to wait. */
#ifndef BOOKFLOW_HINTS_H
#define BOOKFLOW_HINTS_H

#include <stdbool.h>
#include <stdint.h>

#include "exchange.h"
#include "world.h"

/* The server's clock minus ours. False without a Date that can be trusted: a cache's, or one that
 * came long after the question. */
bool hints_skew(const struct exchange_answer *answer, const struct world *world, int64_t took_ms,
                int64_t *skew_ms);

/* What the server asks to wait for before another try; -1 = nothing. */
int64_t hints_retry_after_ms(const struct exchange_answer *answer);

#endif
