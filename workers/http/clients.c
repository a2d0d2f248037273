/* Clients and what they have used up: a hash table, its memory bounded by who came of late. */
#include "clients.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "buf.h"
#include "world.h"

enum { CHAINS = 1024, PRICE = 1000 /* of a request: one a second is one a millisecond's 1000th */ };

struct seat {
    struct client_key key;
    int64_t credit; /* in 1000ths of a request */
    int64_t filled_ms;
    int64_t taken; /* seats */
    LIST_ENTRY(seat) link;
};

LIST_HEAD(chain, seat);

struct clients {
    int64_t requests;
    int64_t seats;
    uint64_t salt; /* nobody can choose addresses that all share a chain */
    size_t count;
    struct chain chains[CHAINS];
};

bool client_key_equal(const struct client_key *a, const struct client_key *b)
{
    return a->kind == b->kind && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

struct clients *clients_new(void)
{
    struct clients *clients = memory_new(1, sizeof *clients);
    const struct world *world = world_real();
    world->random(world->context, &clients->salt, sizeof clients->salt);
    return clients;
}

void clients_free(struct clients *clients)
{
    if (!clients)
        return;
    for (size_t i = 0; i < CHAINS; i++) {
        while (!LIST_EMPTY(&clients->chains[i])) {
            struct seat *client = LIST_FIRST(&clients->chains[i]);
            LIST_REMOVE(client, link);
            free(client);
        }
    }
    free(clients);
}

void clients_limit(struct clients *clients, int64_t requests_a_second, int64_t seats)
{
    clients->requests = requests_a_second;
    clients->seats = seats;
}

static struct chain *chain_of(struct clients *clients, const struct client_key *key)
{
    uint64_t hash = clients->salt ^ (uint64_t)key->kind;
    for (size_t i = 0; i < sizeof key->bytes; i++)
        hash = (hash ^ key->bytes[i]) * UINT64_C(0x9e3779b97f4a7c15) + (hash >> 29);
    return &clients->chains[(hash >> 32) % CHAINS];
}

static void refill(const struct clients *clients, struct seat *client, int64_t now_ms)
{
    const int64_t full = clients->requests * PRICE;
    const int64_t passed = now_ms - client->filled_ms;
    client->filled_ms = now_ms;
    client->credit += passed >= 1000 ? full : passed * clients->requests;
    client->credit = client->credit > full ? full : client->credit;
}

static void forget_idle(struct clients *clients, struct chain *chain, int64_t now_ms)
{
    struct seat *next = NULL;
    for (struct seat *client = LIST_FIRST(chain); client; client = next) {
        next = LIST_NEXT(client, link);
        if (client->taken > 0 || now_ms - client->filled_ms < 1000)
            continue;
        LIST_REMOVE(client, link);
        free(client);
        clients->count--;
    }
}

static struct seat *client_of(struct clients *clients, const struct client_key *key, int64_t now_ms)
{
    struct chain *chain = chain_of(clients, key);
    struct seat *client = NULL;
    LIST_FOREACH(client, chain, link)
    {
        if (client_key_equal(&client->key, key))
            return client;
    }
    forget_idle(clients, chain, now_ms);
    client = memory_new(1, sizeof *client);
    client->key = *key;
    client->credit = clients->requests * PRICE;
    client->filled_ms = now_ms;
    LIST_INSERT_HEAD(chain, client, link);
    clients->count++;
    return client;
}

bool clients_ask(struct clients *clients, const struct client_key *key, int64_t now_ms)
{
    if (clients->requests == 0)
        return true;
    struct seat *client = client_of(clients, key, now_ms);
    refill(clients, client, now_ms);
    if (client->credit < PRICE)
        return false;
    client->credit -= PRICE;
    return true;
}

struct seat *clients_sit(struct clients *clients, const struct client_key *key, int64_t now_ms)
{
    struct seat *client = client_of(clients, key, now_ms);
    if (clients->seats > 0 && client->taken >= clients->seats)
        return NULL;
    client->taken++;
    return client;
}

void clients_rise(struct seat *seat)
{
    if (seat)
        seat->taken--;
}

size_t clients_count(const struct clients *clients)
{
    return clients->count;
}
