/* The rules of intake. */
#include "intake.h"

#include <criterion/criterion.h>
#include <string.h>

#include "audit.h"
#include "intake_store.h"
#include "outbox.h"
#include "rules_fixture.h"

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

Test(intake, booking_writes_booking_event_and_history)
{
    struct rules rules;
    struct booking booking = {0};
    struct event event = {0};
    struct error error = {0};
    rules_open(&rules);
    cr_assert(book(&rules, "slot-1", &booking, &error), "%s", error.text);
    cr_assert_eq(booking.status, BOOKING_PENDING);
    cr_assert_str_eq(booking.provider_id, "provider-1");
    cr_assert(rules_last_event(rules.intake, &event));
    cr_assert_eq(event.type, EVENT_BOOKING_CREATED);
    cr_assert_str_eq(event.booking.id, booking.id);
    cr_assert_eq(event.booking.start_s, NOON);
    cr_assert_eq(rules_count(rules.intake, "SELECT count(*) FROM audit"), 1);
    rules_close(&rules);
}

Test(intake, booking_names_the_user_it_knows)
{
    struct rules rules;
    struct booking booking = {0};
    struct event event = {0};
    struct error error = {0};
    struct person person = {.id = "user-1", .name = "Zoë Müller"};
    bool created = false;
    rules_open(&rules);
    cr_assert(person_put(rules.intake, PERSON_USER, &person, &created, &error));
    cr_assert(book(&rules, "slot-1", &booking, &error), "%s", error.text);
    cr_assert(rules_last_event(rules.intake, &event));
    cr_assert_str_eq(event.user_name, "Zoë Müller");
    rules_close(&rules);
}

Test(intake, refuses_what_cannot_be_booked)
{
    static const struct {
        const char *what, *slot, *sentence;
        enum error_kind kind;
    } cases[] = {
        {"no such slot", "slot-x", "Slot not found", ERROR_NOT_FOUND},
        {"a slot that has started", "slot-old", "Slot is in the past", ERROR_CONFLICT},
        {"a slot that starts now", "slot-now", "Slot is in the past", ERROR_CONFLICT},
        {"a slot that is booked", "slot-1", "Slot is already booked", ERROR_CONFLICT},
    };
    struct rules rules;
    struct booking booking = {0};
    struct error first = {0};
    rules_open(&rules);
    rules_add_slot(&rules, "slot-old", "provider-1", NOON - 7200);
    rules_add_slot(&rules, "slot-now", "provider-1", NOON - 3600);
    cr_assert(book(&rules, "slot-1", &booking, &first), "%s", first.text);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error error = {0};
        cr_assert_not(book(&rules, cases[i].slot, &booking, &error), "%s", cases[i].what);
        cr_assert_eq(error.kind, cases[i].kind, "%s", cases[i].what);
        cr_assert_str_eq(error.text, cases[i].sentence, "%s", cases[i].what);
    }
    cr_assert_eq(rules_count(rules.intake, "SELECT count(*) FROM outbox"), 1);
    rules_close(&rules);
}

Test(intake, the_index_refuses_a_second_active_booking_even_without_the_rules)
{
    struct rules rules;
    struct booking booking = {0};
    struct error error = {0};
    struct slot slot = {0};
    bool found = false;
    rules_open(&rules);
    cr_assert(book(&rules, "slot-1", &booking, &error), "%s", error.text);
    cr_assert(slot_find(rules.intake, "slot-1", &slot, &found, &error) && found);
    id_new(&rules.world, booking.id);
    cr_assert_not(intake_booking_add(rules.intake, &booking, slot.rowid, NOON, &error));
    cr_assert_eq(error.kind, ERROR_CONFLICT, "%s", error.text);
    rules_close(&rules);
}

Test(intake, cancelling_and_rejecting_free_the_slot_at_once)
{
    struct rules rules;
    struct booking booking = {0};
    struct error error = {0};
    rules_open(&rules);
    cr_assert(book(&rules, "slot-1", &booking, &error), "%s", error.text);
    cr_assert(cancel(&rules, booking.id, &booking, &error), "%s", error.text);
    cr_assert(book(&rules, "slot-1", &booking, &error), "after a cancel: %s", error.text);
    cr_assert(hear(&rules, EVENT_BOOKING_REJECTED, &booking, &error), "%s", error.text);
    cr_assert(book(&rules, "slot-1", &booking, &error), "after a reject: %s", error.text);
    cr_assert(hear(&rules, EVENT_BOOKING_CONFIRMED, &booking, &error), "%s", error.text);
    cr_assert_not(book(&rules, "slot-1", &booking, &error), "confirmed holds the slot");
    rules_close(&rules);
}

Test(intake, a_cancel_tells_the_other_worker_with_its_reason)
{
    struct rules rules;
    struct booking booking = {0};
    struct event event = {0};
    struct error error = {0};
    rules_open(&rules);
    cr_assert(book(&rules, "slot-1", &booking, &error), "%s", error.text);
    cr_assert(cancel(&rules, booking.id, &booking, &error), "%s", error.text);
    cr_assert(rules_last_event(rules.intake, &event));
    cr_assert_eq(event.type, EVENT_BOOKING_CANCELLED);
    cr_assert_str_eq(event.reason, "changed my mind");
    cr_assert_not(cancel(&rules, booking.id, &booking, &error));
    cr_assert_eq(error.kind, ERROR_CONFLICT);
    cr_assert_str_eq(error.text, "Cannot cancel booking with status: cancelled");
    rules_close(&rules);
}

Test(intake, a_rejected_booking_cannot_be_cancelled)
{
    struct rules rules;
    struct booking booking = {0};
    struct error error = {0};
    rules_open(&rules);
    cr_assert(book(&rules, "slot-1", &booking, &error), "%s", error.text);
    cr_assert(hear(&rules, EVENT_BOOKING_REJECTED, &booking, &error), "%s", error.text);
    cr_assert_not(cancel(&rules, booking.id, &booking, &error));
    cr_assert_str_eq(error.text, "Cannot cancel booking with status: rejected");
    rules_close(&rules);
}

Test(intake, a_late_confirmation_does_not_reopen_a_cancelled_booking)
{
    struct rules rules;
    struct booking booking = {0};
    struct error error = {0};
    rules_open(&rules);
    cr_assert(book(&rules, "slot-1", &booking, &error), "%s", error.text);
    cr_assert(cancel(&rules, booking.id, &booking, &error), "%s", error.text);
    cr_assert(hear(&rules, EVENT_BOOKING_CONFIRMED, &booking, &error), "%s", error.text);
    cr_assert_eq(status_of(&rules, booking.id), BOOKING_CANCELLED);
    cr_assert_eq(rules_count(rules.intake, "SELECT count(*) FROM audit"), 2);
    rules_close(&rules);
}

Test(intake, messages_it_must_not_believe_are_dead_lettered)
{
    struct rules rules;
    struct booking booking = {0};
    struct error error = {0};
    rules_open(&rules);
    cr_assert(book(&rules, "slot-1", &booking, &error), "%s", error.text);
    struct booking unknown = booking, stranger = booking;
    id_copy(unknown.id, "nobody-knows-me");
    id_copy(stranger.provider_id, "provider-2");
    const struct {
        const char *what;
        enum event_type type;
        const struct booking *booking;
    } cases[] = {{"an unknown booking", EVENT_BOOKING_CONFIRMED, &unknown},
                 {"another provider", EVENT_BOOKING_CONFIRMED, &stranger},
                 {"a create", EVENT_BOOKING_CREATED, &booking}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        error_clear(&error);
        cr_assert_not(hear(&rules, cases[i].type, cases[i].booking, &error), "%s", cases[i].what);
        cr_assert_not(error_policy(error.kind)->retry, "%s", cases[i].what);
    }
    cr_assert_eq(status_of(&rules, booking.id), BOOKING_PENDING);
    rules_close(&rules);
}

Test(intake, an_undecided_booking_expires_after_the_grace)
{
    struct rules rules;
    struct booking booking = {0};
    struct event event = {0};
    struct error error = {0};
    bool due = true;
    rules_open(&rules);
    cr_assert(book(&rules, "slot-1", &booking, &error), "%s", error.text);
    int64_t early = (NOON + INTAKE_EXPIRY_GRACE_S - 1) * 1000;
    cr_assert(intake_expiry_due(rules.intake, early, &due, &error) && !due);
    cr_assert(intake_expiry_due(rules.intake, early + 1000, &due, &error) && due);
    cr_assert(intake_expire(rules.intake, &rules.world, early + 1000, &error), "%s", error.text);
    cr_assert_eq(status_of(&rules, booking.id), BOOKING_CANCELLED);
    cr_assert(rules_last_event(rules.intake, &event));
    cr_assert_str_eq(event.reason, "expired");
    cr_assert(intake_expiry_due(rules.intake, early + 1000, &due, &error) && !due);
    rules_close(&rules);
}

Test(intake, a_confirmed_booking_and_one_booked_late_do_not_expire)
{
    struct rules rules;
    struct booking booking = {0};
    struct error error = {0};
    bool due = true;
    rules_open(&rules);
    rules_add_slot(&rules, "slot-old", "provider-1", NOON - 7200);
    const struct booking_order late = {.slot_id = "slot-old",
                                       .user_id = "user-1",
                                       .world = &rules.world,
                                       .now_ms = rules.now_ms,
                                       .allow_past = true};
    cr_assert(intake_book(rules.intake, &late, &booking, &error), "%s", error.text);
    cr_assert(book(&rules, "slot-1", &booking, &error), "%s", error.text);
    cr_assert(hear(&rules, EVENT_BOOKING_CONFIRMED, &booking, &error), "%s", error.text);
    cr_assert(intake_expiry_due(rules.intake, (NOON + 9999) * 1000, &due, &error) && !due);
    rules_close(&rules);
}
