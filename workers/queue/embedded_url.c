/* Reads the URL of the embedded queue, by a table. Knows no file and no database. */
#include "embedded_url.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"

enum { MAX_RECEIVES_DEFAULT = 100, VISIBILITY_DEFAULT_S = 30 };

static const char scheme[] = "sqlite:";
static const char dead_letter_suffix[] = "-dlq";
static const char fifo_suffix[] = ".fifo";

static const struct number_option {
    const char *name;
    int64_t fallback, low, high;
} numbers[NUMBER_COUNT] = {
    [NUMBER_MAX_RECEIVES] = {"max_receives", MAX_RECEIVES_DEFAULT, 1, 1000},
    [NUMBER_VISIBILITY] = {"visibility", VISIBILITY_DEFAULT_S, 0, 43200},
    [NUMBER_SHUFFLE] = {"shuffle", 0, 0, 1},
    [NUMBER_DUPLICATE] = {"duplicate", 0, 0, 100},
    [NUMBER_SEED] = {"seed", -1, 0, INT64_MAX},
};

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text);
    return length >= strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

static bool is_dead_letter(const char *name)
{
    return ends_with(name, dead_letter_suffix);
}

static bool bad_option(const char *option, const char *value, const char *wanted,
                       struct error *error)
{
    return error_set(error, ERROR_CONFIGURATION, "queue URL: option %s is '%.100s', it must be %s",
                     option, value, wanted);
}

static bool read_number(const struct number_option *option, const char *value, int64_t *out,
                        struct error *error)
{
    char *end = NULL;
    errno = 0;
    const long long number = isdigit((unsigned char)*value) ? strtoll(value, &end, 10) : -1;
    if (end && !*end && errno == 0 && number >= option->low && number <= option->high) {
        *out = number;
        return true;
    }
    char wanted[80] = "";
    (void)snprintf(wanted, sizeof(wanted), "a whole number from %lld to %lld",
                   (long long)option->low, (long long)option->high);
    return bad_option(option->name, value, wanted, error);
}

static bool name_allowed(const char *name)
{
    const size_t length =
        strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
    return length > 0 && length <= EMBEDDED_NAME_MAX && !name[length];
}

static bool read_name(const char *option, const char *value, char out[], struct error *error)
{
    if (ends_with(value, fifo_suffix))
        return bad_option(option, value, "a standard queue: the embedded queue has no FIFO queues",
                          error);
    if (!name_allowed(value))
        return bad_option(option, value, "1 to 80 of A-Z a-z 0-9 _ -", error);
    (void)snprintf(out, EMBEDDED_NAME_MAX + 1, "%s", value);
    return true;
}

static bool read_option(const char *name, const char *value, struct embedded_options *options,
                        struct error *error)
{
    if (strcmp(name, "queue") == 0)
        return read_name(name, value, options->name, error);
    if (strcmp(name, "dlq") == 0)
        return read_name(name, value, options->dead_letter, error);
    for (size_t i = 0; i < NUMBER_COUNT; i++)
        if (strcmp(name, numbers[i].name) == 0)
            return read_number(&numbers[i], value, &options->number[i], error);
    return error_set(error, ERROR_CONFIGURATION, "queue URL: there is no option '%.100s'", name);
}

/* Takes "name=value&..." apart in place. */
static bool read_options(char *text, struct embedded_options *options, struct error *error)
{
    char *rest = text;
    for (char *each = strsep(&rest, "&"); each; each = strsep(&rest, "&")) {
        char *value = strchr(each, '=');
        if (!value)
            return error_set(error, ERROR_CONFIGURATION, "queue URL: option '%.100s' has no value",
                             each);
        *value = '\0';
        if (!read_option(each, value + 1, options, error))
            return false;
    }
    return true;
}

static bool settle_dead_letter(struct embedded_options *options, struct error *error)
{
    if (is_dead_letter(options->name)) {
        options->number[NUMBER_MAX_RECEIVES] = 0;
        return !options->dead_letter[0] ||
               bad_option("dlq", options->dead_letter,
                          "absent: a dead-letter queue has none itself", error);
    }
    if (options->dead_letter[0])
        return is_dead_letter(options->dead_letter) ||
               bad_option("dlq", options->dead_letter, "a name that ends in -dlq", error);
    if (strlen(options->name) + strlen(dead_letter_suffix) > EMBEDDED_NAME_MAX)
        return bad_option("queue", options->name, "short enough to take -dlq, or dlq given", error);
    (void)snprintf(options->dead_letter, sizeof(options->dead_letter), "%.76s%s", options->name,
                   dead_letter_suffix);
    return true;
}

static bool read_path(const char *url, struct embedded_options *options, struct error *error)
{
    const char *path = url + strlen(scheme);
    const size_t length = strcspn(path, "?");
    if (*path != '/' || length < 2)
        return error_set(error, ERROR_CONFIGURATION,
                         "queue URL '%.128s': an absolute path follows sqlite:", url);
    options->path = memory_text_n(path, length);
    return true;
}

static bool parse(const char *url, struct embedded_options *options, struct error *error)
{
    if (!read_path(url, options, error))
        return false;
    const char *question = strchr(url, '?');
    char *text AUTO(memory_release) = memory_text(question ? question + 1 : "queue=");
    if (!read_options(text, options, error))
        return false;
    if (!options->name[0])
        return error_set(error, ERROR_CONFIGURATION, "queue URL '%.128s': queue=NAME is missing",
                         url);
    return settle_dead_letter(options, error);
}

bool embedded_options_parse(const char *url, struct embedded_options *options, struct error *error)
{
    struct embedded_options fresh AUTO(embedded_options_release) = {0};
    for (size_t i = 0; i < NUMBER_COUNT; i++)
        fresh.number[i] = numbers[i].fallback;
    if (!parse(url, &fresh, error))
        return false;
    *options = fresh;
    fresh.path = NULL;
    return true;
}

void embedded_options_release(struct embedded_options *options)
{
    free(options->path);
    options->path = NULL;
}
