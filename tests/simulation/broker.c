/* The broker: its queues by name, and what a simulation asks of it. Must not know what a call
 * carries. */
#include "broker.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker_private.h"

enum { MAX_RECEIVES = 100 };

static const char DEAD_SUFFIX[] = "-dlq";

struct broker *broker_new(const struct world *world)
{
    struct broker *broker = memory_new(1, sizeof *broker);
    broker->world = world;
    broker->max_receives = MAX_RECEIVES;
    broker->trace = UINT64_C(14695981039346656037);
    return broker;
}

void broker_free(struct broker *broker)
{
    if (!broker)
        return;
    assert(!broker->connections);
    while (broker->mailboxes) {
        struct mailbox *mailbox = broker->mailboxes;
        broker->mailboxes = mailbox->next;
        while (mailbox->messages)
            mailbox_remove(mailbox, mailbox->messages);
        free(mailbox);
    }
    free(broker);
}

void broker_set_max_receives(struct broker *broker, int64_t receives)
{
    broker->max_receives = receives;
}

int64_t broker_now(const struct broker *broker)
{
    return world_ticks_ms(broker->world);
}

/* FNV-1a over whole words, its bits mixed so that the high ones count, too. */
void broker_mark(struct broker *broker, uint64_t fact)
{
    broker->trace = (broker->trace ^ fact) * UINT64_C(1099511628211);
    broker->trace ^= broker->trace >> 29;
}

void broker_mark_text(struct broker *broker, const char *text)
{
    for (; *text; text++)
        broker_mark(broker, (unsigned char)*text);
}

static struct mailbox *find(const struct broker *broker, const char *name)
{
    struct mailbox *mailbox = broker->mailboxes;
    while (mailbox && strcmp(mailbox->name, name) != 0)
        mailbox = mailbox->next;
    return mailbox;
}

static struct mailbox *add(struct broker *broker, const char *name, struct mailbox *dead_letter)
{
    struct mailbox *mailbox = memory_new(1, sizeof *mailbox);
    assert(strlen(name) < MAILBOX_NAME_SIZE);
    memcpy(mailbox->name, name, strlen(name) + 1);
    mailbox->broker = broker;
    mailbox->dead_letter = dead_letter;
    mailbox->next = broker->mailboxes;
    broker->mailboxes = mailbox;
    return mailbox;
}

static bool is_dead_letter(const char *name)
{
    const size_t length = strlen(name), suffix = strlen(DEAD_SUFFIX);
    return length > suffix && strcmp(name + length - suffix, DEAD_SUFFIX) == 0;
}

struct mailbox *broker_mailbox(struct broker *broker, const char *name)
{
    char dead_name[MAILBOX_NAME_SIZE];
    struct mailbox *known = find(broker, name);
    if (known)
        return known;
    if (is_dead_letter(name))
        return add(broker, name, NULL);
    const int length = snprintf(dead_name, sizeof dead_name, "%s%s", name, DEAD_SUFFIX);
    assert(length > 0 && (size_t)length < sizeof dead_name);
    struct mailbox *dead_letter = find(broker, dead_name);
    return add(broker, name, dead_letter ? dead_letter : add(broker, dead_name, NULL));
}

void broker_put(struct broker *broker, const char *name, const struct queue_entry *entry)
{
    struct content *content = content_new(broker, entry);
    (void)mailbox_add(broker_mailbox(broker, name), content,
                      broker_now(broker) + entry->delay_s * 1000);
    content_drop(content);
}

static struct queue_entry entry_of(const struct content *content)
{
    return (struct queue_entry){.body = content->body, .attributes = content->attributes};
}

size_t broker_redrive(struct broker *broker, const char *name)
{
    struct mailbox *mailbox = broker_mailbox(broker, name);
    struct mailbox *dead_letter = mailbox->dead_letter;
    size_t moved = 0;
    assert(dead_letter); /* nothing is redriven to a dead-letter queue */
    for (; dead_letter->messages; moved++) {
        struct message *message = dead_letter->messages;
        const struct queue_entry entry = entry_of(message->content);
        broker_put(broker, name, &entry);
        mailbox_remove(dead_letter, message);
    }
    broker_mark(broker, moved);
    return moved;
}

size_t broker_depth(const struct broker *broker, const char *name)
{
    const struct mailbox *mailbox = find(broker, name);
    return mailbox ? mailbox->depth : 0;
}

void broker_visit(const struct broker *broker, const char *name, broker_visit_fn *visit,
                  void *context)
{
    const struct mailbox *mailbox = find(broker, name);
    const struct message *message = mailbox ? mailbox->messages : NULL;
    for (; message; message = message->next) {
        const struct content *content = message->content;
        const struct queue_message shown = {.id = content->id,
                                            .receipt = "",
                                            .body = content->body,
                                            .body_length = content->length,
                                            .attributes = content->attributes,
                                            .receive_count = message->receive_count,
                                            .sent_ms = content->sent_ms};
        visit(context, &shown);
    }
}

struct broker_counts broker_counts(const struct broker *broker)
{
    return broker->counts;
}

uint64_t broker_trace(const struct broker *broker)
{
    return broker->trace;
}

int64_t broker_wait_ms(const struct broker *broker)
{
    int64_t wait = -1;
    const struct connection *connection = broker->connections;
    for (; connection; connection = connection->next) {
        const int64_t its = connection_wait_ms(connection);
        if (its >= 0 && (wait < 0 || its < wait))
            wait = its;
    }
    return wait;
}
