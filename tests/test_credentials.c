/* The links of the credential chain that need nobody or STS: environment, profile, web identity. */
#include "credentials.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "aws_fixture.h"

static const char ASSUMED[] =
    "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>"
    "<AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>sts/secret</SecretAccessKey>"
    "<SessionToken>sts+token==</SessionToken><Expiration>2015-08-30T13:36:00Z</Expiration>"
    "</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>";

static void sts_refuses(struct bench *bench, int status, const char *code)
{
    struct buf body AUTO(buf_release) = {0};
    buf_printf(&body, "<ErrorResponse><Error><Code>%s</Code></Error></ErrorResponse>", code);
    peer_answer(&bench->peer, status, "", buf_text(&body));
}

static struct told ask_once(struct bench *bench)
{
    bench_open(bench);
    const struct told told = bench_credentials(bench);
    bench_finish(bench);
    return told;
}

/* --- environment --- */

Test(credentials, come_from_the_environment_before_anything_else)
{
    struct bench bench;
    bench_start(&bench);
    bench_set("AWS_ACCESS_KEY_ID", "AKIA1");
    bench_set("AWS_SECRET_ACCESS_KEY", "s3cret");
    bench_set("AWS_SESSION_TOKEN", "t0ken");
    bench_set("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere/token");
    bench_set("AWS_PROFILE", "nobody");
    const struct told told = ask_once(&bench);
    cr_assert_eq(told.failure.kind, ERROR_NONE, "%s", told.failure.text);
    cr_assert_str_eq(told.access_key, "AKIA1");
    cr_assert_str_eq(told.secret_key, "s3cret");
    cr_assert_str_eq(told.session_token, "t0ken");
    cr_assert_str_eq(told.source, "environment");
    cr_assert_eq(told.expires_ms, 0);
    cr_assert_eq(told.count, 1);
}

Test(credentials, are_told_before_the_question_returns_when_they_are_there)
{
    struct bench bench;
    struct told told = {0};
    bench_start(&bench);
    bench_set("AWS_ACCESS_KEY_ID", "AKIA1");
    bench_set("AWS_SECRET_ACCESS_KEY", "s3cret");
    bench_open(&bench);
    credentials_get(account_credentials(bench.account), told_it, &told);
    cr_assert(told.done);
    bench_finish(&bench);
}

/* Each set of variables, and what the failure must say. */
Test(credentials, that_are_half_configured_are_a_failure_and_not_the_next_link)
{
    static const struct {
        const char *name, *value, *other, *other_value, *says;
    } cases[] = {
        {"AWS_ACCESS_KEY_ID", "A", "X", "", "AWS_ACCESS_KEY_ID is set, AWS_SECRET_ACCESS_KEY"},
        {"AWS_SECRET_ACCESS_KEY", "A", "X", "", "AWS_SECRET_ACCESS_KEY is set, AWS_ACCESS_KEY_ID"},
        {"AWS_WEB_IDENTITY_TOKEN_FILE", "/x", "X", "", "AWS_ROLE_ARN is not"},
        {"AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere/t", "AWS_ROLE_ARN", "r", "/nowhere/t cannot be"},
        {"AWS_WEB_IDENTITY_TOKEN_FILE", "/dev/null", "AWS_ROLE_ARN", "r", "holds no token"},
        {"AWS_PROFILE", "ghost", "X", "", "AWS_PROFILE=ghost is neither in"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench bench;
        bench_start(&bench);
        bench_set(cases[i].name, "%s", cases[i].value);
        bench_set(cases[i].other, "%s", cases[i].other_value);
        const struct told told = ask_once(&bench);
        cr_assert_eq(told.failure.kind, ERROR_CONFIGURATION, "%s", cases[i].says);
        cr_assert(strstr(told.failure.text, cases[i].says), "%s", told.failure.text);
    }
}

Test(credentials, with_a_line_end_or_a_blank_in_them_are_refused_and_not_shown)
{
    static const char *const bad[] = {"s3cret\n", "s3 cret", "s3\r\nX-Evil: 1", "s3cr\xc3\xa9t"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        for (int variable = 0; variable < 3; variable++) {
            struct bench bench;
            bench_start(&bench);
            bench_set("AWS_ACCESS_KEY_ID", "%s", variable == 0 ? bad[i] : "A");
            bench_set("AWS_SECRET_ACCESS_KEY", "%s", variable == 1 ? bad[i] : "A");
            bench_set("AWS_SESSION_TOKEN", "%s", variable == 2 ? bad[i] : "A");
            const struct told told = ask_once(&bench);
            cr_assert_eq(told.failure.kind, ERROR_CONFIGURATION, "%zu", i);
            cr_assert(strstr(told.failure.text, "environment: a key or the token has"));
            cr_assert_not(strstr(told.failure.text, "s3"));
        }
}

Test(credentials, that_are_nowhere_are_a_failure_that_names_all_that_was_tried)
{
    struct bench bench;
    bench_start(&bench);
    bench_set("AWS_EC2_METADATA_DISABLED", "TRUE");
    const struct told told = ask_once(&bench);
    static const char *const links[] = {"environment",       "web identity",
                                        "profile",           "container",
                                        "instance metadata", "set AWS_ACCESS_KEY_ID"};
    cr_assert_eq(told.failure.kind, ERROR_CONFIGURATION);
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        cr_assert(strstr(told.failure.text, links[i]), "%s", told.failure.text);
}

/* --- profile --- */

static struct told from_profile(const char *name, const char *text)
{
    struct bench bench;
    char path[64];
    const int file = memory_file(text);
    memory_file_path(file, path);
    bench_start(&bench);
    bench_set("AWS_EC2_METADATA_DISABLED", "true");
    bench_set("AWS_PROFILE", "%s", name);
    bench_set("AWS_SHARED_CREDENTIALS_FILE", "%s", path);
    const struct told told = ask_once(&bench);
    close(file);
    return told;
}

Test(credentials, come_from_the_profile)
{
    const struct told told = from_profile("work", "[work]\naws_access_key_id = AKIAP\n"
                                                  "aws_secret_access_key=p/secret\n"
                                                  "aws_session_token = p==\n");
    cr_assert_eq(told.failure.kind, ERROR_NONE, "%s", told.failure.text);
    cr_assert_str_eq(told.access_key, "AKIAP");
    cr_assert_str_eq(told.secret_key, "p/secret");
    cr_assert_str_eq(told.session_token, "p==");
    cr_assert_str_eq(told.source, "profile work");
}

Test(credentials, that_a_profile_has_in_half_or_in_a_way_we_lack_are_a_failure)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"[p]\naws_access_key_id = A\n", "one of aws_access_key_id and"},
        {"[p]\naws_secret_access_key = A\n", "one of aws_access_key_id and"},
        {"[p]\nrole_arn = r\nsource_profile = q\n", "not supported: use credential_process"},
        {"[p]\nsso_session = s\n", "not supported: use credential_process"},
        {"[p]\nrole_arn = r\nweb_identity_token_file = /nowhere/t\n", "/nowhere/t cannot be read"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct told told = from_profile("p", cases[i].text);
        cr_assert_eq(told.failure.kind, ERROR_CONFIGURATION);
        cr_assert(strstr(told.failure.text, cases[i].says), "%s", told.failure.text);
    }
}

/* --- web identity --- */

static int start_web_identity(struct bench *bench, const char *token)
{
    char path[64];
    const int file = memory_file(token);
    memory_file_path(file, path);
    bench_start(bench);
    bench_set("AWS_ROLE_ARN", "arn:aws:iam::1:role/a b");
    bench_set("AWS_ROLE_SESSION_NAME", "me");
    bench_set("AWS_WEB_IDENTITY_TOKEN_FILE", "%s", path);
    bench_set("AWS_ENDPOINT_URL_STS", "%s", bench->peer.url);
    return file;
}

Test(credentials, come_from_sts_for_a_web_identity)
{
    struct bench bench;
    const int file = start_web_identity(&bench, "jwt.1+/=\n");
    peer_answer(&bench.peer, 200, "", ASSUMED);
    bench_open(&bench);
    const struct told told = bench_credentials(&bench);
    cr_assert_eq(told.failure.kind, ERROR_NONE, "%s", told.failure.text);
    cr_assert_str_eq(told.access_key, "ASIA1");
    cr_assert_str_eq(told.secret_key, "sts/secret");
    cr_assert_str_eq(told.session_token, "sts+token==");
    cr_assert_str_eq(told.source, "web identity");
    cr_assert_eq(told.expires_ms, bench.wall_ms + 3600 * 1000);
    const char *request = bench.peer.requests[0];
    cr_assert(strstr(request, "POST / HTTP/1.1\r\n"));
    cr_assert(strstr(request, "Content-Type: application/x-www-form-urlencoded\r\n"));
    cr_assert(strstr(request, "\r\n\r\nAction=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn="
                              "arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fa%20b&RoleSessionName=me&"
                              "WebIdentityToken=jwt.1%2B%2F%3D"),
              "%s", request);
    bench_finish(&bench);
    close(file);
}

Test(credentials, of_a_web_identity_are_fetched_anew_with_the_token_that_the_file_has_then)
{
    struct bench bench;
    const int file = start_web_identity(&bench, "first");
    peer_answer(&bench.peer, 200, "", ASSUMED);
    peer_answer(&bench.peer, 200, "", ASSUMED);
    bench_open(&bench);
    (void)bench_credentials(&bench);
    memory_file_write(file, "second");
    bench_pass(&bench, 55 * 60 * 1000);
    (void)bench_credentials(&bench);
    cr_assert_eq(bench.peer.request_count, 2);
    cr_assert(strstr(bench.peer.requests[0], "WebIdentityToken=first"));
    cr_assert(strstr(bench.peer.requests[1], "WebIdentityToken=second"));
    bench_finish(&bench);
    close(file);
}

Test(credentials, are_asked_for_again_when_sts_fails_in_passing)
{
    static const char *const codes[] = {"IDPCommunicationError", "InvalidIdentityToken"};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        struct bench bench;
        const int file = start_web_identity(&bench, "jwt");
        sts_refuses(&bench, 400, codes[i]);
        peer_answer(&bench.peer, 503, "", "");
        peer_answer(&bench.peer, 200, "", ASSUMED);
        bench_open(&bench);
        const struct told told = bench_credentials(&bench);
        cr_assert_eq(told.failure.kind, ERROR_NONE, "%s", told.failure.text);
        cr_assert_eq(bench.peer.request_count, 3);
        bench_finish(&bench);
        close(file);
    }
}

Test(credentials, are_given_up_after_three_tries_with_what_sts_said)
{
    struct bench bench;
    const int file = start_web_identity(&bench, "jwt");
    for (int i = 0; i < 3; i++)
        peer_answer(&bench.peer, 500, "", "<html>\x1b[31m oops");
    bench_open(&bench);
    const struct told told = bench_credentials(&bench);
    cr_assert_eq(bench.peer.request_count, 3);
    cr_assert_eq(told.failure.kind, ERROR_UNAVAILABLE);
    cr_assert(strstr(told.failure.text, "answered 500: <html>[31m oops"), "%s", told.failure.text);
    bench_finish(&bench);
    close(file);
}

Test(credentials, that_sts_refuses_are_a_failure_of_the_configuration_at_once)
{
    struct bench bench;
    const int file = start_web_identity(&bench, "jwt");
    sts_refuses(&bench, 403, "AccessDenied");
    bench_open(&bench);
    const struct told told = bench_credentials(&bench);
    cr_assert_eq(told.failure.kind, ERROR_CONFIGURATION);
    cr_assert(strstr(told.failure.text, "<Code>AccessDenied</Code>"), "%s", told.failure.text);
    bench_finish(&bench);
    close(file);
}

Test(credentials, that_are_no_credentials_are_a_failure)
{
    static const char *const bodies[] = {
        "", "<a/>", "<AccessKeyId>A</AccessKeyId><SecretAccessKey>B", "{\"AccessKeyId\":\"A\"}",
        ("<AccessKeyId>A</AccessKeyId><SecretAccessKey>B</SecretAccessKey>"
         "<SessionToken>C</SessionToken><Expiration>soon</Expiration>")};
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct bench bench;
        const int file = start_web_identity(&bench, "jwt");
        peer_answer(&bench.peer, 200, "", bodies[i]);
        bench_open(&bench);
        const struct told told = bench_credentials(&bench);
        cr_assert_eq(told.failure.kind, ERROR_UNAVAILABLE, "%zu", i);
        cr_assert(strstr(told.failure.text, "without credentials"), "%s", told.failure.text);
        bench_finish(&bench);
        close(file);
    }
}

Test(credentials, send_no_token_to_an_sts_where_signed_requests_may_not_go)
{
    static const char *const urls[] = {"http://example.com/", "https://169.254.169.254/",
                                       "https://me@sts.amazonaws.com/", "ftp://x/"};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct bench bench;
        const int file = start_web_identity(&bench, "jwt");
        bench_set("AWS_ENDPOINT_URL_STS", "%s", urls[i]);
        const struct told told = ask_once(&bench);
        cr_assert_eq(told.failure.kind, ERROR_CONFIGURATION);
        cr_assert(strstr(told.failure.text, "web identity: AWS_ENDPOINT_URL_STS"), "%s",
                  told.failure.text);
        close(file);
    }
}
