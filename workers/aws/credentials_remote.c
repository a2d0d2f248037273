/* The links that are asked over HTTP: the container's endpoint (ECS, EKS) and the instance metadata
 * service, version 2 only. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "credentials_private.h"
#include "endpoint.h"
#include "text.h"

enum {
    CONTAINER_TIMEOUT_MS = 2000,
    CONTAINER_TRIES = 3,
    INSTANCE_TIMEOUT_MS = 1000,
    AGAIN_MS = 200,
    ANSWER_MAX = 64 * 1024,
    SHOWN_MAX = 160,
    OUTLIVE_MS = 10 * 60 * 1000
};

/* --- questions --- */

static void question_wipe(struct question *question)
{
    free(question->url);
    text_wipe(&question->body);
    text_wipe(&question->header_value);
    *question = (struct question){0};
}

static void question_failed(struct credentials_chain *chain, enum error_kind kind, const char *text)
{
    struct error error = {0};
    (void)error_set(&error, kind, "%s: %s", chain->question.url, text);
    const bool optional = chain->question.optional;
    question_wipe(&chain->question);
    if (optional)
        chain_absent(chain, error.text);
    else
        chain_failed(chain, &error);
}

/* STS says that it could not reach who issued the token, or does not know it yet, with 400. */
static bool passes(const struct exchange_answer *answer)
{
    static const char *const codes[] = {"IDPCommunicationError", "InvalidIdentityToken",
                                        "Throttling"};
    bool known = !answer || answer->status >= 500 || answer->status == 429;
    for (size_t i = 0; answer && i < sizeof codes / sizeof *codes; i++)
        known = known || strstr(answer->body, codes[i]);
    return known;
}

/* With the beginning of what it said: XML, JSON or a sentence. */
static void question_refused(struct credentials_chain *chain, const struct exchange_answer *answer)
{
    struct buf text AUTO(buf_release) = {0};
    buf_printf(&text, "answered %d", answer->status);
    buf_text_append(&text, answer->body_length > 0 ? ": " : "");
    text_display(&text, answer->body, strnlen(answer->body, SHOWN_MAX));
    question_failed(chain, passes(answer) ? ERROR_UNAVAILABLE : ERROR_CONFIGURATION,
                    buf_text(&text));
}

static void question_done(void *context, const struct exchange_answer *answer,
                          const struct error *failure)
{
    struct credentials_chain *chain = context;
    struct question *question = &chain->question;
    question->exchange = NULL;
    if (answer && answer->status == 200) {
        answered_fn *answered = question->answered;
        question_wipe(question);
        answered(chain, answer->body, answer->body_length);
    } else if (passes(answer) && --question->tries_left > 0) {
        question->again_ms = world_ticks_ms(chain->options.world) + AGAIN_MS;
    } else if (answer) {
        question_refused(chain, answer);
    } else {
        question_failed(chain, ERROR_UNAVAILABLE, failure->text);
    }
}

static void question_begin(struct credentials_chain *chain)
{
    struct question *question = &chain->question;
    const struct exchange_header headers[] = {{question->header, question->header_value},
                                              {NULL, NULL}};
    question->again_ms = 0;
    question->exchange = exchange_begin(
        chain->options.exchanges,
        &(struct exchange_request){.method = question->method,
                                   .url = question->url,
                                   .headers = headers,
                                   .body = question->body,
                                   .body_length = question->body ? strlen(question->body) : 0,
                                   .timeout_ms = question->timeout_ms,
                                   .connect_timeout_ms = question->timeout_ms,
                                   .answer_maximum = ANSWER_MAX,
                                   .plain = question->plain},
        question_done, chain);
}

void chain_ask(struct credentials_chain *chain, const struct question_options *options,
               answered_fn *answered)
{
    chain->question = (struct question){
        .method = options->method,
        .url = memory_text(options->url),
        .body = options->body ? memory_text(options->body) : NULL,
        .header = options->header,
        .header_value = options->value ? memory_text(options->value) : NULL,
        .timeout_ms = options->timeout_ms,
        .tries_left = options->tries,
        .plain = options->plain,
        .optional = options->optional,
        .answered = answered,
    };
    question_begin(chain);
}

int64_t question_step(struct credentials_chain *chain)
{
    const int64_t again_ms = chain->question.again_ms;
    const int64_t now = world_ticks_ms(chain->options.world);
    if (again_ms == 0)
        return -1;
    if (again_ms > now)
        return again_ms - now;
    question_begin(chain);
    return -1;
}

void question_stop(struct credentials_chain *chain)
{
    if (chain->question.exchange)
        exchange_cancel(chain->question.exchange);
    question_wipe(&chain->question);
}

/* Those that have ended when they are given: the service has trouble and its keys are to be used
 * on, as the SDKs do, or our clock is wrong, which only the called service's Date will tell. */
static void outlive(struct credentials_chain *chain)
{
    const struct world *world = chain->options.world;
    const int64_t now = world_wall_ms(world);
    int64_t *const expires_ms = &chain->fresh.expires_ms;
    if (*expires_ms > 0 && *expires_ms <= now)
        *expires_ms = now + world_between(world, OUTLIVE_MS, INT64_C(2) * OUTLIVE_MS);
}

/* What both answer in the end. */
static void take(struct credentials_chain *chain, const char *body, size_t length,
                 const char *source)
{
    struct error error = {0};
    if (!found_from_json(&chain->fresh, body, length, &error)) {
        (void)error_context(&error, "%s", source);
        chain_failed(chain, &error);
        return;
    }
    outlive(chain);
    (void)snprintf(chain->fresh.source, SOURCE_SIZE, "%s", source);
    chain_found(chain);
}

/* --- the container's endpoint --- */

static void container_answered(struct credentials_chain *chain, const char *body, size_t length)
{
    take(chain, body, length, "container");
}

/* https:, or one of the addresses that the container services have, or loopback. */
static bool container_url_allowed(const char *url)
{
    static const char *const services[] = {"169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"};
    struct endpoint endpoint;
    struct error ignored = {0};
    CURLU *parsed = curl_url();
    char *host = NULL;
    bool allowed = endpoint_parse(url, &endpoint, &ignored);
    if (parsed && curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK)
        for (size_t i = 0; i < sizeof services / sizeof *services; i++)
            allowed = allowed || strcmp(host, services[i]) == 0;
    curl_free(host);
    curl_url_cleanup(parsed);
    return allowed;
}

/* From a file that is read anew each time, before the one in the environment. */
static bool container_token(const struct credentials_chain *chain, struct buf *token,
                            struct error *error)
{
    const char *path = chain_variable(chain, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *text = chain_variable(chain, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
    if (path && !token_read(path, token, error))
        return false;
    if (!path && text)
        buf_text_append(token, text);
    return !strpbrk(buf_text(token), "\r\n") ||
           error_set(error, ERROR_CONFIGURATION, "the authorization token has more than one line");
}

enum link_result link_container(struct credentials_chain *chain, struct error *error)
{
    const char *relative = chain_variable(chain, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = chain_variable(chain, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    struct buf url AUTO(buf_release) = {0};
    struct buf token AUTO(buf_wipe) = {0};
    if (!relative && !full)
        return LINK_ABSENT;
    buf_printf(&url, "%s%s", relative ? "http://169.254.170.2" : "", relative ? relative : full);
    if (!container_url_allowed(buf_text(&url))) {
        (void)error_set(error, ERROR_CONFIGURATION,
                        "AWS_CONTAINER_CREDENTIALS_%s_URI: %s is neither https: nor a container"
                        " service nor loopback",
                        relative ? "RELATIVE" : "FULL", buf_text(&url));
        return LINK_FAILED;
    }
    if (!container_token(chain, &token, error))
        return LINK_FAILED;
    chain_ask(chain,
              &(struct question_options){.method = "GET",
                                         .url = buf_text(&url),
                                         .header = token.length ? "Authorization" : NULL,
                                         .value = token.length ? buf_text(&token) : NULL,
                                         .timeout_ms = CONTAINER_TIMEOUT_MS,
                                         .tries = CONTAINER_TRIES,
                                         .plain = true},
              container_answered);
    return LINK_PENDING;
}

/* --- the instance metadata service --- */

static const char *instance_base(const struct credentials_chain *chain)
{
    const char *given = chain_variable(chain, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
    return given ? given : "http://169.254.169.254";
}

static void instance_ask(struct credentials_chain *chain, const char *role, answered_fn *answered)
{
    struct buf url AUTO(buf_release) = {0};
    buf_printf(&url, "%s/latest/meta-data/iam/security-credentials/%s", instance_base(chain), role);
    chain_ask(chain,
              &(struct question_options){.method = "GET",
                                         .url = buf_text(&url),
                                         .header = "x-aws-ec2-metadata-token",
                                         .value = buf_text(&chain->metadata_token),
                                         .timeout_ms = INSTANCE_TIMEOUT_MS,
                                         .tries = 1,
                                         .plain = true},
              answered);
}

static void instance_answered(struct credentials_chain *chain, const char *body, size_t length)
{
    take(chain, body, length, "instance metadata");
}

static void instance_role(struct credentials_chain *chain, const char *body, size_t length)
{
    char role[128];
    const size_t name = strcspn(body, "\r\n");
    (void)length;
    if (name == 0 || name >= sizeof role || strpbrk(body, "/?# ")) {
        chain_absent(chain, "this instance has no role");
        return;
    }
    (void)snprintf(role, sizeof role, "%.*s", (int)name, body);
    instance_ask(chain, role, instance_answered);
}

static void instance_token(struct credentials_chain *chain, const char *body, size_t length)
{
    buf_clear(&chain->metadata_token);
    buf_append(&chain->metadata_token, body, strnlen(body, length));
    instance_ask(chain, "", instance_role);
}

/* Asked of everybody who has configured nothing, so that nobody there is no error. */
enum link_result link_instance(struct credentials_chain *chain, struct error *error)
{
    const char *disabled = chain_variable(chain, "AWS_EC2_METADATA_DISABLED");
    struct buf url AUTO(buf_release) = {0};
    (void)error;
    if (disabled && strcasecmp(disabled, "true") == 0)
        return LINK_ABSENT;
    buf_printf(&url, "%s/latest/api/token", instance_base(chain));
    chain_ask(chain,
              &(struct question_options){.method = "PUT",
                                         .url = buf_text(&url),
                                         .header = "x-aws-ec2-metadata-token-ttl-seconds",
                                         .value = "21600",
                                         .timeout_ms = INSTANCE_TIMEOUT_MS,
                                         .tries = 1,
                                         .plain = true,
                                         .optional = true},
              instance_token);
    return LINK_PENDING;
}
