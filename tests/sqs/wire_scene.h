/* A scene of the proof about the network (../faults/network_scene.h) played on the wire: both
 * workers' shipped rules, courier and stores on queues behind HTTP. Time is real, but the workers'
 * runs ten times as fast, and what they say to the queue in seconds is divided by ten: so a lease
 * of half a minute is one of three seconds and nothing else changes. */
#ifndef BOOKFLOW_WIRE_SCENE_H
#define BOOKFLOW_WIRE_SCENE_H

#include "account.h"
#include "network_scene.h"
#include "peer.h"

enum { WIRE_NAME_SIZE = 48 };

struct wire_cell {
    char call[WIRE_NAME_SIZE];
    char fault[WIRE_NAME_SIZE]; /* "" = fair weather */
    uint64_t seed;
    int chance; /* percent */
    int max_receives;
    bool redriven; /* the queue gives up on messages in the storm, and gets them back after it */
};

struct wire {
    struct scene scene;
    struct peer peer;
    struct config *config;
    struct account *account;
    struct wire_cell cell;
    int64_t begun_ms; /* real ticks */
    int64_t fired;
    char folder[96];
};

struct wire_outcome {
    int64_t fired, bookings, events, redriven, ms;
    char violation[VIOLATION_SIZE]; /* "" = all is well */
};

/* The whole of it, in this process, which has done nothing of the kind before. */
void wire_play(const struct wire_cell *cell, const char *folder, struct wire_outcome *outcome);

#endif
