/* The bookings that the console knows, found by id, and the list of those that are shown, oldest
 * waiting first. A row stays at its address for the whole session, so it may be pointed to. */
#ifndef BOOKFLOW_ROWS_H
#define BOOKFLOW_ROWS_H

#include <stddef.h>

#include "answer.h"
#include "record.h"

struct row {
    struct record *record;
    struct answer *answer; /* NULL = none given */
    bool listed;
    bool fresh;       /* arrived by itself and was not under the cursor yet */
    uint32_t fetched; /* in which fetch of the list it was last heard of */
};

struct rows {
    struct row **table; /* open addressing by id; a power of two */
    size_t capacity;
    size_t count;
    struct row **list;
    size_t list_capacity;
    size_t listed;
};

void rows_release(struct rows *rows);

/* NULL when it is not known. */
struct row *rows_find(const struct rows *rows, const char *id);

/* Takes the record over: a new row, or the merge into the one there is. *changed: it was news. */
struct row *rows_put(struct rows *rows, struct record *record, bool *changed);

/* Where a row stands in the list, or would stand. */
size_t rows_place(const struct rows *rows, const struct row *row);

/* Into and out of the list. Both return the place and may be called only when it changes. */
size_t rows_list(struct rows *rows, struct row *row);
size_t rows_unlist(struct rows *rows, struct row *row);

#endif
