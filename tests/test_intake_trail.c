/* What the rules of intake write into the trail and tell the other worker: every field of it. */
#include "intake.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "audit.h"
#include "intake_store.h"
#include "rules_fixture.h"

/* So that both effects are seen to be set. */
#define NEITHER ((enum consumer_effect)99)

static bool book(struct rules *rules, const char *slot, struct booking *booking,
                 struct error *error)
{
    const struct booking_order order = {
        .slot_id = slot, .user_id = "user-1", .world = &rules->world, .now_ms = rules->now_ms};
    return intake_book(rules->intake, &order, booking, error);
}

static bool cancel(struct rules *rules, const char *id, struct booking *booking,
                   struct error *error)
{
    const struct booking_cancel order = {.booking_id = id,
                                         .reason = "changed my mind",
                                         .world = &rules->world,
                                         .now_ms = rules->now_ms};
    return intake_cancel(rules->intake, &order, booking, error);
}

static bool hear(struct rules *rules, enum event_type type, const struct booking *booking,
                 struct error *error)
{
    struct event event = {.type = type, .booking = *booking, .at_s = NOON};
    enum consumer_effect effect;
    id_new(&rules->world, event.id);
    return intake_hear(NULL, rules->intake, &event, rules->now_ms, &effect, error);
}

static enum booking_status status_of(struct rules *rules, const char *id)
{
    struct booking booking = {0};
    struct error error = {0};
    bool found = false;
    cr_assert(intake_booking_find(rules->intake, id, &booking, &found, &error) && found);
    return booking.status;
}

/* What the trail must say of a step at this moment. */
static struct audit_entry step(const struct rules *rules, const char *booking_id,
                               enum booking_status from, enum booking_status to)
{
    struct audit_entry entry = {.at_ms = rules->now_ms, .provider_id = "provider-1"};
    entry.from = from;
    entry.to = to;
    id_copy(entry.booking_id, booking_id);
    return entry;
}

static void by(struct audit_entry *entry, const char *actor, const char *event, const char *reason)
{
    (void)snprintf(entry->actor, sizeof entry->actor, "%s", actor);
    (void)snprintf(entry->event, sizeof entry->event, "%s", event);
    (void)snprintf(entry->reason, sizeof entry->reason, "%s", reason);
}

/* The newest event is of this booking and moment, and the trail names it. */
static void expect_told(struct rules *rules, struct audit_entry expected, struct event *event)
{
    cr_assert(rules_last_event(rules->intake, event));
    cr_expect_str_eq(event->booking.id, expected.booking_id);
    cr_expect_str_eq(event_type_name(event->type), expected.event);
    cr_expect_str_eq(event->reason, expected.reason);
    cr_expect_eq(event->at_s, rules->now_ms / 1000);
    cr_expect_str_eq(event->booking.user_id, "user-1");
    cr_expect_str_eq(event->booking.provider_id, "provider-1");
    cr_expect_str_eq(event->booking.slot_id, "slot-1");
    id_copy(expected.event_id, event->id);
    rules_expect_step(rules->intake, &expected);
}

Test(intake_trail, what_the_user_does_is_told_whole_here_and_to_the_other_worker)
{
    struct rules rules;
    struct booking booking = {0};
    struct event event = {0};
    struct error error = {0};
    rules_open(&rules);
    rules.now_ms += 1789;
    cr_assert(book(&rules, "slot-1", &booking, &error), "%s", error.text);
    struct audit_entry expected = step(&rules, booking.id, BOOKING_ABSENT, BOOKING_PENDING);
    by(&expected, "user", "BOOKING_CREATED", "");
    expect_told(&rules, expected, &event);
    cr_expect_eq(event.booking.start_s, NOON);
    cr_expect_eq(event.booking.end_s, NOON + 1800);
    cr_expect_str_empty(event.user_name);
    cr_expect_eq(rules_count(rules.intake, "SELECT created_s FROM bookings"), rules.now_ms / 1000);
    rules.now_ms += 60000;
    cr_assert(cancel(&rules, booking.id, &booking, &error), "%s", error.text);
    cr_expect_eq(booking.status, BOOKING_CANCELLED);
    expected = step(&rules, booking.id, BOOKING_PENDING, BOOKING_CANCELLED);
    by(&expected, "user", "BOOKING_CANCELLED", "changed my mind");
    expect_told(&rules, expected, &event);
    cr_expect_eq(event.cancelled_by, ACTOR_USER);
    rules_close(&rules);
}

Test(intake_trail, a_cancel_needs_no_reason)
{
    struct rules rules;
    struct booking booking = {0};
    struct event event = {0};
    struct error error = {0};
    rules_open(&rules);
    cr_assert(book(&rules, "slot-1", &booking, &error), "%s", error.text);
    const struct booking_cancel order = {
        .booking_id = booking.id, .world = &rules.world, .now_ms = rules.now_ms};
    cr_assert(intake_cancel(rules.intake, &order, &booking, &error), "%s", error.text);
    struct audit_entry expected = step(&rules, booking.id, BOOKING_PENDING, BOOKING_CANCELLED);
    by(&expected, "user", "BOOKING_CANCELLED", "");
    expect_told(&rules, expected, &event);
    rules_close(&rules);
}

Test(intake_trail, every_due_booking_expires_and_says_that_it_was_the_system)
{
    struct rules rules;
    struct booking booking = {0};
    struct event event = {0};
    struct error error = {0};
    rules_open(&rules);
    rules_add_slot(&rules, "slot-0", "provider-1", NOON - 600);
    cr_assert(book(&rules, "slot-0", &booking, &error), "%s", error.text);
    cr_assert(book(&rules, "slot-1", &booking, &error), "%s", error.text);
    rules.now_ms = (NOON - 600 + INTAKE_EXPIRY_GRACE_S) * 1000 - 1;
    cr_assert(intake_expire(rules.intake, &rules.world, rules.now_ms, &error), "%s", error.text);
    cr_expect_eq(rules_count(rules.intake, "SELECT count(*) FROM bookings WHERE status = 0"), 2);
    rules.now_ms = (NOON + INTAKE_EXPIRY_GRACE_S) * 1000 + 7;
    cr_assert(intake_expire(rules.intake, &rules.world, rules.now_ms, &error), "%s", error.text);
    cr_expect_eq(rules_count(rules.intake, "SELECT count(*) FROM bookings WHERE status = 3"), 2);
    struct audit_entry expected = step(&rules, booking.id, BOOKING_PENDING, BOOKING_CANCELLED);
    by(&expected, "system", "BOOKING_CANCELLED", "expired");
    expect_told(&rules, expected, &event);
    cr_expect_eq(event.cancelled_by, ACTOR_SYSTEM);
    rules_close(&rules);
}

Test(intake_trail, what_is_heard_is_told_under_the_events_own_id_and_sent_to_nobody)
{
    static const struct {
        enum event_type type;
        enum event_actor actor;
        const char *by, *reason;
        enum booking_status to;
    } CASES[] = {
        {EVENT_BOOKING_CONFIRMED, ACTOR_UNSAID, "provider", "", BOOKING_CONFIRMED},
        {EVENT_BOOKING_REJECTED, ACTOR_UNSAID, "provider", "full", BOOKING_REJECTED},
        {EVENT_BOOKING_CANCELLED, ACTOR_PROVIDER, "provider", "ill", BOOKING_CANCELLED},
        {EVENT_BOOKING_CANCELLED, ACTOR_SYSTEM, "system", "expired", BOOKING_CANCELLED},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct rules rules;
        struct booking booking = {0};
        struct error error = {0};
        enum consumer_effect effect = NEITHER;
        struct event event = {.type = CASES[i].type, .id = "e-9", .cancelled_by = CASES[i].actor};
        rules_open(&rules);
        cr_assert(book(&rules, "slot-1", &booking, &error), "%s", error.text);
        rules.now_ms += 5;
        event.booking = booking;
        (void)snprintf(event.reason, sizeof event.reason, "%s", CASES[i].reason);
        cr_assert(intake_hear(NULL, rules.intake, &event, rules.now_ms, &effect, &error));
        cr_expect_eq(effect, EFFECT_APPLIED, "case %zu", i);
        cr_expect_eq(status_of(&rules, booking.id), CASES[i].to, "case %zu", i);
        struct audit_entry expected = step(&rules, booking.id, BOOKING_PENDING, CASES[i].to);
        by(&expected, CASES[i].by, event_type_name(CASES[i].type), CASES[i].reason);
        id_copy(expected.event_id, "e-9");
        rules_expect_step(rules.intake, &expected);
        effect = NEITHER;
        cr_assert(intake_hear(NULL, rules.intake, &event, rules.now_ms, &effect, &error));
        cr_expect_eq(effect, EFFECT_DUPLICATE, "case %zu", i);
        cr_expect_eq(rules_count(rules.intake, "SELECT count(*) FROM outbox"), 1, "case %zu", i);
        rules_close(&rules);
    }
}

Test(intake_trail, what_is_not_there_is_not_found_by_name)
{
    struct rules rules;
    struct booking booking = {.id = "b-x"};
    struct error error = {0};
    rules_open(&rules);
    cr_expect_not(intake_find(rules.intake, "b-x", &booking, &error));
    cr_expect_eq(error.kind, ERROR_NOT_FOUND);
    cr_expect_str_eq(error.text, "Booking not found");
    error_clear(&error);
    cr_expect_not(cancel(&rules, "b-x", &booking, &error));
    cr_expect_str_eq(error.text, "Booking not found");
    error_clear(&error);
    id_copy(booking.id, "b-x");
    cr_expect_not(hear(&rules, EVENT_BOOKING_REJECTED, &booking, &error));
    cr_expect_eq(error.kind, ERROR_NOT_FOUND);
    cr_expect_str_eq(error.text, "BOOKING_REJECTED of b-x: Booking not found");
    rules_close(&rules);
}
