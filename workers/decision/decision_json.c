/* A booking as its provider sees it, as JSON. */
#include "decision_json.h"

#include "booking_json.h"
#include "json_fields.h"

json_t *decision_to_json(const struct decision_record *record)
{
    json_t *object = booking_to_json(&record->booking);
    (void)json_object_set_new(object, "userName", json_text_or_null(record->user_name));
    (void)json_object_set_new(object, "receivedAt", json_timestamp(record->received_s));
    (void)json_object_set_new(object, "decidedAt", json_timestamp(record->decided_s));
    (void)json_object_set_new(object, "decidedBy", json_text_or_null(record->decided_by));
    (void)json_object_set_new(object, "reason", json_text_or_null(record->reason));
    (void)json_object_set_new(object, "delivered", json_boolean(record->delivered));
    return object;
}
