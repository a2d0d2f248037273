/* Days, from one local midnight to the next: which of them were read, what is booked on them and
 * what that leaves free. Stretches of time are half-open: what ends at 15:00 does not overlap what
 * begins then. Pure; asking for a day is the app's. */
#ifndef BOOKFLOW_DAY_H
#define BOOKFLOW_DAY_H

#include "rows.h"

/* Everything that may reach into [from_s, to_s) is read with it, so the day before and the day
 * after are read, too: a booking is taken to be no longer than a day. */
struct day {
    int64_t from_s;
    int64_t to_s;
    bool known;       /* read, and kept up to date by the change stream since */
    int64_t again_ms; /* it failed: not before */
};

enum { DAYS_MAX = 400, DAY_S = 86400 };
struct days {
    struct day days[DAYS_MAX];
    size_t count;
    size_t next; /* which one makes room */
    bool asked;  /* a question is on its way */
    int64_t asked_ms;
    bool distrust; /* its answer may be older than what was missed */
};

/* Local midnight of the day that many days after the one of a time. */
int64_t day_begin(int64_t at_s, int days_later);
/* The day of a time, made if it is not there; a pointer to it lasts until the next call. */
struct day *days_at(struct days *days, int64_t at_s);
/* The same; NULL when it is not there. */
const struct day *days_held(const struct days *days, int64_t at_s);
/* News were missed: every day is to be read again. */
void days_forget(struct days *days);

/* Accepted, here or by the worker. */
bool day_is_booked(const struct row *row);
/* What is booked while this row would be; *i begins at 0 and goes on. NULL = nothing more. */
const struct row *day_overlap(const struct rows *rows, const struct row *row, size_t *i);
bool day_rows_overlap(const struct row *a, const struct row *b);

/* A line of the agenda: a booking, the gap before the next one (row is NULL), or with `over` what
 * the request above it overlaps. */
struct day_line {
    struct row *row;
    const struct row *over;
    int64_t from_s;
    int64_t to_s;
};

struct agenda {
    struct day_line *lines;
    size_t count;
    size_t capacity;
};
/* Of what is known of the day; free it with agenda_release(). The second one has only the gaps. */
struct agenda agenda_of(const struct rows *rows, const struct day *day);
struct agenda gaps_of(const struct rows *rows, const struct day *day);
void agenda_release(struct agenda *agenda);
/* The line of the row itself; `count` when it is not there. */
size_t agenda_line(const struct agenda *agenda, const struct row *row);

#endif
