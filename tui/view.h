/* The app in words: every text of the screen. Pure. Blocks are paragraphs that end with a newline;
 * the screen wraps them. What came from outside is made safe before it goes into one. */
#ifndef BOOKFLOW_VIEW_H
#define BOOKFLOW_VIEW_H

#include "app.h"

enum { VIEW_LINES_MIN = 6, VIEW_COLUMNS_MIN = 30, VIEW_DETAIL_LINES = 6 };

struct layout {
    size_t list_top;
    size_t list_lines; /* at least 1 */
    size_t list_columns;
    size_t detail_top;
    size_t detail_left;
    size_t detail_lines; /* 0 = no room */
    size_t message_top;
    size_t message_lines; /* with the rule above them; 1 = no room for it */
};
struct layout view_layout(size_t lines, size_t columns);
/* False: there is only room to say so, and nothing may be answered. */
bool view_fits(const struct app *app);

/* A text from outside: safe, on one line, cut to the columns. */
void view_outside(struct buf *out, const char *text, size_t columns);
/* "26 min" */
void view_ago(struct buf *out, int64_t seconds);
/* " by provider at 10:29", as far as it is known. */
void view_decision(const struct record *record, struct buf *out);

enum view_mood { VIEW_PLAIN, VIEW_GOOD, VIEW_WARN, VIEW_BAD };

/* "[LIVE] 2 sending" ... */
enum view_mood view_tag(const struct app *app, struct buf *out);
void view_clock(const struct app *app, struct buf *out);
void view_tabs(const struct app *app, struct buf *out);

/* The head of the list and a row of it, for that many columns. */
const char *view_list_head(size_t columns);
void view_row(const struct app *app, const struct row *row, size_t columns, struct buf *out);
/* "wait 26m", "ACCEPT 7s", "NOT DONE" ... */
enum view_mood view_state(const struct app *app, const struct row *row, struct buf *out);

/* Blocks: about the row under the cursor; the last notice, then the connection or the arrivals;
 * what is staged, if anything is; what leaving would mean; the keys of the help. */
void view_detail(const struct app *app, struct buf *out);
void view_message(const struct app *app, struct buf *out);
void view_staged(const struct app *app, struct buf *out);
void view_quit(const struct app *app, struct buf *out);
void view_help(size_t columns, struct buf *out);

/* The keys that matter now, in the longest wording that fits. */
const char *view_keys(const struct app *app);

#endif
