/* The courier: outbox, queues, handlers' attempts, dead letters; and what a crash makes of them. Must
 * not know what an event means. */

#define room(b, e) (copy[at(b, e, 0)] == FREE || copy[at(b, e, 1)] == FREE)
#define hopeless(m) (failures[m] >= ATTEMPTS || crashes[m] >= CRASHED)

inline put(b, e, again)
{
    if
    :: copy[at(b, e, 0)] == FREE ->
        copy[at(b, e, 0)] = VISIBLE;
        redriven[at(b, e, 0)] = again
    :: else ->
        copy[at(b, e, 1)] = VISIBLE;
        redriven[at(b, e, 1)] = again
    fi
}

inline clear_ledger(m)
{
    failures[m] = 0;
    crashes[m] = 0
}

#define is_head(b, e) (outbox[of(tells(e), b)]?[eval(e)])
#define sent_of(b, e) sent[of(tells(e), b)]

/* What only a trouble can tell apart is one step when there are none left: then the steps from
 * VISIBLE to FREE are taken together, and so are a send and its note. */
#define calm (troubles_left == 0)
#define ready(m) (copy[m] == BEGUN || (calm && copy[m] == VISIBLE && !hopeless(m)))

/* Which of two equal copies is which makes no difference: the first is there when any is. */
inline remove(b, e, m)
{
    redriven[m] = 0;
    copy[m] = FREE;
    if
    :: copy[at(b, e, 0)] == FREE ->
        copy[at(b, e, 0)] = copy[at(b, e, 1)];
        redriven[at(b, e, 0)] = redriven[at(b, e, 1)];
        failures[at(b, e, 0)] = failures[at(b, e, 1)];
        crashes[at(b, e, 0)] = crashes[at(b, e, 1)];
        copy[at(b, e, 1)] = FREE;
        redriven[at(b, e, 1)] = 0;
        clear_ledger(at(b, e, 1))
    :: else
    fi
}

inline done(b, e, m)
{
    clear_ledger(m);
    if
    :: calm -> remove(b, e, m)
    :: else -> copy[m] = DONE
    fi
}

#define BEGIN(m) \
    :: d_step { !calm && copy[m] == VISIBLE && !hopeless(m) -> copy[m] = BEGUN }
#define APPLY(m) \
    :: d_step { ready(m) -> \
        if \
        :: hears(e) == INTAKE -> intake_hear(b, e, m) \
        :: else -> decision_hear(b, e, m) \
        fi; \
        mark(b, (redriven[m] -> MARK_REDRIVEN : 0)); \
        redriven[m] = 0; \
        done(b, e, m) }
#define FAIL(m) \
    :: d_step { !calm && copy[m] == BEGUN -> \
        troubles_left--; \
        failures[m]++; \
        copy[m] = (plant(PLANT_DELETE_BEFORE_COMMIT) -> FREE : VISIBLE) }
#define REMOVE(m) \
    :: d_step { copy[m] == DONE -> remove(b, e, m) }
#define LAPSE(m) \
    :: d_step { !calm && copy[m] > BEGUN -> troubles_left--; copy[m] = VISIBLE; mark(b, MARK_LAPSED) }
#define BURY(m) \
    :: d_step { copy[m] == VISIBLE && hopeless(m) -> \
        mark(b, (crashes[m] >= CRASHED -> MARK_CRASHING : 0)); \
        dead[b * EVENTS + e] = dead[b * EVENTS + e] + \
            (plant(PLANT_DELETE_BEFORE_BURY) || plant(PLANT_DEAD_LETTER_DROPPED) -> 0 : 1); \
        copy[m] = BURIED }
#define FORGET(m) \
    :: d_step { copy[m] == BURIED -> \
        dead[b * EVENTS + e] = dead[b * EVENTS + e] + (plant(PLANT_DELETE_BEFORE_BURY) -> 1 : 0); \
        done(b, e, m) }
#define HANDLE(m) BEGIN(m) APPLY(m) FAIL(m) REMOVE(m) LAPSE(m) BURY(m) FORGET(m)

/* The way of one event of one booking: from the outbox to the queue (the row goes when the queue
 * has it), to the handler, and back from the dead letters. */
proctype courier(byte b; byte e)
{
end:
    do
    :: d_step { !plant(PLANT_MARK_BEFORE_SEND) && sent_of(b, e) == 0 && is_head(b, e) && room(b, e) -> /* SEND */
        put(b, e, 0);
        if
        :: calm -> outbox[of(tells(e), b)]?_
        :: else -> sent_of(b, e) = 1
        fi }
    :: d_step { !plant(PLANT_MARK_BEFORE_SEND) && sent_of(b, e) == 1 && is_head(b, e) -> /* NOTE */
        outbox[of(tells(e), b)]?_;
        sent_of(b, e) = 0 }
    HANDLE(at(b, e, 0))
    HANDLE(at(b, e, 1))
    :: d_step { dead[b * EVENTS + e] > 0 && room(b, e) -> /* REDRIVE */
        put(b, e, 1);
        dead[b * EVENTS + e]-- }
    :: d_step { dead[b * EVENTS + e] > 0 && room(b, e) && troubles_left > 0 -> /* and it stays behind, too */
        troubles_left--;
        mark(b, MARK_STAYED);
        put(b, e, 1) }
#ifdef SWITCHES
    :: d_step { plant(PLANT_MARK_BEFORE_SEND) && sent_of(b, e) == 0 && is_head(b, e) ->
        outbox[of(tells(e), b)]?_;
        sent_of(b, e) = e + 1 }
    :: d_step { plant(PLANT_MARK_BEFORE_SEND) && sent_of(b, e) == e + 1 && room(b, e) ->
        put(b, e, 0);
        sent_of(b, e) = 0 }
#endif
    od
}

/* --- crashes --- */

/* Every attempt under way counts as crashed, every message in hand comes again. */
inline crash_copies(worker, b)
{
    for (m : at(b, 0, 0) .. at(b, EVENTS - 1, 1)) {
        if
        :: hears((m / 2) % EVENTS) == worker && copy[m] == BEGUN ->
            crashes[m]++;
            copy[m] = (plant(PLANT_DELETE_BEFORE_COMMIT) -> FREE : VISIBLE)
        :: hears((m / 2) % EVENTS) == worker && copy[m] > BEGUN ->
            copy[m] = (copy[m] == BURIED && plant(PLANT_DELETE_BEFORE_BURY) -> FREE : VISIBLE)
        :: else
        fi
    }
    m = 0
}

/* The outbox is in the store, so only what is known of its sending is lost. */
inline crash_outbox(worker, b)
{
    sent[of(worker, b)] = 0;
    do
    :: plant(PLANT_NO_OUTBOX) && len(outbox[of(worker, b)]) > 0 -> outbox[of(worker, b)]?_
    :: else -> break
    od
}

inline crash(worker)
{
    troubles_left--;
    for (b : 0 .. BOOKINGS - 1) {
        crash_copies(worker, b);
        crash_outbox(worker, b)
    }
    b = 0
}

/* A worker that holds nothing of any booking loses nothing: its crash is left out. */
#define in_hand(b, e) (copy[at(b, e, 0)] > VISIBLE || copy[at(b, e, 1)] > VISIBLE)
#define forgets(worker, b) \
    (sent[of(worker, b)] != 0 || (plant(PLANT_NO_OUTBOX) && len(outbox[of(worker, b)]) > 0))
#define intake_busy(b) \
    (forgets(INTAKE, b) || in_hand(b, EVENT_BOOKING_CONFIRMED) || in_hand(b, EVENT_BOOKING_REJECTED) || \
     in_hand(b, CANCELLED_BACK))
#define decision_busy(b) \
    (forgets(DECISION, b) || in_hand(b, EVENT_BOOKING_CREATED) || in_hand(b, EVENT_BOOKING_CANCELLED))
#define any_of(busy) (busy(0) || busy(BOOKINGS / 2) || busy(BOOKINGS - 1))

proctype power()
{
    byte b;
    byte m;
end:
    do
    :: d_step { !calm && any_of(intake_busy) -> crash(INTAKE) }
    :: d_step { !calm && any_of(decision_busy) -> crash(DECISION) }
    od
}
