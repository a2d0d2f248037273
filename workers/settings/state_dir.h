/* The folder of the stores: where it is, and that it is there. */
#ifndef BOOKFLOW_STATE_DIR_H
#define BOOKFLOW_STATE_DIR_H

#include "config.h"
#include "errors.h"

/* BOOKFLOW_STATE_DIR, or what stands for it. The caller frees it. Complains when there is none. */
char *state_dir_read(struct config *config);
/* BOOKFLOW_TOKENS_FILE, or `tokens` in that folder. The caller frees it. */
char *state_dir_tokens(struct config *config, const char *state_dir);

/* Whether it, or what it will be made in, can be written to: ERROR_CONFIGURATION. */
MUST_CHECK bool state_dir_check(const char *path, struct error *error);
/* Makes it, mode 0700, with the folders above it. */
MUST_CHECK bool state_dir_make(const char *path, struct error *error);

#endif
