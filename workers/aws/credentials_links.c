/* The links of the chain that need nobody to answer - environment, profile files - and web
 * identity. Which variables and keys there are is the AWS SDKs' reference guide's. */
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "credentials_private.h"
#include "endpoint.h"
#include "timestamp.h"
#include "wire.h"

enum { STS_TIMEOUT_MS = 5000, STS_TRIES = 3, TOKEN_MAX = 64 * 1024 };

static char *copy(const char *text)
{
    return text ? memory_text(text) : NULL;
}

enum link_result link_environment(struct credentials_chain *chain, struct error *error)
{
    const char *access_key = chain_variable(chain, "AWS_ACCESS_KEY_ID");
    const char *secret_key = chain_variable(chain, "AWS_SECRET_ACCESS_KEY");
    if (!access_key && !secret_key)
        return LINK_ABSENT;
    if (!access_key || !secret_key) {
        (void)error_set(error, ERROR_CONFIGURATION, "%s is set, %s is not",
                        access_key ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
                        access_key ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
        return LINK_FAILED;
    }
    chain->fresh.access_key = copy(access_key);
    chain->fresh.secret_key = copy(secret_key);
    chain->fresh.session_token = copy(chain_variable(chain, "AWS_SESSION_TOKEN"));
    (void)snprintf(chain->fresh.source, SOURCE_SIZE, "environment");
    return LINK_FOUND;
}

/* --- web identity --- */

struct role {
    const char *arn;
    const char *token_file;
    const char *session;
};

bool token_read(const char *path, struct buf *token, struct error *error)
{
    char block[4096];
    FILE *file = fopen(path, "re");
    if (!file)
        return error_set(error, ERROR_CONFIGURATION, "%s cannot be read", path);
    (void)setvbuf(file, NULL, _IONBF, 0); /* no copy of it stays behind */
    token->maximum = TOKEN_MAX;
    for (size_t got; !token->overflow && (got = fread(block, 1, sizeof block, file)) > 0;)
        buf_append(token, block, got);
    (void)fclose(file);
    OPENSSL_cleanse(block, sizeof block);
    while (token->length > 0 && strchr("\r\n \t", token->data[token->length - 1]))
        token->data[--token->length] = '\0';
    return (token->length > 0 && !token->overflow) ||
           error_set(error, ERROR_CONFIGURATION, "%s holds no token", path);
}

static void role_assumed(struct credentials_chain *chain, const char *xml, size_t length)
{
    struct error error = {0};
    struct found *fresh = &chain->fresh;
    char *expiration AUTO(memory_release) = wire_element(xml, "Expiration");
    int64_t expires_s = 0;
    (void)length;
    fresh->access_key = wire_element(xml, "AccessKeyId");
    fresh->secret_key = wire_element(xml, "SecretAccessKey");
    fresh->session_token = wire_element(xml, "SessionToken");
    if (!fresh->access_key || !fresh->secret_key || !fresh->session_token || !expiration ||
        !timestamp_parse(expiration, &expires_s, &error)) {
        error_clear(&error);
        (void)error_set(&error, ERROR_UNAVAILABLE,
                        "web identity: STS answered without credentials");
        chain_failed(chain, &error);
        return;
    }
    fresh->expires_ms = expires_s * 1000;
    (void)snprintf(fresh->source, SOURCE_SIZE, "web identity");
    chain_found(chain);
}

/* A token is a credential: it goes where signed requests may go, and nowhere else. */
static bool sts_url(const struct credentials_chain *chain, struct buf *url, bool *plain,
                    struct error *error)
{
    const char *given = chain_variable(chain, "AWS_ENDPOINT_URL_STS");
    const char *region = chain->options.region;
    struct endpoint endpoint = {0};
    if (given)
        buf_text_append(url, given);
    else
        buf_printf(url, "https://sts%s%s.amazonaws.com%s/", region ? "." : "", region ? region : "",
                   region && strncmp(region, "cn-", 3) == 0 ? ".cn" : "");
    if (!endpoint_parse(buf_text(url), &endpoint, error))
        return error_context(error, given ? "AWS_ENDPOINT_URL_STS" : "AWS_REGION");
    *plain = endpoint.plain;
    return true;
}

/* The token file is read anew at each refresh: whoever wrote it rotates it. */
static enum link_result assume_role(struct credentials_chain *chain, const struct role *role,
                                    struct error *error)
{
    struct buf token AUTO(buf_wipe) = {0};
    struct buf url AUTO(buf_release) = {0};
    struct buf body AUTO(buf_wipe) = {0};
    bool plain = false;
    if (!token_read(role->token_file, &token, error) || !sts_url(chain, &url, &plain, error))
        return LINK_FAILED;
    buf_text_append(&body, "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=");
    client_escape(&body, role->arn);
    buf_text_append(&body, "&RoleSessionName=");
    client_escape(&body, role->session ? role->session : "bookflow");
    buf_text_append(&body, "&WebIdentityToken=");
    client_escape(&body, buf_text(&token));
    chain_ask(chain,
              &(struct question_options){.method = "POST",
                                         .url = buf_text(&url),
                                         .body = buf_text(&body),
                                         .header = "Content-Type",
                                         .value = "application/x-www-form-urlencoded",
                                         .timeout_ms = STS_TIMEOUT_MS,
                                         .tries = STS_TRIES,
                                         .plain = plain},
              role_assumed);
    return LINK_PENDING;
}

enum link_result link_web_identity(struct credentials_chain *chain, struct error *error)
{
    const struct role role = {chain_variable(chain, "AWS_ROLE_ARN"),
                              chain_variable(chain, "AWS_WEB_IDENTITY_TOKEN_FILE"),
                              chain_variable(chain, "AWS_ROLE_SESSION_NAME")};
    if (!role.token_file)
        return LINK_ABSENT;
    if (role.arn)
        return assume_role(chain, &role, error);
    (void)error_set(error, ERROR_CONFIGURATION,
                    "AWS_WEB_IDENTITY_TOKEN_FILE is set, AWS_ROLE_ARN is not");
    return LINK_FAILED;
}

/* --- the profile --- */

static enum link_result profile_keys(struct credentials_chain *chain, const struct profile *profile,
                                     struct error *error)
{
    const char *access_key = profile_value(profile, "aws_access_key_id");
    const char *secret_key = profile_value(profile, "aws_secret_access_key");
    if (!access_key || !secret_key) {
        (void)error_set(error, ERROR_CONFIGURATION,
                        "%s has one of aws_access_key_id and aws_secret_access_key, not both",
                        profile_name(profile));
        return LINK_FAILED;
    }
    chain->fresh.access_key = copy(access_key);
    chain->fresh.secret_key = copy(secret_key);
    chain->fresh.session_token = copy(profile_value(profile, "aws_session_token"));
    (void)snprintf(chain->fresh.source, SOURCE_SIZE, "profile %s", profile_name(profile));
    return LINK_FOUND;
}

enum link_result link_profile(struct credentials_chain *chain, struct error *error)
{
    struct profile *profile AUTO(profile_release) = chain_profile(chain, error);
    if (!profile)
        return LINK_FAILED;
    const struct role role = {profile_value(profile, "role_arn"),
                              profile_value(profile, "web_identity_token_file"),
                              profile_value(profile, "role_session_name")};
    if (role.arn && role.token_file)
        return assume_role(chain, &role, error);
    if (profile_value(profile, "aws_access_key_id") ||
        profile_value(profile, "aws_secret_access_key"))
        return profile_keys(chain, profile, error);
    const char *command = profile_value(profile, "credential_process");
    if (command)
        return process_start(chain, command, error);
    if (!role.arn && !profile_value(profile, "sso_session") &&
        !profile_value(profile, "sso_start_url"))
        return LINK_ABSENT;
    (void)error_set(error, ERROR_CONFIGURATION,
                    "%s asks for a role of another profile or for SSO, which is not supported: use"
                    " credential_process with `aws configure export-credentials`",
                    profile_name(profile));
    return LINK_FAILED;
}
