/* logfmt lines to one descriptor. Knows nothing of who logs; holds the one mutable global we allow,
 * the sink, which programs set up before they start threads. */
#include "log.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "supervisor.h"
#include "text.h"
#include "timestamp.h"
#include "world.h"

/* A runaway value must not push the rest of its line out of the journal. */
enum { VALUE_MAXIMUM = 1024 };

static struct {
    int fd;
    enum log_level least;
    const char *journal; /* journald's own socket */
} sink = {.fd = STDERR_FILENO, .least = LOG_LEVEL_INFO, .journal = "/run/systemd/journal/socket"};

/* The priorities are syslog's. */
static const struct {
    const char *name;
    int priority;
} LEVELS[] = {
    [LOG_LEVEL_DEBUG] = {"debug", 7},
    [LOG_LEVEL_INFO] = {"info", 6},
    [LOG_LEVEL_WARN] = {"warn", 4},
    [LOG_LEVEL_ERROR] = {"error", 3},
};

/* JOURNAL_STREAM names the file that systemd made our stderr, and outlives a redirection of it. */
static bool to_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat status = {0};
    char own[48];
    if (!stream || fstat(sink.fd, &status) != 0)
        return false;
    (void)snprintf(own, sizeof own, "%llu:%llu", (unsigned long long)status.st_dev,
                   (unsigned long long)status.st_ino);
    return strcmp(stream, own) == 0;
}

static void append_head(struct buf *line, enum log_level level, bool journal)
{
    if (journal) {
        buf_printf(line, "<%d>", LEVELS[level].priority);
        return;
    }
    char now[TIMESTAMP_SIZE];
    (void)timestamp_format(world_wall_ms(world_real()) / 1000, now);
    buf_printf(line, "%s level=%s ", now, LEVELS[level].name);
}

/* Escapes what logfmt would misread and those controls that an operator wants to know of. */
static void append_escaped(struct buf *out, char c)
{
    static const char LETTERS[] = "\"\"\\\\\nn\tt\rr";
    for (size_t i = 0; i + 1 < sizeof LETTERS; i += 2) {
        if (LETTERS[i] == c) {
            buf_char(out, '\\');
            buf_char(out, LETTERS[i + 1]);
            return;
        }
    }
    if ((unsigned char)c < 0x20 || c == 0x7F)
        buf_printf(out, "\\x%02x", (unsigned)(unsigned char)c);
    else
        buf_char(out, c);
}

/* The value as it may be shown, one line. */
static void append_value(struct buf *out, const struct log_field *field)
{
    if (!field->text) {
        buf_printf(out, "%lld", (long long)field->number);
        return;
    }
    struct buf escaped AUTO(buf_release) = {0};
    const size_t length = strnlen(field->text, VALUE_MAXIMUM);
    for (size_t i = 0; i < length; i++)
        append_escaped(&escaped, field->text[i]);
    text_display(out, buf_text(&escaped), escaped.length);
    if (field->text[length] != '\0')
        buf_text_append(out, "…");
}

static void append_field(struct buf *line, const struct log_field *field)
{
    struct buf value AUTO(buf_release) = {0};
    append_value(&value, field);
    const bool plain = value.length > 0 && !strpbrk(buf_text(&value), " =\\");
    buf_printf(line, plain ? " %s=%s" : " %s=\"%s\"", field->name, buf_text(&value));
}

/* The journal's native protocol: a field a line. A field named "message" is in MESSAGE already. */
static void append_journal_field(struct buf *entry, const struct log_field *field)
{
    if (strcmp(field->name, "message") == 0)
        return;
    for (const char *c = field->name; *c; c++)
        buf_char(entry, (char)toupper((unsigned char)*c));
    buf_char(entry, '=');
    append_value(entry, field);
    buf_char(entry, '\n');
}

static bool tell_journal(enum log_level level, const char *line, const char *event,
                         const struct log_field fields[])
{
    struct buf entry AUTO(buf_release) = {0};
    buf_printf(&entry, "PRIORITY=%d\nSYSLOG_IDENTIFIER=bookflow\nCODE=%s\nMESSAGE=%s\n",
               LEVELS[level].priority, event, line);
    for (const struct log_field *field = fields; field->name; field++)
        append_journal_field(&entry, field);
    return datagram_send(sink.journal, buf_text(&entry), entry.length);
}

void log_event(enum log_level level, const char *event, const struct log_field fields[])
{
    if (level < sink.least)
        return;
    const bool journal = to_journal();
    struct buf line AUTO(buf_release) = {0};
    append_head(&line, level, journal);
    const size_t head = line.length;
    buf_text_append(&line, event);
    for (const struct log_field *field = fields; field->name; field++)
        append_field(&line, field);
    if (journal && tell_journal(level, buf_text(&line) + head, event, fields))
        return;
    buf_char(&line, '\n');
    /* One write, so that lines of several threads do not mix. A log that cannot be written has
     * nobody left to tell. */
    while (write(sink.fd, buf_text(&line), line.length) < 0 && errno == EINTR)
        ;
}

void log_failure(const char *event, const struct error *error)
{
    const struct error_policy *policy = error_policy(error->kind);
    const bool passing = error->kind == ERROR_BUSY || error->kind == ERROR_UNAVAILABLE;
    log_event(passing ? LOG_LEVEL_WARN : LOG_LEVEL_ERROR, event,
              LOG(log_text("error", policy->name), log_text("message", error->text)));
}

bool log_set_level(const char *name)
{
    for (size_t i = 0; i < sizeof LEVELS / sizeof LEVELS[0]; i++) {
        if (strcmp(LEVELS[i].name, name) == 0) {
            sink.least = (enum log_level)i;
            return true;
        }
    }
    return false;
}

void log_to(int fd)
{
    sink.fd = fd;
}

void log_journal_at(const char *socket_name)
{
    sink.journal = socket_name;
}
