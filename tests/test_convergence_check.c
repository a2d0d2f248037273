/* What convergence_check() says of two stores that have converged, of such that are on their way,
 * and of every damage that it names. Each case plants one and expects exactly what follows from it.
 */
#include "convergence.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "audit.h"
#include "buf.h"
#include "outbox.h"
#include "town_fixture.h"

static struct convergence check(struct town *town)
{
    struct convergence result = {0};
    struct error error = {0};
    cr_assert(convergence_check(town->rules.intake, town->rules.decision, &result, &error), "%s",
              error.text);
    return result;
}

static void say(struct buf *out, const char *name, int64_t count)
{
    if (count != 0)
        buf_printf(out, "%s%s %d", out->length ? ", " : "", name, (int)count);
}

static void say_counts(struct buf *out, const char *arrow, const struct convergence_counts *counts)
{
    const struct {
        const char *name;
        int64_t count;
    } all[] = {{"lost", counts->lost},
               {"dropped", counts->dropped},
               {"unexpected", counts->unexpected},
               {"duplicated", counts->duplicated}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "%s%s", arrow, all[i].name);
        say(out, name, all[i].count);
    }
}

/* Everything that is not as it should be, in one line. */
static void troubles(const struct convergence *result, struct buf *out)
{
    say(out, "intake broken at", result->intake_broken_at);
    say(out, "decision broken at", result->decision_broken_at);
    say_counts(out, ">", &result->requests);
    say_counts(out, "<", &result->confirmations);
    say(out, "differing", result->differing);
    say(out, "untold", result->untold);
    say(out, "down", result->moved_down);
    say(out, "double", result->double_booked);
    say(out, "unsent", result->unsent);
    say(out, "parked", result->parked);
}

static void expect_troubles(struct town *town, const char *name, const char *expected)
{
    struct buf found AUTO(buf_release) = {0};
    const struct convergence result = check(town);
    troubles(&result, &found);
    cr_expect_str_eq(buf_text(&found), expected, "%s: expected \"%s\", found \"%s\"", name,
                     expected, buf_text(&found));
    cr_expect_eq(result.converged, *expected == '\0', "%s", name);
}

static void expect_counts(const struct convergence_counts *counts, int64_t written,
                          const char *name)
{
    cr_expect_eq(counts->attempted, written, "%s: %d", name, (int)counts->attempted);
    cr_expect_eq(counts->acknowledged, written, "%s: %d", name, (int)counts->acknowledged);
    cr_expect_eq(counts->ok, written, "%s: %d", name, (int)counts->ok);
    cr_expect_eq(counts->recovered, 0, "%s", name);
}

Test(convergence_check, stores_that_tell_the_same_story_have_converged)
{
    struct town town AUTO(town_close) = {0};
    town_open(&town);
    const struct convergence result = check(&town);
    expect_troubles(&town, "at rest", "");
    expect_counts(&result.requests, BOOKINGS + 1, "requests");
    expect_counts(&result.confirmations, 4, "confirmations");
    cr_expect_eq(result.bookings, BOOKINGS);
    cr_expect_eq(result.intake_audit_rows, 6 + 6 + 3); /* two confirmations came too late */
    cr_expect_eq(result.decision_audit_rows, 6 + 4 + 4);
    cr_expect_str_empty(result.first_differing);
    cr_expect_str_empty(result.first_troubled);
    cr_expect_str_empty(result.first_double_booked);
}

Test(convergence_check, a_booking_on_its_way_is_unsent_and_then_lost_or_in_flight)
{
    struct town town AUTO(town_close) = {0};
    rules_open(&town.rules);
    expect_troubles(&town, "empty", "");
    town_book(&town, 0);
    expect_troubles(&town, "in the outbox", "differing 1, unsent 1");
    cr_expect_str_eq(check(&town).first_differing, town.ids[0]);
    town_send(&town, town.rules.intake, false);
    expect_troubles(&town, "in the queue", ">lost 1, differing 1");
}

Test(convergence_check, a_cancel_without_its_create_is_not_the_same_booking)
{
    struct town town AUTO(town_close) = {0};
    struct outbox_row rows[2];
    struct error error = {0};
    size_t count = 0;
    rules_open(&town.rules);
    town_book(&town, 0);
    town_cancel(&town, 0);
    cr_assert(outbox_load(town.rules.intake, 0, rows, 2, &count, &error) && count == 2);
    town_hear(&town, town.rules.decision, rows[1].body);
    expect_troubles(&town, "a tombstone", "differing 1, unsent 2");
    cr_assert(outbox_sent(town.rules.intake, &rows[0], 0, &error));
    cr_assert(outbox_sent(town.rules.intake, &rows[1], 0, &error));
    expect_troubles(&town, "its create is in flight", ">lost 1, differing 1");
    town_hear(&town, town.rules.decision, rows[0].body);
    expect_troubles(&town, "filled in", "");
    outbox_row_release(&rows[0]);
    outbox_row_release(&rows[1]);
}

Test(convergence_check, what_was_heard_before_the_answer_came_or_after_failed_tries_is_recovered)
{
    struct town town AUTO(town_close) = {0};
    struct outbox_row row;
    struct error error = {0};
    size_t count = 0;
    rules_open(&town.rules);
    town_book(&town, 0);
    cr_assert(outbox_load(town.rules.intake, 0, &row, 1, &count, &error) && count == 1);
    town_hear(&town, town.rules.decision, row.body);
    struct convergence result = check(&town);
    cr_expect_eq(result.requests.recovered, 1);
    cr_expect_eq(result.requests.acknowledged, 0);
    cr_expect_eq(result.requests.ok, 0);
    expect_troubles(&town, "heard, not noted", "unsent 1");
    cr_assert(outbox_failed(town.rules.intake, &row, "reset", 0, &error));
    cr_assert(outbox_sent(town.rules.intake, &row, 0, &error));
    result = check(&town);
    cr_expect_eq(result.requests.recovered, 1);
    cr_expect_eq(result.requests.attempted, 1);
    cr_expect_eq(result.requests.ok, 1);
    expect_troubles(&town, "noted", "");
    outbox_row_release(&row);
}

Test(convergence_check, a_parked_event_is_never_converged)
{
    struct town town AUTO(town_close) = {0};
    struct outbox_row row;
    struct error error = {0};
    size_t count = 0;
    rules_open(&town.rules);
    town_book(&town, 0);
    cr_assert(outbox_load(town.rules.intake, 0, &row, 1, &count, &error) && count == 1);
    cr_assert(outbox_park(town.rules.intake, &row, "too large", 0, &error));
    expect_troubles(&town, "parked", "differing 1, unsent 1, parked 1");
    outbox_row_release(&row);
}

/* --- damage by hand: SQL in one store, or in both --- */

#define FIRST(status) "(SELECT min(id) FROM bookings WHERE status = " #status ")"

static const struct {
    const char *name;
    const char *intake; /* SQL; NULL = left alone */
    const char *decision;
    const char *expected;
} DAMAGES[] = {
    {"a reason was edited", "UPDATE audit SET reason = 'x' WHERE sequence = 3", NULL,
     "intake broken at 3"},
    {"a row in the middle was removed", NULL, "DELETE FROM audit WHERE event = 'BOOKING_REJECTED'",
     "decision broken at 8, untold 1"},
    {"what was sent last was removed from the trail", "DELETE FROM audit WHERE sequence > 11", NULL,
     ">dropped 1, untold 3"},
    {"a booking was removed from intake", "DELETE FROM bookings WHERE id = " FIRST(1), NULL,
     "<lost 1, differing 1, untold 1"},
    {"a booking was removed from decision", NULL, "DELETE FROM bookings WHERE id = " FIRST(0),
     ">lost 1, differing 1, untold 1"},
    {"a booking was confirmed by hand", "UPDATE bookings SET status = 1 WHERE status = 0", NULL,
     "differing 1, untold 1"},
    {"a booking was reopened by hand", "UPDATE bookings SET status = 0 WHERE status = 1", NULL,
     "<lost 1, differing 1, untold 1"},
    {"the same lie in both", "UPDATE bookings SET status = 2 WHERE status = 1",
     "UPDATE bookings SET status = 2 WHERE status = 1", "<lost 1, untold 2"},
    {"a time was changed", NULL, "UPDATE bookings SET start_s = start_s + 60 WHERE status = 0",
     "differing 1"},
    {"an end was changed", "UPDATE bookings SET end_s = end_s + 60 WHERE status = 0", NULL,
     "differing 1"},
    {"a user was changed", NULL, "UPDATE bookings SET user_id = 'x' WHERE status = 0",
     "differing 1"},
    {"a provider was changed", NULL, "UPDATE bookings SET provider_id = 'x' WHERE status = 0",
     "differing 1"},
    {"a slot was changed", NULL, "UPDATE bookings SET slot_id = 'x' WHERE status = 0",
     "differing 1"},
    {"an outbox row was left", NULL,
     "INSERT INTO outbox (booking_id, provider_id, event_id, traceparent, type, created_ms, body)"
     " SELECT booking_id, provider_id, event_id, '', event, 0, '' FROM audit"
     " WHERE event = 'BOOKING_CONFIRMED' LIMIT 1",
     "unsent 1"},
};

Test(convergence_check, every_damage_by_hand_is_found)
{
    for (size_t i = 0; i < sizeof DAMAGES / sizeof *DAMAGES; i++) {
        struct town town AUTO(town_close) = {0};
        struct error error = {0};
        town_open(&town);
        cr_assert(!DAMAGES[i].intake ||
                      db_run(town.rules.intake, DAMAGES[i].intake, BIND_NOTHING, &error),
                  "%s: %s", DAMAGES[i].name, error.text);
        cr_assert(!DAMAGES[i].decision ||
                      db_run(town.rules.decision, DAMAGES[i].decision, BIND_NOTHING, &error),
                  "%s: %s", DAMAGES[i].name, error.text);
        expect_troubles(&town, DAMAGES[i].name, DAMAGES[i].expected);
    }
}

/* --- damage that leaves the chain whole: a trail that was written anew --- */

static void forge(struct db *db, const struct audit_entry *entry)
{
    struct audit_entry row = *entry;
    struct error error = {0};
    cr_assert(audit_append(db, &row, &error), "%s", error.text);
}

static void run(struct db *db, const char *sql)
{
    struct error error = {0};
    cr_assert(db_run(db, sql, BIND_NOTHING, &error), "%s: %s", sql, error.text);
}

/* The step of a booking that begins in `from`, so that it can be told again. */
struct step_search {
    enum booking_status from;
    struct audit_entry found;
};

static void see_step(void *context, const struct audit_entry *entry)
{
    struct step_search *search = context;
    if (entry->from == search->from && entry->from != entry->to)
        search->found = *entry;
}

static struct audit_entry step_of(struct db *db, const char *id, enum booking_status from)
{
    struct step_search search = {.from = from};
    struct error error = {0};
    cr_assert(audit_of_booking(db, id, see_step, &search, &error), "%s", error.text);
    cr_assert(search.found.sequence > 0);
    return search.found;
}

Test(convergence_check, an_event_that_was_applied_twice_is_found)
{
    struct town town AUTO(town_close) = {0};
    town_open(&town);
    const struct audit_entry step = step_of(town.rules.intake, town.ids[0], BOOKING_PENDING);
    forge(town.rules.intake, &step);
    expect_troubles(&town, "twice", "<duplicated 1, down 1");
    cr_expect_str_eq(check(&town).first_troubled, town.ids[0]);
}

Test(convergence_check, an_event_that_nobody_wrote_is_found_whoever_is_said_to_have_sent_it)
{
    static const struct {
        const char *event;
        const char *actor;
        enum booking_status to;
        bool to_intake;
        const char *expected;
    } CASES[] = {
        {"BOOKING_CONFIRMED", "provider", BOOKING_CONFIRMED, true, "<unexpected 1, differing 1"},
        {"BOOKING_REJECTED", "provider", BOOKING_REJECTED, true, "<unexpected 1, differing 1"},
        {"BOOKING_CANCELLED", "provider", BOOKING_CANCELLED, true, "<unexpected 1, differing 1"},
        {"BOOKING_CANCELLED", "user", BOOKING_CANCELLED, true, ">lost 1, >dropped 1, differing 1"},
        {"BOOKING_CANCELLED", "user", BOOKING_CANCELLED, false, ">unexpected 1, differing 1"},
        {"BOOKING_CANCELLED", "a name", BOOKING_CANCELLED, false,
         "<lost 1, <dropped 1, differing 1"},
        {"BOOKING_CONFIRMED", "provider", BOOKING_CONFIRMED, false,
         "<lost 1, <dropped 1, differing 1"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct town town AUTO(town_close) = {0};
        struct audit_entry entry = {
            .from = BOOKING_PENDING, .to = CASES[i].to, .event_id = "forged"};
        town_open(&town);
        struct db *db = CASES[i].to_intake ? town.rules.intake : town.rules.decision;
        id_copy(entry.booking_id, town.ids[4]);
        (void)snprintf(entry.actor, sizeof entry.actor, "%s", CASES[i].actor);
        (void)snprintf(entry.event, sizeof entry.event, "%s", CASES[i].event);
        forge(db, &entry);
        cr_assert(db_run(db, "UPDATE bookings SET status = ? WHERE status = 0",
                         BIND(db_int(CASES[i].to)), &(struct error){0}));
        expect_troubles(&town, CASES[i].event, CASES[i].expected);
    }
}

Test(convergence_check, a_create_that_nobody_wrote_is_found)
{
    struct town town AUTO(town_close) = {0};
    town_open(&town);
    town_hear(&town, town.rules.decision,
              "{\"bookingId\":\"b-x\",\"userId\":\"u\",\"providerId\":\"p\",\"slotId\":\"s\","
              "\"slotStart\":\"2026-02-19T10:00:00Z\",\"slotEnd\":\"2026-02-19T11:00:00Z\","
              "\"eventType\":\"BOOKING_CREATED\",\"timestamp\":\"2026-02-19T09:00:00Z\"}");
    expect_troubles(&town, "another producer's", ">unexpected 1, differing 1");
    cr_expect_str_eq(check(&town).first_differing, "b-x");
    cr_expect_eq(check(&town).bookings, BOOKINGS + 1);
}

Test(convergence_check, a_step_that_goes_down_sideways_or_does_not_follow_is_found)
{
    static const struct {
        const char *name;
        int number;
        enum booking_status from, to;
        const char *event;
        const char *expected;
    } CASES[] = {
        {"down", 0, BOOKING_CONFIRMED, BOOKING_PENDING, "BOOKING_CREATED", "untold 1, down 1"},
        {"sideways", 0, BOOKING_CONFIRMED, BOOKING_REJECTED, "BOOKING_REJECTED",
         "untold 1, down 1"},
        {"on the spot", 0, BOOKING_CONFIRMED, BOOKING_CONFIRMED, "BOOKING_CREATED", "down 1"},
        {"cancelled again", 2, BOOKING_CANCELLED, BOOKING_CANCELLED, "BOOKING_CANCELLED", "down 1"},
        {"from where it was not", 0, BOOKING_PENDING, BOOKING_CANCELLED, "BOOKING_CANCELLED",
         "untold 1, down 1"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct town town AUTO(town_close) = {0};
        town_open(&town);
        struct audit_entry entry = {.from = CASES[i].from, .to = CASES[i].to};
        id_copy(entry.booking_id, town.ids[CASES[i].number]);
        (void)snprintf(entry.event, sizeof entry.event, "%s", CASES[i].event);
        /* by an event that this store has written, so that only the step is wrong */
        id_copy(entry.event_id,
                step_of(town.rules.intake, town.ids[CASES[i].number], BOOKING_ABSENT).event_id);
        forge(town.rules.intake, &entry);
        expect_troubles(&town, CASES[i].name, CASES[i].expected);
    }
}

Test(convergence_check, a_slot_that_is_booked_twice_is_found_and_named)
{
    struct town town AUTO(town_close) = {0};
    struct buf found AUTO(buf_release) = {0};
    town_open(&town);
    run(town.rules.intake, "DROP INDEX one_active_booking_of_a_slot");
    run(town.rules.intake, "UPDATE bookings SET slot = (SELECT slot FROM bookings WHERE status = 1)"
                           " WHERE status <> 1");
    const struct convergence result = check(&town);
    troubles(&result, &found);
    cr_expect_str_eq(buf_text(&found), "double 1");
    cr_expect_str_eq(result.first_double_booked, "slot-1");
    cr_expect_not(result.converged);
}

Test(convergence_check, a_row_that_is_none_of_ours_is_an_error_that_names_it)
{
    static const struct {
        const char *sql;
        const char *text;
    } CASES[] = {
        {"UPDATE audit SET to_status = 9 WHERE sequence = 2", "audit row 2 is damaged"},
        {"UPDATE bookings SET status = 9 WHERE status = 0", "booking "},
        {"UPDATE bookings SET status = -1 WHERE status = 0", "booking "},
        {"UPDATE bookings SET user_id = hex(zeroblob(65)) WHERE status = 0", "booking "},
        {"UPDATE bookings SET provider_id = 'a' || char(0) WHERE status = 0", "booking "},
        {"UPDATE bookings SET id = hex(zeroblob(65)) WHERE status = 0", "id is damaged"},
        {"INSERT INTO outbox (booking_id, provider_id, event_id, traceparent, type, created_ms,"
         " body) VALUES ('b', '', hex(zeroblob(65)), '', 'BOOKING_CREATED', 0, '')",
         "outbox row of booking b"},
        {"INSERT INTO outbox (booking_id, provider_id, event_id, traceparent, type, created_ms,"
         " body) VALUES ('b', '', 'e', '', 'BOOKING_LOST', 0, '')",
         "outbox row of booking b"},
    };
    for (size_t i = 0; i < 2 * sizeof CASES / sizeof *CASES; i++) {
        struct town town AUTO(town_close) = {0};
        struct convergence result = {0};
        struct error error = {0};
        town_open(&town);
        struct db *db = i % 2 == 0 ? town.rules.intake : town.rules.decision;
        run(db, "PRAGMA ignore_check_constraints = ON");
        run(db, CASES[i / 2].sql);
        cr_expect_not(convergence_check(town.rules.intake, town.rules.decision, &result, &error));
        cr_expect_eq(error.kind, ERROR_DAMAGED, "%s: %s", CASES[i / 2].sql, error.text);
        cr_expect(strstr(error.text, CASES[i / 2].text), "%s: %s", CASES[i / 2].sql, error.text);
        cr_expect_eq(result.bookings, 0);
    }
}
