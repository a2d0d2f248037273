/* Inside the client only: one transfer of libcurl, run to its end. client.c and client_stream.c say
 * what is asked and what becomes of the bytes. */
#ifndef BOOKFLOW_CLIENT_TRANSFER_H
#define BOOKFLOW_CLIENT_TRANSFER_H

#include <curl/curl.h>

#include "client.h"

struct client {
    CURLM *multi; /* keeps the connection between transfers */
    CURL *easy;
    char *base; /* what paths are put behind */
    char *socket_path;
    char *authorization;
    int64_t timeout_ms;
    const atomic_bool *stop;
    char problem[CURL_ERROR_SIZE];
};

struct transfer {
    struct curl_slist *headers;
    curl_write_callback write;
    void *context;
    const int64_t *heard_ms; /* when the last bytes came; NULL = do not watch for silence */
    int64_t silence_ms;
};

void client_transfer_release(struct transfer *transfer); /* for AUTO() */
void client_header(struct transfer *transfer, const char *name, const char *value);

/* Prepares the handle for one transfer; the caller may set more options before running it. */
void client_prepare(struct client *client, const struct transfer *transfer, const char *path);

/* ERROR_UNAVAILABLE when no whole answer came. CURLE_WRITE_ERROR, the callback's own wish to end,
 * is not an error here: *ended says so. */
MUST_CHECK bool client_run(struct client *client, const struct transfer *transfer, bool *ended,
                           struct error *error);

/* The status of the answer at hand; 0 while there is none. */
int client_status(const struct client *client);

#endif
