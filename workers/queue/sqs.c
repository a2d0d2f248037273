/* An open SQS queue: its URL, its calls and how they end. What each call says is in the files
 * beside it. */
#include "sqs.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "buf.h"
#include "endpoint.h"
#include "json_fields.h"
#include "profile.h"

enum { REGION_SIZE = 64 };

/* --- the URL --- */

/* https://HOST/ACCOUNT/NAME. */
static const char *path_of(const char *url)
{
    const char *host = strstr(url, "://");
    return host ? strchr(host + 3, '/') : NULL;
}

bool sqs_check(const char *url, struct error *error)
{
    struct endpoint endpoint;
    const char *path = path_of(url);
    const char *name = path ? strrchr(path, '/') + 1 : "";
    if (!endpoint_parse(url, &endpoint, error))
        return false;
    return (path && strlen(path) > 1 && *name && !strpbrk(path, "?# ")) ||
           error_set(error, ERROR_CONFIGURATION,
                     "\"%.128s\" is no queue URL: write https://sqs.REGION.amazonaws.com/ACCOUNT/"
                     "NAME",
                     url);
}

/* sqs.REGION.amazonaws.com, or a VPC endpoint: VPCE.sqs.REGION.vpce.amazonaws.com. */
static bool region_of_host(const char *url, char region[REGION_SIZE])
{
    const char *host = strstr(url, "://");
    const char *sqs = host ? strstr(host, "sqs.") : NULL;
    const size_t length = sqs ? strcspn(sqs + 4, "./:") : 0;
    if (length == 0 || length >= REGION_SIZE || sqs[4 + length] != '.' ||
        (sqs[-1] != '/' && sqs[-1] != '.'))
        return false;
    (void)snprintf(region, REGION_SIZE, "%.*s", (int)length, sqs + 4);
    return true;
}

static bool find_region(const struct account *account, const struct profile *profile,
                        const char *url, char region[REGION_SIZE])
{
    const char *given = account_region(account, profile);
    if (!given)
        return region_of_host(url, region);
    return snprintf(region, REGION_SIZE, "%s", given) < REGION_SIZE;
}

/* --- failures --- */

void sqs_failure(const struct failure *failure, struct error *error)
{
    static const enum error_kind KINDS[] = {
        [FAILURE_THROTTLED] = ERROR_BUSY,           [FAILURE_TRANSIENT] = ERROR_UNAVAILABLE,
        [FAILURE_EXPIRED] = ERROR_UNAUTHORISED,     [FAILURE_SKEWED] = ERROR_UNAUTHORISED,
        [FAILURE_CREDENTIALS] = ERROR_UNAUTHORISED, [FAILURE_DENIED] = ERROR_FORBIDDEN,
        [FAILURE_REFUSED] = ERROR_INVALID,
    };
    static const struct {
        const char *code;
        enum error_kind kind;
        const char *hint;
    } CODES[] = {
        {"BatchRequestTooLong", ERROR_TOO_LARGE, ""},
        {"QueueDoesNotExist", ERROR_CONFIGURATION, " (check the queue's URL and AWS_REGION)"},
        {"SignatureDoesNotMatch", ERROR_UNAUTHORISED, " (check AWS_SECRET_ACCESS_KEY)"},
        {"InvalidClientTokenId", ERROR_UNAUTHORISED, " (check AWS_ACCESS_KEY_ID)"},
        {"UnrecognizedClientException", ERROR_UNAUTHORISED, " (check AWS_ACCESS_KEY_ID)"},
        {"ExpiredToken", ERROR_UNAUTHORISED, " (check AWS_SESSION_TOKEN)"},
        {"ExpiredTokenException", ERROR_UNAUTHORISED, " (check AWS_SESSION_TOKEN)"},
    };
    for (size_t i = 0; i < sizeof CODES / sizeof *CODES; i++)
        if (strcmp(failure->code, CODES[i].code) == 0) {
            (void)error_set(error, CODES[i].kind, "SQS: %s%s", failure->text, CODES[i].hint);
            return;
        }
    (void)error_set(error, KINDS[failure->class], "SQS: %s", failure->text);
}

enum error_kind sqs_entry_kind(const char *code, bool senders_fault)
{
    static const char *const GONE[] = {"ReceiptHandleIsInvalid", "MessageNotInflight",
                                       "AWS.SimpleQueueService.MessageNotInflight"};
    for (size_t i = 0; i < sizeof GONE / sizeof *GONE; i++)
        if (strcmp(code, GONE[i]) == 0)
            return ERROR_NOT_FOUND;
    switch (failure_class_of(code, 0)) {
    case FAILURE_THROTTLED:
        return ERROR_BUSY;
    case FAILURE_REFUSED:
        return senders_fault ? ERROR_INVALID : ERROR_UNAVAILABLE;
    case FAILURE_TRANSIENT:
    case FAILURE_EXPIRED:
    case FAILURE_SKEWED:
    case FAILURE_CREDENTIALS:
    case FAILURE_DENIED:
        break;
    }
    return ERROR_UNAVAILABLE;
}

/* --- calls --- */

struct sqs_call *sqs_call_new(struct queue *queue, const char *action, void *context)
{
    struct sqs *sqs = (struct sqs *)queue; /* its first member */
    struct sqs_call *call = memory_new(1, sizeof *call);
    call->queue = sqs;
    call->action = action;
    call->context = context;
    call->timeout_ms = CALL_TIMEOUT_MS;
    call->next = sqs->first;
    if (call->next)
        call->next->previous = call;
    sqs->first = call;
    return call;
}

static void call_end(struct sqs_call *call, const json_t *answer, const struct error *failure)
{
    call->answer(call, answer, failure);
    *(call->previous ? &call->previous->next : &call->queue->first) = call->next;
    if (call->next)
        call->next->previous = call->previous;
    buf_release(&call->body);
    free(call);
}

/* The connections are shared: this may happen while another queue is stepped, behind the owner's
 * back, who has something to do now. */
static void call_done(void *context, const json_t *answer, const struct failure *failure)
{
    struct sqs_call *call = context;
    struct error error = {0};
    if (call->queue->host.wake)
        call->queue->host.wake(call->queue->host.context);
    call->call = NULL;
    if (failure)
        sqs_failure(failure, &error);
    queue_count_call(&call->queue->queue, call->action, error.kind);
    call_end(call, answer, failure ? &error : NULL);
}

static void call_send(struct sqs_call *call, const char *url)
{
    buf_text_append(&call->body, ",\"QueueUrl\":");
    json_append_text(&call->body, url);
    buf_char(&call->body, '}');
    call->call = service_begin(call->queue->service,
                               &(struct service_request){.action = call->action,
                                                         .body = buf_take(&call->body),
                                                         .timeout_ms = call->timeout_ms,
                                                         .is_poll = call->is_poll},
                               call_done, call);
}

void sqs_call_begin(struct sqs_call *call)
{
    struct sqs *queue = call->queue;
    if (!call->for_dead_letters)
        call_send(call, queue->url);
    else if (queue->dead_letters != DEAD_LETTERS_KNOWN)
        sqs_find_dead_letters(queue);
    else if (queue->dead_letter_url)
        call_send(call, queue->dead_letter_url);
    else {
        (void)error_set(&call->failure, ERROR_CONFIGURATION,
                        "the queue has no dead-letter queue: give it a redrive policy");
        sqs_call_settle(call);
    }
}

void sqs_call_settle(struct sqs_call *call)
{
    call->due = true;
    if (call->queue->host.wake)
        call->queue->host.wake(call->queue->host.context);
}

/* An answer may begin new calls, which go in front, but ends none. */
static int64_t step(struct queue *queue)
{
    struct sqs *sqs = (struct sqs *)queue; /* its first member */
    struct sqs_call *next = NULL;
    for (struct sqs_call *call = sqs->first; call; call = next) {
        next = call->next;
        if (call->due)
            call_end(call, NULL, call->failure.kind ? &call->failure : NULL);
    }
    return account_step(sqs->host.account);
}

/* A poll given up may have been given messages a moment ago: they come again when their visibility
 * timeout is over, and no attempt of ours was counted. */
static void stop_waiting(struct queue *queue)
{
    const struct sqs *sqs = (struct sqs *)queue; /* its first member */
    for (struct sqs_call *call = sqs->first; call; call = call->next)
        if (call->is_poll && call->call) {
            service_cancel(call->call);
            call->call = NULL;
            sqs_call_settle(call);
        }
}

static int fd(const struct queue *queue)
{
    const struct sqs *sqs = (const struct sqs *)queue; /* its first member */
    return account_fd(sqs->host.account);
}

static void close_queue(struct queue *queue)
{
    struct sqs *sqs = (struct sqs *)queue; /* its first member */
    struct error closed = {0};
    (void)error_set(&closed, ERROR_UNAVAILABLE, "the queue was closed");
    service_free(sqs->service);
    while (sqs->first) {
        const struct sqs_call *call = sqs->first;
        call_end(sqs->first, NULL, &closed);
        assert(sqs->first != call); /* it has left the list, or this would not end */
    }
    free(sqs->url);
    free(sqs->dead_letter_url);
    free(sqs);
}

static const struct queue_ops OPS = {
    .send = sqs_send,
    .send_dead_letter = sqs_send_dead_letter,
    .receive = sqs_receive,
    .stop_waiting = stop_waiting,
    .delete_batch = sqs_delete,
    .change_visibility = sqs_change_visibility,
    .attributes = sqs_attributes,
    .step = step,
    .fd = fd,
    .close = close_queue,
};

static struct service *open_service(const char *url, struct account *account, struct error *error)
{
    char region[REGION_SIZE];
    struct profile *profile AUTO(profile_release) = account_profile(account, error);
    if (!profile)
        return NULL;
    if (!find_region(account, profile, url, region)) {
        (void)error_set(error, ERROR_CONFIGURATION,
                        "AWS_REGION is not set, and the queue's URL names no region");
        return NULL;
    }
    const char *given = account_endpoint(account, profile, "sqs");
    return service_new(&(struct service_options){.account = account,
                                                 .name = "sqs",
                                                 .target = "AmazonSQS",
                                                 .endpoint = given ? given : url,
                                                 .region = region},
                       error);
}

struct queue *sqs_open(const char *url, const struct queue_host *host, struct error *error)
{
    if (!sqs_check(url, error))
        return NULL;
    if (!host->account) {
        (void)error_set(error, ERROR_CONFIGURATION, "%s: no AWS account to open it with", url);
        return NULL;
    }
    struct service *service = open_service(url, host->account, error);
    if (!service)
        return NULL;
    struct sqs *sqs = memory_new(1, sizeof *sqs);
    sqs->queue.ops = &OPS;
    sqs->host = *host;
    sqs->service = service;
    sqs->url = memory_text(url);
    sqs->fifo = queue_url_is_fifo(url);
    return &sqs->queue;
}
