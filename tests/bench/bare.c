/* A limit of the machine: an HTTP server that does nothing. One loop, one answer for everything, as
 * long as the one to a booking; what the load reaches with it is what loopback, kernel and the load
 * itself leave to any server.
 *
 *   bench_bare        prints its port; ends with its stdin */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 4096, REQUEST_MAX = 8192, ANSWER_SIZE = 1024, EVENTS = 256 };

struct connection {
    size_t length;
    char in[REQUEST_MAX + 1];
};

static const char booking[] =
    "{\"id\":\"019ab100-0000-7000-8000-000000000000\",\"userId\":\"user-00000001\",\"providerId\":"
    "\"provider-00000001\",\"slotId\":\"slot-00000001\",\"start\":\"2099-01-01T10:00:00Z\",\"end\":"
    "\"2099-01-01T10:30:00Z\",\"status\":\"pending\"}";

static int listen_on_loopback(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, SOMAXCONN) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) < 0)
        return -1;
    *port = ntohs(address.sin_port);
    return fd;
}

/* The length of the first request in the buffer; 0 = not all of it is there. */
static size_t whole_request(const struct connection *connection)
{
    static const char length_name[] = "\r\nContent-Length: ";
    const char *end = strstr(connection->in, "\r\n\r\n");
    if (!end)
        return 0;
    const char *length = strstr(connection->in, length_name);
    const size_t body =
        length && length < end ? strtoul(length + sizeof length_name - 1, NULL, 10) : 0;
    const size_t whole = (size_t)(end + 4 - connection->in) + body;
    return connection->length < whole ? 0 : whole;
}

static bool serve(int fd, struct connection *connection, const char *answer)
{
    const ssize_t got =
        recv(fd, connection->in + connection->length, REQUEST_MAX - connection->length, 0);
    if (got <= 0)
        return false;
    connection->length += (size_t)got;
    connection->in[connection->length] = '\0';
    for (size_t whole; (whole = whole_request(connection)) > 0;) {
        connection->length -= whole;
        memmove(connection->in, connection->in + whole, connection->length + 1);
        if (send(fd, answer, strlen(answer), MSG_NOSIGNAL) < 0)
            return false;
    }
    return true;
}

static bool watch(int poll, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    return epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event) == 0;
}

struct bare {
    int poll, listener;
    char answer[ANSWER_SIZE];
    struct connection connections[CONNECTIONS_MAX]; /* by descriptor */
};

static bool take_connection(struct bare *bare)
{
    const int fd = accept4(bare->listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0 || fd >= CONNECTIONS_MAX)
        return false;
    bare->connections[fd].length = 0;
    return watch(bare->poll, fd);
}

/* False: it is over. */
static bool handle(struct bare *bare, int fd)
{
    if (fd == STDIN_FILENO)
        return false;
    if (fd == bare->listener)
        return take_connection(bare);
    if (!serve(fd, &bare->connections[fd], bare->answer))
        (void)close(fd);
    return true;
}

static void run(struct bare *bare)
{
    for (;;) {
        struct epoll_event events[EVENTS];
        const int count = epoll_wait(bare->poll, events, EVENTS, -1);
        for (int i = 0; i < count; i++)
            if (!handle(bare, events[i].data.fd))
                return;
    }
}

int main(void)
{
    static struct bare bare;
    uint16_t port = 0;
    (void)snprintf(
        bare.answer, sizeof bare.answer,
        "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
        "Location: /bookings/019ab100-0000-7000-8000-000000000000\r\n\r\n%s",
        strlen(booking), booking);
    bare.listener = listen_on_loopback(&port);
    bare.poll = epoll_create1(EPOLL_CLOEXEC);
    if (bare.listener < 0 || !watch(bare.poll, bare.listener) || !watch(bare.poll, STDIN_FILENO))
        return 1;
    (void)printf("%u\n", (unsigned)port);
    (void)fflush(stdout);
    run(&bare);
    return 0;
}
