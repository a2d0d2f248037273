/* An environment: as an EnvironmentFile, as variables, as the settings of the workers. What is read
 * can be written and read again; settings that are taken are ones a worker can run on; whatever is
 * wrong is said in a line that acts on no terminal. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "env_file.h"
#include "fuzz.h"
#include "queue.h"
#include "server.h"
#include "settings.h"

struct variables {
    struct buf all;    /* NAME=value NUL, repeated */
    struct buf quoted; /* the same as a file */
    size_t count;
};

static void variables_release(struct variables *variables)
{
    buf_release(&variables->all);
    buf_release(&variables->quoted);
}

static void put(void *context, const char *name, const char *value)
{
    struct variables *variables = context;
    FUZZ_CHECK(env_file_name_valid(name, strlen(name)), "a name: '%s'", name);
    variables->count++;
    buf_printf(&variables->all, "%s=%s", name, value);
    buf_char(&variables->all, '\0');
    buf_printf(&variables->quoted, "%s=\"", name);
    for (; *value; value++) {
        if (strchr("\"\\`$", *value))
            buf_char(&variables->quoted, '\\');
        buf_char(&variables->quoted, *value);
    }
    buf_text_append(&variables->quoted, "\"\n");
}

static void same(const struct variables *a, const struct variables *b)
{
    FUZZ_CHECK(a->count == b->count && a->all.length == b->all.length, "%zu variables become %zu",
               a->count, b->count);
    FUZZ_CHECK(memcmp(buf_text(&a->all), buf_text(&b->all), a->all.length) == 0,
               "a value comes back as another");
}

static void read_again(const struct variables *variables)
{
    struct variables again AUTO(variables_release) = {.count = 0};
    struct error error = {0};
    FUZZ_CHECK(
        env_file_parse(buf_text(&variables->quoted), variables->quoted.length, put, &again, &error),
        "what was read is refused: %s", error.text);
    same(variables, &again);
}

/* --- settings --- */

static void complaints_showable(const struct config *config)
{
    for (size_t i = 0; config_complaint(config, i); i++) {
        const char *complaint = config_complaint(config, i);
        FUZZ_CHECK(fuzz_is_showable(complaint, strlen(complaint)), "a complaint acts");
    }
}

static void can_run_on(const struct settings *settings)
{
    struct error error = {0};
    bool local = false;
    FUZZ_CHECK(settings->state_dir && settings->state_dir[0] == '/', "a state directory");
    FUZZ_CHECK(queue_url_check(settings->request_url, &error) &&
                   queue_url_check(settings->confirmation_url, &error),
               "a queue that is none: %s", error.text);
    FUZZ_CHECK(strcmp(settings->request_url, settings->confirmation_url) != 0,
               "one queue for both ways");
    FUZZ_CHECK(http_address_is_local(settings->listen, &local, &error) && local,
               "it listens beyond this machine: %s", settings->listen);
    FUZZ_CHECK(settings->max_attempts >= 1 && settings->max_attempts <= 50, "attempts");
}

static void read_settings(int roles)
{
    struct error error = {0};
    struct config *config AUTO(config_release) = config_read(NULL, &error);
    struct settings settings AUTO(settings_release) = {0};
    FUZZ_CHECK(config, "%s", error.text);
    const bool read = settings_read(config, roles, &settings, &error);
    FUZZ_CHECK(read == (config_complaint(config, 0) == NULL), "taken or complained of");
    FUZZ_CHECK(read || error.kind == ERROR_CONFIGURATION, "refused as %d", (int)error.kind);
    complaints_showable(config);
    if (read)
        can_run_on(&settings);
}

/* Other folders and other people's sockets are not ours to look at. */
static bool is_out_of_bounds(const char *variable)
{
    static const char *const names[] = {
        "CREDENTIALS_DIRECTORY=", "LISTEN_PID=", "BOOKFLOW_TOKENS_FILE="};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strncmp(variable, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

/* These variables and no others are the environment while the settings are read. */
static void settings_of(struct variables *variables)
{
    char **entries AUTO(memory_release) = memory_new(variables->count + 1, sizeof *entries);
    char *at = variables->all.data;
    size_t count = 0;
    for (size_t i = 0; i < variables->count; i++, at += strlen(at) + 1)
        if (!is_out_of_bounds(at))
            entries[count++] = at;
    char **real = environ;
    environ = entries;
    read_settings(ROLE_ALL);
    read_settings(ROLE_INTAKE);
    read_settings(ROLE_DECISION);
    environ = real;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct variables variables AUTO(variables_release) = {.count = 0};
    struct error error = {0};
    /* char and uint8_t may look at the same bytes. */
    if (!env_file_parse((const char *)data, size, put, &variables, &error))
        FUZZ_CHECK(error.kind == ERROR_CONFIGURATION && strncmp(error.text, "line ", 5) == 0,
                   "refused as %d: %s", (int)error.kind, error.text);
    read_again(&variables);
    settings_of(&variables);
    return 0;
}
