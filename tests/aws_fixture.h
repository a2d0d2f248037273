/* For the tests of what speaks to AWS: a scripted HTTP server on the loopback, in the same thread,
 * a clock that moves when nothing else does, and an account between them. */
#ifndef BOOKFLOW_AWS_FIXTURE_H
#define BOOKFLOW_AWS_FIXTURE_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "account.h"
#include "buf.h"
#include "exchange.h"
#include "world.h"

enum { PEER_CONNECTIONS = 16, PEER_ANSWERS = 64 };

/* Gives its answers one by one to the requests as they come, and keeps these. */
struct peer {
    int fd;
    int port;
    char url[64]; /* http://127.0.0.1:PORT */
    struct {
        int fd; /* 0 = free */
        struct buf in;
    } connections[PEER_CONNECTIONS];
    char *answers[PEER_ANSWERS]; /* see peer_answer() */
    size_t answer_count;
    char *requests[PEER_ANSWERS];
    size_t request_count;
    size_t accepted; /* connections, in all */
};

void peer_open(struct peer *peer);
void peer_close(struct peer *peer);

/* The next answer, with a Content-Length. `headers`: lines with their ends, "" = none. */
void peer_answer(struct peer *peer, int status, const char *headers, const char *body);
/* The next answer, byte for byte, and the end of the connection. NULL: no answer, as long as the
 * connection is open. */
void peer_bytes(struct peer *peer, const char *bytes);

struct bench {
    struct peer peer;
    int64_t wall_ms;
    int64_t ticks_ms;
    struct world world;
    bool real_time; /* waits as long as it is told to, instead of moving the clock */
    struct config *config;
    struct account *account;
};

/* An empty environment, a clock and a peer; the variables come next. */
void bench_start(struct bench *bench);
void bench_set(const char *name, const char *format, ...) PRINTF_LIKE(2, 3);
/* The account, in the environment as it is now. */
void bench_open(struct bench *bench);
void bench_finish(struct bench *bench);

/* Goes on until *flag, which it must become. */
void bench_until(struct bench *bench, const bool *flag);
/* Goes on until the peer has seen as many requests. */
void bench_until_requests(struct bench *bench, size_t count);
/* Goes on as long as something happens by itself; does not move the clock. */
void bench_settle(struct bench *bench);
void bench_pass(struct bench *bench, int64_t ms);

/* What the chain of credentials has told. */
struct told {
    bool done;
    int count;
    char access_key[64];
    char secret_key[64];
    char session_token[64];
    char source[160];
    int64_t expires_ms;
    struct error failure;
};
void told_it(void *told, const struct credentials *credentials, const struct error *failure);
struct told bench_credentials(struct bench *bench);

/* The same for exchanges without an account. */
void exchanges_until(struct exchanges *exchanges, struct peer *peer, const bool *flag);

/* A file in memory: its path, the caller's. Written again it has a new text. */
int memory_file(const char *text);
void memory_file_path(int fd, char path[64]);
void memory_file_write(int fd, const char *text);

#endif
