/* The notifier: in which order notices go out, and what becomes of those that fail. */
#include "notifier.h"

#include <criterion/criterion.h>
#include <string.h>

#include "notice_fixture.h"

enum {
    MAIL = 1U << CHANNEL_MAIL,
    WEBHOOK = 1U << CHANNEL_WEBHOOK,
    SECOND_MS = 1000,
    HOUR_MS = 3600 * 1000
};

static const struct send_answer TAKEN = {.outcome = SEND_TAKEN};
static const struct send_answer BUSY = {.outcome = SEND_UNTAKEN, .reason = "busy"};
static const struct send_answer DOWN = {.outcome = SEND_DOUBTFUL, .down = true, .reason = "away"};
static const struct send_answer REFUSED = {.outcome = SEND_REFUSED, .reason = "never"};
static const struct send_answer GONE = {.outcome = SEND_GONE, .reason = "gone"};

/* The oldest send tells of this: "confirmed_user_mail". */
static void expect_sending(struct notice_bench *bench, enum notice_channel channel,
                           const char *expected)
{
    const struct fake_send *send = notice_bench_sending(bench, channel);
    cr_assert(send, "%s is on its way", expected);
    cr_expect_str_eq(strchr(send->letter.notice.id, '_') + 1, expected);
}

static void expect_nothing_sent(struct notice_bench *bench, enum notice_channel channel,
                                const char *when)
{
    cr_expect_null(notice_bench_sending(bench, channel), "%s", when);
}

static size_t sends(const struct notice_bench *bench, enum notice_channel channel)
{
    return bench->fakes[channel].count;
}

static int64_t count(struct notice_bench *bench, const char *sql)
{
    return notice_bench_number(bench, sql);
}

Test(notifier, a_notice_is_sent_once_and_noted)
{
    struct notice_bench bench;
    notice_bench_open(&bench, MAIL);
    notice_bench_book(&bench);
    (void)notice_bench_settle(&bench);
    expect_sending(&bench, CHANNEL_MAIL, "pending_provider_mail");
    cr_expect_eq(count(&bench, "SELECT doubts FROM notices"), 1, "it is noted before it goes out");
    notice_bench_answer(&bench, CHANNEL_MAIL, &TAKEN);
    (void)notice_bench_settle(&bench);
    notice_bench_pass(&bench, HOUR_MS);
    (void)notice_bench_settle(&bench);
    cr_expect_eq(sends(&bench, CHANNEL_MAIL), 1);
    cr_expect_eq(count(&bench, "SELECT state FROM notices"), NOTICE_SENT);
    cr_expect_eq(notifier_state(bench.notifier).sent, 1);
    notice_bench_close(&bench);
}

Test(notifier, a_newer_notice_waits_for_the_one_on_its_way)
{
    struct notice_bench bench;
    notice_bench_open(&bench, MAIL);
    notice_bench_put_user(&bench, "zoe@example.org", "");
    notice_bench_book(&bench);
    notice_bench_hear(&bench, EVENT_BOOKING_CONFIRMED);
    (void)notice_bench_settle(&bench);
    expect_sending(&bench, CHANNEL_MAIL, "confirmed_user_mail");
    notice_bench_cancel(&bench, NULL);
    (void)notice_bench_settle(&bench);
    cr_expect_eq(sends(&bench, CHANNEL_MAIL), 2, "the provider's, and not the user's");
    notice_bench_answer(&bench, CHANNEL_MAIL, &TAKEN); /* the invitation */
    (void)notice_bench_settle(&bench);
    cr_expect_eq(sends(&bench, CHANNEL_MAIL), 3);
    const struct fake_send *last = &bench.fakes[CHANNEL_MAIL].sends[2];
    cr_expect_str_eq(strchr(last->letter.notice.id, '_') + 1, "cancelled_user_mail");
    cr_expect(last->letter.invited);
    notice_bench_close(&bench);
}

Test(notifier, what_failed_and_was_superseded_is_not_sent_again)
{
    struct notice_bench bench;
    notice_bench_open(&bench, WEBHOOK);
    notice_bench_book(&bench);
    (void)notice_bench_settle(&bench);
    notice_bench_hear(&bench, EVENT_BOOKING_CONFIRMED);
    notice_bench_answer(&bench, CHANNEL_WEBHOOK, &BUSY);
    (void)notice_bench_settle(&bench);
    expect_sending(&bench, CHANNEL_WEBHOOK, "confirmed_endpoint_webhook");
    notice_bench_answer(&bench, CHANNEL_WEBHOOK, &TAKEN);
    notice_bench_pass(&bench, HOUR_MS);
    (void)notice_bench_settle(&bench);
    cr_expect_eq(sends(&bench, CHANNEL_WEBHOOK), 2);
    notice_bench_close(&bench);
}

/* Fails the oldest send and returns after how many ms, to a tenth, it is sent again. */
static int64_t delay_after_failure(struct notice_bench *bench, enum notice_channel channel,
                                   const struct send_answer *answer)
{
    const size_t before = sends(bench, channel);
    int64_t waited = 0;
    notice_bench_answer(bench, channel, answer);
    while (sends(bench, channel) == before) {
        const int64_t delay = notice_bench_settle(bench);
        if (sends(bench, channel) > before)
            break;
        cr_assert_geq(delay, 0, "it wants to be called again");
        notice_bench_pass(bench, delay > 0 ? delay : 1);
        waited += delay > 0 ? delay : 1;
    }
    return waited;
}

Test(notifier, a_failure_is_tried_again_later_and_later)
{
    static const struct {
        enum notice_channel channel;
        int64_t low_ms, high_ms;
    } cases[] = {
        {CHANNEL_MAIL, 1000, 2000},
        {CHANNEL_MAIL, 2000, 4000},
        {CHANNEL_MAIL, 4000, 8000},
        {CHANNEL_WEBHOOK, 5000, 5500},
        {CHANNEL_WEBHOOK, 300000, 330000},
        {CHANNEL_WEBHOOK, 1800000, 1980000},
        {CHANNEL_WEBHOOK, 7200000, 7920000},
        {CHANNEL_WEBHOOK, 18000000, 19800000},
        {CHANNEL_WEBHOOK, 36000000, 39600000},
    };
    struct notice_bench bench;
    notice_bench_open(&bench, MAIL | WEBHOOK);
    notice_bench_book(&bench);
    (void)notice_bench_settle(&bench);
    enum notice_channel before = CHANNEL_MAIL;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (cases[i].channel != before)
            notice_bench_answer(&bench, before, &TAKEN);
        before = cases[i].channel;
        const int64_t waited = delay_after_failure(&bench, cases[i].channel, &BUSY);
        cr_expect(waited >= cases[i].low_ms && waited <= cases[i].high_ms, "case %zu: %lld ms", i,
                  (long long)waited);
    }
    cr_expect_eq(count(&bench, "SELECT count(*) FROM audit WHERE event = 'NOTICE_FAILED'"), 2);
    notice_bench_close(&bench);
}

Test(notifier, what_the_far_side_asks_for_is_waited)
{
    struct notice_bench bench;
    const struct send_answer asks = {
        .outcome = SEND_UNTAKEN, .down = true, .wait_ms = 90 * SECOND_MS, .reason = "later"};
    notice_bench_open(&bench, WEBHOOK);
    notice_bench_book(&bench);
    (void)notice_bench_settle(&bench);
    cr_expect_geq(delay_after_failure(&bench, CHANNEL_WEBHOOK, &asks), 90 * SECOND_MS);
    notice_bench_close(&bench);
}

Test(notifier, it_gives_up_after_a_day)
{
    struct notice_bench bench;
    notice_bench_open(&bench, WEBHOOK);
    notice_bench_book(&bench);
    int64_t tried_ms = 0;
    while (count(&bench, "SELECT count(*) FROM notices WHERE state = 0") > 0) {
        const int64_t delay = notice_bench_settle(&bench);
        if (notice_bench_sending(&bench, CHANNEL_WEBHOOK)) {
            tried_ms = bench.wall_ms - BENCH_NOW_MS;
            notice_bench_answer(&bench, CHANNEL_WEBHOOK, &BUSY);
        } else {
            notice_bench_pass(&bench, delay > 0 ? delay : 1);
        }
        cr_assert_lt(bench.wall_ms, BENCH_NOW_MS + 25 * HOUR_MS);
    }
    cr_expect(tried_ms > 23 * HOUR_MS && tried_ms < 24 * HOUR_MS, "the last try: %lld ms",
              (long long)tried_ms);
    cr_expect_eq(count(&bench, "SELECT count(*) FROM audit WHERE event = 'NOTICE_GIVEN_UP'"), 1);
    cr_expect_eq(notifier_state(bench.notifier).given_up, 1);
    notice_bench_close(&bench);
}

Test(notifier, a_channel_that_is_down_is_asked_by_one_and_holds_up_no_other)
{
    struct notice_bench bench;
    notice_bench_open(&bench, MAIL | WEBHOOK);
    notice_bench_book(&bench);
    (void)notice_bench_settle(&bench);
    notice_bench_answer(&bench, CHANNEL_WEBHOOK, &DOWN);
    for (int i = 0; i < 3; i++)
        notice_bench_book(&bench);
    (void)notice_bench_settle(&bench);
    expect_nothing_sent(&bench, CHANNEL_WEBHOOK, "while it is left alone");
    cr_expect_eq(sends(&bench, CHANNEL_MAIL), 4);
    cr_expect_eq(notifier_state(bench.notifier).down, 1);
    cr_expect_str_eq(notifier_state(bench.notifier).channel, "webhook");
    notice_bench_pass(&bench, 200);
    (void)notice_bench_settle(&bench);
    cr_expect_eq(sends(&bench, CHANNEL_WEBHOOK), 2, "one asks whether it is back");
    notice_bench_answer(&bench, CHANNEL_WEBHOOK, &TAKEN);
    (void)notice_bench_settle(&bench);
    cr_expect_eq(sends(&bench, CHANNEL_WEBHOOK), 4, "then all others go");
    cr_expect_eq(notifier_state(bench.notifier).down, 0);
    notice_bench_close(&bench);
}

Test(notifier, a_few_are_on_their_way_at_a_time)
{
    struct notice_bench bench;
    notice_bench_open(&bench, WEBHOOK);
    for (int i = 0; i < 20; i++)
        notice_bench_book(&bench);
    for (size_t done = 0; done < 20; done++) {
        (void)notice_bench_settle(&bench);
        cr_assert_eq(sends(&bench, CHANNEL_WEBHOOK), done + 4 < 20 ? done + 4 : 20);
        notice_bench_answer(&bench, CHANNEL_WEBHOOK, &TAKEN);
    }
    (void)notice_bench_settle(&bench);
    cr_expect_eq(count(&bench, "SELECT count(*) FROM notices WHERE state = 1"), 20);
    notice_bench_close(&bench);
}

Test(notifier, a_refusal_is_final_and_harms_nobody_else)
{
    struct notice_bench bench;
    notice_bench_open(&bench, MAIL);
    notice_bench_book(&bench);
    (void)notice_bench_settle(&bench);
    notice_bench_answer(&bench, CHANNEL_MAIL, &REFUSED);
    notice_bench_book(&bench);
    (void)notice_bench_settle(&bench);
    cr_expect_eq(sends(&bench, CHANNEL_MAIL), 2);
    cr_expect_eq(count(&bench, "SELECT count(*) FROM notices WHERE state = 3"), 1);
    bench.fakes[CHANNEL_MAIL].refuses = true;
    notice_bench_book(&bench);
    (void)notice_bench_settle(&bench);
    cr_expect_eq(count(&bench, "SELECT count(*) FROM audit WHERE event = 'NOTICE_GIVEN_UP' AND"
                               " reason LIKE '%there is no address any more'"),
                 1);
    notice_bench_close(&bench);
}

Test(notifier, gone_stops_the_channel_until_a_restart)
{
    struct notice_bench bench;
    notice_bench_open(&bench, WEBHOOK);
    notice_bench_book(&bench);
    (void)notice_bench_settle(&bench);
    notice_bench_answer(&bench, CHANNEL_WEBHOOK, &GONE);
    notice_bench_book(&bench);
    for (int i = 0; i < 20; i++) {
        (void)notice_bench_settle(&bench);
        notice_bench_pass(&bench, SECOND_MS);
    }
    cr_expect_eq(sends(&bench, CHANNEL_WEBHOOK), 1);
    cr_expect_eq(count(&bench, "SELECT count(*) FROM notices WHERE state = 3"), 1);
    notice_bench_restart(&bench, WEBHOOK);
    notice_bench_pass(&bench, HOUR_MS);
    (void)notice_bench_settle(&bench);
    expect_sending(&bench, CHANNEL_WEBHOOK, "pending_endpoint_webhook");
    notice_bench_close(&bench);
}

Test(notifier, what_was_on_its_way_at_a_crash_is_sent_again_under_its_id)
{
    struct notice_bench bench;
    char id[ID_SIZE];
    notice_bench_open(&bench, WEBHOOK);
    notice_bench_book(&bench);
    (void)notice_bench_settle(&bench);
    id_copy(id, notice_bench_sending(&bench, CHANNEL_WEBHOOK)->letter.notice.id);
    notice_bench_restart(&bench, WEBHOOK);
    (void)notice_bench_settle(&bench);
    cr_assert(notice_bench_sending(&bench, CHANNEL_WEBHOOK));
    cr_expect_str_eq(notice_bench_sending(&bench, CHANNEL_WEBHOOK)->letter.notice.id, id);
    notice_bench_close(&bench);
}

Test(notifier, an_answer_that_cannot_be_noted_is_noted_later_and_not_asked_for_again)
{
    struct notice_bench bench;
    notice_bench_open(&bench, WEBHOOK);
    notice_bench_book(&bench);
    (void)notice_bench_settle(&bench);
    notice_bench_run(&bench, "CREATE TRIGGER refuse BEFORE UPDATE ON notices BEGIN SELECT"
                             " raise(ABORT, 'no'); END");
    notice_bench_answer(&bench, CHANNEL_WEBHOOK, &TAKEN);
    for (int i = 0; i < 5; i++) {
        (void)notice_bench_settle(&bench);
        notice_bench_pass(&bench, 6 * SECOND_MS);
    }
    cr_expect_eq(count(&bench, "SELECT state FROM notices"), NOTICE_WAITING);
    notice_bench_run(&bench, "DROP TRIGGER refuse");
    (void)notice_bench_settle(&bench);
    cr_expect_eq(count(&bench, "SELECT state FROM notices"), NOTICE_SENT);
    cr_expect_eq(sends(&bench, CHANNEL_WEBHOOK), 1);
    notice_bench_close(&bench);
}

Test(notifier, a_channel_that_is_configured_no_more_is_told_in_the_history)
{
    struct notice_bench bench;
    notice_bench_open(&bench, WEBHOOK);
    notice_bench_book(&bench);
    notice_bench_restart(&bench, MAIL);
    (void)notice_bench_settle(&bench);
    cr_expect_eq(count(&bench, "SELECT count(*) FROM audit WHERE event = 'NOTICE_FAILED' AND"
                               " reason LIKE '%is not configured any more'"),
                 1);
    notice_bench_close(&bench);
}

Test(notifier, a_drain_waits_a_moment_for_what_is_on_its_way_and_begins_nothing)
{
    struct notice_bench bench;
    notice_bench_open(&bench, WEBHOOK);
    notice_bench_book(&bench);
    (void)notice_bench_settle(&bench);
    notifier_drain(bench.notifier);
    notice_bench_book(&bench);
    (void)notice_bench_settle(&bench);
    cr_expect_eq(sends(&bench, CHANNEL_WEBHOOK), 1);
    cr_expect_not(notifier_idle(bench.notifier));
    notice_bench_pass(&bench, 2001);
    cr_expect(notifier_idle(bench.notifier), "an answer that does not come ends no drain");
    notice_bench_close(&bench);
}
