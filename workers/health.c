/* The routes that both workers have. Reads counters; changes nothing. */
#include "health.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "changes.h"
#include "consumer.h"
#include "openapi.h"
#include "outbox.h"
#include "publisher.h"

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

static struct outbox_pressure pressure_of(const struct worker *worker)
{
    struct error error = {0};
    struct outbox_pressure pressure = {0};
    (void)!outbox_pressure(worker->reader, &pressure, &error); /* zeros when the store is away */
    return pressure;
}

static int64_t oldest_age_s(const struct worker *worker)
{
    const struct outbox_pressure pressure = pressure_of(worker);
    int64_t age = pressure.unsent ? world_wall_ms(worker->world) - pressure.oldest_ms : 0;
    return age > 0 ? age / 1000 : 0;
}

READS(operations, writer_counters(worker->writer).operations)
READS(commits, writer_counters(worker->writer).commits)
READS(failed_commits, writer_counters(worker->writer).failed_commits)
READS(unsent, pressure_of(worker).unsent)
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
    {"bookflow_outbox_unsent", GAUGE, "Events not yet on their queue.", read_unsent},
    {"bookflow_outbox_oldest_unsent_seconds", GAUGE, "Age of the oldest of them.", oldest_age_s},
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

static void show_metrics(void *context, struct http_request *request)
{
    const struct health *health = context;
    struct buf out AUTO(buf_release) = {0};
    buf_printf(&out,
               "# HELP bookflow_build_info The version that runs.\n"
               "# TYPE bookflow_build_info gauge\nbookflow_build_info{version=\"%s\"} 1\n"
               "# HELP bookflow_http_connections Open connections.\n"
               "# TYPE bookflow_http_connections gauge\nbookflow_http_connections %zu\n",
               BOOKFLOW_VERSION, http_server_connections(health->server));
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
        append_metric(&out, health, &metrics[i]);
    buf_text_append(&out, "# HELP bookflow_message_handling_seconds From receipt to commit.\n"
                          "# TYPE bookflow_message_handling_seconds histogram\n");
    for (size_t i = 0; i < HEALTH_ROLES_MAX; i++)
        if (health->roles[i])
            append_handling(&out, role_worker(health->roles[i]));
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
        {.method = HTTP_GET, .pattern = "/health", .handler = alive},
        {.method = HTTP_GET, .pattern = "/ready", .handler = ready},
        {.method = HTTP_GET, .pattern = "/metrics", .handler = show_metrics},
        {.method = HTTP_GET, .pattern = "/openapi.json", .handler = show_openapi},
        {0},
    };
    return routes;
}
