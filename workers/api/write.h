/* A request that writes: read on the loop, applied by the writer in one transaction, answered after
 * the commit. Idempotency keys are honoured here, for every POST alike. */
#ifndef BOOKFLOW_WRITE_H
#define BOOKFLOW_WRITE_H

#include <jansson.h>

#include "db.h"
#include "server.h"
#include "worker.h"

enum { LOCATION_SIZE = 256 };

struct answer {
    int status;                   /* 200 unless the handler says otherwise */
    json_t *body;                 /* given by the handler; NULL = none (204) */
    char location[LOCATION_SIZE]; /* "" = none */
    json_t *extra;                /* of a refusal: merged into {"error":...} */
};

/* What a writing handler works with, on the writer's thread. */
struct call {
    const struct worker *worker;
    const char *path;
    const char *parameters[HTTP_PARAMETERS_MAX];
    const json_t *body; /* an object, {} without a body */
    const char *actor;  /* the name of the caller's token; NULL without one */
    int64_t now_ms;
};

/* Checks the call and applies it. A refusal is a failure: its kind gives the status, and whatever
 * it wrote is undone. */
typedef bool write_fn(const struct call *call, struct db *db, struct answer *answer,
                      struct error *error);

/* Hands the request to the writer; it is answered when the commit is done. */
void write_request(struct worker *worker, struct http_request *request, write_fn *apply);

#endif
