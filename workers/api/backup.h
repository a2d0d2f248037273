/* A copy of the running worker's store, for `bookflow backup`:
 *
 *   POST /stores/intake/backup, POST /stores/decision/backup
 *
 * answered {"store", "file", "bytes", "tookMs"} when the file is on disk, beside the store: a
 * worker may write nowhere else. One at a time; a second is 409. */
#ifndef BOOKFLOW_BACKUP_H
#define BOOKFLOW_BACKUP_H

#include "server.h"
#include "worker.h"

struct backup;
struct backup *backup_new(struct worker *worker);

/* Answers what has ended. */
void backup_step(struct backup *backup);

/* Gives up what is under way: the worker drains. */
void backup_drain(struct backup *backup);

/* A request that is still open is not answered any more. */
void backup_free(struct backup *backup);

/* Handlers get a struct worker * as context. */
const struct http_route *backup_intake_routes(void);
const struct http_route *backup_decision_routes(void);

#endif
