/* What crosses between the screen's thread and the network. A question goes out and comes back with
 * its outcome in it; what the change stream tells comes by itself. Owned by whoever holds it. */
#ifndef BOOKFLOW_NEWS_H
#define BOOKFLOW_NEWS_H

#include <stddef.h>

#include "history.h"
#include "ids.h"
#include "record.h"

enum news_kind {
    NEWS_CONNECTED, /* the change stream stands; `resumed`: nothing was missed */
    NEWS_ALIVE,     /* a heartbeat */
    NEWS_LOST,      /* the change stream broke; `error` says why, wait_ms when it is tried again */
    NEWS_CHANGED,   /* one record, from the stream */
    NEWS_LIST,      /* questions from here on: every waiting booking, page by page */
    NEWS_DAY,       /* every booking that starts in [from_s, to_s) */
    NEWS_BOOKING,   /* one booking, whatever became of it */
    NEWS_DECISION,  /* accept or reject; comes back with at most one record */
    NEWS_PIPELINE,  /* how far the queue is behind */
    NEWS_SIGN_IN,   /* read the token again, see whether it is taken, reconnect at once */
    NEWS_OPENED,    /* no question: the journal was opened, or could not be */
    NEWS_JOURNAL    /* lines that are to be on the disk */
};

struct news {
    struct news *next; /* while it waits to go out */
    enum news_kind kind;
    char id[ID_SIZE];
    enum booking_command command; /* of a decision: this, its Idempotency-Key and a reason */
    char key[ID_SIZE];
    char *reason;
    char *event; /* of a change: the JSON it came as */
    struct record **records;
    size_t count;
    struct error error; /* of an outcome: ERROR_NONE = it was done */
    int status;         /* of an outcome; 0 = none came, so nobody knows what was done */
    bool resumed;
    int64_t from_s; /* of a day */
    int64_t to_s;
    int64_t wait_ms; /* -1 = not told */
    int64_t unsent;  /* of the pipeline */
    int64_t oldest_unsent_s;
    struct history *history; /* of the opened journal */
    struct buf lines;
    uint64_t number; /* of those lines */
};

struct news *news_new(enum news_kind kind, const char *id);
/* Takes the record over; NULL is passed over. */
void news_add(struct news *news, struct record *record);
void news_free(struct news *news);
void news_release(struct news **news); /* for AUTO() */

#endif
