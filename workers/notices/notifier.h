/* The notifier: carries notices from the store to their channels. One thread, step by step; no
 * clock, socket or thread of its own.
 *
 * Before a try begins it is noted; a notice counts as sent only after the transaction that says so,
 * so a crash sends it again, under the same id. The next notice of a booking, recipient and channel
 * goes out only after the one before is done with. Each channel has its own few notices in hand and
 * its own outage: one that is down holds up nobody else, and is asked by one notice at a time. A
 * notice that fails is tried again with half jitter in [t/2, t], t = min(2 s * 2^(n-1), 900 s); a
 * webhook by the schedule of Standard Webhooks; the last time a minute before its day is over. */
#ifndef BOOKFLOW_NOTIFIER_H
#define BOOKFLOW_NOTIFIER_H

#include "channel.h"
#include "db.h"
#include "world.h"
#include "writer.h"

struct notifier_options {
    struct db *reader; /* read-only, the stepping thread's own; borrowed like all of these */
    struct writer *writer;
    const struct world *world;
    const struct channels *channels;
    void (*wake)(void *context); /* notifier_step() has something to do */
    void *context;
};

struct notifier;
struct notifier *notifier_new(const struct notifier_options *options);

/* Loads, sends and notes what it can. Returns in how many ms it wants to be called again. */
int64_t notifier_step(struct notifier *notifier);

/* Sends nothing more. What is on its way has a moment to end; then it is left to the next start. */
void notifier_drain(struct notifier *notifier);
bool notifier_idle(const struct notifier *notifier);

struct notifier_state {
    int64_t sent, failed, given_up;
    int64_t down;        /* channels whose last send failed as a whole */
    const char *channel; /* one of them; NULL = none */
    const char *reason;  /* why it is down */
};
struct notifier_state notifier_state(const struct notifier *notifier);

const struct channels *notifier_channels(const struct notifier *notifier);

/* After the writer was closed: what it holds leads back here. What is on its way is cancelled. */
void notifier_free(struct notifier *notifier);

#endif
