/* Signature Version 4. Pure: no clock, no network, no environment. */
#include "sigv4.h"

#include <assert.h>
#include <ctype.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "text.h"

enum {
    HEX_SIZE = 2 * SHA256_DIGEST_LENGTH + 1,
    DAY_LENGTH = 8,
    HEADERS_MAX = 32,
    PARAMETERS_MAX = 64
};

/* --- small things --- */

void sigv4_date(int64_t time_s, char out[SIGV4_DATE_SIZE])
{
    const time_t when = time_s;
    struct tm utc = {0};
    (void)gmtime_r(&when, &utc);
    if (strftime(out, SIGV4_DATE_SIZE, "%Y%m%dT%H%M%SZ", &utc) == 0)
        out[0] = '\0';
}

static void hex_append(struct buf *out, const unsigned char digest[SHA256_DIGEST_LENGTH])
{
    char hex[HEX_SIZE];
    text_hex(hex, digest, SHA256_DIGEST_LENGTH);
    buf_append(out, hex, HEX_SIZE - 1);
}

/* OpenSSL looks its algorithms up by name: once, not for every digest. */
static void hash(struct sigv4_cache *cache, const void *data, size_t length,
                 unsigned char out[SHA256_DIGEST_LENGTH])
{
    if (!cache->digest) {
        cache->digest = EVP_MD_CTX_new();
        cache->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    }
    const bool done = EVP_DigestInit_ex2(cache->digest, cache->sha256, NULL) &&
                      EVP_DigestUpdate(cache->digest, data, length) &&
                      EVP_DigestFinal_ex(cache->digest, out, NULL);
    assert(done); /* fails only for lack of memory */
}

static void hash_append(struct sigv4_cache *cache, const void *data, size_t length, struct buf *out)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    hash(cache, data, length, digest);
    hex_append(out, digest);
}

/* --- the path --- */

static bool unreserved(char c)
{
    return isalnum((unsigned char)c) || (c && strchr("-._~", c));
}

static void encode(struct buf *out, const char *text, size_t length, const char *keep)
{
    for (size_t i = 0; i < length; i++) {
        const char c = text[i];
        if (unreserved(c) || (c && strchr(keep, c)))
            buf_char(out, c);
        else
            buf_printf(out, "%%%02X", (unsigned char)c);
    }
}

/* Back to in front of the last segment. */
static void drop_segment(struct buf *path)
{
    while (path->length > 0 && path->data[--path->length] != '/')
        ;
    if (path->data)
        path->data[path->length] = '\0';
}

/* RFC 3986, remove_dot_segments; several slashes become one. */
static void normalise(struct buf *out, const char *path)
{
    bool folder = true; /* the last segment names a folder, so a slash stands behind it */
    for (const char *at = path; *at;) {
        at += strspn(at, "/");
        const size_t length = strcspn(at, "/");
        const bool here = length == 1 && at[0] == '.';
        const bool up = length == 2 && at[0] == '.' && at[1] == '.';
        if (up)
            drop_segment(out);
        else if (length > 0 && !here) {
            buf_char(out, '/');
            buf_append(out, at, length);
        }
        at += length;
        folder = *at == '/' || here || up || length == 0;
    }
    if (folder || out->length == 0)
        buf_char(out, '/');
}

static void canonical_path(const struct sigv4_request *request, struct buf *out)
{
    struct buf path AUTO(buf_release) = {0};
    if (request->as_is)
        buf_text_append(&path, request->path[0] ? request->path : "/");
    else
        normalise(&path, request->path);
    encode(out, buf_text(&path), path.length, "/");
}

/* --- the query --- */

struct parameter {
    struct buf text; /* NAME=VALUE, encoded */
    size_t name_length;
};

/* By name, then by value; '=' must not take part in the comparison. */
static int by_name_and_value(const void *left, const void *right)
{
    const struct parameter *a = left;
    const struct parameter *b = right;
    const size_t shorter = a->name_length < b->name_length ? a->name_length : b->name_length;
    const int order = memcmp(buf_text(&a->text), buf_text(&b->text), shorter);
    if (order != 0)
        return order;
    if (a->name_length != b->name_length)
        return a->name_length < b->name_length ? -1 : 1;
    return strcmp(buf_text(&a->text), buf_text(&b->text));
}

/* What goes over the wire is encoded already where it must be; what is not, is encoded here. */
static void read_parameter(struct parameter *parameter, const char *text, size_t length)
{
    const char *equals = memchr(text, '=', length);
    const size_t name = equals ? (size_t)(equals - text) : length;
    encode(&parameter->text, text, name, "%");
    parameter->name_length = parameter->text.length;
    buf_char(&parameter->text, '=');
    if (equals)
        encode(&parameter->text, equals + 1, length - name - 1, "%");
}

static void canonical_query(const char *query, struct buf *out)
{
    struct parameter parameters[PARAMETERS_MAX] = {0};
    size_t count = 0;
    for (const char *at = query; *at && count < PARAMETERS_MAX;) {
        const size_t length = strcspn(at, "&");
        if (length > 0)
            read_parameter(&parameters[count++], at, length);
        at += length + (at[length] == '&');
    }
    qsort(parameters, count, sizeof *parameters, by_name_and_value);
    for (size_t i = 0; i < count; i++) {
        buf_text_append(out, i > 0 ? "&" : "");
        buf_text_append(out, buf_text(&parameters[i].text));
        buf_release(&parameters[i].text);
    }
}

/* --- the headers --- */

/* In order of their names; those of one name keep theirs. There are few, mostly in order already.
 * Returns how many there are. */
static size_t sort_headers(const struct sigv4_request *request,
                           struct sigv4_header sorted[HEADERS_MAX])
{
    assert(request->header_count <= HEADERS_MAX);
    for (size_t i = 0; i < request->header_count; i++) {
        size_t at = i;
        for (; at > 0 && strcasecmp(sorted[at - 1].name, request->headers[i].name) > 0; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = request->headers[i];
    }
    return request->header_count;
}

static void lower(struct buf *out, const char *name)
{
    const size_t from = out->length;
    buf_text_append(out, name);
    for (char *at = out->data + from; *at; at++)
        *at = (char)tolower((unsigned char)*at);
}

/* Without space around it, and with one space for many inside. */
static void trimmed(struct buf *out, const char *value)
{
    bool first = true;
    for (const char *at = value + strspn(value, " \t\r\n"); *at; at += strspn(at, " \t\r\n")) {
        const size_t length = strcspn(at, " \t\r\n");
        buf_text_append(out, first ? "" : " ");
        buf_append(out, at, length);
        first = false;
        at += length;
    }
}

static bool same_name(const struct sigv4_header *a, const struct sigv4_header *b)
{
    return strcasecmp(a->name, b->name) == 0;
}

static void canonical_headers(const struct sigv4_header sorted[], size_t count, struct buf *out)
{
    for (size_t i = 0; i < count; i++) {
        const bool more_of_it = i > 0 && same_name(&sorted[i - 1], &sorted[i]);
        if (!more_of_it)
            lower(out, sorted[i].name);
        buf_char(out, more_of_it ? ',' : ':');
        trimmed(out, sorted[i].value);
        if (i + 1 == count || !same_name(&sorted[i], &sorted[i + 1]))
            buf_char(out, '\n');
    }
}

static void signed_headers(const struct sigv4_header sorted[], size_t count, struct buf *out)
{
    for (size_t i = 0; i < count; i++)
        if (i == 0 || !same_name(&sorted[i - 1], &sorted[i])) {
            buf_text_append(out, i > 0 ? ";" : "");
            lower(out, sorted[i].name);
        }
}

/* --- the three stages --- */

void sigv4_canonical_request(const struct sigv4_request *request, struct sigv4_cache *cache,
                             struct buf *out)
{
    struct sigv4_header sorted[HEADERS_MAX];
    const size_t count = sort_headers(request, sorted);
    buf_text_append(out, request->method);
    buf_char(out, '\n');
    canonical_path(request, out);
    buf_char(out, '\n');
    canonical_query(request->query, out);
    buf_char(out, '\n');
    canonical_headers(sorted, count, out);
    buf_char(out, '\n');
    signed_headers(sorted, count, out);
    buf_char(out, '\n');
    hash_append(cache, request->body ? request->body : "", request->body_length, out);
}

/* Of a second there are many requests. */
static const char *date_of(const struct sigv4_request *request, struct sigv4_cache *cache)
{
    if (!cache->date[0] || cache->date_s != request->time_s)
        sigv4_date(request->time_s, cache->date);
    cache->date_s = request->time_s;
    return cache->date;
}

static void scope_append(const struct sigv4_request *request, struct sigv4_cache *cache,
                         struct buf *out)
{
    buf_append(out, date_of(request, cache), DAY_LENGTH);
    buf_char(out, '/');
    buf_text_append(out, request->region);
    buf_char(out, '/');
    buf_text_append(out, request->service);
    buf_text_append(out, "/aws4_request");
}

void sigv4_string_to_sign(const struct sigv4_request *request, struct sigv4_cache *cache,
                          struct buf *out)
{
    struct buf canonical AUTO(buf_release) = {0};
    sigv4_canonical_request(request, cache, &canonical);
    buf_text_append(out, "AWS4-HMAC-SHA256\n");
    buf_text_append(out, date_of(request, cache));
    buf_char(out, '\n');
    scope_append(request, cache, out);
    buf_char(out, '\n');
    hash_append(cache, buf_text(&canonical), canonical.length, out);
}

static void hmac(const void *key, size_t key_length, const char *text,
                 unsigned char out[SHA256_DIGEST_LENGTH])
{
    const unsigned char *done = HMAC(EVP_sha256(), key, (int)key_length,
                                     (const unsigned char *)text, strlen(text), out, NULL);
    assert(done); /* fails only for lack of memory */
}

static void derive(const struct sigv4_request *request, const char *secret,
                   unsigned char key[SHA256_DIGEST_LENGTH])
{
    char date[SIGV4_DATE_SIZE];
    struct buf first AUTO(buf_release) = {0};
    unsigned char step[SHA256_DIGEST_LENGTH];
    sigv4_date(request->time_s, date);
    date[DAY_LENGTH] = '\0';
    buf_printf(&first, "AWS4%s", secret);
    hmac(buf_text(&first), first.length, date, step);
    hmac(step, sizeof step, request->region, key);
    hmac(key, SHA256_DIGEST_LENGTH, request->service, step);
    hmac(step, sizeof step, "aws4_request", key);
    OPENSSL_cleanse(step, sizeof step);
    OPENSSL_cleanse(first.data, first.capacity);
}

static void use_key(struct sigv4_cache *cache, const unsigned char key[SHA256_DIGEST_LENGTH])
{
    static char digest[] = "SHA256"; /* OpenSSL asks for it writable, and does not write */
    if (!cache->mac) {
        EVP_MAC *hmac_type = EVP_MAC_fetch(NULL, "HMAC", NULL);
        cache->mac = EVP_MAC_CTX_new(hmac_type);
        EVP_MAC_free(hmac_type);
    }
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()};
    const int done = EVP_MAC_init(cache->mac, key, SHA256_DIGEST_LENGTH, parameters);
    assert(done == 1); /* fails only for lack of memory */
}

/* Keyed for the request: what is left to do is to feed it. */
static void key_for(const struct sigv4_request *request, const char *secret,
                    struct sigv4_cache *cache)
{
    struct buf scope AUTO(buf_release) = {.maximum = sizeof cache->scope - 1};
    unsigned char digest[SHA256_DIGEST_LENGTH];
    unsigned char key[SHA256_DIGEST_LENGTH];
    scope_append(request, cache, &scope);
    hash(cache, secret, strlen(secret), digest);
    if (!scope.overflow && strcmp(buf_text(&scope), cache->scope) == 0 &&
        memcmp(digest, cache->secret, sizeof digest) == 0)
        return;
    derive(request, secret, key);
    use_key(cache, key);
    OPENSSL_cleanse(key, sizeof key);
    memcpy(cache->secret, digest, sizeof digest);
    memcpy(cache->scope, scope.overflow ? "" : buf_text(&scope),
           scope.overflow ? 1 : scope.length + 1);
}

static void sign(struct sigv4_cache *cache, const struct buf *text,
                 unsigned char out[SHA256_DIGEST_LENGTH])
{
    size_t length = 0;
    const unsigned char *data = (const unsigned char *)buf_text(text); /* bytes are bytes */
    const bool done = EVP_MAC_init(cache->mac, NULL, 0, NULL) &&       /* the same key again */
                      EVP_MAC_update(cache->mac, data, text->length) &&
                      EVP_MAC_final(cache->mac, out, &length, SHA256_DIGEST_LENGTH);
    assert(done && length == SHA256_DIGEST_LENGTH);
}

void sigv4_authorization(const struct sigv4_request *request, const struct sigv4_keys *keys,
                         struct sigv4_cache *cache, struct buf *out)
{
    struct buf text AUTO(buf_release) = {0};
    struct sigv4_header sorted[HEADERS_MAX];
    unsigned char signature[SHA256_DIGEST_LENGTH];
    sigv4_string_to_sign(request, cache, &text);
    key_for(request, keys->secret_key, cache);
    sign(cache, &text, signature);
    buf_text_append(out, "AWS4-HMAC-SHA256 Credential=");
    buf_text_append(out, keys->access_key);
    buf_char(out, '/');
    scope_append(request, cache, out);
    buf_text_append(out, ", SignedHeaders=");
    signed_headers(sorted, sort_headers(request, sorted), out);
    buf_text_append(out, ", Signature=");
    hex_append(out, signature);
}

void sigv4_cache_wipe(struct sigv4_cache *cache)
{
    EVP_MAC_CTX_free(cache->mac);
    EVP_MD_CTX_free(cache->digest);
    EVP_MD_free(cache->sha256);
    OPENSSL_cleanse(cache, sizeof *cache);
}
