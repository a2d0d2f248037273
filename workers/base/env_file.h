/* The syntax of a systemd EnvironmentFile (systemd.exec(5)), stricter in one point: a line that is
 * not an assignment is an error and not passed over. */
#ifndef BOOKFLOW_ENV_FILE_H
#define BOOKFLOW_ENV_FILE_H

#include <stddef.h>

#include "errors.h"

typedef void env_file_fn(void *context, const char *name, const char *value);

/* Calls `put` for each assignment in order; those before a bad line have been put when it fails.
 * ERROR_CONFIGURATION names the line. */
MUST_CHECK bool env_file_parse(const char *text, size_t length, env_file_fn *put, void *context,
                               struct error *error);

/* A-Z a-z 0-9 _, not starting with a digit, not empty. */
bool env_file_name_valid(const char *name, size_t length);

#endif
