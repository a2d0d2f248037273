/* The cases about waiting, dead letters, several handles and closing. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "queue_contract.h"
#include "queue_probe.h"

void queue_contract_a_delayed_message_comes_later(const struct queue_contract *with)
{
    PROBE();
    struct probe_results sent;
    probe_send(&probe, queue, &(struct queue_entry){.body = "later", .delay_s = 2}, 1, &sent);
    cr_assert_eq(probe_count(&probe, queue, NULL), 0);
    probe_advance(&probe, 1000);
    cr_assert_eq(probe_count(&probe, queue, NULL), 0);
    probe_advance(&probe, 1100);
    cr_assert_eq(probe_count(&probe, queue, "later"), 1);
}

void queue_contract_a_long_poll_wakes_when_a_message_is_sent(const struct queue_contract *with)
{
    PROBE();
    MESSAGES(got);
    probe_poll(queue, 20, &got);
    probe_quiet(&probe);
    cr_assert_eq(got.calls, 0, "an empty queue answered a long poll");
    probe_send_text(&probe, queue, "awake");
    probe_until(&probe, &got.calls);
    cr_assert_eq(got.count, 1);
}

void queue_contract_a_long_poll_wakes_when_another_handle_sends(const struct queue_contract *with)
{
    PROBE();
    MESSAGES(first);
    MESSAGES(second);
    struct queue *other = probe_open(&probe, NAME);
    probe_poll(queue, 20, &first);
    probe_poll(queue, 20, &second);
    probe_quiet(&probe);
    probe_send_text(&probe, other, "awake");
    for (int i = 0; i < 100 && first.calls + second.calls == 0; i++)
        probe_quiet(&probe);
    cr_assert_eq(first.count + second.count, 1);
    cr_assert_eq(first.calls + second.calls, 1, "the other poll has nothing to answer");
    probe_send_text(&probe, other, "awake, too");
    probe_until(&probe, first.calls ? &second.calls : &first.calls);
}

void queue_contract_a_long_poll_wakes_when_a_message_is_given_back(
    const struct queue_contract *with)
{
    PROBE();
    MESSAGES(held);
    MESSAGES(got);
    struct queue *other = probe_open(&probe, NAME);
    probe_send_text(&probe, other, "back");
    probe_receive(&probe, other, 30, &held);
    probe_poll(queue, 20, &got);
    probe_quiet(&probe);
    cr_assert_eq(got.calls, 0);
    cr_assert_eq(probe_hide(&probe, other, held.list[0].receipt, 0), ERROR_NONE);
    probe_until(&probe, &got.calls);
    cr_assert_eq(got.count, 1);
}

void queue_contract_a_long_poll_wakes_when_a_hidden_message_shows(const struct queue_contract *with)
{
    PROBE();
    MESSAGES(held);
    MESSAGES(got);
    struct queue *other = probe_open(&probe, NAME);
    probe_send_text(&probe, queue, "shows");
    probe_receive(&probe, queue, 10, &held);
    probe_poll(queue, 20, &got);
    probe_quiet(&probe);
    cr_assert_eq(got.calls, 0);
    cr_assert_eq(probe_hide(&probe, other, held.list[0].receipt, 1), ERROR_NONE);
    probe_quiet(&probe);
    cr_assert_eq(got.calls, 0);
    probe_advance(&probe, 1100);
    probe_until(&probe, &got.calls);
    cr_assert_eq(got.count, 1);
}

void queue_contract_a_long_poll_ends_empty_at_its_deadline(const struct queue_contract *with)
{
    PROBE();
    MESSAGES(got);
    probe_poll(queue, 2, &got);
    probe_quiet(&probe);
    probe_advance(&probe, 1000);
    probe_quiet(&probe);
    cr_assert_eq(got.calls, 0, "it ended before its time");
    probe_advance(&probe, 1100);
    probe_until(&probe, &got.calls);
    cr_assert_eq(got.failure, ERROR_NONE);
    cr_assert_eq(got.count, 0);
}

void queue_contract_stop_waiting_ends_long_polls_at_once(const struct queue_contract *with)
{
    PROBE();
    MESSAGES(waiting);
    MESSAGES(under_way);
    MESSAGES(after);
    probe_poll(queue, 20, &waiting);
    probe_quiet(&probe);
    probe_poll(queue, 20, &under_way);
    queue_stop_waiting(queue);
    probe_until(&probe, &waiting.calls);
    probe_until(&probe, &under_way.calls);
    cr_assert_eq(waiting.failure, ERROR_NONE);
    cr_assert_eq(waiting.count + under_way.count, 0);
    probe_poll(queue, 20, &after);
    probe_quiet(&probe);
    cr_assert_eq(after.calls, 0, "a later poll was stopped, too");
    probe_close(&probe);
}

void queue_contract_a_message_received_too_often_goes_to_the_dead_letter_queue(
    const struct queue_contract *with)
{
    static const struct queue_attribute attributes[] = {{"BookingId", "b-1"}, {0}};
    PROBE();
    MESSAGES(got);
    MESSAGES(moved);
    struct queue *dead = probe_open(&probe, DEAD);
    struct probe_results sent;
    probe_poll(dead, 20, &moved);
    probe_send(&probe, queue, &(struct queue_entry){.body = "poison", .attributes = attributes}, 1,
               &sent);
    for (int64_t i = 1; i <= CONTRACT_MAX_RECEIVES; i++) {
        probe_receive(&probe, queue, 30, &got);
        cr_assert_eq(got.count, 1);
        cr_assert_eq(got.list[0].receive_count, i);
        cr_assert_eq(probe_hide(&probe, queue, got.list[0].receipt, 0), ERROR_NONE);
    }
    cr_assert_eq(probe_count(&probe, queue, NULL), 0);
    probe_until(&probe, &moved.calls);
    cr_assert_eq(moved.count, 1);
    cr_assert_str_eq(moved.list[0].body, "poison");
    cr_assert_str_eq(moved.list[0].attributes, "BookingId=b-1;");
    cr_assert_str_eq(moved.list[0].id, sent.ids[0]);
}

void queue_contract_send_dead_letter_lands_in_the_dead_letter_queue(
    const struct queue_contract *with)
{
    PROBE();
    struct queue *dead = probe_open(&probe, DEAD);
    struct probe_results sent = {0};
    queue_send_dead_letter(queue, &(struct queue_entry){.body = "why"}, 1, probe_on_results, &sent);
    probe_until(&probe, &sent.calls);
    cr_assert_eq(sent.kinds[0], ERROR_NONE);
    cr_assert_eq(probe_count(&probe, queue, NULL), 0);
    cr_assert_eq(probe_count(&probe, dead, "why"), 1);
}

void queue_contract_a_dead_letter_queue_has_none_itself(const struct queue_contract *with)
{
    struct probe probe AUTO(probe_close) = {.with = with};
    struct queue *dead = probe_open(&probe, DEAD);
    struct probe_results sent = {0};
    queue_send_dead_letter(dead, &(struct queue_entry){.body = "x"}, 1, probe_on_results, &sent);
    probe_until(&probe, &sent.calls);
    cr_assert_eq(sent.failure, ERROR_CONFIGURATION);
    cr_assert_not(probe_attributes(&probe, dead).has_dead_letter);
}

void queue_contract_attributes_count_by_state(const struct queue_contract *with)
{
    PROBE();
    MESSAGES(got);
    struct probe_results sent;
    cr_assert_leq(probe_attributes(&probe, queue).oldest_age_s, 0); /* or unknown */
    const struct queue_entry entries[] = {
        {.body = "a"}, {.body = "b"}, {.body = "c"}, {.body = "d", .delay_s = 900}};
    probe_send(&probe, queue, entries, 4, &sent);
    const struct queue_receive_options one = {.maximum = 1, .visibility_s = 30};
    queue_receive(queue, &one, probe_on_messages, &got);
    probe_until(&probe, &got.calls);
    cr_assert_eq(got.count, 1);
    probe_advance(&probe, 2000);
    const struct queue_attributes attributes = probe_attributes(&probe, queue);
    cr_assert_eq(attributes.visible, 2);
    cr_assert_eq(attributes.in_flight, 1);
    cr_assert_eq(attributes.delayed, 1);
    cr_assert(attributes.oldest_age_s == -1 || attributes.oldest_age_s >= 2);
    cr_assert_eq(attributes.visibility_s, CONTRACT_VISIBILITY_S);
    cr_assert_eq(attributes.max_receives, CONTRACT_MAX_RECEIVES);
    cr_assert(attributes.has_dead_letter);
    cr_assert_not(attributes.fifo);
}

static void send_batches(struct probe *probe, struct queue *queue, int batches)
{
    struct queue_entry entries[QUEUE_BATCH];
    for (size_t i = 0; i < QUEUE_BATCH; i++)
        entries[i] = (struct queue_entry){.body = "one of many"};
    for (int i = 0; i < batches; i++) {
        struct probe_results sent;
        probe_send(probe, queue, entries, QUEUE_BATCH, &sent);
    }
}

void queue_contract_two_handles_never_hold_one_message_at_once(const struct queue_contract *with)
{
    enum { BATCHES = 3, MANY = BATCHES * QUEUE_BATCH };
    static const struct queue_receive_options three = {.maximum = 3, .visibility_s = 60};
    PROBE();
    struct queue *handles[] = {queue, probe_open(&probe, NAME)};
    char ids[MANY][ID_SIZE] = {{0}};
    size_t count = 0;
    send_batches(&probe, queue, BATCHES);
    for (int i = 0; i < MANY && count < MANY; i++) {
        struct probe_messages got[2] = {{0}};
        for (size_t j = 0; j < 2; j++)
            queue_receive(handles[j], &three, probe_on_messages, &got[j]);
        for (size_t j = 0; j < 2; j++) {
            probe_until(&probe, &got[j].calls);
            for (size_t k = 0; k < got[j].count; k++, count++) {
                for (size_t l = 0; l < count; l++)
                    cr_assert_str_neq(ids[l], got[j].list[k].id);
                (void)snprintf(ids[count], ID_SIZE, "%s", got[j].list[k].id);
            }
            probe_messages_release(&got[j]);
        }
    }
    cr_assert_eq(count, MANY);
}

struct chain {
    struct queue *queue;
    struct probe_messages *got;
};

static void poll_after_send(void *context, const struct queue_result results[], size_t count,
                            const struct error *failure)
{
    const struct chain *chain = context;
    cr_assert_null(failure);
    cr_assert_eq(count, 1);
    cr_assert_eq(results[0].kind, ERROR_NONE);
    probe_poll(chain->queue, 0, chain->got);
}

void queue_contract_a_callback_may_call_the_queue(const struct queue_contract *with)
{
    PROBE();
    MESSAGES(got);
    struct chain chain = {queue, &got};
    queue_send(queue, &(struct queue_entry){.body = "chained"}, 1, poll_after_send, &chain);
    cr_assert_eq(got.calls, 0, "an answer came before any step");
    probe_until(&probe, &got.calls);
    cr_assert_eq(got.count, 1);
}

void queue_contract_every_call_is_answered_once_also_when_closed(const struct queue_contract *with)
{
    PROBE();
    MESSAGES(waiting);
    MESSAGES(under_way);
    struct probe_results sent = {0};
    struct probe_results refused = {0};
    struct probe_results deleted = {0};
    static const char *const receipts[] = {"no receipt"};
    probe_poll(queue, 20, &waiting);
    probe_quiet(&probe);
    probe_poll(queue, 20, &under_way);
    queue_send(queue, &(struct queue_entry){.body = "x"}, 1, probe_on_results, &sent);
    queue_send(queue, NULL, 0, probe_on_results, &refused);
    queue_delete(queue, receipts, 1, probe_on_results, &deleted);
    probe_close(&probe);
    cr_assert_eq(waiting.calls, 1);
    cr_assert_eq(waiting.failure, ERROR_UNAVAILABLE);
    cr_assert_eq(under_way.calls, 1);
    cr_assert_eq(under_way.failure, ERROR_UNAVAILABLE);
    cr_assert_eq(sent.calls, 1);
    cr_assert_eq(sent.failure, ERROR_UNAVAILABLE);
    cr_assert_eq(refused.calls, 1);
    cr_assert_eq(deleted.calls, 1);
}
