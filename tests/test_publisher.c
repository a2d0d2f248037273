/* The publisher against a scripted queue and a real store: messages, order, batches. What goes
 * wrong is in test_publisher_troubles.c. */
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

TestSuite(publisher, .init = set_up, .fini = tear_down);

Test(publisher, asks_for_nothing_when_there_is_nothing_to_do)
{
    cr_expect_eq(outlet_settle(&outlet), -1);
    cr_expect_eq(outlet.bench.fake->count, 0);
    cr_expect(publisher_idle(outlet.publisher));
}

Test(publisher, sends_body_and_attributes)
{
    outlet_add(&outlet, "plain", "e1", EVENT_BOOKING_CANCELLED);
    outlet_add(&outlet, "traced", "e2", EVENT_BOOKING_CONFIRMED);
    (void)outlet_settle(&outlet);
    const struct fake_call *call = outlet_sending(&outlet);
    cr_assert(call && call->count == 2);
    const struct fake_item *item = &call->items[0];
    cr_expect(strncmp(item->text, "{\"bookingId\":\"plain\"", 20) == 0, "%s", item->text);
    cr_expect_str_eq(fake_attribute(item, "EventType"), "BOOKING_CANCELLED");
    cr_expect_str_eq(fake_attribute(item, "BookingId"), "plain");
    cr_expect_str_eq(fake_attribute(item, "ProviderId"), "provider");
    cr_expect_str_eq(fake_attribute(item, "EventId"), "e1");
    cr_expect_str_eq(fake_attribute(item, "traceparent"),
                     "00-a116c9ed46d6207734a43317d30fd88f-8b5cc4df7eec7d32-01",
                     "the SHA-256 of booking and event, cut");
    cr_expect_str_eq(fake_attribute(&call->items[1], "traceparent"),
                     "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
}

Test(publisher, groups_as_the_kind_of_queue_wants)
{
    static const struct {
        const char *name;
        bool fifo, fair;
        const char *group, *deduplication;
    } CASES[] = {
        {"fifo", true, false, "booking", "e1"},
        {"fifo, fair", true, true, "booking", "e1"},
        {"fair", false, true, "provider", NULL},
        {"neither", false, false, NULL, NULL},
    };
    outlet_add(&outlet, "booking", "e1", EVENT_BOOKING_CONFIRMED);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct publisher *other = outlet_publisher(&outlet.bench, CASES[i].fifo, CASES[i].fair);
        (void)publisher_step(other);
        struct fake_call *call = outlet_sending(&outlet);
        cr_assert(call, "%s", CASES[i].name);
        const struct fake_item *item = &call->items[0];
        const char *group = item->group_id ? item->group_id : "none";
        const char *deduplication = item->deduplication_id ? item->deduplication_id : "none";
        cr_expect_str_eq(group, CASES[i].group ? CASES[i].group : "none", "%s", CASES[i].name);
        cr_expect_str_eq(deduplication, CASES[i].deduplication ? CASES[i].deduplication : "none",
                         "%s", CASES[i].name);
        fake_fail(call, ERROR_UNAVAILABLE, "gone");
        (void)bench_settle(&outlet.bench);
        publisher_free(other);
    }
}

Test(publisher, a_row_is_done_with_only_when_the_queue_has_it)
{
    outlet_add(&outlet, "b", "e1", EVENT_BOOKING_CONFIRMED);
    (void)outlet_settle(&outlet);
    cr_expect_eq(outlet_unsent(&outlet), 1, "marked before it was sent");
    cr_expect_not(publisher_idle(outlet.publisher));
    fake_answer(outlet_sending(&outlet), ERROR_NONE);
    cr_expect_not(publisher_idle(outlet.publisher), "the note is not durable yet");
    cr_expect_eq(publisher_state(outlet.publisher).sent, 0);
    (void)outlet_settle(&outlet);
    cr_expect(publisher_idle(outlet.publisher));
    cr_expect_eq(outlet_unsent(&outlet), 0);
    cr_expect_eq(publisher_state(outlet.publisher).sent, 1);
    cr_expect_eq(
        bench_number(&outlet.bench, "SELECT count(*) FROM audit WHERE event = 'PUBLISHED'"), 1);
    cr_expect_eq(fake_total(outlet.bench.fake, FAKE_SEND), 1);
}

Test(publisher, events_of_one_booking_go_one_after_the_other_and_others_pass)
{
    outlet_add(&outlet, "slow", "s1", EVENT_BOOKING_CREATED);
    outlet_add(&outlet, "slow", "s2", EVENT_BOOKING_CANCELLED);
    outlet_add(&outlet, "other", "o1", EVENT_BOOKING_CREATED);
    (void)outlet_settle(&outlet);
    struct fake_call *first = outlet_sending(&outlet);
    cr_assert_eq(first->count, 2);
    cr_expect_str_eq(outlet_event(first, 0), "s1");
    cr_expect_str_eq(outlet_event(first, 1), "o1");

    outlet_add(&outlet, "slow", "s3", EVENT_BOOKING_CANCELLED);
    outlet_add(&outlet, "third", "t1", EVENT_BOOKING_CREATED);
    (void)outlet_settle(&outlet);
    cr_assert_eq(fake_open_count(outlet.bench.fake, FAKE_SEND), 2);
    const struct fake_call *second = outlet.bench.fake->calls[1];
    cr_assert_eq(second->count, 1, "another booking waits for nobody");
    cr_expect_str_eq(outlet_event(second, 0), "t1");

    fake_answer(first, ERROR_NONE);
    (void)publisher_step(outlet.publisher);
    cr_expect_eq(outlet.bench.fake->count, 2, "sent before its predecessor was noted");
    (void)outlet_settle(&outlet);
    cr_assert_eq(outlet.bench.fake->count, 3);
    cr_expect_str_eq(outlet_event(outlet.bench.fake->calls[2], 0), "s2");
    fake_answer(outlet.bench.fake->calls[2], ERROR_NONE);
    (void)outlet_settle(&outlet);
    cr_assert_eq(outlet.bench.fake->count, 4);
    cr_expect_str_eq(outlet_event(outlet.bench.fake->calls[3], 0), "s3");
}

Test(publisher, batches_are_split_by_count_and_up_to_eight_are_under_way)
{
    outlet_add_many(&outlet, 95);
    (void)outlet_settle(&outlet);
    cr_assert_eq(outlet.bench.fake->count, 8);
    for (size_t i = 0; i < 8; i++)
        cr_expect_eq(outlet.bench.fake->calls[i]->count, 10);
    fake_answer(outlet_sending(&outlet), ERROR_NONE);
    (void)outlet_settle(&outlet);
    cr_assert_eq(outlet.bench.fake->count, 9);
    fake_answer(outlet_sending(&outlet), ERROR_NONE);
    (void)outlet_settle(&outlet);
    cr_assert_eq(outlet.bench.fake->count, 10);
    cr_expect_eq(outlet.bench.fake->calls[9]->count, 5);
}

Test(publisher, batches_are_split_by_bytes)
{
    bench_run(&outlet.bench,
              "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 7)"
              " INSERT INTO outbox (booking_id, provider_id, event_id, traceparent, type,"
              " created_ms, body) SELECT 'b' || i, 'p', 'e' || i, '', 'BOOKING_CREATED', 1,"
              " hex(zeroblob(150000)) FROM n");
    (void)outlet_settle(&outlet);
    size_t sent = 0;
    cr_assert_eq(outlet.bench.fake->count, 3);
    for (size_t i = 0; i < outlet.bench.fake->count; i++) {
        const struct fake_call *call = outlet.bench.fake->calls[i];
        size_t bytes = 0;
        for (size_t entry = 0; entry < call->count; entry++)
            bytes += strlen(call->items[entry].text);
        cr_expect(bytes <= QUEUE_MESSAGE_MAX, "%zu bytes in one call", bytes);
        sent += call->count;
    }
    cr_expect_eq(sent, 7);
}

/* 78 bytes of attributes each: names, types ("String") and values. */
Test(publisher, attributes_count_as_bytes_to_the_last_one)
{
    static const char *const ROWS[] = {
        "INSERT INTO outbox (booking_id, provider_id, event_id, traceparent, type, created_ms, "
        "body)"
        " VALUES ('a', 'p', 'e1', '', 'BOOKING_CREATED', 1, hex(zeroblob(262105))),"
        " ('b', 'p', 'e2', '', 'BOOKING_CREATED', 1, hex(zeroblob(262105)))",
        "INSERT INTO outbox (booking_id, provider_id, event_id, traceparent, type, created_ms, "
        "body)"
        " VALUES ('c', 'p', 'e3', '', 'BOOKING_CREATED', 1, hex(zeroblob(262105))),"
        " ('d', 'p', 'e4', '', 'BOOKING_CREATED', 1, hex(zeroblob(262105)) || 'x')",
    };
    for (size_t i = 0; i < 2; i++) {
        bench_run(&outlet.bench, ROWS[i]);
        (void)outlet_settle(&outlet);
        cr_expect_eq(fake_open_count(outlet.bench.fake, FAKE_SEND), i + 1);
        while (outlet_sending(&outlet))
            fake_answer(outlet_sending(&outlet), ERROR_NONE);
        (void)outlet_settle(&outlet);
    }
}

Test(publisher, more_rows_than_the_window_are_all_sent_once)
{
    outlet_add_many(&outlet, 600);
    size_t sent = 0;
    for ((void)outlet_settle(&outlet); outlet_sending(&outlet); (void)outlet_settle(&outlet)) {
        cr_assert(outlet.bench.fake->count < 100, "sent again and again");
        sent += outlet_sending(&outlet)->count;
        fake_answer(outlet_sending(&outlet), ERROR_NONE);
    }
    cr_expect_eq(sent, 600);
    cr_expect_eq(outlet_unsent(&outlet), 0);
}

Test(publisher, a_drain_sends_nothing_more_and_finishes_what_is_under_way)
{
    outlet_add_many(&outlet, 1);
    (void)outlet_settle(&outlet);
    publisher_drain(outlet.publisher);
    outlet_add(&outlet, "late", "l1", EVENT_BOOKING_CREATED);
    (void)outlet_settle(&outlet);
    cr_expect_eq(outlet.bench.fake->count, 1);
    cr_expect_not(publisher_idle(outlet.publisher));
    fake_answer(outlet_sending(&outlet), ERROR_NONE);
    cr_expect_eq(outlet_settle(&outlet), -1);
    cr_expect(publisher_idle(outlet.publisher));
    cr_expect_eq(outlet_unsent(&outlet), 1);
    cr_expect_eq(outlet.bench.fake->count, 1);
}
