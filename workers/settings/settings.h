/* The settings of `bookflow serve`: the environment, checked, as a record. */
#ifndef BOOKFLOW_SETTINGS_H
#define BOOKFLOW_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "errors.h"

/* Clients that need no token are this machine's own: they are not counted unless that is asked for.
 */
enum { LIMIT_BY_AUTH = -1 };

enum { ROLE_INTAKE = 1, ROLE_DECISION = 2, ROLE_ALL = ROLE_INTAKE | ROLE_DECISION };

struct notice_settings;

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
    struct notice_settings *notices;
    char *tokens_file;
    bool auth;                  /* tokens are asked for */
    bool auth_off;              /* ... and will not be, whatever happens to the tokens file */
    bool behind_proxy;          /* one that does TLS, and says for whom it calls */
    int64_t client_requests;    /* a second of one client; 0 = no limit; or LIMIT_BY_AUTH */
    int64_t client_connections; /* at a time */
};

/* Reads and checks everything. False: ERROR_CONFIGURATION, and config_complaint() names every bad
 * variable. */
MUST_CHECK bool settings_read(struct config *config, int roles, struct settings *settings,
                              struct error *error);
void settings_release(struct settings *settings);

/* Where it really listens. Beyond loopback tokens are asked for, and a TLS proxy is needed. */
MUST_CHECK bool settings_check_address(struct settings *settings, const char *address,
                                       struct error *error);

#endif
