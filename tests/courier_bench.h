/* For tests of the courier: a scripted queue, a store in a folder of its own, a clock and chance
 * that the test owns, and a writer that runs when told. One bench a test. */
#ifndef BOOKFLOW_COURIER_BENCH_H
#define BOOKFLOW_COURIER_BENCH_H

#include "fake_queue.h"
#include "world.h"
#include "writer.h"

struct bench {
    struct fake_queue *fake;
    struct writer *writer;
    struct db *reader;
    struct world world;
    int64_t wall_ms;
    int64_t ticks_ms;
    uint64_t seed;
    char path[64];
};

void bench_open(struct bench *bench);
/* The queue, then the store: what is open is answered. */
void bench_close(struct bench *bench);

/* As after a crash: the store as it is on disk now, under a new queue and writer. Time goes on. */
void bench_open_copy(struct bench *bench, const struct bench *of);

/* Runs the writer until nothing is left. Returns how many operations it delivered. */
size_t bench_settle(struct bench *bench);

/* Runs a statement on the writer. sql is a string constant. */
void bench_run(struct bench *bench, const char *sql);

/* The first column of the only row, read by the reader. sql is a string constant. */
int64_t bench_number(struct bench *bench, const char *sql);
void bench_text(struct bench *bench, const char *sql, char out[static 512]);

void bench_pass(struct bench *bench, int64_t ms);

#endif
