/* Exchanges with a scripted server. What concerns certificates is in test_exchange_tls.c. */
#include "exchange.h"

#include <criterion/criterion.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws_fixture.h"

struct seen {
    bool done;
    int count;
    int status;
    char body[256];
    size_t length;
    char header[64]; /* X-Test */
    struct error failure;
    struct exchange *cancels; /* when this one is done */
};

static void note(void *context, const struct exchange_answer *answer, const struct error *failure)
{
    struct seen *seen = context;
    cr_assert((answer == NULL) != (failure == NULL));
    seen->done = true;
    seen->count++;
    seen->failure = failure ? *failure : (struct error){0};
    if (seen->cancels)
        exchange_cancel(seen->cancels);
    if (!answer)
        return;
    const char *header = exchange_header_of(answer, "x-test");
    seen->status = answer->status;
    seen->length = answer->body_length;
    (void)snprintf(seen->body, sizeof seen->body, "%s", answer->body);
    (void)snprintf(seen->header, sizeof seen->header, "%s", header ? header : "none");
    cr_assert_null(exchange_header_of(answer, "X-Absent"));
}

struct bout {
    struct peer peer;
    struct exchanges *exchanges;
};

static void start(struct bout *bout)
{
    struct error error = {0};
    peer_open(&bout->peer);
    bout->exchanges = exchanges_new(NULL, &error);
    cr_assert(bout->exchanges, "%s", error.text);
}

static void finish(struct bout *bout)
{
    exchanges_free(bout->exchanges);
    peer_close(&bout->peer);
}

static struct exchange_request request_to(const char *url)
{
    return (struct exchange_request){.method = "GET",
                                     .url = url,
                                     .timeout_ms = 5000,
                                     .connect_timeout_ms = 5000,
                                     .answer_maximum = 100,
                                     .plain = true};
}

static struct seen ask(struct bout *bout, const struct exchange_request *request)
{
    struct seen seen = {0};
    (void)exchange_begin(bout->exchanges, request, note, &seen);
    cr_assert_not(seen.done);
    exchanges_until(bout->exchanges, &bout->peer, &seen.done);
    cr_assert_eq(seen.count, 1);
    return seen;
}

static struct seen get(struct bout *bout)
{
    const struct exchange_request request = request_to(bout->peer.url);
    return ask(bout, &request);
}

Test(exchange, sends_what_it_is_given_and_reads_status_headers_and_body)
{
    struct bout bout;
    start(&bout);
    peer_answer(&bout.peer, 418, "x-TEST: first\r\nX-Test: second\r\n", "tea");
    const struct exchange_header headers[] = {
        {"X-One", "1"}, {"Content-Type", "text/x"}, {"X-Empty", ""}, {NULL, NULL}};
    struct exchange_request request = request_to(bout.peer.url);
    request.method = "POST";
    request.headers = headers;
    request.body = "a\0b";
    request.body_length = 3;
    const struct seen seen = ask(&bout, &request);
    cr_assert_eq(seen.status, 418, "%s", seen.failure.text);
    cr_assert_str_eq(seen.body, "tea");
    cr_assert_eq(seen.length, 3);
    cr_assert_str_eq(seen.header, "first");
    static const char *const expected[] = {"POST / HTTP/1.1\r\n", "X-One: 1\r\n",
                                           "Content-Type: text/x\r\n", "Content-Length: 3\r\n",
                                           "User-Agent: bookflow/"};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        cr_assert(strstr(bout.peer.requests[0], expected[i]), "%s", expected[i]);
    cr_assert_not(strstr(bout.peer.requests[0], "Expect"));
    cr_assert_not(strstr(bout.peer.requests[0], "Accept-Encoding"));
    cr_assert_not(strstr(bout.peer.requests[0], "X-Empty"));
    finish(&bout);
}

Test(exchange, uses_a_connection_again)
{
    struct bout bout;
    start(&bout);
    for (int i = 0; i < 3; i++) {
        peer_answer(&bout.peer, 200, "", "x");
        cr_assert_eq(get(&bout).status, 200);
    }
    cr_assert_eq(bout.peer.accepted, 1);
    finish(&bout);
}

Test(exchange, goes_on_with_a_new_connection_when_the_server_has_closed_the_old_one)
{
    struct bout bout;
    start(&bout);
    for (int i = 0; i < 3; i++) {
        peer_bytes(&bout.peer, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
        cr_assert_eq(get(&bout).status, 200);
    }
    cr_assert_eq(bout.peer.accepted, 3);
    finish(&bout);
}

Test(exchange, that_gets_no_whole_answer_is_unavailable)
{
    static const char *const answers[] = {
        "", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "HTTP/1.1 200 OK\r\nX: y",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal", "hello there\r\n"};
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct bout bout;
        start(&bout);
        peer_bytes(&bout.peer, answers[i]);
        const struct seen seen = get(&bout);
        cr_assert_eq(seen.failure.kind, ERROR_UNAVAILABLE, "%s: %s", answers[i], seen.failure.text);
        finish(&bout);
    }
}

Test(exchange, reads_a_body_up_to_its_maximum_and_no_byte_more)
{
    for (int more = 0; more < 2; more++) {
        struct bout bout;
        char body[128] = "";
        memset(body, 'x', (size_t)(100 + more));
        start(&bout);
        peer_answer(&bout.peer, 200, "", body);
        const struct seen seen = get(&bout);
        cr_assert_eq(seen.failure.kind, more ? ERROR_TOO_LARGE : ERROR_NONE);
        cr_assert_eq(seen.length, more ? 0 : 100);
        finish(&bout);
    }
}

Test(exchange, is_given_up_after_its_timeout)
{
    struct bout bout;
    start(&bout);
    struct exchange_request request = request_to(bout.peer.url);
    request.timeout_ms = 60;
    const struct seen seen = ask(&bout, &request);
    cr_assert_eq(seen.failure.kind, ERROR_UNAVAILABLE);
    cr_assert(strstr(seen.failure.text, "timed out"), "%s", seen.failure.text);
    finish(&bout);
}

Test(exchange, with_nobody_there_is_unavailable)
{
    struct bout bout;
    start(&bout);
    struct peer gone;
    peer_open(&gone);
    peer_close(&gone);
    const struct exchange_request request = request_to(gone.url);
    cr_assert_eq(ask(&bout, &request).failure.kind, ERROR_UNAVAILABLE);
    finish(&bout);
}

Test(exchange, does_not_follow_redirects)
{
    struct bout bout;
    char headers[128];
    start(&bout);
    snprintf(headers, sizeof headers, "Location: %s/next\r\n", bout.peer.url);
    peer_answer(&bout.peer, 307, headers, "");
    cr_assert_eq(get(&bout).status, 307);
    cr_assert_eq(bout.peer.request_count, 1);
    finish(&bout);
}

Test(exchange, with_an_address_or_a_header_that_is_none_is_a_failure_of_configuration)
{
    static const struct {
        const char *url, *value;
        bool plain;
    } cases[] = {
        {"http://127.0.0.1:1/", "v", false},
        {"ftp://127.0.0.1/", "v", true},
        {"file:///etc/passwd", "v", true},
        {"", "v", true},
        {"http://a b/", "v", true},
        {"http://127.0.0.1:1/\r\nX: y", "v", true},
        {"http://127.0.0.1:1/", "v\r\nX: y", true},
        {"http://127.0.0.1:1/", "v\n", true},
        {"http://127.0.0.1:1/", "\r", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bout bout;
        start(&bout);
        const struct exchange_header headers[] = {{"X-Value", cases[i].value}, {NULL, NULL}};
        struct exchange_request request = request_to(cases[i].url);
        request.plain = cases[i].plain;
        request.headers = headers;
        const struct seen seen = ask(&bout, &request);
        cr_assert_eq(seen.failure.kind, ERROR_CONFIGURATION, "%zu: %s", i, seen.failure.text);
        finish(&bout);
    }
}

Test(exchange, ignores_the_proxies_of_the_environment)
{
    static const char *const names[] = {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"};
    struct bout bout;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        setenv(names[i], "http://127.0.0.1:1", 1);
    start(&bout);
    peer_answer(&bout.peer, 200, "", "x");
    const struct seen seen = get(&bout);
    cr_assert_eq(seen.status, 200, "%s", seen.failure.text);
    cr_assert(strstr(bout.peer.requests[0], "GET / HTTP/1.1\r\n"));
    finish(&bout);
}

/* --- several at once --- */

Test(exchange, that_is_cancelled_is_not_called_back_and_others_go_on)
{
    struct bout bout;
    struct seen seen[2] = {{0}, {0}};
    start(&bout);
    const struct exchange_request request = request_to(bout.peer.url);
    struct exchange *first = exchange_begin(bout.exchanges, &request, note, &seen[0]);
    (void)exchange_begin(bout.exchanges, &request, note, &seen[1]);
    exchange_cancel(first);
    peer_answer(&bout.peer, 200, "", "x");
    exchanges_until(bout.exchanges, &bout.peer, &seen[1].done);
    cr_assert_eq(seen[0].count, 0);
    cr_assert_eq(seen[1].status, 200);
    finish(&bout);
}

/* Both fail in one step, and the first that is called back cancels the other. */
Test(exchange, that_is_done_may_cancel_another_that_is_done_as_well)
{
    struct bout bout;
    struct seen seen[3] = {{0}, {0}, {0}};
    struct exchange *open[3];
    start(&bout);
    const struct exchange_request request = request_to("ftp://127.0.0.1/");
    for (int i = 0; i < 2; i++)
        open[i] = exchange_begin(bout.exchanges, &request, note, &seen[i]);
    seen[0].cancels = open[1];
    seen[1].cancels = open[0];
    while (seen[0].count + seen[1].count == 0)
        exchanges_step(bout.exchanges);
    for (int i = 0; i < 10; i++)
        exchanges_step(bout.exchanges);
    cr_assert_eq(seen[0].count + seen[1].count, 1);
    finish(&bout);
}

Test(exchange, that_is_open_when_all_are_freed_is_unavailable)
{
    struct bout bout;
    struct seen seen[3] = {{0}, {0}, {0}};
    start(&bout);
    const struct exchange_request request = request_to(bout.peer.url);
    for (int i = 0; i < 2; i++)
        (void)exchange_begin(bout.exchanges, &request, note, &seen[i]);
    for (int i = 0; i < 5; i++)
        exchanges_step(bout.exchanges);
    (void)exchange_begin(bout.exchanges, &request, note, &seen[2]);
    finish(&bout);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(seen[i].count, 1);
        cr_assert_eq(seen[i].failure.kind, ERROR_UNAVAILABLE);
    }
}

Test(exchange, descriptor_is_readable_after_a_wake_until_the_next_step)
{
    struct bout bout;
    start(&bout);
    struct pollfd fd = {.fd = exchanges_fd(bout.exchanges), .events = POLLIN};
    cr_assert_eq(poll(&fd, 1, 0), 0);
    exchanges_wake(bout.exchanges);
    exchanges_wake(bout.exchanges);
    cr_assert_eq(poll(&fd, 1, 0), 1);
    exchanges_step(bout.exchanges);
    cr_assert_eq(poll(&fd, 1, 0), 0);
    finish(&bout);
}

/* --- a resolver that hangs --- */

static pthread_mutex_t resolver = PTHREAD_MUTEX_INITIALIZER;

/* In place of the C library's: what asks for a name waits for the test. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **result)
{
    (void)name;
    (void)service;
    (void)hints;
    (void)result;
    pthread_mutex_lock(&resolver);
    pthread_mutex_unlock(&resolver);
    return EAI_NONAME;
}

Test(exchange, that_is_given_up_does_not_wait_for_the_resolver, .timeout = 60)
{
    struct bout bout;
    struct seen seen = {0};
    start(&bout);
    pthread_mutex_lock(&resolver);
    struct exchange_request request = request_to("http://name.invalid/");
    request.timeout_ms = 50;
    (void)exchange_begin(bout.exchanges, &request, note, &seen);
    exchanges_until(bout.exchanges, &bout.peer, &seen.done);
    cr_assert_eq(seen.failure.kind, ERROR_UNAVAILABLE);
    finish(&bout);
    pthread_mutex_unlock(&resolver);
}
