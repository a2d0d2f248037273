/* The shared configuration of the AWS tools: ~/.aws/config and ~/.aws/credentials (or where
 * AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE point), one profile of them. */
#ifndef BOOKFLOW_PROFILE_H
#define BOOKFLOW_PROFILE_H

#include <stdbool.h>

#include "config.h"
#include "errors.h"

struct profile;

/* Reads the profile AWS_PROFILE, or "default". Files that are not there are empty; with AWS_PROFILE
 * set and the profile in neither file: ERROR_CONFIGURATION. */
MUST_CHECK struct profile *profile_read(const struct config *config, struct error *error);
void profile_free(struct profile *profile);
void profile_release(struct profile **profile); /* for AUTO() */

const char *profile_name(const struct profile *profile);

/* The value of a key, the credentials file's before the config file's; NULL = none. */
const char *profile_value(const struct profile *profile, const char *key);

/* A key of the service's own part in the `services` section that the profile names; NULL = none. */
const char *profile_service_value(const struct profile *profile, const char *service,
                                  const char *key);

#endif
