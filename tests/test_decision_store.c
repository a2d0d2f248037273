/* The records of decision.db. */
#include "decision_store.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "outbox.h"
#include "rules_fixture.h"

enum { MANY = 20 };

static void add_records(struct rules *rules)
{
    for (int i = 0; i < MANY; i++) {
        struct error error = {0};
        struct decision_record record = {.received_s = NOON - 3600};
        struct booking *booking = &record.booking;
        (void)snprintf(booking->id, sizeof booking->id, "b-%02d", i);
        id_copy(booking->user_id, "user-1");
        id_copy(booking->provider_id, i % 2 == 0 ? "provider-1" : "provider-2");
        id_copy(booking->slot_id, "slot");
        booking->start_s = NOON + i * 3600;
        booking->end_s = booking->start_s + 60;
        booking->status = i % 4 == 0 ? BOOKING_CONFIRMED : BOOKING_PENDING;
        record.decided_s = i % 4 == 0 ? NOON - 60 : 0;
        cr_assert(decision_add(rules->decision, &record, &error), "%s", error.text);
    }
}

static size_t walk(struct rules *rules, struct decision_filter filter)
{
    struct decision_record page[4];
    char before[ID_SIZE] = "z";
    size_t total = 0;
    filter.limit = 3;
    do {
        struct error error = {0};
        size_t count = 0;
        int64_t next = 0;
        cr_assert(decision_list(rules->decision, &filter, page, &count, &next, &error), "%s",
                  error.text);
        for (size_t i = 0; i < count; i++) {
            cr_assert(strcmp(page[i].booking.id, before) < 0);
            cr_assert_str_eq(page[i].booking.provider_id, filter.provider_id);
            id_copy(before, page[i].booking.id);
        }
        total += count;
        filter.before = next;
    } while (filter.before);
    return total;
}

Test(decision_store, pages_hold_every_booking_of_the_provider_once_newest_first)
{
    static const struct {
        const char *what;
        struct decision_filter filter;
        size_t expected;
    } cases[] = {
        {"all", {.provider_id = "provider-1", .status = BOOKING_ABSENT}, 10},
        {"one status", {.provider_id = "provider-1", .status = BOOKING_CONFIRMED}, 5},
        {"from", {.provider_id = "provider-1", .status = BOOKING_ABSENT, .from_s = NOON + 7200}, 9},
        {"to", {.provider_id = "provider-1", .status = BOOKING_ABSENT, .to_s = NOON + 7200}, 1},
        {"a stretch and a status",
         {.provider_id = "provider-1",
          .status = BOOKING_PENDING,
          .from_s = NOON,
          .to_s = NOON + 8 * 3600},
         2},
        {"nobody", {.provider_id = "provider-3", .status = BOOKING_ABSENT}, 0},
    };
    struct rules rules;
    rules_open(&rules);
    add_records(&rules);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_assert_eq(walk(&rules, cases[i].filter), cases[i].expected, "%s: %zu", cases[i].what,
                     walk(&rules, cases[i].filter));
    rules_close(&rules);
}

Test(decision_store, a_decision_is_delivered_when_its_event_has_left_the_outbox)
{
    struct rules rules;
    struct error error = {0};
    struct decision_record record = {0};
    struct outbox_row row = {0};
    struct event event = {.type = EVENT_BOOKING_CONFIRMED, .at_s = NOON};
    size_t count = 0;
    bool found = false;
    rules_open(&rules);
    add_records(&rules);
    id_copy(event.id, "e-1");
    id_copy(event.booking.id, "b-00");
    id_copy(event.booking.provider_id, "provider-1");
    cr_assert(outbox_add(rules.decision, &event, NOON * 1000, &error), "%s", error.text);
    cr_assert(decision_find(rules.decision, "b-00", &record, &found, &error) && found);
    cr_assert_not(record.delivered);
    cr_assert(outbox_load(rules.decision, 0, &row, 1, &count, &error) && count == 1);
    cr_assert(outbox_sent(rules.decision, &row, NOON * 1000, &error), "%s", error.text);
    cr_assert(decision_find(rules.decision, "b-00", &record, &found, &error));
    cr_assert(record.delivered);
    cr_assert(decision_find(rules.decision, "b-01", &record, &found, &error));
    cr_assert_not(record.delivered, "nothing was decided");
    outbox_row_release(&row);
    rules_close(&rules);
}

Test(decision_store, a_move_from_another_status_is_refused)
{
    struct rules rules;
    struct error error = {0};
    struct decision_record record = {0};
    bool found = false;
    rules_open(&rules);
    add_records(&rules);
    cr_assert(decision_find(rules.decision, "b-01", &record, &found, &error) && found);
    record.booking.status = BOOKING_REJECTED;
    cr_assert_not(decision_move(rules.decision, &record, BOOKING_CONFIRMED, &error));
    cr_assert_eq(error.kind, ERROR_CONFLICT);
    error_clear(&error);
    cr_assert(decision_move(rules.decision, &record, BOOKING_PENDING, &error), "%s", error.text);
    rules_close(&rules);
}
