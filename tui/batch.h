/* The verbs without a screen: one call, its outcome on stdout, an exit code. No undo window here.
 */
#ifndef BOOKFLOW_BATCH_H
#define BOOKFLOW_BATCH_H

#include "remote.h"

enum batch_verb { BATCH_NONE, BATCH_LIST, BATCH_SHOW, BATCH_ACCEPT, BATCH_REJECT, BATCH_HEALTH };

/* What became of several ids, some done and some not. */
enum { BATCH_PARTLY_DONE = 5 };

struct batch {
    enum batch_verb verb;
    const char *status; /* of --list; NULL = all */
    const char *day;
    const char *reason;
    const char *const *ids;
    size_t count;
    bool json;
};

/* Returns the exit code: 0 done, 1 not done, 2 wrong use, 5 partly done, 75 offline, 77 signed out,
 * 78 bad configuration. */
int batch_run(const struct batch *batch, const struct remote *remote);

#endif
