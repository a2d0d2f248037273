/* The simulated SQS: in fair weather it is a queue like any other; in bad weather each fault does
 * what it says; and one seed is one history. */
#include <criterion/criterion.h>
#include <string.h>

#include "broker.h"
#include "queue_probe.h"

enum { CERTAIN = 1000000 };

struct scene {
    struct broker *broker;
    struct world world;
    int64_t passed_ms;
    uint64_t seed;
    struct queue_contract contract;
};

static int64_t wall_ms(void *context)
{
    return 1800000000000 + ((struct scene *)context)->passed_ms;
}

static int64_t ticks_ms(void *context)
{
    return 5000 + ((struct scene *)context)->passed_ms;
}

/* splitmix64: the same bytes in every run. */
static void chance(void *context, void *bytes, size_t length)
{
    struct scene *scene = context;
    for (size_t i = 0; i < length; i++) {
        uint64_t mixed = scene->seed += UINT64_C(0x9e3779b97f4a7c15);
        mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        ((unsigned char *)bytes)[i] = (unsigned char)(mixed >> 56);
    }
}

static struct queue *scene_open(void *context, const char *name)
{
    struct scene *scene = context;
    return broker_open(scene->broker, name, &(struct queue_host){.world = &scene->world});
}

static void scene_advance(void *context, int64_t ms)
{
    ((struct scene *)context)->passed_ms += ms;
}

static void scene_turn(void *context, struct queue *const queues[], size_t count)
{
    (void)context;
    (void)queues;
    (void)count;
}

static void scene_init(struct scene *scene)
{
    *scene = (struct scene){.seed = 1};
    scene->world = (struct world){wall_ms, ticks_ms, chance, scene};
    scene->broker = broker_new(&scene->world);
    broker_set_max_receives(scene->broker, CONTRACT_MAX_RECEIVES);
    scene->contract = (struct queue_contract){
        .open = scene_open, .advance = scene_advance, .turn = scene_turn, .context = scene};
}

static void scene_release(struct scene *scene)
{
    broker_free(scene->broker);
}

#define SCENE()                                                                                    \
    struct scene scene AUTO(scene_release);                                                        \
    scene_init(&scene);                                                                            \
    const struct queue_contract *with = &scene.contract

#define CASE(name)                                                                                 \
    Test(in_fair_weather, name)                                                                    \
    {                                                                                              \
        SCENE();                                                                                   \
        queue_contract_##name(with);                                                               \
    }
QUEUE_CONTRACT_CASES(CASE)

/* --- in bad weather --- */

static void weather(struct scene *scene, enum broker_call call, enum broker_fault fault)
{
    struct broker_weather weather = {0};
    weather.chance[call][fault] = CERTAIN;
    broker_set_weather(scene->broker, &weather);
}

static void fair(struct scene *scene)
{
    broker_set_weather(scene->broker, &(struct broker_weather){0});
}

static const struct queue_entry THREE[] = {{.body = "a"}, {.body = "b"}, {.body = "c"}};

/* Any of the calls; what became of it. */
static struct probe_results any_call(struct probe *probe, enum broker_call call,
                                     const char *receipt)
{
    struct queue *queue = probe->queues[0];
    const struct queue_visibility change = {receipt, 0};
    struct probe_results results = {0};
    if (call == BROKER_SEND)
        queue_send(queue, THREE, 3, probe_on_results, &results);
    if (call == BROKER_DEAD_LETTER)
        queue_send_dead_letter(queue, THREE, 1, probe_on_results, &results);
    if (call == BROKER_DELETE)
        queue_delete(queue, &receipt, 1, probe_on_results, &results);
    if (call == BROKER_VISIBILITY)
        queue_change_visibility(queue, &change, 1, probe_on_results, &results);
    if (call != BROKER_RECEIVE)
        probe_until(probe, &results.calls);
    return results;
}

Test(in_bad_weather, a_refused_call_fails_as_a_whole_and_has_no_effect)
{
    static const struct {
        enum broker_fault fault;
        enum error_kind kind;
    } cases[] = {{FAULT_REFUSED, ERROR_UNAVAILABLE},
                 {FAULT_THROTTLED, ERROR_BUSY},
                 {FAULT_UNAUTHORISED, ERROR_UNAUTHORISED},
                 {FAULT_QUEUE_MISSING, ERROR_NOT_FOUND},
                 {FAULT_TOO_LARGE, ERROR_TOO_LARGE}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (enum broker_call call = 0; call < BROKER_CALLS; call++) {
            SCENE();
            PROBE();
            MESSAGES(got);
            probe_send_text(&probe, queue, "x");
            probe_receive(&probe, queue, 30, &got);
            weather(&scene, call, cases[i].fault);
            const bool applies = broker_fault_applies(call, cases[i].fault);
            const struct probe_results results = any_call(&probe, call, got.list[0].receipt);
            if (call != BROKER_RECEIVE)
                cr_assert_eq(results.failure, applies ? cases[i].kind : ERROR_NONE);
            if (!applies || call == BROKER_RECEIVE)
                continue;
            cr_assert_eq(broker_depth(scene.broker, NAME), 1);
            cr_assert_eq(broker_depth(scene.broker, DEAD), 0);
            cr_assert_eq(probe_count(&probe, queue, NULL), 0, "it was given back");
            cr_assert_eq(broker_counts(scene.broker).faults[call][cases[i].fault], 1);
        }
}

Test(in_bad_weather, a_receive_is_refused_or_loses_its_reply)
{
    SCENE();
    PROBE();
    probe_send_text(&probe, queue, "x");
    for (int lost = 0; lost < 2; lost++) {
        MESSAGES(got);
        weather(&scene, BROKER_RECEIVE, lost ? FAULT_REPLY_LOST : FAULT_REFUSED);
        probe_poll(queue, 0, &got);
        probe_until(&probe, &got.calls);
        cr_assert_eq(got.failure, ERROR_UNAVAILABLE);
        cr_assert_eq(probe_attributes(&probe, queue).in_flight, lost);
    }
}

Test(in_bad_weather, a_lost_reply_hides_what_was_done)
{
    SCENE();
    struct probe probe AUTO(probe_close) = {.with = with};
    (void)probe_open(&probe, NAME);
    weather(&scene, BROKER_SEND, FAULT_REPLY_LOST);
    cr_assert_eq(any_call(&probe, BROKER_SEND, "").failure, ERROR_UNAVAILABLE);
    cr_assert_eq(broker_depth(scene.broker, NAME), 3);
}

Test(in_bad_weather, some_entries_fail_some_lie_and_some_are_not_answered)
{
    for (int i = 0; i < 20; i++) {
        SCENE();
        struct probe probe AUTO(probe_close) = {.with = with};
        (void)probe_open(&probe, NAME);
        scene.seed = (uint64_t)i;
        weather(&scene, BROKER_SEND, FAULT_PARTIAL);
        struct probe_results results = any_call(&probe, BROKER_SEND, "");
        size_t failed = 0;
        for (size_t j = 0; j < 3; j++)
            failed += results.kinds[j] == ERROR_UNAVAILABLE;
        cr_assert(results.count == 3 && failed > 0);
        cr_assert_eq(broker_depth(scene.broker, NAME), 3 - failed);
        weather(&scene, BROKER_SEND, FAULT_PARTIAL_LIES);
        (void)any_call(&probe, BROKER_SEND, "");
        cr_assert_eq(broker_depth(scene.broker, NAME), 6 - failed);
        weather(&scene, BROKER_SEND, FAULT_SHORT_REPLY);
        results = any_call(&probe, BROKER_SEND, "");
        cr_assert_lt(results.count, 3);
        cr_assert_eq(broker_depth(scene.broker, NAME), 9 - failed);
    }
}

Test(in_bad_weather, a_slow_or_stalled_call_is_answered_in_its_time)
{
    for (enum broker_fault fault = FAULT_SLOW; fault <= FAULT_STALLED; fault++) {
        SCENE();
        PROBE();
        struct probe_results sent = {0};
        weather(&scene, BROKER_SEND, fault);
        queue_send(queue, THREE, 3, probe_on_results, &sent);
        probe_quiet(&probe);
        cr_assert_eq(sent.calls, 0);
        const int64_t wait = broker_wait_ms(scene.broker);
        cr_assert(fault == FAULT_SLOW ? wait > 0 && wait <= 3000 : wait > 30000, "%lld",
                  (long long)wait);
        probe_advance(&probe, wait);
        probe_until(&probe, &sent.calls);
        cr_assert_eq(broker_depth(scene.broker, NAME), 3);
        cr_assert_eq(broker_wait_ms(scene.broker), -1);
    }
}

Test(in_bad_weather, a_message_comes_twice_under_one_id)
{
    SCENE();
    PROBE();
    MESSAGES(got);
    weather(&scene, BROKER_SEND, FAULT_DUPLICATE);
    probe_send_text(&probe, queue, "x");
    probe_advance(&probe, 60000);
    probe_receive(&probe, queue, 30, &got);
    cr_assert_eq(got.count, 2);
    cr_assert_str_eq(got.list[0].id, got.list[1].id);
    weather(&scene, BROKER_DELETE, FAULT_DUPLICATE);
    cr_assert_eq(probe_delete(&probe, queue, got.list[0].receipt), ERROR_NONE);
    cr_assert_eq(broker_depth(scene.broker, NAME), 2, "the deleted one comes again");
}

Test(in_bad_weather, a_message_is_late_or_kept_back)
{
    static const struct {
        enum broker_fault fault;
        int64_t most_ms;
    } cases[] = {{FAULT_LATE, 60000}, {FAULT_REORDER, 2000}};
    for (size_t i = 0; i < 2; i++) {
        SCENE();
        PROBE();
        weather(&scene, BROKER_SEND, cases[i].fault);
        probe_send_text(&probe, queue, "x");
        cr_assert_eq(probe_count(&probe, queue, NULL), 0);
        probe_advance(&probe, cases[i].most_ms);
        cr_assert_eq(probe_count(&probe, queue, "x"), 1);
    }
}

Test(in_bad_weather, a_message_goes_to_two_receives_and_the_first_lease_is_gone)
{
    SCENE();
    PROBE();
    MESSAGES(first);
    MESSAGES(second);
    probe_send_text(&probe, queue, "x");
    weather(&scene, BROKER_RECEIVE, FAULT_TWICE);
    probe_receive(&probe, queue, 30, &first);
    fair(&scene);
    probe_receive(&probe, queue, 30, &second);
    cr_assert_eq(second.count, 1);
    cr_assert_eq(probe_hide(&probe, queue, first.list[0].receipt, 30), ERROR_NOT_FOUND);
    cr_assert_eq(probe_delete(&probe, queue, first.list[0].receipt), ERROR_NONE);
    cr_assert_eq(broker_depth(scene.broker, NAME), 1);
}

Test(in_bad_weather, a_receipt_expires_early)
{
    static const enum broker_call calls[] = {BROKER_DELETE, BROKER_VISIBILITY};
    for (size_t i = 0; i < 2; i++) {
        SCENE();
        PROBE();
        MESSAGES(got);
        probe_send_text(&probe, queue, "x");
        probe_receive(&probe, queue, 30, &got);
        weather(&scene, calls[i], FAULT_RECEIPT_LOST);
        cr_assert_eq(any_call(&probe, calls[i], got.list[0].receipt).kinds[0], ERROR_NOT_FOUND);
        cr_assert_eq(probe_count(&probe, queue, "x"), 1);
    }
}

Test(in_bad_weather, a_receive_gives_nothing_although_there_is_something)
{
    SCENE();
    PROBE();
    probe_send_text(&probe, queue, "x");
    weather(&scene, BROKER_RECEIVE, FAULT_EMPTY);
    cr_assert_eq(probe_count(&probe, queue, NULL), 0);
    fair(&scene);
    cr_assert_eq(probe_count(&probe, queue, "x"), 1);
}

/* --- what a simulation asks --- */

static void count_bodies(void *context, const struct queue_message *message)
{
    *(size_t *)context += message->body_length;
}

Test(the_broker, redrives_under_new_ids)
{
    SCENE();
    PROBE();
    MESSAGES(got);
    size_t length = 0;
    broker_put(scene.broker, DEAD, &(struct queue_entry){.body = "dead"});
    broker_visit(scene.broker, DEAD, count_bodies, &length);
    cr_assert_eq(length, strlen("dead"));
    cr_assert_eq(broker_redrive(scene.broker, NAME), 1);
    cr_assert_eq(broker_depth(scene.broker, DEAD), 0);
    probe_receive(&probe, queue, 30, &got);
    cr_assert_eq(got.count, 1);
    cr_assert_str_eq(got.list[0].id, "m-2");
}

static uint64_t history(uint64_t seed)
{
    SCENE();
    PROBE();
    struct broker_weather weather = {0};
    for (int call = 0; call < BROKER_CALLS; call++)
        for (int fault = 0; fault < BROKER_FAULTS; fault++)
            weather.chance[call][fault] = CERTAIN / 10;
    broker_set_weather(scene.broker, &weather);
    scene.seed = seed;
    for (int i = 0; i < 50; i++) {
        MESSAGES(got);
        struct probe_results sent = {0};
        queue_send(queue, THREE, 3, probe_on_results, &sent);
        probe_poll(queue, 1, &got);
        probe_advance(&probe, 100000);
        while (!sent.calls || !got.calls) {
            probe_quiet(&probe);
            probe_advance(&probe, 1000);
        }
    }
    return broker_trace(scene.broker);
}

Test(the_broker, has_one_history_for_one_seed)
{
    cr_assert_eq(history(1), history(1));
    cr_assert_neq(history(1), history(2));
}
