/* The verbs without a screen: one call, its outcome on stdout, an exit code. No undo window here.
 */
#ifndef BOOKFLOW_BATCH_H
#define BOOKFLOW_BATCH_H

#include "remote.h"

enum batch_verb {
    BATCH_NONE,  /* the screen, */
    BATCH_PLAIN, /* or the screen in lines: started by main() */
    BATCH_LIST,
    BATCH_WATCH,
    BATCH_SHOW,
    BATCH_ACCEPT,
    BATCH_REJECT,
    BATCH_HISTORY,
    BATCH_HEALTH,
    BATCH_VERBS
};

enum batch_option { BATCH_JSON, BATCH_STATUS, BATCH_DAY, BATCH_REASON, BATCH_OPTIONS };

/* What became of several ids, some done and some not. */
enum { BATCH_PARTLY_DONE = 5 };

struct batch {
    enum batch_verb verb;
    const char *options[BATCH_OPTIONS]; /* NULL = not given */
    const char *const *ids;
    size_t count;
};

/* ERROR_USAGE: ids or options that the verb does not take, or a value that is none. */
MUST_CHECK bool batch_check(const struct batch *batch, struct error *error);

/* Returns the exit code: 0 done, 1 not done, 2 wrong use, 5 partly done, 75 offline, 77 signed out,
 * 78 bad configuration. */
int batch_run(const struct batch *batch, const struct remote *remote);

/* Says it on stderr; returns its exit code. */
int batch_fail(const struct error *error);

/* --- between the files of the verbs --- */

int batch_decide(const struct batch *batch, const struct remote *remote, struct client *client);
int batch_watch(const struct batch *batch, const struct remote *remote, struct client *client);

#endif
