/* The list and the detail in words. Knows nothing of curses; the clock is the app's, times are
 * local. What is said about the connection and about answers is in view_status.c. */
#include "view.h"

#include <time.h>

#include "text.h"

enum { STATE_COLUMNS = 11, SOON_S = 2 * 3600, WIDE_COLUMNS = 100, DETAIL_FROM_LINES = 16 };

struct layout view_layout(size_t lines, size_t columns)
{
    const bool wide = columns >= WIDE_COLUMNS;
    const bool roomy = lines >= DETAIL_FROM_LINES;
    const size_t messages = lines >= 10 ? 3 : 1;
    const size_t below = roomy && !wide ? 1 + VIEW_DETAIL_LINES : 0;
    const size_t used = 3 + below + messages + 1;
    struct layout layout = {.list_top = 3,
                            .list_lines = lines > used ? lines - used : 1,
                            .list_columns = wide ? columns * 55 / 100 : columns,
                            .message_lines = messages};
    layout.detail_top = wide ? 2 : layout.list_top + layout.list_lines;
    layout.detail_left = wide ? layout.list_columns + 1 : 0;
    layout.detail_lines = roomy || wide ? VIEW_DETAIL_LINES : 0;
    layout.message_top = layout.list_top + layout.list_lines + below;
    return layout;
}

bool view_fits(const struct app *app)
{
    return app->lines >= VIEW_LINES_MIN && app->columns >= VIEW_COLUMNS_MIN;
}

/* --- times --- */

static struct tm local(int64_t seconds)
{
    const time_t time = (time_t)seconds;
    struct tm tm = {0};
    (void)localtime_r(&time, &tm);
    return tm;
}

void view_time(struct buf *out, int64_t seconds, const char *format)
{
    char text[64] = "";
    const struct tm tm = local(seconds);
    /* The formats are the literals of this file. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)strftime(text, sizeof text, format, &tm);
#pragma GCC diagnostic pop
    buf_text_append(out, text);
}

void view_clock(struct buf *out, int64_t seconds)
{
    view_time(out, seconds, "%H:%M");
}

/* Whole local days from `now` to `then`; by the calendar, so a clock change does not shift it. */
static long days_between(int64_t now_s, int64_t then_s)
{
    struct tm from = local(now_s);
    struct tm to = local(then_s);
    from.tm_hour = to.tm_hour = 12;
    from.tm_min = to.tm_min = from.tm_sec = to.tm_sec = 0;
    from.tm_isdst = to.tm_isdst = -1;
    const double days = difftime(mktime(&to), mktime(&from)) / 86400;
    return (long)(days < 0 ? days - 0.5 : days + 0.5);
}

static void append_day(struct buf *out, int64_t now_s, int64_t then_s)
{
    const long days = days_between(now_s, then_s);
    if (days == 0)
        buf_text_append(out, "Today");
    else if (days == 1)
        buf_text_append(out, "Tomorrow");
    else
        view_time(out, then_s, days > 1 && days < 7 ? "%a %d" : "%d %b");
}

void view_ago(struct buf *out, int64_t seconds)
{
    const int64_t minutes = seconds > 0 ? seconds / 60 : 0;
    if (minutes < 100)
        buf_printf(out, "%lld min", (long long)minutes);
    else if (minutes < 48 * 60)
        buf_printf(out, "%lld h", (long long)(minutes / 60));
    else
        buf_printf(out, "%lld days", (long long)(minutes / (24 * 60)));
}

/* --- a row --- */

static void append_wait(struct buf *out, int64_t seconds)
{
    const int64_t minutes = seconds > 0 ? seconds / 60 : 0;
    if (minutes < 100)
        buf_printf(out, "wait %2lldm", (long long)minutes);
    else if (minutes < 48 * 60)
        buf_printf(out, "wait %2lldh", (long long)(minutes / 60));
    else
        buf_printf(out, "wait %2lldd", (long long)(minutes / (24 * 60)));
}

static enum view_mood state_of_record(const struct app *app, const struct record *record,
                                      struct buf *out)
{
    if (record->status != BOOKING_PENDING) {
        buf_text_append(out, booking_status_name(record->status));
        return VIEW_PLAIN;
    }
    if (record->received_s)
        append_wait(out, app_now_s(app) - record->received_s);
    else
        buf_text_append(out, "wait");
    return VIEW_PLAIN;
}

enum view_mood view_state(const struct app *app, const struct row *row, struct buf *out)
{
    static const struct {
        const char *word;
        enum view_mood mood;
    } words[ANSWER_STATES] = {
        [ANSWER_SENDING] = {"sending", VIEW_WARN},   [ANSWER_RETRYING] = {"retrying", VIEW_WARN},
        [ANSWER_RECORDED] = {"recorded", VIEW_GOOD}, [ANSWER_DELIVERED] = {"delivered", VIEW_GOOD},
        [ANSWER_NOT_DONE] = {"NOT DONE", VIEW_BAD},
    };
    const struct answer *answer = row->answer;
    if (!answer)
        return state_of_record(app, row->record, out);
    if (answer->state == ANSWER_KEPT) {
        buf_printf(out, "%s kept", answer_verb(answer));
        return VIEW_WARN;
    }
    if (answer->state == ANSWER_STAGED) {
        const int64_t left_ms = answer->due_ms - app_now_ms(app);
        buf_printf(out, "%s %llds", answer_verb(answer),
                   (long long)(left_ms > 0 ? (left_ms + 999) / 1000 : 0));
        return VIEW_WARN;
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

void view_row(const struct app *app, const struct row *row, struct buf *out)
{
    const struct record *record = row->record;
    buf_printf(out, "%c %c ", row == app->cursor ? '>' : ' ', mark_of(app, row));
    (void)view_state(app, row, out);
    pad_to(out, 4 + STATE_COLUMNS + 1);
    if (record->start_s) {
        append_day(out, app_now_s(app), record->start_s);
        pad_to(out, 4 + STATE_COLUMNS + 10);
        view_time(out, record->start_s, " %H:%M");
        buf_printf(out, " %4lld", (long long)((record->end_s - record->start_s) / 60));
    }
    pad_to(out, 4 + STATE_COLUMNS + 23);
    buf_text_append(out, record_client(record));
}

/* --- the detail --- */

static void detail_text(const char *label, const char *text, struct buf *out)
{
    if (text)
        buf_printf(out, " %s%s", label, text);
}

static void detail_client(const struct app *app, const struct row *row, struct buf *out)
{
    (void)app;
    detail_text("", record_client(row->record), out);
}

static void detail_when(const struct app *app, const struct row *row, struct buf *out)
{
    const struct record *record = row->record;
    if (!record->start_s)
        return;
    buf_char(out, ' ');
    append_day(out, app_now_s(app), record->start_s);
    view_time(out, record->start_s, ", %a %d %b, %H:%M - ");
    view_clock(out, record->end_s);
    buf_printf(out, " (%lld min)", (long long)((record->end_s - record->start_s) / 60));
}

static void detail_asked(const struct app *app, const struct row *row, struct buf *out)
{
    const int64_t received_s = row->record->received_s;
    if (!received_s)
        return;
    buf_text_append(out, " asked ");
    view_clock(out, received_s);
    buf_text_append(out, ", ");
    view_ago(out, app_now_s(app) - received_s);
    buf_text_append(out, " ago");
}

static void detail_decided(const struct app *app, const struct row *row, struct buf *out)
{
    const struct record *record = row->record;
    (void)app;
    if (record->status == BOOKING_PENDING) {
        detail_text("client id ", record->user_id, out);
        return;
    }
    buf_printf(out, " %s", booking_status_name(record->status));
    if (record->decided_by)
        detail_text("by ", record->decided_by, out);
    if (record->decided_s) {
        buf_text_append(out, " at ");
        view_clock(out, record->decided_s);
    }
}

static void detail_reason(const struct app *app, const struct row *row, struct buf *out)
{
    const struct answer *answer = row->answer;
    (void)app;
    detail_text("reason: ", answer && answer->reason ? answer->reason : row->record->reason, out);
}

static void detail_why(const struct app *app, const struct row *row, struct buf *out)
{
    (void)app;
    detail_text("", row->answer ? row->answer->why : NULL, out);
}

void view_detail(const struct app *app, size_t line, struct buf *out)
{
    static void (*const lines[VIEW_DETAIL_LINES])(const struct app *, const struct row *,
                                                  struct buf *) = {
        detail_client, detail_when, detail_asked, detail_decided, detail_reason, detail_why};
    if (app->cursor && line < VIEW_DETAIL_LINES)
        lines[line](app, app->cursor, out);
}
