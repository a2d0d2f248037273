/* The outbox: events that are true in this store and not yet on their queue. A row is written in
 * the transaction of the state change and deleted in the transaction that notes its arrival. */
#ifndef BOOKFLOW_OUTBOX_H
#define BOOKFLOW_OUTBOX_H

#include <stddef.h>
#include <stdint.h>

#include "db.h"
#include "event.h"

struct outbox_row {
    int64_t sequence; /* order of writing; a booking's events are sent in this order */
    char booking_id[ID_SIZE];
    char provider_id[ID_SIZE];
    char event_id[ID_SIZE];
    char traceparent[TRACEPARENT_SIZE];
    enum event_type type;
    int64_t created_ms;
    int64_t attempts; /* sends that failed */
    char *body;       /* owned by the row */
};

MUST_CHECK bool outbox_add(struct db *db, const struct event *event, int64_t now_ms,
                           struct error *error);

/* Reads up to `maximum` sendable rows with a sequence above `after`, lowest first. The caller
 * releases each row it got. */
MUST_CHECK bool outbox_load(struct db *db, int64_t after, struct outbox_row rows[], size_t maximum,
                            size_t *count, struct error *error);
void outbox_row_release(struct outbox_row *row);

/* The queue has it: deletes the row and writes PUBLISHED into the history. A row that is gone is
 * fine: two sends of one row can both be answered. */
MUST_CHECK bool outbox_sent(struct db *db, const struct outbox_row *row, int64_t now_ms,
                            struct error *error);

/* A send failed and will be tried again: counts it; the first failure goes into the history as
 * PUBLISH_FAILED with its reason. */
MUST_CHECK bool outbox_failed(struct db *db, const struct outbox_row *row, const char *reason,
                              int64_t now_ms, struct error *error);

/* The queue refuses it for good: sets it aside, PUBLISH_PARKED in the history. It is kept, counted
 * and alarmed, and holds nobody up. */
MUST_CHECK bool outbox_park(struct db *db, const struct outbox_row *row, const char *reason,
                            int64_t now_ms, struct error *error);

struct outbox_pressure {
    int64_t unsent;    /* parked ones not included */
    int64_t oldest_ms; /* created_ms of the oldest unsent; 0 = none */
    int64_t parked;
};
MUST_CHECK bool outbox_pressure(struct db *db, struct outbox_pressure *pressure,
                                struct error *error);

#endif
