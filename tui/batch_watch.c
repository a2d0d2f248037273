/* Every change as a line of JSON, until it is stopped or nobody reads any more. The network thread
 * resumes the stream where it broke, so nothing is missed between the first line and the last. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "api.h"
#include "batch.h"
#include "json_fields.h"

enum { ENOUGH = 64 * 1024 };

struct watch {
    struct api *api;
    int signals;
    struct buf out; /* lines that are not written yet */
    bool ever;      /* it was connected once */
    bool away;      /* and is not any more, which was said */
    bool ended;
    int code;
};

static void release(struct watch *watch)
{
    api_free(watch->api);
    buf_release(&watch->out);
    if (watch->signals >= 0)
        (void)close(watch->signals);
}

static void end(struct watch *watch, int code)
{
    watch->ended = true;
    watch->code = code;
}

static void say(const char *what)
{
    (void)fprintf(stderr, "bookflow-console: %s\n", what);
}

static void on_connected(struct watch *watch, bool resumed)
{
    if (watch->ever && !resumed)
        say("connected again, to a server that counts anew: look at --list, changes may be "
            "missing");
    else if (watch->away)
        say("connected again; nothing was missed");
    watch->ever = true;
    watch->away = false;
}

static void on_lost(struct watch *watch, const struct error *error)
{
    const bool passes = error->kind == ERROR_UNAVAILABLE || error->kind == ERROR_BUSY ||
                        error->kind == ERROR_INVALID; /* our number means nothing there any more */
    if (!watch->ever || !passes) {
        end(watch, batch_fail(error));
        return;
    }
    if (!watch->away)
        say("the connection is lost; trying again until it is back");
    watch->away = true;
}

static void on_changed(struct watch *watch, const char *event)
{
    struct error error = {0};
    json_t *booking AUTO(json_release) = json_parse_object(event, strlen(event), &error);
    char *line AUTO(memory_release) =
        booking ? json_dumps(booking, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
    if (!line) {
        end(watch, batch_fail(&error));
        return;
    }
    buf_text_append(&watch->out, line);
    buf_char(&watch->out, '\n');
}

/* Whole lines if possible, and no more than a pipe that has room takes without waiting: a reader
 * that stops must not keep a signal from us. One that has gone is the end and no failure. */
static void write_some(struct watch *watch)
{
    struct error error = {0};
    const char *text = buf_text(&watch->out);
    const size_t most = watch->out.length < PIPE_BUF ? watch->out.length : PIPE_BUF;
    const char *end_of_line = memrchr(text, '\n', most);
    const ssize_t count =
        write(STDOUT_FILENO, text, end_of_line ? (size_t)(end_of_line - text) + 1 : most);
    if (count > 0) {
        buf_consume(&watch->out, (size_t)count);
    } else if (errno == EPIPE) {
        end(watch, 0);
    } else if (errno != EINTR && errno != EAGAIN) {
        (void)error_set(&error, ERROR_DAMAGED, "stdout: %s", strerror(errno));
        end(watch, batch_fail(&error));
    }
}

static void take_news(struct watch *watch)
{
    while (!watch->ended && watch->out.length < ENOUGH) {
        struct news *news AUTO(news_release) = api_take(watch->api);
        if (!news)
            return;
        if (news->kind == NEWS_CONNECTED)
            on_connected(watch, news->resumed);
        else if (news->kind == NEWS_LOST)
            on_lost(watch, &news->error);
        else if (news->event)
            on_changed(watch, news->event);
    }
}

static void watch_always(struct watch *watch)
{
    while (!watch->ended) {
        const bool writes = watch->out.length > 0;
        struct pollfd ready[] = {{.fd = watch->signals, .events = POLLIN},
                                 {.fd = writes ? -1 : api_fd(watch->api), .events = POLLIN},
                                 {.fd = STDOUT_FILENO, .events = writes ? POLLOUT : 0}};
        if (poll(ready, sizeof ready / sizeof ready[0], -1) < 0 && errno != EINTR)
            end(watch, 1);
        else if (ready[0].revents || ready[2].revents & (POLLERR | POLLHUP)) /* nobody reads */
            end(watch, 0);
        else if (ready[2].revents)
            write_some(watch);
        else if (ready[1].revents)
            take_news(watch);
    }
}

int batch_watch(const struct batch *batch, const struct remote *remote, struct client *client)
{
    struct watch watch AUTO(release) = {.signals = -1};
    struct error error = {0};
    sigset_t ends;
    (void)batch;
    (void)client; /* the network thread has its own */
    (void)sigemptyset(&ends);
    (void)sigaddset(&ends, SIGTERM);
    (void)sigaddset(&ends, SIGINT);
    (void)sigaddset(&ends, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &ends, NULL); /* before the threads */
    (void)signal(SIGPIPE, SIG_IGN);
    watch.signals = signalfd(-1, &ends, SFD_CLOEXEC);
    if (watch.signals < 0)
        (void)error_set(&error, ERROR_UNAVAILABLE, "signalfd: %s", strerror(errno));
    else
        watch.api = api_listen(remote, &error);
    if (!watch.api)
        return batch_fail(&error);
    watch_always(&watch);
    return watch.code;
}
