/* Timestamps: RFC 3339 in all its forms, and nothing that only looks like it. */
#include "timestamp.h"

#include <criterion/criterion.h>
#include <string.h>

Test(timestamp, accepts_what_rfc_3339_allows)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } CASES[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-02-19T10:00:00Z", 1771495200},
        {"2026-02-19t10:00:00z", 1771495200},
        {"2026-02-19T10:00:00.999999999Z", 1771495200},
        {"2026-02-19T11:30:00+01:30", 1771495200},
        {"2026-02-19T02:00:00.5-08:00", 1771495200},
        {"2026-02-19T10:00:00+00:00", 1771495200},
        {"2026-02-19T10:00:00-00:00", 1771495200},
        {"2024-02-29T00:00:00Z", 1709164800},
        {"2000-02-29T12:00:00Z", 951825600},
        {"1990-12-31T23:59:60Z", 662687999},
        {"1990-12-31T15:59:60-08:00", 662687999},
        {"1969-12-31T23:30:00-01:00", 1800},
        {"9999-12-31T23:59:59Z", 253402300799},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct error error = {0};
        int64_t seconds = -1;
        cr_expect(timestamp_parse(CASES[i].text, &seconds, &error), "%s: %s", CASES[i].text,
                  error.text);
        cr_expect_eq(seconds, CASES[i].seconds, "%s gives %lld", CASES[i].text, (long long)seconds);
    }
}

Test(timestamp, refuses_everything_else_and_leaves_the_output_alone)
{
    static const char *const CASES[] = {
        "",
        "now",
        "2026-02-19",
        "2026-02-19T10:00:00",
        "2026-02-19 10:00:00Z",
        "2026-02-19T10:00Z",
        "2026-02-19T10:00:00.Z",
        "2026-02-19T10:00:00,5Z",
        "2026-02-19T10:00:00Z ",
        " 2026-02-19T10:00:00Z",
        "2026-02-19T10:00:00ZZ",
        "2026-2-19T10:00:00Z",
        "26-02-19T10:00:00Z",
        "+2026-02-19T10:00:00Z",
        "12026-02-19T10:00:00Z",
        "2026-00-19T10:00:00Z",
        "2026-13-19T10:00:00Z",
        "2026-02-00T10:00:00Z",
        "2026-02-29T10:00:00Z",
        "2026-04-31T10:00:00Z",
        "2026-12-32T10:00:00Z",
        "1900-02-29T10:00:00Z",
        "2100-02-29T10:00:00Z",
        "2026-02-19T24:00:00Z",
        "2026-02-19T10:60:00Z",
        "2026-02-19T10:00:61Z",
        "2026-02-19T10:00:60Z",
        "1990-12-31T23:59:60+01:00",
        "2026-02-19T10:00:00+24:00",
        "2026-02-19T10:00:00+01:60",
        "2026-02-19T10:00:00+0100",
        "2026-02-19T10:00:00+1",
        "2026-02-19T1O:00:00Z",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "0000-01-01T00:00:00Z",
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct error error = {0};
        int64_t seconds = 42;
        cr_expect_not(timestamp_parse(CASES[i], &seconds, &error), "%s", CASES[i]);
        cr_expect_eq(error.kind, ERROR_INVALID, "%s", CASES[i]);
        cr_expect_eq(seconds, 42, "%s", CASES[i]);
    }
}

Test(timestamp, the_sentence_shows_only_what_looks_like_a_time)
{
    struct error error = {0};
    int64_t seconds = 0;
    cr_assert_not(timestamp_parse("to\x1b[31mday\n", &seconds, &error));
    cr_assert_str_eq(error.text, "must be a time from 1970 to 9999 like 2026-02-19T10:00:00Z");
    error_clear(&error);
    cr_assert_not(timestamp_parse("2026-02-30T10:00:00Z", &seconds, &error));
    cr_assert(strstr(error.text, "\"2026-02-30T10:00:00Z\" is not a time"), "%s", error.text);
    char huge[5000];
    memset(huge, '1', sizeof huge);
    huge[sizeof huge - 1] = '\0';
    error_clear(&error);
    cr_assert_not(timestamp_parse(huge, &seconds, &error));
    cr_assert_lt(strlen(error.text), 150);
}

Test(timestamp, formats_utc_and_clamps)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } CASES[] = {
        {0, "1970-01-01T00:00:00Z"},
        {1771495200, "2026-02-19T10:00:00Z"},
        {951825600, "2000-02-29T12:00:00Z"},
        {253402300799, "9999-12-31T23:59:59Z"},
        {253402300800, "9999-12-31T23:59:59Z"},
        {INT64_MAX, "9999-12-31T23:59:59Z"},
        {-1, "1970-01-01T00:00:00Z"},
        {INT64_MIN, "1970-01-01T00:00:00Z"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char out[TIMESTAMP_SIZE];
        cr_expect_eq(timestamp_format(CASES[i].seconds, out), out);
        cr_expect_str_eq(out, CASES[i].text);
    }
}

Test(timestamp, what_is_formatted_parses_back)
{
    for (int64_t seconds = 0; seconds < 253402300799; seconds += 86399LL * 997) {
        char out[TIMESTAMP_SIZE];
        struct error error = {0};
        int64_t again = -1;
        cr_assert(timestamp_parse(timestamp_format(seconds, out), &again, &error), "%s", out);
        cr_assert_eq(again, seconds, "%s", out);
    }
}

Test(timestamp, a_date_is_its_midnight)
{
    static const struct {
        const char *text;
        bool valid;
        int64_t seconds;
    } CASES[] = {
        {"2026-02-19", true, 1771459200},
        {"1970-01-01", true, 0},
        {"9999-12-31", true, 253402214400},
        {"2024-02-29", true, 1709164800},
        {"2026-02-30", false, 42},
        {"1969-12-31", false, 42},
        {"2026-02-19T00:00:00Z", false, 42},
        {"2026-02-1", false, 42},
        {"19.2.2026", false, 42},
        {"", false, 42},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct error error = {0};
        int64_t seconds = 42;
        cr_expect_eq(timestamp_parse_date(CASES[i].text, &seconds, &error), CASES[i].valid, "%s",
                     CASES[i].text);
        cr_expect_eq(seconds, CASES[i].seconds, "%s", CASES[i].text);
        cr_expect_eq(error.kind, CASES[i].valid ? ERROR_NONE : ERROR_INVALID, "%s", CASES[i].text);
    }
}
