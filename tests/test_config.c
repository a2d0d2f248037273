/* Configuration: three sources in their order, the EnvironmentFile's syntax, complaints together.
 */
#include "config.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"

/* A folder of its own with an env file and a credentials folder in it. */
struct place {
    char folder[64], env[96], credentials[96];
};

static void write_file(const char *path, const char *text, size_t length)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, text, length), (ssize_t)length);
    cr_assert_eq(close(fd), 0);
}

static void place_init(struct place *place)
{
    (void)snprintf(place->folder, sizeof place->folder, "/tmp/bookflow-config-XXXXXX");
    cr_assert_not_null(mkdtemp(place->folder));
    (void)snprintf(place->env, sizeof place->env, "%s/env", place->folder);
    (void)snprintf(place->credentials, sizeof place->credentials, "%s/cred", place->folder);
    cr_assert_eq(mkdir(place->credentials, 0700), 0);
    (void)unsetenv("CREDENTIALS_DIRECTORY");
}

static void place_release(struct place *place)
{
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", place->folder);
    cr_assert_eq(system(command), 0);
}

static void add_credential(const struct place *place, const char *name, const char *value)
{
    char path[160];
    (void)snprintf(path, sizeof path, "%s/%s", place->credentials, name);
    write_file(path, value, strlen(value));
    (void)setenv("CREDENTIALS_DIRECTORY", place->credentials, 1);
}

static struct config *read_text(const struct place *place, const char *text)
{
    struct error error = {0};
    write_file(place->env, text, strlen(text));
    struct config *config = config_read(place->env, &error);
    cr_assert(config, "%s: %s", text, error.text);
    return config;
}

static const char *or_unset(const char *text)
{
    return text ? text : "(unset)";
}

Test(config, the_environment_wins_then_the_file_then_the_credentials)
{
    struct place place AUTO(place_release);
    place_init(&place);
    add_credential(&place, "B_ONE", "credential");
    add_credential(&place, "B_TWO", "credential");
    add_credential(&place, "B_THREE", "credential\n");
    (void)setenv("B_ONE", "environment", 1);
    struct config *config AUTO(config_release) = read_text(&place, "B_ONE=file\nB_TWO=file\n");
    cr_assert_str_eq(config_text(config, "B_ONE"), "environment");
    cr_assert_str_eq(config_text(config, "B_TWO"), "file");
    cr_assert_str_eq(config_text(config, "B_THREE"), "credential");
    cr_assert_null(config_text(config, "B_FOUR"));
}

Test(config, empty_counts_as_unset_and_the_next_source_is_asked)
{
    struct place place AUTO(place_release);
    place_init(&place);
    add_credential(&place, "B_TWO", "credential");
    add_credential(&place, "B_THREE", "\n");
    (void)setenv("B_ONE", "", 1);
    (void)setenv("B_TWO", "", 1);
    struct config *config AUTO(config_release) = read_text(&place, "B_ONE=file\nB_TWO=\n");
    cr_assert_str_eq(config_text(config, "B_ONE"), "file");
    cr_assert_str_eq(config_text(config, "B_TWO"), "credential");
    cr_assert_null(config_text(config, "B_THREE"));
}

Test(config, the_environment_is_read_once)
{
    struct error error = {0};
    (void)setenv("B_ONE", "before", 1);
    struct config *config AUTO(config_release) = config_read(NULL, &error);
    cr_assert_not_null(config);
    (void)setenv("B_ONE", "after", 1);
    cr_assert_str_eq(config_text(config, "B_ONE"), "before");
}

Test(config, a_credential_loses_one_newline_and_odd_names_are_left_alone)
{
    struct place place AUTO(place_release);
    place_init(&place);
    add_credential(&place, "B_ONE", "two\n\n");
    add_credential(&place, "not-a-name", "x");
    struct config *config AUTO(config_release) = read_text(&place, "");
    cr_assert_str_eq(config_text(config, "B_ONE"), "two\n");
    cr_assert_null(config_text(config, "not-a-name"));
}

Test(config, reads_the_syntax_of_an_environment_file)
{
    static const struct {
        const char *name, *text, *a, *b;
    } CASES[] = {
        {"plain", "A_A=1\nB_B=2\n", "1", "2"},
        {"no newline at the end", "A_A=1\nB_B=2", "1", "2"},
        {"carriage returns", "A_A=1\r\nB_B=2\r\n", "1", "2"},
        {"comments and empty lines", "# A_A=9\n\n  ; B_B=9\n\t\nA_A=1\n\nB_B=2", "1", "2"},
        {"a comment ends with its line", "# no \\\nA_A=1\nB_B=2", "1", "2"},
        {"no comment behind a value", "A_A=1 # x\nB_B=2;3", "1 # x", "2;3"},
        {"blanks around", "  A_A =  1  \n\tB_B\t=\t2\t\n", "1", "2"},
        {"blanks and equals within", "A_A=x y  z\nB_B=a=b==c", "x y  z", "a=b==c"},
        {"empty values", "A_A=\nB_B=\"\"\n", "(unset)", "(unset)"},
        {"the last one counts", "A_A=1\nA_A=2\nB_B=1\nB_B=", "2", "(unset)"},
        {"double quotes", "A_A=\"  x y  \"\nB_B=\"it's\"", "  x y  ", "it's"},
        {"single quotes", "A_A='  x y  '\nB_B='say \"hi\"'", "  x y  ", "say \"hi\""},
        {"escapes in double quotes", "A_A=\"\\\"\\\\\\`\\$\"\nB_B=\"\\n\\x\"", "\"\\`$", "\\n\\x"},
        {"none in single quotes", "A_A='a\\b\\'\nB_B=2", "a\\b\\", "2"},
        {"escapes outside quotes", "A_A=a\\b\\\\c\\\"\nB_B=x\\ ", "ab\\c\"", "x "},
        {"quotes within a plain value", "A_A=it's\nB_B=a\"b\"", "it's", "a\"b\""},
        {"quoted parts join", "A_A='a'\"b\"\nB_B=\"a\" b c", "ab", "ab c"},
        {"continued", "A_A=one\\\ntwo\nB_B=\"one\\\ntwo\"", "onetwo", "onetwo"},
        {"continued with returns", "A_A=one\\\r\ntwo\nB_B=2", "onetwo", "2"},
        {"quotes over lines", "A_A=\"one\ntwo\"\nB_B='x\ny'", "one\ntwo", "x\ny"},
        {"a backslash at the end", "B_B=2\nA_A=x\\", "x", "2"},
        {"no expansion", "A_A=1\nB_B=$A_A${A_A}", "1", "$A_A${A_A}"},
        {"bytes beyond ascii", "A_A=\u20AC\nB_B='\u00E9'", "\u20AC", "\u00E9"},
    };
    struct place place AUTO(place_release);
    place_init(&place);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct config *config AUTO(config_release) = read_text(&place, CASES[i].text);
        cr_expect_str_eq(or_unset(config_text(config, "A_A")), CASES[i].a, "%s: %s", CASES[i].name,
                         or_unset(config_text(config, "A_A")));
        cr_expect_str_eq(or_unset(config_text(config, "B_B")), CASES[i].b, "%s: %s", CASES[i].name,
                         or_unset(config_text(config, "B_B")));
    }
}

Test(config, a_bad_line_is_named)
{
    static const struct {
        const char *text, *where;
    } CASES[] = {
        {"A=1\nnonsense\n", "line 2: "},
        {"A=1\n\n# c\n=x\n", "line 4: "},
        {"1A=x", "line 1: "},
        {"A=\"x\ny\"\nB C=2", "line 3: "},
        {"A=x\\\ny\nexport B=2", "line 3: "},
        {"A=1\nB=\"open\nC=3\n", "line 2: "},
        {"A=1\nB='open", "line 2: "},
        {"A=1\r\nB\r\n", "line 2: "},
    };
    struct place place AUTO(place_release);
    place_init(&place);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct error error = {0};
        write_file(place.env, CASES[i].text, strlen(CASES[i].text));
        cr_expect_null(config_read(place.env, &error), "%s", CASES[i].text);
        cr_expect_eq(error.kind, ERROR_CONFIGURATION);
        cr_expect_not_null(strstr(error.text, CASES[i].where), "%s: %s", CASES[i].text, error.text);
        cr_expect_not_null(strstr(error.text, place.env), "the file is named");
    }
}

Test(config, files_that_cannot_be_used_are_named)
{
    struct place place AUTO(place_release);
    place_init(&place);
    struct error error = {0};
    cr_assert_null(config_read(place.env, &error));
    cr_assert_eq(error.kind, ERROR_CONFIGURATION);
    cr_assert_not_null(strstr(error.text, place.env));
    error_clear(&error);
    cr_assert_null(config_read(place.folder, &error), "a folder");
    error_clear(&error);
    write_file(place.env, "A=\0x", 4);
    cr_assert_null(config_read(place.env, &error), "a NUL");
    error_clear(&error);
    char *large = memory_new(1024 * 1024 + 1, 1);
    memset(large, '#', 1024 * 1024 + 1);
    write_file(place.env, large, 1024 * 1024 + 1);
    free(large);
    cr_assert_null(config_read(place.env, &error), "too large");
    error_clear(&error);
    (void)setenv("CREDENTIALS_DIRECTORY", "/nowhere/at/all", 1);
    cr_assert_null(config_read(NULL, &error));
    cr_assert_eq(error.kind, ERROR_CONFIGURATION);
    cr_assert_not_null(strstr(error.text, "/nowhere/at/all"));
}

Test(config, numbers_are_whole_and_within_bounds)
{
    static const struct {
        const char *value;
        bool good;
        int64_t number;
    } CASES[] = {
        {"", true, 8},      {"1", true, 1},
        {"100", true, 100}, {"007", true, 7},
        {"0", false, 8},    {"101", false, 8},
        {"-1", false, 8},   {"x", false, 8},
        {"5x", false, 8},   {" 5", false, 8},
        {"+5", false, 8},   {"5 ", false, 8},
        {"5.0", false, 8},  {"0x5", false, 8},
        {"-", false, 8},    {"99999999999999999999", false, 8},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct error error = {0};
        (void)setenv("B_NUMBER", CASES[i].value, 1);
        struct config *config AUTO(config_release) = config_read(NULL, &error);
        cr_expect_eq(config_number(config, "B_NUMBER", 8, 1, 100), CASES[i].number, "\"%s\"",
                     CASES[i].value);
        cr_expect_eq(config_check(config, &error), CASES[i].good, "\"%s\"", CASES[i].value);
    }
    struct error error = {0};
    (void)setenv("B_HUGE", "9223372036854775808", 1);
    (void)setenv("B_NUMBER", "-9223372036854775808", 1);
    struct config *config AUTO(config_release) = config_read(NULL, &error);
    cr_assert_eq(config_number(config, "B_NUMBER", 8, INT64_MIN, INT64_MAX), INT64_MIN);
    cr_assert_eq(config_number(config, "B_HUGE", 8, INT64_MIN, INT64_MAX), 8);
}

Test(config, flags_have_eight_words)
{
    static const struct {
        const char *value;
        bool fallback, good, flag;
    } CASES[] = {
        {"1", false, true, true},     {"on", false, true, true}, {"true", false, true, true},
        {"yes", false, true, true},   {"0", true, true, false},  {"off", true, true, false},
        {"false", true, true, false}, {"no", true, true, false}, {"", true, true, true},
        {"", false, true, false},     {"2", true, false, true},  {"ON", false, false, false},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct error error = {0};
        (void)setenv("B_FLAG", CASES[i].value, 1);
        struct config *config AUTO(config_release) = config_read(NULL, &error);
        cr_expect_eq(config_flag(config, "B_FLAG", CASES[i].fallback), CASES[i].flag, "\"%s\"",
                     CASES[i].value);
        cr_expect_eq(config_check(config, &error), CASES[i].good, "\"%s\"", CASES[i].value);
    }
}

Test(config, all_complaints_are_told_in_one_run)
{
    struct error error = {0};
    (void)setenv("B_NUMBER", "many\x1b[2J", 1);
    struct config *config AUTO(config_release) = config_read(NULL, &error);
    cr_assert(config_check(config, &error));
    cr_assert_null(config_complaint(config, 0));
    for (int i = 0; i < 2; i++)
        (void)config_number(config, "B_NUMBER", 8, 1, 100);
    cr_assert_not(config_check(config, &error));
    cr_assert_eq(error.kind, ERROR_CONFIGURATION);
    cr_assert_str_eq(error.text, "B_NUMBER: must be a whole number from 1 to 100, not \"many[2J\"");
    config_complain(config, "B_URL", "must start with %s", "https:");
    error_clear(&error);
    cr_assert_not(config_check(config, &error));
    cr_assert_eq(strncmp(error.text, "2 settings are wrong, the first is B_NUMBER: ", 45), 0);
    cr_assert_str_eq(config_complaint(config, 0),
                     "B_NUMBER: must be a whole number from 1 to 100, not \"many[2J\"");
    cr_assert_str_eq(config_complaint(config, 1), "B_URL: must start with https:");
    cr_assert_null(config_complaint(config, 2));
}

Test(config, freeing_nothing_is_fine)
{
    config_free(NULL);
}
