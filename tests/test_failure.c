/* Error answers: what they mean, and that what they say is safe to show. */
#include "failure.h"

#include <criterion/criterion.h>
#include <string.h>

#include "text.h"

Test(failure, class_is_the_codes_and_then_the_statuss)
{
    static const struct {
        const char *code;
        int status;
        enum failure_class class;
    } cases[] = {
        {"RequestThrottled", 403, FAILURE_THROTTLED},
        {"ThrottlingException", 400, FAILURE_THROTTLED},
        {"Throttling", 400, FAILURE_THROTTLED},
        {"KmsThrottled", 400, FAILURE_THROTTLED},
        {"KMS.ThrottlingException", 400, FAILURE_THROTTLED},
        {"OverLimit", 403, FAILURE_THROTTLED},
        {"SlowDown", 503, FAILURE_THROTTLED},
        {"TooManyRequestsException", 429, FAILURE_THROTTLED},
        {"", 429, FAILURE_THROTTLED},
        {"Unheard", 429, FAILURE_THROTTLED},
        {"", 500, FAILURE_TRANSIENT},
        {"Unheard", 502, FAILURE_TRANSIENT},
        {"", 503, FAILURE_TRANSIENT},
        {"", 504, FAILURE_TRANSIENT},
        {"InternalError", 0, FAILURE_TRANSIENT},
        {"RequestTimeout", 400, FAILURE_TRANSIENT},
        {"ServiceUnavailable", 0, FAILURE_TRANSIENT},
        {"ExpiredToken", 400, FAILURE_EXPIRED},
        {"ExpiredTokenException", 403, FAILURE_EXPIRED},
        {"RequestTimeTooSkewed", 403, FAILURE_SKEWED},
        {"RequestExpired", 400, FAILURE_SKEWED},
        {"RequestInTheFuture", 400, FAILURE_SKEWED},
        {"SignatureDoesNotMatch", 403, FAILURE_SKEWED},
        {"InvalidSignatureException", 403, FAILURE_SKEWED},
        {"AuthFailure", 403, FAILURE_SKEWED},
        {"InvalidClientTokenId", 403, FAILURE_CREDENTIALS},
        {"UnrecognizedClientException", 400, FAILURE_CREDENTIALS},
        {"MissingAuthenticationToken", 403, FAILURE_CREDENTIALS},
        {"AccessDenied", 403, FAILURE_DENIED},
        {"AccessDeniedException", 400, FAILURE_DENIED},
        {"InvalidSecurity", 403, FAILURE_DENIED},
        {"QueueDoesNotExist", 400, FAILURE_REFUSED},
        {"BatchRequestTooLong", 400, FAILURE_REFUSED},
        {"ReceiptHandleIsInvalid", 404, FAILURE_REFUSED},
        {"InvalidMessageContents", 0, FAILURE_REFUSED},
        {"", 404, FAILURE_REFUSED},
        {"", 301, FAILURE_REFUSED},
        {"expiredtoken", 400, FAILURE_REFUSED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_assert_eq(failure_class_of(cases[i].code, cases[i].status), cases[i].class, "%s %d",
                     cases[i].code, cases[i].status);
}

Test(failure, code_and_text_are_read_from_whatever_the_answer_is)
{
    static const struct {
        const char *body, *code, *text;
    } cases[] = {
        {"{\"__type\":\"com.amazonaws.sqs#QueueDoesNotExist\",\"message\":\"no\"}",
         "QueueDoesNotExist", "QueueDoesNotExist: no"},
        {"{\"__type\":\"OverLimit\",\"Message\":\"no\"}", "OverLimit", "OverLimit: no"},
        {"{\"__type\":\"a#B:http://x/y\"}", "B", "B"},
        {"{\"code\":\"AccessDenied\"}", "AccessDenied", "AccessDenied"},
        {"{\"__type\":\"KMS.ThrottlingException\"}", "KMS.ThrottlingException",
         "KMS.ThrottlingException"},
        {"{\"message\":\"only words\"}", "", "only words"},
        {"{\"__type\":7,\"message\":{}}", "", "the service answered 400"},
        {"{\"__type\":\"#\",\"message\":null}", "", "the service answered 400"},
        {"{}", "", "the service answered 400"},
        {"[]", "", "the service answered 400"},
        {"\"x\"", "", "the service answered 400"},
        {"", "", "the service answered 400"},
        {"<html><body>Bad Gateway</body></html>", "", "the service answered 400"},
        {"{\"__type\":\"a#Q", "", "the service answered 400"},
        {"{\"__type\":\"a#Bad Code\\u001b[31m\"}", "Bad", "Bad"},
        {"{\"message\":\"a\\tb\\u001b[31m\\u202ec\\u0007\\nd\"}", "", "a b[31mc"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct failure failure = {0};
        failure_read(&failure, 400, cases[i].body, strlen(cases[i].body));
        cr_assert_str_eq(failure.code, cases[i].code, "%s", cases[i].body);
        cr_assert_str_eq(failure.text, cases[i].text, "%s", cases[i].body);
    }
}

Test(failure, code_that_is_too_long_is_none)
{
    struct failure failure = {0};
    char body[400] = "{\"__type\":\"";
    memset(body + 11, 'A', 200);
    memcpy(body + 211, "\"}", 3);
    failure_read(&failure, 400, body, strlen(body));
    cr_assert_str_eq(failure.code, "");
    cr_assert_eq(failure.class, FAILURE_REFUSED);
}

/* A letter cut in two would not be text any more, and no JSON writer takes it. */
Test(failure, text_is_cut_at_a_whole_letter)
{
    for (size_t offset = 0; offset < 4; offset++) {
        struct failure failure = {0};
        char text[2 * FAILURE_TEXT_SIZE] = {0};
        memset(text, 'a', offset);
        while (strlen(text) < FAILURE_TEXT_SIZE + 8)
            strcat(text, "\xe2\x82\xac");
        failure_set(&failure, FAILURE_TRANSIENT, text);
        cr_assert(text_is_utf8(failure.text, strlen(failure.text)), "offset %zu", offset);
        cr_assert_gt(strlen(failure.text), FAILURE_TEXT_SIZE - 8);
    }
}

/* What is malformed grows when it is made safe. */
Test(failure, text_that_grows_is_cut_at_a_whole_letter)
{
    for (size_t offset = 0; offset < 4; offset++) {
        struct failure failure = {0};
        char text[FAILURE_TEXT_SIZE] = {0};
        memset(text, 0xff, sizeof text - 1);
        memset(text, 'a', offset);
        failure_set(&failure, FAILURE_TRANSIENT, text);
        cr_assert(text_is_utf8(failure.text, strlen(failure.text)), "offset %zu", offset);
    }
}

/* AWS answers a wrong signature with the request that it was for. */
Test(failure, text_is_the_first_line_so_that_no_token_is_in_it)
{
    static const char body[] =
        "{\"__type\":\"SignatureDoesNotMatch\",\"message\":\"The Canonical String for this request "
        "should have been 'POST\\n/\\nx-amz-security-token:secret\"}";
    struct failure failure;
    failure_read(&failure, 403, body, sizeof body - 1);
    cr_expect_str_eq(failure.text, "SignatureDoesNotMatch: The Canonical String for this request "
                                   "should have been 'POST");
}
