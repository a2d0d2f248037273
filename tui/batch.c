/* The verbs without a screen. JSON goes out in ASCII, text sanitised: both are safe to look at. */
#include "batch.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "json_fields.h"
#include "text.h"
#include "timestamp.h"
#include "world.h"

static int report(const struct error *error)
{
    struct buf text AUTO(buf_release) = {0};
    text_display(&text, error->text, strlen(error->text));
    (void)fprintf(stderr, "bookflow-console: %s\n", buf_text(&text));
    return error_policy(error->kind)->exit_code;
}

/* --- list and show --- */

static void append_local(struct buf *out, int64_t seconds)
{
    const time_t time = (time_t)seconds;
    struct tm tm = {0};
    char text[32] = "-";
    if (seconds != 0 && localtime_r(&time, &tm))
        (void)strftime(text, sizeof text, "%Y-%m-%d %H:%M", &tm);
    buf_text_append(out, text);
}

static void print_line(const struct record *record)
{
    struct buf line AUTO(buf_release) = {0};
    buf_printf(&line, "%s  %-9s  ", record->id, booking_status_name(record->status));
    append_local(&line, record->start_s);
    if (record->start_s)
        buf_printf(&line, "  %3lld min  ", (long long)((record->end_s - record->start_s) / 60));
    const char *client = record_client(record);
    text_display(&line, client, strlen(client));
    (void)puts(buf_text(&line));
}

static bool print_booking(const json_t *booking, struct error *error)
{
    struct record *record AUTO(record_release) = record_from_json(booking, error);
    if (record)
        print_line(record);
    return record;
}

static void print_json(const json_t *value)
{
    (void)json_dumpf(value, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
}

struct listing {
    bool json;
    bool any;
    struct error error;
};

static bool list_one(void *context, const json_t *booking)
{
    struct listing *listing = context;
    if (!listing->json)
        return print_booking(booking, &listing->error);
    (void)fputs(listing->any ? ",\n" : "[", stdout);
    print_json(booking);
    listing->any = true;
    return true;
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
    (void)timestamp_format((int64_t)mktime(&tm), from);
    (void)timestamp_format((int64_t)mktime(&next), to);
    buf_printf(query, "%sfrom=", query->length ? "&" : "");
    client_escape(query, from);
    buf_text_append(query, "&to=");
    client_escape(query, to);
    return true;
}

static bool list_query(const struct batch *batch, struct buf *query, struct error *error)
{
    enum booking_status status = BOOKING_PENDING;
    if (batch->status && !booking_status_parse(batch->status, &status))
        return error_set(error, ERROR_USAGE,
                         "--status %.20s is none of pending confirmed rejected cancelled",
                         batch->status);
    if (batch->status)
        buf_printf(query, "status=%s", batch->status);
    return !batch->day || add_day(query, batch->day, error);
}

static int list(const struct batch *batch, const struct remote *remote, struct client *client)
{
    struct buf query AUTO(buf_release) = {0};
    struct listing listing = {.json = batch->json};
    if (!list_query(batch, &query, &listing.error))
        return report(&listing.error);
    const struct remote_list list = {
        .query = buf_text(&query), .each = list_one, .context = &listing};
    const bool read = remote_list(remote, client, &list, &listing.error);
    if (batch->json)
        (void)puts(listing.any ? "]" : "[]");
    return read && listing.error.kind == ERROR_NONE ? 0 : report(&listing.error);
}

static void show_text(const char *label, const char *text)
{
    struct buf line AUTO(buf_release) = {0};
    struct buf safe AUTO(buf_release) = {0};
    buf_printf(&line, "%-12s %s", label, text);
    text_display(&safe, buf_text(&line), line.length);
    (void)puts(buf_text(&safe));
}

static int show(const struct batch *batch, const struct remote *remote, struct client *client)
{
    struct error error = {0};
    json_t *booking AUTO(json_release) = remote_booking(remote, client, batch->ids[0], &error);
    if (!booking)
        return report(&error);
    if (batch->json) {
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

static struct news *decide(const struct batch *batch, const char *id, const struct remote *remote,
                           struct client *client)
{
    struct request *request AUTO(request_release) = request_new(REQUEST_DECISION, id);
    request->command = batch->verb == BATCH_ACCEPT ? BOOKING_ACCEPT : BOOKING_REJECT;
    request->reason = batch->reason ? memory_text(batch->reason) : NULL;
    id_new(world_real(), request->key);
    return remote_decide(remote, client, request);
}

static int decide_all(const struct batch *batch, const struct remote *remote, struct client *client)
{
    size_t done = 0;
    int failed = 0;
    for (size_t i = 0; i < batch->count; i++) {
        struct news *news AUTO(news_release) = decide(batch, batch->ids[i], remote, client);
        if (news->error.kind == ERROR_NONE) {
            (void)printf("%s %s\n", batch->ids[i],
                         batch->verb == BATCH_ACCEPT ? "accepted" : "rejected");
            done++;
            continue;
        }
        (void)error_context(&news->error, "%s", batch->ids[i]);
        const int code = report(&news->error);
        failed = failed == 0 || failed == code ? code : 1;
    }
    return failed != 0 && done > 0 ? BATCH_PARTLY_DONE : failed;
}

/* --- health --- */

static int health(const struct remote *remote, struct client *client)
{
    struct error error = {0};
    int status = 0;
    json_t *pipeline AUTO(json_release) = remote_get(client, "/pipeline", &status, &error);
    if (!pipeline)
        return report(&error);
    const int64_t unsent = json_integer_value(json_object_get(pipeline, "unsent"));
    const int64_t oldest_s = json_integer_value(json_object_get(pipeline, "oldestUnsentSeconds"));
    const char *queue = json_string_value(json_object_get(pipeline, "queue"));
    (void)printf("%s: connected, queue %s, %lld not sent, oldest %lld s\n", remote->url,
                 queue && strcmp(queue, "ok") == 0 ? "ok" : "down", (long long)unsent,
                 (long long)oldest_s);
    return 0;
}

static bool check_ids(const struct batch *batch, struct error *error)
{
    const bool wanted =
        batch->verb == BATCH_SHOW || batch->verb == BATCH_ACCEPT || batch->verb == BATCH_REJECT;
    if (wanted != (batch->count > 0) || (batch->verb == BATCH_SHOW && batch->count > 1))
        return error_set(error, ERROR_USAGE,
                         wanted ? "name the booking by its id, as --list shows it"
                                : "more words than this needs; see --help");
    for (size_t i = 0; i < batch->count; i++)
        if (!id_valid(batch->ids[i], strlen(batch->ids[i])))
            return error_set(error, ERROR_USAGE, "%.40s is not an id", batch->ids[i]);
    return true;
}

int batch_run(const struct batch *batch, const struct remote *remote)
{
    struct error error = {0};
    if (!check_ids(batch, &error))
        return report(&error);
    struct client *client AUTO(client_release) = remote_client(remote, NULL, &error);
    if (!client)
        return report(&error);
    switch (batch->verb) {
    case BATCH_LIST:
        return list(batch, remote, client);
    case BATCH_SHOW:
        return show(batch, remote, client);
    case BATCH_ACCEPT:
    case BATCH_REJECT:
        return decide_all(batch, remote, client);
    case BATCH_HEALTH:
        return health(remote, client);
    case BATCH_NONE:
        break;
    }
    return 0;
}
