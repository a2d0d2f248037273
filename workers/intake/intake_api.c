/* Requests about bookings on the intake side. Reads HTTP, calls the rules, writes JSON. */
#include "intake_api.h"

#include <stdio.h>
#include <stdlib.h>

#include "booking_json.h"
#include "buf.h"
#include "history.h"
#include "intake.h"
#include "intake_store.h"
#include "json_fields.h"
#include "query.h"
#include "result.h"
#include "write.h"

static bool both_given(const json_t *body)
{
    const char *slot = json_string_value(json_object_get(body, "slotId"));
    const char *user = json_string_value(json_object_get(body, "userId"));
    return slot && *slot && user && *user;
}

static bool apply_book(const struct call *call, struct db *db, struct answer *answer,
                       struct error *error)
{
    char slot_id[ID_SIZE];
    char user_id[ID_SIZE];
    struct booking booking;
    if (!both_given(call->body))
        return error_set(error, ERROR_INVALID, "slotId and userId are required");
    if (!json_id(call->body, "slotId", slot_id, error) ||
        !json_id(call->body, "userId", user_id, error))
        return false;
    const struct booking_order order = {
        .slot_id = slot_id,
        .user_id = user_id,
        .world = call->worker->world,
        .now_ms = call->now_ms,
        .allow_past = call->worker->allow_past_slots,
    };
    if (!intake_book(db, &order, &booking, error))
        return false;
    answer->status = 201;
    answer->body = booking_to_json(&booking);
    (void)snprintf(answer->location, sizeof answer->location, "/bookings/%s", booking.id);
    return true;
}

static bool apply_cancel(const struct call *call, struct db *db, struct answer *answer,
                         struct error *error)
{
    const char *reason = NULL;
    struct booking booking = {0};
    if (!json_optional_text(call->body, "reason", REASON_MAX, &reason, error))
        return false;
    const struct booking_cancel cancel = {
        .booking_id = call->parameters[0],
        .reason = reason,
        .world = call->worker->world,
        .now_ms = call->now_ms,
    };
    if (!intake_cancel(db, &cancel, &booking, error)) {
        if (error->kind == ERROR_CONFLICT)
            answer->extra = json_pack("{s:o}", "booking", booking_to_json(&booking));
        return false;
    }
    answer->body = json_pack("{s:s,s:o}", "message", "Booking cancelled successfully", "booking",
                             booking_to_json(&booking));
    return true;
}

static void book(void *context, struct http_request *request)
{
    write_request(context, request, apply_book);
}

static void cancel(void *context, struct http_request *request)
{
    write_request(context, request, apply_cancel);
}

static void show(void *context, struct http_request *request)
{
    const struct worker *worker = context;
    struct error error = {0};
    json_t *body = NULL;
    struct booking booking = {0};
    if (intake_find(worker->reader, http_request_parameter(request, 0), &booking, &error))
        body = booking_to_json(&booking);
    reply_result(request, body, &error);
}

static void history(void *context, struct http_request *request)
{
    const struct worker *worker = context;
    struct error error = {0};
    json_t *body = NULL;
    struct booking booking = {0};
    if (intake_find(worker->reader, http_request_parameter(request, 0), &booking, &error))
        body = history_to_json(worker->reader, booking.id, &error);
    reply_result(request, body, &error);
}

static bool read_filter(const struct http_request *request, struct booking_filter *filter,
                        struct error *error)
{
    filter->limit = PAGE_DEFAULT;
    return query_limit(request, PAGE_MAX, &filter->limit, error) &&
           query_cursor(request, "after", &filter->before, error) &&
           query_status(request, &filter->status, error) &&
           query_id(request, "userId", &filter->user_id, error) &&
           query_id(request, "providerId", &filter->provider_id, error);
}

static json_t *page_to_json(const struct booking bookings[], size_t count, int64_t next)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(list, booking_to_json(&bookings[i]));
    json_t *cursor = next ? json_sprintf("%lld", (long long)next) : json_null();
    return json_pack("{s:o,s:o}", "bookings", list, "next", cursor);
}

static void list(void *context, struct http_request *request)
{
    const struct worker *worker = context;
    struct error error = {0};
    json_t *body = NULL;
    struct booking_filter filter = {0};
    if (!read_filter(request, &filter, &error)) {
        http_reply_error(request, &error, NULL);
        return;
    }
    struct booking *bookings AUTO(memory_release) = memory_new(filter.limit + 1, sizeof *bookings);
    size_t count = 0;
    int64_t next = 0;
    if (intake_booking_list(worker->reader, &filter, bookings, &count, &next, &error))
        body = page_to_json(bookings, count, next);
    reply_result(request, body, &error);
}

const struct http_route *intake_booking_routes(void)
{
    static const struct http_route routes[] = {
        {.method = HTTP_POST, .pattern = "/bookings", .handler = book, .access = HTTP_BOOKER},
        {.method = HTTP_GET, .pattern = "/bookings", .handler = list, .access = HTTP_BOOKER},
        {.method = HTTP_GET, .pattern = "/bookings/{id}", .handler = show, .access = HTTP_BOOKER},
        {.method = HTTP_GET,
         .pattern = "/bookings/{id}/history",
         .handler = history,
         .access = HTTP_BOOKER},
        {.method = HTTP_POST,
         .pattern = "/bookings/{id}/cancel",
         .handler = cancel,
         .access = HTTP_BOOKER},
        {0},
    };
    return routes;
}
