/* The rules of the decision worker. */
#include "decision.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "rules_fixture.h"

static struct event created(struct rules *rules, const char *id)
{
    struct event event = {.type = EVENT_BOOKING_CREATED, .at_s = NOON - 3600};
    id_new(&rules->world, event.id);
    id_copy(event.booking.id, id);
    id_copy(event.booking.user_id, "user-1");
    id_copy(event.booking.provider_id, "provider-1");
    id_copy(event.booking.slot_id, "slot-1");
    event.booking.start_s = NOON;
    event.booking.end_s = NOON + 1800;
    return event;
}

static struct event cancelled(struct rules *rules, const char *id)
{
    struct event event = created(rules, id);
    event.type = EVENT_BOOKING_CANCELLED;
    event.booking.start_s = event.booking.end_s = 0;
    (void)snprintf(event.reason, sizeof event.reason, "ill");
    return event;
}

static enum consumer_effect hear(struct rules *rules, struct event event)
{
    struct error error = {0};
    enum consumer_effect effect = EFFECT_DUPLICATE;
    cr_assert(decision_hear(NULL, rules->decision, &event, rules->now_ms, &effect, &error), "%s",
              error.text);
    return effect;
}

static bool decide(struct rules *rules, enum booking_command command, const char *provider,
                   struct decision_record *record, struct error *error)
{
    const struct decision decision = {.command = command,
                                      .provider_id = provider,
                                      .booking_id = "b-1",
                                      .actor = "front desk",
                                      .reason = "so be it",
                                      .world = &rules->world,
                                      .now_ms = rules->now_ms};
    return decision_make(rules->decision, &decision, record, error);
}

Test(decision, a_created_booking_is_in_the_inbox_once)
{
    struct rules rules;
    rules_open(&rules);
    struct event event = created(&rules, "b-1");
    cr_assert_eq(hear(&rules, event), EFFECT_APPLIED);
    cr_assert_eq(hear(&rules, event), EFFECT_DUPLICATE);
    cr_assert_eq(rules_count(rules.decision, "SELECT count(*) FROM bookings WHERE status = 0"), 1);
    cr_assert_eq(rules_count(rules.decision, "SELECT count(*) FROM audit"), 1);
    rules_close(&rules);
}

Test(decision, each_command_makes_its_event_and_only_from_its_states)
{
    static const struct {
        const char *what;
        enum booking_command first, second;
        enum event_type event;
        const char *refusal;
    } cases[] = {
        {"accept", BOOKING_ACCEPT, BOOKING_ACCEPT, EVENT_BOOKING_CONFIRMED,
         "Cannot accept booking with status: confirmed"},
        {"reject", BOOKING_REJECT, BOOKING_ACCEPT, EVENT_BOOKING_REJECTED,
         "Cannot accept booking with status: rejected"},
        {"accept, reject", BOOKING_ACCEPT, BOOKING_REJECT, EVENT_BOOKING_CONFIRMED,
         "Cannot reject booking with status: confirmed"},
        {"reject, withdraw", BOOKING_REJECT, BOOKING_WITHDRAW, EVENT_BOOKING_REJECTED,
         "Cannot cancel booking with status: rejected"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rules rules;
        struct decision_record record = {0};
        struct event event = {0};
        struct error error = {0};
        rules_open(&rules);
        (void)hear(&rules, created(&rules, "b-1"));
        cr_assert(decide(&rules, cases[i].first, "provider-1", &record, &error), "%s: %s",
                  cases[i].what, error.text);
        cr_assert(rules_last_event(rules.decision, &event), "%s", cases[i].what);
        cr_assert_eq(event.type, cases[i].event, "%s", cases[i].what);
        cr_assert_not(decide(&rules, cases[i].second, "provider-1", &record, &error));
        cr_assert_eq(error.kind, ERROR_CONFLICT, "%s", cases[i].what);
        cr_assert_str_eq(error.text, cases[i].refusal, "%s", cases[i].what);
        cr_assert_str_eq(record.decided_by, "front desk", "%s", cases[i].what);
        cr_assert_eq(rules_count(rules.decision, "SELECT count(*) FROM outbox"), 1);
        rules_close(&rules);
    }
}

Test(decision, a_confirmed_booking_can_be_withdrawn_and_a_pending_one_cannot)
{
    struct rules rules;
    struct decision_record record = {0};
    struct event event = {0};
    struct error error = {0};
    rules_open(&rules);
    (void)hear(&rules, created(&rules, "b-1"));
    cr_assert_not(decide(&rules, BOOKING_WITHDRAW, "provider-1", &record, &error));
    cr_assert_str_eq(error.text, "Cannot cancel booking with status: pending");
    error_clear(&error);
    cr_assert(decide(&rules, BOOKING_ACCEPT, "provider-1", &record, &error), "%s", error.text);
    cr_assert(decide(&rules, BOOKING_WITHDRAW, "provider-1", &record, &error), "%s", error.text);
    cr_assert(rules_last_event(rules.decision, &event));
    cr_assert_eq(event.type, EVENT_BOOKING_CANCELLED);
    cr_assert_str_eq(event.reason, "so be it");
    rules_close(&rules);
}

Test(decision, another_providers_booking_reads_like_an_absent_one)
{
    struct rules rules;
    struct decision_record record = {0};
    struct error absent = {0};
    struct error foreign = {0};
    rules_open(&rules);
    cr_assert_not(decide(&rules, BOOKING_ACCEPT, "provider-1", &record, &absent));
    (void)hear(&rules, created(&rules, "b-1"));
    cr_assert_not(decide(&rules, BOOKING_ACCEPT, "provider-2", &record, &foreign));
    cr_assert_eq(absent.kind, ERROR_NOT_FOUND);
    cr_assert_eq(foreign.kind, absent.kind);
    cr_assert_str_eq(foreign.text, absent.text);
    rules_close(&rules);
}

Test(decision, a_cancel_before_its_create_leaves_a_tombstone_that_is_filled_in)
{
    struct rules rules;
    struct decision_record record = {0};
    struct error error = {0};
    bool found = false;
    rules_open(&rules);
    cr_assert_eq(hear(&rules, cancelled(&rules, "b-1")), EFFECT_APPLIED);
    cr_assert_eq(hear(&rules, created(&rules, "b-1")), EFFECT_APPLIED);
    cr_assert(decision_find(rules.decision, "b-1", &record, &found, &error) && found);
    cr_assert_eq(record.booking.status, BOOKING_CANCELLED);
    cr_assert_eq(record.booking.start_s, NOON);
    cr_assert_str_eq(record.reason, "ill");
    cr_assert_eq(hear(&rules, created(&rules, "b-1")), EFFECT_DUPLICATE);
    rules_close(&rules);
}

Test(decision, nothing_can_be_decided_once_the_slot_has_started)
{
    struct rules rules;
    struct decision_record record = {0};
    struct error error = {0};
    bool due = false;
    rules_open(&rules);
    (void)hear(&rules, created(&rules, "b-1"));
    rules.now_ms = NOON * 1000;
    cr_assert_not(decide(&rules, BOOKING_ACCEPT, "provider-1", &record, &error));
    cr_assert_str_eq(error.text, "Cannot accept booking with status: cancelled");
    cr_assert_str_eq(record.reason, "expired");
    cr_assert(decision_expiry_due(rules.decision, rules.now_ms, &due, &error) && due);
    error_clear(&error);
    cr_assert(decision_expire(rules.decision, &rules.world, rules.now_ms, &error), "%s",
              error.text);
    cr_assert_eq(rules_count(rules.decision, "SELECT count(*) FROM bookings WHERE status = 3"), 1);
    cr_assert_eq(rules_count(rules.decision, "SELECT count(*) FROM outbox"), 1);
    rules_close(&rules);
}

Test(decision, a_booking_that_arrives_after_its_slot_started_is_still_the_providers_to_decide)
{
    struct rules rules;
    struct decision_record record = {0};
    struct error error = {0};
    bool due = true;
    rules_open(&rules);
    rules.now_ms = (NOON + 60) * 1000;
    (void)hear(&rules, created(&rules, "b-1"));
    cr_assert(decision_expiry_due(rules.decision, rules.now_ms, &due, &error) && !due);
    cr_assert(decide(&rules, BOOKING_ACCEPT, "provider-1", &record, &error), "%s", error.text);
    rules_close(&rules);
}

Test(decision, a_booking_that_arrives_when_its_slot_starts_is_the_providers_to_decide)
{
    struct rules rules;
    struct decision_record record = {0};
    struct error error = {0};
    rules_open(&rules);
    rules.now_ms = NOON * 1000;
    (void)hear(&rules, created(&rules, "b-1"));
    cr_assert(decide(&rules, BOOKING_ACCEPT, "provider-1", &record, &error), "%s", error.text);
    rules_close(&rules);
}

Test(decision, messages_it_must_not_believe_are_dead_lettered)
{
    struct rules rules;
    struct error error = {0};
    enum consumer_effect effect;
    rules_open(&rules);
    (void)hear(&rules, created(&rules, "b-1"));
    struct event stranger = cancelled(&rules, "b-1"), wrong = created(&rules, "b-1");
    id_copy(stranger.booking.provider_id, "provider-2");
    wrong.type = EVENT_BOOKING_CONFIRMED;
    cr_assert_not(decision_hear(NULL, rules.decision, &stranger, 0, &effect, &error));
    cr_assert_not(error_policy(error.kind)->retry);
    error_clear(&error);
    cr_assert_not(decision_hear(NULL, rules.decision, &wrong, 0, &effect, &error));
    cr_assert_not(error_policy(error.kind)->retry);
    rules_close(&rules);
}
