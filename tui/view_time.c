/* Times in words. Local; the clock is the app's. */
#include <time.h>

#include "view.h"

static struct tm local(int64_t seconds)
{
    const time_t time = (time_t)seconds;
    struct tm tm = {0};
    (void)localtime_r(&time, &tm);
    return tm;
}

static void append(struct buf *out, int64_t seconds, const char *format)
{
    char text[64] = "";
    const struct tm tm = local(seconds);
    /* The formats are literals of this file. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)strftime(text, sizeof text, format, &tm);
#pragma GCC diagnostic pop
    buf_text_append(out, text);
}

void view_time(struct buf *out, int64_t seconds, enum view_time form)
{
    static const char *const formats[TIMES] = {[TIME_CLOCK] = "%H:%M",
                                               [TIME_SECOND] = "%H:%M:%S",
                                               [TIME_AT] = " at %H:%M",
                                               [TIME_SHORT] = "%d %b %H:%M",
                                               [TIME_HEAD] = "%a %d %b  %H:%M %Z"};
    append(out, seconds, formats[form]);
}

void view_span(struct buf *out, int64_t from_s, int64_t to_s)
{
    append(out, from_s, "%H:%M-");
    append(out, to_s, "%H:%M");
}

/* Calendar days from one to the other, counted between two noons: days of 23 hours exist. */
static long days_between(int64_t from_s, int64_t to_s)
{
    struct tm from = local(from_s);
    struct tm to = local(to_s);
    from.tm_hour = to.tm_hour = 12;
    from.tm_min = to.tm_min = from.tm_sec = to.tm_sec = 0;
    from.tm_isdst = to.tm_isdst = -1;
    const double days = difftime(mktime(&to), mktime(&from)) / 86400;
    return (long)(days < 0 ? days - 0.5 : days + 0.5);
}

static bool is_other_year(int64_t now_s, int64_t then_s)
{
    return local(now_s).tm_year != local(then_s).tm_year;
}

bool view_is_today(const struct app *app, int64_t seconds)
{
    return days_between(app_now_s(app), seconds) == 0;
}

void view_day(const struct app *app, int64_t seconds, struct buf *out)
{
    const int64_t now_s = app_now_s(app);
    const long days = days_between(now_s, seconds);
    if (days == 0 || days == 1)
        buf_text_append(out, days == 0 ? "Today" : "Tomorrow");
    else if (days > 1 && days < 7)
        append(out, seconds, "%a %d");
    else
        append(out, seconds, is_other_year(now_s, seconds) ? "%Y-%m-%d" : "%d %b");
}

void view_full_day(const struct app *app, int64_t seconds, struct buf *out)
{
    const int64_t now_s = app_now_s(app);
    const long days = days_between(now_s, seconds);
    if (days == 0 || days == 1)
        buf_text_append(out, days == 0 ? "Today, " : "Tomorrow, ");
    append(out, seconds, is_other_year(now_s, seconds) ? "%a %d %b %Y" : "%a %d %b");
}

/* The unit in which an age reads best; *count is how many of them. */
static const char *age_unit(int64_t seconds, long long *count)
{
    enum { HOUR_S = 3600, MINUTES_TO_S = 6000, HOURS_TO_S = 172800 };
    const bool minutes = seconds < MINUTES_TO_S;
    const bool hours = seconds < HOURS_TO_S;
    *count = seconds > 0 ? seconds / (minutes ? 60 : hours ? HOUR_S : DAY_S) : 0;
    return minutes ? "min" : hours ? "h" : "days";
}

void view_ago(struct buf *out, int64_t seconds)
{
    long long count = 0;
    const char *unit = age_unit(seconds, &count);
    buf_printf(out, "%lld %s", count, unit);
}

void view_age(struct buf *out, int64_t seconds)
{
    long long count = 0;
    const char *unit = age_unit(seconds, &count);
    buf_printf(out, "%2lld%c", count, unit[0]);
}
