/* The calls of one service: signing, trying again, the clock. */
#include "service.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "endpoint.h"
#include "hints.h"
#include "retry.h"
#include "sigv4.h"
#include "wire.h"

enum {
    CONNECT_TIMEOUT_MS = 5 * 1000,
    ANSWER_MAX = 16 * 1024 * 1024, /* ten messages of a MiB, escaped */
    SKEW_MATTERS_MS = 4 * 60 * 1000,
    HEADERS = 5
};

/* A call is in one list: on its way (an exchange, or credentials asked for) or waiting. */
struct service_call {
    struct service *service;
    struct service_call *next;
    struct service_call *previous;
    struct exchange *exchange; /* NULL while it waits */
    char *action;
    char *body;
    int64_t timeout_ms;
    bool is_poll;
    int tries;
    int taken;       /* tokens, for the last retry */
    int64_t sent_ms; /* ticks of this try */
    int64_t skew_ms; /* with which it was signed */
    int64_t due_ms;  /* ticks; when it waits */
    bool renewed;    /* credentials were refused as expired once */
    bool over;       /* waits only to be told its failure */
    struct failure failure;
    service_done_fn *done;
    void *context;
};

struct service {
    struct account_member member; /* first: the account steps this */
    struct account *account;
    const char *name;
    struct wire wire;
    char *url;
    char *host;
    char *region;
    bool plain;
    struct sigv4_cache signing;
    struct retry_bucket bucket;
    int64_t refused_until_ms; /* ticks; the credentials are refused */
    struct failure refusal;
    struct service_call *first;
    struct service_call *next; /* of the step that is under way */
    struct service_counts counts;
};

static int64_t ticks(const struct service *service)
{
    return world_ticks_ms(account_world(service->account));
}

/* --- the end of a call --- */

static void call_unlink(struct service_call *call)
{
    struct service *service = call->service;
    *(call->previous ? &call->previous->next : &service->first) = call->next;
    if (call->next)
        call->next->previous = call->previous;
    if (service->next == call)
        service->next = call->next;
}

static void call_free(struct service_call *call)
{
    free(call->action);
    free(call->body);
    free(call);
}

static void call_answered(struct service_call *call, const json_t *answer)
{
    retry_give(&call->service->bucket, call->taken);
    call->service->refused_until_ms = 0;
    call->service->refusal.text[0] = '\0';
    call_unlink(call);
    call->done(call->context, answer, NULL);
    call_free(call);
}

static void call_failed(struct service_call *call)
{
    call->service->counts.failed++;
    call_unlink(call);
    call->done(call->context, NULL, &call->failure);
    call_free(call);
}

/* What is due at once may have been passed already by the step that is under way. */
static void call_waits(struct service_call *call, int64_t delay_ms)
{
    call->due_ms = ticks(call->service) + delay_ms;
    exchanges_wake(account_exchanges(call->service->account));
}

/* Who we are was refused. Told to every call until it is tried again: a wrong secret is one fault,
 * not one a message. */
static void refuse(struct service *service, const struct failure *failure)
{
    service->refused_until_ms = ticks(service) + SERVICE_REFUSED_MS;
    service->refusal = *failure;
}

/* --- trying again --- */

static bool retryable(struct service_call *call, enum retry_cause *cause)
{
    struct service *service = call->service;
    const enum failure_class class = call->failure.class;
    *cause = class == FAILURE_THROTTLED ? RETRY_THROTTLED : RETRY_TRANSIENT;
    if (class == FAILURE_EXPIRED && !call->renewed) {
        call->renewed = true;
        credentials_refused(account_credentials(service->account), call->sent_ms);
        return true;
    }
    return class == FAILURE_THROTTLED || class == FAILURE_TRANSIENT;
}

static void call_retry_or_fail(struct service_call *call, int64_t asked_ms)
{
    struct service *service = call->service;
    const struct world *world = account_world(service->account);
    enum retry_cause cause = RETRY_TRANSIENT;
    const bool may = retryable(call, &cause);
    const int64_t delay = retry_delay_ms(world, cause, call->tries, asked_ms);
    service->counts.throttled += call->failure.class == FAILURE_THROTTLED;
    if (may && call->tries < RETRY_TRIES && retry_take(&service->bucket, cause, &call->taken)) {
        call_waits(call, delay);
        return;
    }
    if (call->failure.class == FAILURE_SKEWED)
        call->failure.class = FAILURE_CREDENTIALS;
    if (call->failure.class == FAILURE_CREDENTIALS || call->failure.class == FAILURE_EXPIRED)
        refuse(service, &call->failure);
    call->over = true;
    call_waits(call, call->is_poll && may ? delay : 0);
}

/* --- an answer --- */

/* The server's clock, from every answer that tells it. True: it is so different from the one that
 * the call was signed with that this was why it was refused. */
static bool learn_skew(const struct service_call *call, const struct exchange_answer *answer)
{
    struct service *service = call->service;
    const int64_t took_ms = ticks(service) - call->sent_ms;
    if (!hints_skew(answer, account_world(service->account), took_ms, &service->counts.skew_ms))
        return false;
    return llabs(service->counts.skew_ms - call->skew_ms) >= SKEW_MATTERS_MS;
}

static void read_failure(struct service_call *call, const struct exchange_answer *answer,
                         bool skewed)
{
    wire_failure(&call->service->wire, answer, &call->failure);
    const enum failure_class class = call->failure.class;
    if (skewed && (class == FAILURE_SKEWED || class == FAILURE_DENIED))
        call->failure.class = FAILURE_TRANSIENT;
}

static void exchange_done(void *context, const struct exchange_answer *answer,
                          const struct error *error)
{
    struct service_call *call = context;
    call->exchange = NULL;
    if (!answer) {
        failure_set(&call->failure,
                    error->kind == ERROR_UNAVAILABLE ? FAILURE_TRANSIENT : FAILURE_REFUSED,
                    error->text);
        call_retry_or_fail(call, -1);
        return;
    }
    const bool skewed = learn_skew(call, answer);
    json_t *object = answer->status == 200 ? wire_answer(&call->service->wire, answer) : NULL;
    if (object) {
        call_answered(call, object);
    } else if (answer->status == 200) {
        failure_set(&call->failure, FAILURE_TRANSIENT,
                    "the service answered 200 with something else");
        call_retry_or_fail(call, -1);
    } else {
        read_failure(call, answer, skewed);
        call_retry_or_fail(call, hints_retry_after_ms(answer));
    }
    json_decref(object);
}

/* --- a try --- */

static void send_signed(struct service_call *call, const struct credentials *credentials)
{
    struct service *service = call->service;
    char date[SIGV4_DATE_SIZE];
    struct buf target AUTO(buf_release) = {0};
    struct buf authorization AUTO(buf_release) = {0};
    call->sent_ms = ticks(service);
    call->skew_ms = service->counts.skew_ms;
    const int64_t now_s = (world_wall_ms(account_world(service->account)) + call->skew_ms) / 1000;
    sigv4_date(now_s, date);
    struct sigv4_header signing[HEADERS] = {
        {"Host", service->host},
        {"Content-Type", wire_content_type(&service->wire)},
        {"X-Amz-Date", date},
    };
    size_t count = 3;
    if (service->wire.target) {
        buf_printf(&target, "%s.%s", service->wire.target, call->action);
        signing[count++] = (struct sigv4_header){"X-Amz-Target", buf_text(&target)};
    }
    if (credentials->session_token)
        signing[count++] =
            (struct sigv4_header){"X-Amz-Security-Token", credentials->session_token};
    const struct sigv4_request request = {
        .method = "POST",
        .path = "/",
        .query = "",
        .headers = signing,
        .header_count = count,
        .body = call->body,
        .body_length = strlen(call->body),
        .region = service->region,
        .service = service->name,
        .time_s = now_s,
    };
    sigv4_authorization(&request,
                        &(struct sigv4_keys){credentials->access_key, credentials->secret_key},
                        &service->signing, &authorization);
    struct exchange_header headers[HEADERS + 2] = {{"Authorization", buf_text(&authorization)}};
    for (size_t i = 1; i < count; i++) /* all but Host, which libcurl writes itself */
        headers[i] = (struct exchange_header){signing[i].name, signing[i].value};
    call->exchange = exchange_begin(account_exchanges(service->account),
                                    &(struct exchange_request){
                                        .method = "POST",
                                        .url = service->url,
                                        .headers = headers,
                                        .body = call->body,
                                        .body_length = request.body_length,
                                        .timeout_ms = call->timeout_ms,
                                        .connect_timeout_ms = CONNECT_TIMEOUT_MS,
                                        .answer_maximum = ANSWER_MAX,
                                        .plain = service->plain,
                                    },
                                    exchange_done, call);
}

static void have_credentials(void *context, const struct credentials *credentials,
                             const struct error *error)
{
    struct service_call *call = context;
    if (credentials) {
        send_signed(call, credentials);
        return;
    }
    failure_set(&call->failure,
                error->kind == ERROR_UNAVAILABLE ? FAILURE_TRANSIENT : FAILURE_CREDENTIALS,
                error->text);
    if (call->failure.class == FAILURE_CREDENTIALS)
        refuse(call->service, &call->failure);
    call->over = true;
    call_waits(call, 0);
}

static void call_try(struct service_call *call)
{
    struct service *service = call->service;
    call->due_ms = INT64_MAX;
    call->tries++;
    service->counts.tries++;
    credentials_get(account_credentials(service->account), have_credentials, call);
}

struct service_call *service_begin(struct service *service, const struct service_request *request,
                                   service_done_fn *done, void *context)
{
    struct service_call *call = memory_new(1, sizeof *call);
    call->service = service;
    call->action = memory_text(request->action);
    call->body = request->body;
    call->timeout_ms = request->timeout_ms;
    call->is_poll = request->is_poll;
    call->done = done;
    call->context = context;
    call->next = service->first;
    if (call->next)
        call->next->previous = call;
    service->first = call;
    service->counts.calls++;
    if (ticks(service) >= service->refused_until_ms) {
        /* After a refusal this one asks for all; the others are told what is known. */
        if (service->refusal.text[0])
            service->refused_until_ms = ticks(service) + SERVICE_REFUSED_MS;
        call_try(call);
    } else {
        call->failure = service->refusal;
        call->over = true;
        call_waits(call, 0);
    }
    return call;
}

static void call_stop(struct service_call *call)
{
    if (call->exchange)
        exchange_cancel(call->exchange);
    else
        credentials_forget(account_credentials(call->service->account), call);
    call->exchange = NULL;
}

void service_cancel(struct service_call *call)
{
    call_stop(call);
    call_unlink(call);
    call_free(call);
}

/* done() may begin calls, which go in front, and cancel others. */
static int64_t service_step(struct account_member *member)
{
    struct service *service = (struct service *)member; /* its first member */
    const int64_t now = ticks(service);
    int64_t due = INT64_MAX;
    for (struct service_call *call = service->first; call; call = service->next) {
        service->next = call->next;
        if (call->exchange || call->due_ms > now)
            due = call->exchange || call->due_ms > due ? due : call->due_ms;
        else if (call->over)
            call_failed(call);
        else
            call_try(call);
    }
    return due == INT64_MAX ? -1 : due - now;
}

struct service_counts service_counts(const struct service *service)
{
    return service->counts;
}

struct service *service_new(const struct service_options *options, struct error *error)
{
    struct endpoint endpoint = {0};
    if (!endpoint_parse(options->endpoint, &endpoint, error))
        return NULL;
    struct service *service = memory_new(1, sizeof *service);
    struct buf url AUTO(buf_release) = {0};
    buf_printf(&url, "%s://%s/", endpoint.plain ? "http" : "https", endpoint.host);
    service->member.step = service_step;
    service->account = options->account;
    service->name = options->name;
    service->wire = (struct wire){options->target};
    service->region = memory_text(options->region);
    service->url = buf_take(&url);
    service->host = memory_text(endpoint.host);
    service->plain = endpoint.plain;
    service->bucket.tokens = RETRY_TOKENS;
    account_join(options->account, &service->member);
    return service;
}

void service_free(struct service *service)
{
    if (!service)
        return;
    account_leave(service->account, &service->member);
    while (service->first) {
        struct service_call *call = service->first;
        call_stop(call);
        failure_set(&call->failure, FAILURE_TRANSIENT, "stopped");
        call_failed(call);
        assert(service->first != call); /* it has left the list, or this would not end */
    }
    sigv4_cache_wipe(&service->signing);
    free(service->region);
    free(service->url);
    free(service->host);
    free(service);
}
