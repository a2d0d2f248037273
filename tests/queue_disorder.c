/* Disorder on demand, which only the embedded queue has: messages out of order, late and again. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "embedded_fixture.h"
#include "queue_probe.h"

enum { HISTORY = 40 };

/* Sends 40 numbered messages, receives and deletes until the queue stays empty, and writes down
 * what came, in order. */
static void write_history(const struct queue_contract *with, struct buf *history)
{
    PROBE();
    for (int i = 0; i < HISTORY; i++) {
        char body[16];
        (void)snprintf(body, sizeof(body), "%d", i);
        probe_send_text(&probe, queue, body);
    }
    for (int i = 0; i < HISTORY * 2; i++) {
        MESSAGES(got);
        probe_receive(&probe, queue, 30, &got);
        for (size_t j = 0; j < got.count; j++) {
            buf_printf(history, "%s ", got.list[j].body);
            cr_assert_eq(probe_delete(&probe, queue, got.list[j].receipt), ERROR_NONE);
        }
        probe_advance(&probe, 1000);
    }
    const struct queue_attributes attributes = probe_attributes(&probe, queue);
    cr_assert_eq(attributes.visible + attributes.in_flight + attributes.delayed, 0);
}

static char *history_with(const char *options, uint64_t chance)
{
    FIXTURE(options);
    struct buf history AUTO(buf_release) = {0};
    fixture.chance = chance;
    write_history(with, &history);
    return buf_take(&history);
}

static size_t deliveries(const char *history)
{
    size_t count = 0;
    for (; *history; history++)
        count += *history == ' ';
    return count;
}

Test(disorder, is_absent_unless_asked_for)
{
    struct buf expected AUTO(buf_release) = {0};
    char *history AUTO(memory_release) = history_with("", 1);
    for (int i = 0; i < HISTORY; i++)
        buf_printf(&expected, "%d ", i);
    cr_assert_str_eq(history, buf_text(&expected));
}

Test(disorder, shuffle_changes_the_order_and_loses_nothing)
{
    char *ordered AUTO(memory_release) = history_with("", 1);
    char *shuffled AUTO(memory_release) = history_with("&shuffle=1", 1);
    cr_assert_str_neq(ordered, shuffled);
    cr_assert_eq(deliveries(shuffled), HISTORY);
}

Test(disorder, duplicate_delivers_deleted_messages_once_more)
{
    char *always AUTO(memory_release) = history_with("&duplicate=100", 1);
    char *sometimes AUTO(memory_release) = history_with("&duplicate=50", 1);
    cr_assert_eq(deliveries(always), HISTORY * 2);
    cr_assert_gt(deliveries(sometimes), HISTORY);
    cr_assert_lt(deliveries(sometimes), HISTORY * 2);
}

Test(disorder, duplicate_wakes_a_long_poll)
{
    FIXTURE("&duplicate=100");
    PROBE();
    MESSAGES(held);
    MESSAGES(got);
    struct queue *other = probe_open(&probe, NAME);
    probe_send_text(&probe, other, "twice");
    probe_receive(&probe, other, 3600, &held);
    probe_poll(queue, 20, &got);
    probe_quiet(&probe);
    cr_assert_eq(probe_delete(&probe, other, held.list[0].receipt), ERROR_NONE);
    probe_quiet(&probe);
    probe_advance(&probe, 5000);
    probe_until(&probe, &got.calls);
    cr_assert_eq(got.count, 1);
}

Test(disorder, duplicate_never_fills_the_dead_letter_queue)
{
    FIXTURE("&duplicate=100&max_receives=1");
    struct buf history AUTO(buf_release) = {0};
    write_history(with, &history);
    cr_assert_eq(deliveries(buf_text(&history)), HISTORY);
    fixture.options = "";
    struct probe probe AUTO(probe_close) = {.with = with};
    cr_assert_eq(probe_count(&probe, probe_open(&probe, DEAD), NULL), 0);
}

Test(disorder, repeats_with_its_seed_or_its_world)
{
    static const struct {
        const char *options;
        uint64_t first, second;
        bool same;
    } cases[] = {{"&shuffle=1&duplicate=50&seed=7", 1, 2, true},
                 {"&shuffle=1&duplicate=50", 1, 1, true},
                 {"&shuffle=1&duplicate=50", 1, 99, false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *first AUTO(memory_release) = history_with(cases[i].options, cases[i].first);
        char *second AUTO(memory_release) = history_with(cases[i].options, cases[i].second);
        cr_assert_eq(strcmp(first, second) == 0, cases[i].same, "case %zu", i);
    }
    char *seven AUTO(memory_release) = history_with("&shuffle=1&seed=7", 1);
    char *eight AUTO(memory_release) = history_with("&shuffle=1&seed=8", 1);
    cr_assert_str_neq(seven, eight);
}
