/* JSON from outside: what is refused, and in which words. */
#include "json_fields.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static json_t *parsed(const char *text)
{
    struct error error = {0};
    json_t *object = json_parse_object(text, strlen(text), &error);
    cr_assert(object, "%s: %s", text, error.text);
    return object;
}

Test(json_fields, one_object_is_accepted)
{
    static const char *const CASES[] = {"{}", " {\"a\":1} \n", "{\"a\":{\"b\":[1,2,null]}}",
                                        "{\"\":\"\"}", "{\"a\":\"\u20AC\\u20ac\"}"};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        json_t *object AUTO(json_release) = parsed(CASES[i]);
        cr_expect(json_is_object(object));
    }
}

Test(json_fields, anything_else_is_refused)
{
    static const struct {
        const char *name, *text, *sentence;
    } CASES[] = {
        {"nothing", "", "body is not valid JSON: "},
        {"an array", "[]", "body must be a JSON object"},
        {"a number", "1", "body is not valid JSON: "},
        {"unfinished", "{\"a\":", "body is not valid JSON: "},
        {"something behind", "{} {}", "body is not valid JSON: end of file expected at byte 4"},
        {"the same key twice", "{\"a\":1,\"a\":2}", "body is not valid JSON: duplicate object key"},
        {"NUL in a value", "{\"a\":\"b\\u0000\"}", "body is not valid JSON: "},
        {"NUL in a key", "{\"a\\u0000\":1}", "body is not valid JSON: "},
        {"broken UTF-8", "{\"a\":\"\xC3\"}", "body is not valid JSON: "},
        {"a surrogate", "{\"a\":\"\\ud800\"}", "body is not valid JSON: "},
        {"a number too large", "{\"a\":99999999999999999999}", "body is not valid JSON: "},
        {"control characters", "{\"a\":\"\x1b\"}", "body is not valid JSON: "},
        {"single quotes", "{'a':1}", "body is not valid JSON: "},
        {"a comma too many", "{\"a\":1,}", "body is not valid JSON: "},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct error error = {0};
        cr_expect_null(json_parse_object(CASES[i].text, strlen(CASES[i].text), &error), "%s",
                       CASES[i].name);
        cr_expect_eq(error.kind, ERROR_INVALID, "%s", CASES[i].name);
        cr_expect_eq(strncmp(error.text, CASES[i].sentence, strlen(CASES[i].sentence)), 0, "%s: %s",
                     CASES[i].name, error.text);
    }
    struct error error = {0};
    cr_assert_null(json_parse_object("{}\0", 3, &error), "a NUL behind the object");
    cr_assert_null(json_parse_object(NULL, 0, &error), "no body");
}

Test(json_fields, the_refusal_can_itself_be_sent_as_json)
{
    struct error error = {0};
    struct buf body AUTO(buf_release) = {0};
    for (int i = 0; i < 100; i++)
        buf_text_append(&body, "\u20AC");
    cr_assert_null(json_parse_object(buf_text(&body), body.length, &error));
    json_t *sentence AUTO(json_release) = json_string(error.text);
    cr_assert_not_null(sentence, "well-formed UTF-8");
    error_clear(&error);
}

/* It may end up in a log, and the body may name people. */
Test(json_fields, the_refusal_quotes_nothing_of_the_body)
{
    static const char *const bodies[] = {"secret", "{\"name\": secret", "{\"a\":1} secret",
                                         "{\"name\":\"secret", "{\"secret\":1,\"secret\":2}"};
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct error error = {0};
        cr_assert_null(json_parse_object(bodies[i], strlen(bodies[i]), &error));
        cr_expect_null(strstr(error.text, "sec"), "%s", error.text);
        cr_expect(strstr(error.text, " at byte "), "%s", error.text);
    }
}

Test(json_fields, deep_nesting_is_refused_and_does_not_crash)
{
    struct buf body AUTO(buf_release) = {0};
    for (int i = 0; i < 100000; i++)
        buf_text_append(&body, "{\"a\":");
    struct error error = {0};
    cr_assert_null(json_parse_object(buf_text(&body), body.length, &error));
    cr_assert_eq(error.kind, ERROR_INVALID);
}

Test(json_fields, ids_are_required_and_checked)
{
    static const char TEXT[] = "{\"good\":\"b-1\",\"empty\":\"\",\"null\":null,\"number\":5,"
                               "\"bad\":\"a b\"}";
    static const struct {
        const char *name, *sentence;
    } CASES[] = {
        {"absent", "absent is required"},
        {"empty", "empty is required"},
        {"null", "null is required"},
        {"number", "number must be a string"},
        {"bad", "bad must be an id: 1 to 128 of A-Z a-z 0-9 . _ : -"},
    };
    json_t *object AUTO(json_release) = parsed(TEXT);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct error error = {0};
        char id[ID_SIZE] = "kept";
        cr_expect_not(json_id(object, CASES[i].name, id, &error));
        cr_expect_eq(error.kind, ERROR_INVALID);
        cr_expect_str_eq(error.text, CASES[i].sentence);
        cr_expect_str_eq(id, "kept");
    }
    struct error error = {0};
    char id[ID_SIZE];
    cr_assert(json_id(object, "good", id, &error));
    cr_assert_str_eq(id, "b-1");
    cr_assert_eq(error.kind, ERROR_NONE);
}

Test(json_fields, optional_texts_are_counted_in_characters)
{
    json_t *object AUTO(json_release) =
        parsed("{\"three\":\"\u20AC\U0001F600x\",\"null\":null,\"number\":5,\"empty\":\"\"}");
    struct error error = {0};
    const char *text = "kept";
    cr_assert(json_optional_text(object, "three", 3, &text, &error));
    cr_assert_str_eq(text, "\u20AC\U0001F600x");
    cr_assert(json_optional_text(object, "empty", 0, &text, &error));
    cr_assert_str_eq(text, "");
    cr_assert(json_optional_text(object, "null", 3, &text, &error));
    cr_assert_null(text);
    text = "kept";
    cr_assert(json_optional_text(object, "absent", 3, &text, &error));
    cr_assert_null(text);
    text = "kept";
    cr_assert_not(json_optional_text(object, "three", 2, &text, &error));
    cr_assert_str_eq(error.text, "three must be at most 2 characters");
    cr_assert_str_eq(text, "kept");
    error_clear(&error);
    cr_assert_not(json_optional_text(object, "number", 2, &text, &error));
    cr_assert_str_eq(error.text, "number must be a string");
}

Test(json_fields, times_are_required_and_name_their_field)
{
    json_t *object AUTO(json_release) =
        parsed("{\"start\":\"2026-02-19T10:00:00Z\",\"end\":\"soon\",\"number\":1771495200}");
    struct error error = {0};
    int64_t seconds = 42;
    cr_assert(json_time(object, "start", &seconds, &error));
    cr_assert_eq(seconds, 1771495200);
    cr_assert_not(json_time(object, "end", &seconds, &error));
    cr_assert_str_eq(error.text, "end: must be a time from 1970 to 9999 like 2026-02-19T10:00:00Z");
    error_clear(&error);
    cr_assert_not(json_time(object, "number", &seconds, &error));
    cr_assert_str_eq(error.text, "number must be a string");
    error_clear(&error);
    cr_assert_not(json_time(object, "absent", &seconds, &error));
    cr_assert_str_eq(error.text, "absent is required");
    cr_assert_eq(seconds, 1771495200);
}

Test(json_fields, written_compactly_in_the_order_set)
{
    json_t *object AUTO(json_release) = json_object();
    (void)json_object_set_new(object, "z", json_timestamp(1771495200));
    (void)json_object_set_new(object, "a", json_timestamp(0));
    (void)json_object_set_new(object, "m", json_string("\u20AC\"\n"));
    struct buf out AUTO(buf_release) = {0};
    buf_text_append(&out, "data: ");
    json_append(&out, object);
    cr_assert_str_eq(buf_text(&out),
                     "data: {\"z\":\"2026-02-19T10:00:00Z\",\"a\":null,\"m\":\"\u20AC\\\"\\n\"}");
    buf_clear(&out);
    json_append(&out, json_object_get(object, "a"));
    cr_assert_str_eq(buf_text(&out), "null", "any value, not only objects");
}

/* Whatever it is, a parser reads the same text back. */
Test(json_fields, a_text_is_written_as_a_string_that_reads_back_the_same)
{
    static const struct {
        const char *text;
        const char *written;
    } CASES[] = {
        {"", "\"\""},
        {"plain", "\"plain\""},
        {"\"", "\"\\\"\""},
        {"\\n", "\"\\\\n\""},
        {"a\"b\\c", "\"a\\\"b\\\\c\""},
        {"\x01\x1F\n\t", "\"\\u0001\\u001f\\u000a\\u0009\""},
        {"\x7F \u20AC\U0001F600", "\"\x7F \u20AC\U0001F600\""},
        {"{\"id\":\"x\"}", "\"{\\\"id\\\":\\\"x\\\"}\""},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct buf out AUTO(buf_release) = {0};
        json_append_text(&out, CASES[i].text);
        cr_expect_str_eq(buf_text(&out), CASES[i].written, "case %zu: %s", i, buf_text(&out));
        json_t *read AUTO(json_release) =
            json_loadb(buf_text(&out), out.length, JSON_DECODE_ANY, NULL);
        cr_expect_str_eq(json_string_value(read), CASES[i].text, "case %zu", i);
    }
}

Test(json_fields, an_empty_text_is_written_as_null)
{
    json_t *text AUTO(json_release) = json_text_or_null("x");
    cr_assert_str_eq(json_string_value(text), "x");
    json_t *empty AUTO(json_release) = json_text_or_null("");
    cr_assert(json_is_null(empty));
}

Test(json_fields, releasing_nothing_is_fine)
{
    json_t *nothing = NULL;
    json_release(&nothing);
    cr_assert_null(nothing);
}
