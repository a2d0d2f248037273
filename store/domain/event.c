/* Events as JSON, both ways, by one table of fields and one list of them for each type. Must not
 * know stores or queues. */
#include "event.h"

#include <assert.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "json_fields.h"
#include "text.h"
#include "timestamp.h"

enum { DIGEST_BYTES = 32, TYPE_COLUMNS_SHOWN = 64, FIELDS_MAX = 8 };

enum field {
    END,
    BOOKING_ID,
    USER_ID,
    PROVIDER_ID,
    SLOT_ID,
    SLOT_START,
    SLOT_END,
    ACCEPTED_AT,
    REJECTED_AT,
    CANCELLED_AT,
    REASON,
    FIELD_COUNT
};

enum kind {
    KIND_ID,
    KIND_SLOT_TIME,
    KIND_EVENT_TIME, /* the same moment as `timestamp`, which may stand in for it */
    KIND_TEXT
};

static const struct {
    const char *key;
    enum kind kind;
    size_t offset; /* in struct event */
} FIELDS[FIELD_COUNT] = {
    [BOOKING_ID] = {"bookingId", KIND_ID, offsetof(struct event, booking.id)},
    [USER_ID] = {"userId", KIND_ID, offsetof(struct event, booking.user_id)},
    [PROVIDER_ID] = {"providerId", KIND_ID, offsetof(struct event, booking.provider_id)},
    [SLOT_ID] = {"slotId", KIND_ID, offsetof(struct event, booking.slot_id)},
    [SLOT_START] = {"slotStart", KIND_SLOT_TIME, offsetof(struct event, booking.start_s)},
    [SLOT_END] = {"slotEnd", KIND_SLOT_TIME, offsetof(struct event, booking.end_s)},
    [ACCEPTED_AT] = {"acceptedAt", KIND_EVENT_TIME, offsetof(struct event, at_s)},
    [REJECTED_AT] = {"rejectedAt", KIND_EVENT_TIME, offsetof(struct event, at_s)},
    [CANCELLED_AT] = {"cancelledAt", KIND_EVENT_TIME, offsetof(struct event, at_s)},
    [REASON] = {"reason", KIND_TEXT, offsetof(struct event, reason)},
};

/* The fields of each body, in the order they are written; behind them come eventType, timestamp,
 * eventId. To change a body see event.h. */
static const struct {
    const char *name;
    enum booking_status status;
    enum field body[FIELDS_MAX];
} TYPES[EVENT_TYPES] = {
    [EVENT_BOOKING_CREATED] = {"BOOKING_CREATED",
                               BOOKING_PENDING,
                               {BOOKING_ID, USER_ID, PROVIDER_ID, SLOT_ID, SLOT_START, SLOT_END}},
    [EVENT_BOOKING_CANCELLED] = {"BOOKING_CANCELLED",
                                 BOOKING_CANCELLED,
                                 {BOOKING_ID, USER_ID, PROVIDER_ID, SLOT_ID, CANCELLED_AT, REASON}},
    [EVENT_BOOKING_CONFIRMED] = {"BOOKING_CONFIRMED",
                                 BOOKING_CONFIRMED,
                                 {BOOKING_ID, PROVIDER_ID, ACCEPTED_AT}},
    [EVENT_BOOKING_REJECTED] = {"BOOKING_REJECTED",
                                BOOKING_REJECTED,
                                {BOOKING_ID, PROVIDER_ID, REJECTED_AT, REASON}},
};

static const char *const ACTORS[EVENT_ACTORS] = {[ACTOR_UNSAID] = "",
                                                 [ACTOR_USER] = "user",
                                                 [ACTOR_PROVIDER] = "provider",
                                                 [ACTOR_SYSTEM] = "system"};

const char *event_actor_name(enum event_actor actor, enum event_actor fallback)
{
    assert(actor < EVENT_ACTORS && fallback < EVENT_ACTORS);
    return ACTORS[actor == ACTOR_UNSAID ? fallback : actor];
}

const char *event_type_name(enum event_type type)
{
    assert(type < EVENT_TYPES);
    return TYPES[type].name;
}

bool event_type_parse(const char *name, enum event_type *type)
{
    for (enum event_type i = 0; i < EVENT_TYPES; i++) {
        if (strcmp(name, TYPES[i].name) == 0) {
            *type = i;
            return true;
        }
    }
    return false;
}

enum booking_status event_status(enum event_type type)
{
    assert(type < EVENT_TYPES);
    return TYPES[type].status;
}

static void write_key(struct buf *json, const char *key)
{
    buf_text_append(json, json->length > 0 ? ",\"" : "{\"");
    buf_text_append(json, key);
    buf_text_append(json, "\":");
}

/* Texts were checked when they came in. */
static void write_text(struct buf *json, const char *key, const char *text)
{
    assert(text_is_utf8(text, strlen(text)));
    write_key(json, key);
    json_append_text(json, text);
}

static void write_time(struct buf *json, const char *key, int64_t seconds)
{
    char text[TIMESTAMP_SIZE];
    write_text(json, key, timestamp_format(seconds, text));
}

static void write_field(struct buf *json, const struct event *event, enum field field)
{
    const char *key = FIELDS[field].key;
    const char *place = (const char *)event + FIELDS[field].offset;
    int64_t seconds = 0;
    switch (FIELDS[field].kind) {
    case KIND_SLOT_TIME:
    case KIND_EVENT_TIME:
        memcpy(&seconds, place, sizeof seconds);
        write_time(json, key, seconds);
        return;
    case KIND_TEXT:
        if (place[0])
            break;
        write_key(json, key);
        buf_text_append(json, "null");
        return;
    case KIND_ID:
        break;
    }
    write_text(json, key, place);
}

/* U+FFFE and U+FFFF are characters that SQS refuses, and with them the message; escaped they pass.
 * Outside of strings JSON is ASCII, so the bytes can only stand where an escape may. */
static void append_sendable(struct buf *body, const char *json)
{
    const char *at = json;
    for (size_t plain = 0; at[plain = strcspn(at, "\xEF")]; at += plain + 3) {
        const char *letter = at + plain; /* of three bytes */
        const bool refused = letter[1] == '\xBF' && (letter[2] == '\xBE' || letter[2] == '\xBF');
        buf_append(body, at, refused ? plain : plain + 3);
        if (refused)
            buf_text_append(body, letter[2] == '\xBE' ? "\\uFFFE" : "\\uFFFF");
    }
    buf_text_append(body, at);
}

/* Written by hand, read by jansson: this runs in the transaction of every booking, and a tree of
 * it costs five times as much. */
void event_to_json(const struct event *event, struct buf *body)
{
    struct buf json AUTO(buf_release) = {0};
    for (const enum field *field = TYPES[event->type].body; *field != END; field++)
        write_field(&json, event, *field);
    write_text(&json, "eventType", event_type_name(event->type));
    write_time(&json, "timestamp", event->at_s);
    write_text(&json, "eventId", event->id);
    if (event->type == EVENT_BOOKING_CREATED && event->user_name[0])
        write_text(&json, "userName", event->user_name);
    if (event->type == EVENT_BOOKING_CANCELLED && event->cancelled_by != ACTOR_UNSAID)
        write_text(&json, "cancelledBy", ACTORS[event->cancelled_by]);
    buf_char(&json, '}');
    append_sendable(body, buf_text(&json));
}

static bool is_given(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return value && !json_is_null(value);
}

static bool read_type(const json_t *object, enum event_type *type, struct error *error)
{
    const json_t *value = json_object_get(object, "eventType");
    if (!json_is_string(value))
        return error_set(error, ERROR_INVALID, "eventType is required");
    if (event_type_parse(json_string_value(value), type))
        return true;
    struct buf safe AUTO(buf_release) = {0};
    struct buf shown AUTO(buf_release) = {0};
    text_display(&safe, json_string_value(value), json_string_length(value));
    (void)text_fit(&shown, buf_text(&safe), TYPE_COLUMNS_SHOWN);
    return error_set(error, ERROR_INVALID, "unknown event type: %s", buf_text(&shown));
}

/* The first second of 1970 is refused, too: in our records 0 stands for a time that is unknown. */
static bool read_time(const json_t *object, const char *key, int64_t *seconds, struct error *error)
{
    int64_t read = 0;
    if (!json_time(object, key, &read, error))
        return false;
    if (read <= 0)
        return error_set(error, ERROR_INVALID, "%s is out of range", key);
    *seconds = read;
    return true;
}

/* Absent and null leave `out` empty. It has room for `maximum` characters of UTF-8. */
static bool read_text(const json_t *object, const char *key, size_t maximum, char *out,
                      struct error *error)
{
    const char *text = NULL;
    if (!json_optional_text(object, key, maximum, &text, error))
        return false;
    if (text) {
        const size_t length = strlen(text);
        assert(length <= 4 * maximum);
        memcpy(out, text, length + 1);
    }
    return true;
}

static bool read_field(const json_t *object, enum field field, struct event *event,
                       struct error *error)
{
    const char *key = FIELDS[field].key;
    char *place = (char *)event + FIELDS[field].offset;
    switch (FIELDS[field].kind) {
    case KIND_ID:
        return json_id(object, key, place, error);
    case KIND_TEXT:
        return read_text(object, key, REASON_MAX, place, error);
    case KIND_EVENT_TIME:
        return !is_given(object, key) || read_time(object, key, &event->at_s, error);
    case KIND_SLOT_TIME:
        break;
    }
    int64_t seconds = 0;
    if (!read_time(object, key, &seconds, error))
        return false;
    memcpy(place, &seconds, sizeof seconds);
    return true;
}

/* The event's own time wins over `timestamp`, which has to be there only when nothing else is. */
static bool read_timestamp(const json_t *object, int64_t *at_s, struct error *error)
{
    if (*at_s != 0 && !is_given(object, "timestamp"))
        return true;
    int64_t seconds = 0;
    if (!read_time(object, "timestamp", &seconds, error))
        return false;
    *at_s = *at_s != 0 ? *at_s : seconds;
    return true;
}

static bool read_created(const json_t *object, struct event *event, struct error *error)
{
    if (event->type != EVENT_BOOKING_CREATED)
        return true;
    if (event->booking.end_s <= event->booking.start_s)
        return error_set(error, ERROR_INVALID, "slotEnd must be after slotStart");
    return read_text(object, "userName", NAME_MAX_CHARACTERS, event->user_name, error);
}

/* One of the names that we give; anything else is not ours to judge. */
static void read_actor(const json_t *object, struct event *event)
{
    const char *name = json_string_value(json_object_get(object, "cancelledBy"));
    for (enum event_actor i = ACTOR_USER; name && i < EVENT_ACTORS; i++)
        if (event->type == EVENT_BOOKING_CANCELLED && strcmp(name, ACTORS[i]) == 0)
            event->cancelled_by = i;
}

static bool read_object(const json_t *object, struct event *event, struct error *error)
{
    if (!read_type(object, &event->type, error))
        return false;
    event->booking.status = event_status(event->type);
    for (const enum field *field = TYPES[event->type].body; *field != END; field++)
        if (!read_field(object, *field, event, error))
            return false;
    read_actor(object, event);
    return read_timestamp(object, &event->at_s, error) && read_created(object, event, error) &&
           (!is_given(object, "eventId") || json_id(object, "eventId", event->id, error));
}

/* Two deliveries of one message have the same body, so its hash does as an event id. */
static void id_from_body(const char *body, size_t length, char id[ID_SIZE])
{
    unsigned char digest[DIGEST_BYTES];
    if (EVP_Digest(body, length, digest, NULL, EVP_sha256(), NULL) != 1)
        abort();
    static const char DIGITS[] = "0123456789abcdef";
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        id[2 * i] = DIGITS[digest[i] >> 4];
        id[2 * i + 1] = DIGITS[digest[i] & 15];
    }
    id[2 * (size_t)DIGEST_BYTES] = '\0';
}

bool event_from_json(const char *body, size_t length, struct event *event, struct error *error)
{
    json_t *object AUTO(json_release) = json_parse_object(body, length, error);
    struct event read = {0};
    if (!object || !read_object(object, &read, error))
        return false;
    if (!read.id[0])
        id_from_body(body, length, read.id);
    *event = read;
    return true;
}
