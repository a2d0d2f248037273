/* One connection of a harness. */
#include "load_http.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { READ_SIZE = 16384, RETRY_MS = 1, LOOK_MS = 20 };

int64_t harness_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void harness_pause_ms(int64_t ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    (void)nanosleep(&pause, NULL);
}

void http_wire_close(struct http_wire *wire)
{
    if (wire->fd >= 0)
        (void)close(wire->fd);
    wire->fd = -1;
    wire->asking = false;
}

void http_wire_release(struct http_wire *wire)
{
    http_wire_close(wire);
    buf_release(&wire->out);
    buf_release(&wire->in);
}

static bool connect_wire(struct http_wire *wire)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (wire->fd >= 0)
        return true;
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", wire->path);
    wire->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return wire->fd >= 0 && connect(wire->fd, (struct sockaddr *)&address, sizeof address) == 0;
}

void http_wire_ask(struct http_wire *wire, const struct http_ask *ask)
{
    buf_clear(&wire->in);
    buf_clear(&wire->out);
    buf_printf(&wire->out, "%s %s HTTP/1.1\r\nHost: harness\r\n", ask->method, ask->path);
    if (ask->key)
        buf_printf(&wire->out, "Idempotency-Key: %s\r\n", ask->key);
    if (ask->body)
        buf_printf(&wire->out, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
                   strlen(ask->body));
    buf_printf(&wire->out, "\r\n%s", ask->body ? ask->body : "");
    wire->asking = true;
}

static bool send_out(struct http_wire *wire)
{
    while (wire->out.length > 0) {
        const ssize_t sent = send(wire->fd, wire->out.data, wire->out.length, MSG_NOSIGNAL);
        if (sent < 0)
            return errno == EAGAIN;
        buf_consume(&wire->out, (size_t)sent);
    }
    return true;
}

/* False: the other end is gone. */
static bool read_in(struct http_wire *wire)
{
    char bytes[READ_SIZE];
    for (;;) {
        const ssize_t got = recv(wire->fd, bytes, sizeof bytes, 0);
        if (got <= 0)
            return got < 0 && errno == EAGAIN;
        buf_append(&wire->in, bytes, (size_t)got);
    }
}

static bool is_whole(const struct http_wire *wire, int *status, const char **body)
{
    static const char length_name[] = "\r\nContent-Length: ";
    const char *text = buf_text(&wire->in);
    const char *end = strstr(text, "\r\n\r\n");
    if (!end || strncmp(text, "HTTP/1.1 ", 9) != 0)
        return false;
    const char *length = strcasestr(text, length_name);
    const size_t wanted =
        length && length < end ? strtoul(length + sizeof length_name - 1, NULL, 10) : 0;
    if (wire->in.length - (size_t)(end + 4 - text) < wanted)
        return false;
    *status = (int)strtol(text + 9, NULL, 10);
    *body = end + 4;
    return true;
}

static bool says_close(const struct http_wire *wire)
{
    return strcasestr(buf_text(&wire->in), "\r\nConnection: close") != NULL;
}

enum http_wire_state http_wire_step(struct http_wire *wire, int *status, const char **body)
{
    if (!connect_wire(wire) || !send_out(wire)) {
        http_wire_close(wire);
        return HTTP_WIRE_BROKEN;
    }
    const bool open = read_in(wire);
    if (is_whole(wire, status, body)) {
        wire->asking = false;
        if (!open || says_close(wire))
            http_wire_close(wire);
        return HTTP_WIRE_ANSWERED;
    }
    if (open)
        return HTTP_WIRE_WAITS;
    http_wire_close(wire);
    return HTTP_WIRE_BROKEN;
}

bool http_wire_call(struct http_wire *wire, const struct http_ask *ask, int limit_ms, int *status,
                    const char **body)
{
    const int64_t until_ms = harness_now_ms() + limit_ms;
    for (http_wire_ask(wire, ask); harness_now_ms() < until_ms;) {
        const bool was_open = wire->fd >= 0;
        const enum http_wire_state state = http_wire_step(wire, status, body);
        if (state == HTTP_WIRE_ANSWERED)
            return true;
        if (state == HTTP_WIRE_BROKEN && was_open)
            return false; /* it may have had its effect: the caller's to say */
        if (state == HTTP_WIRE_BROKEN) {
            harness_pause_ms(RETRY_MS);
            continue;
        }
        struct pollfd ready = {.fd = wire->fd, .events = POLLIN};
        (void)poll(&ready, 1, LOOK_MS);
    }
    http_wire_close(wire);
    return false;
}
