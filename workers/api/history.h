/* The history of a booking as the API shows it; the same on both sides. */
#ifndef BOOKFLOW_HISTORY_H
#define BOOKFLOW_HISTORY_H

#include <jansson.h>

#include "db.h"

/* {"history":[{"at","actor","from","to","event","reason","eventId"},...]}, oldest first: every
 * transition and every publish success or failure. `from` and `to` are null where nothing moved or
 * nothing was there. A new reference; NULL on failure. */
MUST_CHECK json_t *history_to_json(struct db *db, const char *booking_id, struct error *error);

#endif
