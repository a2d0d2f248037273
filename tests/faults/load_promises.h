/* What workers have promised (answered 2xx), kept by the client apart from every store, and held
 * against the stores afterwards. The log is one line for each promise:
 *
 *   booked ID SLOT USER         a booking, answered 201
 *   intake ID STATUS            what intake answered 200 to: cancelled
 *   decision ID STATUS          what the decision worker answered 200 to
 *   violation SENTENCE          seen by the client itself: a promise broken while it ran
 */
#ifndef BOOKFLOW_LOAD_PROMISES_H
#define BOOKFLOW_LOAD_PROMISES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "errors.h"

void promise_booked(FILE *log, const char *id, const char *slot, const char *user);
void promise_status(FILE *log, const char *side, const char *id, const char *status);
void promise_broken(FILE *log, const char *format, ...) PRINTF_LIKE(2, 3);

struct promises_paths {
    const char *log;
    const char *intake; /* the two stores, at rest or in use */
    const char *decision;
    bool settled; /* the queues are empty: the other side must know as well */
};

struct promises_result {
    int64_t bookings, statuses; /* promises looked at */
    int64_t lost;               /* the store does not have it */
    int64_t below;              /* the store is below or beside what was promised */
    int64_t doubled; /* users (of one request each) or slots with more than one booking */
    int64_t broken;  /* violations in the log */
    int64_t damaged; /* stores whose audit chain is not whole */
    char first[256]; /* of these; "" = none */
};

/* True: could look. What was found is in the result. */
MUST_CHECK bool promises_check(const struct promises_paths *paths, struct promises_result *result,
                               struct error *error);
bool promises_kept(const struct promises_result *result);

#endif
