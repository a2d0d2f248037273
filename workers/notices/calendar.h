/* The calendar part of a mail: iCalendar (RFC 5545) by iTIP (RFC 5546). A confirmation invites, the
 * cancel of one who was invited takes that back, under the same UID. */
#ifndef BOOKFLOW_CALENDAR_H
#define BOOKFLOW_CALENDAR_H

#include "buf.h"
#include "notices.h"

/* "REQUEST", "CANCEL"; NULL when this letter has no calendar part. */
const char *calendar_method(const struct letter *letter);

/* Appends the calendar, lines ended by CRLF. organizer: the address that the mail comes from. */
void calendar_put(const struct letter *letter, const char *organizer, struct buf *out);

#endif
