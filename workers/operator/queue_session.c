/* One call at a time: begun, then steps and poll() until it is answered. Knows no verb. */
#include "queue_session.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "buf.h"
#include "remote.h"

static const char scheme[] = "sqlite:";
static const char *const names[WHICH_COUNT] = {"request", "confirmation"};

/* --- the session --- */

bool queue_session_open(struct queue_session *session, const char *env_file, struct error *error)
{
    *session = (struct queue_session){.world = world_real(), .settings = {.listen_fd = -1}};
    session->config = config_read(env_file, error);
    if (!session->config || !settings_read(session->config, ROLE_ALL, &session->settings, error))
        return false;
    session->account = account_new(
        &(struct account_options){.config = session->config, .world = session->world}, error);
    return session->account != NULL;
}

void queue_session_release(struct queue_session *session)
{
    account_free(session->account);
    settings_release(&session->settings);
    config_release(&session->config);
    session->account = NULL;
}

int queue_session_fail(const struct queue_session *session, const struct error *error)
{
    const char *complaint = session->config ? config_complaint(session->config, 0) : NULL;
    if (!complaint)
        return remote_fail(error);
    for (size_t i = 0; complaint; complaint = config_complaint(session->config, ++i))
        (void)fprintf(stderr, "bookflow: %s\n", complaint);
    return error_policy(error->kind)->exit_code;
}

/* --- signals --- */

void queue_session_hold_signals(bool held)
{
    sigset_t both;
    (void)sigemptyset(&both);
    (void)sigaddset(&both, SIGINT);
    (void)sigaddset(&both, SIGTERM);
    (void)sigprocmask(held ? SIG_BLOCK : SIG_UNBLOCK, &both, NULL);
}

bool queue_session_may_go_on(struct error *error)
{
    sigset_t pending;
    (void)sigpending(&pending);
    return (sigismember(&pending, SIGINT) == 0 && sigismember(&pending, SIGTERM) == 0) ||
           error_set(error, ERROR_UNAVAILABLE, "interrupted");
}

/* --- names --- */

const char *which_queue_name(enum which_queue which)
{
    return names[which];
}

enum which_queue which_queue_parse(const char *name)
{
    int which = 0;
    while (which < WHICH_COUNT && (!name || strcmp(name, names[which]) != 0))
        which++;
    return (enum which_queue)which;
}

const char *which_queue_url(const struct queue_session *session, enum which_queue which)
{
    return which == WHICH_REQUEST ? session->settings.request_url
                                  : session->settings.confirmation_url;
}

bool queue_is_embedded(const char *url)
{
    return strncasecmp(url, scheme, strlen(scheme)) == 0;
}

void queue_own_name(struct buf *out, const char *url)
{
    const char *slash = strrchr(url, '/');
    const char *option = queue_is_embedded(url) ? strstr(url, "queue=") : NULL;
    const char *name = slash ? slash + 1 : url;
    if (option)
        name = option + strlen("queue=");
    buf_append(out, name, strcspn(name, "&"));
}

/* --- queues --- */

/* To look is not to make: an empty queue in a wrong folder would say that all is well. */
static bool check_file(const char *url, struct error *error)
{
    const char *path = url + strlen(scheme);
    char *file AUTO(memory_release) = memory_text_n(path, strcspn(path, "?"));
    return access(file, F_OK) == 0 ||
           error_set(error, ERROR_UNAVAILABLE,
                     "there is no queue file %s (%s): start the worker, or set BOOKFLOW_STATE_DIR"
                     " or the queue URLs",
                     file, strerror(errno));
}

static void wake(void *context)
{
    struct queue_session *session = context;
    session->woken = true;
}

struct queue *session_queue(struct queue_session *session, const char *url, struct error *error)
{
    const struct queue_host host = {.world = session->world,
                                    .wake = wake,
                                    .context = session,
                                    .account = session->account,
                                    .single_threaded = true};
    if (queue_is_embedded(url) && !check_file(url, error))
        return NULL;
    return queue_open(url, &host, error);
}

void session_queue_release(struct queue **queue)
{
    queue_close(*queue);
    *queue = NULL;
}

/* --- waiting --- */

static void wait_for(struct queue_session *session, int fd, int64_t delay_ms)
{
    struct pollfd watched = {.fd = fd, .events = POLLIN};
    if (session->woken)
        delay_ms = 0;
    (void)poll(&watched, 1, delay_ms > INT_MAX ? INT_MAX : (int)delay_ms);
}

static void run(struct queue_session *session, struct queue *queue, const bool *answered)
{
    while (!*answered) {
        session->woken = false;
        const int64_t delay_ms = queue_step(queue);
        if (!*answered)
            wait_for(session, queue_fd(queue), delay_ms);
    }
}

/* --- attributes --- */

struct report_call {
    bool answered;
    bool failed;
    struct queue_report *report;
    struct error *error;
};

static void take_attributes(void *context, const struct queue_attributes *attributes,
                            const struct error *failure)
{
    struct report_call *call = context;
    call->answered = true;
    call->failed = failure != NULL;
    if (failure) {
        (void)error_set(call->error, failure->kind, "%s", failure->text);
        return;
    }
    struct queue_report *report = call->report;
    report->texts[0] = memory_text(attributes->dead_letter_url);
    report->texts[1] = memory_text(attributes->resource);
    report->texts[2] = memory_text(attributes->allowed);
    report->attributes = *attributes;
    report->attributes.dead_letter_url = report->texts[0];
    report->attributes.resource = report->texts[1];
    report->attributes.allowed = report->texts[2];
}

bool session_report(struct queue_session *session, struct queue *queue, struct queue_report *report,
                    struct error *error)
{
    struct report_call call = {.report = report, .error = error};
    queue_get_attributes(queue, take_attributes, &call);
    run(session, queue, &call.answered);
    return !call.failed;
}

void queue_report_release(struct queue_report *report)
{
    for (size_t i = 0; i < sizeof report->texts / sizeof *report->texts; i++)
        free(report->texts[i]);
    *report = (struct queue_report){0};
}

/* --- messages --- */

struct receive_call {
    bool answered;
    bool failed;
    queue_messages_fn *take;
    void *context;
    struct error *error;
};

static void take_messages(void *context, const struct queue_message messages[], size_t count,
                          const struct error *failure)
{
    struct receive_call *call = context;
    call->answered = true;
    call->failed = failure != NULL;
    if (failure)
        (void)error_set(call->error, failure->kind, "%s", failure->text);
    else
        call->take(call->context, messages, count, NULL);
}

bool session_receive(struct queue_session *session, struct queue *queue,
                     const struct queue_receive_options *options, queue_messages_fn *take,
                     void *context, struct error *error)
{
    struct receive_call call = {.take = take, .context = context, .error = error};
    queue_receive(queue, options, take_messages, &call);
    run(session, queue, &call.answered);
    return !call.failed;
}

struct results_call {
    bool answered;
    bool failed;
    bool receipts_may_be_old;
    struct error *error;
};

static void take_results(void *context, const struct queue_result results[], size_t count,
                         const struct error *failure)
{
    struct results_call *call = context;
    call->answered = true;
    call->failed = failure != NULL;
    if (failure)
        (void)error_set(call->error, failure->kind, "%s", failure->text);
    for (size_t i = 0; i < count; i++) {
        if (results[i].kind == ERROR_NONE ||
            (call->receipts_may_be_old && results[i].kind == ERROR_NOT_FOUND))
            continue;
        call->failed = true;
        (void)error_set(call->error, results[i].kind, "%s", results[i].reason);
    }
}

bool session_send(struct queue_session *session, struct queue *queue,
                  const struct queue_entry *entry, struct error *error)
{
    struct results_call call = {.error = error};
    queue_send(queue, entry, 1, take_results, &call);
    run(session, queue, &call.answered);
    return !call.failed;
}

bool session_delete(struct queue_session *session, struct queue *queue, const char *receipt,
                    struct error *error)
{
    struct results_call call = {.error = error};
    queue_delete(queue, &receipt, 1, take_results, &call);
    run(session, queue, &call.answered);
    return !call.failed;
}

bool session_hide(struct queue_session *session, struct queue *queue,
                  const struct queue_visibility changes[], size_t count, struct error *error)
{
    struct results_call call = {.error = error, .receipts_may_be_old = true};
    queue_change_visibility(queue, changes, count, take_results, &call);
    run(session, queue, &call.answered);
    return !call.failed;
}

/* --- credentials --- */

struct credentials_call {
    bool answered;
    bool failed;
    struct credentials_report *report;
    struct error *error;
};

static void take_credentials(void *context, const struct credentials *credentials,
                             const struct error *failure)
{
    struct credentials_call *call = context;
    call->answered = true;
    call->failed = failure != NULL;
    if (failure) {
        (void)error_set(call->error, failure->kind, "%s", failure->text);
        return;
    }
    (void)snprintf(call->report->source, sizeof call->report->source, "%s", credentials->source);
    call->report->expires_ms = credentials->expires_ms;
}

bool session_credentials(struct queue_session *session, struct credentials_report *report,
                         struct error *error)
{
    struct credentials_call call = {.report = report, .error = error};
    credentials_get(account_credentials(session->account), take_credentials, &call);
    while (!call.answered) {
        const int64_t delay_ms = account_step(session->account);
        if (!call.answered)
            wait_for(session, account_fd(session->account), delay_ms);
    }
    return !call.failed;
}

/* --- time --- */

const char *age_text(int64_t seconds, char out[AGE_SIZE])
{
    static const struct {
        int64_t seconds;
        char unit;
    } units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
    size_t at = 0;
    while (at + 1 < sizeof units / sizeof *units && seconds < 2 * units[at].seconds)
        at++;
    if (seconds < 0)
        (void)snprintf(out, AGE_SIZE, "-");
    else
        (void)snprintf(out, AGE_SIZE, "%lld%c", (long long)(seconds / units[at].seconds),
                       units[at].unit);
    return out;
}
