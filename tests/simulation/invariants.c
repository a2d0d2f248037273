/* The ledger, and what is asked of a store at every look: its trail since the last one. */
#include "invariants.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "buf.h"
#include "consumer.h"
#include "invariants_private.h"

struct ledger *ledger_new(void)
{
    return memory_new(1, sizeof(struct ledger));
}

void ledger_free(struct ledger *ledger)
{
    free(ledger);
}

struct known *ledger_booking(struct ledger *ledger, const char *id)
{
    for (size_t i = 0; i < ledger->count; i++)
        if (strcmp(ledger->bookings[i].id, id) == 0)
            return &ledger->bookings[i];
    assert(ledger->count < BOOKINGS_MAX);
    struct known *known = &ledger->bookings[ledger->count++];
    *known = (struct known){.seen = {BOOKING_ABSENT, BOOKING_ABSENT},
                            .promised = {BOOKING_ABSENT, BOOKING_ABSENT}};
    id_copy(known->id, id);
    return known;
}

/* Whoever is told of a state is told of a higher one than anybody before, or two have decided. */
void ledger_promise(struct simulation *simulation, int side, const char *id,
                    enum booking_status status)
{
    struct known *known = ledger_booking(simulation->ledger, id);
    /* A repeated request hears that the booking was made, also when it has gone on since. */
    if (status == BOOKING_PENDING && known->promised[side] != BOOKING_ABSENT)
        return;
    if (!booking_moves_up(known->promised[side], status))
        (void)violated(simulation, WRONG_MOVED_DOWN, "%s was acknowledged as %s, then as %s", id,
                       booking_status_name(known->promised[side]), booking_status_name(status));
    known->promised[side] = status;
}

/* --- one row of a trail --- */

/* FNV-1a; never 0. */
static uint64_t hash_of(const char *first, const char *second)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (const char *at = first; *at; at++)
        hash = (hash ^ (unsigned char)*at) * UINT64_C(1099511628211);
    for (const char *at = second; *at; at++)
        hash = (hash ^ (unsigned char)*at) * UINT64_C(1099511628211);
    return hash ? hash : 1;
}

/* False when it was there before. */
static bool remember(struct sight *sight, uint64_t event)
{
    size_t at = event % EVENTS_SEEN;
    for (; sight->events[at]; at = (at + 1) % EVENTS_SEEN)
        if (sight->events[at] == event)
            return false;
    sight->events[at] = event;
    return true;
}

/* What became of the sending of an event or of a notice: no state moves. Only the arrival is said
 * once. */
static bool is_outcome(const char *event)
{
    return strncmp(event, "PUBLISH", strlen("PUBLISH")) == 0 ||
           strncmp(event, "NOTICE", strlen("NOTICE")) == 0;
}

/* The create of a tombstone moves nothing either, it fills in. */
static bool fills_tombstone(const struct side *side, const struct audit_entry *row)
{
    return side->index == DECISION && row->from == row->to && row->to == BOOKING_CANCELLED &&
           strcmp(row->event, "BOOKING_CREATED") == 0;
}

static void look_at_move(struct side *side, const struct audit_entry *row)
{
    struct simulation *simulation = side->simulation;
    struct known *known = ledger_booking(simulation->ledger, row->booking_id);
    if (!*known->provider_id)
        id_copy(known->provider_id, row->provider_id);
    if (row->from != known->seen[side->index])
        (void)violated(simulation, WRONG_DIVERGED, "%s: %s goes from %s to %s, but was %s",
                       side->name, row->booking_id, booking_status_name(row->from),
                       booking_status_name(row->to), booking_status_name(known->seen[side->index]));
    if (!booking_moves_up(row->from, row->to) && !fills_tombstone(side, row))
        (void)violated(simulation, WRONG_MOVED_DOWN, "%s: %s goes from %s to %s by %s", side->name,
                       row->booking_id, booking_status_name(row->from),
                       booking_status_name(row->to), row->event);
    known->seen[side->index] = row->to;
}

static void look_at_row(struct side *side, const struct audit_entry *row)
{
    struct simulation *simulation = side->simulation;
    struct sight *sight = &simulation->ledger->sights[side->index];
    if (row->sequence != sight->sequence + 1)
        (void)violated(simulation, WRONG_LOST, "%s: row %lld of the trail follows %lld", side->name,
                       (long long)row->sequence, (long long)sight->sequence);
    sight->sequence = row->sequence;
    trail_add(simulation, "%s: %lld. %s %s: %s -> %s", side->name, (long long)row->sequence,
              row->booking_id, row->event, booking_status_name(row->from),
              booking_status_name(row->to));
    const bool outcome = is_outcome(row->event);
    if (!outcome)
        look_at_move(side, row);
    /* A parked row can be parked by two answers, and a try can fail after a failed try. */
    if (outcome && strcmp(row->event, "PUBLISHED") != 0 && strcmp(row->event, "NOTICE_SENT") != 0)
        return;
    if (!remember(sight, hash_of(row->event_id, outcome ? row->event : "")))
        (void)violated(simulation, WRONG_TWO_EFFECTS, "%s: %s %s twice, of %s", side->name,
                       row->event, row->event_id, row->booking_id);
}

/* --- a look --- */

static void read_row(const struct db_rows *rows, struct audit_entry *row)
{
    row->sequence = db_column_int(rows, 0);
    id_copy(row->booking_id, db_column_text(rows, 1));
    id_copy(row->provider_id, db_column_text(rows, 2));
    row->from = (enum booking_status)db_column_int(rows, 3); /* we wrote it */
    row->to = (enum booking_status)db_column_int(rows, 4);
    const char *event = db_column_text(rows, 5);
    assert(strlen(event) < sizeof row->event);
    memcpy(row->event, event, strlen(event) + 1);
    id_copy(row->event_id, db_column_text(rows, 6));
}

bool look_at_trail(struct side *side, struct error *error)
{
    static const char SQL[] = "SELECT sequence, booking_id, provider_id, from_status, to_status,"
                              " event, event_id FROM audit WHERE sequence > ? ORDER BY sequence";
    const struct sight *sight = &side->simulation->ledger->sights[side->index];
    struct db_rows rows AUTO(db_rows_release) = {0};
    struct audit_entry row;
    bool found = false;
    if (!db_query(role_worker(side->role)->reader, SQL, BIND(db_int(sight->sequence)), &rows,
                  error) ||
        !db_next(&rows, &found, error))
        return false;
    while (found) {
        read_row(&rows, &row);
        look_at_row(side, &row);
        if (!db_next(&rows, &found, error))
            return false;
    }
    return true;
}

static bool look_at_slots(struct side *side, struct error *error)
{
    static const char SQL[] = "SELECT slot_id FROM bookings WHERE status < 2"
                              " GROUP BY slot HAVING count(*) > 1";
    struct db_rows rows AUTO(db_rows_release) = {0};
    bool found = false;
    if (!db_query(role_worker(side->role)->reader, SQL, BIND_NOTHING, &rows, error) ||
        !db_next(&rows, &found, error))
        return false;
    if (found)
        (void)violated(side->simulation, WRONG_DOUBLE_BOOKED, "%s has two active bookings",
                       db_column_text(&rows, 0));
    return true;
}

/* A store that cannot be read is looked at again at the next step. */
void invariants_look(struct side *side)
{
    struct error error = {0};
    if (!side->role)
        return;
    struct sight *sight = &side->simulation->ledger->sights[side->index];
    const int64_t commits = writer_counters(role_worker(side->role)->writer).commits;
    if (commits == sight->commits)
        return;
    if (look_at_trail(side, &error) && (side->index != INTAKE || look_at_slots(side, &error)))
        sight->commits = commits;
}
