/* The routes that both workers have. Reads counters; changes nothing. */
#include "health.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "changes.h"
#include "consumer.h"
#include "notices.h"
#include "notifier.h"
#include "openapi.h"
#include "outbox.h"
#include "publisher.h"
#include "queue.h"

typedef bool check_fn(const struct role *role, struct error *error);

static bool every_role(const struct health *health, check_fn *check, struct error *error)
{
    for (size_t i = 0; i < HEALTH_ROLES_MAX; i++)
        if (health->roles[i] && !check(health->roles[i], error))
            return false;
    return true;
}

static void alive(void *context, struct http_request *request)
{
    struct error error = {0};
    if (every_role(context, role_alive, &error))
        http_reply_json(request, 200, json_pack("{s:s}", "status", "ok"));
    else
        http_reply_error(request, &error, NULL);
}

static json_t *queues_to_json(const struct health *health)
{
    json_t *queues = json_object();
    for (size_t i = 0; i < HEALTH_ROLES_MAX; i++) {
        if (!health->roles[i])
            continue;
        const struct worker *worker = role_worker(health->roles[i]);
        bool down = publisher_state(worker->publisher).queue_down ||
                    consumer_state(worker->consumer).queue_down;
        (void)json_object_set_new(queues, worker->name, json_string(down ? "down" : "ok"));
    }
    return queues;
}

/* A queue that is down is reported and is no reason to take the worker out of service: it stores
 * bookings without it. */
static void ready(void *context, struct http_request *request)
{
    struct error error = {0};
    json_t *queues = queues_to_json(context);
    if (every_role(context, role_ready, &error)) {
        http_reply_json(request, 200, json_pack("{s:s,s:o}", "status", "ready", "queue", queues));
        return;
    }
    json_t *extra = json_pack("{s:s,s:o}", "status", "not ready", "queue", queues);
    http_reply_error(request, &error, extra);
    json_decref(extra);
}

enum metric_type { COUNTER, GAUGE };

struct metric {
    const char *name;
    enum metric_type type;
    const char *help;
    int64_t (*read)(const struct worker *worker);
};

#define READS(name, expression)                                                                    \
    static int64_t read_##name(const struct worker *worker)                                        \
    {                                                                                              \
        return expression;                                                                         \
    }

static struct notice_pressure notices_of(const struct worker *worker)
{
    struct error error = {0};
    struct notice_pressure pressure = {0};
    if (worker->notifier)
        (void)!notice_pressure(worker->reader, &pressure, &error);
    return pressure;
}

static struct notifier_state told_by(const struct worker *worker)
{
    return worker->notifier ? notifier_state(worker->notifier) : (struct notifier_state){0};
}

static int64_t age_s(const struct worker *worker, int64_t since_ms)
{
    const int64_t age = since_ms > 0 ? world_wall_ms(worker->world) - since_ms : 0;
    return age > 0 ? age / 1000 : 0;
}

READS(notices_waiting, notices_of(worker).waiting)
READS(notices_age, age_s(worker, notices_of(worker).oldest_ms))
READS(notices_sent, told_by(worker).sent)
READS(notices_failed, told_by(worker).failed)
READS(notices_given_up, told_by(worker).given_up)
READS(channels_down, told_by(worker).down)

static struct outbox_pressure pressure_of(const struct worker *worker)
{
    struct error error = {0};
    struct outbox_pressure pressure = {0};
    (void)!outbox_pressure(worker->reader, &pressure, &error); /* zeros when the store is away */
    return pressure;
}

READS(operations, writer_counters(worker->writer).operations)
READS(commits, writer_counters(worker->writer).commits)
READS(failed_commits, writer_counters(worker->writer).failed_commits)
READS(store_bytes, db_size(worker->reader).store)
READS(wal_bytes, db_size(worker->reader).wal)
READS(unsent, pressure_of(worker).unsent)
READS(oldest_age_s, age_s(worker, pressure_of(worker).oldest_ms))
READS(parked, pressure_of(worker).parked)
READS(sent, publisher_state(worker->publisher).sent)
READS(send_failures, publisher_state(worker->publisher).failed)
READS(received, consumer_state(worker->consumer).received)
READS(applied, consumer_state(worker->consumer).applied)
READS(duplicates, consumer_state(worker->consumer).duplicates)
READS(failures, consumer_state(worker->consumer).failed)
READS(dead_lettered, consumer_state(worker->consumer).dead_lettered)
READS(leases_lost, consumer_state(worker->consumer).leases_lost)
READS(queue_up, !publisher_state(worker->publisher).queue_down &&
                    !consumer_state(worker->consumer).queue_down)
READS(streams, worker->changes ? (int64_t)changes_subscribers(worker->changes) : 0)

static const struct metric metrics[] = {
    {"bookflow_store_operations_total", COUNTER, "Operations given to the writer.",
     read_operations},
    {"bookflow_store_commits_total", COUNTER, "Commits, one fsync each.", read_commits},
    {"bookflow_store_failed_commits_total", COUNTER, "Commits that failed.", read_failed_commits},
    {"bookflow_store_size_bytes", GAUGE, "The store on disk.", read_store_bytes},
    {"bookflow_store_wal_bytes", GAUGE, "The log in front of it.", read_wal_bytes},
    {"bookflow_outbox_unsent", GAUGE, "Events not yet on their queue.", read_unsent},
    {"bookflow_outbox_oldest_unsent_seconds", GAUGE, "Age of the oldest of them.",
     read_oldest_age_s},
    {"bookflow_outbox_parked", GAUGE, "Events that the queue refused for good.", read_parked},
    {"bookflow_events_sent_total", COUNTER, "Events that reached their queue.", read_sent},
    {"bookflow_event_send_failures_total", COUNTER, "Sends that failed and are tried again.",
     read_send_failures},
    {"bookflow_messages_received_total", COUNTER, "Messages received.", read_received},
    {"bookflow_messages_applied_total", COUNTER, "Messages that moved a booking.", read_applied},
    {"bookflow_messages_duplicate_total", COUNTER, "Messages that told nothing new.",
     read_duplicates},
    {"bookflow_message_failures_total", COUNTER, "Handler attempts that failed.", read_failures},
    {"bookflow_messages_dead_lettered_total", COUNTER, "Messages put aside with a reason.",
     read_dead_lettered},
    {"bookflow_message_leases_lost_total", COUNTER, "Messages that another receiver may have.",
     read_leases_lost},
    {"bookflow_queue_up", GAUGE, "1 while the last call to the queues worked.", read_queue_up},
    {"bookflow_notices_waiting", GAUGE, "Notices not yet sent.", read_notices_waiting},
    {"bookflow_notices_oldest_waiting_seconds", GAUGE, "Age of the oldest of them.",
     read_notices_age},
    {"bookflow_notices_sent_total", COUNTER, "Notices that were taken.", read_notices_sent},
    {"bookflow_notice_failures_total", COUNTER, "Sends that failed and are tried again.",
     read_notices_failed},
    {"bookflow_notices_given_up_total", COUNTER, "Notices that were given up.",
     read_notices_given_up},
    {"bookflow_notice_channels_down", GAUGE, "Channels whose last send failed as a whole.",
     read_channels_down},
    {"bookflow_event_streams", GAUGE, "Open change streams.", read_streams},
};

static void append_metric(struct buf *out, const struct health *health, const struct metric *metric)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help, metric->name,
               metric->type == COUNTER ? "counter" : "gauge");
    for (size_t i = 0; i < HEALTH_ROLES_MAX; i++) {
        if (!health->roles[i])
            continue;
        const struct worker *worker = role_worker(health->roles[i]);
        buf_printf(out, "%s{worker=\"%s\"} %lld\n", metric->name, worker->name,
                   (long long)metric->read(worker));
    }
}

static void append_bookings(struct buf *out, const struct worker *worker)
{
    for (size_t i = 0; i < BOOKING_STATUSES; i++)
        buf_printf(out, "bookflow_bookings{worker=\"%s\",status=\"%s\"} %lld\n", worker->name,
                   booking_status_name((enum booking_status)i), /* in its range */
                   (long long)worker->census[i]);
}

/* A pair of labels that never was has no line, but for success: its rate can be asked for at once.
 */
static void append_calls(struct buf *out, const struct worker *worker)
{
    for (size_t i = 0; i < QUEUE_ACTIONS; i++) {
        for (size_t kind = 0; kind < ERROR_KINDS; kind++) {
            const int64_t calls = worker->outgoing->calls.by_result[i][kind] +
                                  worker->incoming->calls.by_result[i][kind];
            if (calls > 0 || kind == ERROR_NONE)
                buf_printf(out,
                           "bookflow_sqs_calls_total{worker=\"%s\",call=\"%s\",result=\"%s\"}"
                           " %lld\n",
                           worker->name, queue_action_name((enum queue_action)i),
                           kind == ERROR_NONE ? "ok" : error_policy((enum error_kind)kind)->name,
                           (long long)calls);
        }
    }
}

/* Prometheus counts each bucket with all below it, and wants seconds. */
static void append_handling(struct buf *out, const struct worker *worker)
{
    static const char NAME[] = "bookflow_message_handling_seconds";
    const struct handling handling = consumer_state(worker->consumer).handling;
    int64_t count = 0;
    for (size_t i = 0; i <= HANDLING_BOUNDS; i++) {
        count += handling.within[i];
        buf_printf(out, "%s_bucket{worker=\"%s\",le=\"", NAME, worker->name);
        if (i < HANDLING_BOUNDS)
            buf_printf(out, "%g", (double)HANDLING_BOUNDS_MS[i] / 1000);
        else
            buf_text_append(out, "+Inf");
        buf_printf(out, "\"} %lld\n", (long long)count);
    }
    buf_printf(out, "%s_sum{worker=\"%s\"} %g\n", NAME, worker->name,
               (double)handling.total_ms / 1000);
    buf_printf(out, "%s_count{worker=\"%s\"} %lld\n", NAME, worker->name, (long long)count);
}

static const struct family {
    const char *head;
    void (*append)(struct buf *out, const struct worker *worker);
} families[] = {
    {"# HELP bookflow_message_handling_seconds From receipt to commit.\n"
     "# TYPE bookflow_message_handling_seconds histogram\n",
     append_handling},
    {"# HELP bookflow_bookings Bookings in the store.\n# TYPE bookflow_bookings gauge\n",
     append_bookings},
    {"# HELP bookflow_sqs_calls_total Calls to SQS, each with its own retries.\n"
     "# TYPE bookflow_sqs_calls_total counter\n",
     append_calls},
};

static void append_family(struct buf *out, const struct health *health, const struct family *family)
{
    buf_text_append(out, family->head);
    for (size_t i = 0; i < HEALTH_ROLES_MAX; i++)
        if (health->roles[i])
            family->append(out, role_worker(health->roles[i]));
}

static void show_metrics(void *context, struct http_request *request)
{
    const struct health *health = context;
    struct buf out AUTO(buf_release) = {0};
    buf_printf(&out,
               "# HELP bookflow_build_info The version that runs.\n"
               "# TYPE bookflow_build_info gauge\nbookflow_build_info{version=\"%s\"} 1\n"
               "# HELP bookflow_http_connections Open connections.\n"
               "# TYPE bookflow_http_connections gauge\nbookflow_http_connections %zu\n"
               "# HELP bookflow_start_time_seconds When it was started, since 1970.\n"
               "# TYPE bookflow_start_time_seconds gauge\nbookflow_start_time_seconds %lld\n",
               BOOKFLOW_VERSION, http_server_connections(health->server),
               (long long)health->started_ms / 1000);
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
        append_metric(&out, health, &metrics[i]);
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        append_family(&out, health, &families[i]);
    http_reply_text(request, 200, "text/plain; version=0.0.4; charset=utf-8", NULL, buf_text(&out),
                    out.length);
}

static void show_openapi(void *context, struct http_request *request)
{
    (void)context;
    http_reply_text(request, 200, "application/json", NULL, openapi_document,
                    strlen(openapi_document));
}

const struct http_route *health_routes(void)
{
    static const struct http_route routes[] = {
        {.method = HTTP_GET, .pattern = "/health", .handler = alive, .access = HTTP_OPEN},
        {.method = HTTP_GET, .pattern = "/ready", .handler = ready, .access = HTTP_OPEN},
        {.method = HTTP_GET,
         .pattern = "/metrics",
         .handler = show_metrics,
         .access = HTTP_LOCAL | HTTP_ANY_TOKEN},
        {.method = HTTP_GET,
         .pattern = "/openapi.json",
         .handler = show_openapi,
         .access = HTTP_OPEN},
        {0},
    };
    return routes;
}
