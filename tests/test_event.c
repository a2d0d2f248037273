/* Events: the exact bodies, the round trip, messages made by hand, and hostile ones. */
#include "event.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>

#include "json_fields.h"

enum { AT = 1771495200, START = 1771581600, FINISH = 1771583400 };

static const struct event SAMPLES[EVENT_TYPES] = {
    {EVENT_BOOKING_CREATED, .id = "e-1",
     .booking = {"b-1", "u-1", "p-1", "s-1", START, FINISH, BOOKING_PENDING}, .at_s = AT,
     .user_name = "Zoë"},
    {EVENT_BOOKING_CANCELLED, .id = "e-2",
     .booking = {"b-1", "u-1", "p-1", "s-1", 0, 0, BOOKING_CANCELLED}, .at_s = AT,
     .reason = "changed \"plans\""},
    {EVENT_BOOKING_CONFIRMED, .id = "e-3",
     .booking = {"b-1", "", "p-1", "", 0, 0, BOOKING_CONFIRMED}, .at_s = AT},
    {EVENT_BOOKING_REJECTED, .id = "e-4", .booking = {"b-1", "", "p-1", "", 0, 0, BOOKING_REJECTED},
     .at_s = AT},
};

/* Each body is what the contract lists, and behind it our own keys. */
static const struct {
    const char *listed, *ours;
} BODIES[EVENT_TYPES] = {
    [EVENT_BOOKING_CREATED] =
        {"{\"bookingId\":\"b-1\",\"userId\":\"u-1\",\"providerId\":\"p-1\",\"slotId\":\"s-1\","
         "\"slotStart\":\"2026-02-20T10:00:00Z\",\"slotEnd\":\"2026-02-20T10:30:00Z\","
         "\"eventType\":\"BOOKING_CREATED\",\"timestamp\":\"2026-02-19T10:00:00Z\"",
         ",\"eventId\":\"e-1\",\"userName\":\"Zoë\"}"},
    [EVENT_BOOKING_CANCELLED] =
        {"{\"bookingId\":\"b-1\",\"userId\":\"u-1\",\"providerId\":\"p-1\",\"slotId\":\"s-1\","
         "\"cancelledAt\":\"2026-02-19T10:00:00Z\",\"reason\":\"changed \\\"plans\\\"\","
         "\"eventType\":\"BOOKING_CANCELLED\",\"timestamp\":\"2026-02-19T10:00:00Z\"",
         ",\"eventId\":\"e-2\"}"},
    [EVENT_BOOKING_CONFIRMED] =
        {"{\"bookingId\":\"b-1\",\"providerId\":\"p-1\",\"acceptedAt\":\"2026-02-19T10:00:00Z\","
         "\"eventType\":\"BOOKING_CONFIRMED\",\"timestamp\":\"2026-02-19T10:00:00Z\"",
         ",\"eventId\":\"e-3\"}"},
    [EVENT_BOOKING_REJECTED] =
        {"{\"bookingId\":\"b-1\",\"providerId\":\"p-1\",\"rejectedAt\":\"2026-02-19T10:00:00Z\","
         "\"reason\":null,"
         "\"eventType\":\"BOOKING_REJECTED\",\"timestamp\":\"2026-02-19T10:00:00Z\"",
         ",\"eventId\":\"e-4\"}"},
};

static void assert_same(const struct event *one, const struct event *other)
{
    cr_assert_eq(one->type, other->type);
    cr_assert_str_eq(one->id, other->id);
    cr_assert_str_eq(one->booking.id, other->booking.id);
    cr_assert_str_eq(one->booking.user_id, other->booking.user_id);
    cr_assert_str_eq(one->booking.provider_id, other->booking.provider_id);
    cr_assert_str_eq(one->booking.slot_id, other->booking.slot_id);
    cr_assert_eq(one->booking.start_s, other->booking.start_s);
    cr_assert_eq(one->booking.end_s, other->booking.end_s);
    cr_assert_eq(one->booking.status, other->booking.status);
    cr_assert_eq(one->at_s, other->at_s);
    cr_assert_str_eq(one->reason, other->reason);
    cr_assert_str_eq(one->user_name, other->user_name);
    cr_assert_str_eq(one->traceparent, other->traceparent);
}

static void assert_parses(const char *body, struct event *event)
{
    struct error error = {0};
    cr_assert(event_from_json(body, strlen(body), event, &error), "%s: %s", body, error.text);
    cr_assert_eq(error.kind, ERROR_NONE);
}

static void assert_refused(const char *name, const char *body, size_t length, const char *says)
{
    struct error error = {0};
    struct event event = SAMPLES[EVENT_BOOKING_CREATED];
    cr_assert_not(event_from_json(body, length, &event, &error), "%s", name);
    cr_assert_eq(error.kind, ERROR_INVALID, "%s", name);
    cr_assert(strstr(error.text, says), "%s: %s", name, error.text);
    assert_same(&event, &SAMPLES[EVENT_BOOKING_CREATED]);
}

Test(event, bodies_have_the_contracts_keys_in_its_order_and_ours_behind)
{
    for (enum event_type type = 0; type < EVENT_TYPES; type++) {
        struct buf body AUTO(buf_release) = {0};
        struct buf expected AUTO(buf_release) = {0};
        buf_printf(&expected, "%s%s", BODIES[type].listed, BODIES[type].ours);
        event_to_json(&SAMPLES[type], &body);
        cr_assert_str_eq(buf_text(&body), buf_text(&expected));
    }
}

Test(event, every_type_comes_back_as_it_was_written)
{
    for (enum event_type type = 0; type < EVENT_TYPES; type++) {
        struct buf body AUTO(buf_release) = {0};
        struct event event = {0};
        event_to_json(&SAMPLES[type], &body);
        assert_parses(buf_text(&body), &event);
        assert_same(&event, &SAMPLES[type]);
    }
}

Test(event, characters_that_no_queue_takes_are_written_as_escapes)
{
    const struct event event = {.reason = "\uFFFD\uFFFE\uFFFF", .type = EVENT_BOOKING_REJECTED};
    struct buf body AUTO(buf_release) = {0};
    event_to_json(&event, &body);
    cr_assert(strstr(buf_text(&body), "\"\uFFFD\\uFFFE\\uFFFF\""), "%s", buf_text(&body));
}

Test(event, an_unknown_user_name_is_left_out_and_no_other_type_carries_one)
{
    struct event created = SAMPLES[EVENT_BOOKING_CREATED];
    struct event cancelled = SAMPLES[EVENT_BOOKING_CANCELLED];
    struct buf body AUTO(buf_release) = {0};
    created.user_name[0] = '\0';
    memcpy(cancelled.user_name, "Eve", sizeof "Eve");
    event_to_json(&created, &body);
    event_to_json(&cancelled, &body);
    cr_assert_null(strstr(buf_text(&body), "userName"));
}

Test(event, type_names_read_back_and_say_which_status_they_mean)
{
    static const enum booking_status STATUS[EVENT_TYPES] = {
        [EVENT_BOOKING_CREATED] = BOOKING_PENDING,
        [EVENT_BOOKING_CANCELLED] = BOOKING_CANCELLED,
        [EVENT_BOOKING_CONFIRMED] = BOOKING_CONFIRMED,
        [EVENT_BOOKING_REJECTED] = BOOKING_REJECTED,
    };
    enum event_type read = EVENT_TYPES;
    for (enum event_type type = 0; type < EVENT_TYPES; type++) {
        cr_assert(event_type_parse(event_type_name(type), &read));
        cr_assert_eq(read, type);
        cr_assert_eq(event_status(type), STATUS[type]);
    }
    cr_assert_not(event_type_parse("booking_created", &read));
    cr_assert_not(event_type_parse("", &read));
}

Test(event, a_message_made_by_hand_with_only_the_listed_keys_parses)
{
    for (enum event_type type = 0; type < EVENT_TYPES; type++) {
        struct buf body AUTO(buf_release) = {0};
        struct event event = {0};
        buf_printf(&body, "%s}", BODIES[type].listed);
        assert_parses(buf_text(&body), &event);
        cr_assert_eq(strlen(event.id), 64);
        cr_assert_str_eq(event.booking.id, "b-1");
        cr_assert_eq(event.at_s, AT);
    }
}

static const char HAND_MADE[] =
    "{ \"eventType\": \"BOOKING_CONFIRMED\", \"providerId\": \"p-1\", \"bookingId\": \"b-1\","
    " \"acceptedAt\": \"2026-02-19T11:00:00.5+01:00\", \"more\": [1, {\"x\": null}] }\n";

Test(event, without_an_event_id_the_id_is_the_sha256_of_the_body)
{
    struct event event = {0};
    assert_parses(HAND_MADE, &event);
    /* sha256sum of the text above */
    cr_assert_str_eq(event.id, "d17a855188b29a7d154ba69f161990b3f6de48199d6cdefc60b92a28656f3af7");
    cr_assert_eq(event.at_s, AT);
}

Test(event, either_time_is_enough_and_the_events_own_wins)
{
    static const char *const TIMES[] = {
        "\"timestamp\":\"2026-02-19T10:00:00Z\"",
        "\"acceptedAt\":\"2026-02-19T10:00:00Z\"",
        "\"acceptedAt\":null,\"timestamp\":\"2026-02-19T10:00:00Z\"",
        "\"acceptedAt\":\"2026-02-19T10:00:00Z\",\"timestamp\":null",
        "\"acceptedAt\":\"2026-02-19T10:00:00Z\",\"timestamp\":\"2026-02-19T10:00:07Z\"",
    };
    for (size_t i = 0; i < sizeof TIMES / sizeof TIMES[0]; i++) {
        struct buf body AUTO(buf_release) = {0};
        struct event event = {0};
        buf_printf(&body,
                   "{\"eventType\":\"BOOKING_CONFIRMED\",\"providerId\":\"p\",\"bookingId\":"
                   "\"b\",%s}",
                   TIMES[i]);
        assert_parses(buf_text(&body), &event);
        cr_assert_eq(event.at_s, AT, "%s", TIMES[i]);
    }
}

/* What of a body cannot be missing; the rest can. */
static const struct {
    enum event_type type;
    const char *key;
    bool required;
} KEYS[] = {
    {EVENT_BOOKING_CREATED, "bookingId", true},     {EVENT_BOOKING_CREATED, "userId", true},
    {EVENT_BOOKING_CREATED, "providerId", true},    {EVENT_BOOKING_CREATED, "slotId", true},
    {EVENT_BOOKING_CREATED, "slotStart", true},     {EVENT_BOOKING_CREATED, "slotEnd", true},
    {EVENT_BOOKING_CREATED, "eventType", true},     {EVENT_BOOKING_CREATED, "timestamp", true},
    {EVENT_BOOKING_CREATED, "eventId", false},      {EVENT_BOOKING_CREATED, "userName", false},
    {EVENT_BOOKING_CANCELLED, "bookingId", true},   {EVENT_BOOKING_CANCELLED, "userId", true},
    {EVENT_BOOKING_CANCELLED, "providerId", true},  {EVENT_BOOKING_CANCELLED, "slotId", true},
    {EVENT_BOOKING_CANCELLED, "eventType", true},   {EVENT_BOOKING_CANCELLED, "timestamp", false},
    {EVENT_BOOKING_CANCELLED, "reason", false},     {EVENT_BOOKING_CANCELLED, "cancelledAt", false},
    {EVENT_BOOKING_CONFIRMED, "bookingId", true},   {EVENT_BOOKING_CONFIRMED, "providerId", true},
    {EVENT_BOOKING_CONFIRMED, "eventType", true},   {EVENT_BOOKING_CONFIRMED, "timestamp", false},
    {EVENT_BOOKING_CONFIRMED, "acceptedAt", false}, {EVENT_BOOKING_REJECTED, "bookingId", true},
    {EVENT_BOOKING_REJECTED, "providerId", true},   {EVENT_BOOKING_REJECTED, "eventType", true},
    {EVENT_BOOKING_REJECTED, "timestamp", false},   {EVENT_BOOKING_REJECTED, "rejectedAt", false},
    {EVENT_BOOKING_REJECTED, "reason", false},
};

/* A good body with one key replaced, or without it. */
static void spoil(enum event_type type, const char *key, json_t *value, struct buf *out)
{
    struct buf body AUTO(buf_release) = {0};
    struct error error = {0};
    event_to_json(&SAMPLES[type], &body);
    json_t *object AUTO(json_release) = json_parse_object(body.data, body.length, &error);
    if (value)
        (void)json_object_set_new(object, key, value);
    else
        (void)json_object_del(object, key);
    json_append(out, object);
}

Test(event, each_required_key_is_missed_and_no_other)
{
    for (size_t i = 0; i < sizeof KEYS / sizeof KEYS[0]; i++) {
        struct buf absent AUTO(buf_release) = {0};
        struct buf null AUTO(buf_release) = {0};
        struct event event = {0};
        spoil(KEYS[i].type, KEYS[i].key, NULL, &absent);
        spoil(KEYS[i].type, KEYS[i].key, json_null(), &null);
        if (KEYS[i].required) {
            assert_refused(KEYS[i].key, absent.data, absent.length, KEYS[i].key);
            assert_refused(KEYS[i].key, null.data, null.length, KEYS[i].key);
        } else {
            assert_parses(buf_text(&absent), &event);
            assert_parses(buf_text(&null), &event);
            cr_assert_neq(event.id[0], '\0', "a null event id counts as none");
        }
    }
}

Test(event, no_known_key_may_be_of_another_type)
{
    static const char *const VALUES[] = {"7", "1.5", "true", "[]", "[\"b-1\"]", "{}"};
    for (size_t i = 0; i < sizeof KEYS / sizeof KEYS[0]; i++) {
        for (size_t j = 0; j < sizeof VALUES / sizeof VALUES[0]; j++) {
            struct buf body AUTO(buf_release) = {0};
            json_t *value = json_loads(VALUES[j], JSON_DECODE_ANY, NULL);
            spoil(KEYS[i].type, KEYS[i].key, value, &body);
            assert_refused(KEYS[i].key, body.data, body.length, KEYS[i].key);
        }
    }
}

static const struct {
    const char *name;
    enum event_type type;
    const char *key, *value, *says;
} OUT_OF_RANGE[] = {
    {"empty id", EVENT_BOOKING_CREATED, "bookingId", "", "bookingId"},
    {"id with a slash", EVENT_BOOKING_CREATED, "bookingId", "a/b", "bookingId"},
    {"id not ASCII", EVENT_BOOKING_CREATED, "userId", "é", "userId"},
    {"event id invalid", EVENT_BOOKING_CREATED, "eventId", "a b", "eventId"},
    {"event id empty", EVENT_BOOKING_CREATED, "eventId", "", "eventId"},
    {"end before start", EVENT_BOOKING_CREATED, "slotEnd", "2026-02-20T09:59:59Z",
     "slotEnd must be after slotStart"},
    {"end equal to start", EVENT_BOOKING_CREATED, "slotEnd", "2026-02-20T10:00:00Z",
     "slotEnd must be after slotStart"},
    {"start before 1970", EVENT_BOOKING_CREATED, "slotStart", "1969-12-31T23:59:59Z", "slotStart"},
    {"start at the epoch", EVENT_BOOKING_CREATED, "slotStart", "1970-01-01T00:00:00Z",
     "slotStart is out of range"},
    {"end after 9999", EVENT_BOOKING_CREATED, "slotEnd", "10000-01-01T00:00:00Z", "slotEnd"},
    {"no such day", EVENT_BOOKING_CREATED, "slotEnd", "2026-02-30T10:00:00Z", "slotEnd"},
    {"date only", EVENT_BOOKING_CREATED, "slotEnd", "2026-02-20", "slotEnd"},
    {"timestamp at the epoch", EVENT_BOOKING_CREATED, "timestamp", "1970-01-01T00:00:00Z",
     "timestamp is out of range"},
    {"timestamp wrong beside a good one", EVENT_BOOKING_CONFIRMED, "timestamp", "x", "timestamp"},
    {"own time wrong beside a good one", EVENT_BOOKING_CONFIRMED, "acceptedAt", "x", "acceptedAt"},
    {"own time empty", EVENT_BOOKING_CANCELLED, "cancelledAt", "", "cancelledAt"},
    {"type in small letters", EVENT_BOOKING_CREATED, "eventType", "booking_created",
     "unknown event type: booking_created"},
    {"type empty", EVENT_BOOKING_CREATED, "eventType", "", "unknown event type: "},
};

Test(event, a_value_out_of_range_is_refused_by_name)
{
    for (size_t i = 0; i < sizeof OUT_OF_RANGE / sizeof OUT_OF_RANGE[0]; i++) {
        struct buf body AUTO(buf_release) = {0};
        spoil(OUT_OF_RANGE[i].type, OUT_OF_RANGE[i].key, json_string(OUT_OF_RANGE[i].value), &body);
        assert_refused(OUT_OF_RANGE[i].name, body.data, body.length, OUT_OF_RANGE[i].says);
    }
}

static const struct {
    enum event_type type;
    const char *key, *letter;
    size_t maximum;
} LENGTHS[] = {
    {EVENT_BOOKING_CREATED, "bookingId", "b", ID_MAX},
    {EVENT_BOOKING_CREATED, "eventId", "e", ID_MAX},
    {EVENT_BOOKING_CREATED, "userName", "\U0001F600", NAME_MAX_CHARACTERS},
    {EVENT_BOOKING_CANCELLED, "reason", "\U0001F600", REASON_MAX},
    {EVENT_BOOKING_REJECTED, "reason", "r", REASON_MAX},
};

Test(event, texts_may_be_as_long_as_their_limit_and_no_longer)
{
    for (size_t i = 0; i < sizeof LENGTHS / sizeof LENGTHS[0]; i++) {
        struct buf text AUTO(buf_release) = {0};
        struct buf fits AUTO(buf_release) = {0};
        struct buf too_long AUTO(buf_release) = {0};
        struct event event = {0};
        for (size_t j = 0; j < LENGTHS[i].maximum; j++)
            buf_text_append(&text, LENGTHS[i].letter);
        spoil(LENGTHS[i].type, LENGTHS[i].key, json_string(buf_text(&text)), &fits);
        assert_parses(buf_text(&fits), &event);
        buf_text_append(&text, LENGTHS[i].letter);
        spoil(LENGTHS[i].type, LENGTHS[i].key, json_string(buf_text(&text)), &too_long);
        assert_refused(LENGTHS[i].key, too_long.data, too_long.length, LENGTHS[i].key);
    }
}

Test(event, an_unknown_type_is_named_safely_and_shortly)
{
    struct buf body AUTO(buf_release) = {0};
    struct buf type AUTO(buf_release) = {0};
    struct event event = {0};
    struct error error = {0};
    buf_text_append(&type, "BAD\x1b[2J\n");
    for (size_t i = 0; i < 1000; i++)
        buf_text_append(&type, "x");
    spoil(EVENT_BOOKING_CREATED, "eventType", json_string(buf_text(&type)), &body);
    cr_assert_not(event_from_json(body.data, body.length, &event, &error));
    cr_assert(strstr(error.text, "unknown event type: BAD"), "%s", error.text);
    cr_assert_null(strpbrk(error.text, "\x1b\n"));
    cr_assert_lt(strlen(error.text), 100);
}

Test(event, a_body_cut_off_anywhere_is_refused)
{
    for (enum event_type type = 0; type < EVENT_TYPES; type++) {
        struct buf body AUTO(buf_release) = {0};
        event_to_json(&SAMPLES[type], &body);
        for (size_t length = 0; length < body.length; length++) {
            char *cut AUTO(memory_release) = memory_text_n(body.data, length);
            assert_refused("cut off", cut, length, "");
        }
    }
}

#define GOOD                                                                                       \
    "{\"eventType\":\"BOOKING_CONFIRMED\",\"providerId\":\"p\",\"bookingId\":\"b\","               \
    "\"timestamp\":\"2026-02-19T10:00:00Z\""

static const struct {
    const char *name;
    const char *body;
    size_t length;
} HOSTILE[] = {
#define BODY(text) text, sizeof text - 1
    {"empty", BODY("")},
    {"null", BODY("null")},
    {"a list", BODY("[]")},
    {"a list of one event", BODY("[{\"eventType\":\"BOOKING_CONFIRMED\"}]")},
    {"a text", BODY("\"BOOKING_CREATED\"")},
    {"empty object", BODY("{}")},
    {"not UTF-8", BODY(GOOD ",\"x\":\"\xff\xfe\"}")},
    {"overlong UTF-8", BODY(GOOD ",\"x\":\"\xc0\xaf\"}")},
    {"lone surrogate", BODY(GOOD ",\"x\":\"\\ud800\"}")},
    {"NUL in a text", BODY(GOOD ",\"x\":\"b\\u0000c\"}")},
    {"NUL behind", BODY(GOOD "}\0")},
    {"duplicate key", BODY(GOOD ",\"bookingId\":\"c\"}")},
    {"duplicate unknown key", BODY(GOOD ",\"x\":1,\"x\":2}")},
    {"something behind", BODY(GOOD "} {}")},
    {"single quotes", BODY("{'eventType':'BOOKING_CONFIRMED'}")},
#undef BODY
};

Test(event, hostile_bodies_are_refused)
{
    struct event event = {0};
    assert_parses(GOOD "}", &event);
    for (size_t i = 0; i < sizeof HOSTILE / sizeof HOSTILE[0]; i++)
        assert_refused(HOSTILE[i].name, HOSTILE[i].body, HOSTILE[i].length, "");
}

Test(event, deep_nesting_is_refused_and_not_followed)
{
    enum { DEPTH = 100000 };
    struct buf body AUTO(buf_release) = {0};
    buf_text_append(&body, "{\"x\":");
    for (size_t i = 0; i < DEPTH; i++)
        buf_char(&body, '[');
    assert_refused("deep", body.data, body.length, "");
}
