/* The outside world as the core sees it: time and chance. Everything below the rim takes a struct
 * world instead of asking the system, so that a simulation can own both. */
#ifndef BOOKFLOW_WORLD_H
#define BOOKFLOW_WORLD_H

#include <stddef.h>
#include <stdint.h>

struct world {
    int64_t (*wall_ms)(void *context);  /* since 1970, UTC; may jump either way */
    int64_t (*ticks_ms)(void *context); /* monotonic; for deadlines and leases */
    void (*random)(void *context, void *bytes, size_t length);
    void *context;
};

/* The real one: the system's clocks and OpenSSL's random bytes. */
const struct world *world_real(void);

int64_t world_wall_ms(const struct world *world);
int64_t world_ticks_ms(const struct world *world);

/* Uniform in [low, high]. */
int64_t world_between(const struct world *world, int64_t low, int64_t high);

#endif
