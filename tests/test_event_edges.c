/* Events at their edges: who cancelled, the shortest and longest of what a field may hold, and what
 * stands next to what is escaped. */
#include "event.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static void written(const struct event *event, struct buf *body)
{
    buf_clear(body);
    event_to_json(event, body);
}

static struct event cancelled(void)
{
    return (struct event){.type = EVENT_BOOKING_CANCELLED,
                          .id = "e-1",
                          .booking = {.id = "b-1",
                                      .user_id = "u-1",
                                      .provider_id = "p-1",
                                      .slot_id = "s-1",
                                      .status = BOOKING_CANCELLED},
                          .at_s = 1771495200};
}

/* A cancel with one more member, or another type of event with it. */
static bool read_with(const char *type, const char *members, struct event *event,
                      struct error *error)
{
    struct buf body AUTO(buf_release) = {0};
    buf_printf(&body,
               "{\"bookingId\":\"b\",\"userId\":\"u\",\"providerId\":\"p\",\"slotId\":\"s\","
               "\"eventType\":\"%s\",%s}",
               type, members);
    return event_from_json(buf_text(&body), body.length, event, error);
}

#define AT "\"timestamp\":\"2026-02-19T10:00:00Z\""

Test(event_edges, who_cancelled_is_written_and_comes_back)
{
    static const char *const NAMES[EVENT_ACTORS] = {"", "user", "provider", "system"};
    for (enum event_actor actor = ACTOR_UNSAID; actor < EVENT_ACTORS; actor++) {
        struct buf body AUTO(buf_release) = {0};
        char member[64];
        struct error error = {0};
        struct event event = cancelled();
        struct event back;
        event.cancelled_by = actor;
        written(&event, &body);
        (void)snprintf(member, sizeof member, ",\"cancelledBy\":\"%s\"}", NAMES[actor]);
        cr_expect_eq(strstr(buf_text(&body), member) != NULL, actor != ACTOR_UNSAID, "%s",
                     buf_text(&body));
        cr_expect(actor != ACTOR_UNSAID || !strstr(buf_text(&body), "cancelledBy"));
        cr_assert(event_from_json(buf_text(&body), body.length, &back, &error), "%s", error.text);
        cr_expect_eq(back.cancelled_by, actor);
    }
}

Test(event_edges, only_a_cancel_says_who_and_only_in_our_words)
{
    static const struct {
        const char *type, *members;
    } CASES[] = {
        {"BOOKING_CONFIRMED", AT ",\"cancelledBy\":\"user\""},
        {"BOOKING_REJECTED", AT ",\"cancelledBy\":\"system\""},
        {"BOOKING_CANCELLED", AT ",\"cancelledBy\":\"nobody\""},
        {"BOOKING_CANCELLED", AT ",\"cancelledBy\":\"\""},
        {"BOOKING_CANCELLED", AT ",\"cancelledBy\":7"},
        {"BOOKING_CANCELLED", AT},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct error error = {0};
        struct event event = {0};
        cr_assert(read_with(CASES[i].type, CASES[i].members, &event, &error), "%s", error.text);
        cr_expect_eq(event.cancelled_by, ACTOR_UNSAID, "%s %s", CASES[i].type, CASES[i].members);
    }
    struct event confirmed = cancelled();
    struct buf body AUTO(buf_release) = {0};
    confirmed.type = EVENT_BOOKING_CONFIRMED;
    confirmed.cancelled_by = ACTOR_USER;
    written(&confirmed, &body);
    cr_expect_not(strstr(buf_text(&body), "cancelledBy"), "%s", buf_text(&body));
}

Test(event_edges, an_actor_is_named_and_one_unsaid_is_what_the_reader_takes_it_for)
{
    cr_expect_str_eq(event_actor_name(ACTOR_SYSTEM, ACTOR_USER), "system");
    cr_expect_str_eq(event_actor_name(ACTOR_USER, ACTOR_PROVIDER), "user");
    cr_expect_str_eq(event_actor_name(ACTOR_UNSAID, ACTOR_PROVIDER), "provider");
}

Test(event_edges, what_is_one_character_long_is_kept)
{
    struct buf body AUTO(buf_release) = {0};
    struct error error = {0};
    struct event event = cancelled();
    struct event back;
    (void)snprintf(event.reason, sizeof event.reason, "x");
    written(&event, &body);
    cr_expect(strstr(buf_text(&body), "\"reason\":\"x\""), "%s", buf_text(&body));
    cr_assert(read_with("BOOKING_CANCELLED", AT ",\"eventId\":\"e\"", &back, &error), "%s",
              error.text);
    cr_expect_str_eq(back.id, "e");
}

Test(event_edges, the_second_second_of_1970_is_a_time)
{
    struct error error = {0};
    struct event event;
    cr_assert(
        read_with("BOOKING_CANCELLED", "\"timestamp\":\"1970-01-01T00:00:01Z\"", &event, &error),
        "%s", error.text);
    cr_expect_eq(event.at_s, 1);
    cr_expect_not(
        read_with("BOOKING_CANCELLED", "\"timestamp\":\"1970-01-01T00:00:00Z\"", &event, &error));
}

Test(event_edges, escapes_stand_where_the_characters_stood)
{
    struct buf body AUTO(buf_release) = {0};
    struct event event = cancelled();
    (void)snprintf(event.reason, sizeof event.reason, "one \uFFFE two \uFF21 three \uFFFF four");
    written(&event, &body);
    cr_expect(strstr(buf_text(&body), "\"one \\uFFFE two \uFF21 three \\uFFFF four\""), "%s",
              buf_text(&body));
}

Test(event_edges, an_unknown_type_is_shown_as_far_as_64_columns_go)
{
    char type[66];
    memset(type, 'X', sizeof type);
    for (size_t length = 64; length <= 65; length++) {
        struct error error = {0};
        struct event event;
        type[length] = '\0';
        cr_expect_not(read_with(type, AT, &event, &error));
        cr_expect_eq(strstr(error.text, type) != NULL, length == 64, "%s", error.text);
        type[length] = 'X';
    }
}
