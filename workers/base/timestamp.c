/* RFC 3339 in, RFC 3339 out. Knows no clock and no time zone but UTC. */
#include "timestamp.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const int64_t LAST_SECOND = 253402300799; /* 9999-12-31T23:59:59Z */

enum { DAY_SECONDS = 24 * 60 * 60, SHOWN_MAX = 40 };

/* `length` digits, nothing else; moves on only when they are there. */
static bool digits(const char **text, size_t length, int *out)
{
    int value = 0;
    for (size_t i = 0; i < length; i++) {
        const char c = (*text)[i];
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    *text += length;
    *out = value;
    return true;
}

static bool one_of(const char **text, const char *letters)
{
    if (**text == '\0' || !strchr(letters, **text))
        return false;
    (*text)++;
    return true;
}

static bool read_date(const char **text, struct tm *tm)
{
    int year = 0;
    int month = 0;
    if (!digits(text, 4, &year) || !one_of(text, "-") || !digits(text, 2, &month) ||
        !one_of(text, "-") || !digits(text, 2, &tm->tm_mday))
        return false;
    tm->tm_year = year - 1900;
    tm->tm_mon = month - 1;
    return month >= 1 && month <= 12 && tm->tm_mday >= 1 && tm->tm_mday <= 31;
}

static bool read_fraction(const char **text)
{
    if (!one_of(text, "."))
        return true;
    int digit = 0;
    if (!digits(text, 1, &digit))
        return false;
    while (digits(text, 1, &digit))
        ;
    return true;
}

static bool read_clock(const char **text, struct tm *tm)
{
    if (!digits(text, 2, &tm->tm_hour) || !one_of(text, ":") || !digits(text, 2, &tm->tm_min) ||
        !one_of(text, ":") || !digits(text, 2, &tm->tm_sec) || !read_fraction(text))
        return false;
    return tm->tm_hour <= 23 && tm->tm_min <= 59 && tm->tm_sec <= 60;
}

/* Seconds that the local clock is ahead of UTC. */
static bool read_offset(const char **text, int64_t *ahead)
{
    *ahead = 0;
    if (one_of(text, "Zz"))
        return true;
    const int64_t sign = **text == '-' ? -1 : 1;
    int hours = 0;
    int minutes = 0;
    if (!one_of(text, "+-") || !digits(text, 2, &hours) || !one_of(text, ":") ||
        !digits(text, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *ahead = sign * (hours * 3600 + minutes * 60);
    return true;
}

/* timegm() moves a day that the month does not have into the next month; seeing that it did is the
 * calendar check. */
static bool to_seconds(const struct tm *tm, int64_t *seconds)
{
    struct tm normal = *tm;
    *seconds = timegm(&normal);
    return normal.tm_mon == tm->tm_mon;
}

static bool in_range(int64_t seconds)
{
    return seconds >= 0 && seconds <= LAST_SECOND;
}

/* UTC inserts leap seconds at the end of a day only; anything else with :60 is a mistake. */
static bool leap_allowed(bool leap, int64_t seconds)
{
    return !leap || seconds % DAY_SECONDS == DAY_SECONDS - 1;
}

static bool parse(const char *text, int64_t *seconds)
{
    struct tm tm = {0};
    int64_t ahead = 0;
    int64_t local = 0;
    if (!read_date(&text, &tm) || !one_of(&text, "Tt") || !read_clock(&text, &tm) ||
        !read_offset(&text, &ahead) || *text != '\0')
        return false;
    const bool leap = tm.tm_sec == 60;
    if (leap)
        tm.tm_sec = 59;
    if (!to_seconds(&tm, &local) || !in_range(local - ahead) || !leap_allowed(leap, local - ahead))
        return false;
    *seconds = local - ahead;
    return true;
}

/* The text comes from outside, and the sentence may end up in a log: what does not even look like a
 * time may be anything, a person's name included. */
static bool refuse(const char *text, const char *wanted, struct error *error)
{
    const size_t length = strspn(text, "0123456789TtZz:+-. ");
    if (text[length] || length > SHOWN_MAX)
        return error_set(error, ERROR_INVALID, "must be %s", wanted);
    return error_set(error, ERROR_INVALID, "\"%s\" is not %s", text, wanted);
}

bool timestamp_parse(const char *text, int64_t *seconds, struct error *error)
{
    if (parse(text, seconds))
        return true;
    return refuse(text, "a time from 1970 to 9999 like 2026-02-19T10:00:00Z", error);
}

bool timestamp_parse_date(const char *text, int64_t *seconds, struct error *error)
{
    struct tm tm = {0};
    int64_t midnight = 0;
    const char *at = text;
    if (!read_date(&at, &tm) || *at != '\0' || !to_seconds(&tm, &midnight) || !in_range(midnight))
        return refuse(text, "a date from 1970 to 9999 like 2026-02-19", error);
    *seconds = midnight;
    return true;
}

const char *timestamp_format(int64_t seconds, char out[TIMESTAMP_SIZE])
{
    const int64_t positive = seconds < 0 ? 0 : seconds;
    const time_t moment = positive > LAST_SECOND ? LAST_SECOND : positive;
    struct tm tm = {0};
    (void)gmtime_r(&moment, &tm);
    (void)strftime(out, TIMESTAMP_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
    return out;
}
