/* For the targets of the console: what the screen would show of it. */
#ifndef BOOKFLOW_FUZZ_VIEW_H
#define BOOKFLOW_FUZZ_VIEW_H

#include "app.h"

/* Every text of the screen acts on no terminal, and the rows are as wide as they should be. */
void fuzz_view_check(const struct app *app);

#endif
