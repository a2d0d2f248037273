/* Do two stores tell the same story? For `bookflow audit`, and for every test that ends in two
 * stores. Reads both, changes nothing. */
#ifndef BOOKFLOW_CONVERGENCE_H
#define BOOKFLOW_CONVERGENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "db.h"
#include "ids.h"

/* One direction: the events that one store has written for the other. The counts are those of
 * Jepsen's set and queue checkers, with one more for what only a store that was tampered with or
 * rolled back can show.
 *
 * The receiver shows an event when its booking is where the event says, or above: an event that was
 * applied, came twice or came too late to matter all read the same. Two stores do not tell what is
 * inside the queue at this moment, so `lost` is what is lost or still on its way. */
struct convergence_counts {
    int64_t attempted;    /* events written: all that the sender's trail or outbox names */
    int64_t acknowledged; /* of these, those that the queue took (PUBLISHED in the trail) */
    int64_t ok;           /* acknowledged, and the receiver shows it */
    int64_t recovered;    /* not acknowledged, or not at the first try, and the receiver shows it */
    int64_t lost;         /* not waiting in the outbox, and the receiver does not show it */
    int64_t dropped;      /* neither waiting nor acknowledged: nobody will send it any more */
    int64_t unexpected;   /* named by the receiver's trail, and the sender never wrote it */
    int64_t duplicated;   /* had more than one effect at the receiver */
};

struct convergence {
    struct convergence_counts requests;      /* intake to decision */
    struct convergence_counts confirmations; /* decision to intake */
    int64_t intake_audit_rows, decision_audit_rows;
    int64_t intake_broken_at, decision_broken_at; /* first bad row of the hash chain; 0 = whole */
    int64_t bookings;                             /* known to either store */
    int64_t differing;                 /* of these, not with the same state and facts in both */
    char first_differing[ID_SIZE];     /* "" = none */
    int64_t untold;                    /* bookings not in the state that their own trail ends in */
    int64_t moved_down;                /* steps that go down or sideways, or begin where the booking
                                          was not */
    int64_t double_booked;             /* slots with more than one active booking */
    char first_double_booked[ID_SIZE]; /* the slot; "" = none */
    int64_t unsent;                    /* rows in either outbox */
    int64_t parked;                    /* of these, refused for good */
    char first_troubled[ID_SIZE];      /* the first booking that any count of trouble is about */
    bool converged; /* chains whole; nothing differs, is untold, moved down, double-booked, unsent,
                       lost, dropped, unexpected or duplicated */
};

/* Both by intake_schema() and decision_schema(), at rest or each in one read transaction.
 * ERROR_DAMAGED: a row that is none of ours. */
MUST_CHECK bool convergence_check(struct db *intake, struct db *decision,
                                  struct convergence *result, struct error *error);

#endif
