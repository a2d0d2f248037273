/* Watches two stores and the embedded queue file between two workers until nothing is left to do,
 * and says what the time went into. */
#ifndef BOOKFLOW_KILLS_CONVERGE_H
#define BOOKFLOW_KILLS_CONVERGE_H

#include <stdbool.h>
#include <stdint.h>

#include "errors.h"

struct converge_paths {
    const char *intake;
    const char *decision;
    const char *queues;
};

struct converge_times {
    int64_t work_ms;    /* from the start until all was done that no dead worker held */
    int64_t leases_ms;  /* from the start until the last lease of the dead had run out */
    int64_t after_ms;   /* from then until nothing was left */
    int64_t total_ms;   /* from the start until nothing was left */
    int64_t leased;     /* messages that the dead held */
    int64_t behind;     /* bookings that the stores differed about for that */
    int64_t redriven;   /* dead letters put back, as an operator would */
    int64_t unfinished; /* still there at the limit; 0 = converged */
};

/* The start is now. False = could not look. With `hasten` the leases of the dead are ended as soon
 * as nothing else is left, instead of being waited for. */
MUST_CHECK bool converge_watch(const struct converge_paths *paths, bool hasten, int64_t limit_ms,
                               struct converge_times *times, struct error *error);

#endif
