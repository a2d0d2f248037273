/* The Query protocol: the form that is sent, and what its XML says. */
#include "wire.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const struct wire QUERY = {.target = NULL};
static const struct wire JSON = {.target = "AmazonSQS"};

Test(wire, a_form_holds_its_texts_escaped)
{
    const struct wire_field fields[] = {
        {"Action", "Publish"}, {"Message", "a&b=c d\n+\xC3\xA4"}, {NULL, NULL}};
    char *form = wire_form(fields);
    cr_expect_str_eq(form, "Action=Publish&Message=a%26b%3Dc%20d%0A%2B%C3%A4");
    free(form);
}

Test(wire, an_answer_is_one_of_the_service)
{
    static const struct {
        const struct wire *wire;
        const char *body;
        bool good;
    } cases[] = {
        {&QUERY, "<PublishResponse><ResponseMetadata><RequestId>r</RequestId>", true},
        {&QUERY, "", false},
        {&QUERY, "<html>welcome</html>", false},
        {&JSON, "", true},
        {&JSON, "{}", true},
        {&JSON, "<RequestId>r</RequestId>", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct exchange_answer answer = {
            .status = 200, .body = cases[i].body, .body_length = strlen(cases[i].body)};
        json_t *object = wire_answer(cases[i].wire, &answer);
        cr_expect_eq(object != NULL, cases[i].good, "case %zu", i);
        json_decref(object);
    }
}

Test(wire, a_refusal_is_classified_by_its_code)
{
    static const struct {
        const char *body;
        int status;
        enum failure_class class;
        const char *text;
    } cases[] = {
        {"<ErrorResponse><Error><Type>Sender</Type><Code>InvalidParameter</Code>"
         "<Message>no number</Message></Error></ErrorResponse>",
         400, FAILURE_REFUSED, "InvalidParameter: no number"},
        {"<Error><Code>Throttling</Code></Error>", 400, FAILURE_THROTTLED, "Throttling"},
        {"<Code>ExpiredToken</Code>", 403, FAILURE_EXPIRED, "ExpiredToken"},
        {"<html>bad gateway</html>", 502, FAILURE_TRANSIENT, "the service answered 502"},
        {"", 500, FAILURE_TRANSIENT, "the service answered 500"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct failure failure = {0};
        const struct exchange_answer answer = {
            .status = cases[i].status, .body = cases[i].body, .body_length = strlen(cases[i].body)};
        wire_failure(&QUERY, &answer, &failure);
        cr_expect_eq(failure.class, cases[i].class, "case %zu", i);
        cr_expect_str_eq(failure.text, cases[i].text, "case %zu: %s", i, failure.text);
    }
}
