/* iCalendar: one event, its lines folded, its texts escaped. */
#include "calendar.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "templates.h"

enum { LINE_BYTES = 75, STAMP_SIZE = 24 };

const char *calendar_method(const struct letter *letter)
{
    if (letter->notice.recipient != TO_USER)
        return NULL;
    if (letter->notice.status == BOOKING_CONFIRMED)
        return "REQUEST";
    return letter->notice.status == BOOKING_CANCELLED && letter->invited ? "CANCEL" : NULL;
}

/* A line goes on behind CRLF and a blank; no letter is cut in two. */
static void put_line(struct buf *out, const struct buf *line)
{
    const char *at = buf_text(line);
    size_t room = LINE_BYTES;
    while (strlen(at) > room) {
        size_t length = room;
        while (((unsigned char)at[length] & 0xC0) == 0x80)
            length--;
        buf_append(out, at, length);
        buf_text_append(out, "\r\n ");
        at += length;
        room = LINE_BYTES - 1;
    }
    buf_text_append(out, at);
    buf_text_append(out, "\r\n");
}

static void put(struct buf *out, const char *name, const char *value)
{
    struct buf line AUTO(buf_release) = {0};
    buf_printf(&line, "%s%s", name, value);
    put_line(out, &line);
}

static void put_time(struct buf *out, const char *name, int64_t seconds)
{
    const time_t moment = seconds;
    struct tm tm = {0};
    char stamp[STAMP_SIZE];
    (void)gmtime_r(&moment, &tm);
    (void)strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &tm);
    put(out, name, stamp);
}

static void put_text(struct buf *out, const char *name, const char *text)
{
    struct buf line AUTO(buf_release) = {0};
    buf_text_append(&line, name);
    for (; *text; text++) {
        if (strchr("\\;,", *text))
            buf_char(&line, '\\');
        if (*text == '\n')
            buf_text_append(&line, "\\n");
        else if ((unsigned char)*text >= ' ' && *text != 0x7f)
            buf_char(&line, *text);
    }
    put_line(out, &line);
}

/* NAME;CN="...":mailto:... A quoted parameter has no escapes, so it must have no quotes. */
static void put_party(struct buf *out, const char *name, const struct person *person,
                      const char *address)
{
    struct buf line AUTO(buf_release) = {0};
    struct buf shown AUTO(buf_release) = {0};
    wording_name(person, &shown);
    buf_printf(&line, "%s;CN=\"", name);
    for (const char *at = buf_text(&shown); *at; at++) {
        const char quote = '\'';
        if ((unsigned char)*at >= ' ' && *at != 0x7f)
            buf_append(&line, *at == '"' ? &quote : at, 1);
    }
    buf_text_append(&line, "\":mailto:");
    for (const char *at = address; *at; at++)
        if (isalnum((unsigned char)*at) || strchr("@._+-", *at))
            buf_char(&line, *at);
        else
            buf_printf(&line, "%%%02X", (unsigned)(unsigned char)*at);
    put_line(out, &line);
}

void calendar_put(const struct letter *letter, const char *organizer, struct buf *out)
{
    const struct booking *booking = &letter->booking;
    const bool cancels = letter->notice.status == BOOKING_CANCELLED;
    struct buf provider AUTO(buf_release) = {0};
    wording_name(&letter->provider, &provider);
    put(out, "BEGIN:VCALENDAR", "");
    put(out, "PRODID:-//Bookflow//Bookflow//EN", "");
    put(out, "VERSION:2.0", "");
    put(out, "METHOD:", calendar_method(letter));
    put(out, "BEGIN:VEVENT", "");
    put_text(out, "UID:", booking->id);
    put(out,
        "SEQUENCE:", cancels ? "1" : "0"); /* a booking is confirmed once, and cancelled once */
    put_time(out, "DTSTAMP:", letter->notice.created_ms / 1000);
    put_time(out, "DTSTART:", booking->start_s);
    put_time(out, "DTEND:", booking->end_s);
    put_text(out, "SUMMARY:", buf_text(&provider));
    put(out, "STATUS:", cancels ? "CANCELLED" : "CONFIRMED");
    put_party(out, "ORGANIZER", &letter->provider, organizer);
    put_party(out, "ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;RSVP=FALSE", &letter->user,
              letter->user.email);
    put(out, "END:VEVENT", "");
    put(out, "END:VCALENDAR", "");
}
