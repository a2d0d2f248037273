/* The log: one logfmt line per fact to stderr, a stable event name first.
 *
 *     booking.accepted booking_id=0198... took_ms=3
 *
 * Only programs log (workers/serve.c, main.c and the modules at the rim). Values are escaped and
 * made safe to show here. No secret and no contact data may be passed in. When stderr is the
 * journal (JOURNAL_STREAM), a line goes there with its fields as fields: PRIORITY, CODE (the
 * event), and each of ours in capitals, as in BOOKING_ID; if journald's socket does not take it, to
 * stderr behind a priority prefix "<6>". Elsewhere a line starts with time and level. */
#ifndef BOOKFLOW_LOG_H
#define BOOKFLOW_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "errors.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

struct log_field {
    const char *name; /* NULL ends the list */
    const char *text; /* NULL: the number is meant */
    int64_t number;
};

/* log_event(LOG_LEVEL_INFO, "slot.added", LOG(log_text("slot_id", id), log_number("count", n))); */
#define LOG(...)    ((const struct log_field[]){__VA_ARGS__, {0}})
#define LOG_NOTHING ((const struct log_field[]){{0}})

static inline struct log_field log_text(const char *name, const char *text)
{
    return (struct log_field){.name = name, .text = text ? text : ""};
}

static inline struct log_field log_number(const char *name, int64_t number)
{
    return (struct log_field){.name = name, .number = number};
}

void log_event(enum log_level level, const char *event, const struct log_field fields[]);

/* Logs "event error=kind message=..." at error level, or at warn level for busy and unavailable,
 * which pass by themselves. */
void log_failure(const char *event, const struct error *error);

/* "debug", "info", "warn", "error"; false for any other word. */
MUST_CHECK bool log_set_level(const char *name);

/* For tests: lines go to this file descriptor instead of stderr. */
void log_to(int fd);
/* For tests: journald's socket. The name is borrowed. */
void log_journal_at(const char *socket_name);

#endif
