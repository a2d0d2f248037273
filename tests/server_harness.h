/* A server and its clients on one loop, for tests: no threads, no sleeping. Everything waits by
 * turning the loop until a condition holds. */
#ifndef BOOKFLOW_SERVER_HARNESS_H
#define BOOKFLOW_SERVER_HARNESS_H

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "buf.h"
#include "server.h"
#include "server_private.h"

enum { TURN_MS = 1, TURNS_MAX = 5000, KEPT_MAX = 8 };

struct fixture {
    struct loop *loop;
    struct loop_timer *turn;
    struct http_server *server;
    struct http_request *kept[KEPT_MAX];
    size_t kept_count;
    struct http_stream *stream;
    int streams_closed;
};

struct client {
    struct fixture *fixture;
    int fd;
    struct loop_watch *watch;
    struct buf received;
    bool closed;
};

/* Turns the loop until the condition holds. */
#define WAIT(fixture, condition)                                                                   \
    for (int turns = 0; !(condition); turns++) {                                                   \
        cr_assert_lt(turns, TURNS_MAX, "waited in vain: %s", #condition);                          \
        turn_loop(fixture);                                                                        \
    }

static inline void stop_turning(void *context)
{
    struct fixture *fixture = context;
    loop_stop(fixture->loop);
}

static inline void turn_loop(struct fixture *fixture)
{
    loop_timer_set(fixture->turn, TURN_MS);
    loop_run(fixture->loop);
}

static inline void start_server(struct fixture *fixture, const struct http_route routes[],
                                const char *address)
{
    struct error error = {0};
    *fixture = (struct fixture){.loop = loop_new(&error)};
    fixture->turn = loop_timer_new(fixture->loop, stop_turning, fixture);
    fixture->server =
        http_server_new(fixture->loop, &(struct http_listen){.address = address, .fd = -1}, &error);
    cr_assert(fixture->server, "%s", error.text);
    http_server_routes(fixture->server, routes, fixture);
}

static inline void stop_server(struct fixture *fixture)
{
    http_server_free(fixture->server);
    loop_timer_free(fixture->turn);
    loop_free(fixture->loop);
}

/* --- Clients. --- */

static inline void client_read(void *context)
{
    struct client *client = context;
    char data[4096];
    const ssize_t count = recv(client->fd, data, sizeof data, MSG_DONTWAIT);
    if (count > 0) {
        buf_append(&client->received, data, (size_t)count);
        return;
    }
    if (count == 0 || errno != EAGAIN) {
        client->closed = true;
        loop_watch_free(client->watch);
        client->watch = NULL;
    }
}

static inline void client_open(struct client *client, struct fixture *fixture)
{
    struct address address;
    struct error error = {0};
    cr_assert(address_parse(&address, http_server_address(fixture->server), &error), "%s",
              error.text);
    *client = (struct client){.fixture = fixture};
    client->fd = socket(address.socket.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(connect(client->fd, &address.socket.any, address.length), 0, "%s",
                 strerror(errno));
    client->watch = loop_watch_new(fixture->loop, client->fd, false, client_read, client);
}

static inline void client_send_bytes(struct client *client, const char *data, size_t length)
{
    while (length > 0) {
        const ssize_t count = send(client->fd, data, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        cr_assert(count > 0 || errno == EAGAIN, "%s", strerror(errno));
        data += count > 0 ? count : 0;
        length -= count > 0 ? (size_t)count : 0;
        if (count < 0)
            turn_loop(client->fixture);
    }
}

static inline void client_send(struct client *client, const char *text)
{
    client_send_bytes(client, text, strlen(text));
}

/* Stops reading, so that what is sent to it stays in the buffers of the sockets. */
static inline void client_pause(struct client *client)
{
    loop_watch_free(client->watch);
    client->watch = NULL;
}

static inline void client_go_on(struct client *client)
{
    client->watch = loop_watch_new(client->fixture->loop, client->fd, false, client_read, client);
}

/* Closes so that the other side is reset. */
static inline void client_reset(struct client *client)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    loop_watch_free(client->watch);
    (void)close(client->fd);
    buf_release(&client->received);
}

static inline void client_close(struct client *client)
{
    loop_watch_free(client->watch);
    (void)close(client->fd);
    buf_release(&client->received);
}

/* --- Replies. --- */

struct answer {
    int status;
    struct buf head; /* with the empty line */
    struct buf body;
};

static inline void answer_release(struct answer *answer)
{
    buf_release(&answer->head);
    buf_release(&answer->body);
}

static inline bool has_head(const struct client *client)
{
    return strstr(buf_text(&client->received), "\r\n\r\n");
}

static inline void take_head(struct client *client, struct answer *answer)
{
    WAIT(client->fixture, has_head(client));
    const char *text = buf_text(&client->received);
    const size_t length = (size_t)(strstr(text, "\r\n\r\n") - text) + 4;
    buf_append(&answer->head, text, length);
    buf_consume(&client->received, length);
    cr_assert_eq(strncmp(buf_text(&answer->head), "HTTP/1.", 7), 0, "%s", buf_text(&answer->head));
    answer->status = (int)strtol(buf_text(&answer->head) + 9, NULL, 10);
}

static inline size_t content_length(const struct answer *answer)
{
    const char *found = strstr(buf_text(&answer->head), "Content-Length: ");
    return found ? strtoul(found + strlen("Content-Length: "), NULL, 10) : 0;
}

static inline void take_answer(struct client *client, struct answer *answer)
{
    take_head(client, answer);
    const size_t length = content_length(answer);
    WAIT(client->fixture, client->received.length >= length);
    buf_append(&answer->body, client->received.data, length);
    buf_consume(&client->received, length);
}

static inline void expect_answer(struct client *client, int status, const char *body)
{
    struct answer answer AUTO(answer_release) = {0};
    take_answer(client, &answer);
    cr_assert_eq(answer.status, status, "%s%s", buf_text(&answer.head), buf_text(&answer.body));
    cr_assert_str_eq(buf_text(&answer.body), body);
}

static inline void expect_header(const struct answer *answer, const char *line)
{
    struct buf whole AUTO(buf_release) = {0};
    buf_printf(&whole, "\r\n%s\r\n", line);
    cr_assert(strstr(buf_text(&answer->head), buf_text(&whole)), "%s is not in:\n%s", line,
              buf_text(&answer->head));
}

#endif
