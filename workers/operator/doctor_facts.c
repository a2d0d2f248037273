/* Collects what the doctor judges: asks queues, worker and file system. Changes nothing, judges
 * nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include "buf.h"
#include "client.h"
#include "doctor.h"
#include "json_fields.h"
#include "remote.h"

enum { SLOWEST_S = 3600 }; /* stands for what is beyond the last bound */

/* --- queues --- */

static bool lists(const char *allowed, const char *resource)
{
    struct buf word AUTO(buf_release) = {0};
    buf_printf(&word, "%s ", resource);
    for (const char *at = allowed; *resource && *at; at += strcspn(at, " ") + 1)
        if (strncmp(at, buf_text(&word), word.length) == 0)
            return true;
    return false;
}

static void collect_dead_letters(struct queue_session *session, const struct queue_report *source,
                                 struct queue_facts *facts)
{
    struct queue_report report AUTO(queue_report_release) = {0};
    struct error *trouble = &facts->dead_trouble;
    struct queue *queue AUTO(session_queue_release) =
        session_queue(session, source->attributes.dead_letter_url, trouble);
    if (!queue || !session_report(session, queue, &report, trouble))
        return;
    const struct queue_attributes *found = &report.attributes;
    facts->dead_letters = found->visible + found->in_flight + found->delayed;
    facts->dead_retention_s = found->retention_s;
    facts->dead_encrypted = found->encrypted;
    facts->dead_allows = found->allows;
    facts->dead_lists_us = lists(found->allowed, source->attributes.resource);
}

static void collect_attributes(struct queue_session *session, struct queue *queue,
                               struct doctor_facts *facts, struct queue_facts *to)
{
    struct queue_report report AUTO(queue_report_release) = {0};
    if (!session_report(session, queue, &report, &to->trouble))
        return;
    const struct queue_attributes *found = &report.attributes;
    to->visible = found->visible;
    to->visibility_s = found->visibility_s;
    to->retention_s = found->retention_s;
    to->max_receives = found->max_receives;
    to->encrypted = found->encrypted;
    to->has_dead_letter = *found->dead_letter_url != '\0';
    facts->skew_known = facts->skew_known || !to->embedded;
    if (llabs(found->skew_ms) > llabs(facts->skew_ms))
        facts->skew_ms = found->skew_ms;
    if (to->has_dead_letter)
        collect_dead_letters(session, &report, to);
}

static void collect_queue(struct queue_session *session, enum which_queue which,
                          struct doctor_facts *facts, bool *misconfigured)
{
    const char *url = which_queue_url(session, which);
    struct queue_facts *to = &facts->queues[which];
    to->embedded = queue_is_embedded(url);
    struct queue *queue AUTO(session_queue_release) = session_queue(session, url, &to->trouble);
    if (queue)
        collect_attributes(session, queue, facts, to);
    else if (to->trouble.kind == ERROR_CONFIGURATION)
        *misconfigured = true;
}

/* --- the worker --- */

static void read_ready(const struct client_answer *answer, struct worker_facts *worker)
{
    struct error error = {0};
    json_t *body AUTO(json_release) =
        json_parse_object(buf_text(&answer->body), answer->body.length, &error);
    const char *reason = json_string_value(json_object_get(body, "error"));
    const char *name = NULL;
    json_t *queue = NULL;
    worker->answers = true;
    worker->ready = answer->status == 200 && json_object_get(body, "queue");
    (void)snprintf(worker->reason, sizeof worker->reason, "%s",
                   reason ? reason : "what answers there is no worker");
    json_object_foreach(json_object_get(body, "queue"), name, queue)
    {
        const char *state = json_string_value(queue);
        worker->queue_down = worker->queue_down || !state || strcmp(state, "ok") != 0;
    }
}

/* Over all workers of the process. */
static int64_t sum_metric(const char *text, const char *name)
{
    int64_t sum = -1;
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        const char *value = strchr(line, '}');
        if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == '{' && value)
            sum = (sum < 0 ? 0 : sum) + strtoll(value + 1, NULL, 10);
    }
    return sum;
}

/* The lowest bound of the histogram that has all of them, over all workers of the process. */
static int64_t slowest_ms(const char *text)
{
    static const char NAME[] = "bookflow_message_handling_seconds_bucket{";
    int64_t slowest = -1;
    int64_t below = 0; /* in the buckets of this worker so far */
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        const char *bound = strstr(line, "le=\"");
        const char *value = strchr(line, '}');
        if (strncmp(line, NAME, strlen(NAME)) != 0 || !bound || !value)
            continue;
        const double seconds = strtod(bound + strlen("le=\""), NULL);
        const int64_t count = strtoll(value + 1, NULL, 10);
        if (count > below && seconds * 1000 > (double)slowest)
            slowest = seconds > SLOWEST_S ? SLOWEST_S * INT64_C(1000) : (int64_t)(seconds * 1000);
        below = seconds > SLOWEST_S ? 0 : count; /* behind the last comes the next worker's */
    }
    return slowest;
}

static bool get(struct client *client, const char *path, struct client_answer *answer,
                struct error *error)
{
    return client_send(client, &(struct client_call){.method = "GET", .path = path}, answer, error);
}

static void collect_worker(struct worker_facts *worker)
{
    struct error error = {0};
    struct client_answer ready AUTO(client_answer_release) = {0};
    struct client_answer metrics AUTO(client_answer_release) = {0};
    const char *url = getenv("BOOKFLOW_URL");
    worker->lost_leases = worker->slowest_ms = -1;
    (void)snprintf(worker->url, sizeof worker->url, "%s",
                   url && *url ? url : "http://127.0.0.1:3000");
    struct client *client AUTO(client_release) = remote_open(&error);
    if (!client || !get(client, "/ready", &ready, &error)) {
        (void)snprintf(worker->reason, sizeof worker->reason, "%.250s", error.text);
        return;
    }
    read_ready(&ready, worker);
    if (!get(client, "/metrics", &metrics, &error) || metrics.status != 200)
        return;
    worker->lost_leases = sum_metric(buf_text(&metrics.body), "bookflow_message_leases_lost_total");
    worker->slowest_ms = slowest_ms(buf_text(&metrics.body));
}

/* --- files --- */

static void collect_files(const char *state_dir, struct doctor_facts *facts)
{
    static const struct file_facts files[DOCTOR_FILES] = {{.name = ""},
                                                          {.name = "intake.db"},
                                                          {.name = "decision.db"},
                                                          {.name = "queues.db"},
                                                          {.name = "tokens", .secret = true}};
    (void)snprintf(facts->state_dir, sizeof facts->state_dir, "%s", state_dir);
    for (size_t i = 0; i < DOCTOR_FILES; i++) {
        struct buf path AUTO(buf_release) = {0};
        struct stat found = {0};
        buf_printf(&path, "%s/%s", state_dir, files[i].name);
        facts->files[i] = files[i];
        facts->files[i].exists = stat(buf_text(&path), &found) == 0;
        facts->files[i].mode = found.st_mode & 07777;
    }
}

void doctor_collect(struct queue_session *session, struct doctor_facts *facts, bool *misconfigured)
{
    const struct settings *settings = &session->settings;
    facts->embedded_by_default = settings->embedded_by_default;
    facts->max_attempts = settings->max_attempts;
    for (int which = 0; which < WHICH_COUNT; which++)
        collect_queue(session, (enum which_queue)which, facts, misconfigured);
    if (!facts->queues[WHICH_REQUEST].embedded || !facts->queues[WHICH_CONFIRMATION].embedded)
        (void)!session_credentials(session, &facts->credentials, &facts->credentials_trouble);
    facts->now_ms = world_wall_ms(session->world);
    collect_worker(&facts->worker);
    collect_files(settings->state_dir, facts);
}
