/* Back-off with half jitter. Must not know what failed. */
#include "backoff.h"

#include <assert.h>
#include <string.h>

#include "text.h"

enum { BACKOFF_FIRST_MS = 100, BACKOFF_MAXIMUM_MS = 5000 };

int64_t backoff(const struct world *world, int64_t first, int64_t maximum, int64_t failures)
{
    assert(failures >= 1);
    int64_t full = first;
    for (int64_t doubled = 1; doubled < failures && full < maximum; doubled++)
        full *= 2;
    if (full > maximum)
        full = maximum;
    return world_between(world, (full + 1) / 2, full);
}

int64_t backoff_ms(const struct world *world, int64_t failures)
{
    return backoff(world, BACKOFF_FIRST_MS, BACKOFF_MAXIMUM_MS, failures);
}

void reason_copy(char out[static OUTAGE_REASON_SIZE], const char *text)
{
    const char *const end = text + strlen(text);
    const char *at = text;
    size_t fits = 0;
    while (at < end) {
        (void)text_next(&at, end);
        if (at - text >= OUTAGE_REASON_SIZE)
            break;
        fits = (size_t)(at - text);
    }
    memcpy(out, text, fits);
    out[fits] = '\0';
}

void outage_failed(struct outage *outage, const struct world *world, const char *reason)
{
    /* Calls that were already open fail into the wait that the first of them began. They tell
     * nothing new, so they do not lengthen it. */
    if (!outage_waits(outage, world)) {
        outage->failures++;
        outage->until_ms = world_ticks_ms(world) + backoff_ms(world, outage->failures);
    }
    if (!outage->down)
        outage->since_ms = world_wall_ms(world);
    outage->down = true;
    reason_copy(outage->reason, reason);
}

void outage_over(struct outage *outage, const struct world *world)
{
    if (!outage->down)
        return;
    *outage = (struct outage){.since_ms = world_wall_ms(world)};
}

bool outage_waits(const struct outage *outage, const struct world *world)
{
    return outage->down && world_ticks_ms(world) < outage->until_ms;
}
