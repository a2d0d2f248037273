/* The booking protocol as a model for spin: two stores, two queues, two workers that crash, and what
 * must hold in every state that can be reached (demands.pml). Must not know a rule about states of its
 * own: what becomes of a booking is asked of transitions.pml alone, which table.c prints from the
 * shipped tables.
 *
 * What mirrors what; every d_step is one transaction or one call of a queue:
 *   command_result, moves_up   booking_command_result(), booking_moves_up()   store/domain/booking.c
 *   event_status               event_status()                                 store/domain/event.c
 *   book, cancel               intake_book(), intake_cancel()                 workers/intake/intake.c
 *   intake_hear, _expire       the same names
 *   DECIDE, has_expired        decision_make(), has_expired()                 workers/decision/decision.c
 *   decision_hear, _expire     the same names, with hear_first(), hear_create_again(), hear_cancel()
 *   outbox, SEND, NOTE         outbox_add(), call_send(), outbox_sent(); one row of a booking at a
 *                              time and in order: window_add()                workers/courier/publisher.c, window.c
 *   BEGIN                      a receive, then attempts_begin()               workers/courier/consumer_handle.c
 *   APPLY, FAIL                handle_apply(), attempts_done(), attempts_failed(); is_hopeless()
 *   REMOVE                     STAGE_DELETE                                   workers/courier/consumer_lease.c
 *   BURY, FORGET               bury_send(), forget_apply()                    workers/courier/consumer_bury.c
 *   LAPSE                      message_drop(): the lease ended, or a delete was lost
 *   REDRIVE                    an operator moves a dead letter back to its queue
 *   power                      kill -9 or a power cut: what is not committed or not in a queue is gone
 *
 * Queues keep no order and hold two copies of one event at once. Time passes by each worker's own clock.
 * A message that nobody holds may be received at any time, so hiding it is no state of its own, and
 * neither is one in hand whose attempt is not begun: nothing durable tells them apart. Left out:
 * messages that nobody of ours wrote, parked rows, BOOKFLOW_ALLOW_PAST_SLOTS. */
#include "transitions.pml"

#ifndef BOOKINGS
#define BOOKINGS 2 /* of one slot */
#endif
#ifndef TROUBLES
#define TROUBLES 2 /* a crash of a worker, a failing handler, a lost lease or delete: any so many */
#endif
#ifndef ATTEMPTS
#define ATTEMPTS 2 /* failed ones, then a message is dead-lettered */
#endif
#ifndef CRASHED
#define CRASHED 2 /* crashed ones; CRASHES_MAX is 3, and costs only states */
#endif

#include "switches.pml"

/* --- what is durable --- */

byte intake[BOOKINGS] = BOOKING_ABSENT;   /* status in intake.db */
byte decision[BOOKINGS] = BOOKING_ABSENT; /* status in decision.db */
bit filled[BOOKINGS];                     /* start_s != 0 in decision.db */
bit early[BOOKINGS];                      /* received_s < start_s there, while it is pending */

#define INTAKE 0
#define DECISION 1
#define of(worker, b) ((b) * 2 + worker)
#define ROWS 2
chan outbox[BOOKINGS * 2] = [ROWS] of { byte };

/* The events of a booking: the types of event.h, and CANCELLED on its way back. The first two
 * travel on the request queue, the others on the confirmation queue. */
#define EVENTS (EVENT_BOOKING_REJECTED + 2)
#define CANCELLED_BACK (EVENT_BOOKING_REJECTED + 1)
#define says(e) event_status(((e) == CANCELLED_BACK -> EVENT_BOOKING_CANCELLED : (e)))
#define tells(e) ((e) == EVENT_BOOKING_CREATED || (e) == EVENT_BOOKING_CANCELLED -> INTAKE : DECISION)
#define hears(e) (1 - tells(e))

/* The queues: two copies of each event. Behind VISIBLE they are in the consumer's hand. */
#define FREE 0    /* there is no such copy */
#define VISIBLE 1 /* may be received */
#define BEGUN 2   /* received, its attempt committed */
#define DONE 3    /* committed, to be deleted */
#define BURIED 4  /* a copy is in the dead-letter queue; to be forgotten, then deleted */
#define at(b, e, c) (((b) * EVENTS + (e)) * 2 + (c))
byte copy[BOOKINGS * EVENTS * 2];
bit redriven[BOOKINGS * EVENTS * 2];
byte failures[BOOKINGS * EVENTS * 2]; /* the ledger: table attempts, by message id */
byte crashes[BOOKINGS * EVENTS * 2];
byte dead[BOOKINGS * EVENTS]; /* the dead-letter queues */

/* --- what a crash forgets --- */

byte sent[BOOKINGS * 2]; /* the head of the outbox is in the queue, and not noted yet */

/* --- time, by each worker's clock, and how much may go wrong --- */

bit decision_started;
bit intake_over; /* INTAKE_EXPIRY_GRACE_S after the start; between the two nothing can happen that cannot before */
byte troubles_left = TROUBLES;

#include "demands.pml"

/* --- the people --- */

#define has_expired(b) (decision[b] == BOOKING_PENDING && early[b] && decision_started)
#define judged(b) (has_expired(b) && !plant(PLANT_ACCEPT_AFTER_START) -> BOOKING_CANCELLED : decision[b])

hidden byte decided;

/* A command of the provider that is not refused. It is one compare-and-set because d_step is. */
#define DECIDE(command, e) \
    :: d_step { command_result(command, seen(b)) != BOOKING_ABSENT -> \
        assert(!has_expired(b)); \
        assert((command == BOOKING_WITHDRAW) == (decision[b] == BOOKING_CONFIRMED)); \
        decided = command_result(command, seen(b)); \
        decision_move(b, decided); \
        publish(DECISION, b, e); \
        promise(told_provider[b], decision[b]); \
        mark_cancel(b, (command == BOOKING_WITHDRAW -> MARK_WITHDRAWN : 0)); \
        forget_read(b) }

/* Bookings are numbered as they are made: which is which makes no difference. Up to three. */
#define is_next(b) (intake[b] == BOOKING_ABSENT && (b == 0 || intake[b - 1] != BOOKING_ABSENT))
#define slot_taken (holds_slot(intake[0]) || holds_slot(intake[BOOKINGS / 2]) || holds_slot(intake[BOOKINGS - 1]))

inline book(b)
{
    intake_move(b, BOOKING_PENDING);
    publish(INTAKE, b, EVENT_BOOKING_CREATED);
    promise(told_user[b], BOOKING_PENDING)
}

inline cancel(b)
{
    assert(intake[b] != BOOKING_REJECTED);
    intake_move(b, command_result(BOOKING_CANCEL, intake[b]));
    publish(INTAKE, b, EVENT_BOOKING_CANCELLED);
    promise(told_user[b], intake[b]);
    mark_cancel(b, MARK_USER)
}

proctype people(byte b)
{
end:
    do
    :: d_step { is_next(b) && !intake_over && (!slot_taken || plant(PLANT_NO_SLOT_CHECK)) -> book(b) }
    :: d_step { command_result(BOOKING_CANCEL, intake[b]) != BOOKING_ABSENT -> cancel(b) }
    DECIDE(BOOKING_ACCEPT, EVENT_BOOKING_CONFIRMED)
    DECIDE(BOOKING_REJECT, EVENT_BOOKING_REJECTED)
    DECIDE(BOOKING_WITHDRAW, CANCELLED_BACK)
#ifdef SWITCHES
    :: d_step { plant(PLANT_NO_COMPARE_AND_SET) && was_read[b] == 0 && decision[b] != BOOKING_ABSENT ->
        was_read[b] = judged(b) + 1 }
    :: d_step { plant(PLANT_ANSWER_BEFORE_COMMIT) && is_next(b) && told_user[b] == BOOKING_ABSENT ->
        told_user[b] = BOOKING_PENDING }
#endif
    od
}

/* --- time --- */

inline intake_expire(b)
{
    intake_move(b, command_result(BOOKING_EXPIRE, intake[b]));
    if
    :: plant(PLANT_EXPIRY_TELLS_NOBODY)
    :: else -> publish(INTAKE, b, EVENT_BOOKING_CANCELLED)
    fi;
    mark_cancel(b, MARK_INTAKE)
}

inline decision_expire(b)
{
    decision_move(b, command_result(BOOKING_EXPIRE, decision[b]));
    publish(DECISION, b, CANCELLED_BACK);
    mark_cancel(b, MARK_DECISION)
}

/* A sweep looks for pending bookings that came before the slot started: the two guards are what
 * intake_booking_due() and decision_due() ask of the store. */
proctype expiry(byte b)
{
end:
    do
    :: d_step { intake_over && intake[b] == BOOKING_PENDING -> intake_expire(b) }
    :: d_step { decision_started && decision[b] == BOOKING_PENDING && early[b] -> decision_expire(b) }
    od
}

proctype clocks()
{
end:
    do
    :: !intake_over -> intake_over = 1
    :: !decision_started -> decision_started = 1
    od
}

/* --- events --- */

/* Is an event that says `to` applied? Only when it is news. */
#define applies(from, to, m) \
    (moves_up(from, to) || \
     (plant(PLANT_DUPLICATE_APPLIED_TWICE) && from == to) || \
     (plant(PLANT_EVENT_MOVES_DOWN) && from != to) || \
     (plant(PLANT_REDRIVE_REOPENS) && from != to && redriven[m]))

inline intake_hear(b, e, m)
{
    assert(intake[b] != BOOKING_ABSENT);
    if
    :: applies(intake[b], says(e), m) ->
        intake_move(b, says(e))
    :: else -> mark(b, MARK_DUPLICATE)
    fi
}

inline hear_first(b, e)
{
    if
    :: plant(PLANT_NO_TOMBSTONE) && e == EVENT_BOOKING_CANCELLED
    :: else ->
        decision_move(b, says(e));
        filled[b] = e == EVENT_BOOKING_CREATED;
        early[b] = e == EVENT_BOOKING_CREATED && !decision_started
    fi
}

inline hear_create_again(b, e, m)
{
    if
    :: !filled[b] ->
        filled[b] = 1;
        mark(b, MARK_FILLED);
        if
        :: plant(PLANT_TOMBSTONE_REOPENS) -> decision_move(b, says(e))
        :: else
        fi
    :: filled[b] && plant(PLANT_REDRIVE_REOPENS) && redriven[m] -> decision_move(b, says(e))
    :: else -> mark(b, MARK_DUPLICATE)
    fi
}

inline hear_cancel(b, e, m)
{
    if
    :: applies(decision[b], says(e), m) ->
        decision_move(b, says(e))
    :: else -> mark(b, MARK_DUPLICATE)
    fi
}

inline decision_hear(b, e, m)
{
    if
    :: decision[b] == BOOKING_ABSENT -> hear_first(b, e)
    :: decision[b] != BOOKING_ABSENT && e == EVENT_BOOKING_CREATED -> hear_create_again(b, e, m)
    :: else -> hear_cancel(b, e, m)
    fi
}

#include "courier.pml"

init
{
    byte b;
    byte e;
    atomic {
#ifdef SWITCHES
        c_code {
            planted = (unsigned char)atoi(getenv("PLANTED"));
            now.troubles_left = (unsigned char)atoi(getenv("TROUBLES"));
        };
#endif
        run clocks();
        run power();
        run quiescence();
        for (b : 0 .. BOOKINGS - 1) {
            run demands(b);
            run people(b);
            run expiry(b);
            for (e : 0 .. EVENTS - 1) {
                run courier(b, e)
            }
        }
    }
}
