/* The app in words: every text of the screen. Pure. Blocks are paragraphs that end with a newline;
 * the screen wraps them. What came from outside is made safe before it goes into one. */
#ifndef BOOKFLOW_VIEW_H
#define BOOKFLOW_VIEW_H

#include "app.h"

enum {
    VIEW_LINES_MIN = 6,
    VIEW_COLUMNS_MIN = 30,
    VIEW_ROOMY_COLUMNS = 78, /* less, and there is only room for the keys that matter most */
    VIEW_DETAIL_LINES = 6
};

struct box {
    size_t top;
    size_t left;
    size_t width;
    size_t height; /* 0 = no room for it */
};

struct layout {
    struct box list;    /* its rows; the head is on the line above */
    struct box detail;  /* with the rule above it, as the next two */
    struct box day;     /* of a very wide screen */
    struct box message; /* of height 1: without the rule */
};
struct layout view_layout(size_t lines, size_t columns);
/* False: there is only room to say so, and nothing may be answered. */
bool view_fits(const struct app *app);

/* A text from outside: safe, on one line, cut to the columns. */
void view_outside(struct buf *out, const char *text, size_t columns);
/* Appends blanks up to that column. */
void view_pad(struct buf *out, size_t columns);
/* A time, local, in one of these forms. */
enum view_time {
    TIME_CLOCK,  /* 15:30 */
    TIME_SECOND, /* 15:30:12 */
    TIME_AT,     /* " at 15:30" */
    TIME_SHORT,  /* 14 Oct 15:30 */
    TIME_HEAD,   /* Tue 14 Oct  15:30 CEST */
    TIMES
};
void view_time(struct buf *out, int64_t seconds, enum view_time form);
/* "15:30-16:15" */
void view_span(struct buf *out, int64_t from_s, int64_t to_s);
/* "Today", "Tomorrow", "Fri 17", "21 Oct", "2026-10-14": ten columns at most. */
void view_day(const struct app *app, int64_t seconds, struct buf *out);
/* "Today, Tue 14 Oct" */
void view_full_day(const struct app *app, int64_t seconds, struct buf *out);
bool view_is_today(const struct app *app, int64_t seconds);
/* "26 min" */
void view_ago(struct buf *out, int64_t seconds);
/* "26m", three columns */
void view_age(struct buf *out, int64_t seconds);
/* " by provider at 10:29", as far as it is known. */
void view_decision(const struct record *record, struct buf *out);

enum view_mood { VIEW_PLAIN, VIEW_GOOD, VIEW_WARN, VIEW_BAD };

/* "[LIVE] 2 sending" ... */
enum view_mood view_tag(const struct app *app, struct buf *out);
void view_clock(const struct app *app, struct buf *out);
/* "[1 Inbox 7]  2 Day   3 History", and what is to be known about the screen that is open. */
void view_tabs(const struct app *app, struct buf *out);
/* Of the window: "7 waiting - salon". */
void view_title(const struct app *app, struct buf *out);

/* The head of the list and a row of it, for that many columns. */
const char *view_list_head(size_t columns);
void view_row(const struct app *app, const struct row *row, size_t columns, struct buf *out);
/* "wait 26m", "ACCEPT 7s", "NOT DONE" ... */
enum view_mood view_state(const struct app *app, const struct row *row, struct buf *out);

/* Blocks: about the row that is looked at (a tab parts what stands left from what stands right);
 * the last notice, then the connection or the arrivals; what is staged, if anything is. */
void view_detail(const struct app *app, struct buf *out);
void view_message(const struct app *app, struct buf *out);
void view_staged(const struct app *app, struct buf *out);
/* What leaving would mean. */
void view_quit(const struct app *app, struct buf *out);

/* Where the agenda stands, a line of it on each; the same for History. */
struct box view_day_box(const struct app *app);
struct box view_history_box(const struct app *app);
/* Where the detail stands, with its rule. */
struct box view_detail_box(const struct app *app);

/* The day screen: its head and a line of the agenda. */
void view_day_head(const struct app *app, size_t columns, struct buf *out);
void view_day_line(const struct app *app, const struct day_line *line, size_t columns,
                   struct buf *out);
/* " Overlaps 15:00-15:45, Tom Baker (accepted)", a block each; then what the day leaves free. */
void view_overlaps(const struct app *app, const struct row *row, struct buf *out);
void view_free(const struct app *app, const struct row *row, struct buf *out);
/* The client, the day and the time, on one line. */
void view_request(const struct app *app, const struct row *row, struct buf *out);

/* History: its head, one answer, and blocks about what became of it, step by step. */
const char *view_history_head(size_t columns);
enum view_mood view_history_row(const struct app *app, const struct history_entry *entry,
                                size_t columns, struct buf *out);
void view_history_detail(const struct app *app, const struct history_entry *entry, struct buf *out);

/* "   u Undo": the key of an action, as the person has set it, and a word for it. */
void view_hint(const struct app *app, const char *action, const char *word, struct buf *out);
/* What the answer of that row waits for, or why it was not done: a block or nothing. */
void view_answer(const struct app *app, const struct row *row, struct buf *out);
/* "Server busy. Trying again in 4 s (2 of 6). Not sent yet.   (503)" */
void view_retry(const struct app *app, const struct row *row, struct buf *out);

/* Of the questions (dialog.h). */
struct choice;
void view_choice(const struct app *app, size_t i, const struct choice *choice, struct buf *out);
void view_restart_title(const struct app *app, struct buf *out);
void view_restart(const struct app *app, struct buf *out);
void view_reason_title(const struct app *app, struct buf *out);
void view_overlap_title(const struct app *app, struct buf *out);
void view_bulk_title(const struct app *app, struct buf *out);
void view_menu_title(const struct app *app, struct buf *out);
void view_quit_title(const struct app *app, struct buf *out);
void view_overlap(const struct app *app, struct buf *out);
void view_marked(const struct app *app, struct buf *out);

/* The help: those actions that have the text in their keys or words. */
void view_help(const struct app *app, size_t columns, struct buf *out);

/* The keys that matter now, as many as fit. */
void view_keys(const struct app *app, struct buf *out);

#endif
