/* `bookflow slots generate`: back-to-back slots by the local clock of a time zone. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

static bool parse_hours(const char *text, struct plan *plan)
{
    int from_hour = 0;
    int to_hour = 0;
    int end = 0;
    if (!text || sscanf(text, "%2d:%2d-%2d:%2d%n", &from_hour, &plan->from_minute, &to_hour,
                        &plan->to_minute, &end) != 4)
        return false;
    bool minutes_fit = plan->from_minute >= 0 && plan->from_minute < 60 && plan->to_minute >= 0 &&
                       plan->to_minute < 60;
    plan->from_minute += from_hour * 60;
    plan->to_minute += to_hour * 60;
    return !text[end] && minutes_fit && from_hour >= 0 && plan->from_minute < plan->to_minute &&
           plan->to_minute <= 24 * 60;
}

/* The C library takes an unknown zone for UTC without a word. */
static bool use_zone(const char *zone, struct error *error)
{
    struct buf path AUTO(buf_release) = {0};
    if (!zone)
        return true;
    buf_printf(&path, "/usr/share/zoneinfo/%s", zone);
    if (strstr(zone, "..") || *zone == '/' || access(buf_text(&path), R_OK) != 0)
        return error_set(error, ERROR_USAGE, "--tz %s is not a time zone such as Europe/Berlin",
                         zone);
    (void)setenv("TZ", zone, 1);
    tzset();
    return true;
}

struct generate_options {
    const char *provider, *from, *days, *hours, *length, *zone;
};

static bool read_plan(const struct generate_options *options, struct plan *plan,
                      struct error *error)
{
    int64_t midnight = 0;
    struct error bad = {0};
    const char *provider = options->provider;
    if (!provider || !id_valid(provider, strlen(provider)))
        return error_set(error, ERROR_USAGE, "--provider must be an id");
    if (!options->from || !timestamp_parse_date(options->from, &midnight, &bad))
        return error_set(error, ERROR_USAGE, "--from must be a date: YYYY-MM-DD");
    if (!parse_count(options->days, 1, 3660, &plan->days))
        return error_set(error, ERROR_USAGE, "--days must be a number from 1 to 3660");
    if (!parse_hours(options->hours, plan))
        return error_set(error, ERROR_USAGE,
                         "--hours must be HH:MM-HH:MM, the end after the start");
    if (!parse_count(options->length, 1, 24L * 60, &plan->length))
        return error_set(error, ERROR_USAGE, "--length must be minutes, from 1 to 1440");
    const time_t day = (time_t)midnight;
    (void)gmtime_r(&day, &plan->day);
    plan->provider_id = provider;
    return use_zone(options->zone, error);
}

/* Local clock to UTC; on a day when the clock changes, what does not exist moves as mktime(3) does.
 */
static int64_t local_time(const struct plan *plan, long day, long minute)
{
    struct tm local = plan->day;
    local.tm_mday += (int)day;
    local.tm_min = (int)minute;
    local.tm_isdst = -1;
    return (int64_t)mktime(&local);
}

static bool generate_day(struct slot_batch *batch, const struct plan *plan, long day,
                         struct error *error)
{
    for (long at = plan->from_minute; at + plan->length <= plan->to_minute; at += plan->length) {
        const struct new_slot slot = {
            .id = "",
            .provider_id = plan->provider_id,
            .start_s = local_time(plan, day, at),
            .end_s = local_time(plan, day, at + plan->length),
        };
        if (slot.end_s > slot.start_s && !slot_batch_add(batch, &slot, error))
            return false;
    }
    return true;
}

static bool generate(const struct generate_options *options, struct error *error)
{
    struct plan plan = {0};
    struct slot_batch batch AUTO(slot_batch_release) = {0};
    if (!read_plan(options, &plan, error) || !slot_batch_open(&batch, error))
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
        {"provider", required_argument, NULL, 'p'}, {"from", required_argument, NULL, 'f'},
        {"days", required_argument, NULL, 'd'},     {"hours", required_argument, NULL, 'o'},
        {"length", required_argument, NULL, 'l'},   {"tz", required_argument, NULL, 'z'},
        {"help", no_argument, NULL, 'h'},           {0}};
    struct generate_options given = {0};
    struct error error = {0};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        const char **const target = option == 'p'   ? &given.provider
                                    : option == 'f' ? &given.from
                                    : option == 'd' ? &given.days
                                    : option == 'o' ? &given.hours
                                    : option == 'l' ? &given.length
                                    : option == 'z' ? &given.zone
                                                    : NULL;
        if (!target)
            return remote_usage(slots_usage, option == 'h');
        *target = optarg;
    }
    if (optind != argc)
        return remote_usage(slots_usage, false);
    return generate(&given, &error) ? EXIT_SUCCESS : remote_fail(&error);
}
