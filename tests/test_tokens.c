/* Tokens: the file and its damage, what is let in, and changes beside a reader. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buf.h"
#include "tokens.h"

#define HEADER "bookflow tokens 1\n"
#define ID     "d1ad9f79c5def2db"
#define ID_2   "e62686057733f292"
#define SECRET "b98dcf7120d7386f62a0d7187399c727fccdf328d1f080a4a2f8e9e237eea60a"
#define HASH   "fbabeb581dd8bad492db935c0d6bc9924a08323d930372e1274e0993cde3e80b" /* of SECRET */
#define TIME   "2026-11-23T08:46:17Z"
#define GOOD   ID " " HASH " booker - " TIME " - app\n"
#define GOOD_2 ID_2 " " HASH " admin - " TIME " " TIME " root\n"

enum { NOW_S = 1795000000 };

/* --- A folder for the file. --- */

struct place {
    char folder[64];
    char file[80];
};

static void place_open(struct place *place)
{
    (void)snprintf(place->folder, sizeof place->folder, "/tmp/test_tokens.XXXXXX");
    cr_assert(mkdtemp(place->folder));
    (void)snprintf(place->file, sizeof place->file, "%s/tokens", place->folder);
}

static void place_close(const struct place *place)
{
    (void)unlink(place->file);
    cr_expect_eq(rmdir(place->folder), 0, "something was left in %s", place->folder);
}

static void put(const struct place *place, const char *text, mode_t mode)
{
    const int fd = open(place->file, O_WRONLY | O_CREAT | O_TRUNC, mode);
    cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    cr_assert_eq(fchmod(fd, mode), 0);
    (void)close(fd);
}

static void read_whole(const struct place *place, char *text, size_t size)
{
    const int fd = open(place->file, O_RDONLY);
    const ssize_t length = read(fd, text, size - 1);
    cr_assert_geq(length, 0);
    text[length] = '\0';
    (void)close(fd);
}

static struct token add(const struct place *place, const char *name, char text[TOKEN_TEXT_SIZE])
{
    struct token token = {.role = TOKEN_BOOKER, .created_s = NOW_S, .expires_s = INT64_MAX};
    struct error error = {0};
    (void)snprintf(token.name, sizeof token.name, "%s", name);
    cr_assert(tokens_add(place->file, &token, text, &error), "%s", error.text);
    return token;
}

/* --- Lines. --- */

Test(tokens, read_what_each_line_says_in_the_order_of_ids)
{
    static const char text[] = HEADER GOOD_2 GOOD "f000000000000000 " HASH " provider - " TIME
                                                  " " TIME " two words – yes\n";
    struct token_list list AUTO(token_list_release) = {.items = NULL};
    tokens_parse(&list, text, sizeof text - 1);
    cr_assert_eq(list.count, 3, "%s", list.trouble);
    cr_expect_eq(list.damaged, 0);
    cr_expect_str_eq(list.items[0].id, ID);
    cr_expect_eq(list.items[0].role, TOKEN_BOOKER);
    cr_expect_eq(list.items[0].expires_s, INT64_MAX);
    cr_expect_eq(list.items[1].role, TOKEN_ADMIN);
    cr_expect_eq(list.items[1].expires_s, list.items[1].created_s);
    cr_expect_str_eq(list.items[2].provider_id, "-", "a provider may be called so");
    cr_expect_str_eq(list.items[2].name, "two words – yes");
}

Test(tokens, take_a_damaged_line_for_no_token_and_name_it)
{
    static const struct {
        const char *name, *line;
    } cases[] = {
        {"empty", "\n"},
        {"comment", "# a comment\n"},
        {"one digit short", "d1ad9f79c5def2d " HASH " booker - " TIME " - app\n"},
        {"one digit more", "d1ad9f79c5def2dbb " HASH " booker - " TIME " - app\n"},
        {"capital digits", "D1AD9F79C5DEF2DB " HASH " booker - " TIME " - app\n"},
        {"short hash", ID " fbabeb58 booker - " TIME " - app\n"},
        {"no digit in the hash",
         ID " gbabeb581dd8bad492db935c0d6bc9924a08323d930372e1274e0993cde3e80b booker - " TIME
            " - app\n"},
        {"unknown role", ID " " HASH " boss - " TIME " - app\n"},
        {"empty role", ID " " HASH "  - " TIME " - app\n"},
        {"a booker of a provider", ID " " HASH " booker p1 " TIME " - app\n"},
        {"an admin of a provider", ID " " HASH " admin p1 " TIME " - app\n"},
        {"a provider that is no id", ID " " HASH " provider p/1 " TIME " - app\n"},
        {"no time", ID " " HASH " booker - soon - app\n"},
        {"another form of a time", ID " " HASH " booker - 2026-11-23T08:46:17+00:00 - app\n"},
        {"a damaged expiry", ID " " HASH " booker - " TIME " 2026-13-01T00:00:00Z app\n"},
        {"an expiry left out", ID " " HASH " booker - " TIME " app\n"},
        {"no name", ID " " HASH " booker - " TIME " -\n"},
        {"an empty name", ID " " HASH " booker - " TIME " - \n"},
        {"a name that acts", ID " " HASH " booker - " TIME " - a\033[2Jb\n"},
        {"a name of the trail", ID " " HASH " booker - " TIME " - system\n"},
        {"a carriage return", ID " " HASH " booker - " TIME " - app\r\n"},
        {"cut off", ID " " HASH " admin - " TIME " - ap"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct token_list list AUTO(token_list_release) = {.items = NULL};
        struct buf text AUTO(buf_release) = {0};
        buf_printf(&text, "%s%s%s", HEADER, GOOD_2, cases[i].line);
        tokens_parse(&list, buf_text(&text), text.length);
        cr_expect_eq(list.damaged, 1, "%s", cases[i].name);
        cr_expect_str_eq(list.trouble, "line 3 is no token", "%s", cases[i].name);
        cr_expect_eq(list.count, 1, "%s: the other line holds", cases[i].name);
    }
}

Test(tokens, believe_neither_of_two_lines_with_one_id)
{
    static const char text[] = HEADER GOOD GOOD_2 ID " " HASH " admin - " TIME " - boss\n";
    struct token_list list AUTO(token_list_release) = {.items = NULL};
    tokens_parse(&list, text, sizeof text - 1);
    cr_assert_eq(list.count, 1);
    cr_expect_str_eq(list.items[0].id, ID_2);
    cr_expect_eq(list.damaged, 2);
    cr_expect_str_eq(list.trouble, "2 lines have the id " ID);
}

Test(tokens, hold_nobody_in_a_file_of_another_kind)
{
    static const char *const texts[] = {"",
                                        "\n",
                                        GOOD,
                                        "bookflow tokens 2\n" GOOD,
                                        "bookflow tokens 1",
                                        "bookflow tokens 1\r\n" GOOD};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct token_list list AUTO(token_list_release) = {.items = NULL};
        tokens_parse(&list, texts[i], strlen(texts[i]));
        cr_expect_eq(list.count, 0, "case %zu", i);
        cr_expect_eq(list.damaged, 1, "case %zu", i);
        cr_expect_str_eq(list.trouble,
                         "line 1 is not \"bookflow tokens 1\", so no line is a token");
    }
}

Test(tokens, have_names_that_can_stand_in_the_trail)
{
    static const struct {
        const char *name;
        bool good;
    } cases[] = {
        {"a", true},
        {"front desk", true},
        {"Zoë", true},
        {"Provider", true},
        {"", false},
        {" a", false},
        {"a ", false},
        {"user", false},
        {"provider", false},
        {"system", false},
        {"queue", false},
        {"a\nb", false},
        {"a\tb", false},
        {"\xff", false},
        {"a\u202e", false},
        {"1234567890123456789012345678901234567890123456789012345678901234", true},
        {"12345678901234567890123456789012345678901234567890123456789012345", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error error = {0};
        cr_expect_eq(token_name_check(cases[i].name, &error), cases[i].good, "\"%s\"",
                     cases[i].name);
        cr_expect_eq(error.kind, cases[i].good ? ERROR_NONE : ERROR_USAGE);
    }
}

Test(tokens, are_read_from_a_header_in_one_form_only)
{
    static const struct {
        const char *header;
        bool good;
    } cases[] = {
        {"Bearer " ID "." SECRET, true},
        {"bEARER   " ID "." SECRET, true},
        {"Bearer " ID "." SECRET " \t", true},
        {"Bearer " ID "." SECRET "\r\nX: y", true},
        {"Bearer " ID "." SECRET " x", false},
        {"Bearer " ID "." SECRET ",", false},
        {"Bearer " ID "." SECRET "0", false},
        {"Bearer " ID "-" SECRET, false},
        {"Bearer " ID "." HASH SECRET, false},
        {"Bearer\t" ID "." SECRET, false},
        {"Bearer" ID "." SECRET, false},
        {ID "." SECRET, false},
        {"Basic " ID "." SECRET, false},
        {"Bearer D1AD9F79C5DEF2DB." SECRET, false},
        {"Bearer ", false},
        {"Bearer", false},
        {"", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char token[TOKEN_TEXT_SIZE];
        cr_expect_eq(tokens_bearer(cases[i].header, token), cases[i].good, "%s", cases[i].header);
        if (cases[i].good)
            cr_expect_str_eq(token, ID "." SECRET);
    }
}

/* --- Checking. --- */

Test(tokens, let_in_whoever_knows_the_secret_until_it_expires)
{
    static const char text[] = HEADER ID " " HASH " booker - " TIME " 2026-11-24T08:46:17Z app\n";
    static const struct {
        const char *presented;
        int64_t late_s;
        const char *sentence; /* NULL: let in */
    } cases[] = {
        {ID "." SECRET, -1, NULL},
        {ID "." SECRET, 0, "The bearer token has expired"},
        {ID_2 "." SECRET, -1, "The bearer token is not valid"},
        {ID "." HASH, -1, "The bearer token is not valid"},
        /* An expired one is told so only if it is the right one. */
        {ID "." HASH, 1, "The bearer token is not valid"},
    };
    struct place place;
    place_open(&place);
    put(&place, text, 0600);
    struct tokens *tokens = tokens_new(place.file);
    const int64_t expires_s = tokens_list(tokens)->items[0].expires_s;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error error = {0};
        const struct token *token =
            tokens_check(tokens, cases[i].presented, expires_s + cases[i].late_s, &error);
        cr_expect_eq(token != NULL, cases[i].sentence == NULL, "case %zu", i);
        cr_expect_eq(error.kind, cases[i].sentence ? ERROR_UNAUTHORISED : ERROR_NONE);
        cr_expect_str_eq(error.text, cases[i].sentence ? cases[i].sentence : "", "case %zu", i);
    }
    tokens_free(tokens);
    place_close(&place);
}

Test(tokens, are_refused_in_a_file_that_others_may_read_or_that_is_none)
{
    static const mode_t modes[] = {0640, 0604, 0620, 0602, 0660, 0644};
    struct place place;
    place_open(&place);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        struct error error = {0};
        struct token_list list;
        put(&place, HEADER GOOD, modes[i]);
        cr_expect_not(tokens_read(place.file, &list, &error));
        cr_expect_eq(error.kind, ERROR_CONFIGURATION);
        cr_expect(strstr(error.text, "chmod 600"));
        cr_expect_eq(list.count, 0);
        struct tokens *tokens = tokens_new(place.file);
        error_clear(&error);
        cr_expect_null(tokens_check(tokens, ID "." SECRET, NOW_S, &error));
        cr_expect_eq(error.kind, ERROR_UNAVAILABLE, "it may be good: not 401");
        tokens_free(tokens);
    }
    struct error error = {0};
    struct token_list list;
    cr_expect_not(tokens_read(place.folder, &list, &error), "a folder");
    place_close(&place);
}

Test(tokens, are_read_again_when_the_file_changes_and_only_then)
{
    struct place place;
    struct error error = {0};
    place_open(&place);
    struct tokens *tokens = tokens_new(place.file);
    const uint64_t first = tokens_generation(tokens);
    cr_expect_not(tokens_present(tokens));
    put(&place, HEADER GOOD, 0600);
    tokens_refresh(tokens);
    cr_expect_eq(tokens_generation(tokens), first + 1);
    const struct token token = *tokens_check(tokens, ID "." SECRET, NOW_S, &error);
    tokens_refresh(tokens);
    cr_expect_eq(tokens_generation(tokens), first + 1, "nothing has changed");
    cr_expect(tokens_still(tokens, &token, NOW_S));
    cr_assert_eq(chmod(place.file, 0644), 0);
    tokens_refresh(tokens);
    cr_expect_not(tokens_still(tokens, &token, NOW_S), "its mode has changed");
    cr_assert_eq(chmod(place.file, 0600), 0);
    tokens_refresh(tokens);
    cr_expect(tokens_still(tokens, &token, NOW_S));
    put(&place, HEADER ID " " HASH " admin - " TIME " - app\n", 0600);
    tokens_refresh(tokens);
    cr_expect_not(tokens_still(tokens, &token, NOW_S), "its role has changed");
    cr_assert_eq(unlink(place.file), 0);
    tokens_refresh(tokens);
    cr_expect_null(tokens_check(tokens, ID "." SECRET, NOW_S, &error));
    cr_expect_eq(error.kind, ERROR_UNAUTHORISED);
    tokens_free(tokens);
    place_close(&place);
}

/* --- Changing. --- */

Test(tokens, are_made_with_a_secret_that_the_file_does_not_hold)
{
    struct place place;
    char texts[2][TOKEN_TEXT_SIZE];
    char file[2048];
    struct stat facts;
    struct error error = {0};
    place_open(&place);
    for (size_t i = 0; i < 2; i++)
        (void)add(&place, "the same", texts[i]);
    cr_expect_str_neq(texts[0], texts[1]);
    cr_assert_eq(stat(place.file, &facts), 0);
    cr_expect_eq(facts.st_mode & 07777, 0600);
    read_whole(&place, file, sizeof file);
    struct tokens *tokens = tokens_new(place.file);
    for (size_t i = 0; i < 2; i++) {
        cr_expect_not(strstr(file, texts[i] + TOKEN_ID_SIZE), "the file holds a secret");
        const struct token *token = tokens_check(tokens, texts[i], NOW_S, &error);
        cr_assert(token, "both are good at once: %s", error.text);
        cr_expect_str_eq(token->name, "the same");
    }
    tokens_free(tokens);
    place_close(&place);
}

Test(tokens, are_taken_back_by_their_id_and_leave_the_others)
{
    struct place place;
    struct error error = {0};
    char text[TOKEN_TEXT_SIZE];
    char file[2048];
    place_open(&place);
    (void)add(&place, "stays", text);
    const struct token gone = add(&place, "goes", text);
    cr_assert(tokens_remove(place.file, gone.id, &error), "%s", error.text);
    read_whole(&place, file, sizeof file);
    cr_expect(strstr(file, " stays\n") && !strstr(file, gone.id));
    cr_expect_not(tokens_remove(place.file, gone.id, &error));
    cr_expect_eq(error.kind, ERROR_NOT_FOUND);
    error_clear(&error);
    cr_expect_not(tokens_remove(place.file, "", &error), "no id is the start of every line");
    cr_expect_eq(error.kind, ERROR_NOT_FOUND);
    place_close(&place);
}

Test(tokens, can_be_taken_back_beside_damage_but_not_added_to_it)
{
    struct place place;
    struct token token = {.role = TOKEN_ADMIN, .expires_s = INT64_MAX, .name = "new"};
    struct error error = {0};
    char text[TOKEN_TEXT_SIZE];
    char file[2048];
    place_open(&place);
    put(&place, HEADER "??\n" GOOD "cut off", 0600);
    cr_expect_not(tokens_add(place.file, &token, text, &error));
    cr_expect_eq(error.kind, ERROR_DAMAGED);
    cr_expect(strstr(error.text, "line 2 is no token"));
    error_clear(&error);
    cr_assert(tokens_remove(place.file, ID, &error), "%s", error.text);
    read_whole(&place, file, sizeof file);
    cr_expect_str_eq(file, HEADER "??\ncut off");
    put(&place, HEADER GOOD, 0644);
    cr_expect_not(tokens_remove(place.file, ID, &error), "a file that others may have written");
    cr_expect_eq(error.kind, ERROR_CONFIGURATION);
    place_close(&place);
}

Test(tokens, leave_the_old_file_when_the_new_one_cannot_be_written)
{
    struct place place;
    struct error error = {0};
    char text[TOKEN_TEXT_SIZE];
    struct token token = {.role = TOKEN_ADMIN, .expires_s = INT64_MAX, .name = "new"};
    place_open(&place);
    struct buf missing AUTO(buf_release) = {0};
    buf_printf(&missing, "%s/none/tokens", place.folder);
    cr_expect_not(tokens_add(buf_text(&missing), &token, text, &error));
    cr_expect_eq(error.kind, ERROR_CONFIGURATION);
    place_close(&place);
}

/* Two commands at once: each waits for the other, and none undoes the other's work. */
Test(tokens, survive_commands_at_the_same_time)
{
    enum { COMMANDS = 8 };
    struct place place;
    struct error error = {0};
    struct token_list list AUTO(token_list_release) = {.items = NULL};
    place_open(&place);
    for (int i = 0; i < COMMANDS; i++) {
        if (fork() != 0)
            continue;
        struct token token = {.role = TOKEN_BOOKER, .expires_s = INT64_MAX, .name = "one"};
        char text[TOKEN_TEXT_SIZE];
        _exit(!tokens_add(place.file, &token, text, &error));
    }
    for (int i = 0; i < COMMANDS; i++) {
        int status = 0;
        cr_assert(wait(&status) > 0);
        cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    cr_assert(tokens_read(place.file, &list, &error), "%s", error.text);
    cr_expect_eq(list.count, COMMANDS);
    cr_expect_eq(list.damaged, 0);
    place_close(&place);
}
