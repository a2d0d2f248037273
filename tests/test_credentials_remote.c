/* The links of the credential chain that ask a service nearby: the container's endpoint and the
 * instance metadata service. */
#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "aws_fixture.h"
#include "credentials.h"

static const char KEYS[] = "{\"Code\":\"Success\",\"AccessKeyId\":\"ASIAC\",\"SecretAccessKey\":"
                           "\"c/secret\",\"Token\":\"c-token\",\"Expiration\":"
                           "\"2015-08-30T18:36:00Z\"}";
static const char ENDED[] = "{\"AccessKeyId\":\"ASIAE\",\"SecretAccessKey\":\"s\",\"Token\":\"t\","
                            "\"Expiration\":\"2015-08-30T12:00:00Z\"}";

/* --- the container's endpoint --- */

static void start_container(struct bench *bench)
{
    bench_start(bench);
    bench_set("AWS_CONTAINER_CREDENTIALS_FULL_URI", "%s/get?x=1", bench->peer.url);
}

static struct told ask_once(struct bench *bench)
{
    bench_open(bench);
    const struct told told = bench_credentials(bench);
    bench_finish(bench);
    return told;
}

Test(container, credentials_are_asked_for_at_the_full_uri_without_a_token)
{
    struct bench bench;
    start_container(&bench);
    peer_answer(&bench.peer, 200, "", KEYS);
    bench_open(&bench);
    const struct told told = bench_credentials(&bench);
    cr_assert_eq(told.failure.kind, ERROR_NONE, "%s", told.failure.text);
    cr_assert_str_eq(told.access_key, "ASIAC");
    cr_assert_str_eq(told.secret_key, "c/secret");
    cr_assert_str_eq(told.session_token, "c-token");
    cr_assert_str_eq(told.source, "container");
    cr_assert_eq(told.expires_ms, bench.wall_ms + 6 * 3600 * 1000);
    cr_assert(strstr(bench.peer.requests[0], "GET /get?x=1 HTTP/1.1\r\n"));
    cr_assert_not(strstr(bench.peer.requests[0], "Authorization"));
    bench_finish(&bench);
}

Test(container, token_comes_from_the_file_that_is_read_anew_before_the_variable)
{
    struct bench bench;
    char path[64];
    const int file = memory_file("first\n");
    memory_file_path(file, path);
    start_container(&bench);
    bench_set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "variable");
    bench_set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "%s", path);
    peer_answer(&bench.peer, 200, "", KEYS);
    peer_answer(&bench.peer, 200, "", KEYS);
    bench_open(&bench);
    (void)bench_credentials(&bench);
    memory_file_write(file, "second");
    credentials_refused(account_credentials(bench.account), bench.ticks_ms);
    (void)bench_credentials(&bench);
    cr_assert(strstr(bench.peer.requests[0], "Authorization: first\r\n"));
    cr_assert(strstr(bench.peer.requests[1], "Authorization: second\r\n"));
    bench_finish(&bench);
    close(file);
}

Test(container, token_of_more_than_one_line_is_refused_and_not_sent)
{
    static const char *const tokens[] = {"a\nb", "a\r\nX-Evil: 1", "a\r"};
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
        struct bench bench;
        start_container(&bench);
        bench_set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "%s", tokens[i]);
        bench_open(&bench);
        const struct told told = bench_credentials(&bench);
        cr_assert_eq(told.failure.kind, ERROR_CONFIGURATION);
        cr_assert(strstr(told.failure.text, "more than one line"), "%s", told.failure.text);
        cr_assert_eq(bench.peer.accepted, 0);
        bench_finish(&bench);
    }
}

Test(container, uri_must_be_https_or_loopback_or_a_container_service)
{
    static const struct {
        const char *variable, *value;
    } cases[] = {
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/"},
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.169.254/latest"},
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.3/"},
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.2.example.com/"},
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.2@example.com/"},
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://10.0.0.1/"},
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://[fd00:ec2::254]/"},
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "file:///etc/passwd"},
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "/relative"},
        {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "@example.com/"},
        {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", ".example.com/"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench bench;
        bench_start(&bench);
        bench_set(cases[i].variable, "%s", cases[i].value);
        const struct told told = ask_once(&bench);
        cr_assert_eq(told.failure.kind, ERROR_CONFIGURATION, "%s", cases[i].value);
        cr_assert(strstr(told.failure.text, "neither https: nor"), "%s", told.failure.text);
    }
}

Test(container, endpoint_is_asked_three_times_when_it_fails_in_passing)
{
    struct bench bench;
    start_container(&bench);
    peer_bytes(&bench.peer, "");
    peer_answer(&bench.peer, 500, "", "");
    peer_answer(&bench.peer, 200, "", KEYS);
    const struct told told = ask_once(&bench);
    cr_assert_eq(told.failure.kind, ERROR_NONE, "%s", told.failure.text);
    cr_assert_str_eq(told.access_key, "ASIAC");
}

Test(container, answer_that_is_no_credentials_is_a_failure_that_does_not_quote_it)
{
    static const char *const bodies[] = {"",
                                         "S3CRET",
                                         "[\"S3CRET\"]",
                                         "{\"SecretAccessKey\":\"S3CRET",
                                         "{\"SecretAccessKey\":\"S3CRET\"}",
                                         "{\"AccessKeyId\":\"\",\"SecretAccessKey\":\"S3CRET\"}",
                                         "{\"AccessKeyId\":1,\"SecretAccessKey\":\"S3CRET\"}",
                                         ("{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"S3CRET\","
                                          "\"Expiration\":\"S3CRET\"}")};
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct bench bench;
        start_container(&bench);
        peer_answer(&bench.peer, 200, "", bodies[i]);
        const struct told told = ask_once(&bench);
        cr_assert_eq(told.failure.kind, ERROR_UNAVAILABLE, "%zu", i);
        cr_assert_not(strstr(told.failure.text, "S3CRET"), "%s", told.failure.text);
    }
}

Test(container, keys_with_a_line_end_do_not_become_a_header)
{
    struct bench bench;
    start_container(&bench);
    peer_answer(&bench.peer, 200, "",
                "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"B\",\"Token\":\"t\\r\\nX-Evil: 1\"}");
    const struct told told = ask_once(&bench);
    cr_assert_eq(told.failure.kind, ERROR_CONFIGURATION);
}

Test(container, redirect_is_not_followed)
{
    struct bench bench;
    start_container(&bench);
    peer_answer(&bench.peer, 302, "Location: /elsewhere\r\n", "");
    bench_open(&bench);
    const struct told told = bench_credentials(&bench);
    cr_assert(strstr(told.failure.text, "answered 302"), "%s", told.failure.text);
    cr_assert_eq(bench.peer.request_count, 1);
    bench_finish(&bench);
}

/* --- the instance metadata service --- */

static void start_instance(struct bench *bench)
{
    bench_start(bench);
    bench_set("AWS_EC2_METADATA_SERVICE_ENDPOINT", "%s", bench->peer.url);
}

Test(instance, credentials_are_asked_for_with_a_token_by_the_name_of_the_role)
{
    struct bench bench;
    start_instance(&bench);
    peer_answer(&bench.peer, 200, "", "T0K==");
    peer_answer(&bench.peer, 200, "", "my-role\n");
    peer_answer(&bench.peer, 200, "", KEYS);
    bench_open(&bench);
    const struct told told = bench_credentials(&bench);
    cr_assert_eq(told.failure.kind, ERROR_NONE, "%s", told.failure.text);
    cr_assert_str_eq(told.access_key, "ASIAC");
    cr_assert_str_eq(told.source, "instance metadata");
    char *const *requests = bench.peer.requests;
    cr_assert(strstr(requests[0], "PUT /latest/api/token HTTP/1.1\r\n"));
    cr_assert(strstr(requests[0], "x-aws-ec2-metadata-token-ttl-seconds: 21600\r\n"));
    cr_assert(strstr(requests[1], "GET /latest/meta-data/iam/security-credentials/ HTTP/1.1\r\n"));
    cr_assert(strstr(requests[1], "x-aws-ec2-metadata-token: T0K==\r\n"));
    cr_assert(strstr(requests[2], "GET /latest/meta-data/iam/security-credentials/my-role HTTP"));
    cr_assert(strstr(requests[2], "x-aws-ec2-metadata-token: T0K==\r\n"));
    bench_finish(&bench);
}

Test(instance, that_is_not_asked_when_it_is_switched_off)
{
    struct bench bench;
    start_instance(&bench);
    bench_set("AWS_EC2_METADATA_DISABLED", "true");
    bench_open(&bench);
    const struct told told = bench_credentials(&bench);
    cr_assert_eq(told.failure.kind, ERROR_CONFIGURATION);
    cr_assert_eq(bench.peer.accepted, 0);
    bench_finish(&bench);
}

Test(instance, where_nobody_answers_is_no_reason_to_say_more_than_what_to_configure)
{
    struct bench bench;
    start_instance(&bench);
    peer_bytes(&bench.peer, "");
    const struct told told = ask_once(&bench);
    cr_assert_eq(told.failure.kind, ERROR_CONFIGURATION);
    cr_assert(strstr(told.failure.text, "/latest/api/token: "), "%s", told.failure.text);
    cr_assert(strstr(told.failure.text, "set AWS_ACCESS_KEY_ID"), "%s", told.failure.text);
}

/* One by one what may go wrong after the token. */
Test(instance, that_answers_wrongly_is_a_failure)
{
    static const struct {
        int status;
        const char *role;
        const char *says;
    } cases[] = {
        {404, "<html>Not Found</html>", "answered 404"},
        {200, "", "this instance has no role"},
        {200, "../../user-data", "this instance has no role"},
        {200, "role?x", "this instance has no role"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench bench;
        start_instance(&bench);
        peer_answer(&bench.peer, 200, "", "T0K");
        peer_answer(&bench.peer, cases[i].status, "", cases[i].role);
        const struct told told = ask_once(&bench);
        cr_assert_eq(told.failure.kind, ERROR_CONFIGURATION, "%zu", i);
        cr_assert(strstr(told.failure.text, cases[i].says), "%s", told.failure.text);
    }
}

Test(instance, token_with_a_line_end_is_not_sent)
{
    struct bench bench;
    start_instance(&bench);
    peer_answer(&bench.peer, 200, "", "T0K\r\nX-Evil: 1");
    bench_open(&bench);
    const struct told told = bench_credentials(&bench);
    cr_assert(strstr(told.failure.text, "more than one line"), "%s", told.failure.text);
    cr_assert_eq(bench.peer.request_count, 1);
    bench_finish(&bench);
}

/* A metadata service in trouble hands out what it had: it is to be used on, and asked again. */
Test(instance, keys_that_have_ended_already_are_used_for_some_more_minutes)
{
    struct bench bench;
    start_instance(&bench);
    peer_answer(&bench.peer, 200, "", "T0K");
    peer_answer(&bench.peer, 200, "", "role");
    peer_answer(&bench.peer, 200, "", ENDED);
    bench_open(&bench);
    const struct told told = bench_credentials(&bench);
    cr_assert_str_eq(told.access_key, "ASIAE", "%s", told.failure.text);
    cr_assert_geq(told.expires_ms, bench.wall_ms + 10 * 60 * 1000);
    cr_assert_leq(told.expires_ms, bench.wall_ms + 20 * 60 * 1000);
    struct told again = bench_credentials(&bench);
    cr_assert_str_eq(again.access_key, "ASIAE");
    cr_assert_eq(bench.peer.request_count, 3);
    bench_finish(&bench);
}
