/* The embedded queue under test: a file in a folder of its own, a clock that only the test moves,
 * chance that repeats. */
#ifndef BOOKFLOW_EMBEDDED_FIXTURE_H
#define BOOKFLOW_EMBEDDED_FIXTURE_H

#include <pthread.h>
#include <stdatomic.h>

#include "queue_contract.h"

struct fixture {
    char folder[64];
    char file[96];
    const char *options; /* more of the URL, "&shuffle=1" */
    bool threaded;
    _Atomic int64_t passed_ms;
    _Atomic uint64_t chance;
    int wake_fd; /* an eventfd */
    struct world world;

    /* To stand between two things that happen: the wall clock holds whoever asks for the time from
     * another thread; the next question for ticks calls back first. */
    pthread_t owner;
    _Atomic bool hold;
    void (*on_ticks)(struct fixture *fixture);
    struct probe *other; /* for on_ticks */

    struct queue_contract contract;
};

/* Stays where it was initialised. */
void fixture_init(struct fixture *fixture, bool threaded);
void fixture_release(struct fixture *fixture);

struct queue *fixture_open(struct fixture *fixture, const char *name, struct error *error);

/* How a case begins that is about the embedded queue only; "&shuffle=1". Then PROBE(). */
#define FIXTURE(more)                                                                              \
    struct fixture fixture AUTO(fixture_release);                                                  \
    fixture_init(&fixture, false);                                                                 \
    fixture.options = more;                                                                        \
    const struct queue_contract *with = &fixture.contract

#endif
