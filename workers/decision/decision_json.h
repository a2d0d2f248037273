/* A booking as its provider sees it, as JSON. */
#ifndef BOOKFLOW_DECISION_JSON_H
#define BOOKFLOW_DECISION_JSON_H

#include <jansson.h>

#include "decision_store.h"

/* The seven fields, then userName, receivedAt, decidedAt, decidedBy, reason, delivered; null where
 * there is nothing. A new reference. */
json_t *decision_to_json(const struct decision_record *record);

#endif
