/* The days and the agenda of one. Knows neither the network nor the screen; days are those of the
 * local time zone. */
#include "day.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- which days were read --- */

int64_t day_begin(int64_t at_s, int days_later)
{
    const time_t time = (time_t)at_s;
    struct tm tm = {0};
    (void)localtime_r(&time, &tm);
    tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
    tm.tm_mday += days_later;
    tm.tm_isdst = -1;
    return (int64_t)mktime(&tm);
}

static size_t find(const struct days *days, int64_t at_s)
{
    size_t i = 0;
    while (i < days->count && (at_s < days->days[i].from_s || at_s >= days->days[i].to_s))
        i++;
    return i;
}

const struct day *days_held(const struct days *days, int64_t at_s)
{
    const size_t i = find(days, at_s);
    return i < days->count ? &days->days[i] : NULL;
}

struct day *days_at(struct days *days, int64_t at_s)
{
    const size_t i = find(days, at_s);
    if (i < days->count)
        return &days->days[i];
    struct day *day = &days->days[days->next];
    days->next = (days->next + 1) % DAYS_MAX;
    days->count += days->count < DAYS_MAX;
    *day = (struct day){.from_s = day_begin(at_s, 0), .to_s = day_begin(at_s, 1)};
    return day;
}

void days_forget(struct days *days)
{
    *days = (struct days){.asked = days->asked, .distrust = days->asked};
}

/* --- overlaps --- */

bool day_is_booked(const struct row *row)
{
    const struct answer *answer = row->answer;
    if (answer && row->record->status == BOOKING_PENDING && answer->state < ANSWER_NOT_DONE)
        return answer->command == BOOKING_ACCEPT;
    return row->record->status == BOOKING_CONFIRMED;
}

/* It is booked, or will be if somebody says yes. */
static bool takes_time(const struct row *row)
{
    const bool waits = row->record->status == BOOKING_PENDING && row_is_settled(row);
    return day_is_booked(row) || waits;
}

bool day_rows_overlap(const struct row *a, const struct row *b)
{
    return a->record->start_s < b->record->end_s && b->record->start_s < a->record->end_s;
}

const struct row *day_overlap(const struct rows *rows, const struct row *row, size_t *i)
{
    if (*i == 0)
        *i = rows_reaching(rows, row->record->start_s);
    while (*i < rows->known.count) {
        const struct row *other = rows->known.rows[(*i)++];
        if (other->record->start_s >= row->record->end_s)
            break;
        if (other != row && day_is_booked(other) && day_rows_overlap(row, other))
            return other;
    }
    *i = rows->known.count;
    return NULL;
}

/* --- the agenda --- */

static void add_line(struct agenda *agenda, const struct day_line *line)
{
    if (agenda->count == agenda->capacity) {
        agenda->capacity = agenda->capacity ? 2 * agenda->capacity : 32;
        agenda->lines = memory_resize(agenda->lines, agenda->capacity, sizeof *agenda->lines);
    }
    agenda->lines[agenda->count++] = *line;
}

/* What a request of the day may overlap, by start. */
static struct row_list booked_on(const struct rows *rows, const struct day *day)
{
    struct row_list booked = {0};
    for (size_t i = rows_reaching(rows, day->from_s); i < rows->known.count; i++) {
        struct row *row = rows->known.rows[i];
        if (row->record->start_s >= day->to_s + rows->longest_s)
            break;
        if (day_is_booked(row))
            row_list_add(&booked, row);
    }
    return booked;
}

static void add_overlaps(struct agenda *agenda, const struct row_list *booked, struct row *row)
{
    for (size_t i = 0; i < booked->count; i++) {
        const struct row *over = booked->rows[i];
        if (over->record->start_s >= row->record->end_s)
            return;
        if (day_rows_overlap(row, over))
            add_line(agenda,
                     &(struct day_line){row, over, over->record->start_s, over->record->end_s});
    }
}

/* The lines of one booking: itself and what it overlaps. */
static void add_booking(struct agenda *agenda, const struct row_list *booked, struct row *row)
{
    const struct record *record = row->record;
    add_line(agenda, &(struct day_line){row, NULL, record->start_s, record->end_s});
    if (!day_is_booked(row))
        add_overlaps(agenda, booked, row);
}

/* The gaps, and the bookings between them if they are wanted. */
static struct agenda collect(const struct rows *rows, const struct day *day,
                             const struct row_list *booked)
{
    struct agenda agenda = {0};
    int64_t busy_until_s = 0;
    for (size_t i = rows_reaching(rows, day->from_s); i < rows->known.count; i++) {
        struct row *row = rows->known.rows[i];
        const struct record *record = row->record;
        if (record->start_s >= day->to_s)
            break;
        if (record->end_s <= day->from_s || !takes_time(row))
            continue;
        if (busy_until_s && record->start_s > busy_until_s)
            add_line(&agenda, &(struct day_line){NULL, NULL, busy_until_s, record->start_s});
        if (booked)
            add_booking(&agenda, booked, row);
        if (record->end_s > busy_until_s)
            busy_until_s = record->end_s;
    }
    return agenda;
}

struct agenda agenda_of(const struct rows *rows, const struct day *day)
{
    struct row_list booked AUTO(row_list_release) = booked_on(rows, day);
    return collect(rows, day, &booked);
}

struct agenda gaps_of(const struct rows *rows, const struct day *day)
{
    return collect(rows, day, NULL);
}

void agenda_release(struct agenda *agenda)
{
    free(agenda->lines);
    *agenda = (struct agenda){0};
}

size_t agenda_line(const struct agenda *agenda, const struct row *row)
{
    size_t i = 0;
    while (i < agenda->count && (agenda->lines[i].row != row || agenda->lines[i].over))
        i++;
    return i;
}
