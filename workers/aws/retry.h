/* When a failed call is tried again: the SDKs' "standard" mode. Pure. Figures as in botocore and
 * the JavaScript SDK (smithy): three tries; half a thousand tokens shared by the calls of one
 * client, of which a retry takes some and a success gives some back, so that a service that is down
 * is not flooded; full jitter over an exponential delay. */
#ifndef BOOKFLOW_RETRY_H
#define BOOKFLOW_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "world.h"

enum { RETRY_TRIES = 3, RETRY_TOKENS = 500 };

enum retry_cause { RETRY_TRANSIENT, RETRY_THROTTLED };

struct retry_bucket {
    int tokens; /* starts as RETRY_TOKENS */
};

/* Takes what a retry costs; false, and takes nothing, when there is not enough. */
bool retry_take(struct retry_bucket *bucket, enum retry_cause cause, int *taken);

/* After a success: what its last retry took; one token for a call that needed none. */
void retry_give(struct retry_bucket *bucket, int taken);

/* How long to wait before the try after `tries` tries. asked_ms is what the server asked for with
 * x-amz-retry-after (-1 = nothing): heard within [delay, delay + 5 s]. */
int64_t retry_delay_ms(const struct world *world, enum retry_cause cause, int tries,
                       int64_t asked_ms);

#endif
