/* The settings of `bookflow serve`: the environment, checked, as a record. */
#ifndef BOOKFLOW_SETTINGS_H
#define BOOKFLOW_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "errors.h"

enum { ROLE_INTAKE = 1, ROLE_DECISION = 2, ROLE_ALL = ROLE_INTAKE | ROLE_DECISION };

struct settings {
    int roles;
    char *state_dir;
    char *request_url;
    char *confirmation_url;
    bool embedded_by_default; /* no queue was named: the embedded one is used */
    char *listen;
    int listen_fd; /* from systemd; -1 = none */
    int64_t max_attempts;
    bool fair_queues;
    bool allow_past_slots;
};

/* Reads and checks everything. False: ERROR_CONFIGURATION, and config_complaint() names every bad
 * variable. */
MUST_CHECK bool settings_read(struct config *config, int roles, struct settings *settings,
                              struct error *error);
void settings_release(struct settings *settings);

/* Answers only on this machine, or refuses: beyond loopback bearer tokens are needed. */
MUST_CHECK bool settings_check_address(const char *address, struct error *error);

#endif
