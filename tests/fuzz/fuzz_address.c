/* Addresses: of the embedded queue, to listen on, of a worker. What is taken apart is in range and
 * put together again means the same; a refusal is a sentence. */
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "embedded_url.h"
#include "fuzz.h"
#include "queue.h"
#include "server_private.h"

/* --- queues --- */

static void in_range(const struct embedded_options *options)
{
    FUZZ_CHECK(options->path && options->path[0] == '/' && options->path[1], "a path");
    FUZZ_CHECK(options->name[0] && strlen(options->name) <= EMBEDDED_NAME_MAX, "a name");
    FUZZ_CHECK(strlen(options->dead_letter) <= EMBEDDED_NAME_MAX, "a dead-letter queue");
    FUZZ_CHECK(options->number[NUMBER_MAX_RECEIVES] >= 0 &&
                   options->number[NUMBER_MAX_RECEIVES] <= 1000 &&
                   options->number[NUMBER_VISIBILITY] >= 0 &&
                   options->number[NUMBER_VISIBILITY] <= 43200 &&
                   options->number[NUMBER_DUPLICATE] <= 100 && options->number[NUMBER_SEED] >= -1,
               "a number is out of range");
    FUZZ_CHECK((options->number[NUMBER_MAX_RECEIVES] == 0) == !options->dead_letter[0],
               "redrive and dead-letter queue go together");
}

static void write_url(const struct embedded_options *options, struct buf *out)
{
    const int64_t *number = options->number;
    buf_printf(out, "sqlite:%s?queue=%s&visibility=%lld&shuffle=%lld&duplicate=%lld", options->path,
               options->name, (long long)number[NUMBER_VISIBILITY],
               (long long)number[NUMBER_SHUFFLE], (long long)number[NUMBER_DUPLICATE]);
    if (options->dead_letter[0])
        buf_printf(out, "&dlq=%s&max_receives=%lld", options->dead_letter,
                   (long long)number[NUMBER_MAX_RECEIVES]);
    if (number[NUMBER_SEED] >= 0)
        buf_printf(out, "&seed=%lld", (long long)number[NUMBER_SEED]);
}

static void same(const struct embedded_options *a, const struct embedded_options *b)
{
    FUZZ_CHECK(strcmp(a->path, b->path) == 0 && strcmp(a->name, b->name) == 0 &&
                   strcmp(a->dead_letter, b->dead_letter) == 0 &&
                   memcmp(a->number, b->number, sizeof a->number) == 0,
               "a queue comes back as another");
}

static void read_queue(const char *url)
{
    struct embedded_options options AUTO(embedded_options_release) = {0};
    struct embedded_options again AUTO(embedded_options_release) = {0};
    struct buf written AUTO(buf_release) = {0};
    struct error error = {0};
    if (strncmp(url, "sqlite:", 7) != 0 || !embedded_options_parse(url, &options, &error)) {
        FUZZ_CHECK(!queue_url_check(url, &(struct error){0}) || strchr(url, ':'),
                   "taken for a queue: %s", url);
        return;
    }
    in_range(&options);
    write_url(&options, &written);
    FUZZ_CHECK(embedded_options_parse(buf_text(&written), &again, &error), "%s refused: %s",
               buf_text(&written), error.text);
    same(&options, &again);
}

/* --- where to listen --- */

static void read_listen(const char *text)
{
    struct address address = {.length = 0};
    struct error error = {0};
    bool local = false;
    const bool understood = address_parse(&address, text, &error);
    FUZZ_CHECK(http_address_is_local(text, &local, &(struct error){0}) == understood,
               "an address or not");
    if (!understood) {
        FUZZ_CHECK(error.kind == ERROR_CONFIGURATION, "refused as %d", (int)error.kind);
        return;
    }
    FUZZ_CHECK(address.length > 0 && address.length <= sizeof address.socket.room, "a length");
    const int family = address.socket.any.sa_family;
    FUZZ_CHECK(family != AF_UNIX || local, "a unix socket is beyond loopback");
    FUZZ_CHECK(family == AF_UNIX || strchr(text, ':'), "an address without a port");
}

/* --- where a worker is --- */

static void read_worker(const char *text)
{
    struct error error = {0};
    struct client *client AUTO(client_release) =
        client_new(&(struct client_options){.url = text}, &error);
    FUZZ_CHECK(client || error.kind == ERROR_CONFIGURATION, "refused as %d", (int)error.kind);
    FUZZ_CHECK(!client || strncasecmp(text, "http", 4) == 0 || strncmp(text, "unix:/", 6) == 0,
               "taken for a worker's address: %s", text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text AUTO(memory_release) = fuzz_text(data, size);
    read_queue(text);
    read_listen(text);
    read_worker(text);
    return 0;
}
