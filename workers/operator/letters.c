/* Dead letters in hand. Knows no verb and nothing of where they go. */
#include "letters.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "json_fields.h"
#include "remote.h"

enum { LEASE_S = 120, RENEW_MS = 40 * 1000 };

static int64_t ticks(const struct letters *letters)
{
    return world_ticks_ms(letters->session->world);
}

/* --- one letter --- */

static struct letter *letter_new(const struct queue_message *from)
{
    static const struct queue_attribute none[1];
    struct letter *letter = memory_new(1, sizeof *letter);
    struct error ignored = {0};
    letter->id = memory_text(from->id);
    letter->body = memory_text_n(from->body, from->body_length);
    letter->body_length = from->body_length;
    letter->receive_count = from->receive_count;
    letter->sent_ms = from->sent_ms;
    letter->fields = json_parse_object(from->body, from->body_length, &ignored);
    const struct queue_attribute *given = from->attributes ? from->attributes : none;
    while (given[letter->attribute_count].name)
        letter->attribute_count++;
    letter->attributes = memory_new(letter->attribute_count + 1, sizeof *letter->attributes);
    for (size_t i = 0; i < letter->attribute_count; i++)
        letter->attributes[i] =
            (struct queue_attribute){memory_text(given[i].name), memory_text(given[i].value)};
    return letter;
}

static void letter_free(struct letter *letter)
{
    for (size_t i = 0; i < letter->attribute_count; i++) {
        memory_release(&letter->attributes[i].name);
        memory_release(&letter->attributes[i].value);
    }
    free(letter->attributes);
    free(letter->id);
    free(letter->receipt);
    free(letter->body);
    json_decref(letter->fields);
    free(letter);
}

const char *letter_attribute(const struct letter *letter, const char *name)
{
    for (size_t i = 0; i < letter->attribute_count; i++)
        if (strcmp(letter->attributes[i].name, name) == 0)
            return letter->attributes[i].value;
    return NULL;
}

static const char *said(const struct letter *letter, const char *attribute, const char *field)
{
    const char *value = letter_attribute(letter, attribute);
    value = value ? value : json_string_value(json_object_get(letter->fields, field));
    return value ? value : "";
}

const char *letter_event(const struct letter *letter)
{
    return said(letter, "EventType", "eventType");
}

const char *letter_booking(const struct letter *letter)
{
    return said(letter, "BookingId", "bookingId");
}

const char *letter_provider(const struct letter *letter)
{
    return said(letter, "ProviderId", "providerId");
}

const char *letter_reason(const struct letter *letter)
{
    const char *reason = letter_attribute(letter, "DeadLetterReason");
    return reason ? reason : "none given: moved by the queue, received too often";
}

/* --- receiving --- */

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct letter *)a)->id, ((const struct letter *)b)->id);
}

struct letter *letters_find(const struct letters *letters, const char *id)
{
    char *copy AUTO(memory_release) = memory_text(id);
    const struct letter wanted = {.id = copy};
    void *const *found = tfind(&wanted, &letters->by_id, by_id);
    return found ? *found : NULL;
}

static void add(struct letters *letters, struct letter *letter)
{
    if (letters->count == letters->room) {
        letters->room = letters->room ? letters->room * 2 : 64;
        letters->items = memory_resize(letters->items, letters->room, sizeof(struct letter *));
    }
    letters->items[letters->count++] = letter;
    (void)tsearch(letter, &letters->by_id, by_id);
}

/* A letter may come twice; only its newest receipt works. */
static void take(void *context, const struct queue_message messages[], size_t count,
                 const struct error *failure)
{
    struct letters *letters = context;
    (void)failure;
    letters->more = count > 0;
    for (size_t i = 0; i < count; i++) {
        struct letter *letter = letters_find(letters, messages[i].id);
        if (!letter) {
            letter = letter_new(&messages[i]);
            add(letters, letter);
        }
        free(letter->receipt);
        letter->receipt = memory_text(messages[i].receipt);
    }
}

static int by_age(const void *a, const void *b)
{
    const struct letter *left = *(struct letter *const *)a;
    const struct letter *right = *(struct letter *const *)b;
    if (left->sent_ms != right->sent_ms)
        return left->sent_ms < right->sent_ms ? -1 : 1;
    return strcmp(left->id, right->id);
}

bool letters_receive(struct letters *letters, struct error *error)
{
    const struct queue_receive_options options = {
        .maximum = QUEUE_BATCH, .wait_s = letters->waits ? 1 : 0, .visibility_s = LEASE_S};
    letters->renewed_ms = ticks(letters);
    do {
        if (!letters_keep(letters, error) ||
            !session_receive(letters->session, letters->queue, &options, take, letters, error))
            return false;
    } while (letters->more && letters->count < LETTERS_MAX);
    if (letters->count > 0)
        qsort(letters->items, letters->count, sizeof(struct letter *), by_age);
    return true;
}

/* --- leases --- */

/* All that are in hand: ten in a call. */
static bool hide_all(struct letters *letters, int64_t visibility_s, struct error *error)
{
    struct queue_visibility changes[QUEUE_BATCH];
    size_t count = 0;
    bool good = true;
    for (size_t i = 0; i < letters->count; i++) {
        if (!letters->items[i]->gone)
            changes[count++] = (struct queue_visibility){letters->items[i]->receipt, visibility_s};
        if (count == 0 || (count < QUEUE_BATCH && i + 1 < letters->count))
            continue;
        good = session_hide(letters->session, letters->queue, changes, count, error) && good;
        count = 0;
    }
    return good;
}

bool letters_keep(struct letters *letters, struct error *error)
{
    if (!queue_session_may_go_on(error))
        return false;
    if (ticks(letters) - letters->renewed_ms < RENEW_MS)
        return true;
    const int64_t now = ticks(letters);
    if (!hide_all(letters, LEASE_S, error))
        return false;
    letters->renewed_ms = now;
    return true;
}

bool letters_delete(struct letters *letters, struct letter *letter, struct error *error)
{
    letter->gone = session_delete(letters->session, letters->queue, letter->receipt, error);
    return letter->gone;
}

static void keep_node(void *node)
{
    (void)node; /* the letters are freed through the list */
}

void letters_release(struct letters *letters)
{
    struct error error = {0};
    if (!hide_all(letters, 0, &error)) {
        (void)error_context(&error, "dead letters stay hidden for up to %d s", LEASE_S);
        (void)remote_fail(&error);
    }
    tdestroy(letters->by_id, keep_node);
    for (size_t i = 0; i < letters->count; i++)
        letter_free(letters->items[i]);
    free(letters->items);
    *letters = (struct letters){0};
}
