/* Users and providers: what they ask for, and what they were told. They speak to the workers only
 * through their writers, as the HTTP handlers do. */
#ifndef BOOKFLOW_PEOPLE_H
#define BOOKFLOW_PEOPLE_H

#include "simulation.h"

/* The user whose booking nobody can handle. */
#define POISON_USER "user-poison"

struct people *people_new(struct simulation *simulation);
void people_free(struct people *people);

/* Some of them ask for something, or nobody does. */
void people_step(struct people *people);

#endif
