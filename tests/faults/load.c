/* The load of the harnesses with real processes: connections to both workers that book, cancel,
 * accept, reject and withdraw at random, connect again at once when a worker dies, and write down
 * what they were promised.
 *
 *   fault_load INTAKE.sock DECISION.sock LOG SEED CONNECTIONS THINK_MS
 *
 * until SIGTERM; then prints its counts. CONNECTIONS is per worker. */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>

#include "load_client.h"

enum { CLIENTS_MAX = 64, TICK_MS = 1 };

static volatile sig_atomic_t stopped; /* a signal handler has no other way to tell */

static void stop(int signal)
{
    (void)signal;
    stopped = 1;
}

static void wait_for_news(struct load_client clients[], size_t count)
{
    struct pollfd fds[2 * CLIENTS_MAX];
    for (size_t i = 0; i < count; i++)
        fds[i] = (struct pollfd){.fd = clients[i].wire.fd, .events = POLLIN};
    (void)poll(fds, count, TICK_MS);
}

static void run(struct load *load, struct load_client clients[], size_t count)
{
    while (!stopped) {
        for (size_t i = 0; i < count; i++)
            load_client_step(load, &clients[i]);
        wait_for_news(clients, count);
    }
    for (size_t i = 0; i < count; i++) {
        http_wire_release(&clients[i].wire);
        buf_release(&clients[i].body);
    }
}

int main(int count, char **words)
{
    static struct load_client clients[2 * CLIENTS_MAX];
    const size_t each = count == 7 ? strtoul(words[5], NULL, 10) : 0;
    struct load load = {0};
    if (each < 1 || each > CLIENTS_MAX) {
        (void)fputs("usage: fault_load INTAKE.sock DECISION.sock LOG SEED CONNECTIONS THINK_MS\n",
                    stderr);
        return 2;
    }
    load.log = fopen(words[3], "we");
    load.chance = strtoull(words[4], NULL, 10) * 2 + 1; /* never 0 */
    load.think_ms = strtol(words[6], NULL, 10);
    if (!load.log)
        return 2;
    for (size_t i = 0; i < 2 * each; i++)
        clients[i] = (struct load_client){.wire = {.path = words[i < each ? 1 : 2], .fd = -1},
                                          .of_intake = i < each,
                                          .number = (unsigned)i};
    (void)signal(SIGTERM, stop);
    run(&load, clients, 2 * each);
    (void)fclose(load.log);
    (void)printf("%lld requests, %lld promised, %lld refused, %lld unavailable, %lld unanswered,"
                 " %lld repeated, %zu bookings\n",
                 (long long)load.requests, (long long)load.promised, (long long)load.refused,
                 (long long)load.unavailable, (long long)load.unanswered, (long long)load.repeated,
                 load.known_count);
    free(load.known);
    return 0;
}
