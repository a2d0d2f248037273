/* Text from outside, made safe to show: the one sanitiser for console, command line and logs. */
#ifndef BOOKFLOW_TEXT_H
#define BOOKFLOW_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

/* The next code point of UTF-8 text; advances *text. Malformed bytes give U+FFFD, one for each
 * maximal invalid run as the Unicode standard recommends. 0 at the end. */
uint32_t text_next(const char **text, const char *end);

/* Appends the code point as UTF-8. */
void text_append(struct buf *out, uint32_t code);

/* True for well-formed UTF-8 (no surrogates, no overlong forms, at most U+10FFFF). */
bool text_is_utf8(const char *text, size_t length);

/* Appends the text without what could act on a terminal or reorder a line: C0, C1, DEL, bidi
 * controls (U+061C, U+200E-F, U+202A-E, U+2066-9), zero-width characters (U+200B-D, U+2060,
 * U+FEFF), line and paragraph separators, variation selectors, tags, all else that Unicode calls
 * default-ignorable, and marks beyond two on one base. Tabs and newlines become one space a run;
 * malformed UTF-8 becomes U+FFFD. */
void text_display(struct buf *out, const char *text, size_t length);

/* Bytes as lower-case hex: 2 * length + 1 characters. */
void text_hex(char *out, const void *data, size_t length);

/* Columns of sanitised UTF-8 on a terminal (wide letters count two, marks none). */
size_t text_columns(const char *text, size_t length);

/* Appends as much of the sanitised text as fits into `columns`, on a whole letter; "…" ends a cut
 * one. Returns the columns used, so the caller can pad. */
size_t text_fit(struct buf *out, const char *text, size_t columns);

#endif
