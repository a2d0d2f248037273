/* A server on the loopback for the client's tests: one thread, one canned answer per connection.
 * For the tests of one binary only, so its functions are static. */
#ifndef BOOKFLOW_SCRIPTED_SERVER_H
#define BOOKFLOW_SCRIPTED_SERVER_H

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"

enum { ANSWERS_MAX = 4, REQUEST_MAX = 4096 };

struct server {
    int fd;
    pthread_t thread;
    char url[128];
    const char *answers[ANSWERS_MAX + 1];
    bool hang; /* keeps the last connection open instead of closing it */
    int held;
    char request[REQUEST_MAX]; /* what came last */
};

static bool read_more(int fd, char *request)
{
    const size_t have = strlen(request);
    const ssize_t got = read(fd, request + have, REQUEST_MAX - 1 - have);
    if (got > 0)
        request[have + (size_t)got] = '\0';
    return got > 0;
}

static void read_request(int fd, char *request)
{
    request[0] = '\0';
    while (!strstr(request, "\r\n\r\n"))
        if (!read_more(fd, request))
            return;
    const char *length = strstr(request, "Content-Length: ");
    const size_t body = length ? strtoul(length + 16, NULL, 10) : 0;
    const size_t head = (size_t)(strstr(request, "\r\n\r\n") - request) + 4;
    while (strlen(request) < head + body && read_more(fd, request))
        continue;
}

static void *serve(void *context)
{
    struct server *server = context;
    for (size_t i = 0; server->answers[i]; i++) {
        const int fd = accept(server->fd, NULL, NULL);
        if (fd < 0)
            return NULL;
        read_request(fd, server->request);
        (void)!write(fd, server->answers[i], strlen(server->answers[i]));
        if (server->hang && !server->answers[i + 1])
            server->held = fd;
        else
            close(fd);
    }
    return NULL;
}

static void start(struct server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    server->held = -1;
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(server->fd, (struct sockaddr *)&address, length), 0);
    cr_assert_eq(listen(server->fd, 8), 0);
    cr_assert_eq(getsockname(server->fd, (struct sockaddr *)&address, &length), 0);
    snprintf(server->url, sizeof server->url, "http://127.0.0.1:%d/", ntohs(address.sin_port));
    cr_assert_eq(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void finish(struct server *server)
{
    (void)shutdown(server->fd, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->fd);
    if (server->held >= 0)
        close(server->held);
}

static struct client *connect_to(const struct server *server, const char *token)
{
    struct error error = {0};
    struct client *client = client_new(
        &(struct client_options){.url = server->url, .token = token, .timeout_ms = 5000}, &error);
    cr_assert(client, "%s", error.text);
    return client;
}

#endif
