/* What one process needs to speak to AWS: connections, credentials and the environment they come
 * from; shared by all its clients. */
#ifndef BOOKFLOW_ACCOUNT_H
#define BOOKFLOW_ACCOUNT_H

#include <stdint.h>

#include "config.h"
#include "credentials.h"
#include "errors.h"
#include "exchange.h"
#include "profile.h"
#include "world.h"

struct account_options {
    const struct config *config;
    const struct world *world;
};

struct account;
MUST_CHECK struct account *account_new(const struct account_options *options, struct error *error);

/* After its clients. */
void account_free(struct account *account);

/* Readable when account_step() has something to do. */
int account_fd(const struct account *account);

/* Does what is due, for all clients. ms until it wants to be called again; -1 = only when its
 * descriptor is readable. */
int64_t account_step(struct account *account);

const char *account_variable(const struct account *account, const char *name);
struct exchanges *account_exchanges(struct account *account);
struct credentials_chain *account_credentials(struct account *account);
/* The profile of the shared configuration files, read now; the caller's. */
MUST_CHECK struct profile *account_profile(const struct account *account, struct error *error);
/* As in the SDKs: from the environment, then from the profile; NULL = neither names one. */
const char *account_region(const struct account *account, const struct profile *profile);
/* The address to call a service at ("sqs", "sns") instead of its own. */
const char *account_endpoint(const struct account *account, const struct profile *profile,
                             const char *service);
const struct world *account_world(const struct account *account);

/* For the clients: stepped with the account. */
struct account_member {
    int64_t (*step)(struct account_member *self);
    struct account_member *next;
};
void account_join(struct account *account, struct account_member *member);
void account_leave(struct account *account, struct account_member *member);

#endif
