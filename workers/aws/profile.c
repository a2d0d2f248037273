/* The INI dialect of the AWS tools: sections, KEY = VALUE, comments on lines of their own, and one
 * level of nesting by indentation, which only `services` sections use. */
#include "profile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"

enum { FILE_MAX = 1024 * 1024, ENTRIES_MAX = 4096, SECTION_SIZE = 256 };

/* What may be relevant: every entry of both files, in order. */
struct entry {
    struct entry *next;
    char *section; /* "profile NAME" for both files, "services NAME" */
    char *parent;  /* of an indented entry; "" = none */
    char *key;
    char *value;
};

struct profile {
    char *name;
    struct entry *first; /* the last one read is the first: it counts */
    size_t count;
};

/* --- reading --- */

static char *trimmed(const char *text, size_t length)
{
    while (length > 0 && strchr(" \t\r", text[0])) {
        text++;
        length--;
    }
    while (length > 0 && strchr(" \t\r", text[length - 1]))
        length--;
    return memory_text_n(text, length);
}

/* "[default]", "[profile x]", "[services y]"; in the credentials file "[x]". */
static void read_section(const char *line, bool credentials, char section[SECTION_SIZE])
{
    const size_t length = strcspn(line + 1, "]");
    char *name AUTO(memory_release) = trimmed(line + 1, length);
    const bool bare = credentials || strcmp(name, "default") == 0;
    const size_t word = strcspn(name, " \t");
    const char *rest = name + word + strspn(name + word, " \t");
    if (bare)
        (void)snprintf(section, SECTION_SIZE, "profile %s", name);
    else
        (void)snprintf(section, SECTION_SIZE, "%.*s %s", (int)word, name, rest);
}

static void add_entry(struct profile *profile, const char *section, const char *parent,
                      const char *line)
{
    const char *equals = strchr(line, '=');
    if (!equals || profile->count == ENTRIES_MAX)
        return;
    struct entry *entry = memory_new(1, sizeof *entry);
    entry->section = memory_text(section);
    entry->parent = memory_text(parent);
    entry->key = trimmed(line, (size_t)(equals - line));
    entry->value = trimmed(equals + 1, strlen(equals + 1));
    entry->next = profile->first;
    profile->first = entry;
    profile->count++;
}

static void read_text(struct profile *profile, char *text, bool credentials)
{
    char section[SECTION_SIZE] = "";
    char parent[SECTION_SIZE] = "";
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\n"));) {
        const char *content = line + strspn(line, " \t\r");
        if (*content == '\0' || *content == '#' || *content == ';')
            continue;
        if (*line == '[') {
            read_section(line, credentials, section);
            parent[0] = '\0';
        } else if (content > line) {
            add_entry(profile, section, parent, content);
        } else {
            const char *equals = strchr(line, '=');
            char *key AUTO(memory_release) = trimmed(line, equals ? (size_t)(equals - line) : 0);
            (void)snprintf(parent, sizeof parent, "%s", key);
            add_entry(profile, section, "", line);
        }
    }
}

struct file {
    char *path;
    bool is_given;    /* by a variable, not the usual place */
    bool credentials; /* has its section names without "profile" */
};

/* A home that a service may not look into (ProtectHome=) is one without the file. */
static bool may_be_absent(const struct file *file, int why)
{
    return why == ENOENT || why == ENOTDIR || (why == EACCES && !file->is_given);
}

static bool read_file(struct profile *profile, const struct file *from, struct error *error)
{
    char block[4096];
    struct buf text AUTO(buf_release) = {.maximum = FILE_MAX};
    FILE *file = fopen(from->path, "re");
    if (!file)
        return may_be_absent(from, errno) ||
               error_set(error, ERROR_CONFIGURATION, "%s: %s", from->path, strerror(errno));
    (void)setvbuf(file, NULL, _IONBF, 0); /* no copy of the secrets stays behind */
    for (size_t got; !text.overflow && (got = fread(block, 1, sizeof block, file)) > 0;)
        buf_append(&text, block, got);
    const bool good = !ferror(file) && !text.overflow;
    (void)fclose(file);
    buf_char(&text, '\n');
    if (good)
        read_text(profile, text.data, from->credentials);
    explicit_bzero(block, sizeof block);
    explicit_bzero(text.data, text.length);
    return good || error_set(error, ERROR_CONFIGURATION, "%s: cannot be read, or is over a MiB",
                             from->path);
}

/* --- looking up --- */

static const struct entry *find(const struct profile *profile, const char *section,
                                const char *parent, const char *key)
{
    for (const struct entry *entry = profile->first; entry; entry = entry->next)
        if (strcmp(entry->section, section) == 0 && strcmp(entry->parent, parent) == 0 &&
            (!key || strcasecmp(entry->key, key) == 0))
            return entry;
    return NULL;
}

static const char *value_in(const struct profile *profile, const char *section, const char *parent,
                            const char *key)
{
    const struct entry *entry = find(profile, section, parent, key);
    return entry && *entry->value ? entry->value : NULL;
}

const char *profile_value(const struct profile *profile, const char *key)
{
    char section[SECTION_SIZE];
    (void)snprintf(section, sizeof section, "profile %s", profile->name);
    return value_in(profile, section, "", key);
}

const char *profile_service_value(const struct profile *profile, const char *service,
                                  const char *key)
{
    char section[SECTION_SIZE];
    const char *services = profile_value(profile, "services");
    if (!services)
        return NULL;
    (void)snprintf(section, sizeof section, "services %s", services);
    return value_in(profile, section, service, key);
}

const char *profile_name(const struct profile *profile)
{
    return profile->name;
}

/* --- the whole --- */

static struct file file_of(const struct config *config, const char *variable, const char *name)
{
    struct buf path AUTO(buf_release) = {0};
    const char *given = config_text(config, variable);
    const char *home = config_text(config, "HOME");
    if (given)
        buf_text_append(&path, given);
    else
        buf_printf(&path, "%s/.aws/%s", home ? home : "", name);
    return (struct file){buf_take(&path), given != NULL, strcmp(name, "credentials") == 0};
}

static void file_release(struct file *file)
{
    free(file->path);
}

struct profile *profile_read(const struct config *config, struct error *error)
{
    struct profile *profile AUTO(profile_release) = memory_new(1, sizeof *profile);
    const char *asked = config_text(config, "AWS_PROFILE");
    struct file credentials AUTO(file_release) =
        file_of(config, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
    struct file settings AUTO(file_release) = file_of(config, "AWS_CONFIG_FILE", "config");
    char section[SECTION_SIZE];
    profile->name = memory_text(asked ? asked : "default");
    if (!read_file(profile, &settings, error) || !read_file(profile, &credentials, error))
        return NULL;
    (void)snprintf(section, sizeof section, "profile %s", profile->name);
    if (asked && !find(profile, section, "", NULL)) {
        (void)error_set(error, ERROR_CONFIGURATION, "AWS_PROFILE=%s is neither in %s nor in %s",
                        asked, credentials.path, settings.path);
        return NULL;
    }
    struct profile *whole = profile;
    profile = NULL;
    return whole;
}

void profile_free(struct profile *profile)
{
    if (!profile)
        return;
    for (struct entry *entry = profile->first, *next; entry; entry = next) {
        next = entry->next;
        explicit_bzero(entry->value, strlen(entry->value)); /* it may be a secret */
        free(entry->section);
        free(entry->parent);
        free(entry->key);
        free(entry->value);
        free(entry);
    }
    free(profile->name);
    free(profile);
}

void profile_release(struct profile **profile)
{
    profile_free(*profile);
    *profile = NULL;
}
