/* The booking: its record, its states and the one table that says what may become of it.
 *
 * States only move up: pending < confirmed, rejected < cancelled. Commands (what people ask for)
 * are refused where the table says so; events (what the other worker tells) never are: they move
 * the booking up or do nothing. That is why duplicates, delays and reordering need no special case.
 */
#ifndef BOOKFLOW_BOOKING_H
#define BOOKFLOW_BOOKING_H

#include <stdbool.h>
#include <stdint.h>

#include "errors.h"
#include "ids.h"

enum booking_status {
    BOOKING_PENDING,
    BOOKING_CONFIRMED,
    BOOKING_REJECTED,
    BOOKING_CANCELLED,
    BOOKING_STATUSES,
    BOOKING_ABSENT = BOOKING_STATUSES /* no row yet: the "from" of a first transition */
};

enum booking_command {
    BOOKING_ACCEPT,   /* provider */
    BOOKING_REJECT,   /* provider */
    BOOKING_WITHDRAW, /* provider: cancel what was confirmed */
    BOOKING_CANCEL,   /* user */
    BOOKING_EXPIRE,   /* the system, when the slot starts */
    BOOKING_COMMANDS
};

struct booking {
    char id[ID_SIZE];
    char user_id[ID_SIZE];
    char provider_id[ID_SIZE];
    char slot_id[ID_SIZE];
    int64_t
        start_s; /* seconds since 1970; 0 = unknown: the tombstone of a cancel without its create */
    int64_t end_s;
    enum booking_status status;
};

/* "pending" ...; "" for BOOKING_ABSENT. */
const char *booking_status_name(enum booking_status status);
MUST_CHECK bool booking_status_parse(const char *name, enum booking_status *status);

/* What a command makes of a booking in `from`. False: refused, *to untouched. */
MUST_CHECK bool booking_command_result(enum booking_command command, enum booking_status from,
                                       enum booking_status *to);

/* True when `to` is above `from`: an event that says `to` is news. */
bool booking_moves_up(enum booking_status from, enum booking_status to);

#endif
