/* Text onto the screen: whatever is written comes through here and is made safe, whoever wrote it.
 * Knows nothing of the app. */
#ifndef BOOKFLOW_PAINT_H
#define BOOKFLOW_PAINT_H

#include "screen.h"
#include "view.h"

/* On the first line of a box, cut to its width. */
void paint(const struct screen *screen, struct box box, const char *text);
void paint_with(const struct screen *screen, enum view_mood mood, struct box box, const char *text);
/* The first line of a box, with a title; what is below it. */
void paint_rule(const struct screen *screen, const struct box *box, const char *title);
struct box paint_inside(struct box box);

/* A block: paragraphs, wrapped, one column in from the left, from its `first` line on. A tab parts
 * what stands left from what stands right. */
void paint_block(const struct screen *screen, struct box box, const char *text, size_t first);
/* How many lines that takes. */
size_t paint_lines(const char *text, size_t width);

#endif
