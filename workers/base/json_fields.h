/* JSON from outside, read strictly: one parse, and getters that name what is wrong.
 *
 * Every sentence here reaches users as `{"error":"..."}`. All failures are ERROR_INVALID. */
#ifndef BOOKFLOW_JSON_FIELDS_H
#define BOOKFLOW_JSON_FIELDS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "ids.h"

/* Parses one JSON object: UTF-8, no duplicate keys, no NUL in strings, nothing behind it, nested no
 * deeper than jansson's own limit. The caller owns the result (json_decref). */
MUST_CHECK json_t *json_parse_object(const char *text, size_t length, struct error *error);

/* A required id. A missing, empty or null one says "NAME is required". */
MUST_CHECK bool json_id(const json_t *object, const char *name, char out[ID_SIZE],
                        struct error *error);

/* An optional text of at most `maximum` characters (code points); *out is NULL when absent or null
 * and otherwise borrowed from the object. */
MUST_CHECK bool json_optional_text(const json_t *object, const char *name, size_t maximum,
                                   const char **out, struct error *error);

/* A required RFC 3339 time, in seconds since 1970. */
MUST_CHECK bool json_time(const json_t *object, const char *name, int64_t *seconds,
                          struct error *error);

/* A text as a JSON string; null for "". */
json_t *json_text_or_null(const char *text);

/* A time as a JSON string; null for 0. */
json_t *json_timestamp(int64_t seconds);

/* Appends the compact form, keys in the order they were set. */
void json_append(struct buf *out, const json_t *value);

/* Appends the text, which is UTF-8, as a JSON string. */
void json_append_text(struct buf *out, const char *text);

/* For AUTO(): drops the reference. */
void json_release(json_t **value);

#endif
