/* The calls of a service: what is sent, what is tried again, and the server's clock. */
#include "service.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws_fixture.h"
#include "retry.h"

static const char OK_BODY[] = "{\"MessageId\":\"m\"}";
static const char FAR_DATE[] = "Date: Sun, 30 Aug 2015 13:36:00 GMT\r\n"; /* an hour ahead */

struct called {
    bool done;
    int count;
    char answer[64]; /* MessageId */
    struct failure failure;
};

static void call_done(void *context, const json_t *answer, const struct failure *failure)
{
    struct called *called = context;
    called->done = true;
    called->count++;
    cr_assert((answer == NULL) != (failure == NULL));
    if (failure)
        called->failure = *failure;
    else
        (void)snprintf(called->answer, sizeof called->answer, "%s",
                       json_string_length(json_object_get(answer, "MessageId"))
                           ? json_string_value(json_object_get(answer, "MessageId"))
                           : "");
}

static struct service_call *begin_as(struct service *service, struct called *called, bool is_poll)
{
    return service_begin(service,
                         &(struct service_request){.action = "SendMessage",
                                                   .body = memory_text("{\"QueueUrl\":\"u\"}"),
                                                   .timeout_ms = 5000,
                                                   .is_poll = is_poll},
                         call_done, called);
}

static void begin(struct service *service, struct called *called)
{
    (void)begin_as(service, called, false);
}

static struct service *start(struct bench *bench)
{
    struct error error = {0};
    bench_start(bench);
    bench_set("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
    bench_set("AWS_SECRET_ACCESS_KEY", "s3cret");
    bench_set("AWS_SESSION_TOKEN", "t0ken");
    bench_open(bench);
    struct service *service = service_new(&(struct service_options){.account = bench->account,
                                                                    .name = "sqs",
                                                                    .target = "AmazonSQS",
                                                                    .endpoint = bench->peer.url,
                                                                    .region = "eu-north-1"},
                                          &error);
    cr_assert(service, "%s", error.text);
    return service;
}

static void finish(struct bench *bench, struct service *service)
{
    service_free(service);
    bench_finish(bench);
}

static void will_refuse(struct bench *bench, int status, const char *code)
{
    struct buf body AUTO(buf_release) = {0};
    buf_printf(&body, "{\"__type\":\"com.amazonaws.sqs#%s\",\"message\":\"why\"}", code);
    peer_answer(&bench->peer, status, "", buf_text(&body));
}

static void call(struct bench *bench, struct service *service, struct called *called)
{
    *called = (struct called){0};
    begin(service, called);
    bench_until(bench, &called->done);
    cr_assert_eq(called->count, 1);
}

Test(service, signs_its_calls)
{
    struct bench bench;
    struct called called;
    struct service *service = start(&bench);
    peer_answer(&bench.peer, 200, "", OK_BODY);
    call(&bench, service, &called);
    cr_assert_str_eq(called.answer, "m", "%s", called.failure.text);
    char host[64];
    snprintf(host, sizeof host, "Host: 127.0.0.1:%d\r\n", bench.peer.port);
    const char *const expected[] = {
        "POST / HTTP/1.1\r\n",
        host,
        "Content-Type: application/x-amz-json-1.0\r\n",
        "X-Amz-Target: AmazonSQS.SendMessage\r\n",
        "X-Amz-Date: 20150830T123600Z\r\n",
        "X-Amz-Security-Token: t0ken\r\n",
        "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/eu-north-1/sqs/"
        "aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;"
        "x-amz-target, Signature=",
        "\r\n\r\n{\"QueueUrl\":\"u\"}"};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        cr_assert(strstr(bench.peer.requests[0], expected[i]), "%s in\n%s", expected[i],
                  bench.peer.requests[0]);
    cr_assert_not(strstr(bench.peer.requests[0], "Expect"));
    finish(&bench, service);
}

Test(service, takes_an_empty_answer_for_an_empty_object)
{
    struct bench bench;
    struct called called;
    struct service *service = start(&bench);
    peer_answer(&bench.peer, 200, "", "");
    call(&bench, service, &called);
    cr_assert_str_eq(called.answer, "", "%s", called.failure.text);
    finish(&bench, service);
}

/* Each fault, and then a good answer. */
Test(service, tries_again_what_fails_in_passing)
{
    static const struct {
        const char *name, *bytes;
    } cases[] = {
        {"closed", ""},
        {"half a status line", "HTTP/1.1 20"},
        {"truncated", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"MessageId\":\"x\""},
        {"no JSON", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"},
        {"no object", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"},
        {"500 HTML", "HTTP/1.1 500 Oops\r\nContent-Length: 6\r\n\r\n<html>"},
        {"503", "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"},
        {"403 throttled", "HTTP/1.1 403 No\r\n\r\n"
                          "{\"__type\":\"com.amazonaws.sqs#RequestThrottled\"}"},
        {"400 throttled", "HTTP/1.1 400 No\r\n\r\n"
                          "{\"__type\":\"ThrottlingException\"}"},
        {"429", "HTTP/1.1 429 Slow\r\nContent-Length: 0\r\n\r\n"},
        {"no HTTP", "220 mail ready\r\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench bench;
        struct called called;
        struct service *service = start(&bench);
        peer_bytes(&bench.peer, cases[i].bytes);
        peer_answer(&bench.peer, 200, "", OK_BODY);
        call(&bench, service, &called);
        cr_assert_str_eq(called.answer, "m", "%s: %s", cases[i].name, called.failure.text);
        cr_assert_eq(service_counts(service).tries, 2, "%s", cases[i].name);
        finish(&bench, service);
    }
}

Test(service, gives_up_after_three_tries)
{
    struct bench bench;
    struct called called;
    struct service *service = start(&bench);
    for (int i = 0; i < RETRY_TRIES; i++)
        peer_answer(&bench.peer, 500, "", "");
    call(&bench, service, &called);
    cr_assert_eq(called.failure.class, FAILURE_TRANSIENT);
    cr_assert_str_eq(called.failure.text, "the service answered 500");
    cr_assert_eq(bench.peer.request_count, RETRY_TRIES);
    cr_assert_eq(service_counts(service).failed, 1);
    finish(&bench, service);
}

Test(service, does_not_try_again_what_is_wrong)
{
    static const struct {
        int status;
        const char *code;
        enum failure_class class;
    } cases[] = {
        {400, "QueueDoesNotExist", FAILURE_REFUSED},
        {404, "ReceiptHandleIsInvalid", FAILURE_REFUSED},
        {403, "AccessDeniedException", FAILURE_DENIED},
        {400, "InvalidMessageContents", FAILURE_REFUSED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench bench;
        struct called called;
        struct service *service = start(&bench);
        will_refuse(&bench, cases[i].status, cases[i].code);
        call(&bench, service, &called);
        cr_assert_eq(called.failure.class, cases[i].class, "%s", cases[i].code);
        cr_assert_str_eq(called.failure.code, cases[i].code);
        cr_assert_eq(bench.peer.request_count, 1);
        finish(&bench, service);
    }
}

Test(service, waits_as_long_as_the_server_asks_within_bounds)
{
    static const struct {
        const char *header;
        int64_t low, high;
    } cases[] = {
        {"", 0, 50},
        {"x-amz-retry-after: 3000\r\n", 3000, 3050},
        {"x-amz-retry-after: 600000\r\n", 5000, 5050},
        {"x-amz-retry-after: -1\r\n", 0, 50},
        {"x-amz-retry-after: soon\r\n", 0, 50},
        {"x-amz-retry-after: 99999999999999999999\r\n", 0, 50},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench bench;
        struct called called;
        struct service *service = start(&bench);
        peer_answer(&bench.peer, 503, cases[i].header, "");
        peer_answer(&bench.peer, 200, "", OK_BODY);
        const int64_t begun = bench.ticks_ms;
        call(&bench, service, &called);
        cr_assert_geq(bench.ticks_ms - begun, cases[i].low, "%s", cases[i].header);
        cr_assert_leq(bench.ticks_ms - begun, cases[i].high, "%s", cases[i].header);
        finish(&bench, service);
    }
}

/* A retry costs 14 of 500 tokens: with two for each call they last for 35 of them. */
Test(service, stops_trying_again_when_everything_fails_but_a_poll_still_waits)
{
    struct bench bench;
    struct called called;
    struct service *service = start(&bench);
    for (int i = 0; i < 18; i++) {
        for (int j = 0; j < RETRY_TRIES; j++)
            will_refuse(&bench, 500, "InternalError");
        call(&bench, service, &called);
        for (size_t j = 0; j < RETRY_TRIES; j++) {
            free(bench.peer.requests[j]);
            free(bench.peer.answers[j]);
            bench.peer.requests[j] = bench.peer.answers[j] = NULL;
        }
        const size_t tries = bench.peer.request_count;
        bench.peer.request_count = bench.peer.answer_count = 0;
        cr_assert_eq(tries, i < 17 ? 3 : 2, "call %d made %zu tries", i, tries);
    }
    will_refuse(&bench, 500, "InternalError");
    will_refuse(&bench, 500, "InternalError");
    const int64_t begun = bench.ticks_ms;
    call(&bench, service, &called);
    cr_assert_eq(bench.ticks_ms, begun);
    called = (struct called){0};
    (void)begin_as(service, &called, true);
    bench_until(&bench, &called.done);
    cr_assert_gt(bench.ticks_ms, begun);
    cr_assert_eq(bench.peer.request_count, 2);
    finish(&bench, service);
}

/* --- the clock --- */

Test(service, signs_by_the_servers_clock_once_it_knows_it)
{
    struct bench bench;
    struct called called;
    struct service *service = start(&bench);
    peer_answer(&bench.peer, 200, FAR_DATE, OK_BODY);
    peer_answer(&bench.peer, 200, FAR_DATE, OK_BODY);
    call(&bench, service, &called);
    cr_assert_eq(service_counts(service).skew_ms, 3600 * 1000);
    call(&bench, service, &called);
    cr_assert(strstr(bench.peer.requests[1], "X-Amz-Date: 20150830T133600Z"));
    finish(&bench, service);
}

Test(service, learns_nothing_from_a_date_that_is_cached_wrong_or_nearly_ours)
{
    static const char *const headers[] = {
        "Date: Sun, 30 Aug 2015 13:36:00 GMT\r\nAge: 3600\r\n", "Date: today\r\n",
        "Date: Sun, 30 Aug 2015 12:36:01 GMT\r\n", "Date: Sun, 30 Aug 2015 12:35:59 GMT\r\n", ""};
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        struct bench bench;
        struct called called;
        struct service *service = start(&bench);
        peer_answer(&bench.peer, 200, headers[i], OK_BODY);
        call(&bench, service, &called);
        cr_assert_eq(service_counts(service).skew_ms, 0, "%s", headers[i]);
        finish(&bench, service);
    }
}

/* All of them were signed with the wrong clock, and only the first answer moves it. */
Test(service, tries_every_call_again_that_was_signed_with_a_wrong_clock)
{
    static const char *const codes[] = {"SignatureDoesNotMatch", "RequestExpired",
                                        "InvalidSignatureException", "AccessDeniedException"};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        struct bench bench;
        struct called called[2] = {{0}, {0}};
        struct buf body AUTO(buf_release) = {0};
        struct service *service = start(&bench);
        buf_printf(&body, "{\"__type\":\"%s\"}", codes[i]);
        for (int j = 0; j < 2; j++)
            peer_answer(&bench.peer, 403, FAR_DATE, buf_text(&body));
        begin(service, &called[0]);
        begin(service, &called[1]);
        bench_until_requests(&bench, 2);
        for (int j = 0; j < 2; j++)
            peer_answer(&bench.peer, 200, FAR_DATE, OK_BODY);
        bench_until(&bench, &called[0].done);
        bench_until(&bench, &called[1].done);
        for (int j = 0; j < 2; j++)
            cr_assert_str_eq(called[j].answer, "m", "%s: %s", codes[i], called[j].failure.text);
        cr_assert(strstr(bench.peer.requests[3], "X-Amz-Date: 20150830T133600Z"));
        finish(&bench, service);
    }
}

/* --- the end of calls --- */

Test(service, does_not_call_back_a_cancelled_call)
{
    struct bench bench;
    struct called called[3] = {{0}, {0}, {0}};
    struct service *service = start(&bench);
    struct service_call *on_its_way = begin_as(service, &called[0], false);
    struct service_call *fresh = begin_as(service, &called[1], false);
    bench_until_requests(&bench, 2);
    service_cancel(on_its_way);
    service_cancel(fresh);
    struct service_call *waits = begin_as(service, &called[2], false);
    peer_answer(&bench.peer, 200, "", "");
    peer_answer(&bench.peer, 200, "", "");
    peer_answer(&bench.peer, 500, "x-amz-retry-after: 3000\r\n", "");
    bench_until_requests(&bench, 3);
    bench_settle(&bench);
    service_cancel(waits);
    bench_pass(&bench, 60 * 1000);
    bench_settle(&bench);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(called[i].count, 0);
    finish(&bench, service);
}

Test(service, answers_the_calls_that_are_open_when_it_is_freed)
{
    struct bench bench;
    struct called called[2] = {{0}, {0}};
    struct service *service = start(&bench);
    peer_answer(&bench.peer, 500, "x-amz-retry-after: 3000\r\n", "");
    begin(service, &called[0]);
    bench_until_requests(&bench, 1);
    bench_settle(&bench);
    begin(service, &called[1]);
    bench_until_requests(&bench, 2);
    finish(&bench, service);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(called[i].count, 1);
        cr_assert_eq(called[i].failure.class, FAILURE_TRANSIENT);
        cr_assert_str_eq(called[i].failure.text, "stopped");
    }
}

Test(service, refuses_an_endpoint_that_credentials_must_not_go_to)
{
    struct bench bench;
    struct error error = {0};
    bench_start(&bench);
    bench_open(&bench);
    cr_assert_null(service_new(&(struct service_options){.account = bench.account,
                                                         .name = "sqs",
                                                         .target = "AmazonSQS",
                                                         .endpoint = "http://169.254.169.254/",
                                                         .region = "r"},
                               &error));
    cr_assert_eq(error.kind, ERROR_CONFIGURATION);
    bench_finish(&bench);
}
