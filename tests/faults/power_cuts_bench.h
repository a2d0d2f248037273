/* What the power-cut harness stands on: a disk, a folder, a world that stands still until it is
 * moved; something that works on the disk and later says whether its promises hold; and the loops
 * that cut or fail each of its operations in turn. Must not know what the work is. */
#ifndef BOOKFLOW_POWER_CUTS_BENCH_H
#define BOOKFLOW_POWER_CUTS_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db.h"
#include "disk.h"
#include "errors.h"
#include "world.h"

enum { BENCH_PATH_SIZE = 96 };

struct bench {
    char folder[64];
    uint64_t seed;
    struct disk *disk; /* of the run */
    struct world world;
    uint64_t chance; /* the world's */
    int64_t now_ms;
    bool answers_early;
    const char *weaken;      /* a pragma for the connection that works; NULL = as shipped */
    bool closes_in_the_dark; /* the power goes at the end of the work, before anything is closed */
    int64_t checks;          /* so that what a check adds has a name of its own */
};

void bench_init(struct bench *bench, uint64_t seed);
void bench_release(struct bench *bench);
void bench_path(const struct bench *bench, const char *name, char out[BENCH_PATH_SIZE]);

/* Opens as a worker would that is started again when it fails to start: three times. */
struct db *bench_open_store(struct bench *bench, const char *name, const struct db_schema *schema,
                            struct error *error);
/* The first column of the first row; -1 when it cannot be had. */
int64_t bench_number(struct db *db, const char *sql);
/* PRAGMA integrity_check says ok. */
bool bench_is_whole(struct db *db, struct error *error);

enum verdict { VERDICT_KEPT, VERDICT_LOST, VERDICT_CORRUPT, VERDICT_CONTRADICTED, VERDICTS };

/* The work and its record of what was promised, which starts as zeroes. */
struct subject {
    const char *name;
    size_t record_size;
    /* Opens, works, notes what was acknowledged, closes. True when it got to its end and the last
     * thing it asked for was done: whatever failed before, it went on. */
    bool (*run)(void *record, struct bench *bench);
    /* Opens again and compares; then goes on with something new. */
    enum verdict (*check)(const void *record, struct bench *bench, struct error *why);
};

struct plan {
    enum disk_honesty honesty;
    const char *weaken;
    int64_t seeds;      /* ends of each cut */
    int64_t step;       /* 1 = every operation */
    bool answers_early; /* a planted bug: a failure counts as acknowledged, too */
    bool quiet;         /* a control: what it breaks is not worth a line */
};

struct tally {
    int64_t runs; /* one for each operation */
    int64_t cuts;
    int64_t second_cuts; /* of these, those with another one while the first is recovered from */
    int64_t distinct;    /* different ends: the same bytes and promises are checked once */
    int64_t stopped;     /* did not go on after a fault */
    int64_t by_verdict[VERDICTS];
};
int64_t tally_bad(const struct tally *tally);

/* Every `step`th operation is where the power goes; each with so many ends. */
void bench_cut_everywhere(struct bench *bench, const struct subject *subject,
                          const struct plan *plan, struct tally *tally);

/* Every `step`th operation fails once with this code of SQLite's, reads with that of a read and the
 * others with those of a write; at the end of the work the power
 * goes, so that what was promised had better be durable. */
void bench_fail_everywhere(struct bench *bench, const struct subject *subject, int code,
                           int64_t step, struct tally *tally);

/* One seed, one history: two runs leave the same trace. */
bool bench_repeats(struct bench *bench, const struct subject *subject);

#endif
