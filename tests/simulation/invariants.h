/* What must always hold, and what must hold in the end. The ledger is kept from what people were
 * told and from what the stores were seen to say; the stores' own readers are asked, nothing is
 * taken from the workers' memory. */
#ifndef BOOKFLOW_INVARIANTS_H
#define BOOKFLOW_INVARIANTS_H

#include "booking.h"
#include "simulation.h"
#include "world_side.h"

enum { BOOKINGS_MAX = 128, EVENTS_SEEN = 4096 };

/* A booking as it was seen and told of. */
struct known {
    char id[ID_SIZE];
    char provider_id[ID_SIZE];           /* "" = not seen in any store yet */
    enum booking_status seen[SIDES];     /* by the trail; BOOKING_ABSENT = not there */
    enum booking_status promised[SIDES]; /* acknowledged; BOOKING_ABSENT = nothing */
};

/* What was read of one store's trail. */
struct sight {
    int64_t sequence;
    uint64_t events[EVENTS_SEEN]; /* hashes of those that had their effect; 0 = free */
    int64_t commits;              /* of the process, when it was last read */
};

struct ledger {
    struct known bookings[BOOKINGS_MAX];
    size_t count;
    struct sight sights[SIDES];
};

struct ledger *ledger_new(void);
void ledger_free(struct ledger *ledger);

/* The booking of this id, which is new to the ledger if need be. */
struct known *ledger_booking(struct ledger *ledger, const char *id);

/* It was acknowledged that the booking is in this state there. */
void ledger_promise(struct simulation *simulation, int side, const char *id,
                    enum booking_status status);

/* After a step of a side: what it has committed meanwhile. Cheap. */
void invariants_look(struct side *side);

/* After a start: everything seen or promised is still there, the store and its trail agree. */
void invariants_started(struct side *side);

/* Everything has arrived and nothing is due: both stores tell one story, and it is the end of it.
 */
void invariants_end(struct simulation *simulation);

/* Something is still on its way from this store: an event or a notice not sent. False also when it
 * cannot be read. */
bool invariants_is_sent(struct side *side);

/* Rows of the ledger of attempts that only age will end: their message was deleted while a late
 * copy of it crashed with the worker. */
void invariants_count_attempts(struct simulation *simulation);

#endif
