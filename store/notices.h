/* Notices: what people are to be told of a booking, and what became of it. A row is written in the
 * transaction of the state change, one per booking, status, recipient and channel; the channels are
 * those that were configured, and without any there are no rows. Must not know how a channel works.
 *
 * A booking's newer state supersedes what is not sent yet of an older one, so at most one notice of
 * a booking, recipient and channel waits at a time. A try is noted before it begins: after a crash
 * it counts as one that may have arrived. */
#ifndef BOOKFLOW_NOTICES_STORE_H
#define BOOKFLOW_NOTICES_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "audit.h"
#include "intake_store.h"

/* Stored as numbers: append, never reorder. */
enum notice_channel { CHANNEL_MAIL, CHANNEL_WEBHOOK, CHANNEL_SMS, NOTICE_CHANNELS };
enum notice_recipient { TO_USER, TO_PROVIDER, TO_ENDPOINT, NOTICE_RECIPIENTS };
enum notice_state {
    NOTICE_WAITING,
    NOTICE_SENT,
    NOTICE_SUPERSEDED,
    NOTICE_GIVEN_UP,
    NOTICE_STATES
};

enum { NOTICE_KEEP_TRYING_MS = 24 * 60 * 60 * 1000 };

const char *notice_channel_name(enum notice_channel channel);
MUST_CHECK bool notice_channel_parse(const char *name, enum notice_channel *channel);
const char *notice_recipient_name(enum notice_recipient recipient);
const char *notice_state_name(enum notice_state state);

struct notice {
    int64_t sequence;
    char id[ID_SIZE]; /* BOOKING_status_recipient_channel: the same for every try */
    char booking_id[ID_SIZE];
    enum booking_status status;
    enum notice_recipient recipient;
    enum notice_channel channel;
    char actor[ACTOR_SIZE];
    char reason[REASON_SIZE]; /* "" = none */
    int64_t created_ms;
    int64_t until_ms;
    int64_t due_ms; /* wall time of the next try */
    enum notice_state state;
    int64_t attempts; /* that ended; a crash is none */
    int64_t doubts;   /* that may have arrived, for all we know */
};

/* --- configured channels; a bit per enum notice_channel --- */

/* Those that notices are written for from now on; a transaction of its own. Writes nothing when
 * they are so already. */
MUST_CHECK bool notice_channels_set(struct db *db, unsigned channels, struct error *error);

/* --- with the state change --- */

/* A step of a booking that people may have to hear of. */
struct notice_cause {
    const struct booking *booking; /* with its new status */
    const char *actor;
    const char *reason;
    int64_t now_ms;
};

/* Supersedes what the booking still has waiting, and writes a notice for everyone who is told of
 * this status and can be reached. */
MUST_CHECK bool notices_add(struct db *db, const struct notice_cause *cause, struct error *error);

/* --- sending --- */

/* What of a channel waits, by the time it is due. */
MUST_CHECK bool notices_load(struct db *db, enum notice_channel channel, struct notice notices[],
                             size_t maximum, size_t *count, struct error *error);

/* A notice and all that is to be said in it. */
struct letter {
    struct notice notice;
    struct booking booking;
    struct person user; /* without an entry in the directory the id is the name */
    struct person provider;
    bool invited; /* an invitation was sent by this channel, or may have been */
};

/* What a letter for this notice says now. */
MUST_CHECK bool letter_read(struct db *db, const struct notice *notice, struct letter *letter,
                            struct error *error);

/* A try begins; the letter is what is to be sent. *begun is false when nothing is: it was
 * superseded meanwhile, or its time is over and it is given up. */
MUST_CHECK bool notice_begin(struct db *db, const struct notice *notice, int64_t now_ms,
                             struct letter *letter, bool *begun, struct error *error);

/* How a try ended. */
struct notice_end {
    enum notice_state state; /* NOTICE_SENT, NOTICE_GIVEN_UP, or NOTICE_WAITING for due_ms */
    bool untaken;            /* it has certainly not arrived */
    int64_t due_ms;
    int64_t now_ms;
    const char *reason; /* for the history; no personal data */
};
/* What was sent is sent even if it is superseded; otherwise that stays. The history shows what was
 * sent or given up, and the first failure. */
MUST_CHECK bool notice_finish(struct db *db, const struct notice *notice,
                              const struct notice_end *end, struct error *error);

/* --- for people --- */

/* The notice by which notice->recipient hears of the booking's status by notice->channel, as it is
 * or as it would be. False for one that is never written. */
MUST_CHECK bool notice_of(const struct booking *booking, struct notice *notice);

struct notice_filter {
    const char *booking_id; /* NULL = any */
    bool waiting;           /* only those */
    int64_t before;         /* sequences below this one; 0 = from the newest */
    size_t limit;
};
/* Newest first. The caller's array holds filter->limit notices. */
MUST_CHECK bool notices_list(struct db *db, const struct notice_filter *filter,
                             struct notice notices[], size_t *count, struct error *error);

/* Makes them due now, for another day: the notice of this id, or all of a booking's. Only what
 * tells of the booking's state of today: ERROR_CONFLICT. ERROR_NOT_FOUND. */
MUST_CHECK bool notices_replay(struct db *db, const char *id, int64_t now_ms, int64_t *count,
                               struct error *error);

struct notice_pressure {
    int64_t waiting;
    int64_t oldest_ms; /* created_ms of the oldest of them; 0 = none */
};
MUST_CHECK bool notice_pressure(struct db *db, struct notice_pressure *pressure,
                                struct error *error);

#endif
