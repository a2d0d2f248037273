/* The publisher in trouble: refusals, outages, a crash, a store that fails. */
#include "publisher.h"

#include <criterion/criterion.h>
#include <string.h>

#include "publisher_bench.h"

static struct outlet outlet;

static void set_up(void)
{
    outlet_open(&outlet);
}

static void tear_down(void)
{
    outlet_close(&outlet);
}

TestSuite(publisher_troubles, .init = set_up, .fini = tear_down);

/* Expects a wait in [full/2, full], and passes it. */
static void expect_wait(int64_t delay, int64_t full)
{
    cr_assert(delay >= full / 2 && delay <= full, "waits %lld ms, not %lld", (long long)delay,
              (long long)full);
    bench_pass(&outlet.bench, delay - 1);
    (void)outlet_settle(&outlet);
    cr_assert_null(outlet_sending(&outlet), "sent too early");
    bench_pass(&outlet.bench, 1);
    (void)outlet_settle(&outlet);
    cr_assert(outlet_sending(&outlet), "not sent after the wait");
}

Test(publisher_troubles, a_crash_before_the_note_sends_again_under_the_same_event_id)
{
    outlet_add(&outlet, "b", "e1", EVENT_BOOKING_CONFIRMED);
    (void)outlet_settle(&outlet);
    fake_answer(outlet_sending(&outlet), ERROR_NONE);
    struct outlet after;
    outlet_open_copy(&after, &outlet);
    (void)outlet_settle(&after);
    const struct fake_call *again = outlet_sending(&after);
    cr_assert(again, "lost");
    cr_expect_str_eq(outlet_event(again, 0), "e1");
    outlet_close(&after);
}

Test(publisher_troubles, a_row_refused_for_good_is_parked_and_its_followers_go_on)
{
    static const enum error_kind KINDS[] = {ERROR_INVALID, ERROR_TOO_LARGE};
    static const char *const BOOKINGS[] = {"one", "two"};
    for (size_t i = 0; i < 2; i++) {
        outlet_add(&outlet, BOOKINGS[i], "e1", EVENT_BOOKING_CREATED);
        outlet_add(&outlet, BOOKINGS[i], "e2", EVENT_BOOKING_CANCELLED);
        (void)outlet_settle(&outlet);
        fake_answer(outlet_sending(&outlet), KINDS[i]);
        cr_expect_eq(outlet_settle(&outlet), -1);
        cr_assert(outlet_sending(&outlet));
        cr_expect_str_eq(outlet_event(outlet_sending(&outlet), 0), "e2");
        fake_answer(outlet_sending(&outlet), ERROR_NONE);
        (void)outlet_settle(&outlet);
    }
    cr_expect_null(outlet_sending(&outlet));
    cr_expect_eq(publisher_state(outlet.publisher).parked, 2);
    cr_expect_not(publisher_state(outlet.publisher).queue_down);
    cr_expect_eq(bench_number(&outlet.bench, "SELECT count(*) FROM outbox WHERE parked = 1"), 2);
    char reason[512];
    bench_text(&outlet.bench, "SELECT max(reason) FROM audit WHERE event = 'PUBLISH_PARKED'",
               reason);
    cr_expect_str_eq(reason, "scripted");
}

Test(publisher_troubles, an_entry_that_failed_is_sent_again_alone_after_a_growing_wait)
{
    outlet_add(&outlet, "a", "a1", EVENT_BOOKING_CREATED);
    outlet_add(&outlet, "b", "b1", EVENT_BOOKING_CREATED);
    (void)outlet_settle(&outlet);
    fake_answer_but(outlet_sending(&outlet), 1, ERROR_UNAVAILABLE);
    expect_wait(outlet_settle(&outlet), 100);
    cr_assert_eq(outlet_sending(&outlet)->count, 1);
    cr_expect_str_eq(outlet_event(outlet_sending(&outlet), 0), "b1");
    for (int64_t full = 200; full <= 800; full *= 2) {
        fake_answer(outlet_sending(&outlet), ERROR_FORBIDDEN);
        expect_wait(outlet_settle(&outlet), full);
    }
    fake_answer(outlet_sending(&outlet), ERROR_NONE);
    (void)outlet_settle(&outlet);
    const struct publisher_state state = publisher_state(outlet.publisher);
    cr_expect_eq(state.sent, 2);
    cr_expect_eq(state.failed, 4);
    cr_expect_not(state.queue_down);
    cr_expect_eq(outlet_unsent(&outlet), 0);
}

Test(publisher_troubles, a_queue_that_is_down_is_left_alone_for_longer_and_longer)
{
    static const int64_t WAITS[] = {100, 200, 400, 800, 1600, 3200, 5000, 5000};
    outlet_add(&outlet, "a", "a1", EVENT_BOOKING_CREATED);
    (void)outlet_settle(&outlet);
    for (size_t i = 0; i < sizeof WAITS / sizeof WAITS[0]; i++) {
        fake_fail(outlet_sending(&outlet), ERROR_UNAVAILABLE, "connection refused");
        const int64_t delay = outlet_settle(&outlet);
        cr_expect(publisher_state(outlet.publisher).queue_down);
        cr_expect_str_eq(publisher_state(outlet.publisher).reason, "connection refused");
        expect_wait(delay, WAITS[i]);
    }
    const int64_t up_ms = outlet.bench.wall_ms;
    fake_answer(outlet_sending(&outlet), ERROR_NONE);
    (void)outlet_settle(&outlet);
    const struct publisher_state state = publisher_state(outlet.publisher);
    cr_expect_not(state.queue_down, "the first success ends it");
    cr_expect_eq(state.since_ms, up_ms);
    cr_expect_str_eq(state.reason, "");
    cr_expect_eq(state.failed, 8);

    outlet_add(&outlet, "b", "b1", EVENT_BOOKING_CREATED);
    (void)outlet_settle(&outlet);
    fake_fail(outlet_sending(&outlet), ERROR_UNAVAILABLE, "connection refused");
    expect_wait(outlet_settle(&outlet), 100);
}

Test(publisher_troubles, an_outage_writes_each_row_once_and_asks_with_one_call)
{
    outlet_add_many(&outlet, 100);
    (void)outlet_settle(&outlet);
    cr_assert_eq(fake_open_count(outlet.bench.fake, FAKE_SEND), 8);
    while (outlet_sending(&outlet))
        fake_fail(outlet_sending(&outlet), ERROR_UNAVAILABLE, "down");
    int64_t delay = outlet_settle(&outlet);
    cr_expect(delay >= 50 && delay <= 100, "eight failures at once are one: %lld",
              (long long)delay);
    for (int i = 0; i < 20; i++) {
        bench_pass(&outlet.bench, 5000);
        (void)outlet_settle(&outlet);
        cr_assert_eq(fake_open_count(outlet.bench.fake, FAKE_SEND), 1);
        fake_fail(outlet_sending(&outlet), ERROR_UNAVAILABLE, "down");
    }
    (void)outlet_settle(&outlet);
    cr_expect_eq(bench_number(&outlet.bench, "SELECT max(attempts) FROM outbox"), 1);
    const struct writer_counters counters = writer_counters(outlet.bench.writer);
    cr_expect(counters.operations <= 200, "%lld writes", (long long)counters.operations);
    cr_expect_eq(bench_number(&outlet.bench,
                              "SELECT max(n) FROM (SELECT count(*) AS n FROM audit WHERE event ="
                              " 'PUBLISH_FAILED' GROUP BY event_id)"),
                 1);

    bench_pass(&outlet.bench, 5000);
    for ((void)outlet_settle(&outlet); outlet_sending(&outlet); (void)outlet_settle(&outlet))
        fake_answer(outlet_sending(&outlet), ERROR_NONE);
    cr_expect_eq(outlet_unsent(&outlet), 0);
    cr_expect_eq(publisher_state(outlet.publisher).sent, 100);
}

Test(publisher_troubles, a_batch_too_large_for_its_queue_is_sent_one_by_one)
{
    outlet_add_many(&outlet, 3);
    (void)outlet_settle(&outlet);
    cr_assert_eq(outlet_sending(&outlet)->count, 3);
    fake_fail(outlet_sending(&outlet), ERROR_TOO_LARGE, "batch of 3");
    (void)outlet_settle(&outlet);
    cr_assert_eq(fake_open_count(outlet.bench.fake, FAKE_SEND), 3);
    fake_fail(outlet_sending(&outlet), ERROR_TOO_LARGE, "one");
    while (outlet_sending(&outlet))
        fake_answer(outlet_sending(&outlet), ERROR_NONE);
    (void)outlet_settle(&outlet);
    cr_expect_eq(publisher_state(outlet.publisher).parked, 1);
    cr_expect_eq(publisher_state(outlet.publisher).sent, 2);
    cr_expect_not(publisher_state(outlet.publisher).queue_down);
}

Test(publisher_troubles, a_note_that_the_store_refuses_is_repeated_and_the_row_is_not)
{
    outlet_add(&outlet, "a", "a1", EVENT_BOOKING_CREATED);
    outlet_add(&outlet, "a", "a2", EVENT_BOOKING_CANCELLED);
    (void)outlet_settle(&outlet);
    bench_run(&outlet.bench, "CREATE TRIGGER full BEFORE DELETE ON outbox BEGIN"
                             " SELECT RAISE(ABORT, 'disk full'); END");
    fake_answer(outlet_sending(&outlet), ERROR_NONE);
    int64_t delay = outlet_settle(&outlet);
    for (int i = 0; i < 10; i++) {
        cr_assert(delay > 0 && delay <= 5000, "waits %lld", (long long)delay);
        cr_expect_not(publisher_idle(outlet.publisher));
        bench_pass(&outlet.bench, delay);
        delay = outlet_settle(&outlet);
    }
    cr_expect_eq(outlet.bench.fake->count, 1, "sent again");
    publisher_drain(outlet.publisher);
    bench_run(&outlet.bench, "DROP TRIGGER full");
    bench_pass(&outlet.bench, delay);
    cr_expect_eq(outlet_settle(&outlet), -1);
    cr_expect(publisher_idle(outlet.publisher));
    cr_expect_eq(outlet_unsent(&outlet), 1, "the follower stays, as it drains");
}

Test(publisher_troubles, an_outbox_that_cannot_be_read_is_tried_again)
{
    bench_run(&outlet.bench, "ALTER TABLE outbox RENAME TO away");
    cr_expect_eq(outlet_settle(&outlet), 1000);
    cr_expect(strstr(publisher_state(outlet.publisher).reason, "outbox"), "%s",
              publisher_state(outlet.publisher).reason);
    bench_run(&outlet.bench, "ALTER TABLE away RENAME TO outbox");
    outlet_add(&outlet, "a", "a1", EVENT_BOOKING_CREATED);
    bench_pass(&outlet.bench, 1000);
    (void)outlet_settle(&outlet);
    cr_assert(outlet_sending(&outlet));
    cr_expect_str_eq(publisher_state(outlet.publisher).reason, "");
}
