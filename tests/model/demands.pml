/* What is demanded of every state and of every step, written from the contract and not from the
 * tables: else a table that is wrong would be its own judge. Must not know why a state is as it is. */

#define rank(status) \
    ((status) == BOOKING_ABSENT -> 0 : ((status) == BOOKING_PENDING -> 1 : ((status) == BOOKING_CANCELLED -> 3 : 2)))
#define holds_slot(status) ((status) == BOOKING_PENDING || (status) == BOOKING_CONFIRMED)
#define keeps(status, promise) \
    ((promise) == BOOKING_ABSENT || (status) == (promise) || rank(status) > rank(promise))

/* What the answers of the workers have promised. Without -DPROMISES it is not remembered, for it
 * makes many states: then it follows from "only up" and "the same at rest". */
#ifdef PROMISES
byte told_user[BOOKINGS] = BOOKING_ABSENT;
byte told_provider[BOOKINGS] = BOOKING_ABSENT;
#define promise(told, status) told = status
#else
#define told_user intake
#define told_provider decision
#define promise(told, status) skip
#endif

#define gone(b, e) \
    (copy[at(b, e, 0)] == FREE && copy[at(b, e, 1)] == FREE && dead[(b) * EVENTS + e] == 0)
#define quiet(b) \
    (len(outbox[of(INTAKE, b)]) == 0 && len(outbox[of(DECISION, b)]) == 0 && \
     sent[of(INTAKE, b)] == 0 && sent[of(DECISION, b)] == 0 && \
     gone(b, EVENT_BOOKING_CREATED) && gone(b, EVENT_BOOKING_CANCELLED) && \
     gone(b, EVENT_BOOKING_CONFIRMED) && gone(b, EVENT_BOOKING_REJECTED) && gone(b, CANCELLED_BACK))

/* Of every state that is reached. A booking with nothing under way is the same in both stores,
 * complete, and what was promised. The choice is there for a state that breaks a demand alone, so
 * it adds none. */
#define exclusive(b) (!holds_slot(intake[b]) || ((b == 0 || !holds_slot(intake[0])) && (b <= 1 || !holds_slot(intake[1]))))
#define complete(b) (intake[b] == BOOKING_ABSENT || filled[b])
#define kept(b) (keeps(intake[b], told_user[b]) && keeps(decision[b], told_provider[b]))
#define kept_across(b) (keeps(intake[b], told_provider[b]) && keeps(decision[b], told_user[b]))
proctype demands(byte b)
{
end:
    do
    :: d_step { !(exclusive(b) && kept(b)) || (quiet(b) && !(intake[b] == decision[b] && complete(b) && kept_across(b) && !end_reached(b))) ->
        assert(exclusive(b));
        assert(kept(b));
        assert(intake[b] == decision[b]);
        assert(complete(b));
        assert(kept_across(b));
        assert(!end_reached(b)) }
    od
}

/* When nobody can do anything any more: nothing is under way, nothing undecided. */
proctype quiescence()
{
    byte b;
end:
    timeout -> d_step {
        for (b : 0 .. BOOKINGS - 1) {
            assert(quiet(b));
            assert(intake[b] != BOOKING_PENDING && decision[b] != BOOKING_PENDING)
        }
    }
}

/* Of every step. */
inline intake_move(b, to)
{
    assert(rank(to) > rank(intake[b]));
    intake[b] = to
}

inline decision_move(b, to)
{
    assert(rank(to) > rank(decision[b]));
    decision[b] = to;
    early[b] = 0
}

inline publish(worker, b, e)
{
    assert(len(outbox[of(worker, b)]) < ROWS);
    outbox[of(worker, b)]!e
}
