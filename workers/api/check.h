/* What would become of a message, without its becoming so: `bookflow dlq redrive --dry-run`. Each
 * worker has the route of the queue that it hears:
 *
 *   POST /queues/request/check        the decision worker
 *   POST /queues/confirmation/check   the intake worker
 *
 * {"body": text of the message} is answered {"outcome": "would apply", "duplicate" or "still
 * fails", "reason": text or null}. */
#ifndef BOOKFLOW_CHECK_H
#define BOOKFLOW_CHECK_H

#include "server.h"

/* Handlers get a struct worker * as context. */
const struct http_route *check_request_routes(void);
const struct http_route *check_confirmation_routes(void);

#endif
