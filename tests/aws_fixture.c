/* The scripted server and the bench around it. */
#include "aws_fixture.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 20 * 1000, TURN_MS = 100, QUIET_MS = 20 };

/* --- the peer --- */

void peer_open(struct peer *peer)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    *peer = (struct peer){0};
    peer->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    cr_assert_eq(bind(peer->fd, (struct sockaddr *)&address, length), 0);
    cr_assert_eq(listen(peer->fd, PEER_CONNECTIONS), 0);
    cr_assert_eq(getsockname(peer->fd, (struct sockaddr *)&address, &length), 0);
    peer->port = ntohs(address.sin_port);
    (void)snprintf(peer->url, sizeof peer->url, "http://127.0.0.1:%d", peer->port);
}

static void hang_up(struct peer *peer, size_t which)
{
    (void)close(peer->connections[which].fd);
    buf_release(&peer->connections[which].in);
    peer->connections[which].fd = 0;
}

void peer_close(struct peer *peer)
{
    for (size_t i = 0; i < PEER_CONNECTIONS; i++)
        if (peer->connections[i].fd > 0)
            hang_up(peer, i);
    for (size_t i = 0; i < PEER_ANSWERS; i++) {
        free(peer->answers[i]);
        free(peer->requests[i]);
    }
    (void)close(peer->fd);
}

void peer_answer(struct peer *peer, int status, const char *headers, const char *body)
{
    struct buf text AUTO(buf_release) = {0};
    buf_printf(&text, "HTTP/1.1 %d Status\r\n%sContent-Length: %zu\r\n\r\n%s", status, headers,
               strlen(body), body);
    cr_assert_lt(peer->answer_count, PEER_ANSWERS);
    peer->answers[peer->answer_count++] = buf_take(&text);
}

/* A mark in front tells it from an answer that leaves the connection open. */
void peer_bytes(struct peer *peer, const char *bytes)
{
    struct buf text AUTO(buf_release) = {0};
    cr_assert_lt(peer->answer_count, PEER_ANSWERS);
    if (bytes)
        buf_printf(&text, "!%s", bytes);
    peer->answers[peer->answer_count++] = bytes ? buf_take(&text) : NULL;
}

static bool is_whole(const struct buf *request)
{
    const char *text = buf_text(request);
    const char *end = strstr(text, "\r\n\r\n");
    const char *length = strcasestr(text, "\r\nContent-Length: ");
    const size_t body = length && length < end ? strtoul(length + 18, NULL, 10) : 0;
    return end && request->length >= (size_t)(end - text) + 4 + body;
}

static void answer(struct peer *peer, size_t which)
{
    const size_t now = peer->request_count;
    const char *text = now < peer->answer_count ? peer->answers[now] : NULL;
    cr_assert_lt(now, PEER_ANSWERS);
    peer->requests[peer->request_count++] = buf_take(&peer->connections[which].in);
    if (!text)
        return;
    const char *bytes = *text == '!' ? text + 1 : text;
    (void)!send(peer->connections[which].fd, bytes, strlen(bytes), MSG_NOSIGNAL);
    if (*text == '!')
        hang_up(peer, which);
}

static void peer_read(struct peer *peer, size_t which)
{
    char block[65536];
    const ssize_t got = recv(peer->connections[which].fd, block, sizeof block, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN)) {
        hang_up(peer, which);
        return;
    }
    buf_append(&peer->connections[which].in, block, got > 0 ? (size_t)got : 0);
    if (is_whole(&peer->connections[which].in))
        answer(peer, which);
}

static void peer_accept(struct peer *peer)
{
    const int fd = accept4(peer->fd, NULL, NULL, SOCK_CLOEXEC);
    for (size_t i = 0; fd >= 0 && i < PEER_CONNECTIONS; i++)
        if (peer->connections[i].fd == 0) {
            peer->connections[i].fd = fd;
            peer->accepted++;
            return;
        }
    cr_assert_lt(fd, 0, "too many connections");
}

/* Waits for the peer's descriptors and `other`; true when anything was there. */
static bool peer_turn(struct peer *peer, int other, int timeout_ms)
{
    struct pollfd fds[PEER_CONNECTIONS + 2];
    for (size_t i = 0; i < PEER_CONNECTIONS; i++) {
        const int fd = peer->connections[i].fd;
        fds[i] = (struct pollfd){.fd = fd > 0 ? fd : -1, .events = POLLIN};
    }
    fds[PEER_CONNECTIONS] = (struct pollfd){.fd = peer->fd, .events = POLLIN};
    fds[PEER_CONNECTIONS + 1] = (struct pollfd){.fd = other, .events = POLLIN};
    if (poll(fds, PEER_CONNECTIONS + 2, timeout_ms) <= 0)
        return false;
    for (size_t i = 0; i < PEER_CONNECTIONS; i++)
        if (fds[i].revents)
            peer_read(peer, i);
    if (fds[PEER_CONNECTIONS].revents)
        peer_accept(peer);
    return true;
}

/* --- the bench --- */

static int64_t bench_wall_ms(void *context)
{
    return ((const struct bench *)context)->wall_ms;
}

static int64_t bench_ticks_ms(void *context)
{
    const struct bench *bench = context;
    return bench->real_time ? world_ticks_ms(world_real()) : bench->ticks_ms;
}

/* The middle of every range, more or less. */
static void bench_random(void *context, void *bytes, size_t length)
{
    (void)context;
    memset(bytes, 0x55, length);
}

void bench_start(struct bench *bench)
{
    cr_assert_eq(clearenv(), 0);
    *bench = (struct bench){.wall_ms = 1440938160000, .ticks_ms = 5000}; /* 2015-08-30T12:36:00Z */
    bench->world = (struct world){bench_wall_ms, bench_ticks_ms, bench_random, bench};
    peer_open(&bench->peer);
    bench_set("PATH", "/usr/bin:/bin");
    bench_set("HOME", "/nowhere");
}

void bench_set(const char *name, const char *format, ...)
{
    char value[4096];
    va_list values;
    va_start(values, format);
    (void)vsnprintf(value, sizeof value, format, values);
    va_end(values);
    cr_assert_eq(setenv(name, value, 1), 0);
}

void bench_open(struct bench *bench)
{
    struct error error = {0};
    bench->config = config_read(NULL, &error);
    cr_assert(bench->config, "%s", error.text);
    bench->account = account_new(
        &(struct account_options){.config = bench->config, .world = &bench->world}, &error);
    cr_assert(bench->account, "%s", error.text);
}

void bench_finish(struct bench *bench)
{
    account_free(bench->account);
    config_free(bench->config);
    peer_close(&bench->peer);
}

void bench_pass(struct bench *bench, int64_t ms)
{
    bench->wall_ms += ms;
    bench->ticks_ms += ms;
}

/* One turn as the owner's loop makes it: step, then wait for the descriptor or the delay. A quiet
 * wire is waited for in earnest before the clock moves. */
static void turn(struct bench *bench)
{
    const int64_t delay = account_step(bench->account);
    const int fd = account_fd(bench->account);
    if (bench->real_time)
        (void)peer_turn(&bench->peer, fd, delay >= 0 && delay < TURN_MS ? (int)delay : TURN_MS);
    else if (delay < 0)
        (void)peer_turn(&bench->peer, fd, TURN_MS);
    else if (!peer_turn(&bench->peer, fd, QUIET_MS))
        bench_pass(bench, delay);
}

void bench_until(struct bench *bench, const bool *flag)
{
    const int64_t until = world_ticks_ms(world_real()) + PATIENCE_MS;
    while (!*flag && world_ticks_ms(world_real()) < until)
        turn(bench);
    cr_assert(*flag, "it did not happen");
}

void bench_until_requests(struct bench *bench, size_t count)
{
    const int64_t until = world_ticks_ms(world_real()) + PATIENCE_MS;
    while (bench->peer.request_count < count && world_ticks_ms(world_real()) < until)
        turn(bench);
    cr_assert_eq(bench->peer.request_count, count);
}

void bench_settle(struct bench *bench)
{
    do
        (void)account_step(bench->account);
    while (peer_turn(&bench->peer, account_fd(bench->account), QUIET_MS));
}

void exchanges_until(struct exchanges *exchanges, struct peer *peer, const bool *flag)
{
    const int64_t until = world_ticks_ms(world_real()) + PATIENCE_MS;
    for (; !*flag && world_ticks_ms(world_real()) < until; exchanges_step(exchanges))
        (void)peer_turn(peer, exchanges_fd(exchanges), TURN_MS);
    cr_assert(*flag, "it did not happen");
}

/* --- credentials --- */

static void copy(char *out, size_t size, const char *text)
{
    (void)snprintf(out, size, "%s", text ? text : "");
}

void told_it(void *context, const struct credentials *credentials, const struct error *failure)
{
    struct told *told = context;
    cr_assert((credentials == NULL) != (failure == NULL));
    told->done = true;
    told->count++;
    told->failure = failure ? *failure : (struct error){0};
    if (!credentials)
        return;
    copy(told->access_key, sizeof told->access_key, credentials->access_key);
    copy(told->secret_key, sizeof told->secret_key, credentials->secret_key);
    copy(told->session_token, sizeof told->session_token, credentials->session_token);
    copy(told->source, sizeof told->source, credentials->source);
    told->expires_ms = credentials->expires_ms;
}

struct told bench_credentials(struct bench *bench)
{
    struct told told = {0};
    credentials_get(account_credentials(bench->account), told_it, &told);
    bench_until(bench, &told.done);
    return told;
}

/* --- files --- */

int memory_file(const char *text)
{
    const int fd = memfd_create("test", MFD_CLOEXEC);
    cr_assert_geq(fd, 0);
    memory_file_write(fd, text);
    return fd;
}

void memory_file_path(int fd, char path[64])
{
    (void)snprintf(path, 64, "/proc/%d/fd/%d", (int)getpid(), fd);
}

void memory_file_write(int fd, const char *text)
{
    cr_assert_eq(ftruncate(fd, 0), 0);
    cr_assert_eq(pwrite(fd, text, strlen(text), 0), (ssize_t)strlen(text));
}
