/* The real world: the system's clocks and OpenSSL's random bytes. Knows nothing of its users. */
#include "world.h"

#include <assert.h>
#include <limits.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <time.h>

static int64_t clock_ms(clockid_t clock)
{
    struct timespec now = {0};
    if (clock_gettime(clock, &now) != 0)
        abort();
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t real_wall_ms(void *context)
{
    (void)context;
    return clock_ms(CLOCK_REALTIME);
}

static int64_t real_ticks_ms(void *context)
{
    (void)context;
    return clock_ms(CLOCK_MONOTONIC);
}

/* Ids and secrets depend on it, so there is nothing sensible to do without it. */
static void real_random(void *context, void *bytes, size_t length)
{
    (void)context;
    if (length > INT_MAX || RAND_bytes(bytes, (int)length) != 1)
        abort();
}

const struct world *world_real(void)
{
    static const struct world REAL = {
        .wall_ms = real_wall_ms, .ticks_ms = real_ticks_ms, .random = real_random};
    return &REAL;
}

int64_t world_wall_ms(const struct world *world)
{
    return world->wall_ms(world->context);
}

int64_t world_ticks_ms(const struct world *world)
{
    return world->ticks_ms(world->context);
}

/* The remainder of 64 random bits favours low values by less than the span in 2^64. Rejecting the
 * surplus would be exact and would never end in a world whose chance is constant. */
int64_t world_between(const struct world *world, int64_t low, int64_t high)
{
    assert(low <= high);
    uint64_t chance = 0;
    world->random(world->context, &chance, sizeof chance);
    const uint64_t span = (uint64_t)high - (uint64_t)low + 1;
    const uint64_t step = span == 0 ? chance : chance % span;
    /* Unsigned arithmetic wraps into the right value, and the cast back keeps its bits. */
    return (int64_t)((uint64_t)low + step);
}
