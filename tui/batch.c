/* The verbs without a screen. JSON goes out in ASCII, text sanitised: both are safe to look at. */
#include "batch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "journal.h"
#include "json_fields.h"
#include "text.h"
#include "timestamp.h"
#include "world.h"

int batch_fail(const struct error *error)
{
    static const char *const what_to_do[ERROR_KINDS] = {
        [ERROR_UNAUTHORISED] = "; check BOOKFLOW_TOKEN or the token file",
        [ERROR_FORBIDDEN] = "; this token is not for this provider",
        [ERROR_NOT_FOUND] = "; --list shows which there are",
        [ERROR_BUSY] = "; try again",
        [ERROR_UNAVAILABLE] = "; try again, or check --url",
    };
    struct buf text AUTO(buf_release) = {0};
    text_display(&text, error->text, strlen(error->text));
    (void)fprintf(stderr, "bookflow-console: %s%s\n", buf_text(&text),
                  what_to_do[error->kind] ? what_to_do[error->kind] : "");
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

enum { TIME_SIZE = 32 };

/* Returns out. */
static const char *local_time(int64_t seconds, char out[TIME_SIZE])
{
    const time_t time = (time_t)seconds;
    struct tm tm = {0};
    if (!seconds || !localtime_r(&time, &tm) ||
        strftime(out, TIME_SIZE, "%Y-%m-%d %H:%M", &tm) == 0)
        (void)snprintf(out, TIME_SIZE, "-");
    return out;
}

/* --- list and show --- */

static void print_line(const struct record *record)
{
    struct buf line AUTO(buf_release) = {0};
    char when[TIME_SIZE];
    buf_printf(&line, "%s  %-9s  %-16s  %3lld min  %s", record->id,
               booking_status_name(record->status), local_time(record->start_s, when),
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

static bool parse_day(const char *text, struct tm *day)
{
    const time_t now = (time_t)(world_wall_ms(world_real()) / 1000);
    const char *end = strptime(text, "%Y-%m-%d", day);
    if (end && *end == '\0' && strlen(text) == strlen("2026-02-19")) {
        const int written = day->tm_mday;
        return mktime(day) != -1 && day->tm_mday == written; /* there is no 31 February */
    }
    if (!localtime_r(&now, day))
        return false;
    day->tm_mday += strcmp(text, "tomorrow") == 0;
    return strcmp(text, "today") == 0 || strcmp(text, "tomorrow") == 0;
}

/* Local midnight of the day and of the next one. */
static bool add_day(struct buf *query, const char *text, struct error *error)
{
    struct tm parsed = {0};
    if (!parse_day(text, &parsed))
        return error_set(error, ERROR_USAGE,
                         "--day %.20s is no day like 2026-02-19, nor today or tomorrow", text);
    struct tm day = {.tm_year = parsed.tm_year,
                     .tm_mon = parsed.tm_mon,
                     .tm_mday = parsed.tm_mday,
                     .tm_isdst = -1};
    struct tm next = day;
    next.tm_mday++;
    char from[TIMESTAMP_SIZE];
    char to[TIMESTAMP_SIZE];
    buf_printf(query, "&from=%s&to=%s", timestamp_format((int64_t)mktime(&day), from),
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

/* --- health --- */

static int health(const struct batch *batch, const struct remote *remote, struct client *client)
{
    struct error error = {0};
    int status = 0;
    json_t *pipeline AUTO(json_release) = remote_get(client, "/pipeline", &status, &error);
    if (!pipeline)
        return batch_fail(&error);
    if (batch->options[BATCH_JSON]) {
        print_json(pipeline);
        (void)puts("");
        return 0;
    }
    const char *queue = json_string_value(json_object_get(pipeline, "queue"));
    (void)printf("%s: connected, queue %s, %lld not sent, oldest %lld s\n", remote->url,
                 queue && strcmp(queue, "ok") == 0 ? "ok" : "down",
                 (long long)json_integer_value(json_object_get(pipeline, "unsent")),
                 (long long)json_integer_value(json_object_get(pipeline, "oldestUnsentSeconds")));
    return 0;
}

/* --- history --- */

static void print_answer(const struct history_entry *entry)
{
    const struct step *last = history_last(entry);
    struct buf line AUTO(buf_release) = {0};
    char when[TIME_SIZE];
    char start[TIME_SIZE];
    buf_printf(&line, "%s  %s  %-12s  %s, %s", local_time(entry->steps[0].at_s, when),
               entry->command == BOOKING_ACCEPT ? "accept" : "reject",
               history_step_name(last->kind), entry->client, local_time(entry->start_s, start));
    if (last->text)
        buf_printf(&line, ": %s", last->text);
    print_safe(buf_text(&line), line.length);
}

static int history(const struct batch *batch, const struct remote *remote, struct client *client)
{
    struct error error = {0};
    struct history history AUTO(history_release) = {0};
    const struct journal_owner owner = {remote->url, remote->provider};
    const bool json = batch->options[BATCH_JSON];
    (void)client;
    if (!journal_read(&owner, &history, &error)) {
        error.kind = ERROR_CONFIGURATION; /* of this computer: no worker can help */
        return batch_fail(&error);
    }
    const struct history_entry *entry = NULL;
    for (size_t i = 0; (entry = history_newest(&history, i)); i++) {
        json_t *object AUTO(json_release) = json ? history_to_json(entry) : NULL;
        if (!json) {
            print_answer(entry);
            continue;
        }
        (void)fputs(i > 0 ? ",\n" : "[", stdout);
        print_json(object);
    }
    if (json)
        (void)puts(history.count > 0 ? "]" : "[]");
    if (history.damaged > 0)
        (void)fprintf(stderr,
                      "bookflow-console: %zu damaged lines of the journal were passed over\n",
                      history.damaged);
    return 0;
}

/* --- all verbs --- */

static const struct verb {
    int (*run)(const struct batch *batch, const struct remote *remote, struct client *client);
    size_t least; /* ids */
    size_t most;
    bool takes[BATCH_OPTIONS];
} verbs[BATCH_VERBS] = {
    [BATCH_NONE] = {.run = NULL},
    [BATCH_PLAIN] = {.run = NULL},
    [BATCH_LIST] = {list,
                    .takes = {[BATCH_JSON] = true, [BATCH_STATUS] = true, [BATCH_DAY] = true}},
    [BATCH_WATCH] = {batch_watch, .takes = {[BATCH_JSON] = true}},
    [BATCH_SHOW] = {show, 1, 1, {[BATCH_JSON] = true}},
    [BATCH_ACCEPT] = {batch_decide, 1, SIZE_MAX, {0}},
    [BATCH_REJECT] = {batch_decide, 1, SIZE_MAX, {[BATCH_REASON] = true}},
    [BATCH_HISTORY] = {history, .takes = {[BATCH_JSON] = true}},
    [BATCH_HEALTH] = {health, .takes = {[BATCH_JSON] = true}},
};

static bool check_ids(const struct batch *batch, struct error *error)
{
    const bool decides = verbs[batch->verb].run == batch_decide;
    if (decides && strcmp(batch->ids[0], "-") == 0) /* ids from stdin */
        return batch->count == 1 || error_set(error, ERROR_USAGE, "- stands alone");
    for (size_t i = 0; i < batch->count; i++)
        if (!id_valid(batch->ids[i], strlen(batch->ids[i])))
            return error_set(error, ERROR_USAGE, "%.40s is not an id", batch->ids[i]);
    return true;
}

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
    return check_ids(batch, error);
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
