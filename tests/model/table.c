/* Prints the transition table of store/domain as Promela macros, under the names of booking.h and
 * event.h, for bookings.pml: what the model believes of states is what the shipped code says. Must
 * not know a rule of its own, nor the model. */
#include <stdio.h>

#include "booking.h"
#include "event.h"

#define NAMED(constant) [constant] = #constant

static const char *const STATUSES[BOOKING_STATUSES + 1] = {
    NAMED(BOOKING_PENDING),   NAMED(BOOKING_CONFIRMED), NAMED(BOOKING_REJECTED),
    NAMED(BOOKING_CANCELLED), NAMED(BOOKING_ABSENT),
};

static const char *const COMMANDS[BOOKING_COMMANDS] = {
    NAMED(BOOKING_ACCEPT), NAMED(BOOKING_REJECT), NAMED(BOOKING_WITHDRAW),
    NAMED(BOOKING_CANCEL), NAMED(BOOKING_EXPIRE),
};

static const char *const EVENTS[EVENT_TYPES] = {
    NAMED(EVENT_BOOKING_CREATED),
    NAMED(EVENT_BOOKING_CANCELLED),
    NAMED(EVENT_BOOKING_CONFIRMED),
    NAMED(EVENT_BOOKING_REJECTED),
};

static void print_names(const char *const names[], int count)
{
    for (int i = 0; i < count; i++)
        (void)printf("#define %s %d\n", names[i], i);
    (void)printf("\n");
}

static bool print_cell(enum booking_command command, enum booking_status from)
{
    enum booking_status to = BOOKING_ABSENT;
    if (!booking_command_result(command, from, &to))
        return false;
    (void)printf("    ((command) == %s && (from) == %s -> %s : \\\n", COMMANDS[command],
                 STATUSES[from], STATUSES[to]);
    return true;
}

/* A refusal reads BOOKING_ABSENT, as in the table itself. */
static void print_commands(void)
{
    int cells = 0;
    (void)printf("#define command_result(command, from) \\\n");
    for (enum booking_command command = 0; command < BOOKING_COMMANDS; command++)
        for (enum booking_status from = 0; from <= BOOKING_ABSENT; from++)
            cells += print_cell(command, from);
    (void)printf("    BOOKING_ABSENT");
    for (; cells > 0; cells--)
        (void)printf(")");
    (void)printf("\n\n");
}

static void print_moves(void)
{
    (void)printf("#define moves_up(from, to) \\\n    (false");
    for (enum booking_status from = 0; from <= BOOKING_ABSENT; from++)
        for (enum booking_status to = 0; to <= BOOKING_ABSENT; to++)
            if (booking_moves_up(from, to))
                (void)printf(" \\\n    || ((from) == %s && (to) == %s)", STATUSES[from],
                             STATUSES[to]);
    (void)printf(")\n\n");
}

static void print_events(void)
{
    (void)printf("#define event_status(type) \\\n");
    for (enum event_type type = 0; type < EVENT_TYPES; type++)
        (void)printf("    ((type) == %s -> %s : \\\n", EVENTS[type], STATUSES[event_status(type)]);
    (void)printf("    BOOKING_ABSENT");
    for (enum event_type type = 0; type < EVENT_TYPES; type++)
        (void)printf(")");
    (void)printf("\n");
}

int main(void)
{
    print_names(STATUSES, BOOKING_STATUSES + 1);
    print_names(COMMANDS, BOOKING_COMMANDS);
    print_names(EVENTS, EVENT_TYPES);
    print_commands();
    print_moves();
    print_events();
    return 0;
}
