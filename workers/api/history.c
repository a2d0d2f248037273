/* The history of a booking as JSON. */
#include "history.h"

#include "audit.h"
#include "json_fields.h"

static json_t *status_or_null(const struct audit_entry *entry, enum booking_status status)
{
    return entry->from == entry->to ? json_null() : json_text_or_null(booking_status_name(status));
}

static void add_entry(void *context, const struct audit_entry *entry)
{
    json_t *list = context;
    (void)json_array_append_new(
        list,
        json_pack("{s:o,s:s,s:o,s:o,s:s,s:o,s:o}", "at", json_timestamp(entry->at_ms / 1000),
                  "actor", entry->actor, "from", status_or_null(entry, entry->from), "to",
                  status_or_null(entry, entry->to), "event", entry->event, "reason",
                  json_text_or_null(entry->reason), "eventId", json_text_or_null(entry->event_id)));
}

json_t *history_to_json(struct db *db, const char *booking_id, struct error *error)
{
    json_t *list = json_array();
    if (!audit_of_booking(db, booking_id, add_entry, list, error)) {
        json_decref(list);
        return NULL;
    }
    return json_pack("{s:o}", "history", list);
}
