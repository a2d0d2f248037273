/* Query parameters, checked. */
#include "query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ids.h"
#include "timestamp.h"

bool query_number(const char *text, int64_t *number)
{
    char *end = NULL;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno || end == text || *end || text[0] < '0' || text[0] > '9')
        return false;
    *number = value;
    return true;
}

bool query_limit(const struct http_request *request, size_t maximum, size_t *limit,
                 struct error *error)
{
    const char *text = http_request_query(request, "limit");
    int64_t number = 0;
    if (!text)
        return true;
    if (!query_number(text, &number) || number < 1 || (uint64_t)number > maximum)
        return error_set(error, ERROR_INVALID, "limit must be a number from 1 to %zu", maximum);
    *limit = (size_t)number;
    return true;
}

bool query_cursor(const struct http_request *request, const char *name, int64_t *cursor,
                  struct error *error)
{
    const char *text = http_request_query(request, name);
    int64_t number = 0;
    if (text && !query_number(text, &number))
        return error_set(error, ERROR_INVALID, "%s must be a cursor from an earlier answer", name);
    *cursor = number;
    return true;
}

bool query_time(const struct http_request *request, const char *name, int64_t fallback,
                int64_t *seconds, struct error *error)
{
    const char *text = http_request_query(request, name);
    if (!text) {
        *seconds = fallback;
        return true;
    }
    if (strlen(text) == strlen("2026-02-19"))
        return timestamp_parse_date(text, seconds, error) || error_context(error, "%s", name);
    return timestamp_parse(text, seconds, error) || error_context(error, "%s", name);
}

bool query_status(const struct http_request *request, enum booking_status *status,
                  struct error *error)
{
    const char *text = http_request_query(request, "status");
    *status = BOOKING_ABSENT;
    if (text && !booking_status_parse(text, status))
        return error_set(error, ERROR_INVALID,
                         "status must be pending, confirmed, rejected or cancelled");
    return true;
}

bool query_id(const struct http_request *request, const char *name, const char **id,
              struct error *error)
{
    const char *text = http_request_query(request, name);
    if (text && !id_valid(text, strlen(text)))
        return error_set(error, ERROR_INVALID, "%s must be an id: 1 to %d of A-Z a-z 0-9 . _ : -",
                         name, ID_MAX);
    *id = text;
    return true;
}

bool query_flag(const struct http_request *request, const char *name, bool *flag,
                struct error *error)
{
    const char *text = http_request_query(request, name);
    bool is_true = text && strcmp(text, "true") == 0;
    if (text && !is_true && strcmp(text, "false") != 0)
        return error_set(error, ERROR_INVALID, "%s must be true or false", name);
    *flag = is_true;
    return true;
}
