/* How long to wait after failures, and the memory of something that is failing as a whole. */
#ifndef BOOKFLOW_BACKOFF_H
#define BOOKFLOW_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

#include "world.h"

/* Half jitter in [t/2, t], t = min(first * 2^(failures-1), maximum), in the unit of `first`.
 * failures >= 1. */
int64_t backoff(const struct world *world, int64_t first, int64_t maximum, int64_t failures);

/* The same for calls to the queue and for writes: from 100 ms to 5 s. */
int64_t backoff_ms(const struct world *world, int64_t failures);

/* Something that many calls share (the queue, the store) and that may be out of reach. Starts as
 * {.since_ms = wall time}. */
enum { OUTAGE_REASON_SIZE = 160 };
struct outage {
    int64_t failures; /* in a row */
    int64_t until_ms; /* ticks: leave it alone before */
    bool down;
    int64_t since_ms; /* wall time of the last change of `down` */
    char reason[OUTAGE_REASON_SIZE];
};

void outage_failed(struct outage *outage, const struct world *world, const char *reason);
void outage_over(struct outage *outage, const struct world *world);

/* True while it is to be left alone. */
bool outage_waits(const struct outage *outage, const struct world *world);

/* Copies a sentence, cut to the room on a whole letter. */
void reason_copy(char out[static OUTAGE_REASON_SIZE], const char *text);

#endif
