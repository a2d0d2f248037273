/* Both stores for the targets that need one: opened once, filled the same way in every process, and
 * after each input as they were before it. Nothing is ever committed.
 *
 * The writer's place is taken (the linker wraps writer_submit()): operations are applied as the
 * writer applies them, each in a savepoint of its own, but without a commit, a thread or a disk. */
#ifndef BOOKFLOW_FUZZ_STORE_H
#define BOOKFLOW_FUZZ_STORE_H

#include "db.h"
#include "fuzz.h"
#include "writer.h"

/* What stands in both stores: slot-1 is free, slot-2 holds the pending booking-2 of user-1 (Zoë) at
 * provider-1, slot-0 has begun. The outbox is empty. */
struct writer {
    struct db *db;
    struct operation *first;
    struct operation **end;
};

struct fuzz_stores {
    struct writer intake;
    struct writer decision;
    struct fuzz_clock clock;
    struct world world;
};

/* From here to fuzz_stores_undo() the stores may be written. */
struct fuzz_stores *fuzz_stores_begin(void);
void fuzz_stores_undo(struct fuzz_stores *stores);

/* Applies what was submitted and calls its done(); returns how many operations that were. */
size_t fuzz_writer_run(struct writer *writer);

#endif
