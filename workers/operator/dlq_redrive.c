/* `bookflow dlq redrive` and `drop`. A letter is deleted only after its queue has taken it; what
 * happens between the two leaves it in both, which the worker counts as a duplicate. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "dlq.h"
#include "ids.h"
#include "json_fields.h"
#include "remote.h"

static const char marks[] = "DeadLetter"; /* what burying has added */

void dlq_print_outcome(json_t *outcomes, const struct letter *letter, const char *outcome,
                       const char *reason)
{
    if (outcomes) {
        (void)json_array_append_new(outcomes,
                                    json_pack("{ss ss so}", "id", letter->id, "outcome", outcome,
                                              "reason", json_text_or_null(reason)));
        return;
    }
    remote_print(letter->id, 0);
    (void)printf("  %s", outcome);
    if (*reason) {
        (void)printf(": ");
        remote_print(reason, 0);
    }
    (void)printf("\n");
}

/* --- sending --- */

/* Grouped as the publisher does. What is no id is none that a queue would take. */
static const char *group_of(const struct dlq *dlq, const struct letter *letter, bool fifo)
{
    const char *group = fifo ? letter_booking(letter) : letter_provider(letter);
    if (!fifo && !dlq->session->settings.fair_queues)
        return NULL;
    if (id_valid(group, strlen(group)))
        return group;
    return fifo ? letter->id : NULL;
}

/* Not the event's own id: within five minutes of its first send the queue would take the message
 * for a repetition and swallow it. */
static void deduplication_of(const struct letter *letter, struct buf *out)
{
    const char *event_id = letter_attribute(letter, "EventId");
    if (event_id && id_valid(event_id, strlen(event_id)) &&
        strlen(event_id) + strlen(letter->id) < ID_MAX)
        buf_printf(out, "%s-", event_id);
    buf_text_append(out, letter->id);
}

static bool send(const struct dlq *dlq, const struct letter *letter, struct error *error)
{
    const char *url = which_queue_url(dlq->session, dlq->which);
    const size_t length = strlen(url);
    const bool fifo = length > 5 && strcmp(url + length - 5, ".fifo") == 0;
    struct queue_attribute attributes[QUEUE_ATTRIBUTES_MAX + 1] = {{0}};
    struct buf deduplication AUTO(buf_release) = {0};
    size_t count = 0;
    for (size_t i = 0; i < letter->attribute_count && count < QUEUE_ATTRIBUTES_MAX; i++)
        if (strncmp(letter->attributes[i].name, marks, strlen(marks)) != 0)
            attributes[count++] = letter->attributes[i];
    deduplication_of(letter, &deduplication);
    const struct queue_entry entry = {
        .body = letter->body,
        .attributes = attributes,
        .group_id = group_of(dlq, letter, fifo),
        .deduplication_id = fifo ? buf_text(&deduplication) : NULL,
    };
    return session_send(dlq->session, dlq->source, &entry, error);
}

/* --- the dry run --- */

/* True with the worker's word and reason in *answer. */
static bool ask(const struct dlq *dlq, struct client *client, const struct letter *letter,
                json_t **answer, struct error *error)
{
    struct buf path AUTO(buf_release) = {0};
    json_t *text = json_stringn(letter->body, letter->body_length);
    json_t *body AUTO(json_release) = json_pack("{so}", "body", text ? text : json_string(""));
    buf_printf(&path, "/queues/%s/check", which_queue_name(dlq->which));
    *answer = remote_call(client, "POST", buf_text(&path), body, error);
    if (!*answer && error->kind == ERROR_NOT_FOUND)
        return error_context(error, "BOOKFLOW_URL must name the %s worker",
                             dlq->which == WHICH_REQUEST ? "decision" : "intake");
    return *answer != NULL;
}

static const char *word(const json_t *answer, const char *name)
{
    const char *text = json_string_value(json_object_get(answer, name));
    return text ? text : "";
}

static bool check(const struct dlq *dlq, struct client *client, const struct letter *letter,
                  json_t *outcomes, struct error *error)
{
    json_t *answer AUTO(json_release) = NULL;
    if (!ask(dlq, client, letter, &answer, error))
        return false;
    dlq_print_outcome(outcomes, letter, word(answer, "outcome"), word(answer, "reason"));
    return true;
}

/* --- the verbs --- */

/* The n-th letter that was asked for, NULL behind the last. */
static struct letter *asked_for(const struct dlq *dlq, size_t at)
{
    if (dlq->all)
        return at < dlq->letters->count ? dlq->letters->items[at] : NULL;
    return at < dlq->id_count ? letters_find(dlq->letters, dlq->ids[at]) : NULL;
}

/* True also for one that the queue will never take: it stays where it is, and the others go on. */
static bool redrive_one(const struct dlq *dlq, struct letter *letter, json_t *outcomes,
                        size_t *refused, struct error *error)
{
    struct error failure = {0};
    if (letter->gone) /* named twice */
        return true;
    if (send(dlq, letter, &failure)) {
        if (!letters_delete(dlq->letters, letter, error))
            return error_context(error, "%s is redriven, but still a dead letter, too", letter->id);
        dlq_print_outcome(outcomes, letter, "redriven", "");
        return true;
    }
    if (failure.kind != ERROR_INVALID && failure.kind != ERROR_TOO_LARGE)
        return error_set(error, failure.kind, "%s: %s", letter->id, failure.text);
    (*refused)++;
    dlq_print_outcome(outcomes, letter, "refused", failure.text);
    return true;
}

static bool redrive_each(const struct dlq *dlq, json_t *outcomes, struct error *error)
{
    size_t refused = 0;
    struct client *client AUTO(client_release) = dlq->dry_run ? remote_open(error) : NULL;
    if (dlq->dry_run && !client)
        return false;
    struct letter *letter = NULL;
    for (size_t i = 0; (letter = asked_for(dlq, i)) != NULL; i++)
        if (!letters_keep(dlq->letters, error) ||
            !(dlq->dry_run ? check(dlq, client, letter, outcomes, error)
                           : redrive_one(dlq, letter, outcomes, &refused, error)))
            return false;
    return refused == 0 ||
           error_set(error, ERROR_INVALID, "the queue refused %zu: still dead letters", refused);
}

bool dlq_redrive(const struct dlq *dlq, struct error *error)
{
    json_t *outcomes AUTO(json_release) = dlq->as_json ? json_array() : NULL;
    const bool good = redrive_each(dlq, outcomes, error);
    if (outcomes)
        dlq_print_json(outcomes); /* what happened before a failure, too */
    return good;
}

bool dlq_drop(const struct dlq *dlq, struct error *error)
{
    json_t *outcomes AUTO(json_release) = dlq->as_json ? json_array() : NULL;
    struct letter *letter = letters_find(dlq->letters, dlq->ids[0]);
    if (!letters_delete(dlq->letters, letter, error))
        return false;
    dlq_print_outcome(outcomes, letter, "dropped", "");
    if (outcomes)
        dlq_print_json(outcomes);
    return true;
}
