/* Errors: the first one stays, sentences keep whole letters, every kind has its policy. */
#include "errors.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(errors, filling_one_returns_false_and_keeps_kind_and_sentence)
{
    struct error error = {0};
    cr_assert_not(error_set(&error, ERROR_CONFLICT, "slot %s is taken", "s1"));
    cr_assert_eq(error.kind, ERROR_CONFLICT);
    cr_assert_str_eq(error.text, "slot s1 is taken");
}

Test(errors, the_first_failure_stays)
{
    struct error error = {0};
    (void)error_set(&error, ERROR_NOT_FOUND, "first");
    (void)error_set(&error, ERROR_INVALID, "second");
    cr_assert_eq(error.kind, ERROR_NOT_FOUND);
    cr_assert_str_eq(error.text, "first");
    error_clear(&error);
    (void)error_set(&error, ERROR_INVALID, "second");
    cr_assert_eq(error.kind, ERROR_INVALID);
    cr_assert_str_eq(error.text, "second");
}

Test(errors, context_goes_in_front_and_keeps_the_kind)
{
    struct error error = {0};
    cr_assert_not(error_context(&error, "nothing happened"));
    cr_assert_str_eq(error.text, "");
    (void)error_set(&error, ERROR_DAMAGED, "row 7 is short");
    cr_assert_not(error_context(&error, "audit of %s", "intake.db"));
    (void)error_context(&error, "doctor");
    cr_assert_eq(error.kind, ERROR_DAMAGED);
    cr_assert_str_eq(error.text, "doctor: audit of intake.db: row 7 is short");
}

/* A sentence of `fill` times "x" and then letters, into room for 383 bytes. */
static size_t length_of_cut(size_t fill, const char *letters)
{
    struct error error = {0};
    char *head = calloc(fill + 1, 1);
    memset(head, 'x', fill);
    (void)error_set(&error, ERROR_INVALID, "%s%s", head, letters);
    free(head);
    return strlen(error.text);
}

Test(errors, a_long_sentence_is_cut_before_the_letter_that_does_not_fit)
{
    static const struct {
        const char *name;
        size_t fill;
        const char *letters;
        size_t expected;
    } CASES[] = {
        {"ascii", 382, "abc", 383},
        {"fits exactly", 380, "\u20AC", 383},
        {"two bytes, one fits", 382, "\u00E9", 382},
        {"two bytes, both fit", 381, "\u00E9z", 383},
        {"three bytes, one fits", 382, "\u20AC", 382},
        {"three bytes, two fit", 381, "\u20AC", 381},
        {"three bytes, all fit", 380, "\u20ACz", 383},
        {"four bytes, one fits", 382, "\U0001F600", 382},
        {"four bytes, three fit", 380, "\U0001F600", 380},
        {"four bytes, all fit", 379, "\U0001F600z", 383},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        cr_expect_eq(length_of_cut(CASES[i].fill, CASES[i].letters), CASES[i].expected, "%s",
                     CASES[i].name);
}

Test(errors, context_cuts_on_a_whole_letter_too)
{
    struct error error = {0};
    char filler[376];
    memset(filler, 'x', sizeof filler);
    filler[sizeof filler - 1] = '\0';
    (void)error_set(&error, ERROR_INVALID, "%s\u20AC", filler);
    (void)error_context(&error, "ctx");
    /* 5 + 375 leaves 3 bytes: the sign fits; one byte of context more and it does not. */
    cr_assert_eq(strlen(error.text), 383);
    error_clear(&error);
    (void)error_set(&error, ERROR_INVALID, "%s\u20AC", filler);
    (void)error_context(&error, "ctx1");
    cr_assert_eq(strlen(error.text), 381);
}

Test(errors, every_kind_says_what_follows)
{
    static const struct {
        enum error_kind kind;
        struct error_policy policy;
    } CASES[] = {
        {ERROR_INVALID, {"invalid", 400, 1, false}},
        {ERROR_UNPROCESSABLE, {"unprocessable", 422, 1, false}},
        {ERROR_UNAUTHORISED, {"unauthorised", 401, 77, false}},
        {ERROR_FORBIDDEN, {"forbidden", 403, 77, false}},
        {ERROR_NOT_FOUND, {"not_found", 404, 1, false}},
        {ERROR_CONFLICT, {"conflict", 409, 1, false}},
        {ERROR_TOO_LARGE, {"too_large", 413, 1, false}},
        {ERROR_UNSUPPORTED, {"unsupported", 415, 1, false}},
        {ERROR_BUSY, {"busy", 429, 75, true}},
        {ERROR_UNAVAILABLE, {"unavailable", 503, 75, true}},
        {ERROR_USAGE, {"usage", 400, 2, false}},
        {ERROR_CONFIGURATION, {"configuration", 503, 78, true}},
        {ERROR_DAMAGED, {"damaged", 503, 1, true}},
    };
    const size_t count = sizeof CASES / sizeof CASES[0];
    cr_assert_eq(count, (size_t)ERROR_KINDS - 1, "a kind is missing here");
    for (size_t i = 0; i < count; i++) {
        const struct error_policy *found = error_policy(CASES[i].kind);
        const struct error_policy *wanted = &CASES[i].policy;
        cr_expect_str_eq(found->name, wanted->name);
        cr_expect_eq(found->http_status, wanted->http_status, "%s", wanted->name);
        cr_expect_eq(found->exit_code, wanted->exit_code, "%s", wanted->name);
        cr_expect_eq(found->retry, wanted->retry, "%s", wanted->name);
    }
    cr_assert_eq(error_policy(ERROR_NONE)->exit_code, 0);
}
