/* A growing text buffer with a hard maximum. The text is always NUL-terminated.
 *
 * Outgrowing the maximum is remembered (`overflow`) and further appends do nothing, so a writer
 * appends freely and checks once at the end. Failing to get memory aborts. */
#ifndef BOOKFLOW_BUF_H
#define BOOKFLOW_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "errors.h"

struct buf {
    char *data; /* NULL until the first append; use buf_text() */
    size_t length;
    size_t capacity;
    size_t maximum; /* 0 stands for BUF_DEFAULT_MAXIMUM */
    bool overflow;
};

enum { BUF_DEFAULT_MAXIMUM = 16 * 1024 * 1024 };

void buf_append(struct buf *buf, const void *data, size_t length);
void buf_text_append(struct buf *buf, const char *text);
void buf_char(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);

/* The text so far, "" when empty. Valid until the next append. */
const char *buf_text(const struct buf *buf);

/* Removes `count` bytes from the front. */
void buf_consume(struct buf *buf, size_t count);

/* Empties the buffer and keeps its memory. */
void buf_clear(struct buf *buf);

/* Frees the memory; the buffer is as new, its maximum kept. */
void buf_release(struct buf *buf);

/* Hands the text over to the caller, who frees it with free(). Never NULL. */
char *buf_take(struct buf *buf);

/* malloc, strdup and friends that abort instead of returning NULL. */
void *memory_new(size_t count, size_t size); /* zeroed */
void *memory_resize(void *old, size_t count, size_t size);
char *memory_text(const char *text);
char *memory_text_n(const char *text, size_t length);

/* How they abort: says so first. For a library's NULL that means nothing else. */
_Noreturn void memory_exhausted(void);

/* For AUTO(): frees a malloc'd pointer variable, whatever its type. */
void memory_release(void *pointer_to_variable);

#endif
