/* Addresses and listening sockets: TCP by numeric address, unix sockets, descriptors handed over
 * by systemd. Knows nothing of HTTP. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server_private.h"

enum {
    BACKLOG = 1024,
    /* A client that has vanished without a word is noticed after this, also in an idle stream. */
    UNACKNOWLEDGED_MS = 60 * 1000
};

static const char unix_prefix[] = "unix:";

/* --- Addresses as text. --- */

static bool parse_unix(struct address *address, const char *path)
{
    struct sockaddr_un *name = &address->socket.path;
    const size_t length = strlen(path);
    if (path[0] != '/' || length >= sizeof name->sun_path)
        return false;
    name->sun_family = AF_UNIX;
    memcpy(name->sun_path, path, length + 1);
    address->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
    return true;
}

static bool parse_ip4(struct address *address, const char *host, uint16_t port)
{
    struct sockaddr_in *name = &address->socket.ip4;
    *name = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    address->length = sizeof *name;
    return inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host,
                     &name->sin_addr) == 1;
}

static bool parse_ip6(struct address *address, const char *host, uint16_t port)
{
    struct sockaddr_in6 *name = &address->socket.ip6;
    *name = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
    address->length = sizeof *name;
    return inet_pton(AF_INET6, host, &name->sin6_addr) == 1;
}

static bool parse_ip(struct address *address, const char *text)
{
    char host[INET6_ADDRSTRLEN] = "";
    char port[6] = "";
    int end = 0;
    const bool brackets = text[0] == '[';
    const int found = brackets ? sscanf(text, "[%45[0-9a-fA-F:.]]:%5[0-9]%n", host, port, &end)
                               : sscanf(text, "%15[a-z0-9.]:%5[0-9]%n", host, port, &end);
    const unsigned long number = strtoul(port, NULL, 10);
    if (found != 2 || text[end] != '\0' || number > UINT16_MAX)
        return false;
    return (brackets ? parse_ip6 : parse_ip4)(address, host, (uint16_t)number);
}

bool address_parse(struct address *address, const char *text, struct error *error)
{
    struct address parsed = {.length = 0};
    const size_t prefix = sizeof unix_prefix - 1;
    const bool understood = strncmp(text, unix_prefix, prefix) == 0
                                ? parse_unix(&parsed, text + prefix)
                                : parse_ip(&parsed, text);
    if (!understood) {
        return error_set(error, ERROR_CONFIGURATION,
                         "\"%s\" is not an address: write 127.0.0.1:3000, [::1]:3000 or unix:/path",
                         text);
    }
    *address = parsed;
    return true;
}

static void print_address(const struct address *address, struct buf *out)
{
    const int family = address->socket.any.sa_family;
    char host[INET6_ADDRSTRLEN] = "";
    char port[6] = "";
    if (family == AF_UNIX) {
        buf_printf(out, "%s%.*s", unix_prefix, (int)sizeof address->socket.path.sun_path,
                   address->socket.path.sun_path);
        return;
    }
    (void)getnameinfo(&address->socket.any, address->length, host, sizeof host, port, sizeof port,
                      NI_NUMERICHOST | NI_NUMERICSERV);
    buf_printf(out, family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

bool address_is_local(const struct address *address)
{
    const struct in6_addr *ip6 = &address->socket.ip6.sin6_addr;
    switch (address->socket.any.sa_family) {
    case AF_INET:
        return ntohl(address->socket.ip4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    case AF_INET6:
        return IN6_IS_ADDR_LOOPBACK(ip6) ||
               (IN6_IS_ADDR_V4MAPPED(ip6) && ip6->s6_addr[12] == IN_LOOPBACKNET);
    default:
        return address->socket.any.sa_family == AF_UNIX;
    }
}

bool http_address_is_local(const char *address, bool *local, struct error *error)
{
    struct address parsed;
    if (!address_parse(&parsed, address, error))
        return false;
    *local = address_is_local(&parsed);
    return true;
}

/* --- Unix sockets leave a file behind. --- */

static bool somebody_listens(const struct address *address)
{
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return true; /* not known: leave the file alone */
    const bool connected = connect(fd, &address->socket.any, address->length) == 0;
    const bool refused = !connected && errno == ECONNREFUSED;
    (void)close(fd);
    return !refused;
}

/* Removes the socket of a server that did not end well. */
static bool remove_stale(const struct address *address, const char *path, struct error *error)
{
    struct stat file;
    if (lstat(path, &file) != 0)
        return true; /* nothing there; whatever else is wrong, bind() will say */
    if (!S_ISSOCK(file.st_mode))
        return error_set(error, ERROR_CONFIGURATION, "%s exists and is not a socket", path);
    if (somebody_listens(address))
        return error_set(error, ERROR_UNAVAILABLE, "unix:%s is in use by a running server", path);
    if (unlink(path) != 0 && errno != ENOENT) {
        return error_set(error, ERROR_CONFIGURATION, "cannot replace %s: %s", path,
                         strerror(errno));
    }
    return true;
}

static void remember_file(struct listener *listener, const char *path)
{
    struct stat file;
    if (lstat(path, &file) == 0) {
        listener->path = memory_text(path);
        listener->device = file.st_dev;
        listener->inode = file.st_ino;
    }
}

/* A newer server may have replaced the file by its own meanwhile. */
static void remove_own_file(struct listener *listener)
{
    struct stat file;
    if (listener->path && lstat(listener->path, &file) == 0 && file.st_dev == listener->device &&
        file.st_ino == listener->inode)
        (void)unlink(listener->path);
    free(listener->path);
    listener->path = NULL;
}

/* --- Sockets. --- */

static void set_option(int fd, int level, int option, int value)
{
    /* Each of them only makes things better: a kernel that knows one of them not is fine. */
    (void)setsockopt(fd, level, option, &value, sizeof value);
}

/* Accepted sockets inherit these. */
static void set_options(int fd, int family)
{
    if (family == AF_UNIX) {
        /* The mode is taken from the socket when it is bound: no moment with a wider one. */
        (void)fchmod(fd, S_IRUSR | S_IWUSR);
        return;
    }
    set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS);
    if (family == AF_INET6)
        set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
}

static bool bind_and_listen(struct listener *listener, const struct address *address,
                            const char *text, struct error *error)
{
    const int family = address->socket.any.sa_family;
    listener->fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener->fd < 0)
        return error_set(error, ERROR_UNAVAILABLE, "cannot make a socket: %s", strerror(errno));
    set_options(listener->fd, family);
    if (bind(listener->fd, &address->socket.any, address->length) != 0 ||
        listen(listener->fd, BACKLOG) != 0) {
        return error_set(error, errno == EADDRINUSE ? ERROR_UNAVAILABLE : ERROR_CONFIGURATION,
                         "cannot listen on %s: %s", text, strerror(errno));
    }
    return true;
}

static bool open_own(struct listener *listener, const char *text, struct error *error)
{
    struct address address = {.length = 0};
    if (!address_parse(&address, text, error))
        return false;
    if (address.socket.any.sa_family != AF_UNIX)
        return bind_and_listen(listener, &address, text, error);
    const char *path = text + sizeof unix_prefix - 1;
    if (!remove_stale(&address, path, error) || !bind_and_listen(listener, &address, text, error))
        return false;
    remember_file(listener, path);
    return true;
}

static bool take_over(struct listener *listener, int fd, struct error *error)
{
    int listening = 0;
    socklen_t length = sizeof listening;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) != 0 || !listening) {
        return error_set(error, ERROR_CONFIGURATION,
                         "the descriptor %d handed over is not a listening socket", fd);
    }
    listener->fd = fd;
    const int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
        return error_set(error, ERROR_CONFIGURATION, "cannot use the descriptor %d: %s", fd,
                         strerror(errno));
    }
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    return true;
}

bool listener_open(struct listener *listener, const struct http_listen *listen, struct error *error)
{
    *listener = (struct listener){.fd = -1};
    const bool opened = listen->fd >= 0 ? take_over(listener, listen->fd, error)
                                        : open_own(listener, listen->address, error);
    if (!opened) {
        listener_release(listener);
        return false;
    }
    struct address real = {.length = sizeof real.socket};
    if (getsockname(listener->fd, &real.socket.any, &real.length) == 0)
        print_address(&real, &listener->address);
    return true;
}

void listener_release(struct listener *listener)
{
    if (listener->fd >= 0) {
        (void)close(listener->fd);
        listener->fd = -1;
    }
    remove_own_file(listener);
    buf_release(&listener->address);
}
