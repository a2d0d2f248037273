/* The outbox: what goes in, what comes out in which order, and what the history says of it. */
#include "outbox.h"

#include <criterion/criterion.h>
#include <string.h>

#include "audit.h"
#include "shared_store.h"

enum { NOW = 1000, ROWS_MAX = 8 };

static struct event sample(const char *booking_id, const char *event_id)
{
    struct event event = {.type = EVENT_BOOKING_CONFIRMED,
                          .booking = {.provider_id = "p-1"},
                          .at_s = 1771495200,
                          .traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"};
    id_copy(event.booking.id, booking_id);
    id_copy(event.id, event_id);
    return event;
}

static void add(struct db *db, const char *booking_id, const char *event_id, int64_t now_ms)
{
    struct error error = {0};
    const struct event event = sample(booking_id, event_id);
    cr_assert(outbox_add(db, &event, now_ms, &error), "%s", error.text);
}

struct loaded {
    size_t count;
    struct outbox_row rows[ROWS_MAX];
};

static void loaded_release(struct loaded *loaded)
{
    for (size_t i = 0; i < loaded->count; i++)
        outbox_row_release(&loaded->rows[i]);
}

static struct loaded load(struct db *db, int64_t after, size_t maximum)
{
    struct loaded loaded = {0};
    struct error error = {0};
    cr_assert(outbox_load(db, after, loaded.rows, maximum, &loaded.count, &error), "%s",
              error.text);
    return loaded;
}

struct history {
    size_t count;
    struct audit_entry entries[ROWS_MAX];
};

static void remember(void *context, const struct audit_entry *entry)
{
    struct history *history = context;
    cr_assert_lt(history->count, ROWS_MAX);
    history->entries[history->count++] = *entry;
}

static struct history history_of(struct db *db, const char *booking_id)
{
    struct history history = {0};
    struct error error = {0};
    cr_assert(audit_of_booking(db, booking_id, remember, &history, &error), "%s", error.text);
    return history;
}

/* The only entry of booking b-1. */
static void assert_told(struct db *db, const char *event, const char *reason)
{
    const struct history history = history_of(db, "b-1");
    cr_assert_eq(history.count, 1);
    const struct audit_entry *entry = &history.entries[0];
    cr_assert_str_eq(entry->event, event);
    cr_assert_str_eq(entry->reason, reason);
    cr_assert_str_eq(entry->actor, "system");
    cr_assert_str_eq(entry->event_id, "e-1");
    cr_assert_str_eq(entry->provider_id, "p-1");
    cr_assert_eq(entry->from, BOOKING_CONFIRMED);
    cr_assert_eq(entry->to, BOOKING_CONFIRMED);
    cr_assert_eq(entry->at_ms, NOW + 7);
}

static struct outbox_pressure pressure_of(struct db *db)
{
    struct outbox_pressure pressure = {0};
    struct error error = {0};
    cr_assert(outbox_pressure(db, &pressure, &error), "%s", error.text);
    return pressure;
}

/* The traceparent that an event of a booking gets when it brings none. */
static void trace(struct db *db, const char *booking_id, const char *event_id,
                  char out[TRACEPARENT_SIZE])
{
    struct error error = {0};
    struct event event = sample(booking_id, event_id);
    event.traceparent[0] = '\0';
    cr_assert(outbox_add(db, &event, NOW, &error), "%s", error.text);
    struct loaded loaded AUTO(loaded_release) = load(db, 0, ROWS_MAX);
    memcpy(out, loaded.rows[loaded.count - 1].traceparent, TRACEPARENT_SIZE);
}

Test(outbox, all_events_of_a_booking_are_one_trace)
{
    enum { TRACE_END = 3 + 32 };
    char first[TRACEPARENT_SIZE];
    char second[TRACEPARENT_SIZE];
    char other[TRACEPARENT_SIZE];
    struct shared_store store STORE;
    trace(store.db, "b-1", "e-1", first);
    trace(store.db, "b-1", "e-2", second);
    trace(store.db, "b-2", "e-3", other);
    cr_expect_eq(strlen(first), TRACEPARENT_SIZE - 1);
    cr_expect_eq(strspn(first, "0123456789abcdef-"), TRACEPARENT_SIZE - 1, "%s", first);
    cr_expect_eq(memcmp(first, second, TRACE_END), 0, "%s and %s", first, second);
    cr_expect_str_neq(first, second, "each is a span of its own");
    cr_expect_neq(memcmp(first, other, TRACE_END), 0, "%s and %s", first, other);
}

Test(outbox, a_row_comes_out_as_it_was_put_in)
{
    struct shared_store store STORE;
    const struct event event = sample("b-1", "e-1");
    struct buf body AUTO(buf_release) = {0};
    event_to_json(&event, &body);
    add(store.db, "b-1", "e-1", NOW);
    struct loaded loaded AUTO(loaded_release) = load(store.db, 0, ROWS_MAX);
    cr_assert_eq(loaded.count, 1);
    const struct outbox_row *row = &loaded.rows[0];
    cr_assert_eq(row->sequence, 1);
    cr_assert_str_eq(row->booking_id, "b-1");
    cr_assert_str_eq(row->provider_id, "p-1");
    cr_assert_str_eq(row->event_id, "e-1");
    cr_assert_str_eq(row->traceparent, event.traceparent);
    cr_assert_eq(row->type, EVENT_BOOKING_CONFIRMED);
    cr_assert_eq(row->created_ms, NOW);
    cr_assert_eq(row->attempts, 0);
    cr_assert_str_eq(row->body, buf_text(&body));
}

Test(outbox, rows_come_lowest_first_behind_a_point_and_no_more_than_asked_for)
{
    struct shared_store store STORE;
    for (int i = 0; i < 5; i++)
        add(store.db, "b-1", "e-1", NOW);
    struct loaded loaded AUTO(loaded_release) = load(store.db, 1, 3);
    cr_assert_eq(loaded.count, 3);
    for (size_t i = 0; i < loaded.count; i++)
        cr_assert_eq(loaded.rows[i].sequence, 2 + (int64_t)i);
    struct loaded rest AUTO(loaded_release) = load(store.db, 5, 3);
    cr_assert_eq(rest.count, 0);
}

Test(outbox, a_sent_row_is_gone_and_in_the_history)
{
    struct shared_store store STORE;
    struct error error = {0};
    add(store.db, "b-1", "e-1", NOW);
    struct loaded loaded AUTO(loaded_release) = load(store.db, 0, ROWS_MAX);
    cr_assert(outbox_sent(store.db, &loaded.rows[0], NOW + 7, &error), "%s", error.text);
    cr_assert_eq(pressure_of(store.db).unsent, 0);
    assert_told(store.db, "PUBLISHED", "");
}

Test(outbox, a_row_sent_twice_is_told_once)
{
    struct shared_store store STORE;
    struct error error = {0};
    add(store.db, "b-1", "e-1", NOW);
    add(store.db, "b-2", "e-2", NOW);
    struct loaded loaded AUTO(loaded_release) = load(store.db, 0, ROWS_MAX);
    cr_assert(outbox_sent(store.db, &loaded.rows[0], NOW + 7, &error), "%s", error.text);
    cr_assert(outbox_sent(store.db, &loaded.rows[0], NOW + 8, &error), "%s", error.text);
    assert_told(store.db, "PUBLISHED", "");
    cr_assert_eq(pressure_of(store.db).unsent, 1);
}

Test(outbox, a_gone_row_can_neither_fail_nor_be_parked)
{
    struct shared_store store STORE;
    struct error error = {0};
    add(store.db, "b-1", "e-1", NOW);
    struct loaded loaded AUTO(loaded_release) = load(store.db, 0, ROWS_MAX);
    cr_assert(outbox_sent(store.db, &loaded.rows[0], NOW + 7, &error), "%s", error.text);
    cr_assert(outbox_failed(store.db, &loaded.rows[0], "late", NOW + 8, &error), "%s", error.text);
    cr_assert(outbox_park(store.db, &loaded.rows[0], "late", NOW + 8, &error), "%s", error.text);
    assert_told(store.db, "PUBLISHED", "");
}

Test(outbox, numbers_of_sent_rows_are_never_used_again)
{
    struct shared_store store STORE;
    struct error error = {0};
    add(store.db, "b-1", "e-1", NOW);
    struct loaded first AUTO(loaded_release) = load(store.db, 0, ROWS_MAX);
    cr_assert(outbox_sent(store.db, &first.rows[0], NOW, &error), "%s", error.text);
    add(store.db, "b-2", "e-2", NOW);
    struct loaded second AUTO(loaded_release) = load(store.db, 0, ROWS_MAX);
    cr_assert_gt(second.rows[0].sequence, first.rows[0].sequence);
}

Test(outbox, only_the_first_failure_is_told_and_the_others_are_counted)
{
    struct shared_store store STORE;
    struct error error = {0};
    add(store.db, "b-1", "e-1", NOW);
    struct loaded loaded AUTO(loaded_release) = load(store.db, 0, ROWS_MAX);
    const struct outbox_row *row = &loaded.rows[0];
    cr_assert(outbox_failed(store.db, row, "no route", NOW + 7, &error), "%s", error.text);
    cr_assert(outbox_failed(store.db, row, "still none", NOW + 8, &error), "%s", error.text);
    cr_assert(outbox_failed(store.db, row, "still none", NOW + 9, &error), "%s", error.text);
    assert_told(store.db, "PUBLISH_FAILED", "no route");
    struct loaded again AUTO(loaded_release) = load(store.db, 0, ROWS_MAX);
    cr_assert_eq(again.count, 1);
    cr_assert_eq(again.rows[0].attempts, 3);
}

Test(outbox, success_after_failures_says_how_many)
{
    static const struct {
        int failures;
        const char *reason;
    } CASES[] = {{1, "after 1 failed try"}, {3, "after 3 failed tries"}};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct shared_store store STORE;
        struct error error = {0};
        add(store.db, "b-1", "e-1", NOW);
        struct loaded loaded AUTO(loaded_release) = load(store.db, 0, ROWS_MAX);
        for (int j = 0; j < CASES[i].failures; j++)
            cr_assert(outbox_failed(store.db, &loaded.rows[0], "no route", NOW, &error));
        cr_assert(outbox_sent(store.db, &loaded.rows[0], NOW + 7, &error), "%s", error.text);
        const struct history history = history_of(store.db, "b-1");
        cr_assert_eq(history.count, 2);
        cr_assert_str_eq(history.entries[1].event, "PUBLISHED");
        cr_assert_str_eq(history.entries[1].reason, CASES[i].reason);
    }
}

Test(outbox, a_parked_row_is_kept_told_once_and_not_loaded)
{
    struct shared_store store STORE;
    struct error error = {0};
    add(store.db, "b-1", "e-1", NOW);
    add(store.db, "b-2", "e-2", NOW + 1);
    struct loaded loaded AUTO(loaded_release) = load(store.db, 0, ROWS_MAX);
    cr_assert(outbox_park(store.db, &loaded.rows[0], "too large", NOW + 7, &error));
    cr_assert(outbox_park(store.db, &loaded.rows[0], "too large", NOW + 8, &error));
    assert_told(store.db, "PUBLISH_PARKED", "too large");
    struct loaded rest AUTO(loaded_release) = load(store.db, 0, ROWS_MAX);
    cr_assert_eq(rest.count, 1);
    cr_assert_str_eq(rest.rows[0].booking_id, "b-2");
    const struct outbox_pressure pressure = pressure_of(store.db);
    cr_assert_eq(pressure.unsent, 1);
    cr_assert_eq(pressure.parked, 1);
    cr_assert_eq(pressure.oldest_ms, NOW + 1);
}

Test(outbox, pressure_counts_what_is_unsent_and_how_old_it_is)
{
    struct shared_store store STORE;
    const struct outbox_pressure empty = pressure_of(store.db);
    cr_assert_eq(empty.unsent, 0);
    cr_assert_eq(empty.oldest_ms, 0);
    cr_assert_eq(empty.parked, 0);
    add(store.db, "b-1", "e-1", NOW);
    add(store.db, "b-2", "e-2", NOW + 1);
    const struct outbox_pressure two = pressure_of(store.db);
    cr_assert_eq(two.unsent, 2);
    cr_assert_eq(two.oldest_ms, NOW);
}

Test(outbox, reasons_are_made_safe_and_short)
{
    struct shared_store store STORE;
    struct error error = {0};
    struct buf reason AUTO(buf_release) = {0};
    struct buf expected AUTO(buf_release) = {0};
    buf_text_append(&reason, "\x1b\n\xff");
    buf_text_append(&expected, " \uFFFD");
    for (size_t i = 0; i < REASON_MAX - 3; i++) {
        buf_text_append(&reason, "\U0001F600");
        buf_text_append(&expected, "\U0001F600");
    }
    buf_text_append(&reason, "and more");
    add(store.db, "b-1", "e-1", NOW);
    struct loaded loaded AUTO(loaded_release) = load(store.db, 0, ROWS_MAX);
    cr_assert(outbox_failed(store.db, &loaded.rows[0], buf_text(&reason), NOW + 7, &error));
    assert_told(store.db, "PUBLISH_FAILED", buf_text(&expected));
}

Test(outbox, a_reason_of_the_longest_kind_is_kept_whole)
{
    struct shared_store store STORE;
    struct error error = {0};
    struct buf reason AUTO(buf_release) = {0};
    for (size_t i = 0; i < REASON_MAX; i++)
        buf_text_append(&reason, "\U0001F600");
    cr_assert_eq(reason.length, REASON_SIZE - 1);
    add(store.db, "b-1", "e-1", NOW);
    struct loaded loaded AUTO(loaded_release) = load(store.db, 0, ROWS_MAX);
    cr_assert(outbox_failed(store.db, &loaded.rows[0], buf_text(&reason), NOW + 7, &error));
    assert_told(store.db, "PUBLISH_FAILED", buf_text(&reason));
}

/* As its siblings are called. */
static bool sent(struct db *db, const struct outbox_row *row, const char *reason, int64_t now_ms,
                 struct error *error)
{
    (void)reason;
    return outbox_sent(db, row, now_ms, error);
}

Test(outbox, a_failing_history_is_a_failing_change)
{
    typedef bool change_fn(struct db * db, const struct outbox_row *row, const char *reason,
                           int64_t now_ms, struct error *error);
    static change_fn *const CHANGES[] = {sent, outbox_failed, outbox_park};
    for (size_t i = 0; i < sizeof CHANGES / sizeof CHANGES[0]; i++) {
        struct shared_store store STORE;
        struct error error = {0};
        add(store.db, "b-1", "e-1", NOW);
        struct loaded loaded AUTO(loaded_release) = load(store.db, 0, ROWS_MAX);
        store_run(store.db, "DROP TABLE audit");
        cr_assert_not(CHANGES[i](store.db, &loaded.rows[0], "", NOW, &error), "%zu", i);
        cr_assert_eq(error.kind, ERROR_DAMAGED, "%zu", i);
    }
}

Test(outbox, a_damaged_row_is_reported_and_leaves_nothing_behind)
{
    static const char *const DAMAGES[] = {
        "UPDATE outbox SET type = 'BOOKING_LOST' WHERE sequence = 3",
        "UPDATE outbox SET booking_id = hex(zeroblob(65)) WHERE sequence = 3",
        "UPDATE outbox SET provider_id = 'p' || char(0) WHERE sequence = 3",
        "UPDATE outbox SET event_id = hex(zeroblob(100)) WHERE sequence = 3",
        "UPDATE outbox SET traceparent = hex(zeroblob(28)) WHERE sequence = 3",
    };
    for (size_t i = 0; i < sizeof DAMAGES / sizeof DAMAGES[0]; i++) {
        struct shared_store store STORE;
        struct outbox_row rows[ROWS_MAX];
        struct error error = {0};
        size_t count = 77;
        add(store.db, "b-1", "e-1", NOW);
        add(store.db, "b-2", "e-2", NOW);
        add(store.db, "b-3", "e-3", NOW);
        store_run(store.db, DAMAGES[i]);
        cr_assert_not(outbox_load(store.db, 0, rows, ROWS_MAX, &count, &error));
        cr_assert_eq(error.kind, ERROR_DAMAGED);
        cr_assert_str_eq(error.text, "outbox row 3 is damaged");
        cr_assert_eq(count, 77);
    }
}

Test(outbox, rows_and_history_share_the_fate_of_their_transaction)
{
    struct shared_store store STORE;
    struct error error = {0};
    add(store.db, "b-1", "e-1", NOW);
    struct loaded loaded AUTO(loaded_release) = load(store.db, 0, ROWS_MAX);
    cr_assert(db_begin(store.db, &error));
    cr_assert(outbox_sent(store.db, &loaded.rows[0], NOW, &error), "%s", error.text);
    db_rollback(store.db);
    cr_assert_eq(pressure_of(store.db).unsent, 1);
    cr_assert_eq(history_of(store.db, "b-1").count, 0);
    cr_assert(db_begin(store.db, &error));
    cr_assert(outbox_sent(store.db, &loaded.rows[0], NOW, &error), "%s", error.text);
    cr_assert(db_commit(store.db, &error));
    cr_assert_eq(pressure_of(store.db).unsent, 0);
    cr_assert_eq(history_of(store.db, "b-1").count, 1);
}
