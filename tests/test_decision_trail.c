/* What the rules of the decision worker write into the trail and tell the other worker: every field
 * of it. */
#include "decision.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "audit.h"
#include "rules_fixture.h"

/* So that both effects are seen to be set. */
#define NEITHER ((enum consumer_effect)99)

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
    enum consumer_effect effect = NEITHER;
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

/* What the trail must say of a step of b-1 at this moment. */
static struct audit_entry step(const struct rules *rules, enum booking_status from,
                               enum booking_status to)
{
    return (struct audit_entry){.at_ms = rules->now_ms,
                                .booking_id = "b-1",
                                .provider_id = "provider-1",
                                .from = from,
                                .to = to};
}

static void by(struct audit_entry *entry, const char *actor, const char *event, const char *reason)
{
    (void)snprintf(entry->actor, sizeof entry->actor, "%s", actor);
    (void)snprintf(entry->event, sizeof entry->event, "%s", event);
    (void)snprintf(entry->reason, sizeof entry->reason, "%s", reason);
}

/* The newest event is of this moment, and the trail names it. */
static void expect_told(struct rules *rules, struct audit_entry expected, struct event *event)
{
    cr_assert(rules_last_event(rules->decision, event));
    cr_expect_str_eq(event_type_name(event->type), expected.event);
    cr_expect_str_eq(event->booking.id, "b-1");
    cr_expect_str_eq(event->booking.provider_id, "provider-1");
    cr_expect_eq(event->at_s, rules->now_ms / 1000);
    id_copy(expected.event_id, event->id);
    rules_expect_step(rules->decision, &expected);
}

static struct decision_record record_of(struct rules *rules)
{
    struct decision_record record = {0};
    struct error error = {0};
    bool found = false;
    cr_assert(decision_find(rules->decision, "b-1", &record, &found, &error) && found);
    return record;
}

static void expect_decided(struct rules *rules, const char *name, const char *reason)
{
    const struct decision_record record = record_of(rules);
    cr_expect_str_eq(record.decided_by, name);
    cr_expect_str_eq(record.reason, reason);
    cr_expect_eq(record.decided_s, rules->now_ms / 1000);
}

Test(decision_trail, what_the_provider_decides_is_told_whole_here_and_to_the_other_worker)
{
    static const struct {
        enum booking_command command;
        enum booking_status from, to;
        const char *event, *reason;
    } CASES[] = {
        {BOOKING_ACCEPT, BOOKING_PENDING, BOOKING_CONFIRMED, "BOOKING_CONFIRMED", ""},
        {BOOKING_WITHDRAW, BOOKING_CONFIRMED, BOOKING_CANCELLED, "BOOKING_CANCELLED", "so be it"},
    };
    struct rules rules;
    struct decision_record record = {0};
    struct error error = {0};
    struct event event = {0};
    rules_open(&rules);
    (void)hear(&rules, created(&rules, "b-1"));
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        rules.now_ms += 1789;
        cr_assert(decide(&rules, CASES[i].command, "provider-1", &record, &error), "%s",
                  error.text);
        cr_expect_eq(record.booking.status, CASES[i].to);
        cr_expect_not(record.delivered);
        struct audit_entry expected = step(&rules, CASES[i].from, CASES[i].to);
        by(&expected, "front desk", CASES[i].event, "so be it");
        expect_told(&rules, expected, &event);
        cr_expect_str_eq(event.reason, CASES[i].reason); /* a confirmation carries none */
        expect_decided(&rules, "front desk", "so be it");
        cr_assert(db_run(rules.decision, "DELETE FROM outbox", BIND_NOTHING, &error)); /* sent */
    }
    cr_expect_eq(event.cancelled_by, ACTOR_PROVIDER);
    rules_close(&rules);
}

Test(decision_trail, a_decision_needs_no_reason)
{
    struct rules rules;
    struct decision_record record = {0};
    struct error error = {0};
    rules_open(&rules);
    (void)hear(&rules, created(&rules, "b-1"));
    const struct decision decision = {BOOKING_REJECT, "provider-1", "b-1",       "provider",
                                      NULL,           &rules.world, rules.now_ms};
    cr_assert(decision_make(rules.decision, &decision, &record, &error), "%s", error.text);
    expect_decided(&rules, "provider", "");
    rules_close(&rules);
}

Test(decision_trail, every_due_booking_expires_and_says_that_it_was_the_system)
{
    struct rules rules;
    struct error error = {0};
    struct event event = {0};
    bool due = true;
    rules_open(&rules);
    struct event other = created(&rules, "b-0");
    other.booking.start_s = NOON - 60;
    (void)hear(&rules, other);
    (void)hear(&rules, created(&rules, "b-1"));
    rules.now_ms = NOON * 1000 - 60001;
    cr_assert(decision_expiry_due(rules.decision, rules.now_ms, &due, &error) && !due);
    cr_assert(decision_expire(rules.decision, &rules.world, rules.now_ms, &error), "%s",
              error.text);
    cr_expect_eq(rules_count(rules.decision, "SELECT count(*) FROM bookings WHERE status = 0"), 2);
    rules.now_ms = NOON * 1000 + 7;
    cr_assert(decision_expiry_due(rules.decision, rules.now_ms, &due, &error) && due);
    cr_assert(decision_expire(rules.decision, &rules.world, rules.now_ms, &error), "%s",
              error.text);
    cr_expect_eq(rules_count(rules.decision, "SELECT count(*) FROM bookings WHERE status = 3"), 2);
    struct audit_entry expected = step(&rules, BOOKING_PENDING, BOOKING_CANCELLED);
    by(&expected, "system", "BOOKING_CANCELLED", "expired");
    expect_told(&rules, expected, &event);
    cr_expect_eq(event.cancelled_by, ACTOR_SYSTEM);
    cr_expect_str_eq(event.reason, "expired");
    expect_decided(&rules, "system", "expired");
    cr_assert(decision_expiry_due(rules.decision, rules.now_ms, &due, &error) && !due);
    rules_close(&rules);
}

Test(decision_trail,
     a_booking_that_has_expired_reads_as_cancelled_by_the_system_when_its_slot_started)
{
    struct rules rules;
    struct decision_record record = {0};
    struct error error = {0};
    rules_open(&rules);
    (void)hear(&rules, created(&rules, "b-1"));
    rules.now_ms = NOON * 1000 - 1;
    cr_assert(decide(&rules, BOOKING_ACCEPT, "provider-1", &record, &error), "%s", error.text);
    rules.now_ms = (NOON + 99) * 1000;
    cr_assert_not(decide(&rules, BOOKING_ACCEPT, "provider-1", &record, &error));
    cr_expect_str_eq(error.text, "Cannot accept booking with status: confirmed");
    cr_expect_str_eq(record.decided_by, "front desk");
    rules_close(&rules);

    rules_open(&rules);
    (void)hear(&rules, created(&rules, "b-1"));
    rules.now_ms = (NOON + 99) * 1000;
    cr_assert_not(decide(&rules, BOOKING_REJECT, "provider-1", &record, &error));
    cr_expect_eq(record.booking.status, BOOKING_CANCELLED);
    cr_expect_str_eq(record.decided_by, "system");
    cr_expect_eq(record.decided_s, NOON);
    rules_close(&rules);
}

Test(decision_trail, what_is_heard_is_told_under_the_events_own_id_and_sent_to_nobody)
{
    struct rules rules;
    rules_open(&rules);
    rules.now_ms += 1789;
    struct event create = created(&rules, "b-1");
    (void)snprintf(create.user_name, sizeof create.user_name, "Zoe");
    cr_expect_eq(hear(&rules, create), EFFECT_APPLIED);
    struct audit_entry expected = step(&rules, BOOKING_ABSENT, BOOKING_PENDING);
    by(&expected, "user", "BOOKING_CREATED", "");
    id_copy(expected.event_id, create.id);
    rules_expect_step(rules.decision, &expected);
    struct decision_record record = record_of(&rules);
    cr_expect_str_eq(record.user_name, "Zoe");
    cr_expect_eq(record.received_s, rules.now_ms / 1000);
    cr_expect_eq(record.decided_s, 0);
    cr_expect_str_empty(record.decided_by);

    rules.now_ms += 5000;
    struct event cancel = cancelled(&rules, "b-1");
    cr_expect_eq(hear(&rules, cancel), EFFECT_APPLIED);
    expected = step(&rules, BOOKING_PENDING, BOOKING_CANCELLED);
    by(&expected, "user", "BOOKING_CANCELLED", "ill");
    id_copy(expected.event_id, cancel.id);
    rules_expect_step(rules.decision, &expected);
    expect_decided(&rules, "user", "ill");
    cr_expect_eq(hear(&rules, cancel), EFFECT_DUPLICATE);
    cr_expect_eq(rules_count(rules.decision, "SELECT count(*) FROM audit"), 2);
    cr_expect_eq(rules_count(rules.decision, "SELECT count(*) FROM outbox"), 0);
    rules_close(&rules);
}

Test(decision_trail, a_tombstone_and_its_create_are_told_whole)
{
    struct rules rules;
    rules_open(&rules);
    struct event cancel = cancelled(&rules, "b-1");
    cancel.cancelled_by = ACTOR_SYSTEM;
    (void)hear(&rules, cancel);
    struct audit_entry expected = step(&rules, BOOKING_ABSENT, BOOKING_CANCELLED);
    by(&expected, "system", "BOOKING_CANCELLED", "ill");
    id_copy(expected.event_id, cancel.id);
    rules_expect_step(rules.decision, &expected);
    expect_decided(&rules, "system", "ill");
    cr_expect_eq(record_of(&rules).received_s, rules.now_ms / 1000);

    const int64_t cancelled_ms = rules.now_ms;
    rules.now_ms += 9000;
    struct event create = created(&rules, "b-1");
    (void)snprintf(create.user_name, sizeof create.user_name, "Zoe");
    (void)hear(&rules, create);
    expected = step(&rules, BOOKING_CANCELLED, BOOKING_CANCELLED);
    by(&expected, "system", "BOOKING_CREATED", "ill");
    id_copy(expected.event_id, create.id);
    rules_expect_step(rules.decision, &expected);
    cr_expect_str_eq(record_of(&rules).user_name, "Zoe");
    cr_expect_eq(record_of(&rules).decided_s, cancelled_ms / 1000);
    rules_close(&rules);
}

Test(decision_trail, a_cancel_of_what_is_decided_keeps_who_cancelled)
{
    struct rules rules;
    struct decision_record record = {0};
    struct error error = {0};
    rules_open(&rules);
    (void)hear(&rules, created(&rules, "b-1"));
    cr_assert(decide(&rules, BOOKING_REJECT, "provider-1", &record, &error), "%s", error.text);
    struct event cancel = cancelled(&rules, "b-1");
    cancel.cancelled_by = ACTOR_SYSTEM;
    cr_expect_eq(hear(&rules, cancel), EFFECT_APPLIED);
    expect_decided(&rules, "system", "ill");
    cr_expect_eq(record_of(&rules).booking.status, BOOKING_CANCELLED);
    rules_close(&rules);
}

Test(decision_trail, what_it_must_not_believe_is_refused_by_name)
{
    struct rules rules;
    struct error error = {0};
    enum consumer_effect effect;
    rules_open(&rules);
    (void)hear(&rules, created(&rules, "b-1"));
    struct event event = cancelled(&rules, "b-1");
    id_copy(event.booking.provider_id, "provider-2");
    cr_expect_not(decision_hear(NULL, rules.decision, &event, 0, &effect, &error));
    cr_expect_eq(error.kind, ERROR_INVALID);
    cr_expect_str_eq(error.text, "BOOKING_CANCELLED of b-1 names another provider");
    error_clear(&error);
    event.type = EVENT_BOOKING_REJECTED;
    cr_expect_not(decision_hear(NULL, rules.decision, &event, 0, &effect, &error));
    cr_expect_eq(error.kind, ERROR_INVALID);
    cr_expect_str_eq(error.text, "BOOKING_REJECTED does not belong on this queue");
    rules_close(&rules);
}

Test(decision_trail, no_more_than_a_batch_expires_at_once)
{
    struct rules rules;
    struct error error = {0};
    char id[32];
    rules_open(&rules);
    for (int i = 0; i <= DECISION_EXPIRY_BATCH; i++) {
        (void)snprintf(id, sizeof id, "b-%d", i);
        (void)hear(&rules, created(&rules, id));
    }
    for (int left = 1; left >= 0; left--) {
        cr_assert(decision_expire(rules.decision, &rules.world, NOON * 1000, &error), "%s",
                  error.text);
        cr_expect_eq(rules_count(rules.decision, "SELECT count(*) FROM bookings WHERE status = 0"),
                     left);
    }
    rules_close(&rules);
}
