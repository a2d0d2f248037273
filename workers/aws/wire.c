/* Requests and answers as each protocol writes them. */
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "client.h"

const char *wire_content_type(const struct wire *wire)
{
    return wire->target ? "application/x-amz-json-1.0"
                        : "application/x-www-form-urlencoded; charset=utf-8";
}

char *wire_form(const struct wire_field fields[])
{
    struct buf body AUTO(buf_release) = {0};
    for (; fields->name; fields++) {
        buf_text_append(&body, body.length > 0 ? "&" : "");
        client_escape(&body, fields->name);
        buf_char(&body, '=');
        client_escape(&body, fields->value);
    }
    return buf_take(&body);
}

char *wire_element(const char *xml, const char *name)
{
    char open[64];
    char close[64];
    (void)snprintf(open, sizeof open, "<%s>", name);
    (void)snprintf(close, sizeof close, "</%s>", name);
    const char *begin = strstr(xml, open);
    const char *end = begin ? strstr(begin, close) : NULL;
    if (!end)
        return NULL;
    begin += strlen(open);
    return memory_text_n(begin, (size_t)(end - begin));
}

json_t *wire_answer(const struct wire *wire, const struct exchange_answer *answer)
{
    json_error_t ignored;
    if (!wire->target) {
        char *id AUTO(memory_release) = wire_element(answer->body, "RequestId");
        return id ? json_object() : NULL;
    }
    if (answer->body_length == 0)
        return json_object();
    json_t *object = json_loadb(answer->body, answer->body_length, JSON_ALLOW_NUL, &ignored);
    if (json_is_object(object))
        return object;
    json_decref(object);
    return NULL;
}

void wire_failure(const struct wire *wire, const struct exchange_answer *answer,
                  struct failure *failure)
{
    if (wire->target) {
        failure_read(failure, answer->status, answer->body, answer->body_length);
        return;
    }
    char *code AUTO(memory_release) = wire_element(answer->body, "Code");
    char *message AUTO(memory_release) = wire_element(answer->body, "Message");
    json_t *object = json_pack("{s:s?,s:s?}", "__type", code, "message", message);
    char *body AUTO(memory_release) = json_dumps(object, 0);
    json_decref(object);
    failure_read(failure, answer->status, body ? body : "", body ? strlen(body) : 0);
}
