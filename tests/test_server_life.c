/* The HTTP server over real sockets: requests that outlive their clients, the order of answers,
 * deadlines and limits. */
#include <sys/resource.h>

#include "server_routes.h"

/* --- Requests that are kept. --- */

Test(server, answers_a_kept_request_later)
{
    struct fixture fixture;
    struct client client;
    start_server(&fixture, routes, any_port);
    client_open(&client, &fixture);
    client_send(&client, "GET /keep HTTP/1.1\r\n" END);
    WAIT(&fixture, fixture.kept_count == 1);
    cr_expect_eq(http_server_open_requests(fixture.server), 1);
    turn_loop(&fixture);
    cr_expect_eq(client.received.length, 0);
    reply_words(fixture.kept[0], "later");
    cr_expect_eq(http_server_open_requests(fixture.server), 0);
    expect_answer(&client, 200, "later");
    client_send(&client, "GET /hello HTTP/1.1\r\n" END);
    expect_answer(&client, 200, "hello");
    client_close(&client);
    stop_server(&fixture);
}

Test(server, keeps_a_request_valid_when_its_client_has_gone)
{
    struct fixture fixture;
    struct client clients[4];
    start_server(&fixture, routes, any_port);
    for (size_t i = 0; i < 4; i++) {
        /* The first two are reset, the others end well. */
        const struct linger at_once = {.l_onoff = i < 2, .l_linger = 0};
        client_open(&clients[i], &fixture);
        client_send(&clients[i], "GET /keep HTTP/1.1\r\nX-Note: n\r\n" END);
        WAIT(&fixture, fixture.kept_count == i + 1);
        (void)setsockopt(clients[i].fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        client_close(&clients[i]);
    }
    turn_loop(&fixture);
    turn_loop(&fixture);
    for (size_t i = 0; i < 4; i++) {
        cr_expect_str_eq(http_request_header(fixture.kept[i], "X-Note"), "n");
        cr_expect_str_eq(http_request_path(fixture.kept[i]), "/keep");
        reply_words(fixture.kept[i], "nobody listens");
    }
    cr_expect_eq(http_server_open_requests(fixture.server), 0);
    WAIT(&fixture, http_server_connections(fixture.server) == 0);
    stop_server(&fixture);
}

Test(server, is_freed_with_requests_and_streams_still_open)
{
    struct fixture fixture;
    struct client clients[3];
    start_server(&fixture, routes, any_port);
    for (size_t i = 0; i < 3; i++)
        client_open(&clients[i], &fixture);
    client_send(&clients[0], "GET /keep HTTP/1.1\r\n" END "GET /keep HTTP/1.1\r\n" END);
    client_send(&clients[1], "GET /stream HTTP/1.1\r\n" END);
    client_send(&clients[2], "GET /hello HTTP/1.1\r\nNot");
    WAIT(&fixture,
         fixture.kept_count == 1 && fixture.stream && http_server_connections(fixture.server) == 3);
    http_server_free(fixture.server);
    fixture.server = NULL;
    cr_expect_eq(fixture.streams_closed, 0);
    WAIT(&fixture, clients[0].closed && clients[1].closed && clients[2].closed);
    for (size_t i = 0; i < 3; i++)
        client_close(&clients[i]);
    stop_server(&fixture);
}

Test(server, drops_the_large_answer_of_a_client_that_has_gone)
{
    struct fixture fixture;
    struct client client;
    start_server(&fixture, routes, any_port);
    client_open(&client, &fixture);
    client_pause(&client);
    client_send(&client, "GET /large HTTP/1.1\r\n" END "GET /keep HTTP/1.1\r\n" END);
    turn_loop(&fixture);
    cr_expect_eq(http_server_connections(fixture.server), 1);
    client_reset(&client);
    WAIT(&fixture, http_server_connections(fixture.server) == 0);
    cr_expect_eq(fixture.kept_count, 0);
    stop_server(&fixture);
}

Test(server, is_freed_with_answers_half_written_and_clients_lingering)
{
    struct fixture fixture;
    struct client clients[3];
    start_server(&fixture, routes, any_port);
    for (size_t i = 0; i < 3; i++)
        client_open(&clients[i], &fixture);
    client_pause(&clients[0]);
    client_send(&clients[0], "GET /large HTTP/1.1\r\n" END);
    client_send(&clients[1], "BAD\r\n\r\n");
    client_send(&clients[2], "HEAD /stream HTTP/1.1\r\n" END);
    WAIT(&fixture, fixture.server->lingering_count == 1 && clients[2].received.length > 0);
    client_send(&clients[2], "GET /keep HTTP/1.1\r\n" END);
    WAIT(&fixture, fixture.kept_count == 1);
    client_reset(&clients[2]);
    turn_loop(&fixture);
    http_server_free(fixture.server);
    fixture.server = NULL;
    client_close(&clients[0]);
    client_close(&clients[1]);
    stop_server(&fixture);
}

/* --- Order on one connection. --- */

Test(server, answers_pipelined_requests_in_order)
{
    struct fixture fixture;
    struct client client;
    start_server(&fixture, routes, any_port);
    client_open(&client, &fixture);
    client_send(&client, "GET /keep HTTP/1.1\r\n" END "GET /hello HTTP/1.1\r\n" END
                         "POST /length HTTP/1.1\r\nContent-Length: 2\r\n" END "ab"
                         "GET /keep HTTP/1.1\r\n" END "BAD\r\n\r\n"
                         "GET /hello HTTP/1.1\r\n" END);
    WAIT(&fixture, fixture.kept_count == 1);
    reply_words(fixture.kept[0], "first");
    expect_answer(&client, 200, "first");
    expect_answer(&client, 200, "hello");
    expect_answer(&client, 200, "{\"length\":2,\"start\":\"ab\"}");
    WAIT(&fixture, fixture.kept_count == 2);
    reply_words(fixture.kept[1], "fourth");
    expect_answer(&client, 200, "fourth");
    expect_answer(&client, 400, "{\"error\":\"The request line is malformed\"}");
    WAIT(&fixture, client.closed);
    cr_expect_eq(client.received.length, 0);
    client_close(&client);
    stop_server(&fixture);
}

Test(server, answers_a_client_that_has_shut_down_its_sending_side)
{
    struct fixture fixture;
    struct client client;
    start_server(&fixture, routes, any_port);
    client_open(&client, &fixture);
    client_send(&client, "GET /hello HTTP/1.1\r\n" END "GET /keep HTTP/1.1\r\n" END
                         "GET /hello HTTP/1.1\r\n" END);
    (void)shutdown(client.fd, SHUT_WR);
    expect_answer(&client, 200, "hello");
    WAIT(&fixture, fixture.kept_count == 1);
    turn_loop(&fixture);
    reply_words(fixture.kept[0], "kept");
    expect_answer(&client, 200, "kept");
    expect_answer(&client, 200, "hello");
    WAIT(&fixture, client.closed);
    client_close(&client);
    stop_server(&fixture);
}

Test(server, answers_what_came_before_a_refusal_and_nothing_behind_it)
{
    struct fixture fixture;
    struct client client;
    start_server(&fixture, routes, any_port);
    client_open(&client, &fixture);
    client_send(&client, "GET /keep HTTP/1.1\r\n" END "GET /hello HTTP/1.1\r\nHost : x\r\n\r\n"
                         "GET /keep HTTP/1.1\r\n" END);
    (void)shutdown(client.fd, SHUT_WR);
    WAIT(&fixture, fixture.kept_count == 1);
    turn_loop(&fixture);
    cr_expect_eq(client.received.length, 0);
    reply_words(fixture.kept[0], "first");
    expect_answer(&client, 200, "first");
    expect_answer(&client, 400, "{\"error\":\"A header name is not a token\"}");
    WAIT(&fixture, client.closed && LIST_EMPTY(&fixture.server->connections));
    cr_expect_eq(fixture.kept_count, 1);
    client_close(&client);
    stop_server(&fixture);
}

Test(server, answers_behind_a_large_answer_once_its_reader_goes_on)
{
    struct fixture fixture;
    struct client client;
    struct answer answer AUTO(answer_release) = {0};
    start_server(&fixture, routes, any_port);
    client_open(&client, &fixture);
    client_pause(&client);
    client_send(&client, "GET /large HTTP/1.1\r\n" END "GET /keep HTTP/1.1\r\n" END);
    for (int i = 0; i < 20; i++)
        turn_loop(&fixture);
    cr_expect_eq(fixture.kept_count, 0);
    client_go_on(&client);
    take_answer(&client, &answer);
    cr_expect_eq(answer.body.length, LARGE_ANSWER);
    WAIT(&fixture, fixture.kept_count == 1);
    reply_words(fixture.kept[0], "behind");
    expect_answer(&client, 200, "behind");
    client_close(&client);
    stop_server(&fixture);
}

Test(server, sends_all_of_a_large_answer_before_it_closes)
{
    struct fixture fixture;
    struct client client;
    struct answer answer AUTO(answer_release) = {0};
    start_server(&fixture, routes, any_port);
    client_open(&client, &fixture);
    client_send(&client, "GET /large HTTP/1.1\r\nConnection: close\r\n" END);
    take_answer(&client, &answer);
    cr_assert_eq(answer.body.length, LARGE_ANSWER);
    for (size_t i = 0; i < answer.body.length; i++)
        cr_assert_eq(answer.body.data[i], (char)('a' + i % 23), "byte %zu", i);
    expect_header(&answer, "Connection: close");
    WAIT(&fixture, client.closed);
    client_close(&client);
    stop_server(&fixture);
}

Test(server, tells_a_client_to_continue)
{
    struct fixture fixture;
    struct client client;
    start_server(&fixture, routes, any_port);
    client_open(&client, &fixture);
    client_send(&client,
                "POST /length HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n" END);
    WAIT(&fixture, strcmp(buf_text(&client.received), "HTTP/1.1 100 Continue\r\n\r\n") == 0);
    buf_clear(&client.received);
    client_send(&client, "abc");
    expect_answer(&client, 200, "{\"length\":3,\"start\":\"abc\"}");
    client_close(&client);
    stop_server(&fixture);
}

/* --- Deadlines and numbers. --- */

Test(server, ends_slow_clients_while_others_are_served)
{
    static const struct http_limits limits = {
        .deadline_ms = 60, .idle_ms = 60, .connections = HTTP_CONNECTIONS_MAX};
    struct fixture fixture;
    struct client silent;
    struct client slow;
    struct client good;
    start_server(&fixture, routes, any_port);
    http_server_limits(fixture.server, &limits);
    client_open(&silent, &fixture);
    client_open(&slow, &fixture);
    client_send(&slow, "POST /json HTTP/1.1\r\nContent-Length: 1000\r\n" END);
    for (int rounds = 0; !slow.closed; rounds++) {
        cr_assert_lt(rounds, TURNS_MAX);
        (void)send(slow.fd, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        client_open(&good, &fixture);
        client_send(&good, "GET /hello HTTP/1.1\r\n" END);
        expect_answer(&good, 200, "hello");
        client_close(&good);
    }
    expect_answer(&slow, 408, "{\"error\":\"The request did not arrive in time\"}");
    WAIT(&fixture, silent.closed);
    cr_expect_eq(silent.received.length, 0);
    client_close(&silent);
    client_close(&slow);
    stop_server(&fixture);
}

Test(server, gives_each_request_of_a_connection_its_own_deadline)
{
    static const struct http_limits limits = {
        .deadline_ms = 30, .idle_ms = 1000 * 1000, .connections = HTTP_CONNECTIONS_MAX};
    struct fixture fixture;
    struct client client;
    start_server(&fixture, routes, any_port);
    http_server_limits(fixture.server, &limits);
    client_open(&client, &fixture);
    for (int i = 0; i < 40; i++) {
        client_send(&client, "GET /hello HTTP/1.1\r\n" END);
        expect_answer(&client, 200, "hello");
        turn_loop(&fixture);
    }
    client_send(&client, "GET /hello HTTP/1.1\r\n");
    expect_answer(&client, 408, "{\"error\":\"The request did not arrive in time\"}");
    WAIT(&fixture, client.closed);
    client_close(&client);
    stop_server(&fixture);
}

Test(server, ends_idle_connections_but_never_a_kept_request)
{
    static const struct http_limits limits = {
        .deadline_ms = 30, .idle_ms = 30, .connections = HTTP_CONNECTIONS_MAX};
    struct fixture fixture;
    struct client idle;
    struct client waiting;
    start_server(&fixture, routes, any_port);
    http_server_limits(fixture.server, &limits);
    client_open(&waiting, &fixture);
    client_send(&waiting, "GET /keep HTTP/1.1\r\n" END);
    WAIT(&fixture, fixture.kept_count == 1);
    client_open(&idle, &fixture);
    client_send(&idle, "GET /hello HTTP/1.1\r\n" END);
    expect_answer(&idle, 200, "hello");
    WAIT(&fixture, idle.closed);
    cr_expect_not(waiting.closed);
    reply_words(fixture.kept[0], "still here");
    expect_answer(&waiting, 200, "still here");
    client_close(&idle);
    client_close(&waiting);
    stop_server(&fixture);
}

Test(server, gives_up_an_answer_that_the_client_does_not_take)
{
    static const struct http_limits limits = {
        .deadline_ms = 5000, .idle_ms = 30, .connections = HTTP_CONNECTIONS_MAX};
    struct fixture fixture;
    struct client client;
    start_server(&fixture, routes, any_port);
    http_server_limits(fixture.server, &limits);
    client_open(&client, &fixture);
    client_pause(&client);
    client_send(&client, "GET /large HTTP/1.1\r\n" END);
    WAIT(&fixture, http_server_connections(fixture.server) == 1);
    WAIT(&fixture, http_server_connections(fixture.server) == 0);
    client_close(&client);
    stop_server(&fixture);
}

Test(server, tells_connections_beyond_the_limit_to_come_back)
{
    static const struct http_limits limits = {
        .deadline_ms = 5000, .idle_ms = 5000, .connections = 1};
    struct fixture fixture;
    struct client first;
    struct client second;
    struct answer answer AUTO(answer_release) = {0};
    start_server(&fixture, routes, any_port);
    http_server_limits(fixture.server, &limits);
    client_open(&first, &fixture);
    client_send(&first, "GET /hello HTTP/1.1\r\n" END);
    expect_answer(&first, 200, "hello");
    client_open(&second, &fixture);
    client_send(&second, "GET /hello HTTP/1.1\r\n" END);
    take_answer(&second, &answer);
    cr_expect_eq(answer.status, 503);
    expect_header(&answer, "Retry-After: 1");
    WAIT(&fixture, second.closed);
    client_close(&first);
    WAIT(&fixture, http_server_connections(fixture.server) == 0);
    client_close(&second);
    client_open(&second, &fixture);
    client_send(&second, "GET /hello HTTP/1.1\r\n" END);
    expect_answer(&second, 200, "hello");
    client_close(&second);
    stop_server(&fixture);
}

Test(server, accepts_again_when_there_are_descriptors_again)
{
    struct fixture fixture;
    struct client client;
    struct rlimit limit;
    start_server(&fixture, routes, any_port);
    client_open(&client, &fixture);
    client_send(&client, "GET /hello HTTP/1.1\r\n" END);
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const struct rlimit none_left = {(rlim_t)client.fd + 1, limit.rlim_max};
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none_left), 0);
    for (int i = 0; i < 20; i++)
        turn_loop(&fixture);
    cr_expect_eq(http_server_connections(fixture.server), 0);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    expect_answer(&client, 200, "hello");
    client_close(&client);
    stop_server(&fixture);
}
