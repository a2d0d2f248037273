/* SQS against the contract of all queues, over the wire: an SQS server that is not ours, behind a
 * proxy that verifies signatures. Time is real. Run by contract.sh, which starts the server. */
#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "account.h"
#include "peer.h"
#include "queue_contract.h"
#include "queue_probe.h"

enum { TURN_MS = 20 };

struct fixture {
    struct peer peer;
    struct config *config;
    struct account *account;
    int woken;
    struct queue_contract contract;
};

static void wake(void *context)
{
    ((struct fixture *)context)->woken++;
}

static struct queue *open_queue(void *context, const char *name)
{
    struct fixture *fixture = context;
    char url[256];
    struct error error = {0};
    const struct queue_host host = {.world = world_real(),
                                    .wake = wake,
                                    .context = fixture,
                                    .account = fixture->account,
                                    .single_threaded = true};
    peer_queue_url(&fixture->peer, name, url, sizeof url);
    struct queue *queue = queue_open(url, &host, &error);
    cr_assert_not_null(queue, "%s", error.text);
    return queue;
}

static void advance(void *context, int64_t ms)
{
    (void)context;
    (void)poll(NULL, 0, (int)ms);
}

static void turn(void *context, struct queue *const queues[], size_t count)
{
    struct fixture *fixture = context;
    struct pollfd fd = {.fd = account_fd(fixture->account), .events = POLLIN};
    (void)queues;
    (void)count;
    (void)poll(&fd, 1, fixture->woken ? 0 : TURN_MS);
    fixture->woken = 0;
}

static void fixture_release(struct fixture *fixture)
{
    account_free(fixture->account);
    config_release(&fixture->config);
    peer_close(&fixture->peer);
}

static void fixture_init(struct fixture *fixture, const char *name)
{
    struct error error = {0};
    char unique[64];
    *fixture = (struct fixture){0};
    (void)snprintf(unique, sizeof unique, "c%d-%.20s", (int)getpid(), name);
    peer_open(&fixture->peer, unique);
    peer_add_queue(&fixture->peer, NAME, CONTRACT_MAX_RECEIVES);
    fixture->config = config_read(NULL, &error);
    cr_assert_not_null(fixture->config, "%s", error.text);
    fixture->account = account_new(
        &(struct account_options){.config = fixture->config, .world = world_real()}, &error);
    cr_assert_not_null(fixture->account, "%s", error.text);
    fixture->contract = (struct queue_contract){.open = open_queue,
                                                .advance = advance,
                                                .turn = turn,
                                                .context = fixture,
                                                .no_astral = true};
}

/* What fauxqs does otherwise than SQS: it looks at its leases only when it is asked for messages,
 * so that one that is over can still be lengthened; and a message ends every long poll that waits.
 */
static bool is_beyond_this_server(const char *name)
{
    static const char *const names[] = {"visibility_of_what_is_not_in_flight_cannot_change",
                                        "a_long_poll_wakes_when_another_handle_sends"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

#define CASE(name)                                                                                 \
    Test(sqs, name, .timeout = 60)                                                                 \
    {                                                                                              \
        struct fixture fixture AUTO(fixture_release) = {0};                                        \
        if (is_beyond_this_server(#name))                                                          \
            cr_skip_test("the server at hand cannot do this");                                     \
        fixture_init(&fixture, #name);                                                             \
        queue_contract_##name(&fixture.contract);                                                  \
    }
QUEUE_CONTRACT_CASES(CASE)

Test(sqs, wakes_its_owner_for_an_answer_that_came_while_another_queue_was_stepped)
{
    struct fixture fixture AUTO(fixture_release) = {0};
    fixture_init(&fixture, "woken");
    const struct queue_contract *with = &fixture.contract;
    struct probe probe AUTO(probe_close) = {.with = with};
    struct queue *queue = probe_open(&probe, NAME);
    struct queue *other = probe_open(&probe, DEAD);
    struct probe_results sent = {0};
    queue_send(queue, &(struct queue_entry){.body = "x"}, 1, probe_on_results, &sent);
    fixture.woken = 0;
    for (int i = 0; i < 500 && sent.calls == 0; i++) {
        (void)queue_step(other);
        if (sent.calls == 0)
            turn(&fixture, NULL, 0);
    }
    cr_assert_eq(sent.calls, 1);
    cr_assert_gt(fixture.woken, 0, "its owner does not know that there is work");
}
