/* A role: one worker put together - its store, its two queues, publisher, consumer, sweeps - and
 * driven by steps. serve.c runs one or both of them on one loop; the simulation drives the same
 * steps by itself. */
#ifndef BOOKFLOW_ROLE_H
#define BOOKFLOW_ROLE_H

#include <stdbool.h>

#include "loop.h"
#include "queue.h"
#include "server.h"
#include "settings.h"
#include "worker.h"

struct channels;
struct role;

/* How queue_open() looks. */
typedef struct queue *role_queue_fn(const char *url, const struct queue_host *host,
                                    struct error *error);

/* Where a role runs; borrowed. */
struct role_host {
    const struct settings *settings;
    const struct world *world;
    struct account *account;         /* AWS; NULL = no queue is SQS */
    const struct channels *channels; /* how intake tells people; NULL = it tells nobody */
    struct loop *loop;               /* watches the queues */
    struct loop_waker *waker;        /* woken when role_step() should be called */
    role_queue_fn *open_queue;       /* queue_open() */
    bool single_threaded; /* no thread, loop or waker: role_step() does the writer's work, too */
};

/* `role` is ROLE_INTAKE or ROLE_DECISION. */
MUST_CHECK struct role *role_open(int role, const struct role_host *host, struct error *error);

void role_add_routes(struct role *role, struct http_server *server);

struct worker *role_worker(struct role *role);

/* Does everything that is due, without waiting. Returns in how many ms it wants to be called again.
 */
int64_t role_step(struct role *role);

/* Takes no new messages, finishes what is in hand, publishes once more; role_step() drives it. */
void role_drain(struct role *role);
bool role_drained(const struct role *role);

/* For how long the writer has had work and not got on with it. */
int64_t role_still_ms(const struct role *role);
/* False, with the reason, when the writer has stopped turning. */
MUST_CHECK bool role_alive(const struct role *role, struct error *error);
/* False, with the reason, when the store refuses or the role drains. */
MUST_CHECK bool role_ready(const struct role *role, struct error *error);

/* After a drain. Checkpoints and closes. */
void role_close(struct role *role);

#endif
