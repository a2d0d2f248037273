/* The settings of `bookflow serve`. Knows variables and their meaning; opens nothing. */
#include "settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "queue.h"
#include "server.h"

/* Variables of the contract whose feature is not in this version. Being told that nobody will be
 * e-mailed is better than finding out. */
static const char *const unbuilt[] = {"BOOKFLOW_SMTP_URL", "BOOKFLOW_WEBHOOK_URL", "BOOKFLOW_SMS"};

static void refuse_unbuilt(struct config *config)
{
    for (size_t i = 0; i < sizeof unbuilt / sizeof *unbuilt; i++) {
        const char *value = config_text(config, unbuilt[i]);
        if (value && strcmp(value, "off") != 0)
            config_complain(config, unbuilt[i], "notices are not built yet; unset it");
    }
}

static char *state_dir(struct config *config)
{
    struct buf path AUTO(buf_release) = {0};
    const char *own = config_text(config, "BOOKFLOW_STATE_DIR");
    const char *systemd = config_text(config, "STATE_DIRECTORY");
    const char *xdg = config_text(config, "XDG_STATE_HOME");
    const char *home = config_text(config, "HOME");
    if (own)
        buf_text_append(&path, own);
    else if (systemd)
        buf_append(&path, systemd, strcspn(systemd, ":")); /* systemd lists several with colons */
    else if (xdg)
        buf_printf(&path, "%s/bookflow", xdg);
    else if (home)
        buf_printf(&path, "%s/.local/state/bookflow", home);
    else
        config_complain(config, "BOOKFLOW_STATE_DIR", "is not set, and neither is HOME");
    if (path.length && *buf_text(&path) != '/')
        config_complain(config, "BOOKFLOW_STATE_DIR", "must be an absolute path, not \"%s\"",
                        buf_text(&path));
    return buf_take(&path);
}

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

bool settings_check_address(const char *address, struct error *error)
{
    bool local = false;
    if (!http_address_is_local(address, &local, error))
        return false;
    return local || error_set(error, ERROR_CONFIGURATION,
                              "%s is beyond loopback, which needs bearer tokens and a TLS proxy;"
                              " tokens are not built yet: listen on 127.0.0.1, [::1] or unix:/path",
                              address);
}

static void check_listen(struct config *config, const char *address)
{
    struct error error = {0};
    bool local = false;
    const bool behind_proxy = config_flag(config, "BOOKFLOW_BEHIND_TLS_PROXY", false);
    if (!http_address_is_local(address, &local, &error)) {
        config_complain(config, "BOOKFLOW_LISTEN", "%s", error.text);
        return;
    }
    if (!local && !behind_proxy)
        config_complain(config, "BOOKFLOW_BEHIND_TLS_PROXY",
                        "must be 1 to listen beyond loopback, with a TLS proxy in front");
    if (!settings_check_address(address, &error))
        config_complain(config, "BOOKFLOW_LISTEN", "%s", error.text);
}

static bool tokens_file_exists(struct config *config, const struct settings *settings)
{
    struct buf path AUTO(buf_release) = {0};
    const char *named = config_text(config, "BOOKFLOW_TOKENS_FILE");
    if (named)
        buf_text_append(&path, named);
    else
        buf_printf(&path, "%s/tokens", settings->state_dir ? settings->state_dir : "");
    return access(buf_text(&path), F_OK) == 0;
}

/* Who has made tokens expects them to be asked for: never run open in spite of them. */
static void check_auth(struct config *config, const struct settings *settings)
{
    bool wanted = config_flag(config, "BOOKFLOW_AUTH", tokens_file_exists(config, settings));
    if (wanted)
        config_complain(config, "BOOKFLOW_AUTH",
                        "is on, but bearer tokens are not built yet; set it to off on loopback");
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
    settings->state_dir = state_dir(config);
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
    check_listen(config, settings->listen);
    check_auth(config, settings);
    check_log_level(config);
    refuse_unbuilt(config);
    return config_check(config, error);
}

void settings_release(struct settings *settings)
{
    free(settings->state_dir);
    free(settings->request_url);
    free(settings->confirmation_url);
    free(settings->listen);
    *settings = (struct settings){.listen_fd = -1};
}
