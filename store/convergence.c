/* Two stores compared, booking by booking: both are walked in the order of ids, side by side, and
 * what they tell of a booking is judged before the next one is read. So memory does not grow with
 * the history, and every row is found by an index. */
#include "convergence.h"

#include <string.h>

#include "audit.h"
#include "booking.h"
#include "outbox.h"
#include "rows.h"
#include "story.h"

/* --- one booking --- */

/* One store, with what it tells of the booking at hand. */
struct side {
    struct db *db;
    bool is_intake;
    struct story story;
};

/* May this store have written the event of that step itself? Asked only about an event of which
 * neither outbox nor trail tells who sent it. */
static bool can_write(const struct side *side, const struct audit_entry *step)
{
    enum event_type type = EVENT_BOOKING_CREATED;
    (void)!event_type_parse(step->event, &type); /* a step has one */
    if (type == EVENT_BOOKING_CANCELLED)
        return strcmp(step->actor, side->is_intake ? "provider" : "user") != 0;
    return side->is_intake == (type == EVENT_BOOKING_CREATED);
}

/* Events that only a step tells of: they left the outbox without a word in the trail. */
static void claim_dropped(struct side *sender, const struct side *receiver)
{
    for (size_t i = 0; i < sender->story.steps_count; i++) {
        const struct audit_entry *step = &sender->story.steps[i];
        if (!story_event_find(&receiver->story, step->event_id) && can_write(sender, step))
            (void)story_event_add(&sender->story, step->event_id, step->to);
    }
}

static void count_effects(const struct side *sender, const struct side *receiver,
                          struct convergence_counts *counts)
{
    for (size_t i = 0; i < receiver->story.steps_count; i++) {
        const char *event_id = receiver->story.steps[i].event_id;
        struct story_event *event = story_event_find(&sender->story, event_id);
        if (event)
            event->effects++;
        else if (!story_event_find(&receiver->story, event_id))
            counts->unexpected++;
    }
}

/* The create is shown by what it brings: a tombstone does not have it. */
static bool shows(const struct story *story, const struct story_event *event)
{
    if (!story->known || (event->says == BOOKING_PENDING && story->booking.start_s == 0))
        return false;
    return story->booking.status == event->says ||
           booking_moves_up(event->says, story->booking.status);
}

static void count_event(const struct story_event *event, bool shown,
                        struct convergence_counts *counts)
{
    const bool dropped = !event->waiting && !event->acknowledged;
    counts->attempted++;
    counts->acknowledged += event->acknowledged;
    counts->ok += event->acknowledged && shown;
    counts->recovered += (!event->acknowledged || event->failed) && shown;
    counts->lost += (event->acknowledged || dropped) && !shown;
    counts->dropped += dropped;
    counts->duplicated += event->effects > 1;
}

static void count_direction(struct side *sender, struct side *receiver,
                            struct convergence_counts *counts)
{
    count_effects(sender, receiver, counts);
    for (size_t i = 0; i < sender->story.events_count; i++) {
        const struct story_event *event = &sender->story.events[i];
        count_event(event, shows(&receiver->story, event), counts);
    }
}

/* A create that fills in a tombstone leaves it cancelled: the one step that moves nothing. */
static bool step_follows(const struct audit_entry *step, enum booking_status at)
{
    const bool fills = step->from == BOOKING_CANCELLED && step->to == BOOKING_CANCELLED &&
                       strcmp(step->event, event_type_name(EVENT_BOOKING_CREATED)) == 0;
    return step->from == at && (fills || booking_moves_up(step->from, step->to));
}

static void count_steps(const struct story *story, struct convergence *result)
{
    enum booking_status at = BOOKING_ABSENT;
    for (size_t i = 0; i < story->steps_count; i++) {
        result->moved_down += !step_follows(&story->steps[i], at);
        at = story->steps[i].to;
    }
    result->untold += at != (story->known ? story->booking.status : BOOKING_ABSENT);
}

static bool same_booking(const struct story *one, const struct story *other)
{
    const struct booking *a = &one->booking;
    const struct booking *b = &other->booking;
    return one->known && other->known && a->status == b->status && a->start_s == b->start_s &&
           a->end_s == b->end_s && strcmp(a->user_id, b->user_id) == 0 &&
           strcmp(a->provider_id, b->provider_id) == 0 && strcmp(a->slot_id, b->slot_id) == 0;
}

static int64_t troubles_of(const struct convergence_counts *counts)
{
    return counts->lost + counts->dropped + counts->unexpected + counts->duplicated;
}

static int64_t troubles(const struct convergence *result)
{
    return troubles_of(&result->requests) + troubles_of(&result->confirmations) +
           result->differing + result->untold + result->moved_down;
}

static void name_first(char first[ID_SIZE], const char *id, bool wrong)
{
    if (wrong && !first[0])
        id_copy(first, id);
}

static bool judge(struct side *intake, struct side *decision, const char *id,
                  struct convergence *result, struct error *error)
{
    const int64_t before = troubles(result);
    if (!story_read(&intake->story, intake->db, id, error))
        return error_context(error, "intake");
    if (!story_read(&decision->story, decision->db, id, error))
        return error_context(error, "decision");
    claim_dropped(intake, decision);
    claim_dropped(decision, intake);
    count_direction(intake, decision, &result->requests);
    count_direction(decision, intake, &result->confirmations);
    count_steps(&intake->story, result);
    count_steps(&decision->story, result);
    const bool known = intake->story.known || decision->story.known;
    const bool differs = known && !same_booking(&intake->story, &decision->story);
    result->bookings += known;
    result->differing += differs;
    name_first(result->first_differing, id, differs);
    name_first(result->first_troubled, id, troubles(result) > before);
    return true;
}

/* --- all bookings --- */

/* The ids that a store knows, in order. */
struct cursor {
    struct db_rows rows;
    bool found;
    char id[ID_SIZE];
};

static bool cursor_next(struct cursor *cursor, struct error *error)
{
    if (!db_next(&cursor->rows, &cursor->found, error))
        return false;
    return !cursor->found || row_text(&cursor->rows, 0, cursor->id, sizeof cursor->id) ||
           error_set(error, ERROR_DAMAGED, "a booking's id is damaged");
}

static bool cursor_open(struct cursor *cursor, struct db *db, struct error *error)
{
    static const char SQL[] = "SELECT id FROM bookings UNION SELECT booking_id FROM audit"
                              " UNION SELECT booking_id FROM outbox ORDER BY 1";
    return db_query(db, SQL, BIND_NOTHING, &cursor->rows, error) && cursor_next(cursor, error);
}

static void cursor_release(struct cursor *cursor)
{
    db_rows_release(&cursor->rows);
}

/* Which of the two has the lower id: < 0 the first, > 0 the second, 0 both. */
static int cursor_order(const struct cursor *first, const struct cursor *second)
{
    if (first->found && second->found)
        return strcmp(first->id, second->id);
    return first->found ? -1 : 1;
}

/* Both that stand at the id that was judged go on. */
static bool cursors_pass(struct cursor *first, struct cursor *second, int order,
                         struct error *error)
{
    return (order > 0 || cursor_next(first, error)) && (order < 0 || cursor_next(second, error));
}

static bool judge_all(struct side *intake, struct side *decision, struct convergence *result,
                      struct error *error)
{
    struct cursor ours AUTO(cursor_release) = {0};
    struct cursor theirs AUTO(cursor_release) = {0};
    if (!cursor_open(&ours, intake->db, error) || !cursor_open(&theirs, decision->db, error))
        return false;
    while (ours.found || theirs.found) {
        const int order = cursor_order(&ours, &theirs);
        if (!judge(intake, decision, order <= 0 ? ours.id : theirs.id, result, error) ||
            !cursors_pass(&ours, &theirs, order, error))
            return false;
    }
    return true;
}

/* --- what is counted without looking at bookings --- */

/* Not by the index that forbids it: it may be the index that is damaged. That the decision worker
 * has two active bookings of a slot needs no look of its own: then one of them differs. */
static bool check_slots(struct db *intake, struct convergence *result, struct error *error)
{
    static const char SQL[] = "SELECT slot_id FROM bookings NOT INDEXED WHERE status < 2"
                              " GROUP BY slot HAVING count(*) > 1";
    struct cursor slots AUTO(cursor_release) = {0};
    if (!db_query(intake, SQL, BIND_NOTHING, &slots.rows, error) || !cursor_next(&slots, error))
        return false;
    while (slots.found) {
        result->double_booked++;
        name_first(result->first_double_booked, slots.id, true);
        if (!cursor_next(&slots, error))
            return false;
    }
    return true;
}

/* A store's trail and outbox. */
static bool check_store(const struct side *side, struct convergence *result, struct error *error)
{
    struct outbox_pressure pressure = {0};
    int64_t *rows = side->is_intake ? &result->intake_audit_rows : &result->decision_audit_rows;
    int64_t *broken = side->is_intake ? &result->intake_broken_at : &result->decision_broken_at;
    if (!audit_verify(side->db, rows, broken, error) ||
        !outbox_pressure(side->db, &pressure, error))
        return false;
    result->unsent += pressure.unsent + pressure.parked;
    result->parked += pressure.parked;
    return true;
}

static void sides_release(struct side (*sides)[2])
{
    story_release(&(*sides)[0].story);
    story_release(&(*sides)[1].story);
}

bool convergence_check(struct db *intake, struct db *decision, struct convergence *result,
                       struct error *error)
{
    struct side sides[2] AUTO(sides_release) = {{intake, true, {0}}, {decision, false, {0}}};
    struct convergence found = {0};
    if (!check_store(&sides[0], &found, error) || !check_store(&sides[1], &found, error) ||
        !check_slots(intake, &found, error) || !judge_all(&sides[0], &sides[1], &found, error))
        return false;
    found.converged = found.intake_broken_at == 0 && found.decision_broken_at == 0 &&
                      troubles(&found) == 0 && found.double_booked == 0 && found.unsent == 0;
    *result = found;
    return true;
}
