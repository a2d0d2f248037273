/* The writer: the only hand that writes a store.
 *
 * Operations are submitted from the loop; the writer takes all that are there (at most
 * WRITER_BATCH), runs each in its own savepoint inside one transaction, commits, and hands them
 * back to the loop, where their `done` is called in order of submission. So `done` without a
 * failure means: it is on disk. An operation that fails is undone alone; its failure, too, is told
 * only after the commit of what it saw. If the commit itself fails, every operation of the batch
 * fails with ERROR_UNAVAILABLE. No timer, no waiting for company: under load one fsync serves many,
 * alone an operation waits for nobody.
 *
 * With writer_start() a thread does the steps; without it a test or the simulation calls
 * writer_step() and writer_deliver() itself and everything happens on one thread. */
#ifndef BOOKFLOW_WRITER_H
#define BOOKFLOW_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db.h"

enum { WRITER_BATCH = 256 };

/* Embedded in the submitter's own record, which it frees in done(). */
struct operation {
    /* On the writer thread, inside a savepoint. Must not touch anything the loop may touch. */
    bool (*apply)(struct operation *self, struct db *db, struct error *error);
    /* On the loop, after the commit. failure is NULL when the operation is durable. */
    void (*done)(struct operation *self, const struct error *failure);
    /* The writer's own. */
    struct operation *next;
    struct error failure;
};

struct writer;

/* Owns db from now on. wake (may be NULL) is called, from the writer thread, once per commit: the
 * loop should then call writer_deliver(). */
struct writer *writer_new(struct db *db, void (*wake)(void *context), void *context);

/* Starts the thread. */
MUST_CHECK bool writer_start(struct writer *writer, struct error *error);

/* From the loop (or from done()). The operation is the writer's until done() is called. */
void writer_submit(struct writer *writer, struct operation *operation);

/* Runs and commits one batch on the calling thread; returns how many operations it held. */
size_t writer_step(struct writer *writer);

/* Calls done() of everything that is committed; returns how many. Operations submitted by done()
 * itself wait for the next step. */
size_t writer_deliver(struct writer *writer);

/* Operations submitted whose done() has not been called. */
size_t writer_pending(const struct writer *writer);

/* Counters since the start, as of the last writer_deliver(); read on the loop. */
struct writer_counters {
    int64_t operations;
    int64_t commits;
    int64_t failed_commits;
};
struct writer_counters writer_counters(const struct writer *writer);

/* Finishes what is submitted (also by done() meanwhile), stops the thread, delivers, checkpoints,
 * closes the database. */
void writer_free(struct writer *writer);

#endif
