/* The operations, each a function that can fail. Knows nothing of how they are made to. */
#include "failure_operations.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "attempts.h"
#include "audit.h"
#include "convergence.h"
#include "decision.h"
#include "idempotency.h"
#include "intake.h"
#include "intake_store.h"
#include "notices.h"
#include "outbox.h"

enum { MANY = 8 };

static void book(struct failure_bench *bench, int number, char id[ID_SIZE])
{
    char slot[32];
    struct booking booking = {0};
    struct error error = {0};
    (void)snprintf(slot, sizeof slot, "slot-%d", number);
    if (number > 1)
        rules_add_slot(&bench->rules, slot, "provider-1", NOON);
    const struct booking_order order = {slot, "user-1", &bench->rules.world, bench->rules.now_ms,
                                        false};
    cr_assert(intake_book(bench->rules.intake, &order, &booking, &error), "%s", error.text);
    id_copy(id, booking.id);
}

static void hear(struct failure_bench *bench, struct db *db, const struct event *event)
{
    struct error error = {0};
    enum consumer_effect effect = EFFECT_DUPLICATE;
    consumer_handle_fn *const handle = db == bench->rules.intake ? intake_hear : decision_hear;
    cr_assert(handle(NULL, db, event, bench->rules.now_ms, &effect, &error), "%s", error.text);
}

static bool decide(struct failure_bench *bench, const char *id, enum booking_command command,
                   struct error *error)
{
    struct decision_record record = {0};
    const struct decision decision = {
        command, "provider-1", id, "provider", "why", &bench->rules.world, bench->rules.now_ms};
    return decision_make(bench->rules.decision, &decision, &record, error);
}

static bool cancel(struct failure_bench *bench, const char *id, struct error *error)
{
    struct booking booking = {0};
    const struct booking_cancel order = {id, "why", &bench->rules.world, bench->rules.now_ms};
    return intake_cancel(bench->rules.intake, &order, &booking, error);
}

static void add_user(struct failure_bench *bench)
{
    struct person person = {.name = "Zoe"};
    struct error error = {0};
    bool created = false;
    id_copy(person.id, "user-1");
    cr_assert(person_put(bench->rules.intake, PERSON_USER, &person, &created, &error));
}

void failure_bench_open(struct failure_bench *bench)
{
    struct event event;
    struct error error = {0};
    *bench = (struct failure_bench){0};
    rules_open(&bench->rules);
    add_user(bench);
    book(bench, 1, bench->pending);
    cr_assert(rules_last_event(bench->rules.intake, &event));
    hear(bench, bench->rules.decision, &event);
    book(bench, 2, bench->confirmed);
    cr_assert(rules_last_event(bench->rules.intake, &event));
    hear(bench, bench->rules.decision, &event);
    cr_assert(decide(bench, bench->confirmed, BOOKING_ACCEPT, &error), "%s", error.text);
    cr_assert(rules_last_event(bench->rules.decision, &bench->answer));
    book(bench, 3, bench->unheard);
    cr_assert(rules_last_event(bench->rules.intake, &bench->create));
    book(bench, 4, bench->tombstone);
    cr_assert(rules_last_event(bench->rules.intake, &bench->fill));
    cr_assert(cancel(bench, bench->tombstone, &error), "%s", error.text);
    cr_assert(rules_last_event(bench->rules.intake, &event));
    hear(bench, bench->rules.decision, &event);
    rules_add_slot(&bench->rules, "slot-free", "provider-1", NOON);
}

void failure_bench_close(struct failure_bench *bench)
{
    rules_close(&bench->rules);
}

/* --- the operations --- */

static bool book_free(struct failure_bench *bench, struct error *error)
{
    struct booking booking = {0};
    const struct booking_order order = {"slot-free", "user-1", &bench->rules.world,
                                        bench->rules.now_ms, false};
    return intake_book(bench->rules.intake, &order, &booking, error);
}

static bool cancel_pending(struct failure_bench *bench, struct error *error)
{
    return cancel(bench, bench->pending, error);
}

static bool intake_expires(struct failure_bench *bench, struct error *error)
{
    const int64_t late = (NOON + INTAKE_EXPIRY_GRACE_S + 1) * 1000;
    bool due = false;
    return intake_expiry_due(bench->rules.intake, late, &due, error) &&
           intake_expire(bench->rules.intake, &bench->rules.world, late, error);
}

static bool intake_hears(struct failure_bench *bench, struct error *error)
{
    enum consumer_effect effect = EFFECT_DUPLICATE;
    return intake_hear(NULL, bench->rules.intake, &bench->answer, bench->rules.now_ms, &effect,
                       error);
}

static bool find_in_intake(struct failure_bench *bench, struct error *error)
{
    struct booking booking = {0};
    return intake_find(bench->rules.intake, bench->pending, &booking, error);
}

static bool accept_pending(struct failure_bench *bench, struct error *error)
{
    return decide(bench, bench->pending, BOOKING_ACCEPT, error);
}

static bool withdraw_confirmed(struct failure_bench *bench, struct error *error)
{
    return decide(bench, bench->confirmed, BOOKING_WITHDRAW, error);
}

static bool decision_expires(struct failure_bench *bench, struct error *error)
{
    bool due = false;
    return decision_expiry_due(bench->rules.decision, NOON * 1000, &due, error) &&
           decision_expire(bench->rules.decision, &bench->rules.world, NOON * 1000, error);
}

static bool decision_hears(struct failure_bench *bench, const struct event *event,
                           struct error *error)
{
    enum consumer_effect effect = EFFECT_DUPLICATE;
    return decision_hear(NULL, bench->rules.decision, event, bench->rules.now_ms, &effect, error);
}

static bool hear_create(struct failure_bench *bench, struct error *error)
{
    return decision_hears(bench, &bench->create, error);
}

static bool hear_cancel_first(struct failure_bench *bench, struct error *error)
{
    struct event event = bench->create;
    event.type = EVENT_BOOKING_CANCELLED;
    return decision_hears(bench, &event, error);
}

static bool hear_create_of_tombstone(struct failure_bench *bench, struct error *error)
{
    return decision_hears(bench, &bench->fill, error);
}

static bool hear_cancel(struct failure_bench *bench, struct error *error)
{
    struct event event = {.type = EVENT_BOOKING_CANCELLED, .id = "e"};
    id_copy(event.booking.id, bench->pending);
    id_copy(event.booking.provider_id, "provider-1");
    return decision_hears(bench, &event, error);
}

static bool slots_come_and_go(struct failure_bench *bench, struct error *error)
{
    struct slot slot = {.start_s = NOON, .end_s = NOON + 60};
    struct slot found = {0};
    bool yes = false;
    id_copy(slot.id, "slot-new");
    id_copy(slot.provider_id, "provider-1");
    return slot_add(bench->rules.intake, &slot, &yes, error) &&
           slot_add(bench->rules.intake, &slot, &yes, error) && /* the very same */
           slot_find(bench->rules.intake, slot.id, &found, &yes, error) &&
           slot_delete(bench->rules.intake, found.rowid, error);
}

static bool lists_of_intake(struct failure_bench *bench, struct error *error)
{
    struct slot slots[MANY];
    struct booking bookings[MANY];
    size_t count = 0;
    int64_t next = 0;
    const struct slot_filter all = {"provider-1", 0, INT64_MAX, false, 0, 0, MANY};
    const struct slot_filter free = {"provider-1", 0, INT64_MAX, true, 0, 0, MANY};
    const struct booking_filter everybody = {NULL, NULL, BOOKING_ABSENT, 0, 2};
    const struct booking_filter one = {"user-1", NULL, BOOKING_PENDING, 0, 2};
    struct db *db = bench->rules.intake;
    return slot_list(db, &all, slots, &count, error) &&
           slot_list(db, &free, slots, &count, error) &&
           intake_booking_list(db, &everybody, bookings, &count, &next, error) &&
           intake_booking_list(db, &one, bookings, &count, &next, error);
}

static bool list_of_decision(struct failure_bench *bench, struct error *error)
{
    struct decision_record records[MANY];
    struct decision_record record;
    size_t count = 0;
    int64_t next = 0;
    const struct decision_filter filter = {"provider-1", BOOKING_ABSENT, 0, 0, 0, 1};
    struct db *db = bench->rules.decision;
    return decision_list(db, &filter, records, &count, &next, error) &&
           decision_of_provider(db, "provider-1", bench->pending, &record, error);
}

static bool directory(struct failure_bench *bench, struct error *error)
{
    struct person people[MANY];
    struct person person = {.name = "Bo"};
    size_t count = 0;
    bool yes = false;
    const struct person_page page = {PERSON_PROVIDER, "", MANY};
    struct db *db = bench->rules.intake;
    id_copy(person.id, "p");
    return person_put(db, PERSON_PROVIDER, &person, &yes, error) &&
           person_put(db, PERSON_PROVIDER, &person, &yes, error) &&
           person_find(db, PERSON_PROVIDER, "p", &person, &yes, error) &&
           person_list(db, &page, people, &count, error) &&
           person_delete(db, PERSON_PROVIDER, "p", &yes, error);
}

static bool outbox_life(struct failure_bench *bench, struct error *error)
{
    struct outbox_row rows[MANY];
    struct outbox_pressure pressure;
    size_t count = 0;
    struct db *db = bench->rules.intake;
    if (!outbox_load(db, 0, rows, MANY, &count, error))
        return false;
    cr_assert_geq(count, 4);
    const bool done =
        outbox_sent(db, &rows[0], 1, error) && outbox_failed(db, &rows[1], "no", 1, error) &&
        outbox_failed(db, &rows[1], "no", 1, error) && outbox_sent(db, &rows[1], 1, error) &&
        outbox_park(db, &rows[2], "never", 1, error) && outbox_pressure(db, &pressure, error);
    for (size_t i = 0; i < count; i++)
        outbox_row_release(&rows[i]);
    return done;
}

static void ignore(void *context, const struct audit_entry *entry)
{
    (void)context;
    (void)entry;
}

static bool audit_is_read(struct failure_bench *bench, struct error *error)
{
    int64_t last = 0;
    int64_t rows = 0;
    int64_t broken_at = 0;
    const struct audit_page page = {"provider-1", 0, MANY};
    struct db *db = bench->rules.decision;
    return audit_last(db, &last, error) &&
           audit_of_booking(db, bench->pending, ignore, NULL, error) &&
           audit_read(db, &page, ignore, NULL, error) && audit_verify(db, &rows, &broken_at, error);
}

static bool attempts_life(struct failure_bench *bench, struct error *error)
{
    struct attempt before;
    struct db *db = bench->rules.intake;
    return attempts_begin(db, "m", "one", 1, &before, error) &&
           attempts_look(db, "m", "two", &before, error) &&
           attempts_begin(db, "m", "two", 1, &before, error) && attempts_undo(db, "m", error) &&
           attempts_failed(db, "m", error) && attempts_done(db, "m", error) &&
           attempts_prune(db, ATTEMPTS_KEEP_MS, 10, error);
}

static bool keys_life(struct failure_bench *bench, struct error *error)
{
    const struct idempotency_key key = {.scope = "POST /bookings", .key = "k"};
    struct idempotency_answer answer AUTO(idempotency_answer_release) = {.status = 201};
    bool found = false;
    struct db *db = bench->rules.intake;
    return idempotency_keep(db, &key, &answer, 1, error) &&
           idempotency_find(db, &key, &answer, &found, error) &&
           idempotency_prune(db, 2 * IDEMPOTENCY_KEEP_MS, 10, error);
}

static bool stores_are_compared(struct failure_bench *bench, struct error *error)
{
    struct convergence result;
    return convergence_check(bench->rules.intake, bench->rules.decision, &result, error);
}

static bool channels_are_set(struct failure_bench *bench, struct error *error)
{
    return db_run(bench->rules.intake, "DELETE FROM notice_channels", BIND_NOTHING, error) &&
           db_run(bench->rules.intake, "INSERT INTO notice_channels VALUES (0), (1)", BIND_NOTHING,
                  error);
}

static bool a_notice_is_tried(struct failure_bench *bench, struct error *error)
{
    struct db *db = bench->rules.intake;
    struct notice notices[1];
    struct letter letter;
    size_t count = 0;
    bool begun = false;
    const struct notice_end end = {.state = NOTICE_SENT, .reason = ""};
    return channels_are_set(bench, error) && intake_hears(bench, error) &&
           notices_load(db, CHANNEL_WEBHOOK, notices, 1, &count, error) && count == 1 &&
           notice_begin(db, notices, bench->rules.now_ms, &letter, &begun, error) && begun &&
           notice_finish(db, notices, &end, error);
}

static bool notices_are_seen_and_replayed(struct failure_bench *bench, struct error *error)
{
    struct db *db = bench->rules.intake;
    const struct notice_filter filter = {.booking_id = bench->confirmed, .limit = 4};
    struct notice notices[4];
    struct notice_pressure pressure;
    size_t count = 0;
    int64_t replayed = 0;
    return channels_are_set(bench, error) && intake_hears(bench, error) &&
           notices_list(db, &filter, notices, &count, error) &&
           notice_pressure(db, &pressure, error) &&
           notices_replay(db, bench->confirmed, bench->rules.now_ms, &replayed, error);
}

static const struct failure_operation OPERATIONS[] = {
    {"try a notice", a_notice_is_tried},
    {"see and replay notices", notices_are_seen_and_replayed},
    {"book", book_free},
    {"cancel", cancel_pending},
    {"expire in intake", intake_expires},
    {"hear an answer", intake_hears},
    {"find in intake", find_in_intake},
    {"accept", accept_pending},
    {"withdraw", withdraw_confirmed},
    {"expire in decision", decision_expires},
    {"hear a create", hear_create},
    {"hear a cancel before its create", hear_cancel_first},
    {"hear the create of a tombstone", hear_create_of_tombstone},
    {"hear a cancel", hear_cancel},
    {"add, find and delete a slot", slots_come_and_go},
    {"list slots and bookings", lists_of_intake},
    {"list the inbox", list_of_decision},
    {"keep people", directory},
    {"send, fail and park", outbox_life},
    {"read the trail", audit_is_read},
    {"count attempts", attempts_life},
    {"keep an answer", keys_life},
    {"compare the stores", stores_are_compared},
};

const struct failure_operation *failure_operations(size_t *count)
{
    *count = sizeof OPERATIONS / sizeof *OPERATIONS;
    return OPERATIONS;
}
