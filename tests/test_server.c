/* The HTTP server over real sockets: routes, bodies, answers, refusals. */
#include "server_routes.h"

struct exchange {
    const char *name;
    const char *request;
    int status;
    const char *body;
};

static void exchange_all(const struct exchange exchanges[], size_t count)
{
    struct fixture fixture;
    struct client client;
    start_server(&fixture, routes, any_port);
    for (size_t i = 0; i < count; i++) {
        struct answer answer AUTO(answer_release) = {0};
        client_open(&client, &fixture);
        client_send(&client, exchanges[i].request);
        take_answer(&client, &answer);
        cr_expect_eq(answer.status, exchanges[i].status, "%s: %s", exchanges[i].name,
                     buf_text(&answer.head));
        cr_expect_str_eq(buf_text(&answer.body), exchanges[i].body, "%s", exchanges[i].name);
        client_close(&client);
    }
    stop_server(&fixture);
}

#define NOT_FOUND   "{\"error\":\"Not found\"}"
#define NOT_ALLOWED "{\"error\":\"Method not allowed\"}"

Test(server, finds_routes_and_their_parameters)
{
    static const struct exchange exchanges[] = {
        {"root", "GET / HTTP/1.1\r\n" END, 200, "hello"},
        {"parameters", "GET /providers/p1/bookings/b-2 HTTP/1.1\r\n" END, 200,
         "/providers/p1/bookings/b-2|p1|b-2|-|-"},
        {"escapes", "GET /%70roviders/p%2e/bookings/b%3A1 HTTP/1.1\r\n" END, 200,
         "/providers/p./bookings/b:1|p.|b:1|-|-"},
        {"query and header",
         "GET /providers/a/bookings/b?x=1&of=c%26+d&of=2 HTTP/1.1\r\n"
         "X-Note: z\r\n" END,
         200, "/providers/a/bookings/b|a|b|c& d|z"},
        {"encoded name", "GET /providers/a/bookings/b?%6f%66=1 HTTP/1.1\r\n" END, 200,
         "/providers/a/bookings/b|a|b|1|-"},
        {"the first of two headers",
         "GET /providers/a/bookings/b HTTP/1.1\r\nX-Note: \r\nX-Notes: y\r\nX-Note: z\r\n" END, 200,
         "/providers/a/bookings/b|a|b|-|"},
        {"odd queries", "GET /providers/a/bookings/b?&&=&x&of HTTP/1.1\r\n" END, 200,
         "/providers/a/bookings/b|a|b||-"},
        {"query that cannot be decoded", "GET /providers/a/bookings/b?of=%0g HTTP/1.1\r\n" END, 400,
         "{\"error\":\"The query cannot be decoded\"}"},
        {"query with a NUL", "GET /providers/a/bookings/b?of=u%00x HTTP/1.1\r\n" END, 400,
         "{\"error\":\"The query cannot be decoded\"}"},
        {"dots are letters", "GET /providers/../bookings/b HTTP/1.1\r\n" END, 200,
         "/providers/../bookings/b|..|b|-|-"},
        {"unknown", "GET /unknown HTTP/1.1\r\n" END, 404, NOT_FOUND},
        {"one slash more", "GET /hello/ HTTP/1.1\r\n" END, 404, NOT_FOUND},
        {"two slashes", "GET //hello HTTP/1.1\r\n" END, 404, NOT_FOUND},
        {"no normalisation", "GET /x/../hello HTTP/1.1\r\n" END, 404, NOT_FOUND},
        {"escaped slash", "GET /providers/a%2Fbookings/b HTTP/1.1\r\n" END, 404, NOT_FOUND},
        {"escaped slash in a parameter", "GET /providers/a%2Fb/bookings/c HTTP/1.1\r\n" END, 404,
         NOT_FOUND},
        {"parameter that is no id", "GET /providers/a%20b/bookings/c HTTP/1.1\r\n" END, 404,
         NOT_FOUND},
        {"empty parameter", "GET /providers//bookings/c HTTP/1.1\r\n" END, 404, NOT_FOUND},
        {"escaped NUL", "GET /hello%00 HTTP/1.1\r\n" END, 404, NOT_FOUND},
        {"bad escape", "GET /hello%2 HTTP/1.1\r\n" END, 404, NOT_FOUND},
        {"too many segments", "GET /a/a/a/a/a/a/a/a/a/a/a/a HTTP/1.1\r\n" END, 404, NOT_FOUND},
        {"another method", "POST /hello HTTP/1.1\r\n" END, 405, NOT_ALLOWED},
        {"TRACE", "TRACE /hello HTTP/1.1\r\n" END, 405, NOT_ALLOWED},
        {"CONNECT", "CONNECT /hello HTTP/1.1\r\n" END, 405, NOT_ALLOWED},
        {"unknown method", "BREW /hello HTTP/1.1\r\n" END, 405, NOT_ALLOWED},
        {"lower-case method", "get /hello HTTP/1.1\r\n" END, 405, NOT_ALLOWED},
        {"unknown method, unknown path", "BREW /unknown HTTP/1.1\r\n" END, 404, NOT_FOUND},
        {"HTTP/1.0", "GET /hello HTTP/1.0\r\n\r\n", 200, "hello"},
        {"DELETE", "DELETE /nothing/a HTTP/1.1\r\n" END, 204, ""},
    };
    exchange_all(exchanges, sizeof exchanges / sizeof exchanges[0]);
}

Test(server, reads_bodies)
{
    static const struct exchange exchanges[] = {
        {"JSON",
         "POST /json HTTP/1.1\r\nContent-Type: application/json; charset=utf-8\r\n"
         "Content-Length: 9\r\n" END "{\"b\": 1 }",
         201, "{\"b\":1}"},
        {"no type", "POST /json HTTP/1.1\r\nContent-Length: 2\r\n" END "{}", 201, "{}"},
        {"no body", "POST /json HTTP/1.1\r\nContent-Type: text/plain\r\n" END, 201, "{}"},
        {"another type",
         "POST /json HTTP/1.1\r\nContent-Type: application/jsonp\r\n"
         "Content-Length: 2\r\n" END "{}",
         415, "{\"error\":\"The body must be application/json\"}"},
        {"chunked",
         "PUT /length HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" END
         "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n",
         200, "{\"length\":7,\"start\":\"abcde\"}"},
        {"too large", "POST /length HTTP/1.1\r\nContent-Length: 65537\r\n" END, 413,
         "{\"error\":\"The body is too large\"}"},
        {"too large for a bulk route", "POST /bulk HTTP/1.1\r\nContent-Length: 4194305\r\n" END,
         413, "{\"error\":\"The body is too large\"}"},
    };
    exchange_all(exchanges, sizeof exchanges / sizeof exchanges[0]);
}

Test(server, takes_large_bodies_where_the_route_is_for_bulk)
{
    enum { LENGTH = HTTP_BULK_BODY_MAX };
    struct fixture fixture;
    struct client client;
    char *body AUTO(memory_release) = memory_new(LENGTH, 1);
    memset(body, 'x', LENGTH);
    start_server(&fixture, routes, any_port);
    client_open(&client, &fixture);
    client_send(&client, "POST /bulk HTTP/1.1\r\nContent-Length: 4194304\r\n" END);
    client_send_bytes(&client, body, LENGTH);
    expect_answer(&client, 200, "{\"length\":4194304,\"start\":\"xxxxx\"}");
    client_close(&client);
    stop_server(&fixture);
}

Test(server, answers_head_without_a_body_and_reads_on_behind_a_body_of_its_request)
{
    struct fixture fixture;
    struct client client;
    struct answer answer AUTO(answer_release) = {0};
    start_server(&fixture, routes, any_port);
    client_open(&client, &fixture);
    client_send(&client,
                "HEAD /hello HTTP/1.1\r\nContent-Length: 18\r\n" END "GET /x HTTP/1.1\r\n\r"
                "GET /unknown HTTP/1.1\r\n" END);
    take_head(&client, &answer);
    cr_expect_eq(answer.status, 200);
    expect_header(&answer, "Content-Length: 5");
    expect_answer(&client, 404, NOT_FOUND);
    client_close(&client);
    stop_server(&fixture);
}

Test(server, sends_the_headers_that_an_answer_needs)
{
    struct fixture fixture;
    struct client client;
    struct answer found AUTO(answer_release) = {0};
    struct answer not_allowed AUTO(answer_release) = {0};
    struct answer empty AUTO(answer_release) = {0};
    start_server(&fixture, routes, any_port);
    client_open(&client, &fixture);
    client_send(&client, "POST /json HTTP/1.1\r\n" END);
    take_answer(&client, &found);
    expect_header(&found, "Content-Type: application/json");
    expect_header(&found, "X-Content-Type-Options: nosniff");
    expect_header(&found, "Cache-Control: no-store");
    expect_header(&found, "Content-Length: 2");
    client_send(&client, "DELETE /length HTTP/1.1\r\n" END);
    take_answer(&client, &not_allowed);
    expect_header(&not_allowed, "Allow: POST, PUT");
    client_send(&client, "DELETE /nothing/1 HTTP/1.1\r\n" END);
    take_answer(&client, &empty);
    cr_expect_not(strstr(buf_text(&empty.head), "Content-"));
    client_close(&client);
    stop_server(&fixture);
}

Test(server, says_when_it_answered_and_whether_it_closes)
{
    static const struct {
        const char *request;
        bool closes;
    } requests[] = {
        {"GET /hello HTTP/1.1\r\n" END, false},
        {"GET /hello HTTP/1.1\r\nConnection: close\r\n" END, true},
        {"GET /hello HTTP/1.0\r\n\r\n", true},
        {"GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true},
        {"HEAD /hello HTTP/1.0\r\n\r\n", true},
    };
    struct fixture fixture;
    struct client client;
    start_server(&fixture, routes, any_port);
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        struct answer answer AUTO(answer_release) = {0};
        client_open(&client, &fixture);
        client_send(&client, requests[i].request);
        take_head(&client, &answer);
        const char *date = strstr(buf_text(&answer.head), "\r\nDate: ");
        cr_assert(date);
        cr_expect_eq(strcspn(date + 8, "\r"), strlen("Sun, 06 Nov 1994 08:49:37 GMT"));
        cr_expect(strstr(date, " GMT\r\n"));
        const bool says_close = strstr(buf_text(&answer.head), "\r\nConnection: close\r\n");
        cr_expect_eq(says_close, requests[i].closes, "case %zu", i);
        if (requests[i].closes)
            WAIT(&fixture, client.closed);
        turn_loop(&fixture);
        cr_expect_eq(client.closed, requests[i].closes, "case %zu", i);
        client_close(&client);
    }
    stop_server(&fixture);
}

Test(server, cuts_header_values_at_the_end_of_a_line)
{
    struct fixture fixture;
    struct client client;
    struct answer answer AUTO(answer_release) = {0};
    start_server(&fixture, routes, any_port);
    client_open(&client, &fixture);
    client_send(&client, "GET /inject HTTP/1.1\r\n" END);
    take_answer(&client, &answer);
    cr_expect_eq(answer.status, 201);
    expect_header(&answer, "Location: /a");
    expect_header(&answer, "Content-Type: text/plain");
    cr_expect_not(strstr(buf_text(&answer.head), "X-Evil"));
    cr_expect_str_eq(buf_text(&answer.body), "ok");
    client_close(&client);
    stop_server(&fixture);
}

Test(server, answers_errors_by_their_kind)
{
    static const struct {
        enum error_kind kind;
        int status;
        const char *header;
    } errors[] = {
        {ERROR_INVALID, 400, "Content-Type: application/problem+json"},
        {ERROR_UNAUTHORISED, 401, "WWW-Authenticate: Bearer"},
        {ERROR_BUSY, 429, "Retry-After: 1"},
        {ERROR_UNAVAILABLE, 503, "Retry-After: 1"},
    };
    struct fixture fixture;
    struct client client;
    start_server(&fixture, routes, any_port);
    client_open(&client, &fixture);
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        struct answer answer AUTO(answer_release) = {0};
        struct buf request AUTO(buf_release) = {0};
        struct buf body AUTO(buf_release) = {0};
        const int status = error_policy(errors[i].kind)->http_status;
        buf_printf(&request, "GET /fail/%d HTTP/1.1\r\nAccept: application/problem+json\r\n" END,
                   (int)errors[i].kind);
        client_send(&client, buf_text(&request));
        take_answer(&client, &answer);
        cr_expect_eq(answer.status, status);
        cr_expect_eq(status, errors[i].status, "%d", status);
        expect_header(&answer, errors[i].header);
        buf_printf(&body,
                   "{\"error\":\"It failed\",\"type\":\"about:blank\",\"title\":\"%s\","
                   "\"status\":%d,\"detail\":\"It failed\",\"more\":1}",
                   reply_reason(status), status);
        cr_expect_str_eq(buf_text(&answer.body), buf_text(&body));
    }
    client_send(&client, "GET /fail/1 HTTP/1.1\r\n" END);
    expect_answer(&client, 400, "{\"error\":\"It failed\",\"more\":1}");
    client_close(&client);
    stop_server(&fixture);
}

/* --- What is refused. --- */

Test(server, refuses_in_json_and_closes)
{
    static const struct {
        const char *request;
        int status;
    } refusals[] = {
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/3.0\r\n\r\n", 505},
        {"GET * HTTP/1.1\r\n" END, 400},
        {"GET //user@:99999/ HTTP/1.1\r\nX\r\n\r\n", 400},
        {"\x16\x03\x01\r\n\r\n", 400},
        {"POST /json HTTP/1.1\r\nExpect: x\r\n" END, 417},
        {"POST /length HTTP/1.1\r\nContent-Length: 9999999999999999999\r\n" END, 413},
    };
    struct fixture fixture;
    struct client client;
    start_server(&fixture, routes, any_port);
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct answer answer AUTO(answer_release) = {0};
        client_open(&client, &fixture);
        client_send(&client, refusals[i].request);
        take_answer(&client, &answer);
        cr_expect_eq(answer.status, refusals[i].status, "case %zu: %d", i, answer.status);
        cr_expect_eq(strncmp(buf_text(&answer.body), "{\"error\":\"", 10), 0, "case %zu", i);
        expect_header(&answer, "Content-Type: application/json");
        expect_header(&answer, "Connection: close");
        WAIT(&fixture, client.closed);
        client_close(&client);
    }
    stop_server(&fixture);
}

Test(server, lets_the_refusal_of_a_large_body_arrive)
{
    enum { SENT = 15 * 1000 * 1000 };
    struct fixture fixture;
    struct client client;
    char *body AUTO(memory_release) = memory_new(SENT, 1);
    start_server(&fixture, routes, any_port);
    client_open(&client, &fixture);
    client_send(&client, "POST /length HTTP/1.1\r\nContent-Length: 15000000\r\n" END);
    client_send_bytes(&client, body, SENT);
    expect_answer(&client, 413, "{\"error\":\"The body is too large\"}");
    (void)shutdown(client.fd, SHUT_WR);
    WAIT(&fixture, client.closed && fixture.server->lingering_count == 0);
    client_close(&client);
    stop_server(&fixture);
}

Test(server, ends_a_refused_client_that_goes_on_sending)
{
    struct fixture fixture;
    struct client client;
    start_server(&fixture, routes, any_port);
    client_open(&client, &fixture);
    client_send(&client, "BAD\r\n\r\n");
    expect_answer(&client, 400, "{\"error\":\"The request line is malformed\"}");
    WAIT(&fixture, client.closed); /* nothing more comes from the server */
    cr_expect_eq(http_server_connections(fixture.server), 0);
    cr_expect_eq(fixture.server->lingering_count, 1);
    while (fixture.server->lingering_count > 0) {
        (void)send(client.fd, "GET / HTTP/1.1\r\n" END, 28, MSG_NOSIGNAL | MSG_DONTWAIT);
        turn_loop(&fixture);
    }
    cr_expect_eq(fixture.kept_count, 0);
    client_close(&client);
    stop_server(&fixture);
}

Test(server, lets_only_so_many_refused_clients_linger)
{
    enum { CLIENTS = 300, LINGERING = 256 };
    struct fixture fixture;
    struct client clients[CLIENTS];
    start_server(&fixture, routes, any_port);
    for (size_t i = 0; i < CLIENTS; i++) {
        client_open(&clients[i], &fixture);
        client_send(&clients[i], "BAD\r\n\r\n");
    }
    for (size_t i = 0; i < CLIENTS; i++)
        WAIT(&fixture, clients[i].closed);
    cr_expect_leq(fixture.server->lingering_count, LINGERING);
    for (size_t i = 0; i < CLIENTS; i++) {
        expect_answer(&clients[i], 400, "{\"error\":\"The request line is malformed\"}");
        client_close(&clients[i]);
    }
    WAIT(&fixture, LIST_EMPTY(&fixture.server->connections));
    cr_expect_eq(http_server_connections(fixture.server), 0);
    stop_server(&fixture);
}
