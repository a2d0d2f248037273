/* The subjects of the power-cut harness. */
#ifndef BOOKFLOW_POWER_CUTS_STORE_H
#define BOOKFLOW_POWER_CUTS_STORE_H

#include "power_cuts_bench.h"

/* A worker's store under work: book, cancel, hear, decide, publish, through the writer. */
extern const struct subject power_cuts_intake;
extern const struct subject power_cuts_decision;

/* The embedded queue: send, receive, hide, delete. */
extern const struct subject power_cuts_queue;

/* Each kind of store from nothing, and one with rows in it to a version that is still to come. */
enum { POWER_CUTS_MIGRATIONS = 4, POWER_CUTS_NEXT = 1 /* one with rows */ };
extern const struct subject power_cuts_migrations[POWER_CUTS_MIGRATIONS];

#endif
