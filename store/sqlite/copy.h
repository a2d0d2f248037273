/* A copy of a database that goes on being written, by SQLite's online backup API: all of it as of
 * one moment. A thread makes it, on a connection of its own, so that neither loop nor writer waits;
 * it lives as long as the copy is made. While it does, the WAL is not emptied and grows with what
 * is written. */
#ifndef BOOKFLOW_COPY_H
#define BOOKFLOW_COPY_H

#include <stdbool.h>
#include <stdint.h>

#include "db.h"
#include "errors.h"

struct copy;

/* Copies the database of `source` to the same path with ".copy" behind it, mode 0600; one that is
 * there is replaced when the new one is whole and on disk. `wake` is called, from the thread, when
 * it has ended. */
MUST_CHECK struct copy *copy_new(const struct db *source, void (*wake)(void *context),
                                 void *context, struct error *error);

bool copy_ended(const struct copy *copy);

/* After the end: where it is and how large, or why there is none. */
MUST_CHECK bool copy_result(const struct copy *copy, const char **path, int64_t *bytes,
                            struct error *error);

/* Ends it early: it then fails with ERROR_UNAVAILABLE, soon. */
void copy_stop(struct copy *copy);

/* Stops it and waits for its end. */
void copy_free(struct copy *copy);

#endif
