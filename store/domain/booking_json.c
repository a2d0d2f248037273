/* Bookings as JSON, both ways. Must not know stores or queues. */
#include "booking_json.h"

#include <assert.h>

#include "json_fields.h"

enum { STATUS_CHARACTERS_MAX = 32 };

json_t *booking_to_json(const struct booking *booking)
{
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:s}", "id", booking->id, "userId",
                  booking->user_id, "providerId", booking->provider_id, "slotId", booking->slot_id,
                  "start", json_timestamp(booking->start_s), "end", json_timestamp(booking->end_s),
                  "status", booking_status_name(booking->status));
    assert(object);
    return object;
}

/* Null is a time that nobody knows; a key that is missing is an error all the same. */
static bool read_time(const json_t *object, const char *name, int64_t *seconds, struct error *error)
{
    if (json_is_null(json_object_get(object, name))) {
        *seconds = 0;
        return true;
    }
    return json_time(object, name, seconds, error);
}

static bool read_times(const json_t *object, struct booking *booking, struct error *error)
{
    if (!read_time(object, "start", &booking->start_s, error) ||
        !read_time(object, "end", &booking->end_s, error))
        return false;
    if (booking->end_s <= booking->start_s && booking->end_s != 0)
        return error_set(error, ERROR_INVALID, "end must be after start");
    return true;
}

static bool read_status(const json_t *object, enum booking_status *status, struct error *error)
{
    const char *name = NULL;
    if (!json_optional_text(object, "status", STATUS_CHARACTERS_MAX, &name, error))
        return false;
    if (!name || !booking_status_parse(name, status)) {
        return error_set(error, ERROR_INVALID,
                         "status must be pending, confirmed, rejected or cancelled");
    }
    return true;
}

bool booking_from_json(const json_t *object, struct booking *booking, struct error *error)
{
    struct booking read = {0};
    if (!json_id(object, "id", read.id, error) || !json_id(object, "userId", read.user_id, error) ||
        !json_id(object, "providerId", read.provider_id, error) ||
        !json_id(object, "slotId", read.slot_id, error) || !read_times(object, &read, error) ||
        !read_status(object, &read.status, error))
        return false;
    *booking = read;
    return true;
}
