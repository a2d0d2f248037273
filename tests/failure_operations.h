/* One of each operation that the rules and the stores have, over two stores that hold what they
 * need.
 */
#ifndef BOOKFLOW_FAILURE_OPERATIONS_H
#define BOOKFLOW_FAILURE_OPERATIONS_H

#include <stddef.h>

#include "event.h"
#include "rules_fixture.h"

/* Both stores before each operation. */
struct failure_bench {
    struct rules rules;
    char pending[ID_SIZE];   /* in both stores, its event sent */
    char confirmed[ID_SIZE]; /* in both stores; the answer still in decision's outbox */
    char unheard[ID_SIZE];   /* in intake only */
    char tombstone[ID_SIZE]; /* cancelled in both; decision has not heard the create */
    struct event create;     /* of the unheard one */
    struct event fill;       /* of the tombstone */
    struct event answer;     /* of the confirmed one */
};

void failure_bench_open(struct failure_bench *bench);
void failure_bench_close(struct failure_bench *bench);

struct failure_operation {
    const char *name;
    bool (*run)(struct failure_bench *bench, struct error *error);
};
const struct failure_operation *failure_operations(size_t *count);

#endif
