/* The audit trail: what is written is read, and every way to tamper with it is found. */
#include "audit.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "shared_store.h"

enum { ROWS = 5, SEEN_MAX = 16 };

static struct audit_entry sample(int64_t number)
{
    struct audit_entry entry = {.at_ms = 1000 + number,
                                .provider_id = "p-1",
                                .actor = "user",
                                .from = BOOKING_ABSENT,
                                .to = BOOKING_PENDING,
                                .event = "BOOKING_CREATED",
                                .reason = "why"};
    (void)snprintf(entry.booking_id, sizeof entry.booking_id, "b-%d", (int)(number % 2));
    (void)snprintf(entry.event_id, sizeof entry.event_id, "e-%d", (int)number);
    return entry;
}

static void append_rows(struct db *db, int64_t first, int64_t last)
{
    struct error error = {0};
    for (int64_t i = first; i <= last; i++) {
        struct audit_entry entry = sample(i);
        cr_assert(audit_append(db, &entry, &error), "%s", error.text);
        cr_assert_eq(entry.sequence, i);
    }
}

struct seen {
    size_t count;
    struct audit_entry entries[SEEN_MAX];
};

static void see(void *context, const struct audit_entry *entry)
{
    struct seen *seen = context;
    cr_assert_lt(seen->count, SEEN_MAX);
    seen->entries[seen->count++] = *entry;
}

static void assert_chain(struct db *db, const char *name, int64_t expected_rows,
                         int64_t expected_broken_at)
{
    struct error error = {0};
    int64_t rows = -1;
    int64_t broken_at = -1;
    cr_assert(audit_verify(db, &rows, &broken_at, &error), "%s: %s", name, error.text);
    cr_assert_eq(rows, expected_rows, "%s: %d rows", name, (int)rows);
    cr_assert_eq(broken_at, expected_broken_at, "%s: broken at %d", name, (int)broken_at);
}

Test(audit, an_empty_trail_is_whole_and_ends_at_0)
{
    struct shared_store store STORE;
    struct error error = {0};
    int64_t last = -1;
    assert_chain(store.db, "empty", 0, 0);
    cr_assert(audit_last(store.db, &last, &error), "%s", error.text);
    cr_assert_eq(last, 0);
}

Test(audit, rows_are_numbered_from_1_without_gaps_and_make_a_whole_chain)
{
    struct shared_store store STORE;
    struct error error = {0};
    int64_t last = -1;
    append_rows(store.db, 1, ROWS);
    assert_chain(store.db, "fresh", ROWS, 0);
    cr_assert(audit_last(store.db, &last, &error), "%s", error.text);
    cr_assert_eq(last, ROWS);
}

/* The first two hashes of the trail above, from a second implementation of the recipe in audit.h
 * (Python's hashlib). They change only with a new chain version. */
Test(audit, the_hash_is_the_one_of_the_recipe)
{
    struct shared_store store STORE;
    append_rows(store.db, 1, 2);
    cr_assert_eq(
        store_number(
            store.db,
            "SELECT hex(hash) = '8E195D1DE24D22BE6ADE1D4D15C9010547DC5344996BA6029D841085A1DCCA44'"
            " FROM audit WHERE sequence = 1"),
        1);
    cr_assert_eq(
        store_number(
            store.db,
            "SELECT hex(hash) = '1088E8F5D110060C0F71A4175022A8079BE1B90CB4EE999EC83B1A1B5286484D'"
            " FROM audit WHERE sequence = 2"),
        1);
}

Test(audit, every_field_of_a_row_reads_back)
{
    struct shared_store store STORE;
    struct seen seen = {0};
    struct error error = {0};
    struct audit_entry entry = {.at_ms = 77,
                                .booking_id = "b-1",
                                .provider_id = "p-9",
                                .actor = "token front desk",
                                .from = BOOKING_CONFIRMED,
                                .to = BOOKING_CANCELLED,
                                .event = "BOOKING_CANCELLED",
                                .reason = "überbucht",
                                .event_id = "e-1"};
    cr_assert(audit_append(store.db, &entry, &error), "%s", error.text);
    cr_assert(audit_of_booking(store.db, "b-1", see, &seen, &error), "%s", error.text);
    cr_assert_eq(seen.count, 1);
    const struct audit_entry *read = &seen.entries[0];
    cr_assert_eq(read->sequence, 1);
    cr_assert_eq(read->at_ms, 77);
    cr_assert_str_eq(read->booking_id, "b-1");
    cr_assert_str_eq(read->provider_id, "p-9");
    cr_assert_str_eq(read->actor, "token front desk");
    cr_assert_eq(read->from, BOOKING_CONFIRMED);
    cr_assert_eq(read->to, BOOKING_CANCELLED);
    cr_assert_str_eq(read->event, "BOOKING_CANCELLED");
    cr_assert_str_eq(read->reason, "überbucht");
    cr_assert_str_eq(read->event_id, "e-1");
}

Test(audit, a_booking_sees_its_own_rows_oldest_first)
{
    struct shared_store store STORE;
    struct seen seen = {0};
    struct error error = {0};
    append_rows(store.db, 1, ROWS);
    cr_assert(audit_of_booking(store.db, "b-1", see, &seen, &error), "%s", error.text);
    cr_assert_eq(seen.count, 3);
    cr_assert_eq(seen.entries[0].sequence, 1);
    cr_assert_eq(seen.entries[1].sequence, 3);
    cr_assert_eq(seen.entries[2].sequence, 5);
}

Test(audit, a_provider_sees_its_own_rows_behind_a_point_and_no_more_than_it_asked_for)
{
    struct shared_store store STORE;
    struct seen seen = {0};
    struct error error = {0};
    struct audit_entry foreign = sample(3);
    memcpy(foreign.provider_id, "p-2", sizeof "p-2");
    append_rows(store.db, 1, 2);
    cr_assert(audit_append(store.db, &foreign, &error), "%s", error.text);
    append_rows(store.db, 4, ROWS + 1);
    cr_assert(audit_read(store.db, &(struct audit_page){"p-1", 1, 3}, see, &seen, &error), "%s",
              error.text);
    cr_assert_eq(seen.count, 3);
    cr_assert_eq(seen.entries[0].sequence, 2);
    cr_assert_eq(seen.entries[1].sequence, 4);
    cr_assert_eq(seen.entries[2].sequence, 5);
    seen.count = 0;
    cr_assert(audit_read(store.db, &(struct audit_page){"p-1", ROWS + 1, 3}, see, &seen, &error));
    cr_assert_eq(seen.count, 0);
}

/* One statement each, on a trail of five rows. */
static const struct {
    const char *name, *sql;
    int64_t rows, broken_at;
} TAMPERINGS[] = {
    {"time", "UPDATE audit SET at_ms = at_ms + 1 WHERE sequence = 3", 5, 3},
    {"booking", "UPDATE audit SET booking_id = 'b-7' WHERE sequence = 3", 5, 3},
    {"provider", "UPDATE audit SET provider_id = 'p-7' WHERE sequence = 3", 5, 3},
    {"actor", "UPDATE audit SET actor = 'system' WHERE sequence = 3", 5, 3},
    {"from", "UPDATE audit SET from_status = 0 WHERE sequence = 3", 5, 3},
    {"to", "UPDATE audit SET to_status = 1 WHERE sequence = 3", 5, 3},
    {"no such status", "UPDATE audit SET to_status = 99 WHERE sequence = 3", 5, 3},
    {"negative status", "UPDATE audit SET from_status = -1 WHERE sequence = 3", 5, 3},
    {"event", "UPDATE audit SET event = 'PUBLISHED' WHERE sequence = 3", 5, 3},
    {"reason", "UPDATE audit SET reason = 'why not' WHERE sequence = 3", 5, 3},
    {"reason behind a NUL", "UPDATE audit SET reason = reason || char(0) || 'x' WHERE sequence = 3",
     5, 3},
    {"event id", "UPDATE audit SET event_id = '' WHERE sequence = 3", 5, 3},
    {"text moved to the next field",
     "UPDATE audit SET event = event || reason, reason = '' WHERE sequence = 3", 5, 3},
    {"over-long id", "UPDATE audit SET booking_id = hex(zeroblob(4000)) WHERE sequence = 3", 5, 3},
    {"hash", "UPDATE audit SET hash = zeroblob(32) WHERE sequence = 3", 5, 3},
    {"short hash", "UPDATE audit SET hash = substr(hash, 1, 31) WHERE sequence = 3", 5, 3},
    {"empty hash", "UPDATE audit SET hash = x'' WHERE sequence = 3", 5, 3},
    {"first row edited", "UPDATE audit SET reason = '' WHERE sequence = 1", 5, 1},
    {"last row edited", "UPDATE audit SET reason = '' WHERE sequence = 5", 5, 5},
    {"two rows edited", "UPDATE audit SET reason = '' WHERE sequence IN (2, 4)", 5, 2},
    {"row removed", "DELETE FROM audit WHERE sequence = 3", 4, 3},
    {"first row removed", "DELETE FROM audit WHERE sequence = 1", 4, 1},
    {"row renumbered behind the end", "UPDATE audit SET sequence = 6 WHERE sequence = 3", 5, 3},
    {"row added",
     "INSERT INTO audit SELECT 6, at_ms, booking_id, provider_id, actor, from_status, to_status,"
     " event, reason, event_id, hash FROM audit WHERE sequence = 5",
     6, 6},
    {"row put before the first",
     "INSERT INTO audit SELECT 0, at_ms, booking_id, provider_id, actor, from_status, to_status,"
     " event, reason, event_id, hash FROM audit WHERE sequence = 1",
     6, 1},
};

Test(audit, every_tampering_is_found_where_it_was_done)
{
    for (size_t i = 0; i < sizeof TAMPERINGS / sizeof TAMPERINGS[0]; i++) {
        struct shared_store store STORE;
        append_rows(store.db, 1, ROWS);
        store_run(store.db, TAMPERINGS[i].sql);
        assert_chain(store.db, TAMPERINGS[i].name, TAMPERINGS[i].rows, TAMPERINGS[i].broken_at);
    }
}

Test(audit, rows_that_changed_places_are_found)
{
    struct shared_store store STORE;
    append_rows(store.db, 1, ROWS);
    store_run(store.db, "UPDATE audit SET sequence = 100 WHERE sequence = 2");
    store_run(store.db, "UPDATE audit SET sequence = 2 WHERE sequence = 3");
    store_run(store.db, "UPDATE audit SET sequence = 3 WHERE sequence = 100");
    assert_chain(store.db, "2 and 3 swapped", ROWS, 2);
}

Test(audit, removed_rows_stay_removed_when_the_numbers_are_closed_up)
{
    struct shared_store store STORE;
    append_rows(store.db, 1, ROWS);
    store_run(store.db, "DELETE FROM audit WHERE sequence = 2");
    store_run(store.db, "UPDATE audit SET sequence = sequence - 1 WHERE sequence = 3");
    store_run(store.db, "UPDATE audit SET sequence = sequence - 1 WHERE sequence = 4");
    store_run(store.db, "UPDATE audit SET sequence = sequence - 1 WHERE sequence = 5");
    assert_chain(store.db, "closed up", ROWS - 1, 2);
}

Test(audit, a_rolled_back_row_leaves_no_gap)
{
    struct shared_store store STORE;
    struct error error = {0};
    append_rows(store.db, 1, 2);
    cr_assert(db_begin(store.db, &error));
    append_rows(store.db, 3, 3);
    db_rollback(store.db);
    append_rows(store.db, 3, ROWS);
    assert_chain(store.db, "after a roll-back", ROWS, 0);
}

Test(audit, the_first_of_two_tamperings_is_named_even_if_the_chain_goes_on_between)
{
    struct shared_store store STORE;
    append_rows(store.db, 1, ROWS);
    store_run(store.db, "INSERT INTO audit SELECT 0, at_ms, booking_id, provider_id, actor,"
                        " from_status, to_status, event, reason, event_id, hash FROM audit"
                        " WHERE sequence = 1");
    store_run(store.db, "UPDATE audit SET reason = '' WHERE sequence = 4");
    assert_chain(store.db, "0 and 4", ROWS + 1, 1);
}

Test(audit, a_damaged_row_is_reported_and_not_shown)
{
    static const char *const DAMAGES[] = {
        "UPDATE audit SET to_status = 99 WHERE sequence = 3",
        "UPDATE audit SET from_status = -1 WHERE sequence = 3",
        "UPDATE audit SET actor = hex(zeroblob(4000)) WHERE sequence = 3",
    };
    for (size_t i = 0; i < sizeof DAMAGES / sizeof DAMAGES[0]; i++) {
        struct shared_store store STORE;
        struct seen seen = {0};
        struct error error = {0};
        append_rows(store.db, 1, 3);
        store_run(store.db, DAMAGES[i]);
        cr_assert_not(audit_of_booking(store.db, "b-1", see, &seen, &error), "%s", DAMAGES[i]);
        cr_assert_eq(error.kind, ERROR_DAMAGED);
        cr_assert_str_eq(error.text, "audit row 3 is damaged");
        cr_assert_eq(seen.count, 1);
    }
}

Test(audit, nothing_is_added_behind_a_row_without_a_hash)
{
    struct shared_store store STORE;
    struct error error = {0};
    struct audit_entry entry = sample(3);
    append_rows(store.db, 1, 2);
    store_run(store.db, "UPDATE audit SET hash = x'' WHERE sequence = 2");
    cr_assert_not(audit_append(store.db, &entry, &error));
    cr_assert_eq(error.kind, ERROR_DAMAGED);
    cr_assert_eq(entry.sequence, 0);
}
