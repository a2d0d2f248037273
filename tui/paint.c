/* Text onto curses: safe, cut and wrapped. Knows nothing of the app. */
#include "paint.h"

#include <curses.h>
#include <string.h>

#include "text.h"

void paint(const struct screen *screen, struct box box, const char *text)
{
    struct buf cut AUTO(buf_release) = {0};
    view_outside(&cut, text, box.width);
    if (move((int)box.top, (int)box.left) == ERR)
        return;
    if (screen->utf8) {
        (void)addstr(buf_text(&cut));
        return;
    }
    const char *at = buf_text(&cut);
    const char *end = at + cut.length;
    for (uint32_t letter = 0; at < end && (letter = text_next(&at, end));)
        (void)addch(letter < 0x80 ? (chtype)letter : '?');
}

void paint_with(const struct screen *screen, enum view_mood mood, struct box box, const char *text)
{
    const attr_t attribute = mood == VIEW_PLAIN ? A_NORMAL
                             : screen->colour   ? (attr_t)COLOR_PAIR(mood)
                                                : A_REVERSE;
    (void)attron((int)attribute);
    paint(screen, box, text);
    (void)attroff((int)attribute);
}

void paint_rule(const struct screen *screen, const struct box *box, const char *title)
{
    (void)mvhline((int)box->top, (int)box->left, '-', (int)box->width);
    paint(screen, (struct box){box->top, box->left + 2, box->width - 2, 1}, title);
}

/* What is below the rule of a box. */
struct box paint_inside(struct box box)
{
    const size_t rule = box.height > 0;
    return (struct box){box.top + rule, box.left, box.width, box.height - rule};
}

/* --- blocks --- */

/* How much of a paragraph goes on a line: up to the last blank that fits. A word that is too long
 * for a line stays whole and is cut by paint(). */
static size_t line_length(const char *text, size_t length, size_t width)
{
    size_t cut = length;
    while (cut > 0 && text_columns(text, cut) > width)
        do
            cut--;
        while (cut > 0 && text[cut] != ' ');
    return cut ? cut : length;
}

/* The next line of a block: what stands left, and behind a tab what stands right if there is room
 * for both; else the tab ends the line. Advances *text. */
struct line {
    struct buf left;
    struct buf right;
};

static void line_release(struct line *line)
{
    buf_release(&line->left);
    buf_release(&line->right);
}

enum { RIGHT_COLUMNS = 31 };

static struct line next_line(const char **text, size_t width)
{
    struct line line = {0};
    const char *at = *text;
    const size_t paragraph = strcspn(at, "\n");
    const size_t left = strcspn(at, "\t\n");
    const size_t right_at = width > RIGHT_COLUMNS ? width - RIGHT_COLUMNS : 0;
    const bool both = left < paragraph && text_columns(at, left) + 1 < right_at;
    const size_t length = both ? left : line_length(at, left, width);
    buf_append(&line.left, at, length);
    if (both)
        buf_append(&line.right, at + left + 1, paragraph - left - 1);
    at += both ? paragraph : length;
    *text = at + (*at != '\0');
    return line;
}

size_t paint_lines(const char *text, size_t width)
{
    size_t lines = 0;
    while (*text) {
        struct line line AUTO(line_release) = next_line(&text, width - 1);
        (void)line;
        lines++;
    }
    return lines;
}

/* A block, wrapped, one column in from the left, from its `first` line on. */
void paint_block(const struct screen *screen, struct box box, const char *text, size_t first)
{
    const size_t width = box.width - 1;
    for (size_t i = 0; *text && i < first + box.height; i++) {
        struct line line AUTO(line_release) = next_line(&text, width);
        const struct box left = {box.top + i - first, box.left + 1, width, 1};
        if (i < first)
            continue;
        paint(screen, left, buf_text(&line.left));
        if (line.right.length == 0)
            continue;
        const size_t column = left.left + width - RIGHT_COLUMNS;
        paint(screen, (struct box){left.top, column, RIGHT_COLUMNS, 1}, buf_text(&line.right));
    }
}
