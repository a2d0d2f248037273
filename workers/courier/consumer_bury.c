/* Dead letters: a copy goes to the dead-letter queue with the reason; only when the copy is taken
 * is the message itself deleted. Must not know the writer. */
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "consumer_message.h"
#include "text.h"

enum { REASON_LETTERS = 256, BURIALS = QUEUE_BATCH, NUMBER_SIZE = 24 };

const char *const KEPT_NAMES[KEPT] = {
    [KEPT_EVENT_TYPE] = "EventType",    [KEPT_BOOKING_ID] = "BookingId",
    [KEPT_PROVIDER_ID] = "ProviderId",  [KEPT_EVENT_ID] = "EventId",
    [KEPT_TRACEPARENT] = "traceparent",
};

/* Made fit for an attribute: U+FFFE and U+FFFF are characters that SQS refuses, and with them the
 * copy. */
static void reason_of(struct buf *out, const char *reason)
{
    struct buf shown AUTO(buf_release) = {0};
    text_display(&shown, reason, strlen(reason));
    const char *at = buf_text(&shown);
    const char *const end = at + shown.length;
    for (int letters = 0; letters < REASON_LETTERS && at < end; letters++) {
        const char *letter = at;
        const uint32_t point = text_next(&at, end);
        if (point != 0xFFFE && point != 0xFFFF)
            buf_append(out, letter, (size_t)(at - letter));
    }
    if (out->length == 0)
        buf_text_append(out, "unknown");
}

/* The way back for a message that cannot be buried: it stays in its queue, hidden for longer each
 * time it comes. Our ledger may not count these (it knows failed handlers), so the queue does. */
static void bury_refused(struct message *message)
{
    const int64_t receives = message->receive_count > 0 ? message->receive_count : 1;
    message_hide(message, hide_after(message->consumer, receives));
}

static void bury_failed(struct message *message, enum error_kind kind, const char *reason)
{
    struct consumer *consumer = message->consumer;
    char text[OUTAGE_REASON_SIZE];
    (void)snprintf(text, sizeof text, "dead-letter queue: %.100s", reason);
    reason_copy(consumer->bury_reason, text);
    if (message->lost) {
        message_drop(message);
        return;
    }
    /* A queue that is not there will not be there in a second either. */
    if (!error_policy(kind)->retry || kind == ERROR_CONFIGURATION || consumer->draining) {
        bury_refused(message);
        return;
    }
    message_try_later(message);
    message_move(message, STAGE_BURY);
}

static void bury_done(void *context, const struct queue_result results[], size_t count,
                      const struct error *failure)
{
    struct message *message = context;
    struct consumer *consumer = message->consumer;
    if (failure) {
        bury_failed(message, failure->kind, failure->text);
        return;
    }
    if (count == 0) {
        bury_failed(message, ERROR_UNAVAILABLE, "no answer for it");
        return;
    }
    if (results[0].kind != ERROR_NONE) {
        bury_failed(message, results[0].kind, results[0].reason);
        return;
    }
    consumer->state.dead_lettered++;
    message_tell(message, HEARD_DEAD);
    reason_copy(consumer->state.dead_reason, message->error.text);
    consumer->bury_reason[0] = '\0';
    /* A lost one keeps its row in the ledger: when it comes again it is buried without another
     * attempt. */
    if (message->lost)
        message_drop(message);
    else
        message_move(message, STAGE_FORGET);
}

/* As the publisher groups; a message made by hand is a group of its own. */
static const char *group_of(const struct message *message)
{
    const char *booking = message->kept[KEPT_BOOKING_ID];
    return booking ? booking : message->id;
}

static void bury_send(struct message *message)
{
    const struct consumer_options *options = &message->consumer->options;
    struct buf reason AUTO(buf_release) = {0};
    reason_of(&reason, message->error.text);
    char attempts[NUMBER_SIZE];
    (void)snprintf(attempts, sizeof attempts, "%lld", (long long)message->attempts);
    struct queue_attribute attributes[QUEUE_ATTRIBUTES_MAX + 1] = {
        {"DeadLetterReason", buf_text(&reason)},
        {"DeadLetterAttempts", attempts},
        {"DeadLetterSource", options->source},
    };
    size_t count = 3;
    for (int i = 0; i < KEPT; i++)
        if (message->kept[i])
            attributes[count++] = (struct queue_attribute){KEPT_NAMES[i], message->kept[i]};
    const struct queue_entry entry = {
        .body = message->body,
        .attributes = attributes,
        .group_id = options->fifo ? group_of(message) : NULL,
        .deduplication_id = options->fifo ? message->id : NULL,
    };
    message_move(message, STAGE_BURYING);
    queue_send_dead_letter(options->queue, &entry, 1, bury_done, message);
}

/* One message a call: bodies come near the limit of a whole batch, and dead letters are rare. */
void bury_step(struct consumer *consumer)
{
    const int64_t now = consumer_now(consumer);
    struct message *next = NULL;
    for (struct message *message = consumer->stages[STAGE_BURY].first; message; message = next) {
        next = message->next;
        if (message->due_ms <= now && stage_count(consumer, STAGE_BURYING) < BURIALS)
            bury_send(message);
    }
}
