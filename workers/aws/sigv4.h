/* Signature Version 4, as a pure function of the request: three callable stages, so that each can
 * be checked against the published cases. Rules from the AWS General Reference; header
 * canonicalisation and the double encoding of paths as the SDKs do it. */
#ifndef BOOKFLOW_SIGV4_H
#define BOOKFLOW_SIGV4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

struct sigv4_header {
    const char *name;
    const char *value;
};

struct sigv4_request {
    const char *method;
    const char *path;                   /* as it goes over the wire */
    const char *query;                  /* as it goes over the wire, without '?'; "" = none */
    const struct sigv4_header *headers; /* all that are signed; host and x-amz-date among them */
    size_t header_count;
    const void *body;
    size_t body_length;
    const char *region;
    const char *service;
    int64_t time_s; /* of x-amz-date */
    bool as_is;     /* do not normalise the path */
};

struct sigv4_keys {
    const char *access_key;
    const char *secret_key;
};

enum { SIGV4_DATE_SIZE = 17 };
/* "20150830T123600Z" */
void sigv4_date(int64_t time_s, char out[SIGV4_DATE_SIZE]);

/* Kept from call to call: the signing key, which depends on the day, region, service and secret
 * only, and OpenSSL's objects. Begins as zeros, belongs to one thread, ends with
 * sigv4_cache_wipe(). */
struct sigv4_cache {
    char scope[128];            /* that the key is for: day, region, service */
    unsigned char secret[32];   /* and a digest of the secret */
    struct evp_mac_ctx_st *mac; /* has the key */
    struct evp_md_ctx_st *digest;
    struct evp_md_st *sha256;
    int64_t date_s;
    char date[SIGV4_DATE_SIZE]; /* of date_s; "" = none yet */
};

/* The three stages, each appended to `out`; the last one is the value of the Authorization header.
 */
void sigv4_canonical_request(const struct sigv4_request *request, struct sigv4_cache *cache,
                             struct buf *out);
void sigv4_string_to_sign(const struct sigv4_request *request, struct sigv4_cache *cache,
                          struct buf *out);
void sigv4_authorization(const struct sigv4_request *request, const struct sigv4_keys *keys,
                         struct sigv4_cache *cache, struct buf *out);
void sigv4_cache_wipe(struct sigv4_cache *cache);

#endif
