/* Configuration: the environment, read once, by a table.
 *
 * A variable comes from, in this order: the real environment, the --env-file (the syntax of a
 * systemd EnvironmentFile: KEY=value, comments, single and double quotes, backslash line ends), a
 * file of that name in $CREDENTIALS_DIRECTORY (one trailing newline dropped). A value is text until
 * its owner checks it; every bad variable is named in one run. An --env-file with a secret in it
 * that others may read is refused. */
#ifndef BOOKFLOW_CONFIG_H
#define BOOKFLOW_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "errors.h"

struct config;

/* env_file may be NULL. ERROR_CONFIGURATION names a file that cannot be read and its bad line. */
MUST_CHECK struct config *config_read(const char *env_file, struct error *error);
void config_free(struct config *config);
void config_release(struct config **config); /* for AUTO() */

/* NULL when unset; an empty value counts as unset. Owned by the config. */
const char *config_text(const struct config *config, const char *name);

/* A whole number in [low, high], or the fallback when unset. A bad value is reported with
 * config_complain() and gives the fallback. */
int64_t config_number(struct config *config, const char *name, int64_t fallback, int64_t low,
                      int64_t high);

/* "1" "0" "on" "off" "true" "false" "yes" "no". */
bool config_flag(struct config *config, const char *name, bool fallback);

/* Notes that a variable is bad, and why. Complaints collect until config_check(). */
void config_complain(struct config *config, const char *name, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* True without complaints; otherwise ERROR_CONFIGURATION. The complaints, one line each, are read
 * with config_complaint(config, 0), 1, ... until NULL. */
MUST_CHECK bool config_check(const struct config *config, struct error *error);
const char *config_complaint(const struct config *config, size_t index);

#endif
