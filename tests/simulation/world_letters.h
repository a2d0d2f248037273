/* Messages that nobody can handle, and the dead-letter queues they must end in. */
#ifndef BOOKFLOW_WORLD_LETTERS_H
#define BOOKFLOW_WORLD_LETTERS_H

#include "simulation.h"

/* Somebody else sends something: not JSON, of a booking that does not exist, or a create where none
 * belongs. */
void letters_stranger(struct simulation *simulation);

/* At rest: the dead-letter queues hold what strangers sent, all of it, and what crashed a worker
 * three times. Then the poison is cured and they are emptied into their queues again. */
void letters_redrive(struct simulation *simulation);

/* In the end only what strangers sent is left in them. */
void letters_end(struct simulation *simulation);

#endif
