/* A message's body, as anybody may have written it. What is read is in range; written and read
 * again it is the same event; and what we write the queue takes. */
#include <stdlib.h>
#include <string.h>

#include "checks.h"
#include "event.h"
#include "fuzz.h"

static bool id_in_range(const char *id, bool wanted)
{
    return wanted ? id_valid(id, strlen(id)) : id[0] == '\0';
}

static void in_range(const struct event *event)
{
    const bool created = event->type == EVENT_BOOKING_CREATED;
    const bool whole = created || event->type == EVENT_BOOKING_CANCELLED;
    const struct booking *booking = &event->booking;
    FUZZ_CHECK(event->type < EVENT_TYPES, "type %d", (int)event->type);
    FUZZ_CHECK(booking->status == event_status(event->type), "status");
    FUZZ_CHECK(id_in_range(event->id, true), "event id '%s'", event->id);
    FUZZ_CHECK(id_in_range(booking->id, true), "booking id '%s'", booking->id);
    FUZZ_CHECK(id_in_range(booking->provider_id, true), "provider '%s'", booking->provider_id);
    FUZZ_CHECK(id_in_range(booking->user_id, whole), "user '%s'", booking->user_id);
    FUZZ_CHECK(id_in_range(booking->slot_id, whole), "slot '%s'", booking->slot_id);
    FUZZ_CHECK(event->at_s > 0, "at %lld", (long long)event->at_s);
    FUZZ_CHECK(created ? booking->start_s > 0 && booking->end_s > booking->start_s
                       : booking->start_s == 0 && booking->end_s == 0,
               "slot from %lld to %lld", (long long)booking->start_s, (long long)booking->end_s);
    FUZZ_CHECK(strlen(event->reason) < REASON_SIZE && strlen(event->user_name) < NAME_SIZE,
               "a text is too long");
}

static void same_booking(const struct booking *a, const struct booking *b)
{
    FUZZ_CHECK(strcmp(a->id, b->id) == 0 && strcmp(a->user_id, b->user_id) == 0 &&
                   strcmp(a->provider_id, b->provider_id) == 0 &&
                   strcmp(a->slot_id, b->slot_id) == 0 && a->start_s == b->start_s &&
                   a->end_s == b->end_s && a->status == b->status,
               "the booking comes back as another");
}

static void same(const struct event *a, const struct event *b)
{
    same_booking(&a->booking, &b->booking);
    FUZZ_CHECK(a->type == b->type && a->at_s == b->at_s && a->cancelled_by == b->cancelled_by,
               "the event comes back as another");
    FUZZ_CHECK(strcmp(a->id, b->id) == 0, "id '%s' comes back as '%s'", a->id, b->id);
    FUZZ_CHECK(strcmp(a->reason, b->reason) == 0, "the reason comes back as another");
    FUZZ_CHECK(strcmp(a->user_name, b->user_name) == 0, "the name comes back as another");
}

static void refused_well(const struct error *error)
{
    FUZZ_CHECK(error->kind == ERROR_INVALID, "refused as %d: %s", (int)error->kind, error->text);
    FUZZ_CHECK(fuzz_is_showable(error->text, strlen(error->text)), "the refusal acts: %s",
               error->text);
}

static void written_and_read_again(const struct event *event)
{
    struct buf body AUTO(buf_release) = {0};
    struct buf again AUTO(buf_release) = {0};
    struct event read;
    struct error error = {0};
    event_to_json(event, &body);
    FUZZ_CHECK(event_from_json(buf_text(&body), body.length, &read, &error), "%s refused: %s",
               buf_text(&body), error.text);
    same(event, &read);
    event_to_json(&read, &again);
    FUZZ_CHECK(strcmp(buf_text(&body), buf_text(&again)) == 0, "%s is written as %s",
               buf_text(&body), buf_text(&again));
    FUZZ_CHECK(queue_check_entry(&(struct queue_entry){.body = buf_text(&body)}, &error),
               "the queue refuses what we write: %s: %s", error.text, buf_text(&body));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct event event;
    struct error error = {0};
    /* JSON is text; char and uint8_t may look at the same bytes. */
    if (!event_from_json((const char *)data, size, &event, &error)) {
        refused_well(&error);
        return 0;
    }
    in_range(&event);
    written_and_read_again(&event);
    return 0;
}
