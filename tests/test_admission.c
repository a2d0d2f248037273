/* Who is let in over real sockets: each kind of route for each kind of caller, limits for one
 * client, bodies of strangers, streams of tokens that are taken back. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "server_routes.h"
#include "text.h"

#define TIME   "2026-11-23T08:46:17Z"
#define PAST   "2020-01-01T00:00:00Z"
#define HASH   "fbabeb581dd8bad492db935c0d6bc9924a08323d930372e1274e0993cde3e80b" /* of SECRET */
#define SECRET "b98dcf7120d7386f62a0d7187399c727fccdf328d1f080a4a2f8e9e237eea60a"
#define BEARER "Authorization: Bearer "

#define ADMIN   "00000000000000ad"
#define BOOKER  "00000000000000b0"
#define BOOKER2 "00000000000000b2"
#define SALON   "00000000000000a0"
#define EXPIRED "00000000000000e0"

static const char file_text[] =
    "bookflow tokens 1\n" ADMIN " " HASH " admin - " TIME " - root\n" BOOKER " " HASH
    " booker - " TIME " - app\n" BOOKER2 " " HASH " booker - " TIME " - app\n" SALON " " HASH
    " provider salon " TIME " - front desk\n" EXPIRED " " HASH " admin - " PAST " " PAST " late\n";

/* --- A server that asks. --- */

struct door {
    struct fixture fixture;
    char file[64];
    struct tokens *tokens;
};

static void who(void *context, struct http_request *request)
{
    const struct token *token = http_request_token(request);
    (void)context;
    reply_words(request, token ? token->name : "nobody");
}

#define ROUTE(path, who_may) .method = HTTP_GET, .pattern = path, .handler = who, .access = who_may

static const struct http_route asked[] = {
    {ROUTE("/open", HTTP_OPEN)},
    {ROUTE("/local", HTTP_LOCAL | HTTP_ANY_TOKEN)},
    {ROUTE("/any", HTTP_ANY_TOKEN)},
    {ROUTE("/admin", HTTP_ADMIN)},
    {ROUTE("/bookings/{id}", HTTP_BOOKER)},
    {ROUTE("/providers/{id}/slots", HTTP_BOOKER | HTTP_PROVIDER)},
    {ROUTE("/providers/{id}/events", HTTP_PROVIDER)},
    {ROUTE("/providers/{id}/bookings/{id}", HTTP_PROVIDER), .absent = "No such booking"},
    {.method = HTTP_POST,
     .pattern = "/bulk",
     .handler = length_of,
     .access = HTTP_ADMIN,
     .bulk = true},
    {.method = HTTP_GET, .pattern = "/keep", .handler = keep, .access = HTTP_ANY_TOKEN},
    {.method = HTTP_GET,
     .pattern = "/providers/{id}/stream",
     .handler = stream,
     .access = HTTP_PROVIDER},
    {.pattern = NULL},
};

static void put_tokens(const struct door *door, const char *text)
{
    const int fd = open(door->file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    (void)close(fd);
}

static void door_open(struct door *door, struct http_admission admission)
{
    (void)snprintf(door->file, sizeof door->file, "/tmp/test_admission.XXXXXX");
    const int fd = mkstemp(door->file);
    cr_assert(fd >= 0);
    (void)close(fd);
    put_tokens(door, file_text);
    start_server(&door->fixture, asked, any_port);
    door->tokens = admission.tokens = tokens_new(door->file);
    http_server_admission(door->fixture.server, &admission);
}

static void door_close(struct door *door)
{
    stop_server(&door->fixture);
    tokens_free(door->tokens);
    (void)unlink(door->file);
}

/* One request on its own connection. */
static void ask(struct door *door, const char *path, const char *lines, struct answer *answer)
{
    struct buf text AUTO(buf_release) = {0};
    struct client client;
    buf_printf(&text, "GET %s HTTP/1.1\r\nHost: a\r\n%s\r\n", path, lines);
    client_open(&client, &door->fixture);
    client_send(&client, buf_text(&text));
    take_answer(&client, answer);
    client_close(&client);
}

static void expect_status(struct door *door, const char *path, const char *lines, int status)
{
    struct answer answer AUTO(answer_release) = {0};
    ask(door, path, lines, &answer);
    cr_expect_eq(answer.status, status, "%s with \"%s\": %d %s", path, lines, answer.status,
                 buf_text(&answer.body));
}

#define OF(id) BEARER id "." SECRET "\r\n"

Test(admission, lets_each_caller_into_its_routes_and_no_others)
{
    enum { CALLERS = 10 };
    static const char *const callers[CALLERS] = {"",
                                                 BEARER "nonsense\r\n",
                                                 BEARER ADMIN "." HASH "\r\n",
                                                 OF("0000000000000000"),
                                                 OF(EXPIRED),
                                                 OF(BOOKER),
                                                 OF(SALON),
                                                 OF(ADMIN),
                                                 OF(ADMIN) OF(ADMIN),
                                                 "Authorization: Basic YTpi\r\n"};
    static const struct {
        const char *path;
        int status[CALLERS];
    } cases[] = {
        {"/open", {200, 200, 200, 200, 200, 200, 200, 200, 200, 200}},
        {"/local", {200, 200, 200, 200, 200, 200, 200, 200, 200, 200}},
        {"/any", {401, 401, 401, 401, 401, 200, 200, 200, 401, 401}},
        {"/admin", {401, 401, 401, 401, 401, 403, 403, 200, 401, 401}},
        {"/bookings/b", {401, 401, 401, 401, 401, 200, 403, 200, 401, 401}},
        {"/providers/salon/slots", {401, 401, 401, 401, 401, 200, 200, 200, 401, 401}},
        {"/providers/other/slots", {401, 401, 401, 401, 401, 200, 403, 200, 401, 401}},
        {"/providers/salon/events", {401, 401, 401, 401, 401, 403, 200, 200, 401, 401}},
        {"/providers/other/events", {401, 401, 401, 401, 401, 403, 403, 200, 401, 401}},
        {"/providers/salon/bookings/b", {401, 401, 401, 401, 401, 403, 200, 200, 401, 401}},
        {"/providers/other/bookings/b", {401, 401, 401, 401, 401, 403, 404, 200, 401, 401}},
        {"/providers/s%61lon/events", {401, 401, 401, 401, 401, 403, 200, 200, 401, 401}},
        {"/providers/Salon/events", {401, 401, 401, 401, 401, 403, 403, 200, 401, 401}},
        {"/nothing", {404, 404, 404, 404, 404, 404, 404, 404, 404, 404}},
    };
    struct door door;
    door_open(&door, (struct http_admission){.requests = 0});
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t caller = 0; caller < CALLERS; caller++)
            expect_status(&door, cases[i].path, callers[caller], cases[i].status[caller]);
    door_close(&door);
}

Test(admission, tells_a_stranger_how_to_come_in_and_the_known_why_not)
{
    static const struct {
        const char *path, *lines, *body;
    } cases[] = {
        {"/any", "", "{\"error\":\"A bearer token is required\"}"},
        {"/any", OF(EXPIRED), "{\"error\":\"The bearer token has expired\"}"},
        {"/any", OF("0000000000000000"), "{\"error\":\"The bearer token is not valid\"}"},
        {"/admin", OF(BOOKER), "{\"error\":\"This needs another token than one of a booker\"}"},
        {"/providers/other/events", OF(SALON),
         "{\"error\":\"This token is for another provider\"}"},
        {"/providers/other/bookings/b", OF(SALON), "{\"error\":\"No such booking\"}"},
    };
    struct door door;
    door_open(&door, (struct http_admission){.requests = 0});
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct answer answer AUTO(answer_release) = {0};
        ask(&door, cases[i].path, cases[i].lines, &answer);
        cr_expect_str_eq(buf_text(&answer.body), cases[i].body);
        const bool asks = strstr(buf_text(&answer.head), "\r\nWWW-Authenticate: Bearer\r\n");
        cr_expect_eq(asks, answer.status == 401, "%s", buf_text(&answer.head));
    }
    struct answer name AUTO(answer_release) = {0};
    ask(&door, "/any", OF(SALON), &name);
    cr_expect_str_eq(buf_text(&name.body), "front desk");
    door_close(&door);
}

Test(admission, opens_what_is_for_this_machine_to_nobody_who_comes_through_a_proxy)
{
    static const char *const marks[] = {"X-Forwarded-For: 192.0.2.1\r\n", "Forwarded: for=x\r\n",
                                        "Via: 1.1 proxy\r\n"};
    struct door door;
    door_open(&door, (struct http_admission){.requests = 0});
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        expect_status(&door, "/local", marks[i], 401);
    expect_status(&door, "/local", "X-Forwarded-For: 192.0.2.1\r\n" OF(BOOKER), 200);
    door_close(&door);
    door_open(&door, (struct http_admission){.behind_proxy = true});
    expect_status(&door, "/local", marks[0], 401);
    expect_status(&door, "/local", "", 200);
    door_close(&door);
}

Test(admission, says_503_to_who_may_be_right_while_the_file_cannot_be_read)
{
    struct door door;
    door_open(&door, (struct http_admission){.requests = 0});
    cr_assert_eq(chmod(door.file, 0644), 0);
    expect_status(&door, "/any", OF(ADMIN), 503);
    expect_status(&door, "/any", "", 401);
    expect_status(&door, "/open", OF(ADMIN), 200);
    cr_assert_eq(chmod(door.file, 0600), 0);
    expect_status(&door, "/any", OF(ADMIN), 200);
    door_close(&door);
}

/* --- Limits. --- */

static int granted(struct door *door, const char *lines, int times)
{
    int count = 0;
    for (int i = 0; i < times; i++) {
        struct answer answer AUTO(answer_release) = {0};
        ask(door, "/open", lines, &answer);
        cr_expect(answer.status == 200 || answer.status == 429, "%d", answer.status);
        if (answer.status == 429)
            expect_header(&answer, "Retry-After: 1");
        count += answer.status == 200;
    }
    return count;
}

/* So slow a refill that the test does not depend on how fast it runs. */
static const struct http_admission few = {.requests = 3};

static void expect_granted(struct door *door, const char *lines, int least)
{
    const int count = granted(door, lines, 8);
    cr_expect(count >= least && count < 8, "%d of 8 with \"%s\"", count, lines);
}

Test(admission, counts_the_requests_of_each_token_and_of_each_address)
{
    struct door door;
    door_open(&door, few);
    expect_granted(&door, "", 3);
    expect_granted(&door, OF(BOOKER), 3);
    expect_granted(&door, OF(BOOKER2), 3);
    /* Who is not known is an address, whatever he says. */
    cr_expect_lt(granted(&door, BEARER "nonsense\r\n", 8), 8);
    cr_expect_lt(granted(&door, "X-Forwarded-For: 192.0.2.1\r\n", 4) +
                     granted(&door, "X-Forwarded-For: 192.0.2.2\r\n", 4),
                 8, "no proxy: nobody says for whom he calls");
    door_close(&door);
}

Test(admission, counts_behind_a_proxy_the_address_that_the_proxy_wrote)
{
    struct door door;
    struct http_admission admission = few;
    admission.behind_proxy = true;
    door_open(&door, admission);
    expect_granted(&door, "X-Forwarded-For: 192.0.2.1\r\n", 3);
    expect_granted(&door, "X-Forwarded-For: 192.0.2.2\r\n", 3);
    expect_granted(&door, "X-Forwarded-For: 2001:db8::1\r\n", 3);
    const int count = granted(&door, "X-Forwarded-For: unknown\r\n", 4) + granted(&door, "", 4);
    cr_expect_lt(count, 8, "without an address all are the proxy");
    door_close(&door);
}

Test(admission, believes_only_the_last_address_which_the_proxy_appended)
{
    static const struct {
        const char *lines;
        const char *bytes; /* in hexadecimal; NULL: none is said */
    } cases[] = {
        {"X-Forwarded-For: 192.0.2.3\r\n", "00000000000000000000ffffc0000203"},
        {"X-Forwarded-For: 198.51.100.7, 192.0.2.3\r\n", "00000000000000000000ffffc0000203"},
        {"X-Forwarded-For: 198.51.100.7,192.0.2.3 \r\n", "00000000000000000000ffffc0000203"},
        {"x-forwarded-for: 1.1.1.1\r\nA: b\r\nX-FORWARDED-FOR: ::ffff:192.0.2.3\r\n",
         "00000000000000000000ffffc0000203"},
        {"X-Forwarded-For: , 192.0.2.3\r\n", "00000000000000000000ffffc0000203"},
        /* Whoever has an IPv6 address has a network of them. */
        {"X-Forwarded-For: 2001:db8:1:2:3:4:5:6\r\n", "20010db8000100020000000000000000"},
        {"X-Forwarded-For: 192.0.2.3, unknown\r\n", NULL},
        {"X-Forwarded-For: 192.0.2.3,\r\n", NULL},
        {"X-Forwarded-For: 192.0.2.3:80\r\n", NULL},
        {"X-Forwarded-For: 192.0.2.3x192.0.2.3x192.0.2.3x192.0.2.3x192.0.2.3x\r\n", NULL},
        {"X-Forwarded-For: \r\n", NULL},
        {"X-Forwarded-Fox: 192.0.2.3\r\n", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct client_key key = {.kind = CLIENT_SOCKET};
        char bytes[2 * sizeof key.bytes + 1];
        cr_expect_eq(forwarded_key(cases[i].lines, &key), cases[i].bytes != NULL, "%s",
                     cases[i].lines);
        text_hex(bytes, key.bytes, sizeof key.bytes);
        cr_expect_str_eq(bytes,
                         cases[i].bytes ? cases[i].bytes : "00000000000000000000000000000000", "%s",
                         cases[i].lines);
        cr_expect_eq(key.kind, cases[i].bytes ? CLIENT_ADDRESS : CLIENT_SOCKET);
    }
}

Test(admission, refuses_connections_beyond_those_of_one_address)
{
    struct door door;
    struct client clients[3];
    struct answer refused AUTO(answer_release) = {0};
    door_open(&door, (struct http_admission){.connections = 2});
    for (size_t i = 0; i < 3; i++)
        client_open(&clients[i], &door.fixture);
    take_answer(&clients[2], &refused);
    cr_expect_eq(refused.status, 503);
    expect_header(&refused, "Retry-After: 1");
    WAIT(&door.fixture, clients[2].closed);
    client_close(&clients[2]);
    client_close(&clients[1]);
    WAIT(&door.fixture, http_server_connections(door.fixture.server) == 1);
    expect_status(&door, "/open", "", 200);
    client_send(&clients[0], "GET /any HTTP/1.1\r\nHost: a\r\n" OF(ADMIN) "\r\n");
    expect_answer(&clients[0], 200, "root");
    client_close(&clients[0]);
    door_close(&door);
}

Test(admission, refuses_requests_beyond_those_of_one_token_at_a_time)
{
    static const char kept[] = "GET /keep HTTP/1.1\r\nHost: a\r\n" OF(BOOKER) "\r\n";
    struct door door;
    struct client clients[3];
    door_open(&door, (struct http_admission){.connections = 2, .behind_proxy = true});
    for (size_t i = 0; i < 2; i++) {
        client_open(&clients[i], &door.fixture);
        client_send(&clients[i], kept);
        WAIT(&door.fixture, door.fixture.kept_count == i + 1);
    }
    client_open(&clients[2], &door.fixture);
    client_send(&clients[2], kept);
    expect_answer(&clients[2], 503, "{\"error\":\"Too many requests at a time; try again\"}");
    expect_status(&door, "/any", OF(BOOKER2), 200);
    reply_words(door.fixture.kept[0], "done");
    expect_answer(&clients[0], 200, "done");
    client_send(&clients[2], kept);
    WAIT(&door.fixture, door.fixture.kept_count == 3);
    for (size_t i = 0; i < 3; i++)
        client_close(&clients[i]);
    door_close(&door);
}

Test(admission, collects_no_large_body_of_a_stranger)
{
    static const struct {
        const char *lines;
        int status;
    } cases[] = {{"", 401}, {OF(EXPIRED), 401}, {OF(ADMIN), 413}};
    struct door door;
    door_open(&door, (struct http_admission){.requests = 0});
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf text AUTO(buf_release) = {0};
        struct answer answer AUTO(answer_release) = {0};
        struct client client;
        buf_printf(&text, "POST /bulk HTTP/1.1\r\nHost: a\r\n%sContent-Length: %d\r\n\r\n",
                   cases[i].lines,
                   cases[i].status == 401 ? HTTP_BODY_MAX + 1 : HTTP_BULK_BODY_MAX + 1);
        client_open(&client, &door.fixture);
        client_send(&client, buf_text(&text));
        take_answer(&client, &answer);
        cr_expect_eq(answer.status, cases[i].status, "%s", cases[i].lines);
        WAIT(&door.fixture, client.closed);
        client_close(&client);
    }
    door_close(&door);
}

/* --- Streams. --- */

Test(admission, ends_the_streams_of_a_token_that_is_taken_back_and_no_others)
{
    struct door door;
    struct client clients[2];
    struct answer answers[2] = {0};
    door_open(&door, (struct http_admission){.requests = 0});
    for (size_t i = 0; i < 2; i++) {
        client_open(&clients[i], &door.fixture);
        client_send(&clients[i],
                    i == 0
                        ? "GET /providers/salon/stream HTTP/1.1\r\nHost: a\r\n" OF(SALON) "\r\n"
                        : "GET /providers/salon/stream HTTP/1.1\r\nHost: a\r\n" OF(ADMIN) "\r\n");
        take_head(&clients[i], &answers[i]);
        cr_expect_eq(answers[i].status, 200);
    }
    http_server_recheck(door.fixture.server);
    cr_expect_eq(door.fixture.streams_closed, 0);
    put_tokens(&door,
               "bookflow tokens 1\n" SALON " " HASH " provider salon " TIME " - front desk\n");
    http_server_recheck(door.fixture.server);
    cr_expect_eq(door.fixture.streams_closed, 1);
    cr_expect_null(door.fixture.stream, "the admin's, which began last");
    WAIT(&door.fixture, strstr(buf_text(&clients[1].received), "0\r\n\r\n"));
    cr_expect_eq(clients[0].received.length, 0, "the other goes on");
    for (size_t i = 0; i < 2; i++) {
        client_close(&clients[i]);
        answer_release(&answers[i]);
    }
    door_close(&door);
}

/* --- The table. --- */

static void add_route(unsigned access, const char *pattern)
{
    const struct http_route table[] = {
        {.method = HTTP_GET, .pattern = pattern, .handler = who, .access = access},
        {.pattern = NULL}};
    struct router router = {.count = 0};
    router_add(&router, table, NULL);
}

Test(admission, refuses_at_start_a_route_that_does_not_say_who_may_call_it, .signal = SIGABRT)
{
    add_route(0, "/any");
}

Test(admission, refuses_at_start_a_route_for_providers_that_does_not_say_whose, .signal = SIGABRT)
{
    add_route(HTTP_PROVIDER, "/bookings/{id}");
}

Test(admission, takes_a_route_for_providers_where_nothing_is_anybody_s)
{
    add_route(HTTP_ANY_TOKEN, "/pipeline");
    add_route(HTTP_PROVIDER, "/providers/{id}/events");
}
