/* The publisher's window onto the outbox: the rows that are loaded and not yet done with. An entry
 * is ready when no earlier entry of its booking is in the window; that is settled when it comes in
 * and when its predecessor leaves, never by searching. Knows nothing of queues and sends. */
#ifndef BOOKFLOW_WINDOW_H
#define BOOKFLOW_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backoff.h"
#include "lookup.h"
#include "outbox.h"
#include "writer.h"

/* What is to be noted in the store about an entry. */
enum note { NOTE_NOTHING, NOTE_SENT, NOTE_FAILED, NOTE_PARKED };

struct entry {
    struct operation operation; /* of the note; the first member, so that it leads back here */
    struct publisher *publisher;
    struct outbox_row row;
    size_t bytes; /* of the message: body and attributes */
    bool alone;   /* was refused in company for size */

    enum note note;
    char reason[OUTAGE_REASON_SIZE]; /* of NOTE_SENT: the queue's id for it */
    int64_t noted_ms;
    bool failure_noted;   /* its first failure is in the history */
    int64_t sends_failed; /* refusals of this very entry */
    int64_t notes_failed; /* in a row */
    int64_t due_ms;       /* ticks: while waiting, for what `note` says */

    struct lookup_node by_booking;
    struct entry *follower; /* the next of its booking, which waits for this one to leave */
    struct entry *next;     /* in the list that holds it */
};

struct entry_list {
    struct entry *first;
    struct entry **end; /* NULL = empty */
};
void entry_append(struct entry_list *list, struct entry *entry);
struct entry *entry_take(struct entry_list *list); /* the first, NULL = empty */

enum { WINDOW_ROWS = 256 };

/* Starts as {0}. */
struct window {
    struct lookup bookings;
    struct entry_list ready;   /* may be sent */
    struct entry_list waiting; /* until due_ms */
    size_t rows;
    int64_t last_sequence; /* the highest that was loaded */
};

/* Loads what is new while there is room. New entries carry `publisher`. */
MUST_CHECK bool window_load(struct window *window, struct db *reader, struct publisher *publisher,
                            struct error *error);

/* Done with: frees the entry, and its follower is ready. */
void window_remove(struct window *window, struct entry *entry);

/* Frees everything that is ready, waiting, or behind those. */
void window_release(struct window *window);

#endif
