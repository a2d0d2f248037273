/* Times, dates and hours as people and programs write them. What is read is checked against a
 * calendar of its own and comes back from its own printed form. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "json_fields.h"
#include "timestamp.h"

/* The file itself: its parsers of days and hours are static. Its main function is not called. */
#include "slots_generate.c" /* NOLINT(bugprone-suspicious-include) */

/* Days since 1970 of a day of the Gregorian calendar, counted from March (RFC 3339 has no shorter
 * way that does not use the C library, which is what the code under test does). */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    const int64_t era = year / 400;
    const int64_t year_of_era = year % 400;
    const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

static int64_t number(const char *digits, size_t length)
{
    char text[8] = "";
    memcpy(text, digits, length);
    return strtol(text, NULL, 10);
}

/* Of a text whose fields stand where RFC 3339 puts them. */
static int64_t clock_of(const char *text)
{
    const int64_t second = number(text + 17, 2);
    return number(text + 11, 2) * 3600 + number(text + 14, 2) * 60 + (second == 60 ? 59 : second);
}

static int64_t date_of(const char *text)
{
    return days_of(number(text, 4), number(text + 5, 2), number(text + 8, 2)) * 86400;
}

static int64_t offset_of(const char *text)
{
    const size_t length = strlen(text);
    if (strchr("Zz", text[length - 1]))
        return 0;
    const char *sign = text + length - strlen("+00:00");
    const int64_t ahead = number(sign + 1, 2) * 3600 + number(sign + 4, 2) * 60;
    return *sign == '-' ? -ahead : ahead;
}

static void refused_well(const struct error *error)
{
    FUZZ_CHECK(error->kind == ERROR_INVALID, "refused as %d", (int)error->kind);
    FUZZ_CHECK(fuzz_is_showable(error->text, strlen(error->text)), "the refusal acts");
}

static void round_trip(int64_t seconds)
{
    char text[TIMESTAMP_SIZE];
    struct error error = {0};
    int64_t again = -1;
    FUZZ_CHECK(seconds >= 0 && seconds <= INT64_C(253402300799), "out of range: %lld",
               (long long)seconds);
    FUZZ_CHECK(timestamp_parse(timestamp_format(seconds, text), &again, &error), "%s", error.text);
    FUZZ_CHECK(again == seconds, "%lld comes back as %lld", (long long)seconds, (long long)again);
}

static void read_time(const char *text)
{
    struct error error = {0};
    int64_t seconds = -1;
    if (!timestamp_parse(text, &seconds, &error)) {
        FUZZ_CHECK(seconds == -1, "a refused time was written");
        refused_well(&error);
        return;
    }
    round_trip(seconds);
    FUZZ_CHECK(seconds == date_of(text) + clock_of(text) - offset_of(text), "%s is read as %lld",
               text, (long long)seconds);
}

static void read_date_only(const char *text)
{
    struct error error = {0};
    int64_t seconds = -1;
    if (!timestamp_parse_date(text, &seconds, &error)) {
        refused_well(&error);
        return;
    }
    round_trip(seconds);
    FUZZ_CHECK(seconds == date_of(text), "%s is read as %lld", text, (long long)seconds);
}

static void read_hours(const char *text)
{
    struct plan plan = {0};
    long count = -1;
    if (parse_hours(text, &plan))
        FUZZ_CHECK(strlen(text) == strlen("00:00-00:00") && plan.from_minute >= 0 &&
                       plan.from_minute < plan.to_minute && plan.to_minute <= 24 * 60,
                   "%s is from %d to %d", text, plan.from_minute, plan.to_minute);
    if (parse_count(text, 1, 3660, &count))
        FUZZ_CHECK(count >= 1 && count <= 3660, "%s is %ld", text, count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text AUTO(memory_release) = fuzz_text(data, size);
    read_time(text);
    read_date_only(text);
    read_hours(text);
    return 0;
}
