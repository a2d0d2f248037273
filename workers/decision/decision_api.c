/* Requests of providers and their consoles. Reads HTTP, calls the rules, writes JSON. */
#include "decision_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "booking_json.h"
#include "buf.h"
#include "changes.h"
#include "consumer.h"
#include "decision.h"
#include "decision_json.h"
#include "history.h"
#include "json_fields.h"
#include "outbox.h"
#include "publisher.h"
#include "query.h"
#include "result.h"
#include "worker.h"
#include "write.h"

enum { DECISIONS_PER_REQUEST = 1000 };

static struct decision decision_of(const struct call *call, enum booking_command command)
{
    return (struct decision){
        .command = command,
        .provider_id = call->parameters[0],
        .booking_id = call->parameters[1],
        .actor = call->actor ? call->actor : "provider",
        .world = call->worker->world,
        .now_ms = call->now_ms,
    };
}

/* What a 409 says beside its sentence. */
static json_t *conflict_extra(const struct decision_record *record)
{
    return json_pack("{s:o,s:o,s:o}", "booking", booking_to_json(&record->booking), "decidedBy",
                     json_text_or_null(record->decided_by), "decidedAt",
                     json_timestamp(record->decided_s));
}

/* The last segment of the path says what the provider wants. */
static const struct {
    const char *verb;
    enum booking_command command;
    const char *done;
} verbs[] = {
    {"/accept", BOOKING_ACCEPT, "Booking accepted successfully"},
    {"/reject", BOOKING_REJECT, "Booking rejected successfully"},
    {"/cancel", BOOKING_WITHDRAW, "Booking cancelled successfully"},
};

static size_t verb_of(const char *path)
{
    size_t verb = 0;
    while (strcmp(strrchr(path, '/'), verbs[verb].verb) != 0)
        verb++; /* the routes below know no others */
    return verb;
}

static bool apply_decision(const struct call *call, struct db *db, struct answer *answer,
                           struct error *error)
{
    const size_t verb = verb_of(call->path);
    struct decision decision = decision_of(call, verbs[verb].command);
    struct decision_record record = {0};
    if (!json_optional_text(call->body, "reason", REASON_MAX, &decision.reason, error))
        return false;
    if (!decision_make(db, &decision, &record, error)) {
        if (error->kind == ERROR_CONFLICT)
            answer->extra = conflict_extra(&record);
        return false;
    }
    answer->body = json_pack("{s:s,s:o}", "message", verbs[verb].done, "booking",
                             booking_to_json(&record.booking));
    return true;
}

/* One of many decisions: its own refusal is a result, not the end of the others. */
static bool decide_one(struct db *db, const struct decision *decision, json_t *results,
                       struct error *error)
{
    struct error refusal = {0};
    struct decision_record record = {0};
    json_t *result = json_pack("{s:s}", "id", decision->booking_id);
    (void)json_array_append_new(results, result);
    if (decision_make(db, decision, &record, &refusal))
        return json_object_update_new(result, json_pack("{s:i,s:o}", "status", 200, "booking",
                                                        booking_to_json(&record.booking))) == 0;
    const struct error_policy *policy = error_policy(refusal.kind);
    if (policy->retry)
        return error_set(error, refusal.kind, "%s", refusal.text);
    (void)json_object_set_new(result, "status", json_integer(policy->http_status));
    (void)json_object_set_new(result, "error", json_string(refusal.text));
    return refusal.kind != ERROR_CONFLICT ||
           json_object_update_new(result, conflict_extra(&record)) == 0;
}

static bool read_one(const json_t *item, struct decision *decision, char id[ID_SIZE],
                     struct error *error)
{
    decision->booking_id = id;
    if (decision->command == BOOKING_REJECT)
        return json_id(item, "id", id, error) &&
               json_optional_text(item, "reason", REASON_MAX, &decision->reason, error);
    const char *text = json_string_value(item);
    if (!text || !id_valid(text, strlen(text)))
        return error_set(error, ERROR_INVALID, "must be a booking's id");
    id_copy(id, text);
    return true;
}

static bool decide_list(const struct call *call, struct db *db, enum booking_command command,
                        json_t *results, struct error *error)
{
    const char *name = command == BOOKING_ACCEPT ? "accept" : "reject";
    const json_t *list = json_object_get(call->body, name);
    if (!list)
        return true;
    if (!json_is_array(list) || json_array_size(list) > DECISIONS_PER_REQUEST)
        return error_set(error, ERROR_INVALID, "%s must be a list of at most %d", name,
                         DECISIONS_PER_REQUEST);
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct decision decision = decision_of(call, command);
        char id[ID_SIZE];
        if (!read_one(json_array_get(list, i), &decision, id, error) ||
            !decide_one(db, &decision, results, error))
            return error_context(error, "%s[%zu]", name, i);
    }
    return true;
}

static bool apply_decisions(const struct call *call, struct db *db, struct answer *answer,
                            struct error *error)
{
    json_t *results = json_array();
    answer->body = json_pack("{s:o}", "results", results);
    if (!decide_list(call, db, BOOKING_ACCEPT, results, error) ||
        !decide_list(call, db, BOOKING_REJECT, results, error))
        return false;
    return json_array_size(results) > 0 ||
           error_set(error, ERROR_INVALID, "accept or reject is required");
}

static void decide(void *context, struct http_request *request)
{
    write_request(context, request, apply_decision);
}

static void decide_many(void *context, struct http_request *request)
{
    write_request(context, request, apply_decisions);
}

static void show(void *context, struct http_request *request)
{
    const struct worker *worker = context;
    struct error error = {0};
    json_t *body = NULL;
    struct decision_record record = {0};
    if (decision_of_provider(worker->reader, http_request_parameter(request, 0),
                             http_request_parameter(request, 1), &record, &error))
        body = decision_to_json(&record);
    reply_result(request, body, &error);
}

static void history(void *context, struct http_request *request)
{
    const struct worker *worker = context;
    struct error error = {0};
    json_t *body = NULL;
    struct decision_record record = {0};
    if (decision_of_provider(worker->reader, http_request_parameter(request, 0),
                             http_request_parameter(request, 1), &record, &error))
        body = history_to_json(worker->reader, record.booking.id, &error);
    reply_result(request, body, &error);
}

static bool read_filter(const struct http_request *request, struct decision_filter *filter,
                        struct error *error)
{
    filter->provider_id = http_request_parameter(request, 0);
    filter->limit = PAGE_DEFAULT;
    return query_limit(request, PAGE_MAX, &filter->limit, error) &&
           query_cursor(request, "after", &filter->before, error) &&
           query_status(request, &filter->status, error) &&
           query_time(request, "from", 0, &filter->from_s, error) &&
           query_time(request, "to", 0, &filter->to_s, error);
}

static json_t *page_to_json(const struct decision_record records[], size_t count, int64_t next)
{
    json_t *page = json_array();
    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(page, decision_to_json(&records[i]));
    json_t *cursor = next ? json_sprintf("%lld", (long long)next) : json_null();
    return json_pack("{s:o,s:o}", "bookings", page, "next", cursor);
}

static void list(void *context, struct http_request *request)
{
    const struct worker *worker = context;
    struct error error = {0};
    json_t *body = NULL;
    struct decision_filter filter = {0};
    if (!read_filter(request, &filter, &error)) {
        http_reply_error(request, &error, NULL);
        return;
    }
    struct decision_record *records AUTO(memory_release) =
        memory_new(filter.limit + 1, sizeof *records);
    size_t count = 0;
    int64_t next = 0;
    if (decision_list(worker->reader, &filter, records, &count, &next, &error))
        body = page_to_json(records, count, next);
    reply_result(request, body, &error);
}

static void events(void *context, struct http_request *request)
{
    const struct worker *worker = context;
    const char *last = http_request_header(request, "Last-Event-ID");
    struct error error = {0};
    int64_t after = -1;
    if (last && !query_number(last, &after))
        (void)error_set(&error, ERROR_INVALID, "Last-Event-ID must be an id of this stream");
    if (!error.kind && !last && http_request_query(request, "after"))
        (void)!query_cursor(request, "after", &after, &error);
    if (error.kind) {
        http_reply_error(request, &error, NULL);
        return;
    }
    changes_subscribe(worker->changes, request, http_request_parameter(request, 0), after);
    loop_wake(worker->waker); /* what it has missed is sent by the next step */
}

static void pipeline(void *context, struct http_request *request)
{
    const struct worker *worker = context;
    struct error error = {0};
    struct outbox_pressure pressure = {0};
    if (!outbox_pressure(worker->reader, &pressure, &error)) {
        http_reply_error(request, &error, NULL);
        return;
    }
    const struct publisher_state sending = publisher_state(worker->publisher);
    const struct consumer_state receiving = consumer_state(worker->consumer);
    bool down = sending.queue_down || receiving.queue_down;
    int64_t since = sending.since_ms > receiving.since_ms ? sending.since_ms : receiving.since_ms;
    int64_t age = pressure.unsent ? world_wall_ms(worker->world) - pressure.oldest_ms : 0;
    http_reply_json(request, 200,
                    json_pack("{s:I,s:I,s:s,s:o}", "unsent", (json_int_t)pressure.unsent,
                              "oldestUnsentSeconds", (json_int_t)(age > 0 ? age / 1000 : 0),
                              "queue", down ? "down" : "ok", "since",
                              json_timestamp(since / 1000)));
}

#define BOOKING "/providers/{id}/bookings/{id}"
/* Another provider's reads like one that is not there. */
#define OF_BOOKING .access = HTTP_PROVIDER, .absent = DECISION_ABSENT

const struct http_route *decision_routes(void)
{
    static const struct http_route routes[] = {
        {.method = HTTP_POST, .pattern = BOOKING "/accept", .handler = decide, OF_BOOKING},
        {.method = HTTP_POST, .pattern = BOOKING "/reject", .handler = decide, OF_BOOKING},
        {.method = HTTP_POST, .pattern = BOOKING "/cancel", .handler = decide, OF_BOOKING},
        {.method = HTTP_POST,
         .pattern = "/providers/{id}/decisions",
         .handler = decide_many,
         .access = HTTP_PROVIDER,
         .bulk = true},
        {.method = HTTP_GET,
         .pattern = "/providers/{id}/bookings",
         .handler = list,
         .access = HTTP_PROVIDER},
        {.method = HTTP_GET, .pattern = BOOKING, .handler = show, OF_BOOKING},
        {.method = HTTP_GET, .pattern = BOOKING "/history", .handler = history, OF_BOOKING},
        {.method = HTTP_GET,
         .pattern = "/providers/{id}/events",
         .handler = events,
         .access = HTTP_PROVIDER},
        {.method = HTTP_GET, .pattern = "/pipeline", .handler = pipeline, .access = HTTP_ANY_TOKEN},
        {0},
    };
    return routes;
}
