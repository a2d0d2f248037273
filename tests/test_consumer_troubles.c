/* The consumer in trouble: crashes, a store or a queue that fails, a drain. */
#include "consumer.h"

#include <criterion/criterion.h>
#include <string.h>

#include "consumer_bench.h"

static struct stand stand;

static void set_up(void)
{
    stand_open(&stand, (struct consumer_options){0});
}

static void tear_down(void)
{
    stand_close(&stand);
}

TestSuite(consumer_troubles, .init = set_up, .fini = tear_down);

static void answer_delete(enum error_kind kind)
{
    fake_answer(stand_call(&stand, FAKE_DELETE), kind);
    (void)stand_settle(&stand);
}

static void close_polls(void)
{
    while (stand_call(&stand, FAKE_RECEIVE))
        fake_give(stand_call(&stand, FAKE_RECEIVE), NULL, 0);
}

/* Brings what was given to where its handler is about to run. */
static void begin(struct stand *on)
{
    (void)consumer_step(on->consumer);
    cr_assert_gt(writer_step(on->bench.writer), 0);
}

/* --- crashes --- */

Test(consumer_troubles, a_crash_is_counted_after_the_restart)
{
    stand_give_many(&stand, "m", 3, "ok");
    begin(&stand);
    struct stand after;
    stand_open_copy(&after, &stand);
    stand_give_many(&after, "m", 2, "ok");
    (void)consumer_step(after.consumer);
    cr_assert_eq(writer_step(after.bench.writer), 1);
    cr_expect_eq(bench_number(&after.bench, "SELECT sum(crashes) FROM attempts"), 2);
    cr_expect_eq(bench_number(&after.bench, "SELECT count(*) FROM attempts WHERE owner <> ''"), 1,
                 "only the third, which has not come yet, is left as it was");
    (void)writer_deliver(after.bench.writer);
    (void)stand_settle(&after);
    cr_expect_eq(bench_number(&after.bench, "SELECT count(*) FROM effect"), 2);
    stand_close(&after);
}

Test(consumer_troubles, suspects_are_handled_one_at_a_time_and_alone)
{
    bench_run(&stand.bench, "INSERT INTO attempts VALUES ('s1', '', 0, 1, 1), ('s2', '', 0, 2, 1)");
    stand_give(&stand, "s1", "s1", "first");
    stand_give(&stand, "s2", "s2", "second");
    (void)consumer_step(stand.consumer);
    (void)writer_step(stand.bench.writer);
    (void)writer_deliver(stand.bench.writer);
    (void)consumer_step(stand.consumer);
    stand_give_many(&stand, "m", 2, "other");
    for (;;) {
        (void)consumer_step(stand.consumer);
        const size_t ran = writer_step(stand.bench.writer);
        const int64_t running =
            bench_number(&stand.bench, "SELECT count(*) FROM attempts WHERE owner <> ''");
        const int64_t suspects = bench_number(
            &stand.bench, "SELECT count(*) FROM attempts WHERE owner <> '' AND crashes > 0");
        cr_assert(suspects == 0 || running == 1, "%lld run beside a suspect", (long long)running);
        (void)writer_deliver(stand.bench.writer);
        if (ran == 0)
            break;
    }
    cr_expect_str_eq(buf_text(&stand.handled), "first second other other ");
    cr_expect_eq(bench_number(&stand.bench, "SELECT count(*) FROM attempts"), 0);
}

Test(consumer_troubles, a_suspect_waits_for_what_runs_already)
{
    bench_run(&stand.bench, "INSERT INTO attempts VALUES ('s1', '', 0, 1, 1)");
    stand_give_many(&stand, "m", 2, "other");
    stand_give(&stand, "s1", "s1", "suspect");
    (void)consumer_step(stand.consumer);
    (void)writer_step(stand.bench.writer);
    cr_expect_eq(bench_number(&stand.bench, "SELECT count(*) FROM attempts WHERE owner <> ''"), 2);
    (void)writer_deliver(stand.bench.writer);
    (void)consumer_step(stand.consumer);
    cr_expect_eq(writer_pending(stand.bench.writer), 2, "the suspect began beside others");
    (void)stand_settle(&stand);
    cr_expect_str_eq(buf_text(&stand.handled), "other other suspect ");
}

Test(consumer_troubles, three_crashes_end_in_the_dead_letter_queue)
{
    struct stand worlds[3];
    struct stand *now = &stand;
    for (int crash = 0; crash < 3; crash++) {
        stand_give(now, "m1", "r1", "killer");
        begin(now);
        if (crash > 0) { /* the first commit only looked */
            (void)writer_deliver(now->bench.writer);
            begin(now);
        }
        stand_open_copy(&worlds[crash], now);
        now = &worlds[crash];
    }
    stand_give(now, "m1", "r1", "killer");
    (void)stand_settle(now);
    const struct fake_call *copy = stand_call(now, FAKE_DEAD_LETTER);
    cr_assert(copy);
    cr_expect_str_eq(fake_attribute(&copy->items[0], "DeadLetterReason"),
                     "crashed the worker 3 times");
    cr_expect_str_eq(fake_attribute(&copy->items[0], "DeadLetterAttempts"), "3");
    cr_expect_str_eq(buf_text(&now->handled), "", "handled a fourth time");
    for (int crash = 0; crash < 3; crash++)
        stand_close(&worlds[crash]);
}

/* --- the store --- */

Test(consumer_troubles, a_store_that_fails_costs_no_attempt_and_is_told)
{
    bench_run(&stand.bench, "CREATE TRIGGER full BEFORE INSERT ON attempts BEGIN"
                            " SELECT RAISE(ABORT, 'disk full'); END");
    stand_give(&stand, "m1", "r1", "ok");
    const int64_t delay = stand_settle(&stand);
    cr_expect(delay >= 50 && delay <= 100, "%lld", (long long)delay);
    cr_expect(strstr(stand_state(&stand).reason, "disk full"), "%s", stand_state(&stand).reason);
    cr_expect_not(stand_state(&stand).queue_down);
    bench_run(&stand.bench, "DROP TRIGGER full");
    (void)stand_pass(&stand, 100);
    cr_expect_eq(stand_state(&stand).applied, 1);
    cr_expect_eq(stand_state(&stand).failed, 0);
    cr_expect_str_eq(stand_state(&stand).reason, "");
}

Test(consumer_troubles, a_handler_whose_commit_fails_is_run_again_in_place)
{
    bench_run(&stand.bench, "CREATE TRIGGER full BEFORE DELETE ON attempts BEGIN"
                            " SELECT RAISE(ABORT, 'disk full'); END");
    stand_give(&stand, "m1", "r1", "ok");
    (void)stand_settle(&stand);
    cr_expect_eq(bench_number(&stand.bench, "SELECT count(*) FROM effect"), 0);
    cr_expect_null(stand_call(&stand, FAKE_DELETE), "deleted, but nothing is on disk");
    bench_run(&stand.bench, "DROP TRIGGER full");
    (void)stand_pass(&stand, 100);
    cr_expect_eq(bench_number(&stand.bench, "SELECT count(*) FROM effect"), 1);
    cr_assert(stand_call(&stand, FAKE_DELETE));
}

/* --- dead letters --- */

Test(consumer_troubles, a_dead_letter_that_does_not_get_away_is_kept_and_tried_again)
{
    stand_give_body(&stand, "m1", "not json");
    int64_t delay = stand_settle(&stand);
    for (int i = 0; i < 12; i++) {
        fake_fail(stand_call(&stand, FAKE_DEAD_LETTER), ERROR_UNAVAILABLE, "timeout");
        delay = stand_settle(&stand);
        cr_assert(delay > 0 && delay <= 5000, "%lld", (long long)delay);
        cr_assert_null(stand_call(&stand, FAKE_DEAD_LETTER));
        while (!stand_call(&stand, FAKE_DEAD_LETTER)) {
            if (stand_call(&stand, FAKE_VISIBILITY))
                fake_answer(stand_call(&stand, FAKE_VISIBILITY), ERROR_NONE);
            (void)stand_pass(&stand, 100);
        }
    }
    cr_expect_str_eq(stand_state(&stand).reason, "dead-letter queue: timeout");
    cr_expect_eq(fake_total(stand.bench.fake, FAKE_DELETE), 0);
    cr_expect_gt(fake_total(stand.bench.fake, FAKE_VISIBILITY), 0, "its lease was not renewed");
    fake_answer(stand_call(&stand, FAKE_DEAD_LETTER), ERROR_NONE);
    (void)stand_settle(&stand);
    cr_assert(stand_call(&stand, FAKE_DELETE));
    cr_expect_eq(stand_state(&stand).dead_lettered, 1);
    cr_expect_str_eq(stand_state(&stand).reason, "");
}

Test(consumer_troubles, without_a_dead_letter_queue_the_message_stays_in_its_own)
{
    static const enum error_kind KINDS[] = {ERROR_CONFIGURATION, ERROR_TOO_LARGE};
    for (size_t i = 0; i < 2; i++) {
        stand_give_body(&stand, "m1", "not json");
        (void)stand_settle(&stand);
        fake_fail(stand_call(&stand, FAKE_DEAD_LETTER), KINDS[i], "there is none");
        (void)stand_settle(&stand);
        const int64_t hidden_s = stand_hidden_for(&stand);
        cr_expect(hidden_s >= 1 && hidden_s <= 2, "%lld s", (long long)hidden_s);
        cr_expect_str_eq(stand_state(&stand).reason, "dead-letter queue: there is none");
        fake_answer(stand_call(&stand, FAKE_VISIBILITY), ERROR_NONE);
        (void)stand_settle(&stand);
    }
    cr_expect_eq(fake_total(stand.bench.fake, FAKE_DELETE), 0);
    cr_expect_eq(stand_state(&stand).dead_lettered, 0);
}

/* --- the queue --- */

Test(consumer_troubles, receives_that_fail_are_not_repeated_at_once)
{
    static const int64_t WAITS[] = {100, 200, 400, 800, 1600, 3200, 5000, 5000};
    for (size_t i = 0; i < sizeof WAITS / sizeof WAITS[0]; i++) {
        while (stand_call(&stand, FAKE_RECEIVE))
            fake_fail(stand_call(&stand, FAKE_RECEIVE), ERROR_UNAVAILABLE, "refused");
        const int64_t delay = stand_settle(&stand);
        cr_assert(delay >= WAITS[i] / 2 && delay <= WAITS[i], "failure %zu: %lld", i,
                  (long long)delay);
        cr_expect(stand_state(&stand).queue_down);
        cr_expect_str_eq(stand_state(&stand).reason, "refused");
        (void)stand_pass(&stand, delay - 1);
        cr_assert_null(stand_call(&stand, FAKE_RECEIVE));
        (void)stand_pass(&stand, 1);
        cr_assert_eq(fake_open_count(stand.bench.fake, FAKE_RECEIVE), 1);
    }
    stand_give(&stand, "m1", "r1", "ok");
    cr_expect_not(stand_state(&stand).queue_down);
    cr_expect_eq(stand_state(&stand).since_ms, stand.bench.wall_ms);
    (void)stand_settle(&stand);
    cr_expect_eq(fake_open_count(stand.bench.fake, FAKE_RECEIVE), 2);
}

Test(consumer_troubles, a_queue_that_does_not_wait_is_not_asked_in_a_tight_loop)
{
    fake_give(stand_call(&stand, FAKE_RECEIVE), NULL, 0);
    cr_expect_eq(stand_settle(&stand), 100);
    cr_expect_eq(fake_open_count(stand.bench.fake, FAKE_RECEIVE), 1);
    (void)stand_pass(&stand, 20000);
    fake_give(stand_call(&stand, FAKE_RECEIVE), NULL, 0);
    (void)stand_settle(&stand);
    cr_expect_eq(fake_open_count(stand.bench.fake, FAKE_RECEIVE), 2);
}

/* --- draining --- */

/* Every open change of visibility makes visible at once; how many messages those are. */
static size_t given_back(struct stand *on)
{
    size_t count = 0;
    for (struct fake_call *call = stand_call(on, FAKE_VISIBILITY); call;
         call = stand_call(on, FAKE_VISIBILITY)) {
        for (size_t i = 0; i < call->count; i++)
            cr_expect_eq(call->items[i].visibility_s, 0);
        count += call->count;
        fake_answer(call, ERROR_NONE);
    }
    return count;
}

Test(consumer_troubles, a_drain_gives_back_what_the_polls_still_return)
{
    consumer_drain(stand.consumer);
    cr_expect(stand.bench.fake->stopped_waiting);
    stand_give_many(&stand, "m", 2, "ok");
    fake_give(stand_call(&stand, FAKE_RECEIVE), NULL, 0);
    (void)stand_settle(&stand);
    cr_expect_eq(given_back(&stand), 2);
    cr_expect_eq(stand_settle(&stand), -1);
    cr_expect(consumer_idle(stand.consumer));
    cr_expect_null(stand_call(&stand, FAKE_RECEIVE), "received more");
    cr_expect_str_eq(buf_text(&stand.handled), "");
    cr_expect_eq(stand_state(&stand).given_back, 2);
}

Test(consumer_troubles, a_drain_costs_no_attempt)
{
    bench_run(&stand.bench, "INSERT INTO attempts VALUES ('m-0', '', 2, 0, 1)");
    stand_give_many(&stand, "m", 3, "ok");
    begin(&stand);
    consumer_drain(stand.consumer);
    close_polls();
    (void)writer_deliver(stand.bench.writer);
    (void)stand_settle(&stand);
    cr_expect_eq(given_back(&stand), 3);
    (void)stand_settle(&stand);
    cr_expect(consumer_idle(stand.consumer));
    cr_expect_str_eq(buf_text(&stand.handled), "");
    cr_expect_eq(bench_number(&stand.bench, "SELECT count(*) FROM attempts"), 1);
    cr_expect_eq(bench_number(&stand.bench, "SELECT failures FROM attempts WHERE owner = ''"), 2);
}

Test(consumer_troubles, a_drain_handles_nothing_that_waits_to_be_handled)
{
    stand_give_many(&stand, "noted", 2, "ok");
    begin(&stand);
    (void)writer_deliver(stand.bench.writer);
    stand_give_many(&stand, "arrived", 3, "ok");
    consumer_drain(stand.consumer);
    close_polls();
    (void)consumer_step(stand.consumer);
    cr_expect_eq(writer_pending(stand.bench.writer), 2, "two attempts to be undone, no more");
    (void)stand_settle(&stand);
    cr_expect_eq(given_back(&stand), 5);
    cr_expect(consumer_idle(stand.consumer));
    cr_expect_str_eq(buf_text(&stand.handled), "");
    cr_expect_eq(bench_number(&stand.bench, "SELECT count(*) FROM attempts"), 0);
}

Test(consumer_troubles, a_drain_finishes_handlers_and_deletes)
{
    stand_give(&stand, "m1", "r1", "ok");
    begin(&stand);
    (void)writer_deliver(stand.bench.writer);
    (void)consumer_step(stand.consumer);
    consumer_drain(stand.consumer);
    close_polls();
    (void)stand_settle(&stand);
    cr_expect_eq(stand_state(&stand).applied, 1);
    cr_expect_not(consumer_idle(stand.consumer));
    answer_delete(ERROR_NONE);
    cr_expect(consumer_idle(stand.consumer));
}

Test(consumer_troubles, a_drain_does_not_wait_for_a_dead_letter_queue_that_is_away)
{
    stand_give_body(&stand, "m1", "not json");
    (void)stand_settle(&stand);
    consumer_drain(stand.consumer);
    close_polls();
    fake_fail(stand_call(&stand, FAKE_DEAD_LETTER), ERROR_UNAVAILABLE, "away");
    (void)stand_settle(&stand);
    cr_expect_gt(stand_hidden_for(&stand), 0);
    fake_answer(stand_call(&stand, FAKE_VISIBILITY), ERROR_NONE);
    cr_expect(consumer_idle(stand.consumer));
}
