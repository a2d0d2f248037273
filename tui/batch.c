/* The verbs without a screen. JSON goes out in ASCII, text sanitised: both are safe to look at. */
#include "batch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "json_fields.h"
#include "text.h"
#include "timestamp.h"
#include "world.h"

int batch_fail(const struct error *error)
{
    struct buf text AUTO(buf_release) = {0};
    text_display(&text, error->text, strlen(error->text));
    (void)fprintf(stderr, "bookflow-console: %s\n", buf_text(&text));
    return error_policy(error->kind)->exit_code;
}

static void print_safe(const char *text, size_t length)
{
    struct buf safe AUTO(buf_release) = {0};
    text_display(&safe, text, length);
    (void)puts(buf_text(&safe));
}

static void print_json(const json_t *value)
{
    (void)json_dumpf(value, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
}

/* --- list and show --- */

static void print_line(const struct record *record)
{
    struct buf line AUTO(buf_release) = {0};
    const time_t start = (time_t)record->start_s;
    struct tm tm = {0};
    char when[32] = "-";
    if (record->start_s && localtime_r(&start, &tm))
        (void)strftime(when, sizeof when, "%Y-%m-%d %H:%M", &tm);
    buf_printf(&line, "%s  %-9s  %-16s  %3lld min  %s", record->id,
               booking_status_name(record->status), when,
               (long long)((record->end_s - record->start_s) / 60), record_client(record));
    print_safe(buf_text(&line), line.length);
}

struct listing {
    bool json;
    bool any;
    struct error error;
};

static bool list_one(void *context, const json_t *booking)
{
    struct listing *listing = context;
    if (listing->json) {
        (void)fputs(listing->any ? ",\n" : "[", stdout);
        listing->any = true;
        print_json(booking);
        return true;
    }
    struct record *record AUTO(record_release) = record_from_json(booking, &listing->error);
    if (record)
        print_line(record);
    return record;
}

/* Local midnight of the day and of the next one. */
static bool add_day(struct buf *query, const char *day, struct error *error)
{
    struct tm tm = {.tm_isdst = -1};
    const char *end = strptime(day, "%Y-%m-%d", &tm);
    if (!end || *end != '\0')
        return error_set(error, ERROR_USAGE, "--day %.20s is not a day like 2026-02-19", day);
    struct tm next = tm;
    next.tm_mday++;
    char from[TIMESTAMP_SIZE];
    char to[TIMESTAMP_SIZE];
    buf_printf(query, "&from=%s&to=%s", timestamp_format((int64_t)mktime(&tm), from),
               timestamp_format((int64_t)mktime(&next), to));
    return true;
}

static bool list_query(const struct batch *batch, struct buf *query, struct error *error)
{
    const char *name = batch->options[BATCH_STATUS];
    enum booking_status status = BOOKING_PENDING;
    if (name && !booking_status_parse(name, &status))
        return error_set(error, ERROR_USAGE,
                         "--status %.20s is none of pending confirmed rejected cancelled", name);
    if (name)
        buf_printf(query, "&status=%s", name);
    return !batch->options[BATCH_DAY] || add_day(query, batch->options[BATCH_DAY], error);
}

static int list(const struct batch *batch, const struct remote *remote, struct client *client)
{
    struct buf query AUTO(buf_release) = {0};
    struct listing listing = {.json = batch->options[BATCH_JSON]};
    if (!list_query(batch, &query, &listing.error))
        return batch_fail(&listing.error);
    const struct remote_list list = {buf_text(&query), list_one, &listing};
    const bool read = remote_list(remote, client, &list, &listing.error);
    if (listing.json)
        (void)puts(listing.any ? "]" : "[]");
    return read && listing.error.kind == ERROR_NONE ? 0 : batch_fail(&listing.error);
}

static void show_text(const char *label, const char *text)
{
    struct buf line AUTO(buf_release) = {0};
    buf_printf(&line, "%-12s %s", label, text);
    print_safe(buf_text(&line), line.length);
}

static int show(const struct batch *batch, const struct remote *remote, struct client *client)
{
    struct error error = {0};
    json_t *booking AUTO(json_release) = remote_booking(remote, client, batch->ids[0], &error);
    if (!booking) {
        (void)error_context(&error, "%s", batch->ids[0]);
        return batch_fail(&error);
    }
    if (batch->options[BATCH_JSON]) {
        print_json(booking);
        (void)puts("");
        return 0;
    }
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(booking, name, value)
    {
        if (json_is_string(value))
            show_text(name, json_string_value(value));
        else if (json_is_boolean(value))
            show_text(name, json_is_true(value) ? "yes" : "no");
    }
    return 0;
}

/* --- accept and reject --- */

static bool decide(const struct batch *batch, const char *id, const struct remote *remote,
                   struct client *client, struct error *error)
{
    struct news *news AUTO(news_release) = news_new(NEWS_DECISION, id);
    const char *reason = batch->options[BATCH_REASON];
    news->command = batch->verb == BATCH_ACCEPT ? BOOKING_ACCEPT : BOOKING_REJECT;
    news->reason = reason ? memory_text(reason) : NULL;
    id_new(world_real(), news->key);
    remote_decide(remote, client, news);
    if (news->error.kind == ERROR_NONE)
        return true;
    (void)error_set(error, news->error.kind, "%s: %s", id, news->error.text);
    return false;
}

static int decide_all(const struct batch *batch, const struct remote *remote, struct client *client)
{
    size_t done = 0;
    int failed = 0;
    for (size_t i = 0; i < batch->count; i++) {
        struct error error = {0};
        if (decide(batch, batch->ids[i], remote, client, &error)) {
            (void)printf("%s %s\n", batch->ids[i],
                         batch->verb == BATCH_ACCEPT ? "accepted" : "rejected");
            done++;
            continue;
        }
        const int code = batch_fail(&error);
        failed = failed == 0 || failed == code ? code : 1;
    }
    return failed != 0 && done > 0 ? BATCH_PARTLY_DONE : failed;
}

/* --- health --- */

static int health(const struct batch *batch, const struct remote *remote, struct client *client)
{
    struct error error = {0};
    int status = 0;
    json_t *pipeline AUTO(json_release) = remote_get(client, "/pipeline", &status, &error);
    (void)batch;
    if (!pipeline)
        return batch_fail(&error);
    const char *queue = json_string_value(json_object_get(pipeline, "queue"));
    (void)printf("%s: connected, queue %s, %lld not sent, oldest %lld s\n", remote->url,
                 queue && strcmp(queue, "ok") == 0 ? "ok" : "down",
                 (long long)json_integer_value(json_object_get(pipeline, "unsent")),
                 (long long)json_integer_value(json_object_get(pipeline, "oldestUnsentSeconds")));
    return 0;
}

/* --- all verbs --- */

static const struct verb {
    int (*run)(const struct batch *batch, const struct remote *remote, struct client *client);
    size_t least; /* ids */
    size_t most;
    bool takes[BATCH_OPTIONS];
} verbs[] = {
    [BATCH_NONE] = {NULL, 0, 0, {0}},
    [BATCH_LIST] = {list, 0, 0, {[BATCH_JSON] = true, [BATCH_STATUS] = true, [BATCH_DAY] = true}},
    [BATCH_SHOW] = {show, 1, 1, {[BATCH_JSON] = true}},
    [BATCH_ACCEPT] = {decide_all, 1, SIZE_MAX, {0}},
    [BATCH_REJECT] = {decide_all, 1, SIZE_MAX, {[BATCH_REASON] = true}},
    [BATCH_HEALTH] = {health, 0, 0, {0}},
};

bool batch_check(const struct batch *batch, struct error *error)
{
    static const char *const names[BATCH_OPTIONS] = {"--json", "--status", "--day", "--reason"};
    const struct verb *verb = &verbs[batch->verb];
    for (size_t i = 0; i < BATCH_OPTIONS; i++)
        if (batch->options[i] && !verb->takes[i])
            return error_set(error, ERROR_USAGE, "%s does not belong here; see --help", names[i]);
    if (batch->count < verb->least)
        return error_set(error, ERROR_USAGE, "name the booking by its id, as --list shows it");
    if (batch->count > verb->most)
        return error_set(error, ERROR_USAGE, "%.40s is one word too many; see --help",
                         batch->ids[verb->most]);
    for (size_t i = 0; i < batch->count; i++)
        if (!id_valid(batch->ids[i], strlen(batch->ids[i])))
            return error_set(error, ERROR_USAGE, "%.40s is not an id", batch->ids[i]);
    return true;
}

int batch_run(const struct batch *batch, const struct remote *remote)
{
    struct error error = {0};
    struct client *client AUTO(client_release) = remote_client(remote, NULL, &error);
    if (!client)
        return batch_fail(&error);
    const int code = verbs[batch->verb].run(batch, remote, client);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    (void)error_set(&error, ERROR_DAMAGED, "stdout: %s", strerror(errno));
    return batch_fail(&error);
}
