/* Requests about notices: what was told, what would be told, once more. Reads HTTP, writes JSON. */
#include "notices_api.h"

#include <stdio.h>
#include <stdlib.h>

#include "buf.h"
#include "json_fields.h"
#include "notices.h"
#include "notifier.h"
#include "query.h"
#include "result.h"
#include "write.h"

static json_t *notice_to_json(const struct notice *notice)
{
    return json_pack(
        "{s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:o,s:o}", "id", notice->id, "bookingId", notice->booking_id,
        "status", booking_status_name(notice->status), "recipient",
        notice_recipient_name(notice->recipient), "channel", notice_channel_name(notice->channel),
        "state", notice_state_name(notice->state), "attempts", (json_int_t)notice->attempts,
        "created", json_timestamp(notice->created_ms / 1000), "due",
        notice->state == NOTICE_WAITING ? json_timestamp(notice->due_ms / 1000) : json_null());
}

static bool read_filter(const struct http_request *request, struct notice_filter *filter,
                        struct error *error)
{
    filter->limit = PAGE_DEFAULT;
    return query_limit(request, PAGE_MAX, &filter->limit, error) &&
           query_cursor(request, "after", &filter->before, error) &&
           query_flag(request, "waiting", &filter->waiting, error) &&
           query_id(request, "bookingId", &filter->booking_id, error);
}

static void list(void *context, struct http_request *request)
{
    const struct worker *worker = context;
    struct error error = {0};
    struct notice_filter filter = {0};
    size_t count = 0;
    if (!read_filter(request, &filter, &error)) {
        http_reply_error(request, &error, NULL);
        return;
    }
    struct notice *notices AUTO(memory_release) = memory_new(filter.limit, sizeof *notices);
    if (!notices_list(worker->reader, &filter, notices, &count, &error)) {
        http_reply_error(request, &error, NULL);
        return;
    }
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(array, notice_to_json(&notices[i]));
    json_t *next = count == filter.limit
                       ? json_sprintf("%lld", (long long)notices[count - 1].sequence)
                       : json_null();
    http_reply_json(request, 200, json_pack("{s:o,s:o}", "notices", array, "next", next));
}

static bool apply_replay(const struct call *call, struct db *db, struct answer *answer,
                         struct error *error)
{
    int64_t count = 0;
    if (!notices_replay(db, call->parameters[0], call->now_ms, &count, error))
        return false;
    answer->body = json_pack("{s:I}", "replayed", (json_int_t)count);
    return true;
}

static void replay(void *context, struct http_request *request)
{
    write_request(context, request, apply_replay);
}

/* --- preview --- */

/* Of one booking, whatever its states. */
enum { NOTICES_MAX = BOOKING_STATUSES * NOTICE_CHANNELS * NOTICE_RECIPIENTS };

static const char NOT_CONFIGURED[] = "This channel is not configured";

struct preview {
    const struct worker *worker;
    const struct channels *channels;
    struct booking booking;
    json_t *array;
};

/* With the words of the notice that was written, if it was. */
static bool preview_one(struct preview *preview, enum notice_channel channel,
                        enum notice_recipient recipient, struct error *error)
{
    struct notice notice = {.channel = channel, .recipient = recipient};
    struct notice_filter filter = {.booking_id = preview->booking.id, .limit = NOTICES_MAX};
    struct notice written[NOTICES_MAX];
    struct letter letter;
    size_t count = 0;
    if (!notice_of(&preview->booking, &notice))
        return true;
    notice.created_ms = world_wall_ms(preview->worker->world);
    if (!notices_list(preview->worker->reader, &filter, written, &count, error))
        return false;
    for (size_t i = 0; i < count; i++)
        if (written[i].status == notice.status && written[i].recipient == recipient &&
            written[i].channel == channel)
            notice = written[i];
    if (!letter_read(preview->worker->reader, &notice, &letter, error))
        return false;
    struct channel *by = preview->channels->each[channel];
    json_t *object = json_pack("{s:s,s:s}", "channel", notice_channel_name(channel), "recipient",
                               notice_recipient_name(recipient));
    json_t *said AUTO(json_release) = by->preview(by, &letter);
    (void)json_object_update(object, said);
    const char *to = json_string_value(json_object_get(object, "to"));
    if (to && !*to) { /* by this channel nobody is told */
        json_decref(object);
        return true;
    }
    return json_array_append_new(preview->array, object) == 0;
}

static bool preview_all(struct preview *preview, const char *only, struct error *error)
{
    enum notice_channel wanted = NOTICE_CHANNELS;
    bool any = false;
    if (only && !notice_channel_parse(only, &wanted))
        return error_set(error, ERROR_INVALID, "channel must be mail, webhook or sms");
    for (int i = 0; i < NOTICE_CHANNELS; i++) {
        const enum notice_channel channel = (enum notice_channel)i; /* within its range */
        if (!preview->channels->each[i] || (only && channel != wanted))
            continue;
        any = true;
        for (int j = 0; j < NOTICE_RECIPIENTS; j++)
            if (!preview_one(preview, channel, (enum notice_recipient)j, error))
                return false;
    }
    return any || error_set(error, ERROR_CONFLICT, "%s", NOT_CONFIGURED);
}

static bool prepare(struct preview *preview, const char *id, struct error *error)
{
    const struct worker *worker = preview->worker;
    bool found = false;
    if (!intake_booking_find(worker->reader, id, &preview->booking, &found, error))
        return false;
    if (!found)
        return error_set(error, ERROR_NOT_FOUND, "Booking not found");
    if (!worker->notifier)
        return error_set(error, ERROR_CONFLICT, "%s", NOT_CONFIGURED);
    preview->channels = notifier_channels(worker->notifier);
    return true;
}

static void preview(void *context, struct http_request *request)
{
    const struct worker *worker = context;
    const char *id = http_request_parameter(request, 0);
    struct preview preview = {.worker = worker, .array = json_array()};
    struct error error = {0};
    const bool good = prepare(&preview, id, &error) &&
                      preview_all(&preview, http_request_query(request, "channel"), &error);
    json_t *body = good ? json_pack("{s:O}", "notices", preview.array) : NULL;
    json_decref(preview.array);
    reply_result(request, body, &error);
}

const struct http_route *notice_routes(void)
{
    static const struct http_route routes[] = {
        {.method = HTTP_GET, .pattern = "/notices", .handler = list, .access = HTTP_ADMIN},
        {.method = HTTP_POST,
         .pattern = "/notices/{id}/replay",
         .handler = replay,
         .access = HTTP_ADMIN},
        {.method = HTTP_GET,
         .pattern = "/bookings/{id}/notices/preview",
         .handler = preview,
         .access = HTTP_ADMIN},
        {0},
    };
    return routes;
}
