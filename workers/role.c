/* One worker put together. The table says what the two roles differ in; the rest is the same. */
#include "role.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attempts.h"
#include "buf.h"
#include "changes.h"
#include "check.h"
#include "consumer.h"
#include "decision.h"
#include "decision_api.h"
#include "decision_store.h"
#include "idempotency.h"
#include "intake.h"
#include "intake_api.h"
#include "intake_store.h"
#include "log.h"
#include "publisher.h"
#include "queue.h"

enum {
    SWEEP_MS = 1000,
    PRUNE_MS = 600 * 1000,
    PRUNE_ROWS = 1000,
    STUCK_MS = 10 * 1000,
    REFUSED_MS = 10 * 1000,
    VISIBILITY_S = 4, /* of what a killed worker held: renewed while it lives */
    POLLS = 8, /* a round trip to SQS takes 10 to 20 ms and brings ten messages */
    PERMITS = 400
};

enum { OUTGOING, INCOMING, QUEUES };

struct role_kind {
    const char *name;
    const char *file;
    const struct db_schema *(*schema)(void);
    bool publishes_requests; /* and consumes confirmations; the other role does the reverse */
    consumer_handle_fn *hear;
    bool (*expiry_due)(struct db *db, int64_t now_ms, bool *due, struct error *error);
    bool (*expire)(struct db *db, const struct world *world, int64_t now_ms, struct error *error);
    bool expires_when_caught_up; /* only when no answer of the other worker can be waiting */
    const struct http_route *(*routes[4])(void);
};

static const struct role_kind kinds[] = {
    [ROLE_INTAKE] =
        {
            .name = "intake",
            .file = "intake.db",
            .schema = intake_schema,
            .publishes_requests = true,
            .hear = intake_hear,
            .expiry_due = intake_expiry_due,
            .expire = intake_expire,
            .expires_when_caught_up = true,
            .routes = {intake_booking_routes, intake_slot_routes, intake_people_routes,
                       check_confirmation_routes},
        },
    [ROLE_DECISION] =
        {
            .name = "decision",
            .file = "decision.db",
            .schema = decision_schema,
            .hear = decision_hear,
            .expiry_due = decision_expiry_due,
            .expire = decision_expire,
            .routes = {decision_routes, check_request_routes},
        },
};

/* Work the role gives itself from time to time; one of a kind is with the writer at a time. */
struct chore {
    struct operation operation; /* first: the writer hands this back */
    struct role *role;
    int64_t next_ms; /* ticks */
    int64_t now_ms;  /* wall time it was submitted at */
    bool busy;
    bool more; /* there may be more than one run does: look again at once */
};

struct role {
    const struct role_kind *kind;
    struct worker worker;
    bool single_threaded;
    const char *urls[QUEUES]; /* of the settings */
    struct queue *queues[QUEUES];
    struct loop_watch *watches[QUEUES]; /* what other processes do to a queue */
    struct chore expiry;
    struct chore pruning;
    bool draining;
    bool last_pass;   /* of a drain: the consumer is done and the publisher has had its last look */
    int64_t moved_ms; /* ticks when the writer was last seen idle or at work */
    struct writer_counters seen;
    int64_t refused_ms; /* ticks when a commit last failed; 0 = never */
    struct trouble {    /* as last logged */
        char reason[160];
        int64_t dead_lettered;
        int64_t parked;
    } logged;
};

static void wake(void *context)
{
    struct role *role = context;
    if (role->worker.waker)
        loop_wake(role->worker.waker);
}

static bool open_store(struct role *role, const char *state_dir, struct error *error)
{
    struct buf path AUTO(buf_release) = {0};
    buf_printf(&path, "%s/%s", state_dir, role->kind->file);
    struct db *db = db_open(buf_text(&path), DB_WRITE, role->kind->schema(), error);
    if (!db)
        return false;
    role->worker.writer = writer_new(db, wake, role);
    role->worker.reader = db_open(buf_text(&path), DB_READ, role->kind->schema(), error);
    return role->worker.reader &&
           (role->single_threaded || writer_start(role->worker.writer, error));
}

static bool open_queue(struct role *role, size_t which, const struct role_host *host,
                       struct error *error)
{
    const struct queue_host ours = {.world = host->world,
                                    .wake = wake,
                                    .context = role,
                                    .account = host->account,
                                    .single_threaded = host->single_threaded};
    role->queues[which] = host->open_queue(role->urls[which], &ours, error);
    if (!role->queues[which])
        return false;
    int fd = queue_fd(role->queues[which]);
    if (fd >= 0 && host->loop)
        role->watches[which] = loop_watch_new(host->loop, fd, false, wake, role);
    return true;
}

static void start_courier(struct role *role, const struct settings *settings)
{
    struct worker *worker = &role->worker;
    worker->publisher = publisher_new(&(struct publisher_options){
        .reader = worker->reader,
        .writer = worker->writer,
        .queue = role->queues[OUTGOING],
        .world = worker->world,
        .fair = settings->fair_queues,
        .fifo = queue_url_is_fifo(role->urls[OUTGOING]),
    });
    worker->consumer = consumer_new(&(struct consumer_options){
        .writer = worker->writer,
        .queue = role->queues[INCOMING],
        .world = worker->world,
        .fifo = queue_url_is_fifo(role->urls[INCOMING]),
        .source = role->kind->publishes_requests ? "confirmation" : "request",
        .handle = worker->hear,
        .max_attempts = settings->max_attempts,
        .visibility_s = VISIBILITY_S,
        .wait_s = QUEUE_WAIT_MAX_S,
        .polls = POLLS,
        .permits = PERMITS,
    });
}

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
    return chore->role->kind->expire(db, chore->role->worker.world, chore->now_ms, error);
}

static bool apply_pruning(struct operation *operation, struct db *db, struct error *error)
{
    struct chore *chore = (struct chore *)operation; /* its first member */
    if (!attempts_prune(db, chore->now_ms, error) ||
        !idempotency_prune(db, chore->now_ms, PRUNE_ROWS, error))
        return false;
    chore->more = db_changes(db) == PRUNE_ROWS;
    return true;
}

struct role *role_open(int number, const struct role_host *host, struct error *error)
{
    const struct settings *settings = host->settings;
    struct role *role = memory_new(1, sizeof *role);
    role->kind = &kinds[number];
    role->single_threaded = host->single_threaded;
    role->urls[role->kind->publishes_requests ? OUTGOING : INCOMING] = settings->request_url;
    role->urls[role->kind->publishes_requests ? INCOMING : OUTGOING] = settings->confirmation_url;
    role->worker = (struct worker){
        .name = role->kind->name,
        .world = host->world,
        .waker = host->waker,
        .hear = role->kind->hear,
        .allow_past_slots = settings->allow_past_slots,
    };
    role->expiry =
        (struct chore){.operation = {.apply = apply_expiry, .done = chore_done}, .role = role};
    role->pruning =
        (struct chore){.operation = {.apply = apply_pruning, .done = chore_done}, .role = role};
    if (!open_store(role, settings->state_dir, error) || !open_queue(role, OUTGOING, host, error) ||
        !open_queue(role, INCOMING, host, error)) {
        (void)error_context(error, "%s worker", role->kind->name);
        role_close(role);
        return NULL;
    }
    start_courier(role, settings);
    if (number == ROLE_DECISION)
        role->worker.changes = changes_new(role->worker.reader, role->worker.world);
    role->moved_ms = world_ticks_ms(role->worker.world);
    return role;
}

void role_add_routes(struct role *role, struct http_server *server)
{
    for (size_t i = 0; i < sizeof role->kind->routes / sizeof *role->kind->routes; i++)
        if (role->kind->routes[i])
            http_server_routes(server, role->kind->routes[i](), &role->worker);
}

struct worker *role_worker(struct role *role)
{
    return &role->worker;
}

static void submit_chore(struct chore *chore)
{
    chore->busy = true;
    chore->now_ms = world_wall_ms(chore->role->worker.world);
    writer_submit(chore->role->worker.writer, &chore->operation);
}

/* Looks first, on the reader: the writer is only troubled when something is due. */
static bool expiry_is_due(const struct role *role)
{
    struct error error = {0};
    bool due = false;
    if (role->kind->expires_when_caught_up && !consumer_state(role->worker.consumer).caught_up)
        return false;
    return role->kind->expiry_due(role->worker.reader, world_wall_ms(role->worker.world), &due,
                                  &error) &&
           due;
}

static void sweep(struct role *role, int64_t ticks)
{
    if (!role->expiry.busy && ticks >= role->expiry.next_ms) {
        role->expiry.next_ms = ticks + SWEEP_MS;
        if (expiry_is_due(role))
            submit_chore(&role->expiry);
    }
    if (!role->pruning.busy && ticks >= role->pruning.next_ms) {
        role->pruning.next_ms = ticks + PRUNE_MS;
        submit_chore(&role->pruning);
    }
}

static int64_t sooner(int64_t a, int64_t b)
{
    if (a < 0)
        return b;
    return b < 0 || a < b ? a : b;
}

static void watch_writer(struct role *role, int64_t ticks)
{
    struct writer_counters now = writer_counters(role->worker.writer);
    if (now.operations != role->seen.operations || writer_pending(role->worker.writer) == 0)
        role->moved_ms = ticks;
    if (now.failed_commits != role->seen.failed_commits)
        role->refused_ms = ticks;
    role->seen = now;
}

/* One line when a trouble begins, changes or ends; not one per try. */
static void log_trouble(struct role *role)
{
    const struct publisher_state sending = publisher_state(role->worker.publisher);
    const struct consumer_state receiving = consumer_state(role->worker.consumer);
    const char *reason = *sending.reason ? sending.reason : receiving.reason;
    struct trouble *logged = &role->logged;
    if (strcmp(reason, logged->reason) != 0) {
        (void)snprintf(logged->reason, sizeof logged->reason, "%s", reason);
        log_event(*reason ? LOG_LEVEL_WARN : LOG_LEVEL_INFO,
                  *reason ? "courier.trouble" : "courier.well",
                  LOG(log_text("worker", role->kind->name), log_text("reason", reason)));
    }
    if (receiving.dead_lettered > logged->dead_lettered)
        log_event(LOG_LEVEL_WARN, "message.dead_lettered",
                  LOG(log_text("worker", role->kind->name),
                      log_number("count", receiving.dead_lettered - logged->dead_lettered),
                      log_text("reason", receiving.dead_reason)));
    if (sending.parked > logged->parked)
        log_event(LOG_LEVEL_ERROR, "event.parked",
                  LOG(log_text("worker", role->kind->name),
                      log_number("count", sending.parked - logged->parked)));
    logged->dead_lettered = receiving.dead_lettered;
    logged->parked = sending.parked;
}

static void step_drain(struct role *role)
{
    if (!role->draining || role->last_pass || !consumer_idle(role->worker.consumer) ||
        writer_pending(role->worker.writer) > 0)
        return;
    role->last_pass = true;
    (void)publisher_step(role->worker.publisher);
    publisher_drain(role->worker.publisher);
}

int64_t role_step(struct role *role)
{
    struct worker *worker = &role->worker;
    int64_t ticks = world_ticks_ms(worker->world);
    int64_t delay = SWEEP_MS;
    if (role->single_threaded)
        (void)writer_step(worker->writer);
    (void)writer_deliver(worker->writer);
    watch_writer(role, ticks);
    delay = sooner(delay, queue_step(role->queues[INCOMING]));
    delay = sooner(delay, consumer_step(worker->consumer));
    delay = sooner(delay, publisher_step(worker->publisher));
    delay = sooner(delay, queue_step(role->queues[OUTGOING]));
    if (worker->changes)
        delay = sooner(delay, changes_step(worker->changes));
    if (role->draining)
        step_drain(role);
    else
        sweep(role, ticks);
    log_trouble(role);
    return role->single_threaded && writer_pending(worker->writer) > 0 ? 0 : delay;
}

void role_drain(struct role *role)
{
    role->draining = true;
    consumer_drain(role->worker.consumer);
}

bool role_drained(const struct role *role)
{
    return role->last_pass && publisher_idle(role->worker.publisher) &&
           consumer_idle(role->worker.consumer) && writer_pending(role->worker.writer) == 0;
}

bool role_alive(const struct role *role, struct error *error)
{
    int64_t still = world_ticks_ms(role->worker.world) - role->moved_ms;
    return still < STUCK_MS ||
           error_set(error, ERROR_UNAVAILABLE, "the %s store has not committed for %lld s",
                     role->kind->name, (long long)still / 1000);
}

bool role_ready(const struct role *role, struct error *error)
{
    int64_t newest = 0;
    if (role->draining)
        return error_set(error, ERROR_UNAVAILABLE, "%s is draining", role->kind->name);
    if (!audit_last(role->worker.reader, &newest, error))
        return error_context(error, "%s store", role->kind->name);
    int64_t refused = world_ticks_ms(role->worker.world) - role->refused_ms;
    if (role->refused_ms > 0 && refused < REFUSED_MS)
        return error_set(error, ERROR_UNAVAILABLE, "the %s store refused a write %lld s ago",
                         role->kind->name, (long long)refused / 1000);
    return role_alive(role, error);
}

/* Queues and writer first: what they still hold leads back to publisher and consumer. */
void role_close(struct role *role)
{
    changes_free(role->worker.changes);
    for (size_t i = 0; i < QUEUES; i++) {
        loop_watch_free(role->watches[i]);
        if (role->queues[i])
            queue_close(role->queues[i]);
    }
    db_close(role->worker.reader);
    writer_free(role->worker.writer);
    publisher_free(role->worker.publisher);
    consumer_free(role->worker.consumer);
    free(role);
}
