/* The calls of the decision worker's API. Knows neither threads nor screens. */
#include "remote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_fields.h"
#include "timestamp.h"

enum { PAGE = 500 };

bool remote_sign_in(const struct remote *remote, struct client *client, struct error *error)
{
    return remote->token_file ? client_read_token(client, remote->token_file, error)
                              : client_set_token(client, remote->token, error);
}

struct client *remote_client(const struct remote *remote, const atomic_bool *stop,
                             struct error *error)
{
    struct client *client AUTO(client_release) =
        client_new(&(struct client_options){.url = remote->url, .stop = stop}, error);
    if (!client || !remote_sign_in(remote, client, error))
        return NULL;
    struct client *made = client;
    client = NULL;
    return made;
}

void remote_path(const struct remote *remote, struct buf *path, const char *rest)
{
    buf_text_append(path, "/providers/");
    client_escape(path, remote->provider);
    buf_text_append(path, rest);
}

json_t *remote_get(struct client *client, const char *path, int *status, struct error *error)
{
    struct client_answer answer AUTO(client_answer_release) = {0};
    *status = 0;
    if (!client_send(client, &(struct client_call){.method = "GET", .path = path}, &answer, error))
        return NULL;
    *status = answer.status;
    if (answer.status != 200) {
        (void)client_refusal(&answer, error);
        return NULL;
    }
    return json_parse_object(buf_text(&answer.body), answer.body.length, error);
}

static bool each_booking(const struct remote_list *list, const json_t *page)
{
    size_t i = 0;
    const json_t *booking = NULL;
    json_array_foreach(json_object_get(page, "bookings"), i, booking)
    {
        if (!list->each(list->context, booking))
            return false;
    }
    return true;
}

bool remote_list(const struct remote *remote, struct client *client, const struct remote_list *list,
                 struct error *error)
{
    struct buf after AUTO(buf_release) = {0};
    for (bool more = true; more;) {
        struct buf path AUTO(buf_release) = {0};
        int status = 0;
        remote_path(remote, &path, "/bookings");
        buf_printf(&path, "?limit=%d%s", PAGE, list->query);
        if (after.length > 0) {
            buf_text_append(&path, "&after=");
            client_escape(&path, buf_text(&after));
        }
        json_t *page AUTO(json_release) = remote_get(client, buf_text(&path), &status, error);
        if (!page)
            return false;
        const char *next = json_string_value(json_object_get(page, "next"));
        /* A cursor that does not move would fetch the same page for ever. */
        more = each_booking(list, page) && next && strcmp(next, buf_text(&after)) != 0;
        buf_clear(&after);
        buf_text_append(&after, next ? next : "");
    }
    return true;
}

json_t *remote_booking(const struct remote *remote, struct client *client, const char *id,
                       struct error *error)
{
    struct buf path AUTO(buf_release) = {0};
    int status = 0;
    remote_path(remote, &path, "/bookings/");
    client_escape(&path, id);
    return remote_get(client, buf_text(&path), &status, error);
}

/* The booking of an answer; a 409 tells beside it who decided and when. */
static struct record *decided_record(const struct client_answer *answer)
{
    struct error ignored = {0};
    json_t *root AUTO(json_release) =
        json_parse_object(buf_text(&answer->body), answer->body.length, &ignored);
    struct record *record = record_from_json(json_object_get(root, "booking"), &ignored);
    const char *by = json_string_value(json_object_get(root, "decidedBy"));
    const char *at = json_string_value(json_object_get(root, "decidedAt"));
    if (record && by && !record->decided_by)
        record->decided_by = memory_text(by);
    if (record && at)
        (void)!timestamp_parse(at, &record->decided_s, &ignored);
    return record;
}

static char *reason_body(const char *reason)
{
    json_t *object AUTO(json_release) = json_pack("{s:s}", "reason", reason);
    return object ? json_dumps(object, JSON_COMPACT) : NULL;
}

void remote_decide(const struct remote *remote, struct client *client, struct news *news)
{
    struct buf path AUTO(buf_release) = {0};
    char *body AUTO(memory_release) = NULL;
    if (news->reason && !(body = reason_body(news->reason))) { /* never without the reason given */
        (void)error_set(&news->error, ERROR_USAGE, "the reason is not valid UTF-8 text");
        return;
    }
    remote_path(remote, &path, "/bookings/");
    client_escape(&path, news->id);
    buf_text_append(&path, news->command == BOOKING_ACCEPT ? "/accept" : "/reject");
    const struct client_call call = {
        .method = "POST", .path = buf_text(&path), .body = body, .idempotency_key = news->key};
    struct client_answer answer AUTO(client_answer_release) = {0};
    if (!client_send(client, &call, &answer, &news->error))
        return;
    news->status = answer.status;
    news->wait_ms = answer.retry_after_s >= 0 ? 1000 * answer.retry_after_s : -1;
    if (answer.status >= 300)
        (void)client_refusal(&answer, &news->error);
    news_add(news, decided_record(&answer));
}
