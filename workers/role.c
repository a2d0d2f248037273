/* One worker put together. The table says what the two roles differ in; the rest is the same. */
#include "role.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup.h"
#include "buf.h"
#include "changes.h"
#include "check.h"
#include "chores.h"
#include "consumer.h"
#include "decision.h"
#include "decision_api.h"
#include "decision_store.h"
#include "intake.h"
#include "intake_api.h"
#include "intake_store.h"
#include "notices.h"
#include "notices_api.h"
#include "notifier.h"
#include "publisher.h"
#include "queue.h"
#include "report.h"

enum {
    STUCK_MS = 10 * 1000,
    REFUSED_MS = 10 * 1000,
    VISIBILITY_S = 4, /* of what a killed worker held: renewed while it lives */
    POLLS = 8,        /* a round trip to SQS takes 10 to 20 ms and brings ten messages */
    PERMITS = 400
};

enum { OUTGOING, INCOMING, QUEUES };

struct role_kind {
    const char *name;
    const char *file;
    const struct db_schema *(*schema)(void);
    bool publishes_requests; /* and consumes confirmations; the other role does the reverse */
    consumer_handle_fn *hear;
    struct chores_expiry expiry;
    bool tells_people; /* only intake knows any */
    const struct http_route *(*routes[6])(void);
};

static const struct role_kind kinds[] = {
    [ROLE_INTAKE] =
        {
            .name = "intake",
            .file = "intake.db",
            .schema = intake_schema,
            .publishes_requests = true,
            .hear = intake_hear,
            .expiry = {intake_expiry_due, intake_expire, true},
            .tells_people = true,
            .routes = {intake_booking_routes, intake_slot_routes, intake_people_routes,
                       check_confirmation_routes, notice_routes, backup_intake_routes},
        },
    [ROLE_DECISION] =
        {
            .name = "decision",
            .file = "decision.db",
            .schema = decision_schema,
            .hear = decision_hear,
            .expiry = {decision_expiry_due, decision_expire, false},
            .routes = {decision_routes, check_request_routes, backup_decision_routes},
        },
};

struct role {
    const struct role_kind *kind;
    struct worker worker;
    bool single_threaded;
    const char *urls[QUEUES]; /* of the settings */
    struct queue *queues[QUEUES];
    struct loop_watch *watches[QUEUES]; /* what other processes do to a queue */
    struct loop_watch *channels_watch;
    struct chores chores;
    bool draining;
    bool last_pass;   /* of a drain: the consumer is done and the publisher has had its last look */
    int64_t moved_ms; /* ticks when the writer was last seen idle or at work */
    struct writer_counters seen;
    int64_t refused_ms; /* ticks when a commit last failed; 0 = never */
    struct report report;
};

static void wake(void *context)
{
    struct role *role = context;
    if (role->worker.waker)
        loop_wake(role->worker.waker);
}

static bool open_store(struct role *role, const struct role_host *host, struct error *error)
{
    struct buf path AUTO(buf_release) = {0};
    buf_printf(&path, "%s/%s", host->settings->state_dir, role->kind->file);
    struct db *db AUTO(db_release) =
        db_open(buf_text(&path), DB_WRITE, role->kind->schema(), error);
    const unsigned channels = host->channels ? channels_mask(host->channels) : 0;
    if (!db || (role->kind->tells_people && !notice_channels_set(db, channels, error)))
        return false;
    role->worker.writer = writer_new(db, wake, role);
    db = NULL; /* the writer's now */
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
    worker->outgoing = role->queues[OUTGOING];
    worker->incoming = role->queues[INCOMING];
    report_begin(&role->report, worker);
    worker->publisher = publisher_new(&(struct publisher_options){
        .reader = worker->reader,
        .writer = worker->writer,
        .queue = role->queues[OUTGOING],
        .world = worker->world,
        .fair = settings->fair_queues,
        .fifo = queue_url_is_fifo(role->urls[OUTGOING]),
        .sent = report_sent,
        .sent_context = &role->report,
    });
    worker->consumer = consumer_new(&(struct consumer_options){
        .writer = worker->writer,
        .queue = role->queues[INCOMING],
        .world = worker->world,
        .fifo = queue_url_is_fifo(role->urls[INCOMING]),
        .source = role->kind->publishes_requests ? "confirmation" : "request",
        .handle = worker->hear,
        .heard = report_heard,
        .heard_context = &role->report,
        .max_attempts = settings->max_attempts,
        .visibility_s = VISIBILITY_S,
        .wait_s = QUEUE_WAIT_MAX_S,
        .polls = POLLS,
        .permits = PERMITS,
    });
}

static void start_notifier(struct role *role, const struct role_host *host)
{
    struct worker *worker = &role->worker;
    if (!host->channels || !role->kind->tells_people)
        return;
    worker->notifier = notifier_new(&(struct notifier_options){
        .reader = worker->reader,
        .writer = worker->writer,
        .world = worker->world,
        .channels = host->channels,
        .wake = wake,
        .context = role,
    });
    if (host->channels->fd >= 0 && host->loop)
        role->channels_watch = loop_watch_new(host->loop, host->channels->fd, false, wake, role);
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
    chores_init(&role->chores, &role->worker, &role->kind->expiry);
    if (!open_store(role, host, error) || !open_queue(role, OUTGOING, host, error) ||
        !open_queue(role, INCOMING, host, error)) {
        (void)error_context(error, "%s worker", role->kind->name);
        role_close(role);
        return NULL;
    }
    start_courier(role, settings);
    start_notifier(role, host);
    if (number == ROLE_DECISION)
        role->worker.changes = changes_new(role->worker.reader, role->worker.world);
    role->worker.backup = backup_new(&role->worker);
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
    int64_t delay = CHORES_SWEEP_MS;
    if (role->single_threaded)
        (void)writer_step(worker->writer);
    (void)writer_deliver(worker->writer);
    watch_writer(role, ticks);
    delay = sooner(delay, queue_step(role->queues[INCOMING]));
    delay = sooner(delay, consumer_step(worker->consumer));
    delay = sooner(delay, publisher_step(worker->publisher));
    delay = sooner(delay, queue_step(role->queues[OUTGOING]));
    if (worker->notifier)
        delay = sooner(delay, notifier_step(worker->notifier));
    if (worker->changes)
        delay = sooner(delay, changes_step(worker->changes));
    if (role->draining)
        step_drain(role);
    else
        chores_step(&role->chores);
    backup_step(worker->backup);
    report_step(&role->report);
    return role->single_threaded && writer_pending(worker->writer) > 0 ? 0 : delay;
}

void role_drain(struct role *role)
{
    role->draining = true;
    consumer_drain(role->worker.consumer);
    backup_drain(role->worker.backup);
    if (role->worker.notifier)
        notifier_drain(role->worker.notifier);
}

bool role_drained(const struct role *role)
{
    const struct worker *worker = &role->worker;
    return role->last_pass && publisher_idle(worker->publisher) &&
           consumer_idle(worker->consumer) &&
           (!worker->notifier || notifier_idle(worker->notifier)) &&
           writer_pending(worker->writer) == 0;
}

int64_t role_still_ms(const struct role *role)
{
    return world_ticks_ms(role->worker.world) - role->moved_ms;
}

bool role_alive(const struct role *role, struct error *error)
{
    int64_t still = role_still_ms(role);
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

/* Queues and writer first: what they still hold leads back to publisher, consumer, notifier. */
void role_close(struct role *role)
{
    changes_free(role->worker.changes);
    backup_free(role->worker.backup);
    loop_watch_free(role->channels_watch);
    for (size_t i = 0; i < QUEUES; i++) {
        loop_watch_free(role->watches[i]);
        if (role->queues[i])
            queue_close(role->queues[i]);
    }
    db_close(role->worker.reader);
    writer_free(role->worker.writer);
    publisher_free(role->worker.publisher);
    consumer_free(role->worker.consumer);
    notifier_free(role->worker.notifier);
    free(role);
}
