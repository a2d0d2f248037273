/* The bugs that can be planted and the ends that must be reachable; model.sh reads them here. With
 * -DSWITCHES a run plants one bug (PLANT_) or looks for one end (END_), by its number in the
 * environment variable PLANTED (0 is the control), with as many troubles as TROUBLES says; what a
 * line below says of troubles is the number it needs. Without it none of this is compiled in. Must
 * not know a rule of the protocol. */

#define PLANT_DUPLICATE_APPLIED_TWICE 1
#define PLANT_EVENT_MOVES_DOWN 2
#define PLANT_REDRIVE_REOPENS 3 /* troubles: 1 */
#define PLANT_NO_SLOT_CHECK 4
#define PLANT_NO_OUTBOX 5 /* troubles: 1 */
#define PLANT_MARK_BEFORE_SEND 6 /* troubles: 1 */
#define PLANT_DELETE_BEFORE_COMMIT 7 /* troubles: 1 */
#define PLANT_DELETE_BEFORE_BURY 8 /* troubles: 2 */
#define PLANT_NO_TOMBSTONE 9
#define PLANT_TOMBSTONE_REOPENS 10
#define PLANT_NO_COMPARE_AND_SET 11
#define PLANT_ACCEPT_AFTER_START 12
#define PLANT_EXPIRY_TELLS_NOBODY 13
#define PLANT_ANSWER_BEFORE_COMMIT 14
#define PLANT_DEAD_LETTER_DROPPED 15 /* troubles: 1 */

#define END_CONFIRMED 101
#define END_REJECTED 102
#define END_CANCELLED_BY_USER 103
#define END_WITHDRAWN 104
#define END_EXPIRED_AT_DECISION 105
#define END_EXPIRED_AT_INTAKE 106
#define END_TOMBSTONE_FILLED 107
#define END_DEAD_LETTERED_AND_REDRIVEN 108 /* troubles: 1 */
#define END_CRASHING_MESSAGE_REDRIVEN 109 /* troubles: 1 */
#define END_DUPLICATE_IGNORED 110
#define END_SLOT_BOOKED_AGAIN 111
#define END_LEASE_LOST 112 /* troubles: 1 */
#define END_REDRIVEN_TWICE 113 /* troubles: 2 */

#ifdef SWITCHES
hidden byte planted;
#define plant(bug) (planted == bug)
#ifndef PROMISES
#define PROMISES
#endif

/* What has happened to a booking: a bit for each. The first four are who cancelled first. */
short marks[BOOKINGS];
#define MARK_USER 1
#define MARK_WITHDRAWN 2
#define MARK_DECISION 4
#define MARK_INTAKE 8
#define MARK_FILLED 16
#define MARK_REDRIVEN 32
#define MARK_CRASHING 64
#define MARK_DUPLICATE 128
#define MARK_LAPSED 256
#define MARK_STAYED 512
#define mark(b, what) marks[b] = marks[b] | what
#define mark_cancel(b, who) marks[b] = marks[b] | ((marks[b] & 15) == 0 -> who : 0)

/* What the provider's hand read before, for PLANT_NO_COMPARE_AND_SET: 0 nothing, else status + 1. */
byte was_read[BOOKINGS];
#define seen(b) (plant(PLANT_NO_COMPARE_AND_SET) -> (was_read[b] == 0 -> BOOKING_ABSENT : was_read[b] - 1) : judged(b))
#define forget_read(b) was_read[b] = 0

#define marked(b, what) ((marks[b] & (what)) == (what))
#define cancelled_by(b, who) ((marks[b] & 15) == who)
#define end_reached(b) \
    ((plant(END_CONFIRMED) && intake[b] == BOOKING_CONFIRMED) || \
     (plant(END_REJECTED) && intake[b] == BOOKING_REJECTED) || \
     (plant(END_CANCELLED_BY_USER) && cancelled_by(b, MARK_USER)) || \
     (plant(END_WITHDRAWN) && cancelled_by(b, MARK_WITHDRAWN)) || \
     (plant(END_EXPIRED_AT_DECISION) && cancelled_by(b, MARK_DECISION)) || \
     (plant(END_EXPIRED_AT_INTAKE) && cancelled_by(b, MARK_INTAKE)) || \
     (plant(END_TOMBSTONE_FILLED) && marked(b, MARK_FILLED)) || \
     (plant(END_DEAD_LETTERED_AND_REDRIVEN) && marked(b, MARK_REDRIVEN)) || \
     (plant(END_CRASHING_MESSAGE_REDRIVEN) && marked(b, MARK_REDRIVEN + MARK_CRASHING)) || \
     (plant(END_DUPLICATE_IGNORED) && marked(b, MARK_DUPLICATE)) || \
     (plant(END_LEASE_LOST) && marked(b, MARK_LAPSED)) || \
     (plant(END_REDRIVEN_TWICE) && marked(b, MARK_STAYED + MARK_REDRIVEN)) || \
     (plant(END_SLOT_BOOKED_AGAIN) && b > 0 && intake[b] == BOOKING_CONFIRMED))
#else
#define plant(bug) false
#define mark(b, what) skip
#define mark_cancel(b, who) skip
#define seen(b) judged(b)
#define forget_read(b) skip
#define end_reached(b) false
#endif
