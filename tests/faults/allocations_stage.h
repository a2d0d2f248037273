/* Both workers as they ship, in one process and on one thread: their stores and queues on a disk in
 * memory, their server on a unix socket, their clock in our hand. Everything but the socket is
 * memory, so a forked child goes on from where its parent stands and disturbs nobody. Must not know
 * what fails, nor when. */
#ifndef BOOKFLOW_ALLOCATIONS_STAGE_H
#define BOOKFLOW_ALLOCATIONS_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "disk.h"
#include "errors.h"
#include "loop.h"
#include "role.h"
#include "server.h"
#include "settings.h"
#include "world.h"

enum { STAGE_PATH = 64, STAGE_IDS = 4, ANSWER_SIZE = 64 * 1024, ID_TEXT = 40 };

struct stage {
    char folder[STAGE_PATH]; /* real, for the locks and the socket; the stores are on the disk */
    struct disk *disk;
    struct world world;
    int64_t now_ms;
    uint64_t chance;
    struct settings settings;
    struct loop *loop;
    struct loop_waker *waker;
    struct loop_timer *turn;
    struct http_server *server;
    struct role *roles[2]; /* intake, decision */
};

void stage_init(struct stage *stage);
void stage_release(struct stage *stage);

/* What a process does at its start and at its end. ERROR_UNAVAILABLE without memory. */
MUST_CHECK bool stage_open(struct stage *stage, struct error *error);
void stage_close(struct stage *stage);

/* SIGTERM. */
void stage_drain(struct stage *stage);

/* Moves the clock a little and lets both workers do what is due, so many times. */
void stage_turns(struct stage *stage, int count);

/* The process has died without a word: its locks go, what it had written stays. */
void stage_died(struct stage *stage);

struct answer {
    int status; /* 0 = none came */
    size_t length;
    const char *body; /* into `text` */
    char text[ANSWER_SIZE];
};

/* Sends the bytes and turns until the answer is whole, or nothing comes. */
void stage_ask(struct stage *stage, const char *request, struct answer *answer);

/* Turns until both outboxes are empty, then: are the stores whole, converged, and with so many
 * bookings (`most` = at least one less)? */
struct stage_bookings {
    int64_t least;
    int64_t most;
};
MUST_CHECK bool stage_verify(struct stage *stage, const struct stage_bookings *bookings,
                             struct error *error);

MUST_CHECK bool stage_bookings(struct stage *stage, int64_t *count, struct error *error);

#endif
