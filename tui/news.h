/* What crosses between the screen's thread and the network: requests one way, news the other. Each
 * record is owned by whoever holds it. */
#ifndef BOOKFLOW_NEWS_H
#define BOOKFLOW_NEWS_H

#include <stddef.h>

#include "ids.h"
#include "mailbox.h"
#include "record.h"

enum request_kind {
    REQUEST_LIST,     /* every waiting booking, page by page */
    REQUEST_BOOKING,  /* one booking, whatever became of it */
    REQUEST_DECISION, /* accept or reject */
    REQUEST_PIPELINE, /* how far the queue is behind */
    REQUEST_SIGN_IN   /* read the token again and reconnect at once */
};

struct request {
    struct letter letter;
    enum request_kind kind;
    char id[ID_SIZE];
    enum booking_command command;
    char key[ID_SIZE]; /* the Idempotency-Key */
    char *reason;      /* NULL = none */
};

enum news_kind {
    NEWS_CONNECTED, /* the change stream stands; `resumed`: nothing was missed */
    NEWS_ALIVE,     /* a heartbeat */
    NEWS_LOST,      /* the change stream broke; `error` says why, wait_ms when it is tried again */
    NEWS_CHANGED,   /* one record, from the stream */
    NEWS_LIST,      /* the answer to REQUEST_LIST */
    NEWS_BOOKING,   /* the answer to REQUEST_BOOKING; at most one record */
    NEWS_DECISION,  /* the answer to REQUEST_DECISION; at most one record */
    NEWS_PIPELINE
};

struct news {
    struct letter letter;
    enum news_kind kind;
    char id[ID_SIZE];
    struct record **records;
    size_t count;
    struct error error; /* of an answer: ERROR_NONE = it was done */
    int status;         /* of an answer; 0 = none came, so nobody knows what was done */
    bool resumed;
    int64_t wait_ms; /* -1 = not told */
    int64_t took_ms;
    int64_t unsent; /* of the pipeline */
    int64_t oldest_unsent_s;
};

struct request *request_new(enum request_kind kind, const char *id);
void request_free(struct request *request);
void request_release(struct request **request); /* for AUTO() */
void request_discard(struct letter *letter);    /* for a mailbox */

struct news *news_new(enum news_kind kind, const char *id);
/* Takes the record over; NULL is passed over. */
void news_add(struct news *news, struct record *record);
void news_free(struct news *news);
void news_release(struct news **news);
void news_discard(struct letter *letter);

#endif
