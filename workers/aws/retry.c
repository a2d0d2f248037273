/* The retry rules. */
#include "retry.h"

enum {
    COST_TRANSIENT = 14,
    COST_THROTTLED = 5,
    BASE_TRANSIENT_MS = 50,
    BASE_THROTTLED_MS = 1000,
    DELAY_MAX_MS = 20 * 1000,
    ASKED_SLACK_MS = 5 * 1000
};

bool retry_take(struct retry_bucket *bucket, enum retry_cause cause, int *taken)
{
    const int cost = cause == RETRY_THROTTLED ? COST_THROTTLED : COST_TRANSIENT;
    if (bucket->tokens < cost)
        return false;
    bucket->tokens -= cost;
    *taken = cost;
    return true;
}

void retry_give(struct retry_bucket *bucket, int taken)
{
    bucket->tokens += taken > 0 ? taken : 1;
    if (bucket->tokens > RETRY_TOKENS)
        bucket->tokens = RETRY_TOKENS;
}

int64_t retry_delay_ms(const struct world *world, enum retry_cause cause, int tries,
                       int64_t asked_ms)
{
    int64_t most = cause == RETRY_THROTTLED ? BASE_THROTTLED_MS : BASE_TRANSIENT_MS;
    for (int i = 1; i < tries && most < DELAY_MAX_MS; i++)
        most *= 2;
    const int64_t delay = world_between(world, 0, most < DELAY_MAX_MS ? most : DELAY_MAX_MS);
    if (asked_ms <= delay)
        return delay;
    return asked_ms < delay + ASKED_SLACK_MS ? asked_ms : delay + ASKED_SLACK_MS;
}
