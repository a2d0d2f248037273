/* The records of intake.db. */
#include "intake_store.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "rules_fixture.h"

enum { MANY = 25 };

static void add_bookings(struct rules *rules)
{
    for (int i = 0; i < MANY; i++) {
        struct error error = {0};
        struct booking booking = {.start_s = NOON, .end_s = NOON + 60};
        (void)snprintf(booking.id, sizeof booking.id, "b-%02d", i);
        id_copy(booking.slot_id, "slot");
        id_copy(booking.user_id, i % 5 == 0 ? "user-rare" : "user-often");
        id_copy(booking.provider_id, i % 2 == 0 ? "provider-1" : "provider-2");
        booking.status = i % 3 == 0 ? BOOKING_CANCELLED : BOOKING_PENDING;
        cr_assert(intake_booking_add(rules->intake, &booking, 1000 + i, NOON - 3600, &error), "%s",
                  error.text);
    }
}

/* Walks all pages and returns how many bookings there were, newest first. */
static size_t walk(struct rules *rules, struct booking_filter filter)
{
    struct booking page[5];
    char before[ID_SIZE] = "z";
    size_t total = 0;
    filter.limit = 4;
    do {
        struct error error = {0};
        size_t count = 0;
        int64_t next = 0;
        cr_assert(intake_booking_list(rules->intake, &filter, page, &count, &next, &error), "%s",
                  error.text);
        for (size_t i = 0; i < count; i++) {
            cr_assert(strcmp(page[i].id, before) < 0, "%s came behind %s", page[i].id, before);
            id_copy(before, page[i].id);
        }
        total += count;
        filter.before = next;
    } while (filter.before);
    return total;
}

Test(intake_store, pages_hold_every_booking_once_newest_first)
{
    static const struct {
        const char *what;
        struct booking_filter filter;
        size_t expected;
    } cases[] = {
        {"all", {.status = BOOKING_ABSENT}, 25},
        {"one status", {.status = BOOKING_CANCELLED}, 9},
        {"one user", {.status = BOOKING_ABSENT, .user_id = "user-rare"}, 5},
        {"one provider", {.status = BOOKING_ABSENT, .provider_id = "provider-2"}, 12},
        {"user, provider, status",
         {.status = BOOKING_PENDING, .user_id = "user-rare", .provider_id = "provider-1"},
         2},
        {"nobody", {.status = BOOKING_ABSENT, .user_id = "user-x"}, 0},
    };
    struct rules rules;
    rules_open(&rules);
    add_bookings(&rules);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_assert_eq(walk(&rules, cases[i].filter), cases[i].expected, "%s: %zu", cases[i].what,
                     walk(&rules, cases[i].filter));
    rules_close(&rules);
}

Test(intake_store, a_move_from_another_status_is_refused)
{
    struct rules rules;
    struct error error = {0};
    rules_open(&rules);
    add_bookings(&rules);
    cr_assert_not(
        intake_booking_move(rules.intake, "b-01", BOOKING_CONFIRMED, BOOKING_CANCELLED, &error));
    cr_assert_eq(error.kind, ERROR_CONFLICT);
    error_clear(&error);
    cr_assert(
        intake_booking_move(rules.intake, "b-01", BOOKING_PENDING, BOOKING_CONFIRMED, &error));
    rules_close(&rules);
}

Test(intake_store, the_same_slot_again_is_fine_and_another_with_its_id_is_not)
{
    struct rules rules;
    struct error error = {0};
    struct slot slot = {
        .id = "slot-1", .provider_id = "provider-1", .start_s = NOON, .end_s = NOON + 1800};
    bool added = true;
    rules_open(&rules);
    cr_assert(slot_add(rules.intake, &slot, &added, &error), "%s", error.text);
    cr_assert_not(added);
    slot.end_s++;
    cr_assert_not(slot_add(rules.intake, &slot, &added, &error));
    cr_assert_eq(error.kind, ERROR_CONFLICT);
    rules_close(&rules);
}

Test(intake_store, slots_are_listed_by_start_in_the_asked_stretch_page_by_page)
{
    struct rules rules;
    struct error error = {0};
    struct slot page[3];
    size_t count = 0;
    rules_open(&rules);
    for (int i = 1; i <= 5; i++) {
        char id[32];
        (void)snprintf(id, sizeof id, "more-%d", i);
        rules_add_slot(&rules, id, "provider-1", NOON + (6 - i) * 3600);
    }
    struct slot_filter filter = {
        .provider_id = "provider-1", .from_s = NOON, .to_s = NOON + 5 * 3600, .limit = 3};
    cr_assert(slot_list(rules.intake, &filter, page, &count, &error), "%s", error.text);
    cr_assert_eq(count, 3);
    cr_assert_str_eq(page[0].id, "slot-1");
    cr_assert_str_eq(page[2].id, "more-4");
    filter.after_start_s = page[2].start_s;
    filter.after_rowid = page[2].rowid;
    cr_assert(slot_list(rules.intake, &filter, page, &count, &error), "%s", error.text);
    cr_assert_eq(count, 2, "`to` is not included");
    rules_close(&rules);
}

Test(intake_store, people_are_put_found_replaced_and_removed)
{
    struct rules rules;
    struct error error = {0};
    struct person person = {.id = "p", .name = "Pat O'Brien", .phone = "+49 30 1"};
    struct person read = {0};
    bool flag = false;
    rules_open(&rules);
    cr_assert(person_put(rules.intake, PERSON_USER, &person, &flag, &error) && flag);
    (void)snprintf(person.name, sizeof person.name, "Zoë");
    cr_assert(person_put(rules.intake, PERSON_USER, &person, &flag, &error) && !flag);
    cr_assert(person_find(rules.intake, PERSON_USER, "p", &read, &flag, &error) && flag);
    cr_assert_str_eq(read.name, "Zoë");
    cr_assert(person_find(rules.intake, PERSON_PROVIDER, "p", &read, &flag, &error) && !flag);
    cr_assert(person_delete(rules.intake, PERSON_USER, "p", &flag, &error) && flag);
    cr_assert(person_delete(rules.intake, PERSON_USER, "p", &flag, &error) && !flag);
    rules_close(&rules);
}
