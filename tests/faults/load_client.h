/* Customers and providers at random: what a client of the load asks for and what it makes of the
 * answers. Knows no sockets beyond its wire, and no stores. */
#ifndef BOOKFLOW_LOAD_CLIENT_H
#define BOOKFLOW_LOAD_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "load_http.h"

enum { NAME_MAX_SIZE = 48 };

/* A booking that was answered 201. */
struct known {
    char id[NAME_MAX_SIZE];
    char slot[NAME_MAX_SIZE];
    unsigned provider;
    bool cancelled; /* answered 200 by intake */
    bool accepted, rejected, withdrawn;
};

struct load {
    FILE *log; /* of the promises */
    uint64_t chance;
    int64_t think_ms; /* at most, between an answer and the next request of a client */
    struct known *known;
    size_t known_count, known_room;
    int64_t requests, promised, refused, unavailable, unanswered, repeated;
};

struct action;

struct load_client {
    struct http_wire wire;
    bool of_intake;
    unsigned number;
    unsigned slots_made, slots_used, users;
    int64_t next_ms;
    const struct action *action; /* of the request on its way; NULL = none */
    size_t subject;              /* index of the booking it is about */
    struct known before;         /* the subject as it was when asked */
    char key[NAME_MAX_SIZE];
    char path[256];
    char slot[NAME_MAX_SIZE];
    char user[NAME_MAX_SIZE];
    char first_id[NAME_MAX_SIZE]; /* what the first answer under this key said; "" = none yet */
    struct buf body;
};

/* Asks for something, when it is time; moves what is on its way. */
void load_client_step(struct load *load, struct load_client *client);

/* In [0, below). */
unsigned load_draw(struct load *load, unsigned below);

#endif
