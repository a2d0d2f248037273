/* One world from one seed: two workers, their disks, the queues between them, the people, and all
 * that goes wrong. Everything that happens follows from the seed; one thread, one step at a time.
 */
#ifndef BOOKFLOW_SIMULATION_H
#define BOOKFLOW_SIMULATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker.h"
#include "disk.h"
#include "errors.h"
#include "world.h"

struct ledger;
struct people;
struct post;
struct side;

enum { INTAKE, DECISION, SIDES };

/* What an invariant can find. */
enum wrong {
    NOTHING_WRONG,
    WRONG_LOST,          /* what was acknowledged or seen is not there any more */
    WRONG_STUCK,         /* the world is at rest and something has not arrived */
    WRONG_DIVERGED,      /* the stores, or a store and its trail, tell two stories */
    WRONG_DOUBLE_BOOKED, /* a slot with two active bookings */
    WRONG_MOVED_DOWN,    /* a booking went down or sideways in the order of states */
    WRONG_TWO_EFFECTS,   /* one event or one request counted twice */
    WRONGS
};
extern const char *const wrong_names[WRONGS];

struct violation {
    enum wrong wrong; /* NOTHING_WRONG = none; the first one stays */
    int64_t step;
    char text[256];
};

struct simulation_counts {
    int64_t worlds, bookings, cuts, kills, drains, refusals, duplicates, redeliveries, dead_letters,
        attempts_left, notices, steps;
};

/* How much bad luck: one in so many steps. */
struct mood {
    int64_t cut_every, kill_every, clock_every;
};

/* What happened last, for a reader; only kept when a world is replayed. */
struct trail;

struct simulation {
    uint64_t seed;
    uint64_t chance;
    int64_t ticks_ms;
    int64_t step;
    struct world world; /* the broker's, and of whoever has no clock of his own */
    struct broker *broker;
    struct side *sides[SIDES];
    struct people *people;
    struct post *post;
    struct ledger *ledger;
    struct trail *trail; /* NULL = not kept */
    struct mood mood;
    bool settling; /* good weather, nobody does anything any more */
    bool cured;    /* the poison does no harm any more */
    int strangers; /* messages of other producers so far */
    struct violation violation;
    struct simulation_counts counts;
};

/* What is given to every world of one process. */
struct simulation_ground {
    const char *folder; /* real and empty: the store's lock files are real */
    const struct template *template;
    enum disk_honesty honesty;
};

struct simulation_result {
    struct violation violation;
    struct simulation_counts counts;
    uint64_t trace; /* equal for equal histories */
};

/* Lives through the world of this seed. */
void simulation_run(uint64_t seed, const struct simulation_ground *ground, struct trail *trail,
                    struct simulation_result *result);

/* Chance. */
int64_t between(struct simulation *simulation, int64_t low, int64_t high);
bool one_in(struct simulation *simulation, int64_t many);

/* Notes that an invariant does not hold. Always returns false. */
bool violated(struct simulation *simulation, enum wrong wrong, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* simulation_trail.c */
struct trail *trail_new(void);
void trail_free(struct trail *trail);
void trail_add(struct simulation *simulation, const char *format, ...) PRINTF_LIKE(2, 3);
void trail_print(const struct trail *trail);

#endif
