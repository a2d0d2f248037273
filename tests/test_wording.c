/* What is said: templates, calendars, payloads and signatures, also of hostile names. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "calendar.h"
#include "json_fields.h"
#include "templates.h"
#include "text.h"
#include "webhook.h"

/* 2030-01-07T10:00:00Z */
enum { START_S = 1894010400 };

static const char HOSTILE[] = "Zo\xC3\xAB\r\nBcc: all@example.org\nEND:VCALENDAR\",;\\{user}";

static struct letter letter_of(enum booking_status status, enum notice_recipient recipient,
                               enum notice_channel channel)
{
    struct letter letter = {
        .notice = {.status = status,
                   .recipient = recipient,
                   .channel = channel,
                   .actor = "provider",
                   .created_ms = INT64_C(1893914400000)},
        .booking = {.id = "b-1",
                    .user_id = "u-1",
                    .provider_id = "p-1",
                    .slot_id = "s-1",
                    .start_s = START_S,
                    .end_s = START_S + 3600,
                    .status = status},
        .user = {.name = "Zo\xC3\xAB", .email = "zoe@example.org", .phone = "+491701234567"},
        .provider = {.name = "Salon", .email = "salon@example.org"},
    };
    return letter;
}

static struct templates *defaults(void)
{
    struct error error = {0};
    struct templates *templates = templates_load(NULL, &error);
    cr_assert(templates, "%s", error.text);
    return templates;
}

/* --- templates --- */

Test(wording, every_letter_that_is_ever_written_has_a_text)
{
    struct templates *templates = defaults();
    int texts = 0;
    for (int i = 0; i < BOOKING_STATUSES * NOTICE_RECIPIENTS * NOTICE_CHANNELS; i++) {
        struct letter letter = letter_of((enum booking_status)(i % BOOKING_STATUSES),
                                         (enum notice_recipient)(i / BOOKING_STATUSES % 3),
                                         (enum notice_channel)(i / BOOKING_STATUSES / 3));
        struct wording wording AUTO(wording_release) = {0};
        if (letter.notice.channel == CHANNEL_WEBHOOK || !notice_of(&letter.booking, &letter.notice))
            continue;
        templates_fill(templates, &letter, &wording);
        cr_expect(wording.text.length > 0, "%s", letter.notice.id);
        cr_expect_eq(wording.subject.length > 0, letter.notice.channel == CHANNEL_MAIL, "%s",
                     letter.notice.id);
        cr_expect_null(strpbrk(buf_text(&wording.text), "{}"), "%s", letter.notice.id);
        texts++;
    }
    cr_expect_eq(texts, 10);
    templates_free(templates);
}

Test(wording, words_are_filled_in_and_a_line_without_any_is_left_out)
{
    struct templates *templates = defaults();
    struct letter letter = letter_of(BOOKING_REJECTED, TO_USER, CHANNEL_MAIL);
    struct wording with AUTO(wording_release) = {0};
    struct wording without AUTO(wording_release) = {0};
    templates_fill(templates, &letter, &without);
    (void)snprintf(letter.notice.reason, sizeof letter.notice.reason, "closed");
    templates_fill(templates, &letter, &with);
    cr_expect_str_eq(buf_text(&with.subject), "Not possible: Salon, Mon 07 Jan 2030");
    cr_expect(strstr(buf_text(&with.text), "    When: Mon 07 Jan 2030, 10:00 to 11:00 UTC\n"));
    cr_expect(strstr(buf_text(&with.text), "    Reason: closed\n"));
    cr_expect_null(strstr(buf_text(&without.text), "Reason"));
    templates_free(templates);
}

Test(wording, a_hostile_name_stays_on_its_line_and_is_no_placeholder)
{
    struct templates *templates = defaults();
    struct letter letter = letter_of(BOOKING_PENDING, TO_PROVIDER, CHANNEL_MAIL);
    struct wording wording AUTO(wording_release) = {0};
    (void)snprintf(letter.user.name, sizeof letter.user.name, "%s", HOSTILE);
    templates_fill(templates, &letter, &wording);
    cr_expect_null(strpbrk(buf_text(&wording.subject), "\r\n"));
    cr_expect(strstr(buf_text(&wording.subject), "Bcc: all@example.org END:VCALENDAR\",;\\{user}"),
              "%s", buf_text(&wording.subject));
    cr_expect_null(strstr(buf_text(&wording.text), "\nBcc"));
    cr_expect_null(strstr(buf_text(&wording.text), "\nEND"));
    templates_free(templates);
}

static void write_file(const char *folder, const char *name, const char *text, size_t length)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "we");
    cr_assert(file && fwrite(text, 1, length, file) == length && fclose(file) == 0);
}

static void remove_folder(const char *folder)
{
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf %s", folder);
    cr_assert(system(command) == 0);
}

Test(wording, a_file_stands_in_for_its_default)
{
    char folder[] = "/tmp/bookflow-templates-XXXXXX";
    struct error error = {0};
    struct wording wording AUTO(wording_release) = {0};
    static const char text[] = "Subject: Ja!\r\n\r\n{{no} {user} {start}\r\n";
    cr_assert(mkdtemp(folder));
    write_file(folder, "mail_user_confirmed.txt", text, strlen(text));
    struct templates *templates = templates_load(folder, &error);
    cr_assert(templates, "%s", error.text);
    const struct letter letter = letter_of(BOOKING_CONFIRMED, TO_USER, CHANNEL_MAIL);
    templates_fill(templates, &letter, &wording);
    cr_expect_str_eq(buf_text(&wording.subject), "Ja!");
    cr_expect_str_eq(buf_text(&wording.text), "{no} Zo\xC3\xAB Mon 07 Jan 2030, 10:00\n");
    templates_free(templates);
    remove_folder(folder);
}

Test(wording, a_bad_template_is_named_by_file_and_line)
{
    static const struct {
        const char *file, *text, *says;
    } cases[] = {
        {"mail_user_confirmed.txt", "Subject: x\n\nok\n{nobody}\n",
         "mail_user_confirmed.txt:4: unk"},
        {"mail_user_confirmed.txt", "Subject: {\n\n", "mail_user_confirmed.txt:1: unknown"},
        {"mail_user_confirmed.txt", "Hello\n\nok\n", "mail_user_confirmed.txt:1: a mail begins"},
        {"mail_user_confirmed.txt", "Subject: x\nok\n", "mail_user_confirmed.txt:2: a blank"},
        {"mail_user_confirmed.txt", "Subject: x", "mail_user_confirmed.txt:2: a blank"},
        {"sms_user_rejected.txt", "", "sms_user_rejected.txt:1: is empty"},
        {"sms_user_rejected.txt", "a\n\xff\n", "sms_user_rejected.txt:2: not UTF-8"},
        {"sms_user_rejected.txt", "a\nb\x1b[2J\n", "sms_user_rejected.txt:2: a control"},
        {"sms_user_rejected.txt", "{user", "sms_user_rejected.txt:1: unknown"},
        {"sms_user_rejected.txt", "{user}\x01", "sms_user_rejected.txt:1: a control"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char folder[] = "/tmp/bookflow-templates-XXXXXX";
        struct error error = {0};
        cr_assert(mkdtemp(folder));
        write_file(folder, cases[i].file, cases[i].text, strlen(cases[i].text));
        struct templates *templates = templates_load(folder, &error);
        cr_expect_null(templates, "case %zu", i);
        cr_expect_eq(error.kind, ERROR_CONFIGURATION, "case %zu", i);
        cr_expect(strstr(error.text, cases[i].says), "case %zu: %s", i, error.text);
        templates_free(templates);
        remove_folder(folder);
    }
    struct error error = {0};
    cr_expect_null(templates_load("/nowhere", &error));
    cr_expect(strstr(error.text, "/nowhere"), "%s", error.text);
}

/* --- calendar --- */

Test(wording, only_who_was_invited_has_a_calendar)
{
    static const struct {
        enum booking_status status;
        enum notice_recipient recipient;
        bool invited;
        const char *method;
    } cases[] = {
        {BOOKING_CONFIRMED, TO_USER, false, "REQUEST"},
        {BOOKING_CANCELLED, TO_USER, true, "CANCEL"},
        {BOOKING_CANCELLED, TO_USER, false, NULL},
        {BOOKING_REJECTED, TO_USER, true, NULL},
        {BOOKING_PENDING, TO_PROVIDER, false, NULL},
        {BOOKING_CANCELLED, TO_PROVIDER, true, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct letter letter = letter_of(cases[i].status, cases[i].recipient, CHANNEL_MAIL);
        letter.invited = cases[i].invited;
        const char *method = calendar_method(&letter);
        cr_expect((method == NULL) == (cases[i].method == NULL) &&
                      (!method || strcmp(method, cases[i].method) == 0),
                  "case %zu: %s", i, method ? method : "none");
    }
}

static void expect_line(const char *calendar, const char *line)
{
    cr_expect(strstr(calendar, line), "%s is in %s", line, calendar);
}

Test(wording, a_cancel_takes_back_the_same_event)
{
    static const char *const common[] = {
        "\r\nUID:b-1\r\n", "\r\nDTSTART:20300107T100000Z\r\n", "\r\nDTEND:20300107T110000Z\r\n",
        "\r\nDTSTAMP:20300106T072000Z\r\n", "\r\nSUMMARY:Salon\r\n"};
    struct letter letter = letter_of(BOOKING_CONFIRMED, TO_USER, CHANNEL_MAIL);
    struct buf request AUTO(buf_release) = {0};
    struct buf cancel AUTO(buf_release) = {0};
    calendar_put(&letter, "from@example.org", &request);
    letter.notice.status = BOOKING_CANCELLED;
    letter.invited = true;
    calendar_put(&letter, "from@example.org", &cancel);
    for (size_t i = 0; i < sizeof common / sizeof *common; i++) {
        expect_line(buf_text(&request), common[i]);
        expect_line(buf_text(&cancel), common[i]);
    }
    expect_line(buf_text(&request), "\r\nMETHOD:REQUEST\r\n");
    expect_line(buf_text(&request), "\r\nSEQUENCE:0\r\n");
    expect_line(buf_text(&request), "\r\nSTATUS:CONFIRMED\r\n");
    expect_line(buf_text(&cancel), "\r\nMETHOD:CANCEL\r\n");
    expect_line(buf_text(&cancel), "\r\nSEQUENCE:1\r\n");
    expect_line(buf_text(&cancel), "\r\nSTATUS:CANCELLED\r\n");
}

/* No line is too long, and none begins within a letter. */
static void expect_folded(const char *calendar)
{
    for (const char *line = calendar; *line;) {
        const size_t length = strcspn(line, "\r");
        cr_expect_leq(length, 75, "%.*s", (int)length, line);
        cr_expect_eq(strncmp(line + length, "\r\n", 2), 0);
        cr_expect(text_is_utf8(line, length), "a letter is cut in two: %.*s", (int)length, line);
        line += length + 2;
    }
}

Test(wording, a_long_line_is_folded_between_letters)
{
    for (size_t shift = 0; shift < 4; shift++) {
        struct letter letter = letter_of(BOOKING_CONFIRMED, TO_USER, CHANNEL_MAIL);
        struct buf name AUTO(buf_release) = {0};
        struct buf calendar AUTO(buf_release) = {0};
        for (size_t i = 0; i < shift; i++)
            buf_char(&name, 'x');
        while (name.length < 120)
            buf_text_append(&name, "\xE5\xB1\xB1");
        (void)snprintf(letter.provider.name, sizeof letter.provider.name, "%s", buf_text(&name));
        calendar_put(&letter, "from@example.org", &calendar);
        expect_folded(buf_text(&calendar));
    }
}

/* Lines joined again, as a reader does it. */
static void unfold(const char *text, struct buf *out)
{
    for (; *text; text++)
        if (strncmp(text, "\r\n ", 3) == 0)
            text += 2;
        else
            buf_char(out, *text);
}

Test(wording, a_calendar_holds_a_hostile_name_in_its_place)
{
    struct letter letter = letter_of(BOOKING_CONFIRMED, TO_USER, CHANNEL_MAIL);
    struct buf folded AUTO(buf_release) = {0};
    struct buf calendar AUTO(buf_release) = {0};
    (void)snprintf(letter.user.name, sizeof letter.user.name, "%s", HOSTILE);
    (void)snprintf(letter.provider.name, sizeof letter.provider.name, "%s", HOSTILE);
    (void)snprintf(letter.user.email, sizeof letter.user.email, "a?b&cc=x@example.org");
    calendar_put(&letter, "from@example.org", &folded);
    expect_folded(buf_text(&folded));
    unfold(buf_text(&folded), &calendar);
    expect_line(buf_text(&calendar), "\r\nSUMMARY:Zo\xC3\xAB Bcc: all@example.org "
                                     "END:VCALENDAR\"\\,\\;\\\\{user}\r\n");
    expect_line(buf_text(&calendar),
                ";CN=\"Zo\xC3\xAB Bcc: all@example.org "
                "END:VCALENDAR',;\\{user}\":mailto:a%3Fb%26cc%3Dx@example.org");
    cr_expect_eq(strstr(buf_text(&calendar), "\r\nEND:VCALENDAR"),
                 buf_text(&calendar) + calendar.length - strlen("\r\nEND:VCALENDAR\r\n"));
}

/* --- webhook --- */

static struct webhook_key key_of(const char *bytes)
{
    struct webhook_key key = {.length = strlen(bytes)};
    memcpy(key.bytes, bytes, key.length);
    return key;
}

/* The published example: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw. */
static const struct webhook_key PUBLISHED = {
    .bytes = {0x31, 0xf2, 0x90, 0xf6, 0xbf, 0x06, 0x29, 0x8a, 0xab, 0x4f, 0x08, 0xd4,
              0x3c, 0x3f, 0x08, 0x2c, 0xf6, 0x48, 0xa3, 0x62, 0xda, 0x2d, 0xa4, 0xb0},
    .length = 24};

Test(wording, a_webhook_is_signed_as_published)
{
    const struct webhook_key keys[WEBHOOK_KEYS] = {PUBLISHED};
    struct buf signature AUTO(buf_release) = {0};
    const struct webhook_message message = {"msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
                                            "{\"test\": 2432232314}"};
    webhook_sign(&message, keys, &signature);
    cr_expect_str_eq(buf_text(&signature), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

Test(wording, while_a_secret_is_changed_both_sign)
{
    const struct webhook_key keys[WEBHOOK_KEYS] = {key_of("another key of 24 bytes!"), PUBLISHED};
    struct buf signature AUTO(buf_release) = {0};
    const struct webhook_message message = {"msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
                                            "{\"test\": 2432232314}"};
    webhook_sign(&message, keys, &signature);
    const char *second = strchr(buf_text(&signature), ' ');
    cr_assert(second, "%s", buf_text(&signature));
    cr_expect_str_eq(second + 1, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    cr_expect_eq(strncmp(buf_text(&signature), "v1,", 3), 0);
    cr_expect_eq(second - buf_text(&signature), 47);
}

Test(wording, a_payload_holds_a_hostile_name_in_its_place)
{
    struct letter letter = letter_of(BOOKING_CANCELLED, TO_ENDPOINT, CHANNEL_WEBHOOK);
    struct buf text AUTO(buf_release) = {0};
    struct error error = {0};
    (void)snprintf(letter.user.name, sizeof letter.user.name, "%s", "\",\"status\":\"confirmed\n");
    webhook_payload(&letter, &text);
    json_t *payload AUTO(json_release) = json_parse_object(buf_text(&text), text.length, &error);
    cr_assert(payload, "%s: %s", error.text, buf_text(&text));
    const json_t *data = json_object_get(payload, "data");
    cr_expect_str_eq(json_string_value(json_object_get(payload, "type")), "booking.cancelled");
    cr_expect_str_eq(json_string_value(json_object_get(payload, "timestamp")),
                     "2030-01-06T07:20:00Z");
    cr_expect_str_eq(json_string_value(json_object_get(data, "status")), "cancelled");
    cr_expect_str_eq(json_string_value(json_object_get(data, "userName")), letter.user.name);
    cr_expect(json_is_null(json_object_get(data, "reason")));
    cr_expect_null(strstr(buf_text(&text), "zoe@"), "no contact data");
}
