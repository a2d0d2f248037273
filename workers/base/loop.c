/* libevent's core behind our own names. Knows nothing of HTTP, queues or stores. */
#include "loop.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "buf.h"

struct loop {
    struct event_base *base;
    bool stopped; /* remembered, for libevent forgets a break that came before its loop */
};

/* What timer, signal, watch and waker have in common. */
struct handler {
    struct event *event;
    loop_fn *call;
    void *context;
};

struct loop_timer {
    struct handler handler;
};

struct loop_signal {
    struct handler handler;
};

struct loop_watch {
    struct handler handler;
};

struct loop_waker {
    struct handler handler;
    int fd;
};

/* Nothing of the handler is touched after the call, which may have freed it. */
static void dispatch(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    const struct handler *handler = context;
    handler->call(handler->context);
}

/* The handler's own call and context are set already. libevent fails here only for want of memory
 * or for a descriptor that cannot be watched, which is a bug of the caller. */
static void handler_start(struct loop *loop, struct handler *handler, int fd, int what)
{
    /* libevent's flags are small numbers. */
    handler->event = event_new(loop->base, fd, (short)what, dispatch, handler);
    assert(handler->event);
    const int failed = what == 0 ? 0 : event_add(handler->event, NULL);
    assert(!failed);
}

/* Precise, for libevent's default clock is up to 4 ms behind and would fire timers early. */
static struct event_base *new_base(void)
{
    struct event_config *config = event_config_new();
    if (!config)
        return NULL;
    (void)event_config_set_flag(config,
                                EVENT_BASE_FLAG_PRECISE_TIMER | EVENT_BASE_FLAG_NO_CACHE_TIME);
    struct event_base *base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

struct loop *loop_new(struct error *error)
{
    struct event_base *base = new_base();
    if (!base) {
        (void)error_set(error, ERROR_UNAVAILABLE, "cannot start the event loop: %s",
                        strerror(errno));
        return NULL;
    }
    struct loop *loop = memory_new(1, sizeof *loop);
    loop->base = base;
    return loop;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    event_base_free(loop->base);
    free(loop);
}

void loop_run(struct loop *loop)
{
    if (!loop->stopped) {
        const int result = event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
        assert(result >= 0);
    }
    loop->stopped = false;
}

void loop_stop(struct loop *loop)
{
    loop->stopped = true;
    (void)event_base_loopbreak(loop->base);
}

struct event_base *loop_base(struct loop *loop)
{
    return loop->base;
}

struct loop_timer *loop_timer_new(struct loop *loop, loop_fn *fire, void *context)
{
    struct loop_timer *timer = memory_new(1, sizeof *timer);
    timer->handler = (struct handler){.call = fire, .context = context};
    handler_start(loop, &timer->handler, -1, 0);
    return timer;
}

void loop_timer_set(struct loop_timer *timer, int64_t delay_ms)
{
    if (delay_ms < 0) {
        (void)event_del(timer->handler.event);
        return;
    }
    const struct timeval delay = {.tv_sec = delay_ms / 1000, .tv_usec = delay_ms % 1000 * 1000};
    const int failed = event_add(timer->handler.event, &delay);
    assert(!failed);
}

void loop_timer_free(struct loop_timer *timer)
{
    if (!timer)
        return;
    event_free(timer->handler.event);
    free(timer);
}

struct loop_signal *loop_signal_new(struct loop *loop, int number, loop_fn *fire, void *context)
{
    struct loop_signal *signal = memory_new(1, sizeof *signal);
    signal->handler = (struct handler){.call = fire, .context = context};
    handler_start(loop, &signal->handler, number, EV_SIGNAL | EV_PERSIST);
    return signal;
}

void loop_signal_free(struct loop_signal *signal)
{
    if (!signal)
        return;
    event_free(signal->handler.event);
    free(signal);
}

struct loop_watch *loop_watch_new(struct loop *loop, int fd, bool write, loop_fn *ready,
                                  void *context)
{
    struct loop_watch *watch = memory_new(1, sizeof *watch);
    watch->handler = (struct handler){.call = ready, .context = context};
    handler_start(loop, &watch->handler, fd, (write ? EV_WRITE : EV_READ) | EV_PERSIST);
    return watch;
}

void loop_watch_free(struct loop_watch *watch)
{
    if (!watch)
        return;
    event_free(watch->handler.event);
    free(watch);
}

/* Reading takes the whole counter, so many wakes are one call. */
static void woken(evutil_socket_t fd, short what, void *context)
{
    uint64_t wakes = 0;
    if (read(fd, &wakes, sizeof wakes) == (ssize_t)sizeof wakes)
        dispatch(fd, what, context);
}

struct loop_waker *loop_waker_new(struct loop *loop, loop_fn *fire, void *context,
                                  struct error *error)
{
    const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) {
        (void)error_set(error, ERROR_UNAVAILABLE, "cannot make a wake-up: %s", strerror(errno));
        return NULL;
    }
    struct loop_waker *waker = memory_new(1, sizeof *waker);
    *waker = (struct loop_waker){.handler = {.call = fire, .context = context}, .fd = fd};
    waker->handler.event = event_new(loop->base, fd, EV_READ | EV_PERSIST, woken, &waker->handler);
    assert(waker->handler.event);
    const int failed = event_add(waker->handler.event, NULL);
    assert(!failed);
    return waker;
}

void loop_wake(struct loop_waker *waker)
{
    const uint64_t one = 1;
    /* A full counter means that wakes enough are under way. */
    while (write(waker->fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

void loop_waker_free(struct loop_waker *waker)
{
    if (!waker)
        return;
    event_free(waker->handler.event);
    (void)close(waker->fd);
    free(waker);
}
