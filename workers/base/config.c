/* Configuration from three sources, each read once into its own list. Knows nothing of what a
 * variable means. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "env_file.h"
#include "text.h"

/* In the order in which they are asked. */
enum source { SOURCE_ENVIRONMENT, SOURCE_FILE, SOURCE_CREDENTIALS, SOURCES };

enum { FILE_MAXIMUM = 1024 * 1024, COMPLAINT_MAXIMUM = 512 };

struct variable {
    char *name;
    char *value;
};

struct variables {
    struct variable *items;
    size_t count;
};

struct config {
    struct variables sources[SOURCES];
    char **complaints;
    size_t complaint_count;
};

static void put(void *context, const char *name, const char *value)
{
    struct variables *variables = context;
    variables->items =
        memory_resize(variables->items, variables->count + 1, sizeof variables->items[0]);
    variables->items[variables->count++] =
        (struct variable){.name = memory_text(name), .value = memory_text(value)};
}

static void variables_release(struct variables *variables)
{
    for (size_t i = 0; i < variables->count; i++) {
        /* Some are keys to the queue. */
        OPENSSL_cleanse(variables->items[i].value, strlen(variables->items[i].value));
        free(variables->items[i].value);
        free(variables->items[i].name);
    }
    free(variables->items);
}

/* The last assignment counts, as in a shell. */
static const char *find(const struct variables *variables, const char *name)
{
    for (size_t i = variables->count; i > 0; i--)
        if (strcmp(variables->items[i - 1].name, name) == 0)
            return variables->items[i - 1].value;
    return NULL;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static void close_directory(DIR **directory)
{
    if (*directory)
        (void)closedir(*directory);
}

static void wipe(struct buf *buf)
{
    if (buf->data)
        OPENSSL_cleanse(buf->data, buf->capacity);
    buf_release(buf);
}

static bool read_descriptor(int fd, struct buf *out)
{
    char chunk[4096];
    ssize_t count = 0;
    do {
        count = read(fd, chunk, sizeof chunk);
        if (count > 0)
            buf_append(out, chunk, (size_t)count);
    } while ((count > 0 && !out->overflow) || (count < 0 && errno == EINTR));
    OPENSSL_cleanse(chunk, sizeof chunk);
    return count >= 0;
}

static bool read_file(int directory, const char *path, struct buf *out, struct error *error)
{
    int fd AUTO(close_fd) = openat(directory, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || !read_descriptor(fd, out))
        return error_set(error, ERROR_CONFIGURATION, "cannot read %s: %s", path, strerror(errno));
    if (out->overflow)
        return error_set(error, ERROR_CONFIGURATION, "%s is larger than 1 MiB", path);
    return true;
}

static void read_environment(struct variables *variables)
{
    for (char **entry = environ; entry && *entry; entry++) {
        const size_t length = strcspn(*entry, "=");
        if ((*entry)[length] != '=')
            continue;
        char *name AUTO(memory_release) = memory_text_n(*entry, length);
        put(variables, name, *entry + length + 1);
    }
}

/* The variables that hold secrets, if they hold what is named. */
static const char *secret_of(const struct variables *variables)
{
    static const struct {
        const char *name;
        const char *holds;
    } secrets[] = {{"AWS_SECRET_ACCESS_KEY", ""},
                   {"AWS_SESSION_TOKEN", ""},
                   {"BOOKFLOW_WEBHOOK_SECRET", ""},
                   {"BOOKFLOW_TOKEN", ""},
                   {"BOOKFLOW_SMTP_URL", "@"}}; /* user:password@host */
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++) {
        const char *value = find(variables, secrets[i].name);
        if (value && *value && strstr(value, secrets[i].holds))
            return secrets[i].name;
    }
    return NULL;
}

static bool check_private(const struct variables *variables, const char *path, struct error *error)
{
    struct stat file;
    const char *secret = secret_of(variables);
    return !secret || (stat(path, &file) == 0 && (file.st_mode & 077) == 0) ||
           error_set(error, ERROR_CONFIGURATION,
                     "%s holds %s and is not its user's alone: chmod 600 it, or use a systemd"
                     " credential",
                     path, secret);
}

static bool read_env_file(struct variables *variables, const char *path, struct error *error)
{
    struct buf text AUTO(wipe) = {.maximum = FILE_MAXIMUM};
    if (!read_file(AT_FDCWD, path, &text, error))
        return false;
    if (!env_file_parse(buf_text(&text), text.length, put, variables, error))
        return error_context(error, "%s", path);
    return check_private(variables, path, error);
}

static bool read_credential(struct variables *variables, int directory, const char *name,
                            struct error *error)
{
    struct buf text AUTO(wipe) = {.maximum = FILE_MAXIMUM};
    if (!read_file(directory, name, &text, error))
        return false;
    if (strlen(buf_text(&text)) != text.length)
        return error_set(error, ERROR_CONFIGURATION, "%s contains a NUL byte", name);
    if (text.length > 0 && text.data[text.length - 1] == '\n')
        text.data[text.length - 1] = '\0';
    put(variables, name, buf_text(&text));
    return true;
}

/* Reads every credential whose name could be a variable's. The folder is made for this service, so
 * there is nothing else in it worth leaving alone. */
static bool read_credentials(struct variables *variables, const char *path, struct error *error)
{
    DIR *directory AUTO(close_directory) = opendir(path);
    if (!directory)
        return error_set(error, ERROR_CONFIGURATION, "cannot read CREDENTIALS_DIRECTORY %s: %s",
                         path, strerror(errno));
    for (const struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
        if (!env_file_name_valid(entry->d_name, strlen(entry->d_name)))
            continue;
        if (!read_credential(variables, dirfd(directory), entry->d_name, error))
            return error_context(error, "CREDENTIALS_DIRECTORY %s", path);
    }
    return true;
}

struct config *config_read(const char *env_file, struct error *error)
{
    struct config *config AUTO(config_release) = memory_new(1, sizeof *config);
    read_environment(&config->sources[SOURCE_ENVIRONMENT]);
    if (env_file && !read_env_file(&config->sources[SOURCE_FILE], env_file, error))
        return NULL;
    const char *credentials = find(&config->sources[SOURCE_ENVIRONMENT], "CREDENTIALS_DIRECTORY");
    if (credentials && *credentials != '\0' &&
        !read_credentials(&config->sources[SOURCE_CREDENTIALS], credentials, error))
        return NULL;
    struct config *result = config;
    config = NULL;
    return result;
}

void config_free(struct config *config)
{
    if (!config)
        return;
    for (size_t i = 0; i < SOURCES; i++)
        variables_release(&config->sources[i]);
    for (size_t i = 0; i < config->complaint_count; i++)
        free(config->complaints[i]);
    free(config->complaints);
    free(config);
}

void config_release(struct config **config)
{
    config_free(*config);
    *config = NULL;
}

const char *config_text(const struct config *config, const char *name)
{
    for (size_t i = 0; i < SOURCES; i++) {
        const char *value = find(&config->sources[i], name);
        if (value && *value != '\0')
            return value;
    }
    return NULL;
}

static bool parse_number(const char *text, int64_t *out)
{
    const char *digits = text[0] == '-' ? text + 1 : text;
    if (*digits < '0' || *digits > '9') /* strtoll() itself takes blanks and a plus */
        return false;
    char *end = NULL;
    errno = 0;
    const long long value = strtoll(text, &end, 10);
    if (errno != 0 || *end != '\0')
        return false;
    *out = value;
    return true;
}

int64_t config_number(struct config *config, const char *name, int64_t fallback, int64_t low,
                      int64_t high)
{
    const char *text = config_text(config, name);
    int64_t value = 0;
    if (!text)
        return fallback;
    if (parse_number(text, &value) && value >= low && value <= high)
        return value;
    config_complain(config, name, "must be a whole number from %lld to %lld, not \"%s\"",
                    (long long)low, (long long)high, text);
    return fallback;
}

bool config_flag(struct config *config, const char *name, bool fallback)
{
    static const struct {
        const char *word;
        bool flag;
    } WORDS[] = {{"1", true},  {"on", true},   {"true", true},   {"yes", true},
                 {"0", false}, {"off", false}, {"false", false}, {"no", false}};
    const char *text = config_text(config, name);
    if (!text)
        return fallback;
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++)
        if (strcmp(WORDS[i].word, text) == 0)
            return WORDS[i].flag;
    config_complain(config, name, "must be 1, on, true, yes or 0, off, false, no, not \"%s\"",
                    text);
    return fallback;
}

/* A variable may be asked for more than once; its complaint is wanted once. */
static bool known(const struct config *config, const char *complaint)
{
    for (size_t i = 0; i < config->complaint_count; i++)
        if (strcmp(config->complaints[i], complaint) == 0)
            return true;
    return false;
}

void config_complain(struct config *config, const char *name, const char *format, ...)
{
    char why[COMPLAINT_MAXIMUM];
    va_list values;
    va_start(values, format);
    const int length = vsnprintf(why, sizeof why, format, values);
    va_end(values);
    if (length < 0)
        why[0] = '\0';
    struct buf line AUTO(buf_release) = {0};
    buf_printf(&line, "%s: ", name);
    text_display(&line, why, strlen(why));
    if (known(config, buf_text(&line)))
        return;
    config->complaints = memory_resize(config->complaints, config->complaint_count + 1,
                                       sizeof config->complaints[0]);
    config->complaints[config->complaint_count++] = buf_take(&line);
}

bool config_check(const struct config *config, struct error *error)
{
    if (config->complaint_count == 0)
        return true;
    if (config->complaint_count == 1)
        return error_set(error, ERROR_CONFIGURATION, "%s", config->complaints[0]);
    return error_set(error, ERROR_CONFIGURATION, "%zu settings are wrong, the first is %s",
                     config->complaint_count, config->complaints[0]);
}

const char *config_complaint(const struct config *config, size_t index)
{
    return index < config->complaint_count ? config->complaints[index] : NULL;
}
