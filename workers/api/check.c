/* The dry run of a message: the worker's own handler, in a savepoint that is always undone. Knows
 * no event's meaning. */
#include "check.h"

#include "event.h"
#include "json_fields.h"
#include "write.h"

static json_t *outcome(const char *word, const struct error *reason)
{
    return json_pack("{s:s,s:o}", "outcome", word, "reason",
                     json_text_or_null(reason ? reason->text : ""));
}

static json_t *outcome_of(bool heard, enum consumer_effect effect, const struct error *reason)
{
    if (!heard)
        return outcome("still fails", reason);
    return outcome(effect == EFFECT_APPLIED ? "would apply" : "duplicate", NULL);
}

/* A handler that failed has written as well: undone either way. */
static bool try_event(const struct call *call, struct db *db, const struct event *event,
                      json_t **body, struct error *error)
{
    struct error reason = {0};
    enum consumer_effect effect = EFFECT_DUPLICATE;
    if (!db_savepoint(db, error))
        return false;
    const bool heard = call->worker->hear(NULL, db, event, call->now_ms, &effect, &reason);
    if (!db_savepoint_undo(db, error))
        return false;
    *body = outcome_of(heard, effect, &reason);
    return true;
}

static bool check(const struct call *call, struct db *db, struct answer *answer,
                  struct error *error)
{
    struct event event = {0};
    struct error reason = {0};
    const json_t *text = json_object_get(call->body, "body");
    if (!json_is_string(text))
        return error_set(error, ERROR_INVALID, "body is required: the text of a message");
    if (event_from_json(json_string_value(text), json_string_length(text), &event, &reason))
        return try_event(call, db, &event, &answer->body, error);
    answer->body = outcome("still fails", &reason);
    return true;
}

static void handle(void *context, struct http_request *request)
{
    write_request(context, request, check);
}

const struct http_route *check_request_routes(void)
{
    static const struct http_route routes[] = {{.method = HTTP_POST,
                                                .pattern = "/queues/request/check",
                                                .handler = handle,
                                                .access = HTTP_ADMIN,
                                                .bulk = true},
                                               {0}};
    return routes;
}

const struct http_route *check_confirmation_routes(void)
{
    static const struct http_route routes[] = {{.method = HTTP_POST,
                                                .pattern = "/queues/confirmation/check",
                                                .handler = handle,
                                                .access = HTTP_ADMIN,
                                                .bulk = true},
                                               {0}};
    return routes;
}
