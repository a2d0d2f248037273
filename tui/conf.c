/* The file console.conf: NAME = VALUE, a line each; # begins a comment line. A setting is one line
 * of the table below. */
#include "conf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "client.h"
#include "ids.h"
#include "keymap.h"
#include "text.h"

enum { FILE_MAX = 64 * 1024 };

static const char *const order_names[ORDERS] = {
    [ORDER_OLDEST] = "oldest", [ORDER_TIME] = "time", [ORDER_NAME] = "name"};

const struct conf *conf_default(void)
{
    static const struct conf conf = {.undo_seconds = 10,
                                     .reasons = {"Not available at this time",
                                                 "Please choose another day", "This is not offered",
                                                 "We cannot take new clients"},
                                     .reason_count = 4,
                                     .colour = true};
    return &conf;
}

const char *conf_order_name(enum conf_order order)
{
    return order_names[order];
}

/* --- settings --- */

static bool set_url(struct conf *conf, const char *value, struct error *error)
{
    /* Only the client knows what it takes. */
    struct client *client AUTO(client_release) =
        client_new(&(struct client_options){.url = value}, error);
    conf->url = value;
    return client;
}

static bool set_provider(struct conf *conf, const char *value, struct error *error)
{
    conf->provider = value;
    return id_valid(value, strlen(value)) ||
           error_set(error, ERROR_CONFIGURATION,
                     "provider is 1 to 128 of letters, digits and . _ : -, not \"%.40s\"", value);
}

static bool set_token_file(struct conf *conf, const char *value, struct error *error)
{
    const char *home = getenv("HOME");
    conf->token_file = value;
    if (value[0] == '/')
        return true;
    if (strncmp(value, "~/", 2) != 0 || !home)
        return error_set(error, ERROR_CONFIGURATION,
                         "token_file is a whole path, from / or ~/, not \"%.40s\"", value);
    struct buf path AUTO(buf_release) = {0};
    buf_printf(&path, "%s%s", home, value + 1);
    conf->token_file = conf->token_path = buf_take(&path);
    return true;
}

static bool set_undo_seconds(struct conf *conf, const char *value, struct error *error)
{
    const size_t digits = strspn(value, "0123456789");
    const long seconds = strtol(value, NULL, 10); /* saturates */
    if (digits == 0 || value[digits] != '\0' || seconds > CONF_UNDO_MAX_S)
        return error_set(error, ERROR_CONFIGURATION,
                         "undo_seconds is a whole number from 0 to %d, not \"%.40s\"",
                         CONF_UNDO_MAX_S, value);
    conf->undo_seconds = (int)seconds; /* at most CONF_UNDO_MAX_S */
    return true;
}

static bool add_reason(struct conf *conf, const char *value, struct error *error)
{
    size_t letters = 0;
    for (const char *at = value; text_next(&at, value + strlen(value)) != 0;)
        letters++;
    if (letters > REASON_LETTERS_MAX)
        return error_set(error, ERROR_CONFIGURATION,
                         "a reason has at most %d letters, this one has %zu", REASON_LETTERS_MAX,
                         letters);
    if (conf->reason_count == CONF_REASONS_MAX)
        return error_set(error, ERROR_CONFIGURATION, "there can be at most %d reasons",
                         CONF_REASONS_MAX);
    conf->reasons[conf->reason_count++] = value;
    return true;
}

static bool set_order(struct conf *conf, const char *value, struct error *error)
{
    for (size_t i = 0; i < ORDERS; i++) {
        if (strcmp(value, order_names[i]) == 0) {
            conf->order = (enum conf_order)i; /* an index of the table */
            return true;
        }
    }
    return error_set(error, ERROR_CONFIGURATION, "order is oldest, time or name, not \"%.40s\"",
                     value);
}

static bool set_flag(bool *flag, const char *name, const char *value, struct error *error)
{
    *flag = strcmp(value, "on") == 0;
    return *flag || strcmp(value, "off") == 0 ||
           error_set(error, ERROR_CONFIGURATION, "%s is on or off, not \"%.40s\"", name, value);
}

static bool set_mouse(struct conf *conf, const char *value, struct error *error)
{
    return set_flag(&conf->mouse, "mouse", value, error);
}

static bool set_colour(struct conf *conf, const char *value, struct error *error)
{
    return set_flag(&conf->colour, "colour", value, error);
}

enum { REASON_SETTING = 0, SETTINGS = 8 };

static const struct setting {
    const char *name;
    bool (*set)(struct conf *conf, const char *value, struct error *error);
} settings[SETTINGS] = {
    [REASON_SETTING] = {"reason", add_reason}, /* the one that may come again */
    {"url", set_url},
    {"provider", set_provider},
    {"token_file", set_token_file},
    {"undo_seconds", set_undo_seconds},
    {"order", set_order},
    {"mouse", set_mouse},
    {"colour", set_colour},
};

/* --- lines --- */

struct reader {
    struct conf *conf;
    const char *path;
    size_t line;
    size_t set_in[SETTINGS]; /* the line that set it; 0 = none has */
    struct buf *complaints;
    size_t wrong;
};

static const char not_text[] = "this is not plain text in UTF-8";

static bool set(struct reader *reader, const char *name, const char *value, struct error *error)
{
    size_t i = 0;
    while (i < SETTINGS && strcmp(name, settings[i].name) != 0)
        i++;
    if (i == SETTINGS)
        return error_set(error, ERROR_CONFIGURATION,
                         "\"%.40s\" is no setting; there are url provider token_file undo_seconds "
                         "reason order mouse colour, and key ACTION",
                         name);
    const size_t before = reader->set_in[i];
    reader->set_in[i] = reader->line;
    if (before > 0 && i != REASON_SETTING)
        return error_set(error, ERROR_CONFIGURATION, "%s is set in line %zu already", name, before);
    if (before == 0 && i == REASON_SETTING)
        reader->conf->reason_count = 0; /* the built-in ones go */
    return settings[i].set(reader->conf, value, error);
}

static char *trimmed(char *text)
{
    static const char blanks[] = " \t\r";
    text += strspn(text, blanks);
    size_t length = strlen(text);
    while (length > 0 && strchr(blanks, text[length - 1]))
        length--;
    text[length] = '\0';
    return text;
}

/* Nothing that acts on a terminal: no C0 but the tab, no DEL, no C1. */
static bool is_plain_text(const char *text)
{
    const char *const end = text + strlen(text);
    if (!text_is_utf8(text, strlen(text)))
        return false;
    while (text < end) {
        const uint32_t code = text_next(&text, end);
        if ((code < ' ' && code != '\t') || (code >= 0x7F && code < 0xA0))
            return false;
    }
    return true;
}

static bool read_line(struct reader *reader, char *line, struct error *error)
{
    static const char key[] = "key ";
    char *name = trimmed(line);
    char *equals = strchr(name, '=');
    if (*name == '#' || *name == '\0')
        return true;
    if (!is_plain_text(name))
        return error_set(error, ERROR_CONFIGURATION, not_text);
    if (!equals)
        return error_set(error, ERROR_CONFIGURATION, "expected NAME = VALUE");
    *equals = '\0';
    const char *value = trimmed(equals + 1);
    name = trimmed(name);
    if (*value == '\0')
        return error_set(error, ERROR_CONFIGURATION, "%.40s has no value", name);
    if (strncmp(name, key, sizeof key - 1) == 0) {
        reader->conf->keymap->line = (int)reader->line; /* of FILE_MAX bytes */
        return keymap_bind(reader->conf->keymap, trimmed(name + sizeof key - 1), value, error);
    }
    return set(reader, name, value, error);
}

static void complain(struct reader *reader, size_t line, const char *why)
{
    struct buf text AUTO(buf_release) = {0};
    buf_printf(&text, "%s:%zu: %s", reader->path, line, why);
    text_display(reader->complaints, buf_text(&text), text.length);
    buf_char(reader->complaints, '\n');
    reader->wrong++;
}

/* The lines become texts of their own where they stand. */
static void read_lines(struct reader *reader, size_t length)
{
    char *const end = reader->conf->text + length;
    for (char *line = reader->conf->text, *next = NULL; line < end; line = next + 1) {
        struct error error = {0};
        next = memchr(line, '\n', (size_t)(end - line));
        next = next ? next : end; /* the text ends with a NUL */
        *next = '\0';
        reader->line++;
        if (strlen(line) < (size_t)(next - line))
            complain(reader, reader->line, not_text);
        else if (!read_line(reader, line, &error))
            complain(reader, reader->line, error.text);
    }
}

/* Two keys that clash stand in two lines, so only the whole file tells. */
static void check_keys(struct reader *reader)
{
    struct error error = {0};
    int line = 0;
    if (!keymap_check(reader->conf->keymap, &line, &error))
        complain(reader, (size_t)line, error.text);
}

/* --- the file --- */

static void close_file(FILE **file)
{
    if (*file)
        (void)fclose(*file);
}

/* A file that is only looked for may be missing. */
static bool read_file(const char *path, bool wanted, struct buf *out, struct error *error)
{
    char chunk[4096];
    size_t count = 0;
    FILE *file AUTO(close_file) = fopen(path, "re");
    if (!file && errno == ENOENT && !wanted)
        return true;
    while (file && !out->overflow && (count = fread(chunk, 1, sizeof chunk, file)) > 0)
        buf_append(out, chunk, count);
    if (!file || ferror(file))
        return error_set(error, ERROR_CONFIGURATION, "cannot read %s: %s", path, strerror(errno));
    return !out->overflow ||
           error_set(error, ERROR_CONFIGURATION, "%s is larger than %d KiB", path, FILE_MAX / 1024);
}

/* XDG's rule: a folder that is no whole path does not count. */
static void find_file(struct buf *path)
{
    const char *folder = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    if (folder && folder[0] == '/')
        buf_printf(path, "%s/bookflow/console.conf", folder);
    else if (home)
        buf_printf(path, "%s/.config/bookflow/console.conf", home);
}

struct conf *conf_read(const char *path, struct buf *complaints, struct error *error)
{
    struct buf found AUTO(buf_release) = {0};
    struct buf text AUTO(buf_release) = {.maximum = FILE_MAX};
    if (!path)
        find_file(&found);
    const char *place = path ? path : buf_text(&found);
    if (!read_file(place, path, &text, error))
        return NULL;
    struct conf *conf AUTO(conf_release) = memory_new(1, sizeof *conf);
    *conf = *conf_default();
    conf->keymap = memory_new(1, sizeof *conf->keymap);
    *conf->keymap = keymap_default();
    const size_t length = text.length;
    conf->text = buf_take(&text);
    struct reader reader = {.conf = conf, .path = place, .complaints = complaints};
    read_lines(&reader, length);
    check_keys(&reader);
    if (reader.wrong > 0) {
        (void)error_set(error, ERROR_CONFIGURATION, "%s: %zu line%s wrong", place, reader.wrong,
                        reader.wrong > 1 ? "s are" : " is");
        return NULL;
    }
    struct conf *made = conf;
    conf = NULL;
    return made;
}

void conf_free(struct conf *conf)
{
    if (!conf)
        return;
    free(conf->keymap);
    free(conf->token_path);
    free(conf->text);
    free(conf);
}

void conf_release(struct conf **conf)
{
    conf_free(*conf);
    *conf = NULL;
}
