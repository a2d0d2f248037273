/* What the files of the invariants share, and nobody else includes. */
#ifndef BOOKFLOW_INVARIANTS_PRIVATE_H
#define BOOKFLOW_INVARIANTS_PRIVATE_H

#include "invariants.h"

/* Reads what is new in the trail; false when the store cannot be read. */
MUST_CHECK bool look_at_trail(struct side *side, struct error *error);

#endif
