/* The growing buffer and the allocation helpers: the only place that decides what happens without
 * memory, which is to abort. Knows nothing of what the text means. */
#include "buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 64 };

static size_t maximum_of(const struct buf *buf)
{
    return buf->maximum > 0 ? buf->maximum : BUF_DEFAULT_MAXIMUM;
}

/* Makes room for `more` bytes and the NUL. Doubling keeps a long text at linear cost. */
static bool make_room(struct buf *buf, size_t more)
{
    if (buf->overflow || more > maximum_of(buf) - buf->length) {
        buf->overflow = true;
        return false;
    }
    const size_t needed = buf->length + more + 1;
    if (needed <= buf->capacity)
        return true;
    size_t capacity = buf->capacity > FIRST_CAPACITY / 2 ? buf->capacity * 2 : FIRST_CAPACITY;
    if (capacity > maximum_of(buf) + 1)
        capacity = maximum_of(buf) + 1;
    if (capacity < needed)
        capacity = needed;
    buf->data = memory_resize(buf->data, capacity, 1);
    buf->capacity = capacity;
    return true;
}

void buf_append(struct buf *buf, const void *data, size_t length)
{
    if (!make_room(buf, length))
        return;
    if (length > 0)
        memcpy(buf->data + buf->length, data, length);
    buf->length += length;
    buf->data[buf->length] = '\0';
}

void buf_text_append(struct buf *buf, const char *text)
{
    buf_append(buf, text, strlen(text));
}

void buf_char(struct buf *buf, char c)
{
    buf_append(buf, &c, 1);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list values;
    va_list again;
    va_start(values, format);
    va_copy(again, values);
    const int length = vsnprintf(NULL, 0, format, values);
    va_end(values);
    assert(length >= 0);
    if (make_room(buf, (size_t)length)) {
        (void)vsnprintf(buf->data + buf->length, (size_t)length + 1, format, again);
        buf->length += (size_t)length;
    }
    va_end(again);
}

const char *buf_text(const struct buf *buf)
{
    return buf->data ? buf->data : "";
}

void buf_consume(struct buf *buf, size_t count)
{
    assert(count <= buf->length);
    if (count == 0)
        return;
    memmove(buf->data, buf->data + count, buf->length - count + 1);
    buf->length -= count;
}

void buf_clear(struct buf *buf)
{
    buf->length = 0;
    buf->overflow = false;
    if (buf->data)
        buf->data[0] = '\0';
}

void buf_release(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){.maximum = buf->maximum};
}

char *buf_take(struct buf *buf)
{
    char *text = buf->data ? buf->data : memory_text("");
    *buf = (struct buf){.maximum = buf->maximum};
    return text;
}

void memory_exhausted(void)
{
    (void)fputs("out of memory\n", stderr);
    abort();
}

static void *or_abort(void *memory)
{
    if (!memory)
        memory_exhausted();
    return memory;
}

void *memory_new(size_t count, size_t size)
{
    return or_abort(calloc(count > 0 ? count : 1, size > 0 ? size : 1));
}

void *memory_resize(void *old, size_t count, size_t size)
{
    return or_abort(reallocarray(old, count > 0 ? count : 1, size > 0 ? size : 1));
}

char *memory_text(const char *text)
{
    return memory_text_n(text, strlen(text));
}

char *memory_text_n(const char *text, size_t length)
{
    assert(length < SIZE_MAX);
    char *copy = memory_new(length + 1, 1);
    if (length > 0)
        memcpy(copy, text, length);
    return copy;
}

void memory_release(void *pointer_to_variable)
{
    /* Copied as bytes, for the variable may be of any pointer type. */
    void *memory = NULL;
    memcpy(&memory, pointer_to_variable, sizeof memory);
    free(memory);
}
