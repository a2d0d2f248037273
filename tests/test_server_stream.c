/* The HTTP server over real sockets: server-sent events, and draining. */
#include <netinet/in.h>

#include "server_routes.h"

static void expect_text(struct client *client, const char *text)
{
    WAIT(client->fixture, strcmp(buf_text(&client->received), text) == 0);
    buf_clear(&client->received);
}

Test(server, streams_events)
{
    struct fixture fixture;
    struct client client;
    struct answer answer AUTO(answer_release) = {0};
    start_server(&fixture, routes, any_port);
    client_open(&client, &fixture);
    client_send(&client, "GET /stream HTTP/1.1\r\n" END);
    take_head(&client, &answer);
    expect_header(&answer, "Content-Type: text/event-stream");
    expect_header(&answer, "X-Accel-Buffering: no");
    expect_header(&answer, "Cache-Control: no-store");
    expect_header(&answer, "Transfer-Encoding: chunked");
    cr_expect_eq(http_server_open_requests(fixture.server), 0);
    http_stream_event(fixture.stream, "7", "added", "{}");
    expect_text(&client, "1d\r\nid: 7\nevent: added\ndata: {}\n\n\r\n");
    http_stream_event(fixture.stream, "8", NULL, NULL);
    expect_text(&client, "7\r\nid: 8\n\n\r\n");
    http_stream_comment(fixture.stream, "still here");
    expect_text(&client, "e\r\n: still here\n\n\r\n");
    WAIT(&fixture, http_stream_backlog(fixture.stream) == 0);
    http_stream_close(fixture.stream);
    expect_text(&client, "0\r\n\r\n");
    cr_expect_eq(fixture.streams_closed, 0);
    client_send(&client, "GET /hello HTTP/1.1\r\n" END);
    expect_answer(&client, 200, "hello");
    client_close(&client);
    stop_server(&fixture);
}

Test(server, streams_without_chunks_to_an_old_client)
{
    struct fixture fixture;
    struct client client;
    struct answer answer AUTO(answer_release) = {0};
    start_server(&fixture, routes, any_port);
    client_open(&client, &fixture);
    client_send(&client, "GET /stream HTTP/1.0\r\n\r\n");
    take_head(&client, &answer);
    http_stream_event(fixture.stream, NULL, NULL, "1");
    expect_text(&client, "data: 1\n\n");
    http_stream_close(fixture.stream);
    WAIT(&fixture, client.closed && http_server_connections(fixture.server) == 0);
    client_close(&client);
    stop_server(&fixture);
}

Test(server, tells_the_owner_of_a_stream_when_it_has_ended)
{
    struct fixture fixture;
    struct client client;
    struct answer answer AUTO(answer_release) = {0};
    start_server(&fixture, routes, any_port);
    client_open(&client, &fixture);
    client_send(&client, "GET /stream HTTP/1.1\r\n" END);
    WAIT(&fixture, fixture.stream);
    client_close(&client);
    WAIT(&fixture, fixture.streams_closed == 1);
    client_open(&client, &fixture);
    client_send(&client, "HEAD /stream HTTP/1.1\r\n" END "GET /hello HTTP/1.1\r\n" END);
    take_head(&client, &answer);
    expect_header(&answer, "Content-Type: text/event-stream");
    expect_answer(&client, 200, "hello");
    WAIT(&fixture, fixture.streams_closed == 2);
    cr_expect_null(fixture.stream);
    client_close(&client);
    stop_server(&fixture);
}

Test(server, counts_what_a_slow_reader_of_a_stream_has_not_taken)
{
    enum { PART = 10000 };
    struct fixture fixture;
    struct client client;
    char text[PART + 1];
    memset(text, 'x', PART);
    text[PART] = '\0';
    start_server(&fixture, routes, any_port);
    client_open(&client, &fixture);
    client_send(&client, "GET /stream HTTP/1.1\r\n" END);
    WAIT(&fixture, fixture.stream && client.received.length > 0);
    client_pause(&client);
    for (int i = 0; i < TURNS_MAX && http_stream_backlog(fixture.stream) < 10 * PART; i++) {
        http_stream_event(fixture.stream, NULL, NULL, text);
        turn_loop(&fixture);
    }
    cr_expect_geq(http_stream_backlog(fixture.stream), 10 * PART);
    http_stream_close(fixture.stream);
    client_close(&client);
    WAIT(&fixture, http_server_connections(fixture.server) == 0);
    stop_server(&fixture);
}

Test(server, answers_what_a_client_sent_during_a_stream_when_it_has_ended)
{
    struct fixture fixture;
    struct client client;
    struct answer answer AUTO(answer_release) = {0};
    char filler[100 * 1000];
    memset(filler, 'x', sizeof filler);
    start_server(&fixture, routes, any_port);
    client_open(&client, &fixture);
    client_send(&client, "GET /stream HTTP/1.1\r\n" END "POST /bulk HTTP/1.1\r\n"
                         "Content-Length: 100000\r\n" END);
    client_send_bytes(&client, filler, sizeof filler);
    take_head(&client, &answer);
    for (int i = 0; i < 20; i++)
        turn_loop(&fixture);
    cr_expect_eq(client.received.length, 0);
    http_stream_close(fixture.stream);
    WAIT(&fixture, strncmp(buf_text(&client.received), "0\r\n\r\nHTTP/1.1 200", 17) == 0);
    buf_consume(&client.received, 5);
    expect_answer(&client, 200, "{\"length\":100000,\"start\":\"xxxxx\"}");
    client_close(&client);
    stop_server(&fixture);
}

Test(server, tells_the_owner_later_when_a_client_was_reset_under_his_hands)
{
    struct fixture fixture;
    struct client client;
    start_server(&fixture, routes, any_port);
    client_open(&client, &fixture);
    client_send(&client, "GET /stream HTTP/1.1\r\n" END);
    WAIT(&fixture, fixture.stream && client.received.length > 0);
    client_reset(&client);
    for (int i = 0; i < 3; i++)
        http_stream_event(fixture.stream, NULL, NULL, "1");
    cr_expect_eq(fixture.streams_closed, 0);
    WAIT(&fixture, fixture.streams_closed == 1);
    WAIT(&fixture, http_server_connections(fixture.server) == 0);
    stop_server(&fixture);
}

Test(server, drains)
{
    struct fixture fixture;
    struct client waiting;
    struct client reading;
    struct answer answer AUTO(answer_release) = {0};
    start_server(&fixture, routes, any_port);
    client_open(&waiting, &fixture);
    client_open(&reading, &fixture);
    client_send(&waiting, "GET /keep HTTP/1.1\r\n" END);
    client_send(&reading, "GET /stream HTTP/1.1\r\n" END);
    WAIT(&fixture, fixture.kept_count == 1 && fixture.stream);
    http_server_drain(fixture.server);
    cr_expect_eq(fixture.streams_closed, 1);
    struct error error = {0};
    struct address address;
    cr_assert(address_parse(&address, http_server_address(fixture.server), &error));
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_expect_neq(connect(fd, &address.socket.any, address.length), 0);
    (void)close(fd);
    reply_words(fixture.kept[0], "last");
    take_answer(&waiting, &answer);
    expect_header(&answer, "Connection: close");
    WAIT(&fixture, waiting.closed && strstr(buf_text(&reading.received), "0\r\n\r\n"));
    client_close(&waiting);
    client_close(&reading);
    stop_server(&fixture);
}
