/* A way of telling people, as the notifier sees it. One letter is one send; what comes of it is
 * told later. Must not know rows, retries or other channels. */
#ifndef BOOKFLOW_CHANNEL_H
#define BOOKFLOW_CHANNEL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "notices.h"

enum send_outcome {
    SEND_TAKEN,
    SEND_UNTAKEN,  /* certainly not taken; may work later */
    SEND_DOUBTFUL, /* perhaps taken; to be sent again */
    SEND_REFUSED,  /* not taken, and never will be */
    SEND_GONE      /* refused, and nothing else is wanted from us any more */
};

struct send_answer {
    enum send_outcome outcome;
    bool down;          /* so would be any other letter */
    int64_t wait_ms;    /* asked for by the far side; 0 = nothing */
    const char *reason; /* why not taken, in our own words: it is logged, and names nobody */
};

typedef void send_done_fn(void *context, const struct send_answer *answer);

/* Who is told. */
struct send_caller {
    send_done_fn *done; /* called once, never from within send() */
    void *context;
};

struct send; /* on its way; the channel's own */

struct channel {
    /* NULL: this letter can never be sent; the error says why, and names nobody. */
    struct send *(*send)(struct channel *self, const struct letter *letter,
                         const struct send_caller *caller, struct error *error);
    /* Ends it; done() is not called. Whether it was taken nobody knows. */
    void (*cancel)(struct send *send);
    /* What would be sent, for people; a new reference. */
    json_t *(*preview)(struct channel *self, const struct letter *letter);
    void (*close)(struct channel *self);
};

/* The channels of a process. */
struct channels {
    struct channel *each[NOTICE_CHANNELS]; /* NULL = not configured */
    int fd;                                /* readable when step() has something to do; -1 = none */
    int64_t (*step)(void *context);        /* ms until it wants to be called again; -1 = none */
    void *context;
};

/* A bit for each that is configured. */
static inline unsigned channels_mask(const struct channels *channels)
{
    unsigned mask = 0;
    for (int i = 0; i < NOTICE_CHANNELS; i++)
        mask |= channels->each[i] ? 1U << i : 0;
    return mask;
}

#endif
