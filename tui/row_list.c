/* Rows in order. Sorting compares numbers that stand side by side and looks at a row only where
 * they are equal: a hundred thousand rows are scattered over the memory. */
#include "row_list.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "rows.h"

/* --- the orders --- */

static int compare_numbers(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int by_waiting(const struct row *a, const struct row *b)
{
    const int order = compare_numbers(a->record->received_s, b->record->received_s);
    return order ? order : strcmp(a->id, b->id);
}

static int by_start(const struct row *a, const struct row *b)
{
    const int order = compare_numbers(a->record->start_s, b->record->start_s);
    return order ? order : by_waiting(a, b);
}

static int by_name(const struct row *a, const struct row *b)
{
    const int order = strcmp(a->folded, b->folded);
    return order ? order : by_waiting(a, b);
}

/* Numbers that are in the same order as what they were made of, or equal. */
static int64_t waiting_key(const struct row *row)
{
    return row->record->received_s;
}

static int64_t start_key(const struct row *row)
{
    return row->record->start_s;
}

static int64_t name_key(const struct row *row)
{
    enum { LETTERS = 7 }; /* so that it is never negative */
    int64_t key = 0;
    const char *at = row->folded;
    for (int i = 0; i < LETTERS; i++)
        key = key << 8 | (unsigned char)(*at ? *at++ : 0);
    return key;
}

static const struct {
    int (*compare)(const struct row *a, const struct row *b);
    int64_t (*key)(const struct row *row);
} orders[ORDERS] = {[ORDER_OLDEST] = {by_waiting, waiting_key},
                    [ORDER_TIME] = {by_start, start_key},
                    [ORDER_NAME] = {by_name, name_key}};

/* --- one row --- */

void row_list_release(struct row_list *list)
{
    free(list->rows);
    *list = (struct row_list){.order = list->order};
}

/* The first of the sorted ones below `end` that is not before the row. */
static size_t place_below(const struct row_list *list, const struct row *row, size_t end)
{
    size_t low = 0;
    while (low < end) {
        const size_t middle = low + (end - low) / 2;
        if (orders[list->order].compare(list->rows[middle], row) < 0)
            low = middle + 1;
        else
            end = middle;
    }
    return low;
}

size_t row_list_place(const struct row_list *list, const struct row *row)
{
    return place_below(list, row, list->sorted);
}

static void put_at(struct row_list *list, struct row *row, size_t place)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? 2 * list->capacity : 64;
        list->rows = memory_resize(list->rows, list->capacity, sizeof(struct row *));
    }
    memmove(list->rows + place + 1, list->rows + place,
            (list->count - place) * sizeof(struct row *));
    list->rows[place] = row;
    list->count++;
}

void row_list_add(struct row_list *list, struct row *row)
{
    put_at(list, row, list->count);
}

void row_list_put(struct row_list *list, struct row *row)
{
    assert(list->sorted == list->count);
    put_at(list, row, row_list_place(list, row));
    list->sorted++;
}

void row_list_take(struct row_list *list, struct row *row)
{
    size_t place = row_list_place(list, row);
    const bool sorted = place < list->sorted && list->rows[place] == row;
    for (place = sorted ? place : list->sorted; list->rows[place] != row; place++)
        assert(place + 1 < list->count);
    list->sorted -= sorted;
    list->count--;
    memmove(list->rows + place, list->rows + place + 1,
            (list->count - place) * sizeof(struct row *));
}

bool row_list_has(const struct row_list *list, const struct row *row)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->rows[i] == row)
            return true;
    return false;
}

/* --- many rows --- */

struct keyed {
    int64_t key;
    struct row *row;
};

static int compare_keyed(const void *a, const void *b, void *context)
{
    const struct keyed *x = a;
    const struct keyed *y = b;
    const struct row_list *list = context;
    const int order = compare_numbers(x->key, y->key);
    return order ? order : orders[list->order].compare(x->row, y->row);
}

/* From the last one on, each goes between those before, which move up by as many as are left. */
void row_list_settle(struct row_list *list)
{
    const size_t more = list->count - list->sorted;
    if (more == 0)
        return;
    struct keyed *tail AUTO(memory_release) = memory_new(more, sizeof *tail);
    for (size_t i = 0; i < more; i++) {
        struct row *row = list->rows[list->sorted + i];
        tail[i] = (struct keyed){orders[list->order].key(row), row};
    }
    qsort_r(tail, more, sizeof *tail, compare_keyed, list);
    size_t end = list->sorted;
    for (size_t left = more; left-- > 0;) {
        const size_t place = place_below(list, tail[left].row, end);
        memmove(list->rows + place + left + 1, list->rows + place,
                (end - place) * sizeof(struct row *));
        list->rows[place + left] = tail[left].row;
        end = place;
    }
    list->sorted = list->count;
}
