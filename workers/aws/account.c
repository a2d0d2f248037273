/* The account: owns connections and credentials, steps what hangs on them. */
#include "account.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "buf.h"

struct account {
    struct account_options options;
    struct exchanges *exchanges;
    struct credentials_chain *credentials;
    struct account_member *members;
    struct account_member *next; /* of the step that is under way */
};

/* The region for STS; a queue's own region comes with its URL. */
static const char *region_of(const struct account_options *options)
{
    const char *region = config_text(options->config, "AWS_REGION");
    return region ? region : config_text(options->config, "AWS_DEFAULT_REGION");
}

struct account *account_new(const struct account_options *options, struct error *error)
{
    struct account *account = memory_new(1, sizeof *account);
    account->options = *options;
    account->exchanges = exchanges_new(config_text(options->config, "AWS_CA_BUNDLE"), error);
    if (!account->exchanges) {
        account_free(account);
        return NULL;
    }
    account->credentials = credentials_new(&(struct credentials_options){
        .config = options->config,
        .region = region_of(options),
        .exchanges = account->exchanges,
        .world = options->world,
    });
    return account;
}

void account_free(struct account *account)
{
    if (!account)
        return;
    credentials_free(account->credentials);
    exchanges_free(account->exchanges);
    free(account);
}

int account_fd(const struct account *account)
{
    return exchanges_fd(account->exchanges);
}

int64_t account_step(struct account *account)
{
    exchanges_step(account->exchanges);
    int64_t delay = credentials_step(account->credentials);
    for (struct account_member *member = account->members; member; member = account->next) {
        account->next = member->next;
        const int64_t wish = member->step(member);
        if (wish >= 0 && (delay < 0 || wish < delay))
            delay = wish;
    }
    return delay;
}

const char *account_variable(const struct account *account, const char *name)
{
    return config_text(account->options.config, name);
}

struct exchanges *account_exchanges(struct account *account)
{
    return account->exchanges;
}

struct credentials_chain *account_credentials(struct account *account)
{
    return account->credentials;
}

struct profile *account_profile(const struct account *account, struct error *error)
{
    return profile_read(account->options.config, error);
}

const char *account_region(const struct account *account, const struct profile *profile)
{
    const char *given = region_of(&account->options);
    return given ? given : profile_value(profile, "region");
}

static const char *own_endpoint(const struct account *account, const char *service)
{
    struct buf name AUTO(buf_release) = {0};
    buf_text_append(&name, "AWS_ENDPOINT_URL_");
    for (; *service; service++)
        buf_char(&name, (char)toupper((unsigned char)*service));
    return account_variable(account, buf_text(&name));
}

const char *account_endpoint(const struct account *account, const struct profile *profile,
                             const char *service)
{
    const char *ignored = account_variable(account, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    if (ignored && strcasecmp(ignored, "true") == 0)
        return NULL;
    const char *const given[] = {
        own_endpoint(account, service),
        account_variable(account, "AWS_ENDPOINT_URL"),
        profile_service_value(profile, service, "endpoint_url"),
        profile_value(profile, "endpoint_url"),
    };
    for (size_t i = 0; i < sizeof given / sizeof *given; i++)
        if (given[i] && *given[i])
            return given[i];
    return NULL;
}

const struct world *account_world(const struct account *account)
{
    return account->options.world;
}

void account_join(struct account *account, struct account_member *member)
{
    member->next = account->members;
    account->members = member;
}

void account_leave(struct account *account, struct account_member *member)
{
    if (account->next == member)
        account->next = member->next;
    for (struct account_member **at = &account->members; *at; at = &(*at)->next)
        if (*at == member) {
            *at = member->next;
            return;
        }
}
