/* The settings of `bookflow serve`. Knows variables and their meaning; opens nothing. */
#include "settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "notice_settings.h"
#include "queue.h"
#include "server.h"
#include "state_dir.h"

static char *queue_url(struct config *config, struct settings *settings, const char *variable,
                       const char *embedded_name)
{
    struct error error = {0};
    const char *url = config_text(config, variable);
    if (url) {
        if (!queue_url_check(url, &error))
            config_complain(config, variable, "%s", error.text);
        return memory_text(url);
    }
    if (settings->roles != ROLE_ALL) {
        config_complain(config, variable,
                        "is not set; an SQS queue URL, or sqlite:/path/queues.db?queue=%s",
                        embedded_name);
        return NULL;
    }
    settings->embedded_by_default = true;
    struct buf text AUTO(buf_release) = {0};
    buf_printf(&text, "sqlite:%s/queues.db?queue=%s", settings->state_dir, embedded_name);
    if (!queue_url_check(buf_text(&text), &error))
        config_complain(config, "BOOKFLOW_STATE_DIR", "%s", error.text);
    return buf_take(&text);
}

/* Each worker would hear itself. */
static void check_queues_differ(struct config *config, const struct settings *settings)
{
    const char *request = settings->request_url;
    if (request && settings->confirmation_url && strcmp(request, settings->confirmation_url) == 0)
        config_complain(config, "SQS_BOOKING_CONFIRMATION_QUEUE_URL",
                        "must be another queue than SQS_BOOKING_REQUEST_QUEUE_URL");
}

/* A socket that systemd hands over, sd_listen_fds(3): one, number 3, meant for this process. */
static int inherited_socket(void)
{
    const char *pid = getenv("LISTEN_PID");
    const char *fds = getenv("LISTEN_FDS");
    bool ours = pid && fds && strtol(pid, NULL, 10) == (long)getpid() && strcmp(fds, "1") == 0;
    return ours ? 3 : -1;
}

bool settings_check_address(struct settings *settings, const char *address, struct error *error)
{
    bool local = false;
    if (!http_address_is_local(address, &local, error))
        return false;
    if (local)
        return true;
    settings->auth = true;
    return (settings->behind_proxy && !settings->auth_off) ||
           error_set(error, ERROR_CONFIGURATION,
                     "%s is beyond loopback: it needs BOOKFLOW_BEHIND_TLS_PROXY=1, with a TLS proxy"
                     " in front, and BOOKFLOW_AUTH not off",
                     address);
}

/* Who has made tokens expects them to be asked for: without a word they are. */
static void read_auth(struct config *config, struct settings *settings)
{
    settings->tokens_file = state_dir_tokens(config, settings->state_dir);
    settings->auth = config_flag(config, "BOOKFLOW_AUTH", access(settings->tokens_file, F_OK) == 0);
    settings->auth_off = config_text(config, "BOOKFLOW_AUTH") && !settings->auth;
    settings->behind_proxy = config_flag(config, "BOOKFLOW_BEHIND_TLS_PROXY", false);
    settings->client_requests =
        config_number(config, "BOOKFLOW_CLIENT_REQUESTS", LIMIT_BY_AUTH, 0, 1000000);
    settings->client_connections =
        config_number(config, "BOOKFLOW_CLIENT_CONNECTIONS", LIMIT_BY_AUTH, 0, 1000000);
}

/* A socket of systemd's shows only later where it listens: settings_check_address(). */
static void check_listen(struct config *config, struct settings *settings)
{
    struct error error = {0};
    bool local = false;
    if (!http_address_is_local(settings->listen, &local, &error))
        config_complain(config, "BOOKFLOW_LISTEN", "%s", error.text);
    if (error.kind || local || settings->listen_fd >= 0)
        return;
    settings->auth = true;
    if (!settings->behind_proxy)
        config_complain(config, "BOOKFLOW_BEHIND_TLS_PROXY",
                        "must be 1 to listen beyond loopback, with a TLS proxy in front");
    if (settings->auth_off)
        config_complain(config, "BOOKFLOW_AUTH", "must not be off beyond loopback");
}

static void check_log_level(struct config *config)
{
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    const char *level = config_text(config, "BOOKFLOW_LOG_LEVEL");
    for (size_t i = 0; level && i < sizeof levels / sizeof *levels; i++)
        if (strcmp(level, levels[i]) == 0)
            level = NULL;
    if (level)
        config_complain(config, "BOOKFLOW_LOG_LEVEL", "must be debug, info, warn or error");
}

bool settings_read(struct config *config, int roles, struct settings *settings, struct error *error)
{
    *settings = (struct settings){.roles = roles, .listen_fd = inherited_socket()};
    settings->state_dir = state_dir_read(config);
    settings->request_url =
        queue_url(config, settings, "SQS_BOOKING_REQUEST_QUEUE_URL", "booking-request");
    settings->confirmation_url =
        queue_url(config, settings, "SQS_BOOKING_CONFIRMATION_QUEUE_URL", "booking-confirmation");
    check_queues_differ(config, settings);
    const char *address = config_text(config, "BOOKFLOW_LISTEN");
    const char *fallback = roles == ROLE_DECISION ? "127.0.0.1:3001" : "127.0.0.1:3000";
    settings->listen = memory_text(address ? address : fallback);
    settings->max_attempts = config_number(config, "BOOKFLOW_MAX_ATTEMPTS", 8, 1, 50);
    settings->fair_queues = config_flag(config, "BOOKFLOW_FAIR_QUEUES", true);
    settings->allow_past_slots = config_flag(config, "BOOKFLOW_ALLOW_PAST_SLOTS", false);
    read_auth(config, settings);
    check_listen(config, settings);
    check_log_level(config);
    settings->notices = notice_settings_read(config);
    return config_check(config, error);
}

void settings_release(struct settings *settings)
{
    free(settings->state_dir);
    free(settings->request_url);
    free(settings->confirmation_url);
    free(settings->listen);
    notice_settings_free(settings->notices);
    free(settings->tokens_file);
    *settings = (struct settings){.listen_fd = -1};
}
