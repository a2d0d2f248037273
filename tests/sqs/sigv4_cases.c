/* The published SigV4 cases against sigv4.c, stage by stage: sigv4_cases INDEX.json. The cases are
 * Amazon's; they come from npm with the tests (see package.json) and are not kept here. */
#include <inttypes.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sigv4.h"

enum { HEADERS = 32 };
#define WHEN (INT64_C(1440938160)) /* 2015-08-30T12:36:00Z, of every case */

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static size_t read_headers(const json_t *request, struct sigv4_header headers[HEADERS])
{
    const json_t *list = json_object_get(request, "headers");
    size_t count = 0;
    for (; count < json_array_size(list) && count < HEADERS; count++) {
        const json_t *pair = json_array_get(list, count);
        headers[count] = (struct sigv4_header){json_string_value(json_array_get(pair, 0)),
                                               json_string_value(json_array_get(pair, 1))};
    }
    return count;
}

static bool same(const char *name, const char *stage, const char *expected, const struct buf *got)
{
    if (strcmp(expected, buf_text(got)) == 0)
        return true;
    (void)printf("not ok - %s, %s\n--- expected\n%s\n--- got\n%s\n", name, stage, expected,
                 buf_text(got));
    return false;
}

/* Two published cases contradict themselves: their string to sign does not hold the hash of their
 * canonical request. Of those only the canonical request is checked. */
static bool contradicts_itself(const json_t *one)
{
    const char *canonical = text_of(one, "creq");
    const char *to_sign = text_of(one, "sts");
    unsigned char digest[32];
    struct buf hex AUTO(buf_release) = {0};
    (void)EVP_Digest(canonical, strlen(canonical), digest, NULL, EVP_sha256(), NULL);
    for (size_t i = 0; i < sizeof digest; i++)
        buf_printf(&hex, "%02x", digest[i]);
    return strlen(to_sign) < hex.length ||
           strcmp(to_sign + strlen(to_sign) - hex.length, buf_text(&hex)) != 0;
}

static bool check(const json_t *index, const json_t *one)
{
    const json_t *config = json_object_get(index, "config");
    const json_t *asked = json_object_get(one, "request");
    const char *body = text_of(asked, "body");
    struct sigv4_header headers[HEADERS];
    const struct sigv4_request request = {
        .method = text_of(asked, "method"),
        .path = text_of(asked, "path"),
        .query = text_of(asked, "query"),
        .headers = headers,
        .header_count = read_headers(asked, headers),
        .body = body,
        .body_length = strlen(body),
        .region = text_of(config, "region"),
        .service = text_of(config, "service"),
        .time_s = WHEN,
    };
    const struct sigv4_keys keys = {text_of(config, "accessKeyId"),
                                    text_of(config, "secretAccessKey")};
    struct sigv4_cache cache = {0};
    struct buf canonical AUTO(buf_release) = {0};
    struct buf to_sign AUTO(buf_release) = {0};
    struct buf authorization AUTO(buf_release) = {0};
    sigv4_canonical_request(&request, &cache, &canonical);
    sigv4_string_to_sign(&request, &cache, &to_sign);
    sigv4_authorization(&request, &keys, &cache, &authorization);
    sigv4_cache_wipe(&cache);
    const char *name = text_of(one, "name");
    return same(name, "canonical request", text_of(one, "creq"), &canonical) &&
           (contradicts_itself(one) ||
            (same(name, "string to sign", text_of(one, "sts"), &to_sign) &&
             same(name, "authorization", text_of(one, "authz"), &authorization)));
}

int main(int argc, char **argv)
{
    json_error_t error;
    json_t *index = argc == 2 ? json_load_file(argv[1], 0, &error) : NULL;
    const json_t *cases = json_object_get(json_object_get(index, "tests"), "all");
    size_t passed = 0;
    size_t contradictory = 0;
    for (size_t i = 0; i < json_array_size(cases); i++) {
        passed += check(index, json_array_get(cases, i));
        contradictory += contradicts_itself(json_array_get(cases, i));
    }
    (void)printf("sigv4: %zu of %zu published cases (%zu of them contradict themselves: only their"
                 " canonical request)\n",
                 passed, json_array_size(cases), contradictory);
    const bool all = passed > 0 && passed == json_array_size(cases);
    json_decref(index);
    return all ? EXIT_SUCCESS : EXIT_FAILURE;
}
