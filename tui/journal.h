/* The journal: the answers of one provider at one server, kept on this computer so that a crash
 * loses none and sends none. Blocking; it belongs to one thread. */
#ifndef BOOKFLOW_JOURNAL_H
#define BOOKFLOW_JOURNAL_H

#include "history.h"

struct journal;

/* Whose answers they are. */
struct journal_owner {
    const char *server;
    const char *provider;
};

/* Reads what is there into `history` and holds the journal until it is freed. ERROR_BUSY: another
 * console holds it. ERROR_UNAVAILABLE: the folder or the file cannot be used, and why. */
MUST_CHECK struct journal *journal_open(const struct journal_owner *owner, struct history *history,
                                        struct error *error);
/* True: the lines, and all that failed before, are on the disk. */
MUST_CHECK bool journal_append(struct journal *journal, const struct buf *lines,
                               struct error *error);
void journal_free(struct journal *journal);
void journal_release(struct journal **journal); /* for AUTO() */

/* Reads only, also while a console is running. A journal that is not there is an empty history. */
MUST_CHECK bool journal_read(const struct journal_owner *owner, struct history *history,
                             struct error *error);

#endif
