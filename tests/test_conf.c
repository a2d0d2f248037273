/* The console's settings: what a file may say, and how every bad line is named. */
#include "conf.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "keymap.h"

static char folder[] = "/tmp/bookflow-conf-XXXXXX";
static char path[sizeof folder + 16];

static void set_up(void)
{
    client_global_init();
    cr_assert(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/console.conf", folder);
    cr_assert_eq(setenv("XDG_CONFIG_HOME", folder, 1), 0);
    cr_assert_eq(setenv("HOME", "/home/zoe", 1), 0);
}

static void tear_down(void)
{
    (void)unlink(path);
    (void)rmdir(folder);
}

TestSuite(conf, .init = set_up, .fini = tear_down);

static void write_file(const char *text, size_t length)
{
    FILE *file = fopen(path, "w");
    cr_assert(file);
    cr_assert_eq(fwrite(text, 1, length, file), length);
    cr_assert_eq(fclose(file), 0);
}

static struct conf *read_text(const char *text, struct buf *complaints, struct error *error)
{
    write_file(text, strlen(text));
    return conf_read(path, complaints, error);
}

Test(conf, without_a_file_the_defaults_hold)
{
    struct buf complaints AUTO(buf_release) = {0};
    struct error error = {0};
    struct conf *conf AUTO(conf_release) = conf_read(NULL, &complaints, &error);
    cr_assert(conf, "%s", error.text);
    cr_expect_null(conf->url);
    cr_expect_null(conf->provider);
    cr_expect_null(conf->token_file);
    cr_expect_eq(conf->undo_seconds, 10);
    cr_expect_eq(conf->order, ORDER_OLDEST);
    cr_expect(conf->colour);
    cr_expect_not(conf->mouse);
    cr_expect_eq(conf->reason_count, conf_default()->reason_count);
    cr_expect_eq(complaints.length, 0);
}

Test(conf, a_file_that_was_named_must_be_there)
{
    struct buf complaints AUTO(buf_release) = {0};
    struct error error = {0};
    cr_expect_null(conf_read(path, &complaints, &error));
    cr_expect_eq(error.kind, ERROR_CONFIGURATION);
    cr_expect(strstr(error.text, path), "%s", error.text);
    error_clear(&error);
    cr_expect_null(conf_read(folder, &complaints, &error), "a folder");
    cr_expect_eq(error.kind, ERROR_CONFIGURATION);
}

Test(conf, every_setting_is_read)
{
    struct buf complaints AUTO(buf_release) = {0};
    struct error error = {0};
    struct conf *conf AUTO(conf_release) = read_text("# comment\n\n"
                                                     "  url=https://book.example\r\n"
                                                     "provider = salon-1\n"
                                                     "token_file = ~/token\n"
                                                     "\tundo_seconds\t=\t0\n"
                                                     "reason = Wir haben zu = # \n"
                                                     "reason = \xe5\xb1\xb1\n"
                                                     "order = name\n"
                                                     "mouse = on\n"
                                                     "colour = off\n"
                                                     "key accept = x F3\n"
                                                     "key  find = =",
                                                     &complaints, &error);
    cr_assert(conf, "%s%s", error.text, buf_text(&complaints));
    cr_expect_str_eq(conf->url, "https://book.example");
    cr_expect_str_eq(conf->provider, "salon-1");
    cr_expect_str_eq(conf->token_file, "/home/zoe/token");
    cr_expect_eq(conf->undo_seconds, 0);
    cr_assert_eq(conf->reason_count, 2, "the built-in ones are gone");
    cr_expect_str_eq(conf->reasons[0], "Wir haben zu = #");
    cr_expect_str_eq(conf->reasons[1], "\xe5\xb1\xb1");
    cr_expect_eq(conf->order, ORDER_NAME);
    cr_expect(conf->mouse);
    cr_expect_not(conf->colour);
    cr_expect_str_eq(keymap_find(conf->keymap, 'x', SHOW_INBOX)->name, "accept");
    cr_expect_str_eq(keymap_find(conf->keymap, KEY_CODE_F1 + 2, SHOW_INBOX)->name, "accept");
    cr_expect_null(keymap_find(conf->keymap, 'a', SHOW_INBOX));
    cr_expect_str_eq(keymap_find(conf->keymap, '=', SHOW_INBOX)->name, "find");
}

static void repeat(struct buf *text, const char *what, int times)
{
    for (int i = 0; i < times; i++)
        buf_text_append(text, what);
}

Test(conf, a_bad_line_is_named_with_its_number)
{
    static const struct {
        const char *text;
        const char *complaint;
    } cases[] = {
        {"colr = on", ":1: \"colr\" is no setting; there are url "},
        {"\n\nurl", ":3: expected NAME = VALUE"},
        {"= x", ":1: \"\" is no setting"},
        {"url =", ":1: url has no value"},
        {"url = nonsense", ":1: \"nonsense\" is not a URL"},
        {"url = http://a\nurl = http://b", ":2: url is set in line 1 already"},
        {"provider = a b", ":1: provider is 1 to 128 of"},
        {"token_file = token", ":1: token_file is a whole path"},
        {"token_file = ~zoe/token", ":1: token_file is a whole path"},
        {"undo_seconds = 61", ":1: undo_seconds is a whole number from 0 to 60, not \"61\""},
        {"undo_seconds = -1", ":1: undo_seconds is"},
        {"undo_seconds = 5x", ":1: undo_seconds is"},
        {"undo_seconds = 99999999999999999999", ":1: undo_seconds is"},
        {"order = newest", ":1: order is oldest, time or name, not \"newest\""},
        {"mouse = yes", ":1: mouse is on or off"},
        {"colour = 1", ":1: colour is on or off"},
        {"reason = \033[2J", ":1: this is not plain text in UTF-8"},
        {"reason = \xc2\x9b"
         "2J",
         ":1: this is not plain text in UTF-8"},
        {"reason = \xff", ":1: this is not plain text in UTF-8"},
        {"key fly = x", ":1: there is no action fly"},
        {"key accept = xx", ":1: xx is not the name of a key"},
        {"key accept = A", ":1: A can come from"},
        {"key accept = Enter", ":1: Enter always means"},
        {"key accept = r", ":1: "},
        {"key find = x\n\nkey accept = x", ":3: "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf complaints AUTO(buf_release) = {0};
        struct error error = {0};
        cr_expect_null(read_text(cases[i].text, &complaints, &error), "%s", cases[i].text);
        cr_expect_eq(error.kind, ERROR_CONFIGURATION, "%s", cases[i].text);
        cr_expect(strncmp(buf_text(&complaints), path, strlen(path)) == 0, "the file comes first");
        cr_expect(strstr(buf_text(&complaints), cases[i].complaint), "%s: %s", cases[i].text,
                  buf_text(&complaints));
    }
}

Test(conf, every_bad_line_is_named_in_one_run)
{
    struct buf complaints AUTO(buf_release) = {0};
    struct error error = {0};
    cr_expect_null(read_text("x = 1\nprovider = p\ny = 2\nmouse = off\nz", &complaints, &error));
    cr_expect(strstr(buf_text(&complaints), ":1: \"x\""));
    cr_expect(strstr(buf_text(&complaints), ":3: \"y\""));
    cr_expect(strstr(buf_text(&complaints), ":5: expected"));
    cr_expect(strstr(error.text, "3 lines are wrong"), "%s", error.text);
}

Test(conf, a_byte_that_ends_a_text_too_early_is_no_text)
{
    static const char text[] = "provider = p\0q\nundo_seconds = 3\n";
    struct buf complaints AUTO(buf_release) = {0};
    struct error error = {0};
    write_file(text, sizeof text - 1);
    cr_expect_null(conf_read(path, &complaints, &error));
    cr_expect(strstr(buf_text(&complaints), ":1: this is not plain text"));
}

Test(conf, there_are_limits)
{
    struct buf complaints AUTO(buf_release) = {0};
    struct error error = {0};
    struct buf text AUTO(buf_release) = {0};
    repeat(&text, "reason = r\n", CONF_REASONS_MAX);
    struct conf *conf AUTO(conf_release) = read_text(buf_text(&text), &complaints, &error);
    cr_expect(conf, "%s", buf_text(&complaints));
    repeat(&text, "reason = r\n", 1);
    cr_expect_null(read_text(buf_text(&text), &complaints, &error));
    cr_expect(strstr(buf_text(&complaints), ":21: there can be at most 20 reasons"));
    buf_clear(&complaints);
    buf_clear(&text);
    buf_text_append(&text, "reason = ");
    repeat(&text, "\xc3\xa4", 200);
    struct conf *long_one AUTO(conf_release) = read_text(buf_text(&text), &complaints, &error);
    cr_expect(long_one, "200 letters, 400 bytes: %s", buf_text(&complaints));
    repeat(&text, "\xc3\xa4", 1);
    cr_expect_null(read_text(buf_text(&text), &complaints, &error));
    cr_expect(strstr(buf_text(&complaints), "this one has 201"));
    error_clear(&error);
    repeat(&text, "# a line that fills the file until it is too large to be read\n", 2000);
    cr_expect_null(read_text(buf_text(&text), &complaints, &error));
    cr_expect(strstr(error.text, "larger than 64 KiB"), "%s", error.text);
}

/* The shell's test does the same for options and settings. */
Test(conf, the_manual_names_every_action)
{
    char line[256];
    bool found[ACTIONS_MAX] = {false};
    FILE *page = fopen(MANUAL, "r");
    cr_assert(page, MANUAL);
    while (fgets(line, sizeof line, page)) {
        for (size_t i = 0; action_at(i); i++) {
            char cell[64];
            (void)snprintf(cell, sizeof cell, " Ta %s Ta ", action_at(i)->name);
            found[i] = found[i] || strstr(line, cell);
        }
    }
    (void)fclose(page);
    for (size_t i = 0; action_at(i); i++)
        cr_expect(found[i], "%s is not in the manual", action_at(i)->name);
}
