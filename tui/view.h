/* The app in words: every text of the screen. Pure. What came from outside is in it as it came; the
 * screen makes safe whatever it draws. */
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
    size_t message_lines;
};
struct layout view_layout(size_t lines, size_t columns);
/* False: there is only room to say so, and nothing may be answered. */
bool view_fits(const struct app *app);

/* Local times: in a strftime format, as "10:29", and as the age "26 min". */
void view_time(struct buf *out, int64_t seconds, const char *format);
void view_clock(struct buf *out, int64_t seconds);
void view_ago(struct buf *out, int64_t seconds);

enum view_mood { VIEW_PLAIN, VIEW_GOOD, VIEW_WARN, VIEW_BAD };

/* "[LIVE] 2 sending" ... */
enum view_mood view_tag(const struct app *app, struct buf *out);

void view_title(const struct app *app, struct buf *out);
void view_tabs(const struct app *app, struct buf *out);
void view_row(const struct app *app, const struct row *row, struct buf *out);
/* "wait 26m", "ACCEPT 7s", "NOT DONE" ... */
enum view_mood view_state(const struct app *app, const struct row *row, struct buf *out);
/* The n-th line about the row under the cursor. */
void view_detail(const struct app *app, size_t line, struct buf *out);
/* What is staged, or the state of the connection, or the last notice; the n-th line. */
void view_message(const struct app *app, size_t line, size_t columns, struct buf *out);

#endif
