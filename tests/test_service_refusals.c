/* Calls of a service whose credentials are refused, have expired or are not there. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "aws_fixture.h"
#include "service.h"

struct called {
    bool done;
    int count;
    struct failure failure;
    struct service_call *call;
    struct called *cancels; /* when this one is done */
    struct service *service;
    struct called *begins;
};

static void begin(struct service *service, struct called *called);

static void call_done(void *context, const json_t *answer, const struct failure *failure)
{
    struct called *called = context;
    called->done = true;
    called->count++;
    cr_assert((answer == NULL) != (failure == NULL));
    called->failure = failure ? *failure : (struct failure){0};
    if (called->cancels && !called->cancels->done)
        service_cancel(called->cancels->call);
    if (called->begins)
        begin(called->service, called->begins);
}

static void begin(struct service *service, struct called *called)
{
    called->call = service_begin(service,
                                 &(struct service_request){.action = "ReceiveMessage",
                                                           .body = memory_text("{}"),
                                                           .timeout_ms = 5000},
                                 call_done, called);
}

static struct service *open_service(struct bench *bench)
{
    struct error error = {0};
    bench_open(bench);
    struct service *service = service_new(&(struct service_options){.account = bench->account,
                                                                    .name = "sqs",
                                                                    .target = "AmazonSQS",
                                                                    .endpoint = bench->peer.url,
                                                                    .region = "r"},
                                          &error);
    cr_assert(service, "%s", error.text);
    return service;
}

static struct service *start(struct bench *bench)
{
    bench_start(bench);
    bench_set("AWS_ACCESS_KEY_ID", "A");
    bench_set("AWS_SECRET_ACCESS_KEY", "s");
    return open_service(bench);
}

static struct service *start_container(struct bench *bench)
{
    bench_start(bench);
    bench_set("AWS_CONTAINER_CREDENTIALS_FULL_URI", "%s/", bench->peer.url);
    return open_service(bench);
}

static struct service *start_without(struct bench *bench)
{
    bench_start(bench);
    bench_set("AWS_EC2_METADATA_DISABLED", "true");
    return open_service(bench);
}

static void will_give(struct bench *bench, const char *name)
{
    struct buf body AUTO(buf_release) = {0};
    buf_printf(&body, "{\"AccessKeyId\":\"%s\",\"SecretAccessKey\":\"s\",\"Token\":\"t\"}", name);
    peer_answer(&bench->peer, 200, "", buf_text(&body));
}

static void will_refuse(struct bench *bench, int status, const char *code)
{
    struct buf body AUTO(buf_release) = {0};
    buf_printf(&body, "{\"__type\":\"x#%s\",\"Message\":\"why\"}", code);
    peer_answer(&bench->peer, status, "", buf_text(&body));
}

static void finish(struct bench *bench, struct service *service)
{
    service_free(service);
    bench_finish(bench);
}

/* Begins one and waits for its end without moving the clock. */
static struct called call(struct bench *bench, struct service *service)
{
    struct called called = {0};
    begin(service, &called);
    bench_settle(bench);
    cr_assert_eq(called.count, 1);
    return called;
}

/* --- expired --- */

Test(expired, token_has_others_fetched_and_the_call_tried_again)
{
    struct bench bench;
    struct called called = {0};
    struct service *service = start_container(&bench);
    will_give(&bench, "FIRST");
    will_refuse(&bench, 403, "ExpiredTokenException");
    will_give(&bench, "SECOND");
    peer_answer(&bench.peer, 200, "", "{}");
    begin(service, &called);
    bench_until(&bench, &called.done);
    cr_assert_eq(called.failure.class, (enum failure_class)0, "%s", called.failure.text);
    cr_assert(strstr(bench.peer.requests[1], "Credential=FIRST/"));
    cr_assert(strstr(bench.peer.requests[3], "Credential=SECOND/"));
    finish(&bench, service);
}

Test(expired, token_that_is_expired_again_is_fatal)
{
    struct bench bench;
    struct called called = {0};
    struct service *service = start(&bench);
    will_refuse(&bench, 403, "ExpiredToken");
    will_refuse(&bench, 403, "ExpiredToken");
    begin(service, &called);
    bench_until(&bench, &called.done);
    cr_assert_eq(called.failure.class, FAILURE_EXPIRED);
    cr_assert_eq(bench.peer.request_count, 2);
    cr_assert_eq(call(&bench, service).failure.class, FAILURE_EXPIRED);
    cr_assert_eq(bench.peer.request_count, 2);
    finish(&bench, service);
}

/* --- refused --- */

Test(refused, credentials_are_told_to_all_and_asked_about_by_one_every_half_minute)
{
    struct bench bench;
    struct service *service = start(&bench);
    will_refuse(&bench, 403, "InvalidClientTokenId");
    struct called first = call(&bench, service);
    cr_assert_eq(first.failure.class, FAILURE_CREDENTIALS);
    cr_assert_str_eq(first.failure.text, "InvalidClientTokenId: why");
    for (int i = 0; i < 3; i++)
        cr_assert_str_eq(call(&bench, service).failure.code, "InvalidClientTokenId");
    cr_assert_eq(bench.peer.request_count, 1);
    bench_pass(&bench, SERVICE_REFUSED_MS);
    struct called asks = {0};
    begin(service, &asks);
    cr_assert_str_eq(call(&bench, service).failure.code, "InvalidClientTokenId");
    cr_assert_eq(bench.peer.request_count, 2);
    cr_assert_not(asks.done);
    finish(&bench, service);
    cr_assert_eq(asks.count, 1);
}

Test(refused, credentials_that_are_accepted_again_are_used_by_all)
{
    struct bench bench;
    struct service *service = start(&bench);
    will_refuse(&bench, 403, "SignatureDoesNotMatch");
    cr_assert_eq(call(&bench, service).failure.class, FAILURE_CREDENTIALS);
    bench_pass(&bench, SERVICE_REFUSED_MS);
    peer_answer(&bench.peer, 200, "", "{}");
    peer_answer(&bench.peer, 200, "", "{}");
    cr_assert_eq(call(&bench, service).failure.text[0], '\0');
    cr_assert_eq(call(&bench, service).failure.text[0], '\0');
    cr_assert_eq(bench.peer.request_count, 3);
    finish(&bench, service);
}

/* --- not there --- */

Test(missing, credentials_fail_a_call_soon_though_nothing_comes_over_the_wire)
{
    struct bench bench;
    struct called called = {0};
    struct service *service = start_without(&bench);
    const int64_t begun = bench.ticks_ms;
    begin(service, &called);
    cr_assert_not(called.done);
    bench_until(&bench, &called.done);
    cr_assert_eq(called.failure.class, FAILURE_CREDENTIALS);
    cr_assert(strstr(called.failure.text, "or AWS_PROFILE"), "%s", called.failure.text);
    cr_assert_eq(bench.ticks_ms, begun);
    finish(&bench, service);
}

/* The owner's loop sleeps until its descriptor is readable: it must be. */
Test(missing, credentials_wake_the_owner_for_each_call_that_is_to_be_told)
{
    struct bench bench;
    struct called called[2] = {{0}, {0}};
    struct service *service = start_without(&bench);
    bench_settle(&bench);
    called[0].begins = &called[1];
    called[0].service = service;
    begin(service, &called[0]);
    for (int i = 0; i < 2; i++) {
        struct pollfd fd = {.fd = account_fd(bench.account), .events = POLLIN};
        cr_assert_eq(poll(&fd, 1, 0), 1, "turn %d", i);
        const int64_t delay = account_step(bench.account);
        cr_assert(delay <= 0, "turn %d", i);
        cr_assert_eq(called[i].count, 1, "turn %d", i);
    }
    finish(&bench, service);
}

Test(missing, credentials_let_a_call_that_is_done_cancel_the_next)
{
    struct bench bench;
    struct called called[2] = {{0}, {0}};
    struct service *service = start_without(&bench);
    begin(service, &called[0]);
    begin(service, &called[1]);
    called[0].cancels = &called[1];
    called[1].cancels = &called[0];
    bench_settle(&bench);
    cr_assert_eq(called[0].count + called[1].count, 1);
    finish(&bench, service);
}

Test(missing, credentials_that_are_waited_for_when_the_service_is_freed_are_not_told)
{
    struct bench bench;
    struct called called[2] = {{0}, {0}};
    struct service *service = start_container(&bench);
    begin(service, &called[0]);
    begin(service, &called[1]);
    bench_until_requests(&bench, 1);
    service_cancel(called[0].call);
    service_free(service);
    cr_assert_eq(called[0].count, 0);
    cr_assert_eq(called[1].count, 1);
    cr_assert_str_eq(called[1].failure.text, "stopped");
    will_give(&bench, "LATE");
    bench_settle(&bench);
    bench_finish(&bench);
}

Test(missing, credentials_out_of_reach_are_a_passing_failure)
{
    struct bench bench;
    struct called called = {0};
    struct service *service = start_container(&bench);
    for (int i = 0; i < 3; i++)
        peer_answer(&bench.peer, 500, "", "");
    begin(service, &called);
    bench_until(&bench, &called.done);
    cr_assert_eq(called.failure.class, FAILURE_TRANSIENT);
    will_give(&bench, "FIRST");
    peer_answer(&bench.peer, 200, "", "{}");
    cr_assert_eq(call(&bench, service).failure.text[0], '\0');
    finish(&bench, service);
}

/* --- the account's other services --- */

struct leaver {
    struct account_member member; /* first */
    struct account *account;
    struct account_member *other; /* leaves with it */
    int steps;
};

static int64_t leave(struct account_member *self)
{
    struct leaver *leaver = (struct leaver *)self; /* its first member */
    leaver->steps++;
    account_leave(leaver->account, leaver->other);
    memset(leaver->other, 0xaa, sizeof *leaver->other); /* as if it were freed */
    account_leave(leaver->account, self);
    return -1;
}

Test(account, members_may_leave_while_it_steps)
{
    struct bench bench;
    bench_start(&bench);
    bench_open(&bench);
    struct leaver second = {.member.step = leave, .account = bench.account};
    struct leaver first = {.member.step = leave, .account = bench.account, .other = &second.member};
    account_join(bench.account, &second.member);
    account_join(bench.account, &first.member);
    (void)account_step(bench.account);
    (void)account_step(bench.account);
    cr_assert_eq(first.steps, 1);
    cr_assert_eq(second.steps, 0);
    bench_finish(&bench);
}
