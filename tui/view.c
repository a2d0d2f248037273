/* The frame, the list and the detail in words. Knows nothing of curses. What is said about the
 * connection and about answers is in view_status.c, times in view_time.c. */
#include "view.h"

#include <string.h>

#include "text.h"

enum {
    MARK_COLUMNS = 4,
    STATE_COLUMNS = 12,
    SOON_S = 2 * 3600,
    WIDE_COLUMNS = 100,      /* list and detail side by side */
    VERY_WIDE_COLUMNS = 132, /* the day as well */
    FULL_COLUMNS = 52,       /* of the list: less, and the time is written shorter */
    SHORT_COLUMNS = 40,      /* less, and it is only in the message */
    DETAIL_FROM_LINES = 16,
    DAY_FROM_LINES = 18
};

/* --- the frame --- */

static void lay_beside(struct layout *layout, size_t lines, size_t columns)
{
    const size_t left = columns * 52 / 100 + 1;
    const bool day = columns >= VERY_WIDE_COLUMNS && lines >= DAY_FROM_LINES;
    layout->list.width = left - 1;
    layout->detail = (struct box){2, left, columns - left, layout->message.top - 2};
    if (!day)
        return;
    layout->day = layout->detail;
    layout->detail.height = 1 + VIEW_DETAIL_LINES;
    layout->day.top += layout->detail.height;
    layout->day.height -= layout->detail.height;
}

struct layout view_layout(size_t lines, size_t columns)
{
    const bool wide = columns >= WIDE_COLUMNS;
    const size_t messages = lines >= 28 ? 5 : lines >= 10 ? 3 : 1;
    const size_t below = lines >= DETAIL_FROM_LINES && !wide ? 1 + VIEW_DETAIL_LINES : 0;
    const size_t used = 3 + below + messages + 1;
    struct layout layout = {.list = {3, 0, columns, lines > used ? lines - used : 1}};
    const size_t end = layout.list.top + layout.list.height;
    layout.detail = (struct box){end, 0, columns, below};
    layout.message = (struct box){end + below, 0, columns, messages};
    if (wide)
        lay_beside(&layout, lines, columns);
    return layout;
}

/* The steps of an answer need more room than a request. */
struct box view_history_box(const struct app *app)
{
    const struct layout layout = view_layout(app->lines, app->columns);
    struct box box = layout.list;
    if (layout.detail.left == 0)
        box.height -= layout.detail.height > 0 ? box.height / 2 : 0;
    return box;
}

struct box view_detail_box(const struct app *app)
{
    const struct layout layout = view_layout(app->lines, app->columns);
    const struct box history = view_history_box(app);
    struct box box = layout.detail;
    if (app->showing != SHOW_HISTORY)
        return box;
    if (box.left == 0 && box.height > 0)
        box.top = history.top + history.height;
    box.height = box.height > 0 ? layout.message.top - box.top : 0;
    return box;
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

void view_pad(struct buf *out, size_t columns)
{
    for (size_t have = text_columns(buf_text(out), out->length); have < columns; have++)
        buf_char(out, ' ');
}

void view_decision(const struct record *record, struct buf *out)
{
    if (record->decided_by) {
        buf_text_append(out, " by ");
        view_outside(out, record->decided_by, 30);
    }
    if (record->decided_s)
        view_time(out, record->decided_s, TIME_AT);
}

void view_request(const struct app *app, const struct row *row, struct buf *out)
{
    enum { NAME_COLUMNS = 40 };
    const struct record *record = row->record;
    view_outside(out, record_client(record), NAME_COLUMNS);
    if (!record->start_s)
        return;
    buf_text_append(out, ", ");
    view_day(app, record->start_s, out);
    buf_char(out, ' ');
    view_span(out, record->start_s, record->end_s);
}

/* --- the head --- */

void view_clock(const struct app *app, struct buf *out)
{
    view_time(out, app_now_s(app), TIME_HEAD);
}

/* Those in the inbox that nobody has answered yet. */
static size_t count_waiting(const struct app *app)
{
    size_t waiting = app->rows.inbox.count;
    for (size_t i = 0; i < app->active_count; i++)
        waiting -= app->active[i]->listed;
    const struct row *row = app->cursor; /* what is settled stays as long as it is looked at */
    const bool waits = !row || (row->record->status == BOOKING_PENDING && !row->answer);
    return waiting - (!waits && row_is_settled(row));
}

static void append_oldest(const struct app *app, struct buf *out)
{
    for (size_t i = 0; i < app->rows.list.count; i++) {
        const struct row *row = app->rows.list.rows[i];
        if (row->answer || row->record->status != BOOKING_PENDING || !row->record->received_s)
            continue;
        buf_text_append(out, "oldest waits ");
        view_ago(out, app_now_s(app) - row->record->received_s);
        return;
    }
}

static void append_about_inbox(const struct app *app, struct buf *out)
{
    const struct rows *rows = &app->rows;
    if (rows->wanted.length > 0)
        buf_printf(out, "found %zu of %zu", rows->list.count, rows->inbox.count);
    else if (rows->order == ORDER_OLDEST)
        append_oldest(app, out);
    else
        buf_text_append(out, rows->order == ORDER_TIME ? "by start time" : "by name");
}

static void append_about(const struct app *app, struct buf *out)
{
    if (app->showing == SHOW_INBOX)
        append_about_inbox(app, out);
    else if (app->showing == SHOW_DAY)
        view_full_day(app, app->day_s, out);
    else
        buf_printf(out, "%zu answer%s", app->answers.history.count,
                   app->answers.history.count == 1 ? "" : "s");
}

void view_tabs(const struct app *app, struct buf *out)
{
    static const struct {
        const char *key;
        const char *name;
    } tabs[SHOWS] = {[SHOW_INBOX] = {"inbox", "Inbox"},
                     [SHOW_DAY] = {"day", "Day"},
                     [SHOW_HISTORY] = {"history", "History"}};
    struct buf about AUTO(buf_release) = {0};
    for (size_t i = 0; i < SHOWS; i++) {
        const bool open = i == app->showing;
        buf_text_append(out, open ? "[" : " ");
        keymap_short_name(&app->keymap, tabs[i].key, out);
        buf_printf(out, " %s", tabs[i].name);
        if (i == SHOW_INBOX)
            buf_printf(out, " %zu", count_waiting(app));
        buf_text_append(out, open ? "] " : "  ");
    }
    append_about(app, &about);
    const size_t used = out->length + about.length;
    if (used + 2 >= app->columns)
        return;
    view_pad(out, app->columns - about.length - 2);
    buf_text_append(out, buf_text(&about));
}

void view_title(const struct app *app, struct buf *out)
{
    buf_printf(out, "%zu waiting - ", count_waiting(app));
    view_outside(out, app->provider, 40);
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
        buf_char(out, ' ');
        view_age(out, app_now_s(app) - record->received_s);
    }
}

enum view_mood view_state(const struct app *app, const struct row *row, struct buf *out)
{
    static const struct {
        const char *word;
        enum view_mood mood;
    } words[ANSWER_STATES] = {
        [ANSWER_SAVING] = {"saving", VIEW_WARN},
        [ANSWER_STAGED] = {"", VIEW_WARN},
        [ANSWER_KEPT] = {"", VIEW_WARN},
        [ANSWER_SENDING] = {"sending", VIEW_WARN},
        [ANSWER_RETRYING] = {"retrying", VIEW_WARN},
        [ANSWER_RECORDED] = {"recorded", VIEW_GOOD},
        [ANSWER_DELIVERED] = {"delivered", VIEW_GOOD},
        [ANSWER_NOT_DONE] = {"NOT DONE", VIEW_BAD},
    };
    const struct answer *answer = row->answer;
    if (!answer) {
        append_waiting(app, row->record, out);
        return VIEW_PLAIN;
    }
    if (answer->state == ANSWER_KEPT && answer->why) { /* the server was too busy */
        buf_text_append(out, words[ANSWER_NOT_DONE].word);
        return VIEW_BAD;
    }
    if (answer->state == ANSWER_STAGED || answer->state == ANSWER_KEPT)
        buf_text_append(out, row_verb(row));
    if (answer->state == ANSWER_KEPT)
        buf_text_append(out, answer->unkept ? " held" : " kept");
    if (answer->state == ANSWER_STAGED) {
        const int64_t left_ms = answer->due_ms - app_now_ms(app);
        buf_printf(out, " %llds", (long long)(left_ms > 0 ? (left_ms + 999) / 1000 : 0));
    }
    buf_text_append(out, words[answer->state].word);
    return words[answer->state].mood;
}

static char urgency_of(const struct app *app, const struct row *row)
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
    buf_printf(out, "%c%c%c ", row == app_row(app) ? '>' : ' ', row->marked ? '*' : ' ',
               urgency_of(app, row));
    (void)view_state(app, row, out);
    view_pad(out, column);
    if (columns >= FULL_COLUMNS && record->start_s) {
        view_day(app, record->start_s, out);
        view_pad(out, column + 11);
        view_time(out, record->start_s, TIME_CLOCK);
        buf_printf(out, " %4lld", (long long)((record->end_s - record->start_s) / 60));
    } else if (columns >= SHORT_COLUMNS && record->start_s) {
        view_time(out, record->start_s, TIME_SHORT);
    }
    column += columns >= FULL_COLUMNS ? 23 : columns >= SHORT_COLUMNS ? 14 : 0;
    view_pad(out, column);
    view_outside(out, record_client(record), columns - column);
}

/* --- the detail --- */

static void append_asked(const struct app *app, int64_t received_s, struct buf *out)
{
    if (!received_s)
        return;
    buf_text_append(out, "\tasked ");
    view_time(out, received_s, view_is_today(app, received_s) ? TIME_CLOCK : TIME_SHORT);
    buf_text_append(out, ", ");
    view_ago(out, app_now_s(app) - received_s);
    buf_text_append(out, " ago");
}

/* Nobody can accept what has begun. */
static void append_limit(const struct app *app, const struct record *record, struct buf *out)
{
    if (record->status != BOOKING_PENDING)
        return;
    buf_text_append(out, record->start_s > app_now_s(app) ? "\tdecide before " : "\tbegan ");
    view_time(out, record->start_s, view_is_today(app, record->start_s) ? TIME_CLOCK : TIME_SHORT);
}

static void append_when(const struct app *app, const struct record *record, struct buf *out)
{
    view_full_day(app, record->start_s, out);
    buf_text_append(out, ", ");
    view_time(out, record->start_s, TIME_CLOCK);
    buf_text_append(out, " - ");
    view_time(out, record->end_s, TIME_CLOCK);
    buf_printf(out, " (%lld min)", (long long)((record->end_s - record->start_s) / 60));
    append_limit(app, record, out);
    buf_char(out, '\n');
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
    enum { LONGEST = 120 };
    const struct row *row = app_row(app);
    if (!row)
        return;
    const struct record *record = row->record;
    const struct answer *answer = row->answer;
    view_outside(out, record_client(record), LONGEST);
    append_asked(app, record->received_s, out);
    buf_char(out, '\n');
    if (record->start_s)
        append_when(app, record, out);
    view_answer(app, row, out);
    view_overlaps(app, row, out);
    view_free(app, row, out);
    const char *reason = answer && answer->reason ? answer->reason : record->reason;
    if (reason)
        append_line(out, "reason: ", reason);
    append_outcome(record, out);
}
