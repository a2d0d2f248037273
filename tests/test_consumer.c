/* The consumer against a scripted queue and a real store: what becomes of a message. Crashes,
 * leases, drains and a queue that fails are in test_consumer_troubles.c. */
#include "consumer.h"

#include <criterion/criterion.h>
#include <stdio.h>
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

TestSuite(consumer, .init = set_up, .fini = tear_down);

static int64_t effects(void)
{
    return bench_number(&stand.bench, "SELECT count(*) FROM effect");
}

static int64_t ledger(void)
{
    return bench_number(&stand.bench, "SELECT count(*) FROM attempts");
}

Test(consumer, polls_for_what_it_has_permits_for)
{
    stand_close(&stand);
    stand_open(&stand, (struct consumer_options){.polls = 4, .permits = 25});
    static const size_t MAXIMA[] = {10, 10, 5};
    cr_assert_eq(fake_open_count(stand.bench.fake, FAKE_RECEIVE), 3);
    for (size_t i = 0; i < 3; i++) {
        const struct queue_receive_options *receive = &stand.bench.fake->calls[i]->receive;
        cr_expect_eq(receive->maximum, MAXIMA[i]);
        cr_expect_eq(receive->wait_s, 20);
        cr_expect_eq(receive->visibility_s, 30);
    }
    stand_give_many(&stand, "m", 7, "ok");
    (void)stand_settle(&stand);
    cr_assert_eq(fake_open_count(stand.bench.fake, FAKE_RECEIVE), 3);
    size_t asked = 0;
    for (size_t i = 0; i < stand.bench.fake->count; i++)
        if (stand.bench.fake->calls[i]->open)
            asked += stand.bench.fake->calls[i]->receive.maximum;
    cr_expect_eq(asked, 18, "seven permits are in use, not %zu", 25 - asked);
    fake_answer(stand_call(&stand, FAKE_DELETE), ERROR_NONE);
    (void)stand_settle(&stand);
    cr_expect_eq(fake_open_count(stand.bench.fake, FAKE_RECEIVE), 4, "the permits are back");
}

Test(consumer, tells_how_long_messages_took_from_receipt_to_commit)
{
    static const int64_t TOOK_MS[] = {0, 5, 6, 9999, 10001};
    int64_t total_ms = 0;
    for (size_t i = 0; i < sizeof TOOK_MS / sizeof *TOOK_MS; i++) {
        char id[8];
        (void)snprintf(id, sizeof id, "m%zu", i);
        stand_give(&stand, id, id, "ok");
        (void)consumer_step(stand.consumer);
        bench_pass(&stand.bench, TOOK_MS[i]);
        (void)stand_settle(&stand);
        fake_answer(stand_call(&stand, FAKE_DELETE), ERROR_NONE);
        (void)stand_settle(&stand);
        total_ms += TOOK_MS[i];
    }
    const struct handling handling = stand_state(&stand).handling;
    cr_expect_eq(handling.within[0], 2, "at most 5 ms");
    cr_expect_eq(handling.within[1], 1, "at most 10 ms");
    cr_expect_eq(handling.within[HANDLING_BOUNDS - 1], 1, "at most 10 s");
    cr_expect_eq(handling.within[HANDLING_BOUNDS], 1, "more");
    cr_expect_eq(handling.total_ms, total_ms);
}

/* A server may end all polls that wait when one message comes. */
Test(consumer, a_poll_that_came_back_empty_at_once_pauses_alone)
{
    cr_assert_eq(fake_open_count(stand.bench.fake, FAKE_RECEIVE), 2);
    fake_give(stand_call(&stand, FAKE_RECEIVE), NULL, 0);
    cr_expect_eq(stand_settle(&stand), 100, "it must not spin");
    cr_expect_eq(fake_open_count(stand.bench.fake, FAKE_RECEIVE), 1, "this one pauses");
    stand_give(&stand, "m1", "r1", "ok");
    (void)stand_settle(&stand);
    cr_expect_eq(fake_open_count(stand.bench.fake, FAKE_RECEIVE), 1, "the other goes on");
    (void)stand_pass(&stand, 99);
    cr_expect_eq(fake_open_count(stand.bench.fake, FAKE_RECEIVE), 1);
    (void)stand_pass(&stand, 1);
    cr_expect_eq(fake_open_count(stand.bench.fake, FAKE_RECEIVE), 2);
}

Test(consumer, an_applied_message_is_deleted_after_it_is_durable)
{
    stand_give(&stand, "m1", "r1", "ok");
    while (!stand_call(&stand, FAKE_DELETE)) {
        cr_assert_eq(effects(), 0, "applied but not deleted");
        (void)consumer_step(stand.consumer);
        cr_assert_null(stand_call(&stand, FAKE_DELETE), "deleted before the commit");
        cr_assert_gt(writer_step(stand.bench.writer), 0);
        (void)writer_deliver(stand.bench.writer);
        if (effects() > 0)
            (void)consumer_step(stand.consumer);
    }
    cr_expect_eq(effects(), 1);
    cr_expect_eq(ledger(), 0);
    cr_expect_str_eq(stand_call(&stand, FAKE_DELETE)->items[0].text, "r1");
    cr_expect_not(consumer_idle(stand.consumer));
    fake_answer(stand_call(&stand, FAKE_DELETE), ERROR_NONE);
    (void)stand_settle(&stand);
    cr_expect_eq(stand_state(&stand).received, 1);
    cr_expect_eq(stand_state(&stand).applied, 1);
}

Test(consumer, the_attempt_is_durable_before_the_handler_runs)
{
    stand_give(&stand, "m1", "r1", "ok");
    (void)consumer_step(stand.consumer);
    cr_assert_eq(writer_step(stand.bench.writer), 1);
    cr_expect_str_eq(buf_text(&stand.handled), "", "handled in the commit of its attempt");
    cr_expect_eq(bench_number(&stand.bench, "SELECT count(*) FROM attempts WHERE owner <> ''"), 1);
    (void)writer_deliver(stand.bench.writer);
    (void)stand_settle(&stand);
    cr_expect_str_eq(buf_text(&stand.handled), "ok ");
}

Test(consumer, is_caught_up_when_nothing_waits_and_nothing_is_in_hand)
{
    cr_expect_not(stand_state(&stand).caught_up, "nothing has been asked yet");
    stand_give_many(&stand, "full", 10, "ok");
    (void)stand_settle(&stand);
    fake_answer(stand_call(&stand, FAKE_DELETE), ERROR_NONE);
    (void)stand_settle(&stand);
    cr_expect_not(stand_state(&stand).caught_up, "a full batch: there may be more");
    stand_give_many(&stand, "some", 3, "ok");
    cr_expect_not(stand_state(&stand).caught_up, "three are in hand");
    (void)stand_settle(&stand);
    fake_answer(stand_call(&stand, FAKE_DELETE), ERROR_NONE);
    (void)stand_settle(&stand);
    cr_expect(stand_state(&stand).caught_up);
    fake_fail(stand_call(&stand, FAKE_RECEIVE), ERROR_UNAVAILABLE, "gone");
    cr_expect_not(stand_state(&stand).caught_up, "who knows");
}

Test(consumer, a_duplicate_is_counted_and_deleted)
{
    stand_give(&stand, "m1", "r1", "dup");
    (void)stand_settle(&stand);
    cr_expect_eq(stand_state(&stand).duplicates, 1);
    cr_expect_eq(stand_state(&stand).applied, 0);
    cr_assert(stand_call(&stand, FAKE_DELETE));
}

Test(consumer, the_event_is_the_bodys_and_the_trace_is_the_attributes)
{
    stand_give(&stand, "event-of-body", "r1", "ok");
    (void)stand_settle(&stand);
    char text[512];
    bench_text(&stand.bench, "SELECT event_id FROM effect", text);
    cr_expect_str_eq(text, "event-of-body");
    bench_text(&stand.bench, "SELECT traceparent FROM effect", text);
    cr_expect_str_eq(text, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
}

Test(consumer, a_received_batch_is_begun_in_one_operation_and_deleted_in_one_call)
{
    stand_give_many(&stand, "m", 10, "ok");
    (void)consumer_step(stand.consumer);
    cr_expect_eq(writer_pending(stand.bench.writer), 1);
    (void)stand_settle(&stand);
    cr_expect_eq(effects(), 10);
    cr_expect_eq(fake_total(stand.bench.fake, FAKE_DELETE), 1);
    cr_expect_eq(stand_call(&stand, FAKE_DELETE)->count, 10);
    cr_expect_eq(writer_counters(stand.bench.writer).commits, 2);
}

Test(consumer, an_undecodable_message_is_dead_lettered_without_a_handler)
{
    static const char *const BODIES[] = {"not json", "{}", "{\"eventType\":\"NEWS\"}"};
    for (size_t i = 0; i < 3; i++) {
        stand_give_body(&stand, "m1", BODIES[i]);
        (void)stand_settle(&stand);
        struct fake_call *copy = stand_call(&stand, FAKE_DEAD_LETTER);
        cr_assert(copy, "%s", BODIES[i]);
        cr_expect_null(stand_call(&stand, FAKE_DELETE), "deleted before the copy is taken");
        const struct fake_item *item = &copy->items[0];
        cr_expect_str_eq(item->text, BODIES[i]);
        cr_expect_str_eq(fake_attribute(item, "EventType"), "BOOKING_CONFIRMED");
        cr_expect_str_eq(fake_attribute(item, "BookingId"), "attribute-booking");
        cr_expect_str_eq(fake_attribute(item, "ProviderId"), "p");
        cr_expect_str_eq(fake_attribute(item, "EventId"), "attribute-event");
        cr_expect_str_eq(fake_attribute(item, "Other"), "");
        cr_expect(fake_attribute(item, "DeadLetterReason")[0], "no reason");
        cr_expect_str_eq(fake_attribute(item, "DeadLetterAttempts"), "0");
        cr_expect_str_eq(fake_attribute(item, "DeadLetterSource"), "request");
        cr_expect_null(item->group_id);
        fake_answer(copy, ERROR_NONE);
        (void)stand_settle(&stand);
        fake_answer(stand_call(&stand, FAKE_DELETE), ERROR_NONE);
        (void)stand_settle(&stand);
    }
    cr_expect_str_eq(buf_text(&stand.handled), "");
    cr_expect_eq(stand_state(&stand).dead_lettered, 3);
}

Test(consumer, a_failure_for_good_is_undone_and_dead_lettered_at_once)
{
    stand_give(&stand, "m1", "r1", "bad");
    (void)stand_settle(&stand);
    struct fake_call *copy = stand_call(&stand, FAKE_DEAD_LETTER);
    cr_assert(copy);
    cr_expect_eq(effects(), 0, "the handler's writes stayed");
    cr_expect_str_eq(fake_attribute(&copy->items[0], "DeadLetterReason"), "bad is not possible");
    cr_expect_str_eq(fake_attribute(&copy->items[0], "DeadLetterAttempts"), "1");
    cr_expect_eq(ledger(), 1);
    fake_answer(copy, ERROR_NONE);
    (void)stand_settle(&stand);
    cr_expect_eq(ledger(), 0, "forgotten once the copy is taken");
    cr_expect_str_eq(stand_call(&stand, FAKE_DELETE)->items[0].text, "r1");
    cr_expect_eq(stand_state(&stand).failed, 1);
}

Test(consumer, a_fifo_dead_letter_has_group_and_deduplication)
{
    stand_close(&stand);
    stand_open(&stand, (struct consumer_options){.fifo = true});
    stand_give(&stand, "m1", "r1", "bad");
    (void)stand_settle(&stand);
    const struct fake_item *item = &stand_call(&stand, FAKE_DEAD_LETTER)->items[0];
    cr_expect_str_eq(item->group_id, "attribute-booking");
    cr_expect_str_eq(item->deduplication_id, "m1");
}

Test(consumer, failures_are_hidden_for_longer_and_longer_then_dead_lettered)
{
    stand_close(&stand);
    stand_open(&stand, (struct consumer_options){.max_attempts = 12});
    static const int64_t FULL[] = {2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900};
    for (size_t i = 0; i < sizeof FULL / sizeof FULL[0]; i++) {
        stand_give(&stand, "m1", "r1", "busy");
        (void)stand_settle(&stand);
        const int64_t hidden_s = stand_hidden_for(&stand);
        cr_expect(hidden_s >= FULL[i] / 2 && hidden_s <= FULL[i], "failure %zu: %lld s", i + 1,
                  (long long)hidden_s);
        fake_answer(stand_call(&stand, FAKE_VISIBILITY), ERROR_NONE);
        cr_expect_eq(bench_number(&stand.bench, "SELECT failures FROM attempts"), (int64_t)i + 1);
        (void)stand_settle(&stand);
    }
    cr_expect_null(stand_call(&stand, FAKE_DEAD_LETTER));
    stand_give(&stand, "m1", "r1", "busy");
    (void)stand_settle(&stand);
    const struct fake_call *copy = stand_call(&stand, FAKE_DEAD_LETTER);
    cr_assert(copy);
    cr_expect_str_eq(fake_attribute(&copy->items[0], "DeadLetterReason"), "busy is away");
    cr_expect_str_eq(fake_attribute(&copy->items[0], "DeadLetterAttempts"), "12");
    cr_expect_eq(effects(), 0);
    cr_expect_eq(stand_state(&stand).failed, 12);
}

Test(consumer, the_waits_differ)
{
    bool seen[33] = {false};
    size_t different = 0;
    for (int i = 0; i < 40; i++) {
        stand_give_many(&stand, "m", 5, "busy");
        (void)stand_settle(&stand);
        struct fake_call *call = stand_call(&stand, FAKE_VISIBILITY);
        for (size_t entry = 0; entry < call->count; entry++) {
            const int64_t hidden_s = call->items[entry].visibility_s;
            cr_assert(hidden_s >= 1 && hidden_s <= 32);
            different += !seen[hidden_s];
            seen[hidden_s] = true;
        }
        fake_answer(call, ERROR_NONE);
        bench_run(&stand.bench, "UPDATE attempts SET failures = 1");
        (void)stand_settle(&stand);
    }
    cr_expect_eq(different, 4, "1 to 4 seconds, not %zu values", different);
}

Test(consumer, one_failure_leaves_its_neighbours_alone)
{
    stand_give_many(&stand, "m", 3, "ok");
    stand_give(&stand, "x", "x", "busy");
    (void)stand_settle(&stand);
    cr_expect_eq(effects(), 3);
    cr_expect_eq(stand_call(&stand, FAKE_DELETE)->count, 3);
    (void)stand_hidden_for(&stand);
}

Test(consumer, a_message_that_used_up_its_attempts_is_not_handled_again)
{
    bench_run(&stand.bench, "INSERT INTO attempts VALUES ('m1', '', 3, 0, 1)");
    stand_give(&stand, "m1", "r1", "ok");
    (void)stand_settle(&stand);
    const struct fake_call *copy = stand_call(&stand, FAKE_DEAD_LETTER);
    cr_assert(copy);
    cr_expect_str_eq(fake_attribute(&copy->items[0], "DeadLetterReason"), "failed 3 times");
    cr_expect_str_eq(buf_text(&stand.handled), "");
}

Test(consumer, a_reason_is_cut_at_256_letters)
{
    stand_give(&stand, "m1", "r1", "bad-long");
    (void)stand_settle(&stand);
    const struct fake_item *item = &stand_call(&stand, FAKE_DEAD_LETTER)->items[0];
    cr_expect_eq(strlen(fake_attribute(item, "DeadLetterReason")), 256);
}
