/* Templates: loaded and checked once, filled for each letter. */
#include "templates.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "templates_default.h"
#include "text.h"

enum { FILE_MAX = 64 * 1024, NAME_COLUMNS = 60, TIME_SIZE = 48, DAY_SECONDS = 86400 };

static const struct {
    enum notice_channel channel;
    enum notice_recipient recipient;
    enum booking_status status;
    const char *name;
    const char *text;
} KINDS[] = {
    {CHANNEL_MAIL, TO_USER, BOOKING_CONFIRMED, "mail_user_confirmed", template_mail_user_confirmed},
    {CHANNEL_MAIL, TO_USER, BOOKING_REJECTED, "mail_user_rejected", template_mail_user_rejected},
    {CHANNEL_MAIL, TO_USER, BOOKING_CANCELLED, "mail_user_cancelled", template_mail_user_cancelled},
    {CHANNEL_MAIL, TO_PROVIDER, BOOKING_PENDING, "mail_provider_pending",
     template_mail_provider_pending},
    {CHANNEL_MAIL, TO_PROVIDER, BOOKING_CANCELLED, "mail_provider_cancelled",
     template_mail_provider_cancelled},
    {CHANNEL_SMS, TO_USER, BOOKING_CONFIRMED, "sms_user_confirmed", template_sms_user_confirmed},
    {CHANNEL_SMS, TO_USER, BOOKING_REJECTED, "sms_user_rejected", template_sms_user_rejected},
    {CHANNEL_SMS, TO_USER, BOOKING_CANCELLED, "sms_user_cancelled", template_sms_user_cancelled},
    {CHANNEL_SMS, TO_PROVIDER, BOOKING_PENDING, "sms_provider_pending",
     template_sms_provider_pending},
    {CHANNEL_SMS, TO_PROVIDER, BOOKING_CANCELLED, "sms_provider_cancelled",
     template_sms_provider_cancelled},
};
enum { KINDS_COUNT = sizeof KINDS / sizeof *KINDS };

struct templates {
    char *texts[KINDS_COUNT];
};

/* --- words --- */

typedef void word_fn(const struct letter *letter, struct buf *out);

void wording_name(const struct person *person, struct buf *out)
{
    struct buf safe AUTO(buf_release) = {0};
    text_display(&safe, person->name, strlen(person->name));
    (void)text_fit(out, buf_text(&safe), NAME_COLUMNS);
}

static void word_user(const struct letter *letter, struct buf *out)
{
    wording_name(&letter->user, out);
}

static void word_provider(const struct letter *letter, struct buf *out)
{
    wording_name(&letter->provider, out);
}

static void word_booking(const struct letter *letter, struct buf *out)
{
    buf_text_append(out, letter->booking.id);
}

static void word_reason(const struct letter *letter, struct buf *out)
{
    text_display(out, letter->notice.reason, strlen(letter->notice.reason));
}

static void word_by(const struct letter *letter, struct buf *out)
{
    if (strcmp(letter->notice.actor, "user") == 0)
        word_user(letter, out);
    else if (strcmp(letter->notice.actor, "provider") == 0)
        word_provider(letter, out);
}

static void put_day(int64_t seconds, struct buf *out)
{
    const time_t moment = seconds;
    struct tm tm = {0};
    char text[TIME_SIZE];
    (void)gmtime_r(&moment, &tm);
    (void)strftime(text, sizeof text, "%a %d %b %Y", &tm);
    buf_text_append(out, text);
}

static void put_clock(int64_t seconds, struct buf *out)
{
    buf_printf(out, "%02d:%02d", (int)(seconds / 3600 % 24), (int)(seconds / 60 % 60));
}

static void word_date(const struct letter *letter, struct buf *out)
{
    put_day(letter->booking.start_s, out);
}

static void word_start(const struct letter *letter, struct buf *out)
{
    put_day(letter->booking.start_s, out);
    buf_text_append(out, ", ");
    put_clock(letter->booking.start_s, out);
}

/* Without the day, unless it is another one. */
static void word_end(const struct letter *letter, struct buf *out)
{
    const struct booking *booking = &letter->booking;
    if (booking->start_s / DAY_SECONDS != booking->end_s / DAY_SECONDS) {
        put_day(booking->end_s, out);
        buf_text_append(out, ", ");
    }
    put_clock(booking->end_s, out);
}

static const struct {
    const char *name;
    word_fn *put;
} WORDS[] = {
    {"booking", word_booking},   {"by", word_by},
    {"date", word_date},         {"end", word_end},
    {"provider", word_provider}, {"reason", word_reason},
    {"start", word_start},       {"user", word_user},
};

/* The word in the braces that `at` stands on; *at is then behind them. NULL for anything else. */
static word_fn *read_word(const char **at, const char *end)
{
    const char *close = memchr(*at, '}', (size_t)(end - *at));
    const size_t length = close ? (size_t)(close - *at) - 1 : 0;
    for (size_t i = 0; close && i < sizeof WORDS / sizeof *WORDS; i++)
        if (strlen(WORDS[i].name) == length && memcmp(WORDS[i].name, *at + 1, length) == 0) {
            *at = close + 1;
            return WORDS[i].put;
        }
    return NULL;
}

/* --- filling --- */

/* One line; nothing when it has words and all of them are empty. */
static void fill_line(const char *line, const char *end, const struct letter *letter,
                      struct buf *out)
{
    struct buf filled AUTO(buf_release) = {0};
    bool has_words = false;
    bool has_text = false;
    for (const char *at = line; at < end;) {
        if (*at != '{' || (at + 1 < end && at[1] == '{')) {
            buf_char(&filled, *at);
            at += *at == '{' ? 2 : 1;
            continue;
        }
        word_fn *const put = read_word(&at, end); /* templates_load() has seen that it is one */
        const size_t before = filled.length;
        put(letter, &filled);
        has_words = true;
        has_text = has_text || filled.length > before;
    }
    if (has_words && !has_text)
        return;
    buf_append(out, buf_text(&filled), filled.length);
    buf_char(out, '\n');
}

static const char *line_end(const char *line)
{
    return line + strcspn(line, "\n");
}

static const char SUBJECT[] = "Subject: ";

void templates_fill(const struct templates *templates, const struct letter *letter,
                    struct wording *wording)
{
    const struct notice *notice = &letter->notice;
    size_t kind = 0;
    while (kind < KINDS_COUNT &&
           (KINDS[kind].channel != notice->channel || KINDS[kind].recipient != notice->recipient ||
            KINDS[kind].status != notice->status))
        kind++;
    if (kind == KINDS_COUNT)
        return;
    const char *line = templates->texts[kind];
    if (notice->channel == CHANNEL_MAIL) {
        const char *end = line_end(line);
        fill_line(line + strlen(SUBJECT), end, letter, &wording->subject);
        if (wording->subject.length > 0) /* its newline */
            wording->subject.data[--wording->subject.length] = '\0';
        line = end + 2; /* and the blank one */
    }
    for (; *line; line = *line_end(line) ? line_end(line) + 1 : line_end(line))
        fill_line(line, line_end(line), letter, &wording->text);
}

void wording_release(struct wording *wording)
{
    buf_release(&wording->subject);
    buf_release(&wording->text);
}

/* --- loading --- */

static const char *line_trouble(const char *at, const char *end)
{
    for (const char *c = at; c < end; c++)
        if ((unsigned char)*c < ' ' && *c != '\t')
            return "a control character";
    while (at < end) {
        const bool is_brace = *at == '{' && at + 1 < end && at[1] == '{';
        const bool is_word = *at == '{' && !is_brace;
        if (is_word && !read_word(&at, end))
            return "unknown placeholder; there are {booking} {by} {date} {end} {provider} {reason}"
                   " {start} {user}";
        if (!is_word)
            at += is_brace ? 2 : 1;
    }
    return NULL;
}

static const char *mail_trouble(const char *text, int *line)
{
    const char *end = line_end(text);
    *line = 1;
    if (strncmp(text, SUBJECT, strlen(SUBJECT)) != 0 || end == text + strlen(SUBJECT))
        return "a mail begins with \"Subject: \" and a subject";
    *line = 2;
    return end[0] && end[1] == '\n' ? NULL : "a blank line follows the subject";
}

static bool check(size_t kind, const char *path, const char *text, struct error *error)
{
    int number = 0;
    const char *trouble = KINDS[kind].channel == CHANNEL_MAIL ? mail_trouble(text, &number) : NULL;
    if (!trouble)
        number = 0;
    for (const char *line = text; !trouble && *line; line += *line == '\n') {
        const char *const end = line_end(line);
        number++;
        trouble = text_is_utf8(line, (size_t)(end - line)) ? line_trouble(line, end) : "not UTF-8";
        line = end;
    }
    if (!*text)
        trouble = "is empty";
    return !trouble || error_set(error, ERROR_CONFIGURATION, "%s:%d: %s", path,
                                 number > 0 ? number : 1, trouble);
}

static void file_close(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

/* Without the carriage returns of another system's line ends. *text stays NULL without a file. */
static bool read_file(const char *path, char **text, struct error *error)
{
    struct buf content AUTO(buf_release) = {.maximum = FILE_MAX};
    char some[4096];
    ssize_t count = 0;
    int fd AUTO(file_close) = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 && errno == ENOENT)
        return true;
    while (fd >= 0 && (count = read(fd, some, sizeof some)) > 0)
        for (ssize_t i = 0; i < count; i++)
            if (some[i] != '\r')
                buf_char(&content, some[i]);
    if (fd < 0 || count < 0)
        return error_set(error, ERROR_CONFIGURATION, "%s: %s", path, strerror(errno));
    if (content.overflow || strlen(buf_text(&content)) != content.length)
        return error_set(error, ERROR_CONFIGURATION, "%s:1: is no text of at most 64 KiB", path);
    *text = buf_take(&content);
    return true;
}

static bool load(struct templates *templates, size_t kind, const char *folder, struct error *error)
{
    struct buf path AUTO(buf_release) = {0};
    buf_printf(&path, "%s/%s.txt", folder ? folder : "templates", KINDS[kind].name);
    if (folder && !read_file(buf_text(&path), &templates->texts[kind], error))
        return false;
    if (!templates->texts[kind])
        templates->texts[kind] = memory_text(KINDS[kind].text);
    return check(kind, buf_text(&path), templates->texts[kind], error);
}

struct templates *templates_load(const char *folder, struct error *error)
{
    struct templates *templates = memory_new(1, sizeof *templates);
    bool good = !folder || access(folder, R_OK | X_OK) == 0 ||
                error_set(error, ERROR_CONFIGURATION, "cannot read the folder %s: %s", folder,
                          strerror(errno));
    for (size_t i = 0; good && i < KINDS_COUNT; i++)
        good = load(templates, i, folder, error);
    if (good)
        return templates;
    templates_free(templates);
    return NULL;
}

void templates_free(struct templates *templates)
{
    if (!templates)
        return;
    for (size_t i = 0; i < KINDS_COUNT; i++)
        free(templates->texts[i]);
    free(templates);
}
