/* What every queue must do, as cases that know nothing of the implementation: written once, run on
 * each. A test file names the cases with QUEUE_CONTRACT_CASES and brings a way to open a queue and
 * to let time pass. */
#ifndef BOOKFLOW_QUEUE_CONTRACT_H
#define BOOKFLOW_QUEUE_CONTRACT_H

#include "queue.h"

enum { CONTRACT_MAX_RECEIVES = 3, CONTRACT_VISIBILITY_S = 30 };

struct queue_contract {
    /* One more handle on the queue of that name, which is empty at the start of a case, has the two
     * values above, and the dead-letter queue NAME-dlq, to be opened in the same way. */
    struct queue *(*open)(void *context, const char *name);
    /* Time passes for the queue (the cases ask for few seconds, should it be real). */
    void (*advance)(void *context, int64_t ms);
    /* Between two steps: waits a little for threads or the network, at once when there is news. */
    void (*turn)(void *context, struct queue *const queues[], size_t count);
    void *context;
    bool no_astral; /* does not take characters beyond U+FFFF, as one emulator of SQS */
};

/* CASE(name) for each; the function is queue_contract_NAME. */
#define QUEUE_CONTRACT_CASES(CASE)                                                                 \
    CASE(a_message_is_received_as_it_was_sent)                                                     \
    CASE(ten_messages_go_in_one_batch)                                                             \
    CASE(eleven_messages_or_none_are_refused_whole)                                                \
    CASE(a_bad_entry_fails_alone)                                                                  \
    CASE(a_message_of_one_mebibyte_is_taken_and_one_more_byte_is_not)                              \
    CASE(a_batch_of_more_than_one_mebibyte_is_refused_whole)                                       \
    CASE(ten_attributes_are_taken_and_eleven_are_not)                                              \
    CASE(unicode_arrives_unchanged)                                                                \
    CASE(a_receive_out_of_range_is_refused)                                                        \
    CASE(a_received_message_is_hidden_and_comes_back)                                              \
    CASE(only_the_newest_receipt_works)                                                            \
    CASE(visibility_zero_gives_back_at_once)                                                       \
    CASE(visibility_extended_keeps_hidden)                                                         \
    CASE(visibility_of_what_is_not_in_flight_cannot_change)                                        \
    CASE(visibility_out_of_range_fails_alone)                                                      \
    CASE(a_delete_is_final)                                                                        \
    CASE(a_delayed_message_comes_later)                                                            \
    CASE(a_long_poll_wakes_when_a_message_is_sent)                                                 \
    CASE(a_long_poll_wakes_when_another_handle_sends)                                              \
    CASE(a_long_poll_wakes_when_a_message_is_given_back)                                           \
    CASE(a_long_poll_wakes_when_a_hidden_message_shows)                                            \
    CASE(a_long_poll_ends_empty_at_its_deadline)                                                   \
    CASE(stop_waiting_ends_long_polls_at_once)                                                     \
    CASE(a_message_received_too_often_goes_to_the_dead_letter_queue)                               \
    CASE(send_dead_letter_lands_in_the_dead_letter_queue)                                          \
    CASE(a_dead_letter_queue_has_none_itself)                                                      \
    CASE(attributes_count_by_state)                                                                \
    CASE(two_handles_never_hold_one_message_at_once)                                               \
    CASE(a_callback_may_call_the_queue)                                                            \
    CASE(every_call_is_answered_once_also_when_closed)

#define QUEUE_CONTRACT_DECLARE(name) void queue_contract_##name(const struct queue_contract *with);
QUEUE_CONTRACT_CASES(QUEUE_CONTRACT_DECLARE)

#endif
