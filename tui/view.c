/* The list and the detail in words. Knows nothing of curses; the clock is the app's, times are
 * local. What is said about the connection and about answers is in view_status.c. */
#include "view.h"

#include <string.h>
#include <time.h>

#include "text.h"

enum {
    MARK_COLUMNS = 4,
    STATE_COLUMNS = 12,
    SOON_S = 2 * 3600,
    WIDE_COLUMNS = 100, /* list and detail side by side */
    FULL_COLUMNS = 52,  /* of the list: less, and the time is written shorter */
    SHORT_COLUMNS = 40, /* less, and it is only in the message */
    DETAIL_FROM_LINES = 16
};

struct layout view_layout(size_t lines, size_t columns)
{
    const bool wide = columns >= WIDE_COLUMNS;
    const bool roomy = lines >= DETAIL_FROM_LINES;
    const size_t messages = lines >= 10 ? 3 : 1;
    const size_t below = roomy && !wide ? 1 + VIEW_DETAIL_LINES : 0;
    const size_t used = 3 + below + messages + 1;
    struct layout layout = {.list_top = 3,
                            .list_lines = lines > used ? lines - used : 1,
                            .list_columns = wide ? columns * 52 / 100 : columns,
                            .message_lines = messages};
    layout.detail_top = wide ? 2 : layout.list_top + layout.list_lines;
    layout.detail_left = wide ? layout.list_columns + 1 : 0;
    layout.message_top = layout.list_top + layout.list_lines + below;
    layout.detail_lines = wide ? layout.list_lines : below;
    return layout;
}

bool view_fits(const struct app *app)
{
    return app->lines >= VIEW_LINES_MIN && app->columns >= VIEW_COLUMNS_MIN;
}

void view_outside(struct buf *out, const char *text, size_t columns)
{
    struct buf safe AUTO(buf_release) = {0};
    text_display(&safe, text, strlen(text));
    (void)text_fit(out, buf_text(&safe), columns);
}

/* --- times --- */

static struct tm local(int64_t seconds)
{
    const time_t time = (time_t)seconds;
    struct tm tm = {0};
    (void)localtime_r(&time, &tm);
    return tm;
}

static void append_time(struct buf *out, int64_t seconds, const char *format)
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

/* Ten columns at most. */
static void append_day(struct buf *out, int64_t now_s, int64_t then_s)
{
    const long days = days_between(now_s, then_s);
    if (days == 0 || days == 1)
        buf_text_append(out, days == 0 ? "Today" : "Tomorrow");
    else if (days > 1 && days < 7)
        append_time(out, then_s, "%a %d");
    else
        append_time(out, then_s, is_other_year(now_s, then_s) ? "%Y-%m-%d" : "%d %b");
}

static void append_full_day(struct buf *out, int64_t now_s, int64_t then_s)
{
    const long days = days_between(now_s, then_s);
    if (days == 0 || days == 1)
        buf_text_append(out, days == 0 ? "Today, " : "Tomorrow, ");
    append_time(out, then_s, is_other_year(now_s, then_s) ? "%a %d %b %Y" : "%a %d %b");
}

/* The unit in which an age reads best; *count is how many of them. */
static const char *age_unit(int64_t seconds, long long *count)
{
    enum { HOUR_S = 3600, DAY_S = 86400, MINUTES_TO_S = 6000, HOURS_TO_S = 172800 };
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

void view_decision(const struct record *record, struct buf *out)
{
    if (record->decided_by) {
        buf_text_append(out, " by ");
        view_outside(out, record->decided_by, 30);
    }
    if (record->decided_s)
        append_time(out, record->decided_s, " at %H:%M");
}

void view_clock(const struct app *app, struct buf *out)
{
    append_time(out, app_now_s(app), "%a %d %b  %H:%M %Z");
}

/* --- a row --- */

static void append_waiting(const struct app *app, const struct record *record, struct buf *out)
{
    if (record->status != BOOKING_PENDING) {
        buf_text_append(out, booking_status_name(record->status));
        return;
    }
    buf_text_append(out, "wait");
    if (record->received_s) {
        long long count = 0;
        const char *unit = age_unit(app_now_s(app) - record->received_s, &count);
        buf_printf(out, " %2lld%c", count, unit[0]);
    }
}

enum view_mood view_state(const struct app *app, const struct row *row, struct buf *out)
{
    static const struct {
        const char *word;
        enum view_mood mood;
    } words[ANSWER_STATES] = {
        [ANSWER_STAGED] = {"", VIEW_WARN},           [ANSWER_KEPT] = {" kept", VIEW_WARN},
        [ANSWER_SENDING] = {"sending", VIEW_WARN},   [ANSWER_RETRYING] = {"retrying", VIEW_WARN},
        [ANSWER_RECORDED] = {"recorded", VIEW_GOOD}, [ANSWER_DELIVERED] = {"delivered", VIEW_GOOD},
        [ANSWER_NOT_DONE] = {"NOT DONE", VIEW_BAD},
    };
    const struct answer *answer = row->answer;
    if (!answer) {
        append_waiting(app, row->record, out);
        return VIEW_PLAIN;
    }
    if (answer->state <= ANSWER_KEPT)
        buf_text_append(out, row_verb(row));
    if (answer->state == ANSWER_STAGED) {
        const int64_t left_ms = answer->due_ms - app_now_ms(app);
        buf_printf(out, " %llds", (long long)(left_ms > 0 ? (left_ms + 999) / 1000 : 0));
    }
    buf_text_append(out, words[answer->state].word);
    return words[answer->state].mood;
}

static void pad_to(struct buf *out, size_t columns)
{
    for (size_t have = text_columns(buf_text(out), out->length); have < columns; have++)
        buf_char(out, ' ');
}

static char mark_of(const struct app *app, const struct row *row)
{
    const int64_t left_s = row->record->start_s - app_now_s(app);
    if (row->record->status == BOOKING_PENDING && row->record->start_s && left_s < SOON_S)
        return '!';
    return row->fresh ? '+' : ' ';
}

const char *view_list_head(size_t columns)
{
    if (columns >= FULL_COLUMNS)
        return "    STATE       WHEN              MIN  CLIENT";
    return columns >= SHORT_COLUMNS ? "    STATE       WHEN          CLIENT"
                                    : "    STATE       CLIENT";
}

/* Who it is must be seen at every width: an answer means a person. */
void view_row(const struct app *app, const struct row *row, size_t columns, struct buf *out)
{
    const struct record *record = row->record;
    size_t column = MARK_COLUMNS + STATE_COLUMNS;
    buf_printf(out, "%c %c ", row == app->cursor ? '>' : ' ', mark_of(app, row));
    (void)view_state(app, row, out);
    pad_to(out, column);
    if (columns >= FULL_COLUMNS && record->start_s) {
        append_day(out, app_now_s(app), record->start_s);
        pad_to(out, column + 10);
        append_time(out, record->start_s, " %H:%M");
        buf_printf(out, " %4lld", (long long)((record->end_s - record->start_s) / 60));
    } else if (columns >= SHORT_COLUMNS && record->start_s) {
        append_time(out, record->start_s, "%d %b %H:%M");
    }
    column += columns >= FULL_COLUMNS ? 23 : columns >= SHORT_COLUMNS ? 14 : 0;
    pad_to(out, column);
    view_outside(out, record_client(record), columns - column);
}

/* --- the detail --- */

static void append_when(const struct app *app, const struct record *record, struct buf *out)
{
    append_full_day(out, app_now_s(app), record->start_s);
    append_time(out, record->start_s, ", %H:%M - ");
    append_time(out, record->end_s, "%H:%M");
    buf_printf(out, " (%lld min)\n", (long long)((record->end_s - record->start_s) / 60));
}

static void append_asked(const struct app *app, int64_t received_s, struct buf *out)
{
    const int64_t now_s = app_now_s(app);
    append_time(out, received_s,
                days_between(now_s, received_s) == 0 ? "asked %H:%M, " : "asked %a %d %b %H:%M, ");
    view_ago(out, now_s - received_s);
    buf_text_append(out, " ago\n");
}

static void append_line(struct buf *out, const char *label, const char *text)
{
    enum { LONGEST = 250 };
    buf_text_append(out, label);
    view_outside(out, text, LONGEST);
    buf_char(out, '\n');
}

static void append_outcome(const struct record *record, struct buf *out)
{
    if (record->status == BOOKING_PENDING) {
        if (record->user_name) /* else the id stands where the name would */
            append_line(out, "client id ", record->user_id);
        return;
    }
    buf_text_append(out, booking_status_name(record->status));
    view_decision(record, out);
    buf_char(out, '\n');
}

void view_detail(const struct app *app, struct buf *out)
{
    if (!app->cursor)
        return;
    const struct record *record = app->cursor->record;
    const struct answer *answer = app->cursor->answer;
    append_line(out, "", record_client(record));
    if (record->start_s)
        append_when(app, record, out);
    if (record->received_s)
        append_asked(app, record->received_s, out);
    if (answer && answer->why)
        append_line(out, "", answer->why);
    append_outcome(record, out);
    const char *reason = answer && answer->reason ? answer->reason : record->reason;
    if (reason)
        append_line(out, "reason: ", reason);
}
