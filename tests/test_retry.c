/* The retry rules, and the bucket that all calls of a client share. */
#include "retry.h"

#include <criterion/criterion.h>
#include <string.h>

/* Chance as the test wants it: the lowest or the highest of every range. */
static void chance(void *context, void *bytes, size_t length)
{
    const uint64_t *value = context;
    memcpy(bytes, value, length < sizeof *value ? length : sizeof *value);
}

/* world_between() takes the remainder by the span. */
static int64_t delay(enum retry_cause cause, int tries, int64_t asked_ms, uint64_t value)
{
    const struct world world = {.random = chance, .context = &value};
    return retry_delay_ms(&world, cause, tries, asked_ms);
}

Test(retry, costs_fourteen_tokens_or_five_when_throttled)
{
    struct retry_bucket bucket = {RETRY_TOKENS};
    int taken = 0;
    cr_assert(retry_take(&bucket, RETRY_TRANSIENT, &taken));
    cr_assert_eq(taken, 14);
    cr_assert_eq(bucket.tokens, 486);
    cr_assert(retry_take(&bucket, RETRY_THROTTLED, &taken));
    cr_assert_eq(taken, 5);
    cr_assert_eq(bucket.tokens, 481);
}

Test(retry, is_over_when_the_bucket_is_empty_and_comes_back_with_successes)
{
    struct retry_bucket bucket = {RETRY_TOKENS};
    int taken = 0;
    int retries = 0;
    while (retry_take(&bucket, RETRY_TRANSIENT, &taken))
        retries++;
    cr_assert_eq(retries, 35);
    cr_assert_eq(bucket.tokens, 10);
    taken = 0;
    cr_assert_not(retry_take(&bucket, RETRY_TRANSIENT, &taken));
    cr_assert_eq(taken, 0);
    cr_assert_eq(bucket.tokens, 10);
    for (int i = 0; i < 4; i++)
        retry_give(&bucket, 0);
    cr_assert(retry_take(&bucket, RETRY_TRANSIENT, &taken));
    retry_give(&bucket, taken);
    cr_assert_eq(bucket.tokens, 14);
}

Test(retry, bucket_never_holds_more_than_it_began_with)
{
    struct retry_bucket bucket = {RETRY_TOKENS - 1};
    retry_give(&bucket, 14);
    cr_assert_eq(bucket.tokens, RETRY_TOKENS);
    retry_give(&bucket, 0);
    cr_assert_eq(bucket.tokens, RETRY_TOKENS);
}

Test(retry, delay_doubles_from_fifty_ms_or_a_second_up_to_twenty_seconds)
{
    static const struct {
        enum retry_cause cause;
        int tries;
        int64_t most;
    } cases[] = {
        {RETRY_TRANSIENT, 1, 50},     {RETRY_TRANSIENT, 2, 100},
        {RETRY_TRANSIENT, 9, 12800},  {RETRY_TRANSIENT, 10, 20000},
        {RETRY_TRANSIENT, 99, 20000}, {RETRY_THROTTLED, 1, 1000},
        {RETRY_THROTTLED, 2, 2000},   {RETRY_THROTTLED, 5, 16000},
        {RETRY_THROTTLED, 6, 20000},  {RETRY_THROTTLED, 1000000, 20000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int64_t most = cases[i].most;
        cr_assert_eq(delay(cases[i].cause, cases[i].tries, -1, 0), 0, "case %zu", i);
        cr_assert_eq(delay(cases[i].cause, cases[i].tries, -1, (uint64_t)most), most, "case %zu",
                     i);
        cr_assert_eq(delay(cases[i].cause, cases[i].tries, -1, (uint64_t)most + 1), 0, "case %zu",
                     i);
    }
}

Test(retry, delay_is_what_the_server_asks_for_but_neither_less_nor_five_seconds_more)
{
    cr_assert_eq(delay(RETRY_TRANSIENT, 1, 30, 40), 40);
    cr_assert_eq(delay(RETRY_TRANSIENT, 1, 0, 40), 40);
    cr_assert_eq(delay(RETRY_TRANSIENT, 1, 3000, 40), 3000);
    cr_assert_eq(delay(RETRY_TRANSIENT, 1, 5040, 40), 5040);
    cr_assert_eq(delay(RETRY_TRANSIENT, 1, 5041, 40), 5040);
    cr_assert_eq(delay(RETRY_TRANSIENT, 1, INT64_MAX, 40), 5040);
}
