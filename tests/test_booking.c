/* The states of a booking: the whole matrix, and the JSON of a booking both ways. */
#include "booking.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>

#include "booking_json.h"
#include "buf.h"
#include "json_fields.h"

enum { PENDING, CONFIRMED, REJECTED, CANCELLED, ABSENT, COLUMNS };

static const char *const COMMANDS[BOOKING_COMMANDS] = {"accept", "reject", "withdraw", "cancel",
                                                       "expire"};

/* '.' = refused; c, r, x = confirmed, rejected, cancelled. Columns: pending, confirmed, rejected,
 * cancelled, absent. */
static const char *const MATRIX[BOOKING_COMMANDS] = {
    [BOOKING_ACCEPT] = "c....", [BOOKING_REJECT] = "r....", [BOOKING_WITHDRAW] = ".x...",
    [BOOKING_CANCEL] = "xx...", [BOOKING_EXPIRE] = "x....",
};

static enum booking_status meant(char letter)
{
    return letter == 'c' ? BOOKING_CONFIRMED : letter == 'r' ? BOOKING_REJECTED : BOOKING_CANCELLED;
}

Test(booking, every_command_in_every_state_does_what_the_contract_says)
{
    for (enum booking_command command = 0; command < BOOKING_COMMANDS; command++) {
        for (enum booking_status from = 0; from <= BOOKING_ABSENT; from++) {
            enum booking_status to = BOOKING_ABSENT;
            const char letter = MATRIX[command][from];
            const bool allowed = booking_command_result(command, from, &to);
            cr_assert_eq(allowed, letter != '.', "%s from %d", COMMANDS[command], (int)from);
            cr_assert_eq(to, allowed ? meant(letter) : BOOKING_ABSENT, "%s from %d gave %d",
                         COMMANDS[command], (int)from, (int)to);
        }
    }
}

Test(booking, a_command_only_ever_moves_up)
{
    for (enum booking_command command = 0; command < BOOKING_COMMANDS; command++) {
        for (enum booking_status from = 0; from <= BOOKING_ABSENT; from++) {
            enum booking_status to = BOOKING_ABSENT;
            if (booking_command_result(command, from, &to))
                cr_assert(booking_moves_up(from, to), "%s from %d", COMMANDS[command], (int)from);
        }
    }
}

/* From (row) to (column), both pending, confirmed, rejected, cancelled, absent. */
static const bool UP[COLUMNS][COLUMNS] = {
    [PENDING] = {false, true, true, true, false},
    [CONFIRMED] = {false, false, false, true, false},
    [REJECTED] = {false, false, false, true, false},
    [CANCELLED] = {false, false, false, false, false},
    [ABSENT] = {true, true, true, true, false},
};

Test(booking, states_only_move_up_and_everything_is_above_absent)
{
    for (enum booking_status from = 0; from <= BOOKING_ABSENT; from++)
        for (enum booking_status to = 0; to <= BOOKING_ABSENT; to++)
            cr_assert_eq(booking_moves_up(from, to), UP[from][to], "%d -> %d", (int)from, (int)to);
}

Test(booking, status_names_are_the_contracts_and_read_back)
{
    static const char *const EXPECTED[] = {"pending", "confirmed", "rejected", "cancelled"};
    for (enum booking_status status = 0; status < BOOKING_STATUSES; status++) {
        enum booking_status read = BOOKING_ABSENT;
        cr_assert_str_eq(booking_status_name(status), EXPECTED[status]);
        cr_assert(booking_status_parse(EXPECTED[status], &read));
        cr_assert_eq(read, status);
    }
    cr_assert_str_eq(booking_status_name(BOOKING_ABSENT), "");
}

Test(booking, an_unknown_status_name_is_refused_and_leaves_the_output_alone)
{
    static const char *const WRONG[] = {"", "Pending", "pending ", "canceled", "PENDING", "x"};
    for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
        enum booking_status status = BOOKING_REJECTED;
        cr_assert_not(booking_status_parse(WRONG[i], &status), "%s", WRONG[i]);
        cr_assert_eq(status, BOOKING_REJECTED);
    }
}

#define SEVEN                                                                                      \
    "{\"id\":\"b-1\",\"userId\":\"u-1\",\"providerId\":\"p-1\",\"slotId\":\"s-1\","                \
    "\"start\":\"2026-02-19T10:00:00Z\",\"end\":\"2026-02-19T10:30:00Z\",\"status\":"              \
    "\"confirmed\"}"

static const struct booking SAMPLE = {.id = "b-1",
                                      .user_id = "u-1",
                                      .provider_id = "p-1",
                                      .slot_id = "s-1",
                                      .start_s = 1771495200,
                                      .end_s = 1771497000,
                                      .status = BOOKING_CONFIRMED};

static void assert_same(const struct booking *one, const struct booking *other)
{
    cr_assert_str_eq(one->id, other->id);
    cr_assert_str_eq(one->user_id, other->user_id);
    cr_assert_str_eq(one->provider_id, other->provider_id);
    cr_assert_str_eq(one->slot_id, other->slot_id);
    cr_assert_eq(one->start_s, other->start_s);
    cr_assert_eq(one->end_s, other->end_s);
    cr_assert_eq(one->status, other->status);
}

static bool read(const char *text, struct booking *booking, struct error *error)
{
    json_t *object AUTO(json_release) = json_parse_object(text, strlen(text), error);
    return object && booking_from_json(object, booking, error);
}

Test(booking_json, the_seven_fields_come_in_the_contracts_order)
{
    json_t *object AUTO(json_release) = booking_to_json(&SAMPLE);
    struct buf text AUTO(buf_release) = {0};
    json_append(&text, object);
    cr_assert_str_eq(buf_text(&text), SEVEN);
}

Test(booking_json, the_seven_fields_read_back)
{
    struct error error = {0};
    struct booking booking = {0};
    cr_assert(read(SEVEN, &booking, &error), "%s", error.text);
    assert_same(&booking, &SAMPLE);
}

Test(booking_json, unknown_times_are_null_both_ways)
{
    struct error error = {0};
    struct booking booking = SAMPLE;
    booking.start_s = booking.end_s = 0;
    json_t *object AUTO(json_release) = booking_to_json(&booking);
    cr_assert(json_is_null(json_object_get(object, "start")));
    cr_assert(json_is_null(json_object_get(object, "end")));
    struct booking back = SAMPLE;
    cr_assert(booking_from_json(object, &back, &error), "%s", error.text);
    assert_same(&back, &booking);
}

Test(booking_json, fields_we_do_not_know_are_ignored)
{
    struct error error = {0};
    struct booking booking = {0};
    cr_assert(read("{\"userName\":\"Eve\",\"id\":\"b\",\"userId\":\"u\",\"providerId\":\"p\","
                   "\"slotId\":\"s\",\"start\":null,\"end\":null,\"status\":\"pending\",\"x\":[1]}",
                   &booking, &error),
              "%s", error.text);
    cr_assert_str_eq(booking.slot_id, "s");
}

/* Each makes one key of a good booking absent or wrong. */
static const struct {
    const char *name, *key, *value, *says;
} WRONG[] = {
    {"no id", "id", NULL, "id is required"},
    {"id a number", "id", "7", "id"},
    {"id with a space", "id", "\"a b\"", "id"},
    {"no user", "userId", NULL, "userId is required"},
    {"no provider", "providerId", NULL, "providerId is required"},
    {"no slot", "slotId", "null", "slotId is required"},
    {"no start", "start", NULL, "start is required"},
    {"start not a time", "start", "\"soon\"", "start"},
    {"no end", "end", NULL, "end is required"},
    {"end before start", "end", "\"2026-02-19T09:00:00Z\"", "end must be after start"},
    {"end equal to start", "end", "\"2026-02-19T10:00:00Z\"", "end must be after start"},
    {"no status", "status", NULL, "status must be"},
    {"unknown status", "status", "\"done\"", "status must be"},
    {"empty status", "status", "\"\"", "status must be"},
    {"status a list", "status", "[]", "status"},
    {"status endless", "status", "\"ppppppppppppppppppppppppppppppppppppppppppppp\"", "status"},
};

Test(booking_json, a_wrong_field_is_named_and_nothing_is_written)
{
    for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
        json_t *object AUTO(json_release) = booking_to_json(&SAMPLE);
        if (WRONG[i].value) {
            (void)json_object_set_new(object, WRONG[i].key,
                                      json_loads(WRONG[i].value, JSON_DECODE_ANY, NULL));
        } else {
            (void)json_object_del(object, WRONG[i].key);
        }
        struct error error = {0};
        struct booking booking = SAMPLE;
        cr_assert_not(booking_from_json(object, &booking, &error), "%s", WRONG[i].name);
        cr_assert_eq(error.kind, ERROR_INVALID, "%s", WRONG[i].name);
        cr_assert(strstr(error.text, WRONG[i].says), "%s: %s", WRONG[i].name, error.text);
        assert_same(&booking, &SAMPLE);
    }
}
