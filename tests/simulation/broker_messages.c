/* One queue's messages, by the rules of SQS: hidden while in flight, a new receipt per receive,
 * moved to the dead-letter queue when received too often. Must not know connections beyond waking
 * them. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker_private.h"

enum { KEPT_BACK_MS = 2000, AGAIN_MS = 5000 };

struct content *content_share(struct content *content)
{
    content->references++;
    return content;
}

void content_drop(struct content *content)
{
    if (!content || --content->references > 0)
        return;
    buf_release(&content->packed);
    free(content->body);
    free(content);
}

/* All names and values in one buffer, each with its NUL; pointed into when it grows no more. */
static void copy_attributes(struct content *content, const struct queue_attribute *attributes)
{
    size_t count = 0;
    for (; attributes && attributes[count].name; count++) {
        assert(count < QUEUE_ATTRIBUTES_MAX);
        buf_append(&content->packed, attributes[count].name, strlen(attributes[count].name) + 1);
        buf_append(&content->packed, attributes[count].value, strlen(attributes[count].value) + 1);
    }
    const char *at = content->packed.data;
    for (size_t i = 0; i < count; i++) {
        content->attributes[i] = (struct queue_attribute){at, at + strlen(at) + 1};
        at = content->attributes[i].value + strlen(content->attributes[i].value) + 1;
    }
}

struct content *content_new(struct broker *broker, const struct queue_entry *entry)
{
    struct content *content = memory_new(1, sizeof *content);
    content->references = 1;
    content->body = memory_text(entry->body);
    content->length = strlen(entry->body);
    content->sent_ms = world_wall_ms(broker->world);
    (void)snprintf(content->id, sizeof content->id, "m-%llu",
                   (unsigned long long)++broker->last_id);
    copy_attributes(content, entry->attributes);
    broker_mark_text(broker, content->id);
    broker_mark_text(broker, content->body);
    return content;
}

void mailbox_wake(const struct mailbox *mailbox)
{
    const struct connection *connection = mailbox->broker->connections;
    for (; connection; connection = connection->next)
        if (connection->mailbox == mailbox && connection->open.first)
            connection_wake(connection);
}

static void append(struct mailbox *mailbox, struct message *message)
{
    struct message **end = &mailbox->messages;
    while (*end)
        end = &(*end)->next;
    message->next = NULL;
    *end = message;
    mailbox->depth++;
    mailbox_wake(mailbox);
}

struct message *mailbox_add(struct mailbox *mailbox, struct content *content, int64_t visible_ms)
{
    struct message *message = memory_new(1, sizeof *message);
    message->content = content_share(content);
    message->visible_ms = visible_ms;
    append(mailbox, message);
    return message;
}

static void unlink_message(struct mailbox *mailbox, const struct message *message)
{
    struct message **at = &mailbox->messages;
    while (*at != message)
        at = &(*at)->next;
    *at = message->next;
    mailbox->depth--;
}

void mailbox_remove(struct mailbox *mailbox, const struct message *message)
{
    struct message *ours = mailbox->messages;
    while (ours != message)
        ours = ours->next;
    unlink_message(mailbox, ours);
    content_drop(ours->content);
    free(ours);
}

static void move_to_dead_letter(struct mailbox *mailbox, struct message *message)
{
    unlink_message(mailbox, message);
    message->receive_count = 0;
    message->receipt = 0;
    message->visible_ms = broker_now(mailbox->broker);
    append(mailbox->dead_letter, message);
    broker_mark_text(mailbox->broker, message->content->id);
}

static bool received_too_often(const struct mailbox *mailbox, const struct message *message)
{
    return mailbox->dead_letter && message->receive_count >= mailbox->broker->max_receives;
}

static struct message *next_visible(const struct mailbox *mailbox, struct message *message)
{
    const int64_t now = broker_now(mailbox->broker);
    while (message && message->visible_ms > now)
        message = message->next;
    return message;
}

static void receive(struct mailbox *mailbox, struct message *message, int64_t visibility_s)
{
    struct broker *broker = mailbox->broker;
    broker->counts.received++;
    broker->counts.redelivered += message->receive_count > 0;
    message->receive_count++;
    message->receipt = ++broker->last_receipt;
    message->visible_ms = broker_now(broker) + visibility_s * 1000;
    broker_mark_text(broker, message->content->id);
    broker_mark(broker, (uint64_t)message->receive_count);
}

size_t mailbox_take(struct mailbox *mailbox, size_t maximum, int64_t visibility_s,
                    struct message *taken[])
{
    struct broker *broker = mailbox->broker;
    size_t count = 0;
    struct message *next = NULL;
    struct message *message = next_visible(mailbox, mailbox->messages);
    for (; message && count < maximum; message = next_visible(mailbox, next)) {
        next = message->next;
        if (received_too_often(mailbox, message)) {
            move_to_dead_letter(mailbox, message);
        } else if (fault_happens(broker, BROKER_RECEIVE, FAULT_REORDER)) {
            message->visible_ms = broker_now(broker) + broker_between(broker, 1, KEPT_BACK_MS);
        } else {
            receive(mailbox, message, visibility_s);
            taken[count++] = message;
        }
    }
    return count;
}

void mailbox_trouble(struct mailbox *mailbox, struct message *message)
{
    struct broker *broker = mailbox->broker;
    const int64_t now = broker_now(broker);
    if (fault_happens(broker, BROKER_RECEIVE, FAULT_DUPLICATE))
        (void)mailbox_add(mailbox, message->content, now + broker_between(broker, 0, AGAIN_MS));
    if (fault_happens(broker, BROKER_RECEIVE, FAULT_TWICE))
        message->visible_ms = now;
    if (fault_happens(broker, BROKER_RECEIVE, FAULT_RECEIPT_LOST)) {
        message->visible_ms = now + broker_between(broker, 0, AGAIN_MS);
        message->receipt = 0;
    }
}

bool mailbox_has_visible(const struct mailbox *mailbox)
{
    return next_visible(mailbox, mailbox->messages) != NULL;
}

struct message *mailbox_find(const struct mailbox *mailbox, uint64_t receipt)
{
    struct message *message = receipt > 0 ? mailbox->messages : NULL;
    while (message && message->receipt != receipt)
        message = message->next;
    return message;
}

int64_t mailbox_next_ms(const struct mailbox *mailbox)
{
    const int64_t now = broker_now(mailbox->broker);
    int64_t next = INT64_MAX;
    for (const struct message *message = mailbox->messages; message; message = message->next)
        if (message->visible_ms <= now)
            return now;
        else if (message->visible_ms < next)
            next = message->visible_ms;
    return next;
}

void mailbox_count(const struct mailbox *mailbox, struct queue_attributes *attributes)
{
    const struct broker *broker = mailbox->broker;
    const int64_t now = broker_now(broker);
    const int64_t wall = world_wall_ms(broker->world);
    *attributes =
        (struct queue_attributes){.visibility_s = MAILBOX_VISIBILITY_S,
                                  .max_receives = mailbox->dead_letter ? broker->max_receives : 0,
                                  .has_dead_letter = mailbox->dead_letter != NULL};
    for (const struct message *message = mailbox->messages; message; message = message->next) {
        const int64_t age_s = (wall - message->content->sent_ms) / 1000;
        if (message->visible_ms <= now) {
            attributes->visible++;
            if (age_s > attributes->oldest_age_s)
                attributes->oldest_age_s = age_s;
        } else if (message->receive_count > 0) {
            attributes->in_flight++;
        } else {
            attributes->delayed++;
        }
    }
}
