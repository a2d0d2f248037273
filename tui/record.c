/* Bookings of the API in memory. Knows neither how they arrive nor how they are shown. */
#include "record.h"

#include <stdlib.h>
#include <string.h>

#include "booking_json.h"
#include "buf.h"
#include "timestamp.h"

/* Optional fields: anything that is not what it should be counts as not given. */
static char *optional_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text && text[0] != '\0' ? memory_text(text) : NULL;
}

static int64_t optional_time(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    struct error ignored = {0};
    int64_t seconds = 0;
    return text && timestamp_parse(text, &seconds, &ignored) ? seconds : 0;
}

struct record *record_from_json(const json_t *object, struct error *error)
{
    struct booking booking = {0};
    if (!booking_from_json(object, &booking, error))
        return NULL;
    struct record *record = memory_new(1, sizeof *record);
    *record = (struct record){.id = memory_text(booking.id),
                              .user_id = memory_text(booking.user_id),
                              .user_name = optional_text(object, "userName"),
                              .decided_by = optional_text(object, "decidedBy"),
                              .reason = optional_text(object, "reason"),
                              .start_s = booking.start_s,
                              .end_s = booking.end_s,
                              .received_s = optional_time(object, "receivedAt"),
                              .decided_s = optional_time(object, "decidedAt"),
                              .status = booking.status,
                              .delivered = json_is_true(json_object_get(object, "delivered"))};
    return record;
}

void record_free(struct record *record)
{
    if (!record)
        return;
    free(record->id);
    free(record->user_id);
    free(record->user_name);
    free(record->decided_by);
    free(record->reason);
    free(record);
}

void record_release(struct record **record)
{
    record_free(*record);
    *record = NULL;
}

static void merge_text(char **to, char **from)
{
    if (!*from)
        return;
    free(*to);
    *to = *from;
    *from = NULL;
}

static void merge_time(int64_t *to, int64_t from)
{
    if (from != 0)
        *to = from;
}

bool record_merge(struct record *record, struct record *news)
{
    const bool stale =
        booking_moves_up(news->status, record->status) ||
        (news->status != record->status && !booking_moves_up(record->status, news->status));
    if (!stale) {
        record->delivered =
            news->delivered || (record->delivered && news->status == record->status);
        record->status = news->status;
        merge_text(&record->user_name, &news->user_name);
        merge_text(&record->decided_by, &news->decided_by);
        merge_text(&record->reason, &news->reason);
        merge_time(&record->start_s, news->start_s);
        merge_time(&record->end_s, news->end_s);
        merge_time(&record->decided_s, news->decided_s);
        /* received_s orders the list and is never moved. */
    }
    record_free(news);
    return !stale;
}

const char *record_client(const struct record *record)
{
    return record->user_name ? record->user_name : record->user_id;
}

const char *record_short_id(const struct record *record)
{
    enum { SHORT = 6 };
    const size_t length = strlen(record->id);
    return record->id + (length > SHORT ? length - SHORT : 0);
}
