/* Requests about slots. Reads HTTP, calls the store, writes JSON. */
#include <errno.h>
#include <stdlib.h>

#include "buf.h"
#include "intake_api.h"
#include "intake_store.h"
#include "json_fields.h"
#include "query.h"
#include "result.h"
#include "timestamp.h"
#include "write.h"

enum { SLOTS_PER_REQUEST = 10000 };

static json_t *slot_to_json(const struct slot *slot)
{
    return json_pack("{s:s,s:s,s:o,s:o,s:b}", "id", slot->id, "providerId", slot->provider_id,
                     "start", json_timestamp(slot->start_s), "end", json_timestamp(slot->end_s),
                     "available", slot->available);
}

static bool read_slot(const struct call *call, const json_t *object, struct slot *slot,
                      struct error *error)
{
    if (!json_is_object(object))
        return error_set(error, ERROR_INVALID, "a slot must be an object");
    const json_t *id = json_object_get(object, "id");
    bool has_id = id && !json_is_null(id);
    if (has_id && !json_id(object, "id", slot->id, error))
        return false;
    if (!has_id)
        id_new(call->worker->world, slot->id);
    id_copy(slot->provider_id, call->parameters[0]);
    if (!json_time(object, "start", &slot->start_s, error) ||
        !json_time(object, "end", &slot->end_s, error))
        return false;
    if (slot->start_s <= 0)
        return error_set(error, ERROR_INVALID, "start is out of range"); /* 0 means unknown */
    return slot->end_s > slot->start_s ||
           error_set(error, ERROR_INVALID, "end must be after start");
}

static bool add_one(const struct call *call, struct db *db, const json_t *object, json_t **added,
                    struct error *error)
{
    struct slot slot = {0};
    bool is_new = false;
    bool found = true;
    if (!read_slot(call, object, &slot, error) || !slot_add(db, &slot, &is_new, error))
        return false;
    slot.available = true;
    if (!is_new && !slot_find(db, slot.id, &slot, &found, error))
        return false;
    *added = slot_to_json(&slot);
    return true;
}

static bool add_many(const struct call *call, struct db *db, const json_t *slots,
                     struct answer *answer, struct error *error)
{
    size_t count = json_array_size(slots);
    if (!json_is_array(slots) || count == 0 || count > SLOTS_PER_REQUEST)
        return error_set(error, ERROR_INVALID, "slots must be a list of 1 to %d slots",
                         SLOTS_PER_REQUEST);
    json_t *list = json_array();
    answer->body = json_pack("{s:o}", "slots", list);
    for (size_t i = 0; i < count; i++) {
        json_t *added = NULL;
        if (!add_one(call, db, json_array_get(slots, i), &added, error))
            return error_context(error, "slots[%zu]", i);
        (void)json_array_append_new(list, added);
    }
    return true;
}

static bool apply_add(const struct call *call, struct db *db, struct answer *answer,
                      struct error *error)
{
    const json_t *slots = json_object_get(call->body, "slots");
    answer->status = 201;
    return slots ? add_many(call, db, slots, answer, error)
                 : add_one(call, db, call->body, &answer->body, error);
}

static bool apply_delete(const struct call *call, struct db *db, struct answer *answer,
                         struct error *error)
{
    struct slot slot = {0};
    bool found = false;
    answer->status = 204;
    if (!slot_find(db, call->parameters[0], &slot, &found, error))
        return false;
    if (!found)
        return error_set(error, ERROR_NOT_FOUND, "Slot not found");
    if (!slot.available)
        return error_set(error, ERROR_CONFLICT, "Slot is booked");
    return slot_delete(db, slot.rowid, error);
}

static void add(void *context, struct http_request *request)
{
    write_request(context, request, apply_add);
}

static void delete (void *context, struct http_request *request)
{
    write_request(context, request, apply_delete);
}

/* The cursor of a page is "START.ROWID" of its last slot. */
static bool parse_cursor(const char *text, struct slot_filter *filter)
{
    char *dot = NULL;
    char *end = NULL;
    errno = 0;
    filter->after_start_s = strtoll(text, &dot, 10);
    if (dot == text || *dot != '.')
        return false;
    filter->after_rowid = strtoll(dot + 1, &end, 10);
    return end > dot + 1 && !*end && errno == 0;
}

static bool read_cursor(const struct http_request *request, struct slot_filter *filter,
                        struct error *error)
{
    const char *text = http_request_query(request, "after");
    return !text || parse_cursor(text, filter) ||
           error_set(error, ERROR_INVALID, "after must be a cursor from an earlier answer");
}

static bool read_filter(const struct http_request *request, struct slot_filter *filter,
                        struct error *error)
{
    filter->provider_id = http_request_parameter(request, 0);
    filter->limit = SLOTS_PAGE_MAX; /* a plain question gets the whole of a usual provider */
    return query_limit(request, SLOTS_PAGE_MAX, &filter->limit, error) &&
           read_cursor(request, filter, error) &&
           query_time(request, "from", 0, &filter->from_s, error) &&
           query_time(request, "to", INT64_MAX, &filter->to_s, error) &&
           query_flag(request, "available", &filter->only_available, error);
}

/* One slot behind the page tells that there is another page. */
static json_t *page_to_json(const struct slot slots[], size_t count, size_t limit)
{
    json_t *page = json_array();
    for (size_t i = 0; i < count && i < limit; i++)
        (void)json_array_append_new(page, slot_to_json(&slots[i]));
    const struct slot *last = count > limit ? &slots[limit - 1] : NULL;
    json_t *next = last
                       ? json_sprintf("%lld.%lld", (long long)last->start_s, (long long)last->rowid)
                       : json_null();
    return json_pack("{s:o,s:o}", "slots", page, "next", next);
}

static void list(void *context, struct http_request *request)
{
    const struct worker *worker = context;
    struct error error = {0};
    json_t *body = NULL;
    struct slot_filter filter = {0};
    if (!read_filter(request, &filter, &error)) {
        http_reply_error(request, &error, NULL);
        return;
    }
    const size_t limit = filter.limit++; /* and the one behind */
    struct slot *slots AUTO(memory_release) = memory_new(filter.limit, sizeof *slots);
    size_t count = 0;
    if (slot_list(worker->reader, &filter, slots, &count, &error))
        body = page_to_json(slots, count, limit);
    reply_result(request, body, &error);
}

const struct http_route *intake_slot_routes(void)
{
    static const struct http_route routes[] = {
        {.method = HTTP_POST,
         .pattern = "/providers/{id}/slots",
         .handler = add,
         .access = HTTP_PROVIDER,
         .bulk = true},
        {.method = HTTP_GET,
         .pattern = "/providers/{id}/slots",
         .handler = list,
         .access = HTTP_BOOKER | HTTP_PROVIDER},
        {.method = HTTP_DELETE, .pattern = "/slots/{id}", .handler = delete, .access = HTTP_ADMIN},
        {0},
    };
    return routes;
}
