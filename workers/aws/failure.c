/* Error answers, read and classified. The codes are those of the services' model files and of the
 * SDKs' retry lists; KmsThrottled is on neither list and yet is throttling. */
#include "failure.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "text.h"

static const struct {
    const char *code;
    enum failure_class class;
} CODES[] = {
    {"BandwidthLimitExceeded", FAILURE_THROTTLED},
    {"EC2ThrottledException", FAILURE_THROTTLED},
    {"KMS.ThrottlingException", FAILURE_THROTTLED},
    {"KmsThrottled", FAILURE_THROTTLED},
    {"LimitExceededException", FAILURE_THROTTLED},
    {"OverLimit", FAILURE_THROTTLED},
    {"PriorRequestNotComplete", FAILURE_THROTTLED},
    {"ProvisionedThroughputExceededException", FAILURE_THROTTLED},
    {"RequestLimitExceeded", FAILURE_THROTTLED},
    {"RequestThrottled", FAILURE_THROTTLED},
    {"RequestThrottledException", FAILURE_THROTTLED},
    {"SlowDown", FAILURE_THROTTLED},
    {"ThrottledException", FAILURE_THROTTLED},
    {"Throttling", FAILURE_THROTTLED},
    {"ThrottlingException", FAILURE_THROTTLED},
    {"TooManyRequestsException", FAILURE_THROTTLED},
    {"TransactionInProgressException", FAILURE_THROTTLED},
    {"InternalError", FAILURE_TRANSIENT},
    {"InternalFailure", FAILURE_TRANSIENT},
    {"InternalServerError", FAILURE_TRANSIENT},
    {"RequestTimeout", FAILURE_TRANSIENT},
    {"RequestTimeoutException", FAILURE_TRANSIENT},
    {"ServiceUnavailable", FAILURE_TRANSIENT},
    {"ExpiredToken", FAILURE_EXPIRED},
    {"ExpiredTokenException", FAILURE_EXPIRED},
    {"InvalidSignatureException", FAILURE_SKEWED},
    {"RequestExpired", FAILURE_SKEWED},
    {"RequestInTheFuture", FAILURE_SKEWED},
    {"RequestTimeTooSkewed", FAILURE_SKEWED},
    {"SignatureDoesNotMatch", FAILURE_SKEWED},
    {"AccessDenied", FAILURE_DENIED},
    {"AccessDeniedException", FAILURE_DENIED},
    {"AuthFailure", FAILURE_SKEWED},
    {"IncompleteSignature", FAILURE_CREDENTIALS},
    {"InvalidClientTokenId", FAILURE_CREDENTIALS},
    {"InvalidSecurity", FAILURE_DENIED},
    {"MissingAuthenticationToken", FAILURE_CREDENTIALS},
    {"MissingAuthenticationTokenException", FAILURE_CREDENTIALS},
    {"OptInRequired", FAILURE_CREDENTIALS},
    {"UnrecognizedClientException", FAILURE_CREDENTIALS},
};

enum failure_class failure_class_of(const char *code, int status)
{
    for (size_t i = 0; i < sizeof CODES / sizeof *CODES; i++)
        if (strcmp(code, CODES[i].code) == 0)
            return CODES[i].class;
    if (status == 429)
        return FAILURE_THROTTLED;
    return status >= 500 ? FAILURE_TRANSIENT : FAILURE_REFUSED;
}

/* Made safe it may be longer, and is cut again at a whole letter. */
static void copy_safe(char *out, size_t size, const char *text)
{
    struct buf safe AUTO(buf_release) = {.maximum = 4096};
    text_display(&safe, text, strnlen(text, size - 1));
    size_t length = safe.length < size ? safe.length : size - 1;
    while (length < safe.length && ((unsigned char)safe.data[length] & 0xC0) == 0x80)
        length--;
    (void)snprintf(out, size, "%.*s", (int)length, buf_text(&safe));
}

/* "com.amazonaws.sqs#QueueDoesNotExist", or with a URL behind a colon, as some services do. */
static void copy_code(struct failure *failure, const char *type)
{
    const char *hash = strchr(type, '#');
    const char *code = hash ? hash + 1 : type;
    const char *words = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._";
    const size_t length = strspn(code, words);
    (void)snprintf(failure->code, sizeof failure->code, "%.*s",
                   length < sizeof failure->code ? (int)length : 0, code);
}

static const char *text_of(const json_t *object, const char *name, const char *other)
{
    const char *text = json_string_value(json_object_get(object, name));
    if (!text && other)
        text = json_string_value(json_object_get(object, other));
    return text ? text : "";
}

void failure_read(struct failure *failure, int status, const char *body, size_t length)
{
    json_error_t ignored;
    json_t *object = json_loadb(body, length, 0, &ignored);
    copy_code(failure, text_of(object, "__type", "code"));
    failure->class = failure_class_of(failure->code, status);
    struct buf text AUTO(buf_release) = {0};
    /* Its first line: behind a wrong signature stands the request that it was for, tokens included.
     */
    const char *message = text_of(object, "message", "Message");
    buf_printf(&text, "%s%s%.*s", failure->code, failure->code[0] && message[0] ? ": " : "",
               (int)strcspn(message, "\r\n"), message);
    if (text.length == 0)
        buf_printf(&text, "the service answered %d", status);
    copy_safe(failure->text, sizeof failure->text, buf_text(&text));
    json_decref(object);
}

void failure_set(struct failure *failure, enum failure_class class, const char *text)
{
    failure->class = class;
    failure->code[0] = '\0';
    copy_safe(failure->text, sizeof failure->text, text);
}
