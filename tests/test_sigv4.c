/* Signing, against requests of ours that two other implementations have signed:
 * @smithy/signature-v4 5 (the JavaScript SDK's) and curl 7.88. The published cases run from
 * sqs/sigv4_cases.c. */
#include "sigv4.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"

static const char BODY[] =
    "{\"QueueUrl\":\"https://sqs.eu-central-1.amazonaws.com/123456789012/booking-request\","
    "\"MaxNumberOfMessages\":10}";
static const struct sigv4_keys KEYS = {"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"};

static struct sigv4_request receive(const struct sigv4_header headers[], size_t count,
                                    int64_t time_s)
{
    return (struct sigv4_request){
        .method = "POST",
        .path = "/",
        .query = "",
        .headers = headers,
        .header_count = count,
        .body = BODY,
        .body_length = strlen(BODY),
        .region = "eu-central-1",
        .service = "sqs",
        .time_s = time_s,
    };
}

Test(sigv4, signs_as_the_sdk_and_curl_do)
{
    static const struct {
        const char *signer;
        int64_t time_s;
        const char *token;
        const char *signature;
    } CASES[] = {
        {"smithy", 1771495200, NULL,
         "832c27ef297a9ac696c028aa6e7c5943be5830727d4efe923cbf138088993d21"},
        {"smithy, with a session token", 1771495200, "FwoGZXIvYXdzEXAMPLETOKEN//==",
         "c625e531a558d02d07131b7522f4f84a721ff66ba9ff56f1bdbfdc3633101b0a"},
        {"curl", 1795410584, NULL,
         "c886c49e32f11e6e36710c2f822667bebf851af52820097686a0b2049cccfaf3"},
    };
    struct sigv4_cache cache = {0};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char date[SIGV4_DATE_SIZE];
        struct buf got AUTO(buf_release) = {0};
        sigv4_date(CASES[i].time_s, date);
        const struct sigv4_header headers[] = {
            {"X-Amz-Target", "AmazonSQS.ReceiveMessage"},
            {"Content-Type", "application/x-amz-json-1.0"},
            {"Host", "sqs.eu-central-1.amazonaws.com"},
            {"X-Amz-Date", date},
            {"X-Amz-Security-Token", CASES[i].token},
        };
        const struct sigv4_request request =
            receive(headers, CASES[i].token ? 5 : 4, CASES[i].time_s);
        sigv4_authorization(&request, &KEYS, &cache, &got);
        cr_expect(strstr(buf_text(&got), CASES[i].signature), "%s: %s", CASES[i].signer,
                  buf_text(&got));
    }
    sigv4_cache_wipe(&cache);
}

Test(sigv4, a_kept_key_is_used_only_for_what_it_was_made_for)
{
    static const struct {
        const char *what;
        const char *secret;
        const char *region;
        const char *service;
        int64_t time_s;
    } CASES[] = {
        {"the first", "secret", "eu-central-1", "sqs", 1771495200},
        {"another secret", "Secret", "eu-central-1", "sqs", 1771495200},
        {"another region", "secret", "eu-west-1", "sqs", 1771495200},
        {"another service", "secret", "eu-central-1", "sns", 1771495200},
        {"another day", "secret", "eu-central-1", "sqs", 1771495200 + 86400},
    };
    struct sigv4_cache kept = {0};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const struct sigv4_header headers[] = {{"host", "example.com"}};
        struct sigv4_request request = receive(headers, 1, CASES[i].time_s);
        const struct sigv4_keys keys = {"AKIDEXAMPLE", CASES[i].secret};
        struct sigv4_cache fresh = {0};
        struct buf with_kept AUTO(buf_release) = {0};
        struct buf with_fresh AUTO(buf_release) = {0};
        request.region = CASES[i].region;
        request.service = CASES[i].service;
        sigv4_authorization(&request, &keys, &kept, &with_kept);
        sigv4_authorization(&request, &keys, &fresh, &with_fresh);
        cr_expect_str_eq(buf_text(&with_kept), buf_text(&with_fresh), "%s", CASES[i].what);
        cr_expect_not(memmem(&kept, sizeof kept, CASES[i].secret, strlen(CASES[i].secret)),
                      "the secret is kept");
        sigv4_cache_wipe(&fresh);
    }
    sigv4_cache_wipe(&kept);
}

Test(sigv4, a_kept_key_is_not_made_again)
{
    const struct sigv4_header headers[] = {{"host", "example.com"}};
    const struct sigv4_request request = receive(headers, 1, 1771495200);
    const struct sigv4_keys others = {"AKIDEXAMPLE", "another secret"};
    struct sigv4_cache cache = {0};
    struct sigv4_cache other = {0};
    struct buf first AUTO(buf_release) = {0};
    struct buf second AUTO(buf_release) = {0};
    struct buf third AUTO(buf_release) = {0};
    sigv4_authorization(&request, &KEYS, &cache, &first);
    sigv4_authorization(&request, &others, &other, &second);
    memcpy(other.scope, cache.scope, sizeof other.scope);
    memcpy(other.secret, cache.secret, sizeof other.secret);
    sigv4_authorization(&request, &KEYS, &other, &third); /* with the wrong key, if it is kept */
    cr_expect_str_neq(buf_text(&first), buf_text(&second));
    cr_expect_str_eq(buf_text(&second), buf_text(&third));
    sigv4_cache_wipe(&cache);
    sigv4_cache_wipe(&other);
    static const struct sigv4_cache nothing;
    cr_expect_arr_eq(&cache, &nothing, sizeof cache);
}

Test(sigv4, paths_are_normalised_and_encoded_twice)
{
    static const struct {
        const char *path;
        bool as_is;
        const char *canonical;
    } CASES[] = {
        {"", false, "/"},
        {"/", false, "/"},
        {"//", false, "/"},
        {"/a//b", false, "/a/b"},
        {"/a/./b/", false, "/a/b/"},
        {"/a/../b", false, "/b"},
        {"/../..", false, "/"},
        {"/a/..", false, "/"},
        {"/a/b/..", false, "/a/"},
        {"/a%20b", false, "/a%2520b"},
        {"/a//./b", true, "/a//./b"},
        {"", true, "/"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct sigv4_request request = receive(NULL, 0, 0);
        struct sigv4_cache cache = {0};
        struct buf got AUTO(buf_release) = {0};
        char expected[64];
        request.path = CASES[i].path;
        request.as_is = CASES[i].as_is;
        (void)snprintf(expected, sizeof expected, "POST\n%s\n", CASES[i].canonical);
        sigv4_canonical_request(&request, &cache, &got);
        sigv4_cache_wipe(&cache);
        cr_expect(strncmp(buf_text(&got), expected, strlen(expected)) == 0, "%s: %s", CASES[i].path,
                  buf_text(&got));
    }
}
