/* What can happen inside a handler: a passing failure, and the poison, an event whose handling
 * kills the worker whatever it does. */
#ifndef BOOKFLOW_WORLD_POISON_H
#define BOOKFLOW_WORLD_POISON_H

#include "simulation.h"

/* From now on the world of the handler is this one. */
void poison_begin(struct simulation *simulation);
void poison_end(void);

#endif
