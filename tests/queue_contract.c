/* The cases. Names of queues are those of the contract's own fixture; nothing here knows which
 * queue it speaks to. */
#include "queue_contract.h"

#include <criterion/criterion.h>
#include <string.h>

#include "buf.h"
#include "queue_probe.h"

void queue_contract_a_message_is_received_as_it_was_sent(const struct queue_contract *with)
{
    PROBE();
    MESSAGES(got);
    const struct queue_attribute attributes[] = {
        {"EventType", "BOOKING_CREATED"}, {"BookingId", "b-1"}, {"ProviderId", "p-1"}, {0}};
    struct probe_results sent;
    probe_send(&probe, queue, &(struct queue_entry){.body = "{}", .attributes = attributes}, 1,
               &sent);
    probe_receive(&probe, queue, 30, &got);
    cr_assert_eq(got.count, 1);
    cr_assert_str_eq(got.list[0].body, "{}");
    cr_assert_str_eq(got.list[0].attributes,
                     "BookingId=b-1;EventType=BOOKING_CREATED;ProviderId=p-1;");
    cr_assert_str_eq(got.list[0].id, sent.ids[0]);
    cr_assert_eq(got.list[0].receive_count, 1);
    cr_assert_gt(got.list[0].sent_ms, 0);
}

void queue_contract_ten_messages_go_in_one_batch(const struct queue_contract *with)
{
    PROBE();
    struct queue_entry entries[QUEUE_BATCH];
    struct probe_results sent;
    for (size_t i = 0; i < QUEUE_BATCH; i++)
        entries[i] = (struct queue_entry){.body = "same"};
    probe_send(&probe, queue, entries, QUEUE_BATCH, &sent);
    cr_assert_eq(sent.count, QUEUE_BATCH);
    for (size_t i = 0; i < QUEUE_BATCH; i++) {
        cr_assert_eq(sent.kinds[i], ERROR_NONE);
        cr_assert(i == 0 || strcmp(sent.ids[i], sent.ids[i - 1]) != 0);
    }
    size_t total = 0;
    for (size_t i = 0; i < QUEUE_BATCH && total < QUEUE_BATCH; i++)
        total += probe_count(&probe, queue, NULL);
    cr_assert_eq(total, QUEUE_BATCH);
}

void queue_contract_eleven_messages_or_none_are_refused_whole(const struct queue_contract *with)
{
    PROBE();
    struct queue_entry entries[QUEUE_BATCH + 1];
    struct probe_results sent;
    for (size_t i = 0; i <= QUEUE_BATCH; i++)
        entries[i] = (struct queue_entry){.body = "x"};
    probe_send(&probe, queue, entries, QUEUE_BATCH + 1, &sent);
    cr_assert_eq(sent.failure, ERROR_INVALID);
    probe_send(&probe, queue, entries, 0, &sent);
    cr_assert_eq(sent.failure, ERROR_INVALID);
    cr_assert_eq(probe_count(&probe, queue, NULL), 0);
}

void queue_contract_a_bad_entry_fails_alone(const struct queue_contract *with)
{
    static const struct queue_attribute no_value[] = {{"a", ""}, {0}};
    static const struct queue_attribute reserved[] = {{"AWS.a", "1"}, {0}};
    static const struct queue_attribute no_name[] = {{"a b", "1"}, {0}};
    static const struct queue_entry bad[] = {{.body = ""},
                                             {.body = "bell \a"},
                                             {.body = "not UTF-8 \xff"},
                                             {.body = "no character \xef\xbf\xbf"},
                                             {.body = "x", .attributes = no_value},
                                             {.body = "x", .attributes = reserved},
                                             {.body = "x", .attributes = no_name},
                                             {.body = "x", .delay_s = QUEUE_DELAY_MAX_S + 1},
                                             {.body = "x", .delay_s = -1},
                                             {.body = "x", .group_id = ""}};
    PROBE();
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        MESSAGES(got);
        const struct queue_entry entries[] = {{.body = "first"}, bad[i], {.body = "last\t\r\n"}};
        struct probe_results sent;
        probe_send(&probe, queue, entries, 3, &sent);
        cr_assert_eq(sent.kinds[0], ERROR_NONE, "case %zu", i);
        cr_assert_eq(sent.kinds[1], ERROR_INVALID, "case %zu", i);
        cr_assert_eq(sent.kinds[2], ERROR_NONE, "case %zu", i);
        probe_receive(&probe, queue, 30, &got);
        cr_assert_eq(got.count, 2, "case %zu", i);
    }
}

static char *letters(size_t count)
{
    char *text = memory_new(count + 1, 1);
    memset(text, 'x', count);
    return text;
}

void queue_contract_a_message_of_one_mebibyte_is_taken_and_one_more_byte_is_not(
    const struct queue_contract *with)
{
    static const struct queue_attribute attribute[] = {{"name", "value"}, {0}};
    const size_t attribute_size = strlen("name") + strlen("String") + strlen("value");
    PROBE();
    for (int i = 0; i < 2; i++) {
        MESSAGES(got);
        const size_t size = QUEUE_MESSAGE_MAX - (i ? attribute_size : 0);
        char *most AUTO(memory_release) = letters(size);
        char *more AUTO(memory_release) = letters(size + 1);
        const struct queue_attribute *attributes = i ? attribute : NULL;
        struct probe_results sent;
        probe_send(&probe, queue, &(struct queue_entry){.body = more, .attributes = attributes}, 1,
                   &sent);
        cr_assert_eq(sent.failure, ERROR_NONE);
        cr_assert_eq(sent.kinds[0], ERROR_TOO_LARGE);
        probe_send(&probe, queue, &(struct queue_entry){.body = most, .attributes = attributes}, 1,
                   &sent);
        cr_assert_eq(sent.kinds[0], ERROR_NONE);
        probe_receive(&probe, queue, 30, &got);
        cr_assert_eq(got.count, 1);
        cr_assert_eq(strlen(got.list[0].body), size);
    }
}

void queue_contract_a_batch_of_more_than_one_mebibyte_is_refused_whole(
    const struct queue_contract *with)
{
    PROBE();
    char *half AUTO(memory_release) = letters(QUEUE_MESSAGE_MAX / 2);
    const struct queue_entry entries[] = {{.body = half}, {.body = half}, {.body = "x"}};
    struct probe_results sent;
    probe_send(&probe, queue, entries, 3, &sent);
    cr_assert_eq(sent.failure, ERROR_TOO_LARGE);
    cr_assert_eq(probe_count(&probe, queue, NULL), 0);
    probe_send(&probe, queue, entries, 2, &sent);
    cr_assert_eq(sent.failure, ERROR_NONE);
}

void queue_contract_ten_attributes_are_taken_and_eleven_are_not(const struct queue_contract *with)
{
    static const struct queue_attribute eleven[] = {{"a", "1"}, {"b", "1"}, {"c", "1"}, {"d", "1"},
                                                    {"e", "1"}, {"f", "1"}, {"g", "1"}, {"h", "1"},
                                                    {"i", "1"}, {"j", "1"}, {"k", "1"}, {0}};
    PROBE();
    MESSAGES(got);
    const struct queue_entry entries[] = {{.body = "11", .attributes = eleven},
                                          {.body = "10", .attributes = eleven + 1}};
    struct probe_results sent;
    probe_send(&probe, queue, entries, 2, &sent);
    cr_assert_eq(sent.kinds[0], ERROR_INVALID);
    cr_assert_eq(sent.kinds[1], ERROR_NONE);
    probe_receive(&probe, queue, 30, &got);
    cr_assert_eq(got.count, 1);
    cr_assert_str_eq(got.list[0].attributes, "b=1;c=1;d=1;e=1;f=1;g=1;h=1;i=1;j=1;k=1;");
}

void queue_contract_unicode_arrives_unchanged(const struct queue_contract *with)
{
    static const char *const bodies[] = {"Grüße, 東京, עברית", "\xc2\x85\uFEFF\uE000\uFFFD",
                                         "👩‍🔧 \U0010FFFF"};
    PROBE();
    for (size_t i = 0; i < (with->no_astral ? 2 : 3); i++) {
        MESSAGES(got);
        const struct queue_attribute attributes[] = {{"Name", bodies[i]}, {0}};
        struct probe_results sent;
        probe_send(&probe, queue,
                   &(struct queue_entry){.body = bodies[i], .attributes = attributes}, 1, &sent);
        cr_assert_eq(sent.kinds[0], ERROR_NONE, "%s", bodies[i]);
        probe_receive(&probe, queue, 30, &got);
        cr_assert_eq(got.count, 1);
        cr_assert_str_eq(got.list[0].body, bodies[i]);
        cr_assert_str_eq(strchr(got.list[0].attributes, '=') + 1 + strlen(bodies[i]), ";");
    }
}

void queue_contract_a_receive_out_of_range_is_refused(const struct queue_contract *with)
{
    static const struct queue_receive_options bad[] = {
        {.maximum = 0},
        {.maximum = QUEUE_BATCH + 1},
        {.maximum = 1, .wait_s = -1},
        {.maximum = 1, .wait_s = INT64_MAX},
        {.maximum = 1, .wait_s = QUEUE_WAIT_MAX_S + 1},
        {.maximum = 1, .visibility_s = -1},
        {.maximum = 1, .visibility_s = QUEUE_VISIBILITY_MAX_S + 1}};
    PROBE();
    probe_send_text(&probe, queue, "untouched");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        MESSAGES(got);
        queue_receive(queue, &bad[i], probe_on_messages, &got);
        probe_until(&probe, &got.calls);
        cr_assert_eq(got.failure, ERROR_INVALID, "case %zu", i);
    }
    cr_assert_eq(probe_count(&probe, queue, "untouched"), 1);
}

void queue_contract_a_received_message_is_hidden_and_comes_back(const struct queue_contract *with)
{
    PROBE();
    MESSAGES(first);
    MESSAGES(second);
    probe_send_text(&probe, queue, "hide");
    probe_receive(&probe, queue, 2, &first);
    cr_assert_eq(first.count, 1);
    probe_advance(&probe, 1000);
    cr_assert_eq(probe_count(&probe, queue, NULL), 0);
    probe_advance(&probe, 1100);
    probe_receive(&probe, queue, 30, &second);
    cr_assert_eq(second.count, 1);
    cr_assert_str_eq(second.list[0].id, first.list[0].id);
    cr_assert_eq(second.list[0].receive_count, 2);
    cr_assert_eq(second.list[0].sent_ms, first.list[0].sent_ms);
}

void queue_contract_only_the_newest_receipt_works(const struct queue_contract *with)
{
    PROBE();
    MESSAGES(old);
    MESSAGES(new);
    probe_send_text(&probe, queue, "again");
    probe_receive(&probe, queue, 1, &old);
    probe_advance(&probe, 1100);
    probe_receive(&probe, queue, 2, &new);
    cr_assert_eq(new.count, 1);
    cr_assert_str_neq(old.list[0].receipt, new.list[0].receipt);
    cr_assert_eq(probe_delete(&probe, queue, old.list[0].receipt), ERROR_NONE);
    cr_assert_eq(probe_hide(&probe, queue, old.list[0].receipt, 0), ERROR_NOT_FOUND);
    cr_assert_eq(probe_count(&probe, queue, NULL), 0);
    probe_advance(&probe, 2100);
    probe_receive(&probe, queue, 1, &new);
    cr_assert_eq(new.count, 1, "an old receipt deleted it");
    cr_assert_eq(probe_delete(&probe, queue, new.list[0].receipt), ERROR_NONE);
    probe_advance(&probe, 1100);
    cr_assert_eq(probe_count(&probe, queue, NULL), 0);
}

void queue_contract_visibility_zero_gives_back_at_once(const struct queue_contract *with)
{
    PROBE();
    MESSAGES(got);
    probe_send_text(&probe, queue, "back");
    probe_receive(&probe, queue, 30, &got);
    cr_assert_eq(probe_hide(&probe, queue, got.list[0].receipt, 0), ERROR_NONE);
    cr_assert_eq(probe_count(&probe, queue, "back"), 1);
}

void queue_contract_visibility_extended_keeps_hidden(const struct queue_contract *with)
{
    PROBE();
    MESSAGES(got);
    probe_send_text(&probe, queue, "longer");
    probe_receive(&probe, queue, 1, &got);
    cr_assert_eq(probe_hide(&probe, queue, got.list[0].receipt, 3), ERROR_NONE);
    probe_advance(&probe, 2000);
    cr_assert_eq(probe_count(&probe, queue, NULL), 0);
    probe_advance(&probe, 1100);
    cr_assert_eq(probe_count(&probe, queue, "longer"), 1);
}

void queue_contract_visibility_of_what_is_not_in_flight_cannot_change(
    const struct queue_contract *with)
{
    PROBE();
    MESSAGES(got);
    probe_send_text(&probe, queue, "late");
    probe_receive(&probe, queue, 1, &got);
    probe_advance(&probe, 1100);
    cr_assert_eq(probe_hide(&probe, queue, got.list[0].receipt, 30), ERROR_NOT_FOUND);
    cr_assert_eq(probe_count(&probe, queue, "late"), 1);
}

void queue_contract_visibility_out_of_range_fails_alone(const struct queue_contract *with)
{
    PROBE();
    MESSAGES(got);
    probe_send_text(&probe, queue, "range");
    probe_receive(&probe, queue, 30, &got);
    const char *receipt = got.list[0].receipt;
    cr_assert_eq(probe_hide(&probe, queue, receipt, -1), ERROR_INVALID);
    cr_assert_eq(probe_hide(&probe, queue, receipt, QUEUE_VISIBILITY_MAX_S + 1), ERROR_INVALID);
    cr_assert_eq(probe_hide(&probe, queue, receipt, QUEUE_VISIBILITY_MAX_S - 60), ERROR_NONE);
}

void queue_contract_a_delete_is_final(const struct queue_contract *with)
{
    PROBE();
    MESSAGES(got);
    probe_send_text(&probe, queue, "gone");
    probe_receive(&probe, queue, 1, &got);
    cr_assert_eq(probe_delete(&probe, queue, got.list[0].receipt), ERROR_NONE);
    probe_advance(&probe, 1100);
    cr_assert_eq(probe_count(&probe, queue, NULL), 0);
    cr_assert_eq(probe_delete(&probe, queue, got.list[0].receipt), ERROR_NONE);
}
