/* Query parameters, checked: each getter gives the fallback when the parameter is absent and
 * ERROR_INVALID, naming it, when it is wrong. */
#ifndef BOOKFLOW_QUERY_H
#define BOOKFLOW_QUERY_H

#include <stddef.h>
#include <stdint.h>

#include "booking.h"
#include "server.h"

enum { PAGE_DEFAULT = 100, PAGE_MAX = 1000, SLOTS_PAGE_MAX = 10000 };

/* A whole number without a sign. */
MUST_CHECK bool query_number(const char *text, int64_t *number);

/* `limit`: *limit when absent, otherwise 1 to maximum. */
MUST_CHECK bool query_limit(const struct http_request *request, size_t maximum, size_t *limit,
                            struct error *error);

/* A number that we gave out as a cursor; 0 when absent. */
MUST_CHECK bool query_cursor(const struct http_request *request, const char *name, int64_t *cursor,
                             struct error *error);

/* An RFC 3339 time or a date (midnight UTC). */
MUST_CHECK bool query_time(const struct http_request *request, const char *name, int64_t fallback,
                           int64_t *seconds, struct error *error);

/* BOOKING_ABSENT when absent. */
MUST_CHECK bool query_status(const struct http_request *request, enum booking_status *status,
                             struct error *error);

/* A valid id; NULL when absent. */
MUST_CHECK bool query_id(const struct http_request *request, const char *name, const char **id,
                         struct error *error);

MUST_CHECK bool query_flag(const struct http_request *request, const char *name, bool *flag,
                           struct error *error);

#endif
