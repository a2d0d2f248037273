/* `bookflow serve`: one process, one loop, one or both workers. Reads like a table of contents:
 * settings, parts, loop, drain. */
#include "serve.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "account.h"
#include "buf.h"
#include "channels.h"
#include "guard.h"
#include "health.h"
#include "log.h"
#include "loop.h"
#include "role.h"
#include "server.h"
#include "settings.h"
#include "state_dir.h"
#include "supervisor.h"

enum {
    DRAIN_MS = 4000, /* systemd kills after TimeoutStopSec; we are done well before */
    DRAIN_STEP_MS = 20,
    FEED_MS = 500,   /* how often the watchdog is fed, if nothing hangs: */
    STILL_MS = 1500, /* a role makes a step each second, which finds its writer idle or further */
};

struct serve {
    const struct config *config;
    struct settings settings;
    struct account *account;
    struct channels channels;
    struct loop *loop;
    struct loop_waker *waker;
    struct loop_timer *steps;
    struct loop_timer *drain_limit;
    struct loop_timer *watchdog;
    struct loop_signal *term;
    struct loop_signal *interrupt;
    struct http_server *server;
    struct guard *guard;
    struct health health; /* holds the roles */
    bool draining;
};

static const char usage[] =
    "usage: bookflow serve intake|decision|all [--env-file FILE] [--check]\n"
    "\n"
    "Runs the intake worker, the decision worker, or both in one process.\n"
    "  --env-file FILE  read KEY=value lines; the real environment wins\n"
    "  --check          check the configuration and exit\n";

static void stop_when_drained(struct serve *serve)
{
    for (size_t i = 0; i < HEALTH_ROLES_MAX; i++)
        if (serve->health.roles[i] && !role_drained(serve->health.roles[i]))
            return;
    if (http_server_open_requests(serve->server) == 0)
        loop_stop(serve->loop);
}

/* Every wake-up and every timer ends here. */
static void step(void *context)
{
    struct serve *serve = context;
    int64_t delay = -1;
    for (size_t i = 0; i < HEALTH_ROLES_MAX; i++) {
        if (!serve->health.roles[i])
            continue;
        int64_t wish = role_step(serve->health.roles[i]);
        if (wish >= 0 && (delay < 0 || wish < delay))
            delay = wish;
    }
    if (serve->draining) {
        delay = delay < 0 || delay > DRAIN_STEP_MS ? DRAIN_STEP_MS : delay;
        stop_when_drained(serve);
    }
    loop_timer_set(serve->steps, delay);
}

/* Only while the loop, which calls this, and every writer turn. */
static void feed_watchdog(void *context)
{
    struct serve *serve = context;
    bool turning = true;
    for (size_t i = 0; i < HEALTH_ROLES_MAX; i++)
        turning = turning &&
                  (!serve->health.roles[i] || role_still_ms(serve->health.roles[i]) < STILL_MS);
    if (turning)
        supervisor_tell("WATCHDOG=1");
    loop_timer_set(serve->watchdog, FEED_MS);
}

/* What is committed is safe, what is not was not promised: giving up costs a redelivery, no more.
 */
static void give_up(void *context)
{
    (void)context;
    log_event(LOG_LEVEL_WARN, "drain.incomplete", LOG(log_number("after_ms", DRAIN_MS)));
    _exit(EXIT_SUCCESS);
}

static void drain(void *context)
{
    struct serve *serve = context;
    if (serve->draining)
        _exit(EXIT_SUCCESS); /* asked twice: at once */
    serve->draining = true;
    log_event(LOG_LEVEL_INFO, "drain.begun", LOG_NOTHING);
    supervisor_tell("STOPPING=1\nSTATUS=draining");
    http_server_drain(serve->server);
    for (size_t i = 0; i < HEALTH_ROLES_MAX; i++)
        if (serve->health.roles[i])
            role_drain(serve->health.roles[i]);
    loop_timer_set(serve->drain_limit, DRAIN_MS);
    step(serve);
}

static bool open_loop(struct serve *serve, struct error *error)
{
    serve->loop = loop_new(error);
    if (!serve->loop)
        return false;
    serve->waker = loop_waker_new(serve->loop, step, serve, error);
    serve->steps = loop_timer_new(serve->loop, step, serve);
    serve->drain_limit = loop_timer_new(serve->loop, give_up, serve);
    serve->watchdog = loop_timer_new(serve->loop, feed_watchdog, serve);
    serve->term = loop_signal_new(serve->loop, SIGTERM, drain, serve);
    serve->interrupt = loop_signal_new(serve->loop, SIGINT, drain, serve);
    return serve->waker != NULL;
}

static bool open_roles(struct serve *serve, struct error *error)
{
    static const int numbers[HEALTH_ROLES_MAX] = {ROLE_INTAKE, ROLE_DECISION};
    const struct role_host host = {.settings = &serve->settings,
                                   .world = world_real(),
                                   .account = serve->account,
                                   .channels = &serve->channels,
                                   .loop = serve->loop,
                                   .waker = serve->waker,
                                   .open_queue = queue_open};
    for (size_t i = 0; i < HEALTH_ROLES_MAX; i++) {
        if (!(serve->settings.roles & numbers[i]))
            continue;
        serve->health.roles[i] = role_open(numbers[i], &host, error);
        if (!serve->health.roles[i])
            return false;
    }
    return true;
}

static bool open_server(struct serve *serve, struct error *error)
{
    const struct http_listen listen = {.address = serve->settings.listen,
                                       .fd = serve->settings.listen_fd};
    serve->server = http_server_new(serve->loop, &listen, error);
    if (!serve->server ||
        !settings_check_address(&serve->settings, http_server_address(serve->server), error))
        return false;
    serve->guard = guard_new(&serve->settings, serve->loop, serve->server, error);
    if (!serve->guard)
        return false;
    serve->health.server = serve->server;
    serve->health.started_ms = world_wall_ms(world_real());
    http_server_routes(serve->server, health_routes(), &serve->health);
    for (size_t i = 0; i < HEALTH_ROLES_MAX; i++)
        if (serve->health.roles[i])
            role_add_routes(serve->health.roles[i], serve->server);
    return true;
}

static bool open_account(struct serve *serve, struct error *error)
{
    serve->account = account_new(
        &(struct account_options){.config = serve->config, .world = world_real()}, error);
    return serve->account != NULL;
}

/* Whoever runs no intake tells nobody, and yet is told what is wrong with the settings. */
static bool open_channels(struct serve *serve, struct error *error)
{
    const struct channel_host host = {serve->settings.notices, serve->account};
    return channels_open(&host, &serve->channels, error);
}

static bool serve_open(struct serve *serve, struct error *error)
{
    return open_account(serve, error) && open_channels(serve, error) &&
           state_dir_make(serve->settings.state_dir, error) && open_loop(serve, error) &&
           open_roles(serve, error) && open_server(serve, error);
}

/* The server last: what the roles still hold are its requests and streams. */
static void serve_close(struct serve *serve)
{
    for (size_t i = 0; i < HEALTH_ROLES_MAX; i++)
        if (serve->health.roles[i])
            role_close(serve->health.roles[i]);
    http_server_free(serve->server);
    guard_free(serve->guard);
    loop_signal_free(serve->interrupt);
    loop_signal_free(serve->term);
    loop_timer_free(serve->watchdog);
    loop_timer_free(serve->drain_limit);
    loop_timer_free(serve->steps);
    loop_waker_free(serve->waker);
    loop_free(serve->loop);
    channels_close(&serve->channels);
    account_free(serve->account);
}

static void tell_ready(struct serve *serve)
{
    const char *address = http_server_address(serve->server);
    const char *queues = serve->settings.embedded_by_default ? "embedded" : "configured";
    struct buf state AUTO(buf_release) = {0};
    log_event(LOG_LEVEL_INFO, "serve.ready",
              LOG(log_text("address", address), log_text("state", serve->settings.state_dir),
                  log_text("queues", queues), log_text("version", BOOKFLOW_VERSION)));
    buf_printf(&state, "READY=1\nSTATUS=listens on %s", address);
    supervisor_tell(buf_text(&state));
    if (supervisor_patience_ms() >= 0)
        feed_watchdog(serve);
}

static bool run(struct serve *serve, struct error *error)
{
    bool opened = serve_open(serve, error);
    if (opened) {
        tell_ready(serve);
        step(serve);
        loop_run(serve->loop);
    }
    serve_close(serve);
    if (opened)
        log_event(LOG_LEVEL_INFO, "serve.stopped", LOG_NOTHING);
    return opened;
}

/* Opening an SQS queue contacts nobody, so region, profile and endpoint can be checked by doing it;
 * an embedded one would be made, and its URL is checked already. */
static bool check_queue(const struct serve *serve, const char *url, struct error *error)
{
    const struct queue_host host = {.world = world_real(), .account = serve->account};
    if (strncmp(url, "sqlite:", 7) == 0)
        return true;
    struct queue *queue = queue_open(url, &host, error);
    queue_close(queue);
    return queue != NULL;
}

static bool check(struct serve *serve, struct error *error)
{
    const bool good = state_dir_check(serve->settings.state_dir, error) &&
                      guard_check(&serve->settings, error) && open_account(serve, error) &&
                      open_channels(serve, error) &&
                      check_queue(serve, serve->settings.request_url, error) &&
                      check_queue(serve, serve->settings.confirmation_url, error);
    channels_close(&serve->channels);
    account_free(serve->account);
    return good;
}

static int parse_role(const char *name)
{
    static const struct {
        const char *name;
        int roles;
    } names[] = {{"intake", ROLE_INTAKE}, {"decision", ROLE_DECISION}, {"all", ROLE_ALL}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i].name) == 0)
            return names[i].roles;
    return 0;
}

static int configuration_failed(const struct config *config, const struct error *error)
{
    const char *complaint = config ? config_complaint(config, 0) : NULL;
    if (!complaint)
        (void)fprintf(stderr, "bookflow: %s\n", error->text);
    for (size_t i = 0; complaint; complaint = config_complaint(config, ++i))
        (void)fprintf(stderr, "bookflow: %s\n", complaint);
    return error_policy(error->kind)->exit_code;
}

static int serve_with(const char *env_file, int roles, bool only_check)
{
    struct error error = {0};
    struct config *config AUTO(config_release) = config_read(env_file, &error);
    struct serve serve = {.config = config, .settings = {.listen_fd = -1}};
    if (!config || !settings_read(config, roles, &serve.settings, &error)) {
        settings_release(&serve.settings);
        return configuration_failed(config, &error);
    }
    const char *level = config_text(config, "BOOKFLOW_LOG_LEVEL");
    if (level)
        (void)!log_set_level(level); /* settings_read() has checked it */
    bool good = only_check ? check(&serve, &error) : run(&serve, &error);
    if (!good)
        log_event(LOG_LEVEL_ERROR, "serve.failed",
                  LOG(log_text("error", error_policy(error.kind)->name),
                      log_text("message", error.text)));
    else if (only_check)
        (void)puts("configuration ok");
    settings_release(&serve.settings);
    return error.kind ? error_policy(error.kind)->exit_code : EXIT_SUCCESS;
}

int serve_main(int argc, char **argv)
{
    static const struct option options[] = {{"env-file", required_argument, NULL, 'e'},
                                            {"check", no_argument, NULL, 'c'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    const char *env_file = NULL;
    bool only_check = false;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'h')
            return fputs(usage, stdout) < 0;
        if (option == '?')
            return error_policy(ERROR_USAGE)->exit_code;
        env_file = option == 'e' ? optarg : env_file;
        only_check = only_check || option == 'c';
    }
    int roles = optind == argc - 1 ? parse_role(argv[optind]) : 0;
    if (!roles) {
        (void)fputs(usage, stderr);
        return error_policy(ERROR_USAGE)->exit_code;
    }
    return serve_with(env_file, roles, only_check);
}
