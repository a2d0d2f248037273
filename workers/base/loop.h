/* The event loop: timers, descriptors, signals and wake-ups from other threads. Knows libevent's
 * core, as does only the HTTP server next door, which shares its base.
 *
 * Everything here belongs to the loop's own thread, except loop_wake(). Callbacks run on the loop
 * and never wait. */
#ifndef BOOKFLOW_LOOP_H
#define BOOKFLOW_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "errors.h"

struct loop;
struct event_base;
typedef void loop_fn(void *context);

MUST_CHECK struct loop *loop_new(struct error *error);
void loop_free(struct loop *loop);

/* Runs until loop_stop(). */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* Only for the HTTP server. */
struct event_base *loop_base(struct loop *loop);

/* A one-shot timer. Setting it again replaces the earlier time; a negative delay clears it. */
struct loop_timer;
struct loop_timer *loop_timer_new(struct loop *loop, loop_fn *fire, void *context);
void loop_timer_set(struct loop_timer *timer, int64_t delay_ms);
void loop_timer_free(struct loop_timer *timer);

/* Calls `fire` on the loop for each arrival of the signal. */
struct loop_signal;
struct loop_signal *loop_signal_new(struct loop *loop, int number, loop_fn *fire, void *context);
void loop_signal_free(struct loop_signal *signal);

/* Calls `ready` whenever the descriptor is readable (or `write`: writable). The descriptor stays
 * the caller's. */
struct loop_watch;
struct loop_watch *loop_watch_new(struct loop *loop, int fd, bool write, loop_fn *ready,
                                  void *context);
void loop_watch_free(struct loop_watch *watch);

/* Wakes the loop from any thread; many wakes before it turns are one call of `fire`. */
struct loop_waker;
MUST_CHECK struct loop_waker *loop_waker_new(struct loop *loop, loop_fn *fire, void *context,
                                             struct error *error);
void loop_wake(struct loop_waker *waker);
void loop_waker_free(struct loop_waker *waker);

#endif
