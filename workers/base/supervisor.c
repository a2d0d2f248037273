/* The notify protocol, without libsystemd: it is one datagram. */
#include "supervisor.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

bool datagram_send(const char *name, const void *data, size_t length)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const size_t size = strlen(name);
    if (size < 2 || size >= sizeof address.sun_path)
        return false;
    memcpy(address.sun_path, name, size);
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    const socklen_t used = (socklen_t)(sizeof address - sizeof address.sun_path + size);
    const ssize_t sent =
        sendto(fd, data, length, MSG_NOSIGNAL, (const struct sockaddr *)&address, used);
    (void)close(fd);
    return sent >= 0;
}

void supervisor_tell(const char *state)
{
    const char *socket_name = getenv("NOTIFY_SOCKET");
    if (socket_name)
        (void)!datagram_send(socket_name, state, strlen(state));
}

int64_t supervisor_patience_ms(void)
{
    const char *pid = getenv("WATCHDOG_PID");
    const char *limit = getenv("WATCHDOG_USEC");
    const int64_t usec = limit ? strtoll(limit, NULL, 10) : 0;
    if (usec <= 0 || (pid && strtoll(pid, NULL, 10) != (long long)getpid()))
        return -1;
    return usec / 1000;
}
