/* The log: one line per fact, whatever is in the values. */
#include "log.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "buf.h"

/* A pipe in place of stderr. */
struct tap {
    int read_end, write_end;
    char text[16384];
};

static void tap_open(struct tap *tap)
{
    int ends[2];
    cr_assert_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    *tap = (struct tap){.read_end = ends[0], .write_end = ends[1]};
    log_to(tap->write_end);
}

static const char *tap_read(struct tap *tap)
{
    const ssize_t count = read(tap->read_end, tap->text, sizeof tap->text - 1);
    tap->text[count > 0 ? count : 0] = '\0';
    return tap->text;
}

static void tap_release(struct tap *tap)
{
    (void)close(tap->read_end);
    (void)close(tap->write_end);
}

/* Says of the tap that it is the journal, as systemd says of stderr. */
static void tap_is_journal(const struct tap *tap)
{
    struct stat status;
    char stream[48];
    cr_assert_eq(fstat(tap->write_end, &status), 0);
    (void)snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)status.st_dev,
                   (unsigned long long)status.st_ino);
    (void)setenv("JOURNAL_STREAM", stream, 1);
}

/* Another file than the tap. */
static void no_journal(void)
{
    (void)setenv("JOURNAL_STREAM", "8:12345", 1);
    log_journal_at("/nowhere/at/all");
}

/* A journald that is asked for and takes nothing. */
static void tap_open_as_journal(struct tap *tap)
{
    tap_open(tap);
    tap_is_journal(tap);
    log_journal_at("/nowhere/at/all");
}

Test(log, what_journald_does_not_take_starts_with_its_priority)
{
    static const struct {
        enum log_level level;
        const char *line;
    } CASES[] = {
        {LOG_LEVEL_DEBUG, "<7>slot.added\n"},
        {LOG_LEVEL_INFO, "<6>slot.added\n"},
        {LOG_LEVEL_WARN, "<4>slot.added\n"},
        {LOG_LEVEL_ERROR, "<3>slot.added\n"},
    };
    struct tap tap AUTO(tap_release);
    tap_open_as_journal(&tap);
    cr_assert(log_set_level("debug"));
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        log_event(CASES[i].level, "slot.added", LOG_NOTHING);
        cr_expect_str_eq(tap_read(&tap), CASES[i].line);
    }
}

Test(log, elsewhere_it_starts_with_time_and_level, .init = no_journal)
{
    struct tap tap AUTO(tap_release);
    tap_open(&tap);
    log_event(LOG_LEVEL_WARN, "queue.down", LOG(log_number("since_s", -3)));
    const char *line = tap_read(&tap);
    cr_assert_eq(strlen(line), strlen("2026-02-19T10:00:00Z level=warn queue.down since_s=-3\n"));
    cr_assert_eq(line[10], 'T');
    cr_assert_str_eq(line + 19, "Z level=warn queue.down since_s=-3\n");
}

Test(log, values_are_escaped_and_safe_to_show)
{
    static const struct {
        const char *name, *value, *shown;
    } CASES[] = {
        {"plain", "b-1", "b-1"},
        {"empty", "", "\"\""},
        {"a space", "a b", "\"a b\""},
        {"an equals sign", "a=b", "\"a=b\""},
        {"quotes", "say \"hi\"", "\"say \\\"hi\\\"\""},
        {"a quote alone", "\"", "\"\\\"\""},
        {"a backslash", "a\\b", "\"a\\\\b\""},
        {"a forged line", "x\nlevel=error evil", "\"x\\nlevel=error evil\""},
        {"tab and return", "a\t\rb", "\"a\\t\\rb\""},
        {"escape", "a\x1b[31m", "\"a\\x1b[31m\""},
        {"delete", "a\x7F", "\"a\\x7f\""},
        {"C1",
         "a\xC2\x9B"
         "b",
         "ab"},
        {"bidi", "a\u202Eb", "ab"},
        {"other scripts", "\u65E5\u672C", "\u65E5\u672C"},
        {"malformed", "a\xFF", "a\uFFFD"},
    };
    struct tap tap AUTO(tap_release);
    tap_open_as_journal(&tap);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct buf wanted AUTO(buf_release) = {0};
        buf_printf(&wanted, "<6>e v=%s n=7\n", CASES[i].shown);
        log_event(LOG_LEVEL_INFO, "e", LOG(log_text("v", CASES[i].value), log_number("n", 7)));
        cr_expect_str_eq(tap_read(&tap), buf_text(&wanted), "%s: %s", CASES[i].name, tap.text);
    }
}

/* A journald of our own, under an abstract name that is free. */
static int open_journald(char name[static 32])
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(name, 32, "@bookflow-test-%ld", (long)getpid());
    memcpy(address.sun_path + 1, name + 1, strlen(name + 1));
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const socklen_t used = (socklen_t)(sizeof address - sizeof address.sun_path + strlen(name));
    cr_assert_eq(bind(fd, (const struct sockaddr *)&address, used), 0);
    return fd;
}

Test(log, the_journal_gets_fields_as_fields)
{
    char name[32];
    char entry[4096] = "";
    struct tap tap AUTO(tap_release);
    const int journald = open_journald(name);
    tap_open(&tap);
    tap_is_journal(&tap);
    log_journal_at(name);
    log_event(LOG_LEVEL_WARN, "event.sent",
              LOG(log_text("booking_id", "b-1"), log_text("reason", "a \"b\"\nPRIORITY=0"),
                  log_text("message", "of its own"), log_number("count", -7)));
    cr_assert_gt(read(journald, entry, sizeof entry - 1), 0);
    cr_assert_str_eq(entry, "PRIORITY=4\nSYSLOG_IDENTIFIER=bookflow\nCODE=event.sent\n"
                            "MESSAGE=event.sent booking_id=b-1"
                            " reason=\"a \\\"b\\\"\\nPRIORITY=0\" message=\"of its own\""
                            " count=-7\n"
                            "BOOKING_ID=b-1\nREASON=a \\\"b\\\"\\nPRIORITY=0\nCOUNT=-7\n");
    cr_assert_str_eq(tap_read(&tap), "", "and stderr gets nothing");
    (void)close(journald);
}

Test(log, a_missing_text_is_an_empty_value)
{
    struct tap tap AUTO(tap_release);
    tap_open_as_journal(&tap);
    log_event(LOG_LEVEL_INFO, "e", LOG(log_text("v", NULL)));
    cr_assert_str_eq(tap_read(&tap), "<6>e v=\"\"\n");
}

Test(log, a_runaway_value_is_cut_and_the_line_still_ends)
{
    struct tap tap AUTO(tap_release);
    tap_open_as_journal(&tap);
    char huge[100000];
    memset(huge, 'x', sizeof huge);
    huge[sizeof huge - 1] = '\0';
    log_event(LOG_LEVEL_INFO, "e", LOG(log_text("v", huge), log_number("n", 1)));
    const char *line = tap_read(&tap);
    cr_assert_lt(strlen(line), 1200);
    cr_assert_str_eq(strstr(line, "x…"), "x… n=1\n");
}

Test(log, lines_below_the_level_are_not_written)
{
    struct tap tap AUTO(tap_release);
    tap_open_as_journal(&tap);
    log_event(LOG_LEVEL_DEBUG, "hidden", LOG_NOTHING);
    cr_assert_str_eq(tap_read(&tap), "", "info is the default");
    cr_assert(log_set_level("error"));
    log_event(LOG_LEVEL_WARN, "hidden", LOG_NOTHING);
    cr_assert_str_eq(tap_read(&tap), "");
    log_event(LOG_LEVEL_ERROR, "shown", LOG_NOTHING);
    cr_assert_str_eq(tap_read(&tap), "<3>shown\n");
}

Test(log, levels_have_names_and_no_others)
{
    static const char *const NAMES[] = {"debug", "info", "warn", "error"};
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
        cr_expect(log_set_level(NAMES[i]), "%s", NAMES[i]);
    cr_assert_not(log_set_level("loud"));
    cr_assert_not(log_set_level(""));
    cr_assert_not(log_set_level("INFO"));
}

Test(log, a_failure_names_its_kind_and_sentence)
{
    struct tap tap AUTO(tap_release);
    tap_open_as_journal(&tap);
    struct error error = {0};
    (void)error_set(&error, ERROR_INVALID, "row 7 is short");
    log_failure("audit.failed", &error);
    cr_assert_str_eq(tap_read(&tap), "<3>audit.failed error=invalid message=\"row 7 is short\"\n");
}

Test(log, damage_is_an_error_although_it_is_tried_again)
{
    struct tap tap AUTO(tap_release);
    tap_open_as_journal(&tap);
    struct error error = {0};
    (void)error_set(&error, ERROR_DAMAGED, "short");
    log_failure("audit.failed", &error);
    cr_assert_str_eq(tap_read(&tap), "<3>audit.failed error=damaged message=short\n");
}

Test(log, a_failure_that_may_pass_is_a_warning)
{
    struct tap tap AUTO(tap_release);
    tap_open_as_journal(&tap);
    struct error error = {0};
    (void)error_set(&error, ERROR_UNAVAILABLE, "refused");
    log_failure("queue.down", &error);
    cr_assert_str_eq(tap_read(&tap), "<4>queue.down error=unavailable message=refused\n");
}

Test(log, a_log_that_cannot_be_written_stops_nothing)
{
    struct tap tap;
    tap_open_as_journal(&tap);
    tap_release(&tap);
    log_event(LOG_LEVEL_INFO, "lost", LOG_NOTHING);
}
