/* One transfer of libcurl, run to its end: the limits and the safety options that every request of
 * ours shares. Knows nothing of JSON or event streams. */
#include "client_transfer.h"

#include "harden.h"
#include "world.h"

enum { POLL_MS = 1000, CONNECT_MS = 10 * 1000 };

void client_transfer_release(struct transfer *transfer)
{
    curl_slist_free_all(transfer->headers);
    transfer->headers = NULL;
}

void client_header(struct transfer *transfer, const char *name, const char *value)
{
    struct buf line AUTO(buf_release) = {0};
    buf_printf(&line, "%s: %s", name, value);
    struct curl_slist *longer = curl_slist_append(transfer->headers, buf_text(&line));
    if (longer)
        transfer->headers = longer;
}

static void set_limits(struct client *client)
{
    CURL *easy = client->easy;
    harden(easy, "http,https");
    (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, client->problem);
    if (client->socket_path)
        (void)curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, client->socket_path);
}

void client_prepare(struct client *client, const struct transfer *transfer, const char *path)
{
    struct buf url AUTO(buf_release) = {0};
    buf_printf(&url, "%s%s", client->base, path);
    curl_easy_reset(client->easy);
    client->problem[0] = '\0';
    set_limits(client);
    (void)curl_easy_setopt(client->easy, CURLOPT_URL, buf_text(&url));
    (void)curl_easy_setopt(client->easy, CURLOPT_HTTPHEADER, transfer->headers);
    (void)curl_easy_setopt(client->easy, CURLOPT_WRITEFUNCTION, transfer->write);
    (void)curl_easy_setopt(client->easy, CURLOPT_WRITEDATA, transfer->context);
}

static bool stopped(const struct client *client)
{
    return client->stop && atomic_load(client->stop);
}

/* How long it may stay silent from now on; a stream that sleeps for hours is not to wake us. */
static int64_t silence_left_ms(const struct transfer *transfer)
{
    if (!transfer->heard_ms)
        return POLL_MS;
    return *transfer->heard_ms + transfer->silence_ms - world_ticks_ms(world_real());
}

/* Turns the wheel until the transfer is over. */
static bool turn(struct client *client, const struct transfer *transfer, struct error *error)
{
    int running = 1;
    while (!stopped(client)) {
        if (curl_multi_perform(client->multi, &running) != CURLM_OK)
            return error_set(error, ERROR_UNAVAILABLE, "%s: libcurl failed", client->base);
        if (!running)
            return true;
        const int64_t left_ms = silence_left_ms(transfer);
        if (left_ms <= 0)
            return error_set(error, ERROR_UNAVAILABLE, "%s: silent for %lld ms", client->base,
                             (long long)transfer->silence_ms);
        (void)curl_multi_poll(client->multi, NULL, 0, (int)left_ms, NULL);
    }
    return error_set(error, ERROR_UNAVAILABLE, "%s: stopped", client->base);
}

static CURLcode outcome(struct client *client)
{
    int left = 0;
    const CURLMsg *message = curl_multi_info_read(client->multi, &left);
    return message && message->msg == CURLMSG_DONE ? message->data.result : CURLE_RECV_ERROR;
}

bool client_run(struct client *client, const struct transfer *transfer, bool *ended,
                struct error *error)
{
    if (curl_multi_add_handle(client->multi, client->easy) != CURLM_OK)
        return error_set(error, ERROR_UNAVAILABLE, "%s: libcurl failed", client->base);
    const bool turned = turn(client, transfer, error);
    const CURLcode code = turned ? outcome(client) : CURLE_OK;
    (void)curl_multi_remove_handle(client->multi, client->easy);
    if (!turned)
        return false;
    if (code != CURLE_OK && code != CURLE_WRITE_ERROR)
        return error_set(error, ERROR_UNAVAILABLE, "no answer from %s: %s", client->base,
                         client->problem[0] ? client->problem : curl_easy_strerror(code));
    *ended = code == CURLE_WRITE_ERROR;
    return true;
}

int client_status(const struct client *client)
{
    long status = 0;
    (void)curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &status);
    return (int)status;
}
