/* The loop: timers fire once and in order, descriptors and signals arrive, any thread may wake. */
#include "loop.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "world.h"

/* What most tests need: a loop, a count of calls, and an end after so many. */
struct scene {
    struct loop *loop;
    int calls, end_after;
    struct loop_timer *timer;
    struct loop_signal *signal;
    struct loop_watch *watch;
    struct loop_waker *waker;
    int fd;
};

static void scene_init(struct scene *scene, int end_after)
{
    struct error error = {0};
    *scene = (struct scene){.loop = loop_new(&error), .end_after = end_after, .fd = -1};
    cr_assert(scene->loop, "%s", error.text);
}

static void scene_release(struct scene *scene)
{
    loop_timer_free(scene->timer);
    loop_signal_free(scene->signal);
    loop_watch_free(scene->watch);
    loop_waker_free(scene->waker);
    loop_free(scene->loop);
}

static void count(void *context)
{
    struct scene *scene = context;
    if (++scene->calls == scene->end_after)
        loop_stop(scene->loop);
}

Test(loop, a_timer_fires_once_and_not_early)
{
    struct scene scene AUTO(scene_release);
    scene_init(&scene, 1);
    scene.timer = loop_timer_new(scene.loop, count, &scene);
    for (int64_t delay = 0; delay < 20; delay += 3) {
        const int64_t before = world_ticks_ms(world_real());
        scene.calls = 0;
        loop_timer_set(scene.timer, delay);
        loop_run(scene.loop);
        cr_assert_eq(scene.calls, 1);
        /* Both ends are cut to milliseconds, hence the one. */
        cr_assert_geq(world_ticks_ms(world_real()) - before, delay - 1);
    }
}

static void rearm(void *context)
{
    struct scene *scene = context;
    loop_timer_set(scene->timer, 0);
    count(scene);
}

Test(loop, a_timer_may_set_itself_again)
{
    struct scene scene AUTO(scene_release);
    scene_init(&scene, 100);
    scene.timer = loop_timer_new(scene.loop, rearm, &scene);
    loop_timer_set(scene.timer, 0);
    loop_run(scene.loop);
    cr_assert_eq(scene.calls, 100);
}

/* Two timers and the order in which they fired. */
struct race {
    struct loop *loop;
    char order[8];
    size_t length;
};

static void first(void *context)
{
    struct race *race = context;
    race->order[race->length++] = '1';
}

static void last(void *context)
{
    struct race *race = context;
    race->order[race->length++] = '2';
    loop_stop(race->loop);
}

Test(loop, setting_a_timer_again_replaces_its_time_and_negative_clears_it)
{
    struct error error = {0};
    struct race race = {.loop = loop_new(&error)};
    struct loop_timer *one = loop_timer_new(race.loop, first, &race);
    struct loop_timer *two = loop_timer_new(race.loop, last, &race);
    loop_timer_set(one, 3600 * 1000);
    loop_timer_set(one, 1);
    loop_timer_set(two, 5);
    loop_run(race.loop);
    cr_assert_str_eq(race.order, "12");
    loop_timer_set(one, 1);
    loop_timer_set(one, -1);
    loop_timer_set(two, 5);
    loop_run(race.loop);
    cr_assert_str_eq(race.order, "122", "the cleared one did not fire");
    loop_timer_free(one);
    loop_timer_free(two);
    loop_free(race.loop);
}

Test(loop, a_stop_before_the_run_counts_once)
{
    struct scene scene AUTO(scene_release);
    scene_init(&scene, 1);
    loop_stop(scene.loop);
    loop_run(scene.loop);
    scene.timer = loop_timer_new(scene.loop, count, &scene);
    loop_timer_set(scene.timer, 0);
    loop_run(scene.loop);
    cr_assert_eq(scene.calls, 1, "the second run did run");
}

static void raise_again(void *context)
{
    struct scene *scene = context;
    if (scene->calls + 1 < scene->end_after)
        (void)raise(SIGUSR1);
    count(scene);
}

Test(loop, each_arrival_of_a_signal_is_a_call)
{
    struct scene scene AUTO(scene_release);
    scene_init(&scene, 3);
    scene.signal = loop_signal_new(scene.loop, SIGUSR1, raise_again, &scene);
    (void)raise(SIGUSR1);
    loop_run(scene.loop);
    cr_assert_eq(scene.calls, 3);
}

static void take_byte(void *context)
{
    struct scene *scene = context;
    char byte = 0;
    cr_assert_eq(read(scene->fd, &byte, 1), 1);
    count(scene);
}

Test(loop, a_descriptor_is_ready_as_long_as_there_is_something_to_read)
{
    struct scene scene AUTO(scene_release);
    scene_init(&scene, 3);
    int ends[2];
    cr_assert_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    scene.fd = ends[0];
    scene.watch = loop_watch_new(scene.loop, ends[0], false, take_byte, &scene);
    cr_assert_eq(write(ends[1], "abc", 3), 3);
    loop_run(scene.loop);
    cr_assert_eq(scene.calls, 3);
    loop_watch_free(scene.watch);
    scene.watch = NULL;
    cr_assert_eq(close(ends[0]), 0, "the descriptor stayed ours");
    cr_assert_eq(close(ends[1]), 0);
}

Test(loop, a_descriptor_is_watched_for_writing)
{
    struct scene scene AUTO(scene_release);
    scene_init(&scene, 2);
    int ends[2];
    cr_assert_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    scene.watch = loop_watch_new(scene.loop, ends[1], true, count, &scene);
    loop_run(scene.loop);
    cr_assert_eq(scene.calls, 2);
    loop_watch_free(scene.watch);
    scene.watch = NULL;
    (void)close(ends[0]);
    (void)close(ends[1]);
}

Test(loop, many_wakes_before_a_turn_are_one_call)
{
    struct scene scene AUTO(scene_release);
    struct error error = {0};
    scene_init(&scene, -1);
    scene.waker = loop_waker_new(scene.loop, count, &scene, &error);
    cr_assert(scene.waker, "%s", error.text);
    struct race race = {.loop = scene.loop};
    struct loop_timer *end = loop_timer_new(scene.loop, last, &race);
    for (int i = 0; i < 1000; i++)
        loop_wake(scene.waker);
    loop_timer_set(end, 5);
    loop_run(scene.loop);
    cr_assert_eq(scene.calls, 1);
    loop_wake(scene.waker);
    loop_timer_set(end, 5);
    loop_run(scene.loop);
    cr_assert_eq(scene.calls, 2, "and a later one is another");
    loop_timer_free(end);
}

static void *wake(void *context)
{
    const struct scene *scene = context;
    loop_wake(scene->waker);
    return NULL;
}

Test(loop, another_thread_wakes_a_loop_that_waits)
{
    struct scene scene AUTO(scene_release);
    struct error error = {0};
    scene_init(&scene, 1);
    scene.waker = loop_waker_new(scene.loop, count, &scene, &error);
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, wake, &scene), 0);
    loop_run(scene.loop);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    cr_assert_eq(scene.calls, 1);
}

static void free_timer(void *context)
{
    struct scene *scene = context;
    loop_timer_free(scene->timer);
    scene->timer = NULL;
    loop_wake(scene->waker);
}

static void free_waker(void *context)
{
    struct scene *scene = context;
    loop_waker_free(scene->waker);
    scene->waker = NULL;
    (void)raise(SIGUSR1);
}

static void free_watch(void *context)
{
    struct scene *scene = context;
    loop_watch_free(scene->watch);
    scene->watch = NULL;
    loop_stop(scene->loop);
}

static void free_signal(void *context)
{
    struct scene *scene = context;
    loop_signal_free(scene->signal);
    scene->signal = NULL;
    scene->watch = loop_watch_new(scene->loop, scene->fd, true, free_watch, scene);
}

/* Each handler frees itself and sets off the next one. */
Test(loop, every_handler_may_free_itself_when_called)
{
    struct scene scene AUTO(scene_release);
    struct error error = {0};
    scene_init(&scene, -1);
    int ends[2];
    cr_assert_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    scene.fd = ends[1];
    scene.timer = loop_timer_new(scene.loop, free_timer, &scene);
    scene.waker = loop_waker_new(scene.loop, free_waker, &scene, &error);
    scene.signal = loop_signal_new(scene.loop, SIGUSR1, free_signal, &scene);
    loop_timer_set(scene.timer, 0);
    loop_run(scene.loop);
    cr_assert(!scene.timer && !scene.waker && !scene.signal && !scene.watch);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

/* The lowest number that is free. */
static int next_fd(void)
{
    const int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    cr_assert_eq(close(fd), 0);
    return fd;
}

Test(loop, a_freed_waker_leaves_no_descriptor_open)
{
    struct scene scene AUTO(scene_release);
    struct error error = {0};
    scene_init(&scene, 1);
    const int before = next_fd();
    struct loop_waker *waker = loop_waker_new(scene.loop, count, &scene, &error);
    cr_assert_neq(next_fd(), before);
    loop_waker_free(waker);
    cr_assert_eq(next_fd(), before);
}

Test(loop, freeing_nothing_is_fine)
{
    loop_timer_free(NULL);
    loop_signal_free(NULL);
    loop_watch_free(NULL);
    loop_waker_free(NULL);
    loop_free(NULL);
}

Test(loop, shows_its_base_to_the_server_next_door)
{
    struct scene scene AUTO(scene_release);
    scene_init(&scene, 1);
    cr_assert_not_null(loop_base(scene.loop));
}
