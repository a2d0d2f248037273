/* Draws the app with curses, and nothing else: no state of its own, no keys, no network. The caller
 * has started curses (terminal.h, or a test with newterm). */
#ifndef BOOKFLOW_SCREEN_H
#define BOOKFLOW_SCREEN_H

#include "app.h"

struct screen {
    bool colour;
    bool utf8; /* false: one ? for each letter that is not ASCII */
};

/* Colours if they are wanted, unless NO_COLOR is set or the terminal has none. */
struct screen screen_start(bool colour);

/* One frame. The real cursor ends on the row that is selected. */
void screen_draw(const struct screen *screen, const struct app *app);

#endif
