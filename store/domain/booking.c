/* The states of a booking and what may become of them. Must not know JSON, stores or queues. */
#include "booking.h"

#include <assert.h>
#include <string.h>

static const char *const NAMES[BOOKING_STATUSES + 1] = {
    [BOOKING_PENDING] = "pending",   [BOOKING_CONFIRMED] = "confirmed",
    [BOOKING_REJECTED] = "rejected", [BOOKING_CANCELLED] = "cancelled",
    [BOOKING_ABSENT] = "",
};

static const int RANKS[BOOKING_STATUSES + 1] = {
    [BOOKING_PENDING] = 0,   [BOOKING_CONFIRMED] = 1, [BOOKING_REJECTED] = 1,
    [BOOKING_CANCELLED] = 2, [BOOKING_ABSENT] = -1,
};

/* By status before. No command makes a booking absent, so that stands for "refused"; every cell is
 * written out, for one left out would read as pending. */
static const enum booking_status RESULTS[BOOKING_COMMANDS][BOOKING_STATUSES + 1] = {
    /* pending, confirmed, rejected, cancelled, absent */
    [BOOKING_ACCEPT] = {BOOKING_CONFIRMED, BOOKING_ABSENT, BOOKING_ABSENT, BOOKING_ABSENT,
                        BOOKING_ABSENT},
    [BOOKING_REJECT] = {BOOKING_REJECTED, BOOKING_ABSENT, BOOKING_ABSENT, BOOKING_ABSENT,
                        BOOKING_ABSENT},
    [BOOKING_WITHDRAW] = {BOOKING_ABSENT, BOOKING_CANCELLED, BOOKING_ABSENT, BOOKING_ABSENT,
                          BOOKING_ABSENT},
    [BOOKING_CANCEL] = {BOOKING_CANCELLED, BOOKING_CANCELLED, BOOKING_ABSENT, BOOKING_ABSENT,
                        BOOKING_ABSENT},
    [BOOKING_EXPIRE] = {BOOKING_CANCELLED, BOOKING_ABSENT, BOOKING_ABSENT, BOOKING_ABSENT,
                        BOOKING_ABSENT},
};

const char *booking_status_name(enum booking_status status)
{
    assert(status <= BOOKING_ABSENT);
    return NAMES[status];
}

bool booking_status_parse(const char *name, enum booking_status *status)
{
    for (enum booking_status i = BOOKING_PENDING; i < BOOKING_STATUSES; i++) {
        if (strcmp(name, NAMES[i]) == 0) {
            *status = i;
            return true;
        }
    }
    return false;
}

bool booking_command_result(enum booking_command command, enum booking_status from,
                            enum booking_status *to)
{
    assert(command < BOOKING_COMMANDS && from <= BOOKING_ABSENT);
    const enum booking_status result = RESULTS[command][from];
    if (result == BOOKING_ABSENT)
        return false;
    *to = result;
    return true;
}

bool booking_moves_up(enum booking_status from, enum booking_status to)
{
    assert(from <= BOOKING_ABSENT && to <= BOOKING_ABSENT);
    return RANKS[to] > RANKS[from];
}
