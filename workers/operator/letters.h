/* The dead letters of a queue, all of them in hand at once: received, their leases renewed while
 * they are looked at, and given back at the end, whatever happens, but for those deleted.
 *
 * To look at a queue is to receive from it: meanwhile nobody else sees these messages, and each
 * look counts as a receive. Of a FIFO queue only the first ones of each booking come. */
#ifndef BOOKFLOW_LETTERS_H
#define BOOKFLOW_LETTERS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "queue_session.h"

enum { LETTERS_MAX = 50000 }; /* SQS hands out about 120,000 at once, of which we are not alone */

struct letter {
    char *id;
    char *receipt;
    char *body;
    size_t body_length;
    struct queue_attribute *attributes; /* owned, ended by a NULL name */
    size_t attribute_count;
    int64_t receive_count;
    int64_t sent_ms; /* wall time */
    bool gone;       /* deleted */
    json_t *fields;  /* the body as JSON; NULL when it is none */
};

struct letters {
    struct queue_session *session;
    struct queue *queue; /* the dead-letter queue */
    bool waits;          /* its empty answers are true only after a long poll */
    struct letter **items;
    size_t count;
    size_t room;
    void *by_id;        /* tsearch(3) */
    int64_t renewed_ms; /* ticks: no lease is older */
    bool more;          /* there are more than LETTERS_MAX */
};

/* Receives all there are, oldest first in `items`. On failure some may be in hand. */
MUST_CHECK bool letters_receive(struct letters *letters, struct error *error);

struct letter *letters_find(const struct letters *letters, const char *id); /* NULL: not there */

/* Between any two calls: renews the leases when it is time. Fails when the operator asked to stop.
 */
MUST_CHECK bool letters_keep(struct letters *letters, struct error *error);

MUST_CHECK bool letters_delete(struct letters *letters, struct letter *letter, struct error *error);

/* Makes visible what is left, and frees. What could not be given back is said on stderr: it shows
 * up again by itself. */
void letters_release(struct letters *letters); /* for AUTO() */

/* A message attribute; NULL when absent. */
const char *letter_attribute(const struct letter *letter, const char *name);
/* What it is about: the attribute or, in a message made by hand, the field of its body; "" =
 * neither. */
const char *letter_event(const struct letter *letter);
const char *letter_booking(const struct letter *letter);
const char *letter_provider(const struct letter *letter);
/* Why it is dead; says so when the queue moved it by itself. */
const char *letter_reason(const struct letter *letter);

#endif
