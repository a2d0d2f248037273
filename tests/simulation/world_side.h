/* One worker of a world: its disk, its clock, its process that dies and is started again. Must not
 * know what people ask of it. */
#ifndef BOOKFLOW_WORLD_SIDE_H
#define BOOKFLOW_WORLD_SIDE_H

#include "disk.h"
#include "role.h"
#include "simulation.h"
#include "world_template.h"

struct side {
    struct simulation *simulation;
    int index; /* INTAKE or DECISION */
    const char *name;
    struct settings settings;
    struct world world; /* of this worker; its context is the side */
    struct disk *disk;
    struct sqlite3_vfs *vfs; /* the disk as SQLite opens files on it */
    struct role *role;       /* NULL = the process is not there */
    int64_t wall_offset_ms;
    int64_t start_ms; /* ticks: when a process that is not there is started */
    bool armed;       /* the power will go */
    bool killed;      /* the process is dead, the disk lives; it only has not noticed */
    bool refusing;    /* the disk refuses, or will; what fails then is no wonder */
    bool draining;
};

enum { EPOCH_S = 1771488000 }; /* when every world begins: 2026-02-19T08:00:00Z */

extern const char *const side_queues[SIDES]; /* what each side publishes to */

struct side *side_new(struct simulation *simulation, int index,
                      const struct simulation_ground *ground);
void side_free(struct side *side);

/* Starts, steps or buries the process. Returns in how many ms it wants to be stepped again. */
int64_t side_step(struct side *side);

/* The power will go at that operation of the disk from now. */
void side_arm(struct side *side, int64_t operations);

void side_disarm(struct side *side);

/* The disk refuses so many operations from that one on, then it is well again. */
void side_refuse(struct side *side, int64_t operations, int64_t times);

/* kill -9: whatever the process still does has no effect on the disk, which keeps what it has. */
void side_kill(struct side *side);

/* SIGTERM. */
void side_drain(struct side *side);

/* True when there is a process that nothing has happened to. */
bool side_is_well(const struct side *side);

int64_t side_wall_ms(const struct side *side);

#endif
