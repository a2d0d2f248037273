/* What one store tells of one booking: its row, its steps, and the events it has written. For
 * convergence.c, which compares the stories of two stores. */
#ifndef BOOKFLOW_STORY_H
#define BOOKFLOW_STORY_H

#include <stddef.h>

#include "audit.h"
#include "booking.h"
#include "db.h"

/* An event that this store has written. Known from its outbox and from what the trail says of its
 * sending. */
struct story_event {
    char id[ID_SIZE];
    enum booking_status says; /* what the other store's booking has reached when it has heard */
    bool waiting;             /* in the outbox */
    bool failed;              /* at least one try to send it failed */
    bool acknowledged;        /* the queue took it */
    size_t effects;           /* steps of the other store that name it */
};

/* Starts as {0} and can be read again and again. */
struct story {
    bool known; /* the store has a booking; otherwise it has no more than traces */
    struct booking booking;
    struct audit_entry *steps; /* of the trail: what moved the booking, oldest first */
    size_t steps_count, steps_room;
    struct story_event *events;
    size_t events_count, events_room;
};

/* ERROR_DAMAGED names the row that cannot be one of ours. */
MUST_CHECK bool story_read(struct story *story, struct db *db, const char *booking_id,
                           struct error *error);
void story_release(struct story *story); /* for AUTO() */

struct story_event *story_event_find(const struct story *story, const char *event_id);

/* The event, added when it is not there yet. */
struct story_event *story_event_add(struct story *story, const char *event_id,
                                    enum booking_status says);

#endif
