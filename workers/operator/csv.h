/* Comma-separated values after RFC 4180: quoted fields, doubled quotes, CRLF or LF. */
#ifndef BOOKFLOW_CSV_H
#define BOOKFLOW_CSV_H

#include <stddef.h>

#include "errors.h"

/* Splits the next line of *text, in place, into exactly `count` fields and moves *text behind it.
 * Quoted fields must end on their line. ERROR_INVALID says what is wrong with the line. */
MUST_CHECK bool csv_line(char **text, char *fields[], size_t count, struct error *error);

#endif
