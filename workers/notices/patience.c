/* The schedules. */
#include "patience.h"

#include "backoff.h"

enum { FIRST_MS = 2000, LONGEST_MS = 900 * 1000 };

/* The example schedule of Standard Webhooks, as far as a day goes; jitter makes it up to a tenth
 * longer. */
static int64_t webhook_ms(const struct world *world, int64_t attempts)
{
    static const int64_t schedule_s[] = {5, 300, 1800, 7200, 18000, 36000, 50400};
    enum { STEPS = sizeof schedule_s / sizeof *schedule_s };
    const int64_t delay = schedule_s[(attempts < STEPS ? attempts : STEPS) - 1] * 1000;
    return world_between(world, delay, delay + delay / 10);
}

int64_t patience_ms(const struct world *world, enum notice_channel channel, int64_t attempts)
{
    return channel == CHANNEL_WEBHOOK ? webhook_ms(world, attempts)
                                      : backoff(world, FIRST_MS, LONGEST_MS, attempts);
}
