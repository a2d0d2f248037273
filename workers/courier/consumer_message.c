/* A message in hand and the lists of the stages. Must not call the queue or the writer. */
#include "consumer_message.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"

enum { HIDE_FIRST_S = 2, HIDE_MAXIMUM_S = 900 };

int64_t consumer_now(const struct consumer *consumer)
{
    return world_ticks_ms(consumer->options.world);
}

size_t stage_count(const struct consumer *consumer, enum stage stage)
{
    return consumer->stages[stage].count;
}

/* True for a stage in which the ledger may say that its handler runs. */
static bool stage_is_running(enum stage stage)
{
    static const bool running[STAGES] = {
        [STAGE_BEGINNING] = true, [STAGE_READY] = true,   [STAGE_HANDLING] = true,
        [STAGE_UNDO] = true,      [STAGE_UNDOING] = true,
    };
    return running[stage];
}

size_t consumer_running(const struct consumer *consumer)
{
    size_t running = 0;
    for (int stage = 0; stage < STAGES; stage++)
        if (stage_is_running((enum stage)stage))
            running += consumer->stages[stage].count;
    return running;
}

static void list_add(struct message_list *list, struct message *message)
{
    message->next = NULL;
    message->previous = list->last;
    *(list->last ? &list->last->next : &list->first) = message;
    list->last = message;
    list->count++;
}

static void list_remove(struct message_list *list, struct message *message)
{
    *(message->previous ? &message->previous->next : &list->first) = message->next;
    *(message->next ? &message->next->previous : &list->last) = message->previous;
    list->count--;
}

void message_move(struct message *message, enum stage stage)
{
    struct consumer *consumer = message->consumer;
    list_remove(&consumer->stages[message->stage], message);
    list_add(&consumer->stages[stage], message);
    message->stage = stage;
    if (consumer->alone == message && !stage_is_running(stage))
        consumer->alone = NULL;
}

static void keep_attributes(struct message *message, const struct queue_attribute *attributes)
{
    for (const struct queue_attribute *at = attributes; at && at->name; at++)
        for (int i = 0; i < KEPT; i++)
            if (!message->kept[i] && at->value[0] && strcmp(at->name, KEPT_NAMES[i]) == 0)
                message->kept[i] = memory_text(at->value);
}

struct message *message_new(struct consumer *consumer, const struct queue_message *from)
{
    struct message *message = memory_new(1, sizeof *message);
    message->consumer = consumer;
    message->id = memory_text(from->id);
    message->body = memory_text_n(from->body, from->body_length);
    message->body_length = from->body_length;
    keep_attributes(message, from->attributes);
    message->stage = STAGE_ARRIVED;
    list_add(&consumer->stages[STAGE_ARRIVED], message);
    lookup_add(&consumer->by_id, &message->by_id, message->id, message);
    consumer->in_hand++;
    message->received_ms = consumer_now(consumer);
    message_take_receipt(message, from);
    return message;
}

void message_take_receipt(struct message *message, const struct queue_message *from)
{
    message->fresh_receipt = message->receipt != NULL;
    free(message->receipt);
    message->receipt = memory_text(from->receipt);
    message->receive_count = from->receive_count;
    message->lost = false;
    lease_begin(message, consumer_now(message->consumer));
}

void message_free(struct message *message)
{
    struct consumer *consumer = message->consumer;
    list_remove(&consumer->stages[message->stage], message);
    consumer->in_hand--;
    for (int i = 0; i < KEPT; i++)
        free(message->kept[i]);
    free(message->id);
    free(message->receipt);
    free(message->body);
    free(message);
}

void message_tell(const struct message *message, enum consumer_outcome outcome)
{
    const struct consumer_options *options = &message->consumer->options;
    if (options->heard)
        options->heard(options->heard_context,
                       &(struct consumer_news){.outcome = outcome,
                                               .message_id = message->id,
                                               .event = &message->event,
                                               .reason = message->error.text});
}

void message_drop(struct message *message)
{
    message_move(message, STAGE_GONE);
    lookup_remove(&message->consumer->by_id, &message->by_id);
    if (!message->renewing)
        message_free(message);
}

void message_hide(struct message *message, int64_t seconds)
{
    message->hide_s = seconds;
    message->tries = 0;
    message->due_ms = 0;
    message_move(message, STAGE_HIDE);
}

void message_give_back(struct message *message)
{
    message->consumer->state.given_back++;
    message_hide(message, 0);
}

void message_bury(struct message *message)
{
    message->tries = 0;
    message->due_ms = 0;
    message_move(message, STAGE_BURY);
}

void message_try_later(struct message *message)
{
    const struct consumer *consumer = message->consumer;
    message->tries++;
    message->due_ms = consumer_now(consumer) + backoff_ms(consumer->options.world, message->tries);
}

int64_t hide_after(const struct consumer *consumer, int64_t failures)
{
    return backoff(consumer->options.world, HIDE_FIRST_S, HIDE_MAXIMUM_S, failures);
}
