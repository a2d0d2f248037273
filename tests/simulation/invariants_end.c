/* What is asked of a whole store: after each start, and of both when everything has come to rest.
 */
#include <string.h>

#include "audit.h"
#include "convergence.h"
#include "invariants.h"
#include "invariants_private.h"

enum { VERIFY_EVERY = 8 };

/* --- a store and its ledger --- */

static bool is_kept(enum booking_status promised, enum booking_status seen)
{
    return promised == BOOKING_ABSENT || promised == seen || booking_moves_up(promised, seen);
}

static void compare_row(struct side *side, const char *id, enum booking_status status)
{
    const struct known *known = ledger_booking(side->simulation->ledger, id);
    if (known->seen[side->index] != status)
        (void)violated(side->simulation, WRONG_DIVERGED, "%s: %s is %s, but its trail says \"%s\"",
                       side->name, id, booking_status_name(status),
                       booking_status_name(known->seen[side->index]));
}

static bool compare_rows(struct side *side, size_t *count, struct error *error)
{
    struct db_rows rows AUTO(db_rows_release) = {0};
    bool found = false;
    if (!db_query(role_worker(side->role)->reader, "SELECT id, status FROM bookings", BIND_NOTHING,
                  &rows, error) ||
        !db_next(&rows, &found, error))
        return false;
    for (*count = 0; found; (*count)++) {
        compare_row(side, db_column_text(&rows, 0),
                    (enum booking_status)db_column_int(&rows, 1)); /* the table checks its range */
        if (!db_next(&rows, &found, error))
            return false;
    }
    return true;
}

static void compare_promises(struct side *side, size_t rows)
{
    const struct ledger *ledger = side->simulation->ledger;
    size_t seen = 0;
    for (size_t i = 0; i < ledger->count; i++) {
        const struct known *known = &ledger->bookings[i];
        seen += known->seen[side->index] != BOOKING_ABSENT;
        if (!is_kept(known->promised[side->index], known->seen[side->index]))
            (void)violated(side->simulation, WRONG_LOST,
                           "%s: %s was acknowledged as %s and is \"%s\"", side->name, known->id,
                           booking_status_name(known->promised[side->index]),
                           booking_status_name(known->seen[side->index]));
    }
    if (seen != rows)
        (void)violated(side->simulation, WRONG_LOST, "%s: %zu bookings are seen, %zu are there",
                       side->name, seen, rows);
}

static bool verify_chain(struct side *side, struct error *error)
{
    int64_t rows = 0;
    int64_t broken_at = 0;
    if (!audit_verify(role_worker(side->role)->reader, &rows, &broken_at, error))
        return false;
    if (broken_at > 0)
        (void)violated(side->simulation, WRONG_DIVERGED, "%s: the trail is broken at %lld",
                       side->name, (long long)broken_at);
    return true;
}

/* False when the store cannot be read. */
static bool compare(struct side *side, bool verify, struct error *error)
{
    const struct sight *sight = &side->simulation->ledger->sights[side->index];
    int64_t last = 0;
    size_t rows = 0;
    if (!audit_last(role_worker(side->role)->reader, &last, error))
        return false;
    if (last < sight->sequence)
        (void)violated(side->simulation, WRONG_LOST, "%s: the trail ended at %lld, now at %lld",
                       side->name, (long long)sight->sequence, (long long)last);
    if (!look_at_trail(side, error) || !compare_rows(side, &rows, error))
        return false;
    compare_promises(side, rows);
    return !verify || verify_chain(side, error);
}

void invariants_started(struct side *side)
{
    struct error error = {0};
    side->simulation->ledger->sights[side->index].commits = 0;
    if (!compare(side, one_in(side->simulation, VERIFY_EVERY), &error))
        trail_add(side->simulation, "%s: cannot be read: %s", side->name, error.text);
    else if (error.kind == ERROR_DAMAGED)
        (void)violated(side->simulation, WRONG_LOST, "%s: %s", side->name, error.text);
}

/* --- at rest --- */

static int64_t count(struct side *side, const char *sql)
{
    struct db_rows rows AUTO(db_rows_release) = {0};
    struct error error = {0};
    bool found = false;
    if (!db_query(role_worker(side->role)->reader, sql, BIND_NOTHING, &rows, &error) ||
        !db_next(&rows, &found, &error) || !found) {
        (void)violated(side->simulation, WRONG_LOST, "%s: %s", side->name, error.text);
        return -1;
    }
    return db_column_int(&rows, 0);
}

bool invariants_is_sent(struct side *side)
{
    return count(side, "SELECT count(*) FROM outbox") == 0 &&
           (side->index != INTAKE ||
            count(side, "SELECT count(*) FROM notices WHERE state = 0") == 0);
}

void invariants_count_attempts(struct simulation *simulation)
{
    for (int i = 0; i < SIDES && !simulation->violation.wrong; i++)
        simulation->counts.attempts_left +=
            count(simulation->sides[i], "SELECT count(*) FROM attempts");
}

static void compare_sides(struct simulation *simulation, const struct known *known)
{
    const enum booking_status ours = known->seen[INTAKE];
    const enum booking_status theirs = known->seen[DECISION];
    if (ours != theirs)
        (void)violated(simulation, WRONG_DIVERGED, "%s ends \"%s\" at intake, \"%s\" at decision",
                       known->id, booking_status_name(ours), booking_status_name(theirs));
    if (ours == BOOKING_PENDING)
        (void)violated(simulation, WRONG_STUCK, "%s is pending for ever", known->id);
    for (int i = 0; i < SIDES; i++)
        if (!is_kept(known->promised[i], ours))
            (void)violated(simulation, WRONG_LOST, "%s was acknowledged as %s and ends %s",
                           known->id, booking_status_name(known->promised[i]),
                           booking_status_name(ours));
}

static void rest_of(struct side *side)
{
    static const struct {
        const char *sql;
        const char *what;
    } leftovers[] = {
        {"SELECT count(*) FROM outbox", "events are not sent"},
        {"SELECT count(*) FROM attempts", "attempts are not forgotten"},
        {"SELECT count(*) FROM bookings WHERE start_s = 0", "cancels wait for their creates"},
    };
    struct error error = {0};
    if (!compare(side, false, &error))
        (void)violated(side->simulation, WRONG_LOST, "%s: %s", side->name, error.text);
    for (size_t i = 0; i < sizeof leftovers / sizeof *leftovers; i++) {
        const int64_t rows = count(side, leftovers[i].sql);
        if (rows > 0)
            (void)violated(side->simulation, WRONG_STUCK, "%s: %lld %s", side->name,
                           (long long)rows, leftovers[i].what);
    }
}

/* What `bookflow audit` would say of the two stores. */
static void compare_stories(struct simulation *simulation)
{
    struct convergence found = {0};
    struct error error = {0};
    if (!convergence_check(role_worker(simulation->sides[INTAKE]->role)->reader,
                           role_worker(simulation->sides[DECISION]->role)->reader, &found, &error))
        (void)violated(simulation, WRONG_LOST, "the stores cannot be compared: %s", error.text);
    else if (found.requests.lost + found.confirmations.lost > 0)
        (void)violated(simulation, WRONG_LOST, "the other side does not show an event of %s",
                       found.first_troubled);
    else if (!found.converged)
        (void)violated(simulation, WRONG_DIVERGED, "not converged, first %s", found.first_troubled);
}

void invariants_end(struct simulation *simulation)
{
    if (simulation->violation.wrong)
        return;
    for (int i = 0; i < SIDES; i++)
        rest_of(simulation->sides[i]);
    for (size_t i = 0; i < simulation->ledger->count; i++)
        compare_sides(simulation, &simulation->ledger->bookings[i]);
    compare_stories(simulation);
}
