/* How people are told in a world: channels whose far side outlives the workers, and which lose
 * letters, answers and time. What has arrived is what people know. */
#ifndef BOOKFLOW_WORLD_POST_H
#define BOOKFLOW_WORLD_POST_H

#include "channel.h"
#include "simulation.h"

struct post;
struct post *post_new(struct simulation *simulation);
void post_free(struct post *post);

/* For the intake worker of this world; some worlds have none. */
const struct channels *post_channels(const struct post *post);

/* Whoever is told of a booking's last state was told of it, and of none after it. */
void post_end(struct post *post);

#endif
