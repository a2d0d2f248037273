/* Where the server listens: addresses, unix sockets and their files, descriptors handed over. */
#include "server_harness.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/stat.h>

static void hello(void *context, struct http_request *request)
{
    (void)context;
    http_reply_text(request, 200, "text/plain", NULL, "hello", 5);
}

static const struct http_route routes[] = {
    {.method = HTTP_GET, .pattern = "/", .handler = hello, .access = HTTP_OPEN}, {.pattern = NULL}};

static void expect_hello(struct fixture *fixture)
{
    struct client client;
    client_open(&client, fixture);
    client_send(&client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    expect_answer(&client, 200, "hello");
    client_close(&client);
}

Test(listen, reads_addresses)
{
    static const struct {
        const char *text;
        bool valid;
        bool local;
    } addresses[] = {
        {"127.0.0.1:3000", true, true},
        {"127.9.9.9:0", true, true},
        {"localhost:65535", true, true},
        {"[::1]:3000", true, true},
        {"[::ffff:127.0.0.1]:3000", true, true},
        {"unix:/run/x.socket", true, true},
        {"0.0.0.0:3000", true, false},
        {"192.0.2.1:3000", true, false},
        {"[::]:3000", true, false},
        {"[::ffff:192.0.2.1]:3000", true, false},
        {"", false, false},
        {":3000", false, false},
        {"*:3000", false, false},
        {"127.0.0.1", false, false},
        {"127.0.0.1:", false, false},
        {"127.0.0.1:65536", false, false},
        {"127.0.0.1:-1", false, false},
        {"127.0.0.1:+1", false, false},
        {"127.0.0.1: 1", false, false},
        {"127.0.0.1:1x", false, false},
        {"127.0.0.1:000001", false, false},
        {"127.1:80", false, false},
        {"example.com:80", false, false},
        {"::1:3000", false, false},
        {"[::1]", false, false},
        {"[]:80", false, false},
        {"[127.0.0.1]:80", false, false},
        {"[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb]:80", false, false},
        {"http://127.0.0.1:3000", false, false},
        {"unix:", false, false},
        {"unix:relative", false, false},
        {"unix:/0123456789012345678901234567890123456789012345678901234567890123456789"
         "01234567890123456789012345678901234567890",
         false, false},
    };
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        struct error error = {0};
        bool local = false;
        const bool valid = http_address_is_local(addresses[i].text, &local, &error);
        cr_expect_eq(valid, addresses[i].valid, "%s", addresses[i].text);
        cr_expect_eq(local, addresses[i].local, "%s", addresses[i].text);
        cr_expect_eq(error.kind, valid ? ERROR_NONE : ERROR_CONFIGURATION, "%s", addresses[i].text);
    }
}

Test(listen, tells_the_port_it_got_and_that_one_is_taken)
{
    static const char *const hosts[] = {"127.0.0.1:", "[::1]:"};
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        struct fixture fixture;
        struct error error = {0};
        struct buf address AUTO(buf_release) = {0};
        buf_printf(&address, "%s0", hosts[i]);
        start_server(&fixture, routes, buf_text(&address));
        const char *real = http_server_address(fixture.server);
        cr_expect_eq(strncmp(real, hosts[i], strlen(hosts[i])), 0, "%s", real);
        cr_expect_str_neq(real, buf_text(&address));
        expect_hello(&fixture);
        cr_expect_null(http_server_new(fixture.loop,
                                       &(struct http_listen){.address = real, .fd = -1}, &error));
        cr_expect_eq(error.kind, ERROR_UNAVAILABLE, "%s", error.text);
        stop_server(&fixture);
    }
}

struct unix_place {
    char folder[64];
    char path[96];
    char address[128];
};

static void make_place(struct unix_place *place)
{
    (void)snprintf(place->folder, sizeof place->folder, "/tmp/bookflow-listen-XXXXXX");
    cr_assert(mkdtemp(place->folder));
    (void)snprintf(place->path, sizeof place->path, "%s/s", place->folder);
    (void)snprintf(place->address, sizeof place->address, "unix:%s", place->path);
}

static void remove_place(const struct unix_place *place)
{
    (void)unlink(place->path);
    cr_expect_eq(rmdir(place->folder), 0);
}

Test(listen, makes_a_private_unix_socket_and_removes_it)
{
    struct fixture fixture;
    struct unix_place place;
    struct stat file;
    make_place(&place);
    start_server(&fixture, routes, place.address);
    cr_expect_str_eq(http_server_address(fixture.server), place.address);
    cr_assert_eq(lstat(place.path, &file), 0);
    cr_expect_eq(file.st_mode, S_IFSOCK | 0600, "%o", file.st_mode);
    expect_hello(&fixture);
    stop_server(&fixture);
    cr_expect_neq(lstat(place.path, &file), 0);
    remove_place(&place);
}

/* Binds the path and goes away without removing it, as a killed server does. */
static void leave_stale_socket(const struct unix_place *place)
{
    struct address address;
    struct error error = {0};
    cr_assert(address_parse(&address, place->address, &error));
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    cr_assert_eq(bind(fd, &address.socket.any, address.length), 0);
    (void)close(fd);
}

Test(listen, replaces_a_stale_unix_socket_but_not_a_live_one)
{
    struct fixture fixture;
    struct unix_place place;
    struct error error = {0};
    make_place(&place);
    leave_stale_socket(&place);
    start_server(&fixture, routes, place.address);
    expect_hello(&fixture);
    const struct http_listen again = {.address = place.address, .fd = -1};
    cr_expect_null(http_server_new(fixture.loop, &again, &error));
    cr_expect_eq(error.kind, ERROR_UNAVAILABLE, "%s", error.text);
    expect_hello(&fixture);
    stop_server(&fixture);
    remove_place(&place);
}

Test(listen, leaves_files_alone_that_are_not_its_own)
{
    struct fixture fixture;
    struct unix_place place;
    struct error error = {0};
    struct stat file;
    make_place(&place);
    start_server(&fixture, routes, place.address);
    (void)unlink(place.path);
    leave_stale_socket(&place); /* stands for a newer server's */
    stop_server(&fixture);
    cr_expect_eq(lstat(place.path, &file), 0);
    (void)unlink(place.path);
    (void)close(open(place.path, O_CREAT | O_WRONLY, 0600));
    struct loop *loop = loop_new(&error);
    const struct http_listen listen = {.address = place.address, .fd = -1};
    cr_expect_null(http_server_new(loop, &listen, &error));
    cr_expect_eq(error.kind, ERROR_CONFIGURATION, "%s", error.text);
    cr_expect_eq(lstat(place.path, &file), 0);
    loop_free(loop);
    remove_place(&place);
}

Test(listen, takes_over_a_listening_descriptor)
{
    struct fixture fixture;
    struct error error = {0};
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&any, sizeof any), 0);
    fixture = (struct fixture){.loop = loop_new(&error)};
    fixture.turn = loop_timer_new(fixture.loop, stop_turning, &fixture);
    const struct http_listen not_an_fd = {.address = "ignored", .fd = fileno(stderr)};
    cr_expect_null(http_server_new(fixture.loop, &not_an_fd, &error));
    cr_expect_eq(error.kind, ERROR_CONFIGURATION, "%s", error.text);
    cr_assert_eq(listen(fd, 5), 0);
    fixture.server = http_server_new(fixture.loop,
                                     &(struct http_listen){.address = "ignored", .fd = fd}, &error);
    cr_assert(fixture.server);
    http_server_routes(fixture.server, routes, &fixture);
    cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    expect_hello(&fixture);
    stop_server(&fixture);
}
