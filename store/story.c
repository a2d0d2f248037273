/* The story of one booking in one store, read from all its tables. Must not know that there is
 * another store. */
#include "story.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "rows.h"

enum { ROOM_AT_FIRST = 8 };

/* Room for one more behind `count` elements. */
static void *grown(void *elements, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return elements;
    *room = *room ? 2 * *room : ROOM_AT_FIRST;
    return memory_resize(elements, *room, size);
}

struct story_event *story_event_find(const struct story *story, const char *event_id)
{
    for (size_t i = 0; i < story->events_count; i++)
        if (strcmp(story->events[i].id, event_id) == 0)
            return &story->events[i];
    return NULL;
}

struct story_event *story_event_add(struct story *story, const char *event_id,
                                    enum booking_status says)
{
    struct story_event *event = story_event_find(story, event_id);
    if (event)
        return event;
    story->events =
        grown(story->events, story->events_count, &story->events_room, sizeof *story->events);
    event = &story->events[story->events_count++];
    *event = (struct story_event){.says = says};
    id_copy(event->id, event_id);
    return event;
}

/* Both stores have these columns. */
static bool read_booking(const struct db_rows *rows, struct booking *booking)
{
    const int64_t status = db_column_int(rows, 6);
    if (status < 0 || status >= BOOKING_STATUSES)
        return false;
    booking->start_s = db_column_int(rows, 4);
    booking->end_s = db_column_int(rows, 5);
    booking->status = (enum booking_status)status; /* within its range */
    return row_text(rows, 0, booking->id, sizeof booking->id) &&
           row_text(rows, 1, booking->user_id, sizeof booking->user_id) &&
           row_text(rows, 2, booking->provider_id, sizeof booking->provider_id) &&
           row_text(rows, 3, booking->slot_id, sizeof booking->slot_id);
}

static bool find_booking(struct story *story, struct db *db, const char *id, struct error *error)
{
    static const char SQL[] = "SELECT id, user_id, provider_id, slot_id, start_s, end_s, status"
                              " FROM bookings WHERE id = ?";
    struct db_rows rows AUTO(db_rows_release) = {0};
    if (!db_query(db, SQL, BIND(db_text(id)), &rows, error) ||
        !db_next(&rows, &story->known, error))
        return false;
    if (story->known && !read_booking(&rows, &story->booking))
        return error_set(error, ERROR_DAMAGED, "booking %s is damaged", id);
    return true;
}

static bool read_waiting(struct story *story, const struct db_rows *rows)
{
    char event_id[ID_SIZE];
    enum event_type type = EVENT_BOOKING_CREATED;
    if (!row_text(rows, 0, event_id, sizeof event_id) ||
        !event_type_parse(db_column_text(rows, 1), &type))
        return false;
    story_event_add(story, event_id, event_status(type))->waiting = true;
    return true;
}

static bool find_waiting(struct story *story, struct db *db, const char *id, struct error *error)
{
    static const char SQL[] = "SELECT event_id, type FROM outbox WHERE booking_id = ?";
    struct db_rows rows AUTO(db_rows_release) = {0};
    bool found = false;
    if (!db_query(db, SQL, BIND(db_text(id)), &rows, error) || !db_next(&rows, &found, error))
        return false;
    while (found) {
        if (!read_waiting(story, &rows))
            return error_set(error, ERROR_DAMAGED, "outbox row of booking %s is damaged", id);
        if (!db_next(&rows, &found, error))
            return false;
    }
    return true;
}

/* A row of the trail is a step of the booking, the outcome of sending an event, or of a notice. */
static void read_entry(void *context, const struct audit_entry *entry)
{
    struct story *story = context;
    enum event_type type = EVENT_BOOKING_CREATED;
    if (event_type_parse(entry->event, &type)) {
        story->steps =
            grown(story->steps, story->steps_count, &story->steps_room, sizeof *story->steps);
        story->steps[story->steps_count++] = *entry;
        return;
    }
    if (strncmp(entry->event, "PUBLISH", strlen("PUBLISH")) != 0)
        return; /* of a notice */
    struct story_event *event = story_event_add(story, entry->event_id, entry->to);
    event->acknowledged = event->acknowledged || strcmp(entry->event, "PUBLISHED") == 0;
    event->failed = event->failed || strcmp(entry->event, "PUBLISH_FAILED") == 0;
}

bool story_read(struct story *story, struct db *db, const char *booking_id, struct error *error)
{
    story->steps_count = 0;
    story->events_count = 0;
    story->booking = (struct booking){0};
    return find_booking(story, db, booking_id, error) &&
           find_waiting(story, db, booking_id, error) &&
           audit_of_booking(db, booking_id, read_entry, story, error);
}

void story_release(struct story *story)
{
    free(story->steps);
    free(story->events);
    *story = (struct story){0};
}
