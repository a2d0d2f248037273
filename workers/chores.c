/* The chores of a role. Knows when, and nothing of how. */
#include "chores.h"

#include "attempts.h"
#include "idempotency.h"
#include "log.h"

enum { PRUNE_MS = 600 * 1000, PRUNE_ROWS = 1000 };

static void chore_done(struct operation *operation, const struct error *failure)
{
    struct chore *chore = (struct chore *)operation; /* its first member */
    chore->busy = false;
    if (failure)
        log_failure("chore.failed", failure);
    else if (chore->more)
        chore->next_ms = 0;
}

static bool apply_expiry(struct operation *operation, struct db *db, struct error *error)
{
    struct chore *chore = (struct chore *)operation; /* its first member */
    chore->more = true;                              /* it does so many at once: look again */
    return chore->chores->how.expire(db, chore->chores->worker->world, chore->now_ms, error);
}

static bool apply_pruning(struct operation *operation, struct db *db, struct error *error)
{
    struct chore *chore = (struct chore *)operation; /* its first member */
    if (!attempts_prune(db, chore->now_ms, PRUNE_ROWS, error))
        return false;
    chore->more = db_changes(db) == PRUNE_ROWS;
    if (!idempotency_prune(db, chore->now_ms, PRUNE_ROWS, error))
        return false;
    chore->more = chore->more || db_changes(db) == PRUNE_ROWS;
    return true;
}

void chores_init(struct chores *chores, struct worker *worker, const struct chores_expiry *how)
{
    *chores = (struct chores){
        .worker = worker,
        .how = *how,
        .expiry = {.operation = {.apply = apply_expiry, .done = chore_done}, .chores = chores},
        .pruning = {.operation = {.apply = apply_pruning, .done = chore_done}, .chores = chores},
    };
}

static void submit(struct chore *chore)
{
    const struct worker *worker = chore->chores->worker;
    chore->busy = true;
    chore->now_ms = world_wall_ms(worker->world);
    writer_submit(worker->writer, &chore->operation);
}

/* Looks first, on the reader: the writer is only troubled when something is due. */
static bool expiry_is_due(const struct chores *chores)
{
    const struct worker *worker = chores->worker;
    struct error error = {0};
    bool due = false;
    if (chores->how.when_caught_up && !consumer_state(worker->consumer).caught_up)
        return false;
    return chores->how.due(worker->reader, world_wall_ms(worker->world), &due, &error) && due;
}

static bool may_run(struct chore *chore, int64_t every_ms)
{
    const int64_t ticks = world_ticks_ms(chore->chores->worker->world);
    if (chore->busy || ticks < chore->next_ms)
        return false;
    chore->next_ms = ticks + every_ms;
    return true;
}

void chores_step(struct chores *chores)
{
    if (may_run(&chores->expiry, CHORES_SWEEP_MS) && expiry_is_due(chores))
        submit(&chores->expiry);
    if (may_run(&chores->pruning, PRUNE_MS))
        submit(&chores->pruning);
}
