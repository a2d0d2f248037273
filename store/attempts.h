/* The ledger of handling attempts. A row is committed before the handler runs, so that a message
 * that crashes the worker is counted although nobody lived to count it. */
#ifndef BOOKFLOW_ATTEMPTS_H
#define BOOKFLOW_ATTEMPTS_H

#include <stdint.h>

#include "db.h"
#include "errors.h"

struct attempt {
    int64_t failures; /* attempts that ended in a failure */
    int64_t crashes;  /* attempts that never ended: their process died */
};

/* Notes that the handler is about to run, in the process `owner` (an id that is new at each start).
 * A row left running by another owner counts as a crash. Returns what was before this attempt. */
MUST_CHECK bool attempts_begin(struct db *db, const char *message_id, const char *owner,
                               int64_t now_ms, struct attempt *before, struct error *error);

/* Only looks, and turns a row left running by another owner into a counted crash. */
MUST_CHECK bool attempts_look(struct db *db, const char *message_id, const char *owner,
                              struct attempt *before, struct error *error);

/* The handler failed and lived. */
MUST_CHECK bool attempts_failed(struct db *db, const char *message_id, struct error *error);

/* Forgets a message that is done with: applied, dead-lettered, or given back unhandled (then the
 * attempt did not happen: `undo` restores the earlier counts instead of deleting them). */
MUST_CHECK bool attempts_done(struct db *db, const char *message_id, struct error *error);
MUST_CHECK bool attempts_undo(struct db *db, const char *message_id, struct error *error);

/* Deletes up to `maximum` rows last begun more than ATTEMPTS_KEEP_MS ago: a message that was
 * deleted, moved or timed out on its queue while its row said otherwise never comes to end it. SQS
 * keeps none for longer than 14 days. */
#define ATTEMPTS_KEEP_MS (INT64_C(15) * 24 * 3600 * 1000)
MUST_CHECK bool attempts_prune(struct db *db, int64_t now_ms, int64_t maximum, struct error *error);

#endif
