/* Bad luck: the queues' weather, power cuts, kills, drains, jumping clocks, and its end. */
#ifndef BOOKFLOW_WORLD_WEATHER_H
#define BOOKFLOW_WORLD_WEATHER_H

#include "simulation.h"

void weather_begin(struct simulation *simulation);
void weather_step(struct simulation *simulation);

/* Good weather from here on; clocks agree, what is armed is not. */
void weather_end(struct simulation *simulation);

#endif
