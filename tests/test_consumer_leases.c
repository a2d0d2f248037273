/* The consumer's hold on what it received: leases, receipts, deletes. */
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

TestSuite(consumer_leases, .init = set_up, .fini = tear_down);

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

/* Nothing is handled while the store refuses to note attempts. */
static void block_store(void)
{
    bench_run(&stand.bench, "CREATE TRIGGER full BEFORE INSERT ON attempts BEGIN"
                            " SELECT RAISE(ABORT, 'disk full'); END");
}

Test(consumer_leases, leases_are_renewed_in_batches_until_the_message_is_done_with)
{
    block_store();
    stand_give_many(&stand, "a", 7, "ok");
    stand_give_many(&stand, "b", 5, "ok");
    (void)stand_settle(&stand);
    (void)stand_pass(&stand, 19999);
    cr_expect_null(stand_call(&stand, FAKE_VISIBILITY), "renewed early");
    for (int round = 0; round < 3; round++) {
        (void)stand_pass(&stand, round == 0 ? 1 : 20000);
        cr_assert_eq(fake_open_count(stand.bench.fake, FAKE_VISIBILITY), 2, "round %d", round);
        cr_expect_eq(stand_call(&stand, FAKE_VISIBILITY)->count, 10);
        cr_expect_eq(stand_call(&stand, FAKE_VISIBILITY)->items[0].visibility_s, 30);
        fake_answer(stand_call(&stand, FAKE_VISIBILITY), ERROR_NONE);
        cr_expect_eq(stand_call(&stand, FAKE_VISIBILITY)->count, 2);
        fake_answer(stand_call(&stand, FAKE_VISIBILITY), ERROR_NONE);
        (void)stand_settle(&stand);
    }
    cr_expect_str_eq(buf_text(&stand.handled), "");
    bench_run(&stand.bench, "DROP TRIGGER full");
    (void)stand_pass(&stand, 5000);
    cr_expect_eq(bench_number(&stand.bench, "SELECT count(*) FROM effect"), 12);
    cr_expect_eq(stand_state(&stand).leases_lost, 0);
    answer_delete(ERROR_NONE);
    answer_delete(ERROR_NONE);
    const size_t changes = fake_total(stand.bench.fake, FAKE_VISIBILITY);
    (void)stand_pass(&stand, 60000);
    cr_expect_eq(fake_total(stand.bench.fake, FAKE_VISIBILITY), changes, "renewed when done with");
}

Test(consumer_leases, a_renewal_that_fails_is_tried_again_until_the_lease_is_over)
{
    block_store();
    stand_give(&stand, "m1", "r1", "ok");
    (void)stand_settle(&stand);
    (void)stand_pass(&stand, 20000);
    size_t tries = 0;
    for (; stand_call(&stand, FAKE_VISIBILITY); tries++) {
        cr_assert(tries < 30);
        fake_fail(stand_call(&stand, FAKE_VISIBILITY), ERROR_UNAVAILABLE, "timeout");
        (void)stand_settle(&stand);
        cr_assert_null(stand_call(&stand, FAKE_VISIBILITY), "no pause before the next try");
        while (!stand_call(&stand, FAKE_VISIBILITY) && stand_state(&stand).leases_lost == 0)
            (void)stand_pass(&stand, 100);
    }
    cr_expect_geq(tries, 3);
    cr_expect_eq(stand_state(&stand).leases_lost, 1);
    bench_run(&stand.bench, "DROP TRIGGER full");
    (void)stand_pass(&stand, 5000);
    cr_expect_str_eq(buf_text(&stand.handled), "", "handled although it may be somebody else's");
    cr_expect_null(stand_call(&stand, FAKE_DELETE));
    consumer_drain(stand.consumer);
    close_polls();
    cr_expect(consumer_idle(stand.consumer));
}

Test(consumer_leases, an_invalid_receipt_means_lost)
{
    stand_give(&stand, "m1", "r1", "ok");
    begin(&stand);
    bench_pass(&stand.bench, 20000);
    (void)consumer_step(stand.consumer);
    fake_answer(stand_call(&stand, FAKE_VISIBILITY), ERROR_NOT_FOUND);
    (void)writer_deliver(stand.bench.writer);
    (void)stand_settle(&stand);
    cr_expect_eq(stand_state(&stand).leases_lost, 1);
    cr_expect_str_eq(buf_text(&stand.handled), "");
    cr_expect_eq(bench_number(&stand.bench, "SELECT count(*) FROM attempts"), 0,
                 "an attempt that did not happen");
    cr_expect_null(stand_call(&stand, FAKE_DELETE));
}

Test(consumer_leases, a_lease_lost_after_the_commit_is_no_harm)
{
    stand_give(&stand, "m1", "r1", "ok");
    begin(&stand);
    (void)writer_deliver(stand.bench.writer);
    (void)consumer_step(stand.consumer);
    (void)writer_step(stand.bench.writer);
    bench_pass(&stand.bench, 31000);
    (void)consumer_step(stand.consumer);
    (void)writer_deliver(stand.bench.writer);
    (void)stand_settle(&stand);
    cr_expect_eq(stand_state(&stand).applied, 1);
    cr_expect_eq(stand_state(&stand).leases_lost, 1);
    cr_expect_null(stand_call(&stand, FAKE_DELETE));
}

Test(consumer_leases, nothing_overtakes_an_open_renewal)
{
    stand_give(&stand, "m1", "r1", "busy");
    stand_give(&stand, "m2", "r2", "ok");
    begin(&stand);
    bench_pass(&stand.bench, 20000);
    (void)consumer_step(stand.consumer);
    (void)writer_deliver(stand.bench.writer);
    (void)stand_settle(&stand);
    cr_expect_str_eq(buf_text(&stand.handled), "busy ok ");
    cr_assert_eq(fake_total(stand.bench.fake, FAKE_VISIBILITY), 1, "hidden beside the renewal");
    cr_assert_eq(fake_total(stand.bench.fake, FAKE_DELETE), 0, "deleted beside the renewal");
    fake_answer(stand_call(&stand, FAKE_VISIBILITY), ERROR_NONE);
    (void)stand_settle(&stand);
    cr_expect_leq(stand_hidden_for(&stand), 2);
    answer_delete(ERROR_NONE);
}

Test(consumer_leases, a_message_received_twice_is_handled_once_and_its_newer_receipt_used)
{
    stand_give(&stand, "m1", "old", "ok");
    begin(&stand);
    stand_give(&stand, "m1", "new", "ok");
    (void)writer_deliver(stand.bench.writer);
    (void)stand_settle(&stand);
    cr_expect_str_eq(buf_text(&stand.handled), "ok ");
    cr_assert_eq(fake_total(stand.bench.fake, FAKE_DELETE), 1);
    cr_expect_str_eq(stand_call(&stand, FAKE_DELETE)->items[0].text, "new");
    cr_expect_eq(stand_state(&stand).received, 2);

    stand_give(&stand, "m1", "newest", "ok");
    answer_delete(ERROR_NOT_FOUND);
    cr_assert(stand_call(&stand, FAKE_DELETE), "the answer was about the older receipt");
    cr_expect_str_eq(stand_call(&stand, FAKE_DELETE)->items[0].text, "newest");
    answer_delete(ERROR_NONE);
    cr_expect_eq(stand_state(&stand).leases_lost, 0);
}

/* --- deletes --- */

Test(consumer_leases, every_entry_of_a_delete_is_looked_at)
{
    stand_give_many(&stand, "m", 5, "ok");
    (void)stand_settle(&stand);
    fake_answer_but(stand_call(&stand, FAKE_DELETE), 3, ERROR_UNAVAILABLE);
    const int64_t delay = stand_settle(&stand);
    cr_expect_null(stand_call(&stand, FAKE_DELETE));
    cr_expect(delay >= 50 && delay <= 100, "%lld", (long long)delay);
    (void)stand_pass(&stand, delay);
    cr_assert(stand_call(&stand, FAKE_DELETE));
    cr_assert_eq(stand_call(&stand, FAKE_DELETE)->count, 1);
    cr_expect_str_eq(stand_call(&stand, FAKE_DELETE)->items[0].text, "m-3");
    fake_fail(stand_call(&stand, FAKE_DELETE), ERROR_NOT_FOUND, "no such queue");
    cr_expect_eq(stand_state(&stand).leases_lost, 0, "a failed call says nothing of a receipt");
    (void)stand_pass(&stand, 200);
    answer_delete(ERROR_NOT_FOUND);
    cr_expect_eq(stand_state(&stand).leases_lost, 1);
    cr_expect_eq(stand_state(&stand).applied, 5);
}

Test(consumer_leases, a_delete_is_not_tried_beyond_its_lease)
{
    stand_give(&stand, "m1", "r1", "ok");
    (void)stand_settle(&stand);
    int64_t passed = 0;
    for (; passed < 60000 && stand_call(&stand, FAKE_DELETE); passed += 5000) {
        answer_delete(ERROR_UNAVAILABLE);
        (void)stand_pass(&stand, 5000);
    }
    cr_expect_eq(passed, 35000);
    cr_expect_eq(fake_open_count(stand.bench.fake, FAKE_RECEIVE), 2);
}
