/* Points in time as the outside writes them: RFC 3339, UTC, whole seconds, `Z`. */
#ifndef BOOKFLOW_TIMESTAMP_H
#define BOOKFLOW_TIMESTAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "errors.h"

enum { TIMESTAMP_SIZE = 21 }; /* "2026-02-19T10:00:00Z" and its NUL */

/* Accepts any RFC 3339 offset and fractional seconds (cut off, not rounded), years 1970 to 9999,
 * leap seconds as :59. Fails with ERROR_INVALID. */
MUST_CHECK bool timestamp_parse(const char *text, int64_t *seconds, struct error *error);

/* Seconds outside 1970..9999 are clamped. Returns out. */
const char *timestamp_format(int64_t seconds, char out[TIMESTAMP_SIZE]);

/* "2026-02-19" at midnight UTC; ERROR_INVALID. */
MUST_CHECK bool timestamp_parse_date(const char *text, int64_t *seconds, struct error *error);

#endif
