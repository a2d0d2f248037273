/* The tokens and limits of a running worker. */
#include "guard.h"

#include <stdlib.h>

#include "buf.h"
#include "log.h"
#include "tokens.h"

/* Generous for one client, and far from what the worker can do for all of them. */
enum { LOOK_MS = 1000, REQUESTS_A_SECOND = 1000, CONNECTIONS = 512 };

struct guard {
    const struct settings *settings;
    struct http_server *server;
    struct loop_timer *timer;
    struct tokens *tokens; /* NULL: BOOKFLOW_AUTH is off */
    uint64_t told;         /* the generation that was logged */
    bool asks;
};

static int64_t limit(const struct guard *guard, int64_t wanted, int64_t by_auth)
{
    if (wanted != LIMIT_BY_AUTH)
        return wanted;
    return guard->asks ? by_auth : 0;
}

static void admit(struct guard *guard)
{
    const struct settings *settings = guard->settings;
    const struct http_admission admission = {
        .tokens = guard->asks ? guard->tokens : NULL,
        .behind_proxy = settings->behind_proxy,
        .requests = limit(guard, settings->client_requests, REQUESTS_A_SECOND),
        .connections = limit(guard, settings->client_connections, CONNECTIONS),
    };
    http_server_admission(guard->server, &admission);
}

static void tell(struct guard *guard)
{
    const struct token_list *list = tokens_list(guard->tokens);
    if (guard->told == tokens_generation(guard->tokens))
        return;
    guard->told = tokens_generation(guard->tokens);
    if (*list->trouble)
        log_event(LOG_LEVEL_ERROR, "tokens.trouble",
                  LOG(log_text("file", guard->settings->tokens_file),
                      log_number("refused", (int64_t)list->damaged),
                      log_text("reason", list->trouble)));
    log_event(list->count ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, "tokens.read",
              LOG(log_number("tokens", (int64_t)list->count)));
}

/* Tokens that are made while the worker is open to all of this machine are meant to be asked for.
 */
static void look(void *context)
{
    struct guard *guard = context;
    tokens_refresh(guard->tokens);
    if (!guard->asks && tokens_present(guard->tokens)) {
        guard->asks = true;
        admit(guard);
    }
    if (guard->asks) {
        tell(guard);
        http_server_recheck(guard->server);
    }
    loop_timer_set(guard->timer, LOOK_MS);
}

struct guard *guard_new(const struct settings *settings, struct loop *loop,
                        struct http_server *server, struct error *error)
{
    struct token_list list = {.items = NULL};
    if (settings->auth && !tokens_read(settings->tokens_file, &list, error))
        return NULL;
    token_list_release(&list);
    struct guard *guard = memory_new(1, sizeof *guard);
    guard->settings = settings;
    guard->server = server;
    guard->asks = settings->auth;
    guard->timer = loop_timer_new(loop, look, guard);
    if (!settings->auth_off)
        guard->tokens = tokens_new(settings->tokens_file);
    admit(guard);
    if (guard->tokens)
        look(guard);
    return guard;
}

void guard_free(struct guard *guard)
{
    if (!guard)
        return;
    loop_timer_free(guard->timer);
    tokens_free(guard->tokens);
    free(guard);
}

bool guard_check(const struct settings *settings, struct error *error)
{
    struct token_list list = {.items = NULL};
    if (!settings->auth)
        return true;
    if (!tokens_read(settings->tokens_file, &list, error))
        return false;
    const bool sound = list.damaged == 0 || error_set(error, ERROR_CONFIGURATION, "%s: %s",
                                                      settings->tokens_file, list.trouble);
    token_list_release(&list);
    return sound;
}
