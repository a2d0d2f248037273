/* logfmt lines to one descriptor. Knows nothing of who logs; holds the one mutable global we allow,
 * the sink, which programs set up before they start threads. */
#include "log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "text.h"
#include "timestamp.h"
#include "world.h"

/* A runaway value must not push the rest of its line out of the journal. */
enum { VALUE_MAXIMUM = 1024 };

static struct {
    int fd;
    enum log_level least;
} sink = {.fd = STDERR_FILENO, .least = LOG_LEVEL_INFO};

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

/* Desktop sessions hand JOURNAL_STREAM down to their shells, hence the second question. */
static bool to_journal(void)
{
    return getenv("JOURNAL_STREAM") && !isatty(sink.fd);
}

static void append_head(struct buf *line, enum log_level level)
{
    if (to_journal()) {
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

static void append_text(struct buf *line, const char *text)
{
    struct buf escaped AUTO(buf_release) = {0};
    struct buf safe AUTO(buf_release) = {0};
    const size_t length = strnlen(text, VALUE_MAXIMUM);
    for (size_t i = 0; i < length; i++)
        append_escaped(&escaped, text[i]);
    text_display(&safe, buf_text(&escaped), escaped.length);
    if (text[length] != '\0')
        buf_text_append(&safe, "…");
    const bool plain = safe.length > 0 && !strpbrk(buf_text(&safe), " =\\");
    buf_printf(line, plain ? "%s" : "\"%s\"", buf_text(&safe));
}

static void append_field(struct buf *line, const struct log_field *field)
{
    buf_printf(line, " %s=", field->name);
    if (field->text)
        append_text(line, field->text);
    else
        buf_printf(line, "%lld", (long long)field->number);
}

void log_event(enum log_level level, const char *event, const struct log_field fields[])
{
    if (level < sink.least)
        return;
    struct buf line AUTO(buf_release) = {0};
    append_head(&line, level);
    buf_text_append(&line, event);
    for (const struct log_field *field = fields; field->name; field++)
        append_field(&line, field);
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
