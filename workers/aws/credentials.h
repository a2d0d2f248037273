/* The AWS credential chain: environment; web identity; profile files and credential_process;
 * container endpoint (ECS, EKS); instance metadata (IMDSv2). Asynchronous, one thread; refreshed
 * ahead of expiry. Secrets are wiped when they go. */
#ifndef BOOKFLOW_CREDENTIALS_H
#define BOOKFLOW_CREDENTIALS_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "errors.h"
#include "exchange.h"
#include "world.h"

struct credentials_chain;

struct credentials {
    const char *access_key;
    const char *secret_key;
    const char *session_token; /* NULL = none */
    const char *source;        /* "environment", "profile NAME", ... for doctor and logs */
    int64_t expires_ms;        /* wall time; 0 = never */
};

struct credentials_options {
    const struct config *config;
    const char *region; /* for STS */
    struct exchanges *exchanges;
    const struct world *world;
};
struct credentials_chain *credentials_new(const struct credentials_options *options);
void credentials_free(struct credentials_chain *chain);

/* Given what is valid now, at once when it is there: then done() is called before this returns. A
 * failure names every link of the chain that was tried and why it gave nothing (ERROR_CONFIGURATION
 * when none is configured, ERROR_UNAVAILABLE when one that is could not be reached). The
 * credentials are borrowed for the call of done(). */
typedef void credentials_done_fn(void *context, const struct credentials *credentials,
                                 const struct error *failure);
void credentials_get(struct credentials_chain *chain, credentials_done_fn *done, void *context);

/* Whoever asked with this context is gone: done() will not be called. */
void credentials_forget(struct credentials_chain *chain, const void *context);

/* The service has refused those used at `used_ms` (ticks) as expired: get others before they are
 * used again, unless that has happened since. */
void credentials_refused(struct credentials_chain *chain, int64_t used_ms);

/* Asks again what is due, ends what takes too long. ms until the next call; -1 = none. */
int64_t credentials_step(struct credentials_chain *chain);

#endif
