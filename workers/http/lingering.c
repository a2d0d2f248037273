/* After a refusal: the client may still be sending. Closing a socket with unread bytes in it makes
 * the kernel reset the connection, and the answer is lost on its way. So a second descriptor of the
 * socket reads on for a moment and drops what comes. Knows no HTTP. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server_private.h"

enum { LINGER_MS = 1000, LINGERING_MAX = 256, LINGER_READ = 16 * 1024 };

static void lingering_end(void *context)
{
    struct lingering *lingering = context;
    LIST_REMOVE(lingering, link);
    lingering->server->lingering_count--;
    loop_watch_free(lingering->watch);
    loop_timer_free(lingering->timer);
    (void)close(lingering->fd);
    free(lingering);
}

static void lingering_read(void *context)
{
    struct lingering *lingering = context;
    char dropped[LINGER_READ];
    const ssize_t count = recv(lingering->fd, dropped, sizeof dropped, MSG_DONTWAIT);
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR))
        lingering_end(lingering);
}

void lingering_start(struct http_server *server, int fd)
{
    if (server->lingering_count >= LINGERING_MAX) {
        (void)close(fd);
        return;
    }
    struct lingering *lingering = memory_new(1, sizeof *lingering);
    lingering->server = server;
    lingering->fd = fd;
    lingering->watch = loop_watch_new(server->loop, fd, false, lingering_read, lingering);
    lingering->timer = loop_timer_new(server->loop, lingering_end, lingering);
    loop_timer_set(lingering->timer, LINGER_MS);
    LIST_INSERT_HEAD(&server->lingering, lingering, link);
    server->lingering_count++;
}

void lingering_end_all(struct http_server *server)
{
    for (struct lingering *lingering = LIST_FIRST(&server->lingering); lingering;
         lingering = LIST_FIRST(&server->lingering))
        lingering_end(lingering);
}
