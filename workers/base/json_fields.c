/* Strict reading of JSON from outside. Knows jansson; knows nothing of which fields exist. */
#include "json_fields.h"

#include <assert.h>
#include <string.h>

#include "text.h"
#include "timestamp.h"

/* jansson quotes the input behind "near". The sentence may end up in a log, and the input may name
 * people: it goes without. */
static void refuse_syntax(const json_error_t *problem, struct error *error)
{
    struct buf shown AUTO(buf_release) = {0};
    const char *quoted = strstr(problem->text, " near '");
    text_display(&shown, problem->text,
                 quoted ? (size_t)(quoted - problem->text) : strlen(problem->text));
    (void)error_set(error, ERROR_INVALID, "body is not valid JSON: %s at byte %d", buf_text(&shown),
                    problem->position);
}

json_t *json_parse_object(const char *text, size_t length, struct error *error)
{
    json_error_t problem = {0};
    /* Without JSON_ALLOW_NUL jansson refuses \u0000, without JSON_DISABLE_EOF_CHECK what follows.
     */
    json_t *value AUTO(json_release) =
        json_loadb(length > 0 ? text : "", length, JSON_REJECT_DUPLICATES, &problem);
    if (!value) {
        refuse_syntax(&problem, error);
        return NULL;
    }
    if (!json_is_object(value)) {
        (void)error_set(error, ERROR_INVALID, "body must be a JSON object");
        return NULL;
    }
    return json_incref(value);
}

/* The field's text, NULL for absent or null. */
static bool text_field(const json_t *object, const char *name, const char **out,
                       struct error *error)
{
    const json_t *value = json_object_get(object, name);
    if (value && !json_is_null(value) && !json_is_string(value))
        return error_set(error, ERROR_INVALID, "%s must be a string", name);
    *out = json_string_value(value);
    return true;
}

static bool required_text(const json_t *object, const char *name, const char **out,
                          struct error *error)
{
    const char *text = NULL;
    if (!text_field(object, name, &text, error))
        return false;
    if (!text || *text == '\0')
        return error_set(error, ERROR_INVALID, "%s is required", name);
    *out = text;
    return true;
}

bool json_id(const json_t *object, const char *name, char out[ID_SIZE], struct error *error)
{
    const char *text = "";
    if (!required_text(object, name, &text, error))
        return false;
    if (!id_valid(text, strlen(text)))
        return error_set(error, ERROR_INVALID, "%s must be an id: 1 to 128 of A-Z a-z 0-9 . _ : -",
                         name);
    id_copy(out, text);
    return true;
}

/* jansson let only well-formed UTF-8 in: each byte that continues nothing starts a character. */
static size_t characters(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

bool json_optional_text(const json_t *object, const char *name, size_t maximum, const char **out,
                        struct error *error)
{
    const char *text = NULL;
    if (!text_field(object, name, &text, error))
        return false;
    if (text && characters(text) > maximum)
        return error_set(error, ERROR_INVALID, "%s must be at most %zu characters", name, maximum);
    *out = text;
    return true;
}

bool json_time(const json_t *object, const char *name, int64_t *seconds, struct error *error)
{
    const char *text = NULL;
    if (!required_text(object, name, &text, error))
        return false;
    if (!timestamp_parse(text, seconds, error))
        return error_context(error, "%s", name);
    return true;
}

json_t *json_text_or_null(const char *text)
{
    return *text ? json_string(text) : json_null();
}

json_t *json_timestamp(int64_t seconds)
{
    char text[TIMESTAMP_SIZE];
    return seconds == 0 ? json_null() : json_string(timestamp_format(seconds, text));
}

static int append_chunk(const char *data, size_t length, void *context)
{
    buf_append(context, data, length);
    return 0;
}

void json_append(struct buf *out, const json_t *value)
{
    const int failed = json_dump_callback(value, append_chunk, out, JSON_COMPACT | JSON_ENCODE_ANY);
    assert(!failed);
}

/* A run that needs no escape goes over in one piece. */
void json_append_text(struct buf *out, const char *text)
{
    buf_char(out, '"');
    for (const char *run = text; *text; run = text) {
        while (*text && *text != '"' && *text != '\\' && (unsigned char)*text >= ' ')
            text++;
        buf_append(out, run, (size_t)(text - run));
        if (!*text)
            break;
        if ((unsigned char)*text < ' ')
            buf_printf(out, "\\u%04x", (unsigned char)*text);
        else
            buf_append(out, (const char[]){'\\', *text}, 2);
        text++;
    }
    buf_char(out, '"');
}

void json_release(json_t **value)
{
    json_decref(*value);
    *value = NULL;
}
