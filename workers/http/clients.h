/* How much one client may ask for: requests a second, and how many connections (or requests being
 * answered) it has at a time. Knows neither sockets nor HTTP: a client is a key.
 *
 * Each client has a bucket of one second's requests, refilled as time goes by. A client who holds
 * nothing and whose bucket is full again is as good as unknown, and is forgotten. */
#ifndef BOOKFLOW_CLIENTS_H
#define BOOKFLOW_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum client_kind { CLIENT_SOCKET, CLIENT_ADDRESS, CLIENT_TOKEN };

struct client_key {
    enum client_kind kind;
    unsigned char bytes[16]; /* an IPv6 address (IPv4 mapped into it), or a token's id */
};
bool client_key_equal(const struct client_key *a, const struct client_key *b);

struct clients;
struct clients *clients_new(void);
void clients_free(struct clients *clients);

/* From now on; 0 = no limit, as at first. */
void clients_limit(struct clients *clients, int64_t requests_a_second, int64_t seats);

/* Counts a request. False: it is one too many. `now_ms` are ticks. */
bool clients_ask(struct clients *clients, const struct client_key *key, int64_t now_ms);

/* A place among those that the client has at a time; NULL: it has them all. */
struct seat;
struct seat *clients_sit(struct clients *clients, const struct client_key *key, int64_t now_ms);
/* Gives it back; NULL is fine. */
void clients_rise(struct seat *seat);

/* For tests: how many are remembered. */
size_t clients_count(const struct clients *clients);

#endif
