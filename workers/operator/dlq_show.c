/* `bookflow dlq list` and `show`: what the dead letters say, made safe for a terminal. Changes
 * nothing. */
#include <inttypes.h>
#include <stdio.h>

#include "dlq.h"
#include "json_fields.h"
#include "remote.h"
#include "timestamp.h"

enum { ID_COLUMNS = 36, EVENT_COLUMNS = 18 };

static int64_t age_s(const struct letter *letter)
{
    const int64_t age = world_wall_ms(world_real()) - letter->sent_ms;
    return age > 0 ? age / 1000 : 0;
}

void dlq_print_json(const json_t *value)
{
    (void)json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    (void)printf("\n");
}

static const char *or_dash(const char *text)
{
    return text && *text ? text : "-";
}

/* --- list --- */

static void print_row(const struct letter *letter)
{
    char age[AGE_SIZE];
    remote_print(letter->id, ID_COLUMNS);
    (void)printf("  %4s  ", age_text(age_s(letter), age));
    remote_print(or_dash(letter_attribute(letter, "DeadLetterAttempts")), 8);
    (void)printf("  ");
    remote_print(or_dash(letter_event(letter)), EVENT_COLUMNS);
    (void)printf("  ");
    remote_print(or_dash(letter_booking(letter)), ID_COLUMNS);
    (void)printf("  ");
    remote_print(letter_reason(letter), 0);
    (void)printf("\n");
}

static json_t *text_or_null(const char *text)
{
    return json_text_or_null(text ? text : "");
}

static json_t *letter_json(const struct letter *letter)
{
    return json_pack(
        "{ss so sI so so so so so}", "id", letter->id, "sentAt",
        json_timestamp(letter->sent_ms / 1000), "ageSeconds", (json_int_t)age_s(letter), "attempts",
        text_or_null(letter_attribute(letter, "DeadLetterAttempts")), "event",
        text_or_null(letter_event(letter)), "bookingId", text_or_null(letter_booking(letter)),
        "providerId", text_or_null(letter_provider(letter)), "reason",
        text_or_null(letter_attribute(letter, "DeadLetterReason")));
}

static void print_rows(const struct letters *letters)
{
    if (letters->count == 0)
        (void)printf("no dead letters\n");
    else
        (void)printf("%-*s   AGE  ATTEMPTS  %-*s  %-*s  REASON\n", ID_COLUMNS, "ID", EVENT_COLUMNS,
                     "EVENT", ID_COLUMNS, "BOOKING");
    for (size_t i = 0; i < letters->count; i++)
        print_row(letters->items[i]);
}

bool dlq_list(const struct dlq *dlq, struct error *error)
{
    (void)error;
    json_t *all AUTO(json_release) = json_array();
    if (!dlq->as_json) {
        print_rows(dlq->letters);
        return true;
    }
    for (size_t i = 0; i < dlq->letters->count; i++)
        (void)json_array_append_new(all, letter_json(dlq->letters->items[i]));
    dlq_print_json(all);
    return true;
}

/* --- show --- */

static void print_field(const char *name, const char *value)
{
    remote_print(name, 18);
    (void)printf("  ");
    remote_print(value, 0);
    (void)printf("\n");
}

static void print_letter(const struct letter *letter)
{
    char sent[TIMESTAMP_SIZE];
    char receives[AGE_SIZE];
    (void)snprintf(receives, sizeof receives, "%" PRId64, letter->receive_count);
    print_field("id", letter->id);
    print_field("sent", timestamp_format(letter->sent_ms / 1000, sent));
    print_field("receives", receives);
    for (size_t i = 0; i < letter->attribute_count; i++)
        print_field(letter->attributes[i].name, letter->attributes[i].value);
    (void)printf("\n");
    remote_print(letter->body, 0);
    (void)printf("\n");
}

static json_t *whole_letter_json(const struct letter *letter)
{
    json_t *object = letter_json(letter);
    json_t *attributes = json_object();
    for (size_t i = 0; i < letter->attribute_count; i++)
        (void)json_object_set_new(attributes, letter->attributes[i].name,
                                  json_string(letter->attributes[i].value));
    json_t *body = json_stringn(letter->body, letter->body_length);
    (void)json_object_set_new(object, "receives", json_integer(letter->receive_count));
    (void)json_object_set_new(object, "attributes", attributes);
    (void)json_object_set_new(object, "body", body ? body : json_null()); /* not UTF-8 */
    return object;
}

bool dlq_show(const struct dlq *dlq, struct error *error)
{
    (void)error;
    const struct letter *letter = letters_find(dlq->letters, dlq->ids[0]);
    if (!dlq->as_json) {
        print_letter(letter);
        return true;
    }
    json_t *object AUTO(json_release) = whole_letter_json(letter);
    dlq_print_json(object);
    return true;
}
