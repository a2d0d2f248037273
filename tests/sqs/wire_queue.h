/* A queue for workers whose clock runs faster than the queue's: seconds are divided on their way.
 */
#ifndef BOOKFLOW_WIRE_QUEUE_H
#define BOOKFLOW_WIRE_QUEUE_H

#include "queue.h"

enum { WIRE_FASTER = 10 };

/* Owns `inner`; NULL for NULL. */
struct queue *slowed_queue(struct queue *inner);

#endif
