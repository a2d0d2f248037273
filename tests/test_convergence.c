/* Every order of a booking's events, each delivered twice, with the users and the provider acting
 * at every moment in between: both stores end in the same state.
 *
 * The shipped rules are explored like a model: from each state every possible next step is tried,
 * in a savepoint of both stores that is undone afterwards. A state met before is not walked again,
 * so the walk ends. What tells states apart: what was done, which copies of which events were
 * delivered, and what both stores hold. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "decision.h"
#include "intake.h"
#include "intake_store.h"
#include "rules_fixture.h"

enum { COPIES = 2, EVENTS_MAX = 8, SEEN_ROOM = 1 << 20 };

enum act {
    USER_CANCELS,
    PROVIDER_ACCEPTS,
    PROVIDER_REJECTS,
    PROVIDER_WITHDRAWS,
    INTAKE_EXPIRES,
    DECISION_EXPIRES,
    SLOT_STARTS,
    ACTS
};

struct walk {
    struct rules rules;
    char booking_id[ID_SIZE];
    struct event events[EVENTS_MAX];
    bool to_decision[EVENTS_MAX];
    int delivered[EVENTS_MAX];
    size_t events_count;
    unsigned acts_done;
    uint64_t *seen; /* hashes; 0 = free */
    size_t states;
    size_t ends;
};

static enum booking_status intake_status(struct walk *walk)
{
    struct booking booking = {0};
    struct error error = {0};
    bool found = false;
    cr_assert(intake_booking_find(walk->rules.intake, walk->booking_id, &booking, &found, &error) &&
              found);
    return booking.status;
}

static enum booking_status decision_status(struct walk *walk, bool *complete)
{
    struct decision_record record = {0};
    struct error error = {0};
    bool found = false;
    cr_assert(decision_find(walk->rules.decision, walk->booking_id, &record, &found, &error));
    *complete = record.booking.start_s != 0;
    return found ? record.booking.status : BOOKING_ABSENT;
}

static uint64_t fingerprint(struct walk *walk)
{
    char text[128];
    bool complete = false;
    enum booking_status theirs = decision_status(walk, &complete);
    int length = snprintf(text, sizeof text, "%u/%d/%d/%d/", walk->acts_done,
                          (int)intake_status(walk), (int)theirs, complete);
    for (size_t i = 0; i < walk->events_count; i++)
        length += snprintf(text + length, sizeof text - (size_t)length, "%c%d.%d,",
                           walk->to_decision[i] ? '>' : '<', (int)walk->events[i].type,
                           walk->delivered[i]);
    uint64_t hash = 14695981039346656037u;
    for (int i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * 1099511628211u;
    return hash ? hash : 1;
}

static bool seen_before(struct walk *walk)
{
    uint64_t hash = fingerprint(walk);
    size_t at = hash % SEEN_ROOM;
    for (; walk->seen[at]; at = (at + 1) % SEEN_ROOM)
        if (walk->seen[at] == hash)
            return true;
    walk->seen[at] = hash;
    walk->states++;
    return false;
}

static void take_new_event(struct walk *walk, struct db *db, int64_t before)
{
    if (rules_count(db, "SELECT count(*) FROM outbox") == before)
        return;
    cr_assert(walk->events_count < EVENTS_MAX);
    cr_assert(rules_last_event(db, &walk->events[walk->events_count]));
    walk->to_decision[walk->events_count] = db == walk->rules.intake;
    walk->delivered[walk->events_count++] = 0;
}

static bool provider_does(struct walk *walk, enum booking_command command)
{
    struct decision_record record = {0};
    struct error error = {0};
    const struct decision decision = {
        .command = command,
        .provider_id = "provider-1",
        .booking_id = walk->booking_id,
        .actor = "provider",
        .world = &walk->rules.world,
        .now_ms = walk->rules.now_ms,
    };
    bool done = decision_make(walk->rules.decision, &decision, &record, &error);
    cr_assert(done || error.kind == ERROR_CONFLICT || error.kind == ERROR_NOT_FOUND, "%s",
              error.text);
    return done;
}

static bool user_cancels(struct walk *walk)
{
    struct booking booking = {0};
    struct error error = {0};
    const struct booking_cancel cancel = {
        .booking_id = walk->booking_id, .world = &walk->rules.world, .now_ms = walk->rules.now_ms};
    return intake_cancel(walk->rules.intake, &cancel, &booking, &error);
}

/* Expiry happens by the worker's own clock: each may think that the slot has started. */
static bool act(struct walk *walk, enum act act)
{
    struct error error = {0};
    const int64_t later = (NOON + INTAKE_EXPIRY_GRACE_S + 60) * 1000;
    switch (act) {
    case USER_CANCELS:
        return user_cancels(walk);
    case PROVIDER_ACCEPTS:
        return provider_does(walk, BOOKING_ACCEPT);
    case PROVIDER_REJECTS:
        return provider_does(walk, BOOKING_REJECT);
    case PROVIDER_WITHDRAWS:
        return provider_does(walk, BOOKING_WITHDRAW);
    case INTAKE_EXPIRES:
        return intake_expire(walk->rules.intake, &walk->rules.world, later, &error);
    case DECISION_EXPIRES:
        return decision_expire(walk->rules.decision, &walk->rules.world, later, &error);
    case SLOT_STARTS: /* for both: what is heard and decided from here on is late */
        walk->rules.now_ms = (NOON + 60) * 1000;
        return true;
    case ACTS:
        break;
    }
    return false;
}

static void deliver(struct walk *walk, size_t index)
{
    struct error error = {0};
    enum consumer_effect effect = EFFECT_DUPLICATE;
    const struct event *event = &walk->events[index];
    bool done =
        walk->to_decision[index]
            ? decision_hear(NULL, walk->rules.decision, event, walk->rules.now_ms, &effect, &error)
            : intake_hear(NULL, walk->rules.intake, event, walk->rules.now_ms, &effect, &error);
    cr_assert(done, "%s", error.text);
    walk->delivered[index]++;
}

static void run(struct db *db, const char *sql)
{
    struct error error = {0};
    cr_assert(db_run(db, sql, BIND_NOTHING, &error), "%s", error.text);
}

/* Deeper than the store's own savepoints go, so by SQL; a name may be used again inside itself. */
static void savepoint(struct walk *walk)
{
    run(walk->rules.intake, "SAVEPOINT walk");
    run(walk->rules.decision, "SAVEPOINT walk");
}

static void undo(struct walk *walk)
{
    run(walk->rules.intake, "ROLLBACK TO walk");
    run(walk->rules.intake, "RELEASE walk");
    run(walk->rules.decision, "ROLLBACK TO walk");
    run(walk->rules.decision, "RELEASE walk");
}

static void check_end(struct walk *walk)
{
    bool complete = false;
    enum booking_status ours = intake_status(walk);
    enum booking_status theirs = decision_status(walk, &complete);
    walk->ends++;
    cr_assert_eq(ours, theirs, "intake ends %s, decision ends %s, acts %x",
                 booking_status_name(ours), booking_status_name(theirs), walk->acts_done);
    cr_assert(complete, "a tombstone was never filled in");
}

static void explore(struct walk *walk);

static void try_act(struct walk *walk, enum act which)
{
    if (walk->acts_done & (1u << which))
        return;
    const size_t events_before = walk->events_count;
    const int64_t now_before = walk->rules.now_ms;
    const int64_t intake_before = rules_count(walk->rules.intake, "SELECT count(*) FROM outbox");
    const int64_t decision_before =
        rules_count(walk->rules.decision, "SELECT count(*) FROM outbox");
    savepoint(walk);
    if (act(walk, which)) {
        walk->acts_done |= 1u << which;
        take_new_event(walk, walk->rules.intake, intake_before);
        take_new_event(walk, walk->rules.decision, decision_before);
        explore(walk);
        walk->acts_done &= ~(1u << which);
        walk->events_count = events_before;
        walk->rules.now_ms = now_before;
    }
    undo(walk);
}

static void try_delivery(struct walk *walk, size_t index)
{
    if (walk->delivered[index] == COPIES)
        return;
    savepoint(walk);
    deliver(walk, index);
    explore(walk);
    walk->delivered[index]--;
    undo(walk);
}

static void explore(struct walk *walk)
{
    if (seen_before(walk))
        return;
    bool all_delivered = true;
    for (size_t i = 0; i < walk->events_count; i++)
        all_delivered = all_delivered && walk->delivered[i] == COPIES;
    if (all_delivered)
        check_end(walk);
    for (enum act which = 0; which < ACTS; which++)
        try_act(walk, which);
    for (size_t i = 0; i < walk->events_count; i++)
        try_delivery(walk, i);
}

Test(convergence, every_order_of_every_event_twice_ends_in_one_state, .timeout = 110)
{
    struct walk *walk = memory_new(1, sizeof *walk);
    struct booking booking = {0};
    struct error error = {0};
    rules_open(&walk->rules);
    walk->seen = memory_new(SEEN_ROOM, sizeof *walk->seen);
    const struct booking_order order = {.slot_id = "slot-1",
                                        .user_id = "user-1",
                                        .world = &walk->rules.world,
                                        .now_ms = walk->rules.now_ms};
    cr_assert(intake_book(walk->rules.intake, &order, &booking, &error), "%s", error.text);
    id_copy(walk->booking_id, booking.id);
    take_new_event(walk, walk->rules.intake, 0);
    explore(walk);
    (void)fprintf(stderr, "convergence: %zu states, %zu ends\n", walk->states, walk->ends);
    cr_assert(walk->ends > 50, "only %zu ends: the walk did not walk", walk->ends);
    rules_close(&walk->rules);
    free(walk->seen);
    free(walk);
}
