/* The HTTP client: its address, single calls and what a refusal means. See client_stream.c for
 * event streams. Knows nothing of bookings. */
#include "client.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "client_transfer.h"
#include "json_fields.h"

enum { DEFAULT_TIMEOUT_MS = 10 * 1000, TOKEN_SIZE = 512 };

void client_global_init(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static bool part_is(CURLU *url, CURLUPart part, const char *const accepted[])
{
    char *text = NULL;
    bool found = false;
    if (curl_url_get(url, part, &text, 0) == CURLUE_OK)
        for (size_t i = 0; accepted[i]; i++)
            found = found || strcmp(text, accepted[i]) == 0;
    curl_free(text);
    return found;
}

static bool part_given(CURLU *url, CURLUPart part)
{
    char *text = NULL;
    const bool given = curl_url_get(url, part, &text, 0) == CURLUE_OK && text && text[0] != '\0';
    curl_free(text);
    return given;
}

/* A user in the URL would end up in logs, a query would end up before our paths. */
static bool url_usable(const char *text)
{
    static const char *const schemes[] = {"http", "https", NULL};
    CURLU *url = curl_url();
    const bool usable = url && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
                        part_is(url, CURLUPART_SCHEME, schemes) &&
                        part_given(url, CURLUPART_HOST) && !part_given(url, CURLUPART_USER) &&
                        !part_given(url, CURLUPART_QUERY) && !part_given(url, CURLUPART_FRAGMENT);
    curl_url_cleanup(url);
    return usable;
}

static bool set_address(struct client *client, const char *url, struct error *error)
{
    static const char prefix[] = "unix:";
    if (url && strncmp(url, prefix, sizeof prefix - 1) == 0 && url[sizeof prefix - 1] == '/') {
        client->socket_path = memory_text(url + sizeof prefix - 1);
        client->base = memory_text("http://localhost");
        return true;
    }
    if (!url || strstr(url, "://") == NULL || !url_usable(url))
        return error_set(error, ERROR_CONFIGURATION,
                         "\"%s\" is not a URL: write http://host:port, https://host or unix:/path",
                         url ? url : "");
    size_t length = strlen(url);
    while (url[length - 1] == '/')
        length--;
    client->base = memory_text_n(url, length);
    return true;
}

static void forget_token(struct client *client)
{
    if (client->authorization)
        explicit_bzero(client->authorization, strlen(client->authorization));
    memory_release(&client->authorization);
}

bool client_set_token(struct client *client, const char *token, struct error *error)
{
    /* A line break would let a token write headers of its own. */
    if (token && (token[0] == '\0' || strpbrk(token, "\r\n\t ")))
        return error_set(error, ERROR_CONFIGURATION, "the token is empty or has a space in it");
    forget_token(client);
    if (!token)
        return true;
    struct buf text AUTO(buf_release) = {0};
    buf_printf(&text, "Bearer %s", token);
    client->authorization = buf_take(&text);
    return true;
}

static void close_file(FILE **file)
{
    if (*file)
        (void)fclose(*file);
}

static bool read_line(const char *path, char line[TOKEN_SIZE], struct error *error)
{
    struct stat facts;
    FILE *file AUTO(close_file) = fopen(path, "re");
    if (!file || fstat(fileno(file), &facts) != 0)
        return error_set(error, ERROR_CONFIGURATION, "the token file %s: %s", path,
                         strerror(errno));
    if (S_ISREG(facts.st_mode) && (facts.st_mode & 077) != 0)
        return error_set(error, ERROR_CONFIGURATION,
                         "the token file %s can be read by others: chmod 600 it", path);
    if (!fgets(line, TOKEN_SIZE, file))
        return error_set(error, ERROR_CONFIGURATION, "the token file %s is empty", path);
    line[strcspn(line, "\r\n")] = '\0';
    return true;
}

bool client_read_token(struct client *client, const char *path, struct error *error)
{
    char token[TOKEN_SIZE] = "";
    const bool done = read_line(path, token, error) && client_set_token(client, token, error);
    explicit_bzero(token, sizeof token);
    return done;
}

struct client *client_new(const struct client_options *options, struct error *error)
{
    struct client *client AUTO(client_release) = memory_new(1, sizeof *client);
    client->timeout_ms = options->timeout_ms ? options->timeout_ms : DEFAULT_TIMEOUT_MS;
    client->stop = options->stop;
    if (!set_address(client, options->url, error) ||
        !client_set_token(client, options->token, error))
        return NULL;
    client->multi = curl_multi_init();
    client->easy = curl_easy_init();
    if (!client->multi || !client->easy) {
        (void)error_set(error, ERROR_UNAVAILABLE, "libcurl did not start");
        return NULL;
    }
    struct client *made = client;
    client = NULL;
    return made;
}

void client_free(struct client *client)
{
    if (!client)
        return;
    curl_easy_cleanup(client->easy);
    (void)curl_multi_cleanup(client->multi);
    forget_token(client);
    memory_release(&client->base);
    memory_release(&client->socket_path);
    memory_release(&client);
}

void client_release(struct client **client)
{
    client_free(*client);
    *client = NULL;
}

void client_wake(struct client *client)
{
    (void)curl_multi_wakeup(client->multi);
}

void client_answer_release(struct client_answer *answer)
{
    buf_release(&answer->body);
    answer->status = 0;
}

/* Returning less than it was given is libcurl's way to end the transfer. */
static size_t keep_body(char *bytes, size_t size, size_t count, void *context)
{
    struct buf *body = context;
    buf_append(body, bytes, size * count);
    return body->overflow ? 0 : size * count;
}

static void add_headers(const struct client *client, const struct client_call *call,
                        struct transfer *transfer)
{
    client_header(transfer, "Accept", "application/json");
    client_header(transfer, "Expect", ""); /* "Expect:" alone: never wait for 100 Continue */
    if (client->authorization)
        client_header(transfer, "Authorization", client->authorization);
    if (call->body)
        client_header(transfer, "Content-Type", "application/json");
    if (call->idempotency_key)
        client_header(transfer, "Idempotency-Key", call->idempotency_key);
}

static void set_method(struct client *client, const struct client_call *call)
{
    (void)curl_easy_setopt(client->easy, CURLOPT_TIMEOUT_MS, (long)client->timeout_ms);
    if (call->body || strcmp(call->method, "POST") == 0) {
        const char *body = call->body ? call->body : "";
        (void)curl_easy_setopt(client->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
        (void)curl_easy_setopt(client->easy, CURLOPT_POSTFIELDS, body);
    }
    (void)curl_easy_setopt(client->easy, CURLOPT_CUSTOMREQUEST, call->method);
}

bool client_send(struct client *client, const struct client_call *call,
                 struct client_answer *answer, struct error *error)
{
    struct buf body AUTO(buf_release) = {0};
    struct transfer transfer AUTO(client_transfer_release) = {.write = keep_body, .context = &body};
    add_headers(client, call, &transfer);
    client_prepare(client, &transfer, call->path);
    set_method(client, call);
    bool ended = false;
    if (!client_run(client, &transfer, &ended, error))
        return false;
    if (ended)
        return error_set(error, ERROR_UNAVAILABLE, "%s: the answer is too large", client->base);
    curl_off_t retry_after_s = 0;
    (void)curl_easy_getinfo(client->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
    client_answer_release(answer);
    *answer = (struct client_answer){.status = client_status(client),
                                     .body = body,
                                     .retry_after_s = retry_after_s > 0 ? retry_after_s : -1};
    body = (struct buf){0};
    return true;
}

static enum error_kind kind_of_status(int status)
{
    static const struct {
        int status;
        enum error_kind kind;
    } kinds[] = {
        {401, ERROR_UNAUTHORISED}, {403, ERROR_FORBIDDEN},     {404, ERROR_NOT_FOUND},
        {409, ERROR_CONFLICT},     {413, ERROR_TOO_LARGE},     {415, ERROR_UNSUPPORTED},
        {408, ERROR_UNAVAILABLE},  {422, ERROR_UNPROCESSABLE}, {429, ERROR_BUSY},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (kinds[i].status == status)
            return kinds[i].kind;
    return status >= 500 ? ERROR_UNAVAILABLE : ERROR_INVALID;
}

bool client_refusal(const struct client_answer *answer, struct error *error)
{
    const enum error_kind kind = kind_of_status(answer->status);
    json_t *root AUTO(json_release) =
        json_loadb(buf_text(&answer->body), answer->body.length, 0, NULL);
    const char *sentence = json_string_value(json_object_get(root, "error"));
    if (!sentence || sentence[0] == '\0')
        return error_set(error, kind, "the server answered with status %d", answer->status);
    return error_set(error, kind, "%s", sentence);
}

void client_escape(struct buf *out, const char *text)
{
    static const char unreserved[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (; *text; text++)
        if (strchr(unreserved, *text))
            buf_char(out, *text);
        else
            buf_printf(out, "%%%02X", (unsigned)(unsigned char)*text);
}
