/* The chain: what is valid now, who waits for it, when it is fetched again. Where credentials come
 * from is in credentials_links.c and beside it. */
#include "credentials.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "credentials_private.h"
#include "json_fields.h"
#include "timestamp.h"

/* As botocore: begins to look for new ones a quarter of an hour before the old ones end, and does
 * not use them in their last ten minutes; for those that live shorter, a quarter and an eighth of
 * it. */
enum { AHEAD_MS = 15 * 60 * 1000, LAST_MS = 10 * 60 * 1000, AGAIN_MS = 10 * 1000 };

static const struct {
    const char *name;
    link_fn *look;
} LINKS[] = {
    {"environment", link_environment},
    {"web identity", link_web_identity},
    {"profile", link_profile},
    {"container", link_container},
    {"instance metadata", link_instance},
};
enum { LINKS_COUNT = sizeof LINKS / sizeof *LINKS };

void text_wipe(char **text)
{
    if (*text)
        OPENSSL_cleanse(*text, strlen(*text));
    free(*text);
    *text = NULL;
}

void found_wipe(struct found *found)
{
    text_wipe(&found->access_key);
    text_wipe(&found->secret_key);
    text_wipe(&found->session_token);
    *found = (struct found){0};
}

void buf_wipe(struct buf *buf)
{
    if (buf->data)
        OPENSSL_cleanse(buf->data, buf->capacity);
    buf_release(buf);
}

static const char *text_in(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text && *text ? text : NULL;
}

/* Wipes the strings and drops the reference. */
static void json_wipe(json_t **object)
{
    for (void *at = json_object_iter(*object); at; at = json_object_iter_next(*object, at)) {
        const json_t *value = json_object_iter_value(at);
        const char *text = json_string_value(value);
        void *memory = NULL;
        memcpy(&memory, &text, sizeof memory); /* ours alone, and const only for its readers */
        if (memory)
            OPENSSL_cleanse(memory, json_string_length(value));
    }
    json_release(object);
}

/* No error quotes the text: it holds secrets. */
bool found_from_json(struct found *found, const char *text, size_t length, struct error *error)
{
    struct error quoted = {0};
    json_t *object AUTO(json_wipe) = json_parse_object(text, length, &quoted);
    const char *access_key = text_in(object, "AccessKeyId");
    const char *secret_key = text_in(object, "SecretAccessKey");
    const char *token = text_in(object, "SessionToken");
    const char *expiration = text_in(object, "Expiration");
    int64_t expires_s = 0;
    if (!object)
        return error_set(error, ERROR_UNAVAILABLE, "it is no JSON object");
    if (!access_key || !secret_key)
        return error_set(error, ERROR_UNAVAILABLE, "no AccessKeyId and SecretAccessKey in it");
    if (expiration && !timestamp_parse(expiration, &expires_s, &quoted))
        return error_set(error, ERROR_UNAVAILABLE, "its Expiration is no time");
    token = token ? token : text_in(object, "Token");
    found->access_key = memory_text(access_key);
    found->secret_key = memory_text(secret_key);
    found->session_token = token ? memory_text(token) : NULL;
    found->expires_ms = expires_s * 1000;
    return true;
}

/* --- time --- */

static int64_t wall(const struct credentials_chain *chain)
{
    return world_wall_ms(chain->options.world);
}

static int64_t ticks(const struct credentials_chain *chain)
{
    return world_ticks_ms(chain->options.world);
}

static int64_t window(const struct credentials_chain *chain, int64_t usual_ms, int64_t part)
{
    const int64_t life = chain->now.expires_ms - chain->fetched_ms;
    return life / part < usual_ms ? life / part : usual_ms;
}

static bool ends_within(const struct credentials_chain *chain, int64_t usual_ms, int64_t part)
{
    return chain->now.expires_ms > 0 &&
           wall(chain) >= chain->now.expires_ms - window(chain, usual_ms, part);
}

/* Good at all, if only for its last minutes. */
static bool lives(const struct credentials_chain *chain)
{
    return chain->now.access_key && !chain->stale &&
           (chain->now.expires_ms == 0 || wall(chain) < chain->now.expires_ms);
}

/* In its last minutes it is used only between two tries to get others. */
static bool usable(const struct credentials_chain *chain)
{
    return lives(chain) && (!ends_within(chain, LAST_MS, 8) || ticks(chain) < chain->again_ms);
}

/* --- the search --- */

const char *chain_variable(const struct credentials_chain *chain, const char *name)
{
    return config_text(chain->options.config, name);
}

struct profile *chain_profile(const struct credentials_chain *chain, struct error *error)
{
    return profile_read(chain->options.config, error);
}

static struct credentials view_of(const struct found *found)
{
    return (struct credentials){found->access_key, found->secret_key, found->session_token,
                                found->source, found->expires_ms};
}

/* A callback may ask again or forget another: each turn takes the first of those that are left. Who
 * asks meanwhile waits in the other list. */
static void tell_all(struct credentials_chain *chain, const struct error *failure)
{
    struct waiting **last = &chain->telling;
    while (*last)
        last = &(*last)->next;
    *last = chain->waiting;
    chain->waiting = NULL;
    for (struct waiting *waiting; (waiting = chain->telling);) {
        const struct credentials view = view_of(&chain->now);
        const struct waiting told = *waiting;
        chain->telling = told.next;
        free(waiting);
        told.done(told.context, failure ? NULL : &view, failure);
    }
}

static void end_search(struct credentials_chain *chain)
{
    chain->looking = false;
    found_wipe(&chain->fresh);
    buf_clear(&chain->tried);
}

/* What was there is used as long as it may still be good: a metadata service that hiccups must not
 * stop a worker whose credentials live on. */
void chain_failed(struct credentials_chain *chain, const struct error *error)
{
    struct error failure = {0};
    (void)error_set(&failure, error->kind, "no AWS credentials: %s%s%s", buf_text(&chain->tried),
                    chain->tried.length ? "; " : "", error->text);
    chain->again_ms = ticks(chain) + AGAIN_MS;
    end_search(chain);
    tell_all(chain, lives(chain) ? NULL : &failure);
}

/* They become header lines: a blank or a line end in a variable or an answer must not. */
static bool sendable(const char *text)
{
    for (; text && *text; text++)
        if (*text <= ' ' || *text > '~')
            return false;
    return true;
}

void chain_found(struct credentials_chain *chain)
{
    const struct found *fresh = &chain->fresh;
    struct error error = {0};
    if (!sendable(fresh->access_key) || !sendable(fresh->secret_key) ||
        !sendable(fresh->session_token)) {
        (void)error_set(&error, ERROR_CONFIGURATION,
                        "%s: a key or the token has a blank or another character that cannot be"
                        " part of it",
                        fresh->source);
        chain_failed(chain, &error);
        return;
    }
    found_wipe(&chain->now);
    chain->now = chain->fresh;
    chain->fresh = (struct found){0};
    chain->fetched_ms = wall(chain);
    chain->fetched_ticks_ms = ticks(chain);
    chain->again_ms = 0;
    chain->stale = false;
    end_search(chain);
    tell_all(chain, NULL);
}

static void note(struct credentials_chain *chain, const char *why)
{
    buf_printf(&chain->tried, "%s%s: %s", chain->tried.length ? "; " : "", LINKS[chain->link].name,
               why);
}

static void look(struct credentials_chain *chain)
{
    struct error error = {0};
    for (; chain->link < LINKS_COUNT; chain->link++) {
        const enum link_result result = LINKS[chain->link].look(chain, &error);
        if (result == LINK_PENDING)
            return;
        if (result == LINK_FOUND) {
            chain_found(chain);
            return;
        }
        if (result == LINK_FAILED) {
            (void)error_context(&error, "%s", LINKS[chain->link].name);
            chain_failed(chain, &error);
            return;
        }
        note(chain, "not configured");
    }
    (void)error_set(&error, ERROR_CONFIGURATION,
                    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE");
    chain_failed(chain, &error);
}

void chain_absent(struct credentials_chain *chain, const char *why)
{
    note(chain, why);
    chain->link++;
    look(chain);
}

static void begin_search(struct credentials_chain *chain)
{
    if (chain->looking)
        return;
    chain->looking = true;
    chain->link = 0;
    look(chain);
}

/* --- the outside --- */

struct credentials_chain *credentials_new(const struct credentials_options *options)
{
    struct credentials_chain *chain = memory_new(1, sizeof *chain);
    chain->options = *options;
    chain->process_fd = -1;
    return chain;
}

void credentials_get(struct credentials_chain *chain, credentials_done_fn *done, void *context)
{
    if (usable(chain) && ends_within(chain, AHEAD_MS, 4) && ticks(chain) >= chain->again_ms)
        begin_search(chain); /* which may end at once, with others or without */
    if (usable(chain)) {
        const struct credentials view = view_of(&chain->now);
        done(context, &view, NULL);
        return;
    }
    struct waiting *waiting = memory_new(1, sizeof *waiting);
    *waiting = (struct waiting){NULL, done, context};
    struct waiting **last = &chain->waiting;
    while (*last)
        last = &(*last)->next;
    *last = waiting;
    begin_search(chain);
}

static void forget(struct waiting **at, const void *context)
{
    while (*at) {
        struct waiting *waiting = *at;
        if (waiting->context != context) {
            at = &waiting->next;
            continue;
        }
        *at = waiting->next;
        free(waiting);
    }
}

void credentials_forget(struct credentials_chain *chain, const void *context)
{
    forget(&chain->waiting, context);
    forget(&chain->telling, context);
}

void credentials_refused(struct credentials_chain *chain, int64_t used_ms)
{
    chain->stale = chain->stale || used_ms >= chain->fetched_ticks_ms;
}

int64_t credentials_step(struct credentials_chain *chain)
{
    const int64_t question = question_step(chain);
    const int64_t process = process_step(chain);
    return question < 0 || (process >= 0 && process < question) ? process : question;
}

void credentials_free(struct credentials_chain *chain)
{
    if (!chain)
        return;
    struct error stopped = {0};
    (void)error_set(&stopped, ERROR_UNAVAILABLE, "stopped");
    question_stop(chain);
    process_stop(chain);
    tell_all(chain, &stopped);
    found_wipe(&chain->now);
    found_wipe(&chain->fresh);
    buf_release(&chain->tried);
    buf_wipe(&chain->metadata_token);
    free(chain);
}
