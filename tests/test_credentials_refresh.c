/* When credentials are fetched again, who is told what meanwhile, and who is not told any more. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "aws_fixture.h"
#include "credentials.h"
#include "timestamp.h"

enum { MINUTE = 60 * 1000 };

/* The next answer of the container's endpoint: a set that lives so long from now. */
static void will_give(struct bench *bench, const char *name, int64_t life_ms)
{
    struct buf body AUTO(buf_release) = {0};
    char ends[TIMESTAMP_SIZE];
    timestamp_format((bench->wall_ms + life_ms) / 1000, ends);
    buf_printf(&body, "{\"AccessKeyId\":\"%s\",\"SecretAccessKey\":\"s\",\"Expiration\":\"%s\"}",
               name, ends);
    peer_answer(&bench->peer, 200, "", buf_text(&body));
}

static void start(struct bench *bench, int64_t life_ms)
{
    bench_start(bench);
    bench_set("AWS_CONTAINER_CREDENTIALS_FULL_URI", "%s/", bench->peer.url);
    will_give(bench, "FIRST", life_ms);
    bench_open(bench);
    cr_assert_str_eq(bench_credentials(bench).access_key, "FIRST");
}

/* Told at once: nothing has happened in between. */
static void get(struct bench *bench, struct told *told)
{
    *told = (struct told){0};
    credentials_get(account_credentials(bench->account), told_it, told);
}

static void will_fail(struct bench *bench)
{
    peer_answer(&bench->peer, 404, "", "");
}

Test(refresh, begins_a_quarter_of_an_hour_ahead_and_nobody_waits_for_it)
{
    struct bench bench;
    struct told told;
    start(&bench, 360 * MINUTE);
    bench_pass(&bench, 344 * MINUTE);
    get(&bench, &told);
    bench_settle(&bench);
    cr_assert_eq(bench.peer.request_count, 1);
    bench_pass(&bench, 2 * MINUTE);
    will_give(&bench, "SECOND", 360 * MINUTE);
    get(&bench, &told);
    cr_assert_str_eq(told.access_key, "FIRST");
    bench_settle(&bench);
    cr_assert_eq(bench.peer.request_count, 2);
    get(&bench, &told);
    cr_assert_str_eq(told.access_key, "SECOND");
    bench_finish(&bench);
}

Test(refresh, is_waited_for_in_the_last_ten_minutes)
{
    struct bench bench;
    struct told told;
    start(&bench, 360 * MINUTE);
    bench_pass(&bench, 351 * MINUTE);
    will_give(&bench, "SECOND", 360 * MINUTE);
    get(&bench, &told);
    cr_assert_not(told.done);
    bench_settle(&bench);
    cr_assert_str_eq(told.access_key, "SECOND");
    bench_finish(&bench);
}

/* Forty minutes: a quarter is ten, an eighth five. */
Test(refresh, of_those_that_live_shorter_begins_with_their_last_quarter)
{
    struct bench bench;
    struct told told;
    start(&bench, 40 * MINUTE);
    bench_pass(&bench, 29 * MINUTE);
    get(&bench, &told);
    bench_settle(&bench);
    cr_assert_eq(bench.peer.request_count, 1);
    bench_pass(&bench, 2 * MINUTE);
    get(&bench, &told);
    cr_assert(told.done);
    bench_until_requests(&bench, 2);
    will_fail(&bench);
    bench_finish(&bench);
}

Test(refresh, that_fails_ahead_of_time_is_tried_again_after_ten_seconds)
{
    struct bench bench;
    struct told told;
    start(&bench, 360 * MINUTE);
    bench_pass(&bench, 346 * MINUTE);
    will_fail(&bench);
    get(&bench, &told);
    bench_settle(&bench);
    get(&bench, &told);
    bench_settle(&bench);
    cr_assert_eq(bench.peer.request_count, 2);
    bench_pass(&bench, 10 * 1000);
    will_give(&bench, "SECOND", 360 * MINUTE);
    get(&bench, &told);
    cr_assert_str_eq(told.access_key, "FIRST");
    bench_settle(&bench);
    get(&bench, &told);
    cr_assert_str_eq(told.access_key, "SECOND");
    bench_finish(&bench);
}

Test(refresh, that_fails_in_the_last_minutes_leaves_the_old_set_until_it_ends)
{
    struct bench bench;
    struct told told;
    start(&bench, 360 * MINUTE);
    bench_pass(&bench, 355 * MINUTE);
    will_fail(&bench);
    get(&bench, &told);
    bench_settle(&bench);
    cr_assert_str_eq(told.access_key, "FIRST");
    get(&bench, &told);
    cr_assert(told.done, "asked again at once");
    cr_assert_eq(bench.peer.request_count, 2);
    bench_pass(&bench, 6 * MINUTE);
    will_fail(&bench);
    get(&bench, &told);
    bench_settle(&bench);
    cr_assert_eq(told.failure.kind, ERROR_CONFIGURATION);
    cr_assert(strstr(told.failure.text, "answered 404"), "%s", told.failure.text);
    will_give(&bench, "SECOND", 360 * MINUTE);
    get(&bench, &told);
    bench_settle(&bench);
    cr_assert_str_eq(told.access_key, "SECOND");
    bench_finish(&bench);
}

Test(refresh, follows_a_refusal_at_once_and_the_refused_are_not_given_again)
{
    struct bench bench;
    struct told told;
    start(&bench, 360 * MINUTE);
    credentials_refused(account_credentials(bench.account), bench.ticks_ms);
    will_fail(&bench);
    get(&bench, &told);
    cr_assert_not(told.done);
    bench_settle(&bench);
    cr_assert(told.failure.kind);
    will_give(&bench, "SECOND", 360 * MINUTE);
    get(&bench, &told);
    bench_settle(&bench);
    cr_assert_str_eq(told.access_key, "SECOND");
    bench_finish(&bench);
}

/* Ten calls that were on their way are refused one by one, after the first has had others fetched.
 */
Test(refresh, does_not_follow_the_refusal_of_a_set_that_has_been_replaced)
{
    struct bench bench;
    struct told told;
    start(&bench, 360 * MINUTE);
    const int64_t used_ms = bench.ticks_ms;
    bench_pass(&bench, 1000);
    credentials_refused(account_credentials(bench.account), used_ms);
    will_give(&bench, "SECOND", 360 * MINUTE);
    get(&bench, &told);
    bench_settle(&bench);
    credentials_refused(account_credentials(bench.account), used_ms);
    get(&bench, &told);
    cr_assert_str_eq(told.access_key, "SECOND");
    cr_assert_eq(bench.peer.request_count, 2);
    bench_finish(&bench);
}

/* --- those who wait --- */

static void start_empty(struct bench *bench)
{
    bench_start(bench);
    bench_set("AWS_CONTAINER_CREDENTIALS_FULL_URI", "%s/", bench->peer.url);
    bench_open(bench);
}

Test(waiting, all_who_wait_are_told_by_one_search_in_their_order)
{
    struct bench bench;
    struct told told[3];
    start_empty(&bench);
    for (int i = 0; i < 3; i++)
        get(&bench, &told[i]);
    will_give(&bench, "FIRST", 360 * MINUTE);
    bench_settle(&bench);
    for (int i = 0; i < 3; i++)
        cr_assert_str_eq(told[i].access_key, "FIRST");
    cr_assert_eq(bench.peer.request_count, 1);
    bench_finish(&bench);
}

Test(waiting, who_has_gone_is_not_told)
{
    struct bench bench;
    struct told told[2];
    start_empty(&bench);
    get(&bench, &told[0]);
    get(&bench, &told[1]);
    credentials_forget(account_credentials(bench.account), &told[0]);
    will_give(&bench, "FIRST", 360 * MINUTE);
    bench_settle(&bench);
    cr_assert_eq(told[0].count, 0);
    cr_assert_eq(told[1].count, 1);
    bench_finish(&bench);
}

struct meddler {
    struct told told;
    struct bench *bench;
    struct told *other; /* sent away when this one is told */
    struct told again;  /* asks again when this one is told */
};

static void meddle(void *context, const struct credentials *credentials,
                   const struct error *failure)
{
    struct meddler *meddler = context;
    struct credentials_chain *chain = account_credentials(meddler->bench->account);
    told_it(&meddler->told, credentials, failure);
    if (meddler->other)
        credentials_forget(chain, meddler->other);
    credentials_get(chain, told_it, &meddler->again);
}

Test(waiting, who_is_told_may_send_another_away_and_ask_again)
{
    struct bench bench;
    struct told other;
    struct meddler meddler = {.bench = &bench, .other = &other};
    start_empty(&bench);
    credentials_get(account_credentials(bench.account), meddle, &meddler);
    get(&bench, &other);
    will_give(&bench, "FIRST", 360 * MINUTE);
    bench_settle(&bench);
    cr_assert_eq(meddler.told.count, 1);
    cr_assert_eq(other.count, 0);
    cr_assert_eq(meddler.again.count, 1);
    bench_finish(&bench);
}

/* The second search fails at once and tells those whom the first has not told yet. */
Test(waiting, who_is_told_of_a_failure_may_ask_again)
{
    struct bench bench;
    struct told other;
    struct meddler meddler = {.bench = &bench};
    bench_start(&bench);
    bench_set("AWS_EC2_METADATA_SERVICE_ENDPOINT", "%s", bench.peer.url);
    bench_open(&bench);
    peer_answer(&bench.peer, 403, "", "");
    peer_answer(&bench.peer, 403, "", "");
    credentials_get(account_credentials(bench.account), meddle, &meddler);
    get(&bench, &other);
    bench_settle(&bench);
    cr_assert_eq(meddler.told.count, 1);
    cr_assert_eq(other.count, 1);
    cr_assert_eq(meddler.again.count, 1);
    cr_assert_eq(bench.peer.request_count, 2);
    bench_finish(&bench);
}

Test(waiting, all_who_wait_are_told_when_the_chain_is_freed)
{
    struct bench bench;
    struct told told[2];
    start_empty(&bench);
    get(&bench, &told[0]);
    get(&bench, &told[1]);
    bench_until_requests(&bench, 1);
    bench_finish(&bench);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(told[i].count, 1);
        cr_assert_eq(told[i].failure.kind, ERROR_UNAVAILABLE);
        cr_assert_str_eq(told[i].failure.text, "stopped");
    }
}

Test(waiting, the_chain_may_be_freed_between_two_tries)
{
    struct bench bench;
    struct told told;
    start_empty(&bench);
    get(&bench, &told);
    peer_answer(&bench.peer, 500, "", "");
    bench_settle(&bench);
    cr_assert_not(told.done);
    bench_finish(&bench);
    cr_assert_eq(told.count, 1);
}
