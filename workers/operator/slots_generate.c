/* `bookflow slots generate`: back-to-back slots by the local clock of a time zone. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "buf.h"
#include "remote.h"
#include "slot_batch.h"
#include "slots.h"
#include "timestamp.h"

struct plan {
    const char *provider_id;
    struct tm day; /* local midnight */
    long days;
    int from_minute;
    int to_minute;
    long length; /* minutes */
};

static bool parse_count(const char *text, long low, long high, long *number)
{
    char *end = NULL;
    *number = text ? strtol(text, &end, 10) : low - 1;
    return text && end != text && !*end && *number >= low && *number <= high;
}

/* "HH:MM" in minutes; *text moves behind it. */
static bool parse_clock(const char **text, int *minutes)
{
    const char *at = *text;
    for (size_t i = 0; i < strlen("HH:MM"); i++)
        if (i == 2 ? at[i] != ':' : at[i] < '0' || at[i] > '9')
            return false;
    const int hour = (at[0] - '0') * 10 + at[1] - '0';
    const int minute = (at[3] - '0') * 10 + at[4] - '0';
    *minutes = hour * 60 + minute;
    *text = at + strlen("HH:MM");
    return hour <= 24 && minute < 60;
}

static bool parse_hours(const char *text, struct plan *plan)
{
    return text && parse_clock(&text, &plan->from_minute) && *text++ == '-' &&
           parse_clock(&text, &plan->to_minute) && !*text && plan->from_minute < plan->to_minute &&
           plan->to_minute <= 24 * 60;
}

/* The C library takes an unknown zone for UTC without a word. */
static bool use_zone(const char *zone, struct error *error)
{
    struct buf path AUTO(buf_release) = {0};
    struct stat file;
    if (!zone)
        return true;
    buf_printf(&path, "/usr/share/zoneinfo/%s", zone);
    if (strstr(zone, "..") || *zone == '/' || stat(buf_text(&path), &file) != 0 ||
        !S_ISREG(file.st_mode))
        return error_set(error, ERROR_USAGE, "--tz %s is not a time zone such as Europe/Berlin",
                         zone);
    (void)setenv("TZ", zone, 1);
    tzset();
    return true;
}

enum { PROVIDER, FROM, DAYS, HOURS, LENGTH, ZONE, OPTIONS };

static bool read_plan(const char *const given[OPTIONS], struct plan *plan, struct error *error)
{
    int64_t midnight = 0;
    struct error bad = {0};
    plan->provider_id = given[PROVIDER];
    if (!plan->provider_id || !id_valid(plan->provider_id, strlen(plan->provider_id)))
        return error_set(error, ERROR_USAGE, "--provider must be an id");
    if (!given[FROM] || !timestamp_parse_date(given[FROM], &midnight, &bad))
        return error_set(error, ERROR_USAGE, "--from must be a date: YYYY-MM-DD");
    if (!parse_count(given[DAYS], 1, 3660, &plan->days))
        return error_set(error, ERROR_USAGE, "--days must be a number from 1 to 3660");
    if (!parse_hours(given[HOURS], plan))
        return error_set(error, ERROR_USAGE,
                         "--hours must be HH:MM-HH:MM, the end after the start");
    if (!parse_count(given[LENGTH], 1, 24L * 60, &plan->length))
        return error_set(error, ERROR_USAGE, "--length must be minutes, from 1 to 1440");
    const time_t day = (time_t)midnight;
    (void)gmtime_r(&day, &plan->day);
    return use_zone(given[ZONE], error);
}

/* Local clock to UTC. False for a time that the day does not have: clocks went forward over it. */
static bool local_time(const struct plan *plan, long day, long minute, int64_t *seconds)
{
    struct tm local = plan->day;
    local.tm_mday += (int)day;
    local.tm_hour = (int)(minute / 60);
    local.tm_min = (int)(minute % 60);
    local.tm_isdst = -1;
    const struct tm wanted = local;
    *seconds = (int64_t)mktime(&local);
    return local.tm_hour == wanted.tm_hour && local.tm_min == wanted.tm_min;
}

/* A slot is as long as it says also when the clock changes in it. */
static bool generate_day(struct slot_batch *batch, const struct plan *plan, long day,
                         struct error *error)
{
    int64_t free_s = INT64_MIN; /* when the slot before has ended */
    for (long at = plan->from_minute; at + plan->length <= plan->to_minute; at += plan->length) {
        struct new_slot slot = {.id = "", .provider_id = plan->provider_id};
        if (!local_time(plan, day, at, &slot.start_s) || slot.start_s < free_s)
            continue;
        slot.end_s = slot.start_s + plan->length * 60;
        free_s = slot.end_s;
        if (!slot_batch_add(batch, &slot, error))
            return false;
    }
    return true;
}

static bool generate(const char *const given[OPTIONS], struct error *error)
{
    struct plan plan = {0};
    struct slot_batch batch AUTO(slot_batch_release) = {0};
    if (!read_plan(given, &plan, error) || !slot_batch_open(&batch, error))
        return false;
    for (long day = 0; day < plan.days; day++)
        if (!generate_day(&batch, &plan, day, error))
            return false;
    if (!slot_batch_flush(&batch, error))
        return false;
    return printf("%zu slots for %s\n", batch.sent, plan.provider_id) > 0;
}

int slots_generate_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"provider", required_argument, NULL, PROVIDER},
        {"from", required_argument, NULL, FROM},
        {"days", required_argument, NULL, DAYS},
        {"hours", required_argument, NULL, HOURS},
        {"length", required_argument, NULL, LENGTH},
        {"tz", required_argument, NULL, ZONE},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    const char *given[OPTIONS] = {0};
    struct error error = {0};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option >= OPTIONS)
            return remote_usage(slots_usage, option == 'h');
        given[option] = optarg;
    }
    if (optind != argc)
        return remote_usage(slots_usage, false);
    return generate(given, &error) ? EXIT_SUCCESS : remote_fail(&error);
}
