/* Stands between the workers and their handlers: the linker's --wrap leads every call of
 * decision_hear() and intake_hear() here, so that the product needs no hook for it. */
#include "world_poison.h"

#include <string.h>

#include "consumer.h"
#include "people.h"
#include "world_side.h"

enum { FAILS_ONE_IN = 40 };

/* The handler is called with nothing that leads to a world, so the one that runs is kept here. */
static struct simulation *current;

/* NOLINTBEGIN(bugprone-reserved-identifier): the names are the linker's. */
consumer_handle_fn __real_decision_hear, __wrap_decision_hear;
consumer_handle_fn __real_intake_hear, __wrap_intake_hear;
/* NOLINTEND(bugprone-reserved-identifier) */

void poison_begin(struct simulation *simulation)
{
    current = simulation;
}

void poison_end(void)
{
    current = NULL;
}

/* Something it needs is out of reach at the moment. */
static bool fails_by_chance(struct error *error)
{
    return !current->settling && one_in(current, FAILS_ONE_IN) &&
           !error_set(error, ERROR_UNAVAILABLE, "a passing trouble");
}

static bool kills(const struct event *event)
{
    return !current->cured && event->type == EVENT_BOOKING_CREATED &&
           strcmp(event->booking.user_id, POISON_USER) == 0;
}

bool __wrap_decision_hear(void *context, struct db *db, const struct event *event, int64_t now_ms,
                          enum consumer_effect *effect, struct error *error)
{
    if (fails_by_chance(error))
        return false;
    if (kills(event)) {
        trail_add(current, "decision: the poison %s kills it", event->booking.id);
        side_kill(current->sides[DECISION]);
        return error_set(error, ERROR_UNAVAILABLE, "the worker is dead");
    }
    return __real_decision_hear(context, db, event, now_ms, effect, error);
}

bool __wrap_intake_hear(void *context, struct db *db, const struct event *event, int64_t now_ms,
                        enum consumer_effect *effect, struct error *error)
{
    return !fails_by_chance(error) && __real_intake_hear(context, db, event, now_ms, effect, error);
}
