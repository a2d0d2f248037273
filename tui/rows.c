/* The table of bookings and the order they are shown in. Knows neither keys nor the screen. */
#include "rows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"

enum { FIRST_CAPACITY = 64 };

void rows_release(struct rows *rows)
{
    for (size_t i = 0; i < rows->capacity; i++) {
        struct row *row = rows->table[i];
        if (!row)
            continue;
        record_free(row->record);
        answer_free(row->answer);
        free(row);
    }
    free(rows->table);
    free(rows->list);
    *rows = (struct rows){0};
}

/* FNV-1a. Ids come from our own worker, so nobody gains by choosing ones that collide. */
static size_t hash_of(const char *id)
{
    uint64_t hash = 0xcbf29ce484222325U;
    for (; *id; id++)
        hash = (hash ^ (unsigned char)*id) * 0x100000001b3U;
    return (size_t)(hash ^ hash >> 32);
}

/* The cell that holds the id, or the free one where it belongs. */
static struct row **cell_of(const struct rows *rows, const char *id)
{
    const size_t mask = rows->capacity - 1;
    size_t i = hash_of(id) & mask;
    while (rows->table[i] && strcmp(rows->table[i]->record->id, id) != 0)
        i = (i + 1) & mask;
    return &rows->table[i];
}

static void grow(struct rows *rows)
{
    struct rows bigger = *rows;
    bigger.capacity = rows->capacity ? 2 * rows->capacity : FIRST_CAPACITY;
    bigger.table = memory_new(bigger.capacity, sizeof *bigger.table);
    for (size_t i = 0; i < rows->capacity; i++)
        if (rows->table[i])
            *cell_of(&bigger, rows->table[i]->record->id) = rows->table[i];
    free(rows->table);
    *rows = bigger;
}

struct row *rows_find(const struct rows *rows, const char *id)
{
    return rows->capacity ? *cell_of(rows, id) : NULL;
}

struct row *rows_put(struct rows *rows, struct record *record, bool *changed)
{
    struct row *known = rows_find(rows, record->id);
    if (known) {
        *changed = record_merge(known->record, record);
        return known;
    }
    if (2 * (rows->count + 1) > rows->capacity)
        grow(rows);
    struct row *row = memory_new(1, sizeof *row);
    row->record = record;
    *cell_of(rows, record->id) = row;
    rows->count++;
    *changed = true;
    return row;
}

static int compare(const struct row *a, const struct row *b)
{
    if (a->record->received_s != b->record->received_s)
        return a->record->received_s < b->record->received_s ? -1 : 1;
    return strcmp(a->record->id, b->record->id);
}

size_t rows_place(const struct rows *rows, const struct row *row)
{
    size_t low = 0;
    size_t high = rows->listed;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (compare(rows->list[middle], row) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t rows_list(struct rows *rows, struct row *row)
{
    assert(!row->listed);
    if (rows->listed == rows->list_capacity) {
        rows->list_capacity = rows->list_capacity ? 2 * rows->list_capacity : FIRST_CAPACITY;
        rows->list = memory_resize(rows->list, rows->list_capacity, sizeof(struct row *));
    }
    const size_t place = rows_place(rows, row);
    memmove(rows->list + place + 1, rows->list + place,
            (rows->listed - place) * sizeof(struct row *));
    rows->list[place] = row;
    rows->listed++;
    row->listed = true;
    return place;
}

size_t rows_unlist(struct rows *rows, struct row *row)
{
    assert(row->listed);
    const size_t place = rows_place(rows, row);
    rows->listed--;
    memmove(rows->list + place, rows->list + place + 1,
            (rows->listed - place) * sizeof(struct row *));
    row->listed = false;
    return place;
}
