/* Planted bugs: a queue that does to its client what a bug in the client would do. The proof must
 * find each, or it proves nothing. */
#ifndef BOOKFLOW_NETWORK_PLANTS_H
#define BOOKFLOW_NETWORK_PLANTS_H

#include "queue.h"

enum plant {
    PLANT_NONE,
    PLANT_DELETE_FIRST, /* a message is deleted before its handler has run */
    PLANT_SENT_ANYWAY,  /* an event counts as sent although its call failed */
    PLANT_APPLY_TWICE,  /* a duplicate has its effect again; in network_side.c */
    PLANT_BURY_NOWHERE, /* a dead letter counts as kept although it was not sent */
    PLANTS
};

/* Owns `inner`. */
struct queue *planted_queue(struct queue *inner, enum plant plant);

#endif
