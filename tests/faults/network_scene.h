/* The scene of the proof about the network: two workers, the people at both ends, some dozens of
 * bookings, poison, a storm and the good weather behind it; and the judgement at the end. It knows
 * the queues only by what is named here, so that it can be played on others. */
#ifndef BOOKFLOW_NETWORK_SCENE_H
#define BOOKFLOW_NETWORK_SCENE_H

#include "booking.h"
#include "broker.h"
#include "network_side.h"

/* Where a scene is played. Names: "request", "confirmation", and NAME-dlq behind each. */
struct scene_queues {
    side_queue_fn *open;
    /* Another producer's message. */
    void (*put)(void *context, const char *name, const struct queue_entry *entry);
    /* Messages in the queue, visible or not. */
    size_t (*depth)(void *context, const char *name);
    void (*visit)(void *context, const char *name, broker_visit_fn *visit, void *visitor);
    void (*storm)(void *context, bool blows); /* begins, ends */
    void *context;
};

/* What was acknowledged to people about one booking. */
struct promise {
    struct booking booking;
    bool cancelled; /* by either */
    enum booking_status decided;
};

enum poison {
    POISON_BAD_JSON,
    POISON_TYPE,
    POISON_BOOKING,
    POISON_OVERSIZED,
    POISON_FIELD,
    POISONS
};
const char *poison_name(enum poison poison);

enum { PROMISES = 256, VIOLATION_SIZE = 256 };

struct scene {
    /* The player's. */
    struct scene_queues queues;
    const char *folder; /* empty */
    uint64_t seed;
    bool applies_twice; /* planted in both workers */

    /* The scene's. */
    struct world world;
    int64_t now_ms;
    uint64_t chance;
    struct side sides[SIDES];
    struct promise promises[PROMISES];
    size_t promises_count;
    int64_t acts, refused; /* of people */
    int64_t killed;
    bool poisoned[POISONS];
    char *poison[POISONS];          /* bodies */
    int64_t events;                 /* that crossed */
    char violation[VIOLATION_SIZE]; /* the first; "" = none */
};

/* Opens the stores, with free slots. scene_close() in any case. */
void scene_open(struct scene *scene);
void scene_close(struct scene *scene); /* takes the stores away */

/* The whole of it: a storm, good weather, the judgement. */
void scene_play(struct scene *scene);

/* Its parts. One random act of somebody. */
void scene_act(struct scene *scene);
void scene_put_poison(struct scene *scene, enum poison poison);

/* Lets so much time pass. */
void scene_pass(struct scene *scene, int64_t ms);

/* People act, workers die and stores hang, poison comes, for so long. */
void scene_busy(struct scene *scene, int64_t ms);

/* Until nothing is on the way any more, at most so long; false = something still is. */
bool scene_settle(struct scene *scene, int64_t ms);

/* --- network_judge.c --- */

void scene_violate(struct scene *scene, const char *format, ...) PRINTF_LIKE(2, 3);

/* Settled: everything that was promised is true on both sides, each event had one effect, and only
 * poison is in the dead-letter queues, all of it, with its reason. */
void scene_judge(struct scene *scene);

/* Only the last: what is in the dead-letter queues. */
void scene_judge_dead_letters(struct scene *scene);

#endif
