/* How long a notice waits after a failure, by its channel. */
#ifndef BOOKFLOW_PATIENCE_H
#define BOOKFLOW_PATIENCE_H

#include <stdint.h>

#include "notices.h"
#include "world.h"

/* After so many tries, 1 or more, all of which failed. */
int64_t patience_ms(const struct world *world, enum notice_channel channel, int64_t attempts);

#endif
