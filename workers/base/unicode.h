/* What a terminal does with one code point. Facts of Unicode, free of the locale. */
#ifndef BOOKFLOW_UNICODE_H
#define BOOKFLOW_UNICODE_H

#include <stdbool.h>
#include <stdint.h>

/* Must not be shown: it acts on a terminal, reorders a line or cannot be seen. */
bool unicode_hidden(uint32_t code);

/* Sits on the letter before it and takes no column. */
bool unicode_mark(uint32_t code);

/* Columns of a code point that is not hidden: 0, 1 or 2. */
unsigned unicode_columns(uint32_t code);

#endif
