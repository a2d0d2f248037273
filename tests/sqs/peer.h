/* The tests' SQS server, as peer.mjs says what it can be told. A harness that cannot reach it has
 * nothing to test: whatever goes wrong here ends the process. */
#ifndef BOOKFLOW_PEER_H
#define BOOKFLOW_PEER_H

#include <jansson.h>

#include "client.h"

struct peer {
    struct client *control;
    char name[64]; /* of what it makes for us: queues NAME-..., its listener */
    char url[128]; /* of the listener */
};

/* From BOOKFLOW_TEST_SQS, the control's address. Its listener is its own; the environment is set so
 * that an account finds listener and credentials. */
void peer_open(struct peer *peer, const char *name);
void peer_close(struct peer *peer);

/* Takes over the body (NULL = GET); the answer is the caller's. */
json_t *peer_ask(struct peer *peer, const char *path, json_t *body);

/* Makes NAME-queue and NAME-queue-dlq. */
void peer_add_queue(struct peer *peer, const char *queue, int max_receives);

/* Of NAME-queue. */
void peer_queue_url(const struct peer *peer, const char *queue, char *out, size_t size);
size_t peer_depth(struct peer *peer, const char *queue);

#endif
