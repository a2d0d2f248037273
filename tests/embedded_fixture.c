/* Knows the embedded queue by its URL only. */
#include "embedded_fixture.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "buf.h"

enum { TURN_MS = 5 };

static int64_t wall_ms(void *context)
{
    const struct fixture *fixture = context;
    while (fixture->hold && !pthread_equal(fixture->owner, pthread_self()))
        (void)sched_yield();
    return 1800000000000 + fixture->passed_ms;
}

static int64_t ticks_ms(void *context)
{
    struct fixture *fixture = context;
    if (fixture->on_ticks)
        fixture->on_ticks(fixture);
    return 5000 + fixture->passed_ms;
}

/* A counter, mixed: repeats, and from any thread. */
static void chance(void *context, void *bytes, size_t length)
{
    struct fixture *fixture = context;
    unsigned char *out = bytes;
    for (size_t i = 0; i < length; i++) {
        uint64_t mixed = (++fixture->chance) * 0x9E3779B97F4A7C15U;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9U;
        out[i] = (unsigned char)(mixed >> 56);
    }
}

static void wake(void *context)
{
    const struct fixture *fixture = context;
    (void)eventfd_write(fixture->wake_fd, 1);
}

struct queue *fixture_open(struct fixture *fixture, const char *name, struct error *error)
{
    struct buf url AUTO(buf_release) = {0};
    const struct queue_host host = {.world = &fixture->world,
                                    .wake = wake,
                                    .context = fixture,
                                    .single_threaded = !fixture->threaded};
    buf_printf(&url, "sqlite:%s?queue=%s%s", fixture->file, name, fixture->options);
    return queue_open(buf_text(&url), &host, error);
}

static struct queue *contract_open(void *context, const char *name)
{
    struct error error = {0};
    struct queue *queue = fixture_open(context, name, &error);
    cr_assert_not_null(queue, "%s", error.text);
    return queue;
}

static void contract_advance(void *context, int64_t ms)
{
    struct fixture *fixture = context;
    fixture->passed_ms += ms;
}

/* As the owner's loop would wait; on one thread nothing can happen by itself. */
static void contract_turn(void *context, struct queue *const queues[], size_t count)
{
    const struct fixture *fixture = context;
    struct pollfd fds[8] = {{.fd = fixture->wake_fd, .events = POLLIN}};
    for (size_t i = 0; i < count; i++)
        fds[i + 1] = (struct pollfd){.fd = queue_fd(queues[i]), .events = POLLIN};
    eventfd_t woken = 0;
    if (fixture->threaded && poll(fds, count + 1, TURN_MS) > 0)
        (void)eventfd_read(fixture->wake_fd, &woken);
}

void fixture_init(struct fixture *fixture, bool threaded)
{
    *fixture = (struct fixture){
        .options = "&max_receives=3&visibility=30", .threaded = threaded, .owner = pthread_self()};
    (void)snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/bookflow-queue-XXXXXX");
    cr_assert_not_null(mkdtemp(fixture->folder));
    (void)snprintf(fixture->file, sizeof(fixture->file), "%s/queues.db", fixture->folder);
    fixture->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    fixture->world = (struct world){wall_ms, ticks_ms, chance, fixture};
    fixture->contract = (struct queue_contract){.open = contract_open,
                                                .advance = contract_advance,
                                                .turn = contract_turn,
                                                .context = fixture};
}

void fixture_release(struct fixture *fixture)
{
    (void)close(fixture->wake_fd);
    DIR *folder = opendir(fixture->folder);
    for (struct dirent *each = readdir(folder); each; each = readdir(folder))
        (void)unlinkat(dirfd(folder), each->d_name, 0);
    (void)closedir(folder);
    (void)rmdir(fixture->folder);
}
