/* The table of bookings and the order they are shown in. Knows neither keys nor the screen. */
#include "rows.h"

#include <assert.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"

/* --- a row and its answer --- */

bool row_is_staged(const struct row *row)
{
    const struct answer *answer = row->answer;
    return answer && !answer->unsure &&
           (answer->state == ANSWER_STAGED || answer->state == ANSWER_KEPT);
}

bool row_is_sending(const struct row *row)
{
    const struct answer *answer = row->answer;
    return answer && (answer->state == ANSWER_SENDING || answer->state == ANSWER_RETRYING);
}

bool row_is_settled(const struct row *row)
{
    return !row->answer || row->answer->state >= ANSWER_DELIVERED;
}

const char *row_verb(const struct row *row)
{
    return row->answer->command == BOOKING_ACCEPT ? "ACCEPT" : "REJECT";
}

void row_drop_answer(struct row *row)
{
    if (row->answer) {
        free(row->answer->reason);
        free(row->answer->why);
    }
    free(row->answer);
    row->answer = NULL;
}

static void row_free(void *node)
{
    struct row *row = node;
    record_free(row->record);
    row_drop_answer(row);
    free(row);
}

/* --- the table --- */

void rows_release(struct rows *rows)
{
    tdestroy(rows->tree, row_free);
    free(rows->list);
    *rows = (struct rows){0};
}

static int compare_ids(const void *a, const void *b)
{
    return strcmp(((const struct row *)a)->id, ((const struct row *)b)->id);
}

struct row *rows_find(const struct rows *rows, const char *id)
{
    const struct row key = {.id = id};
    struct row *const *found = tfind(&key, &rows->tree, compare_ids);
    return found ? *found : NULL;
}

struct row *rows_put(struct rows *rows, struct record *record, bool *changed)
{
    struct row *row = rows_find(rows, record->id);
    if (row) {
        *changed = record_merge(row->record, record);
        return row;
    }
    row = memory_new(1, sizeof *row);
    row->record = record;
    row->id = record->id;
    *changed = tsearch(row, &rows->tree, compare_ids) != NULL;
    assert(*changed); /* only without memory, and then all of us abort */
    return row;
}

/* --- the list --- */

static int compare(const struct row *a, const struct row *b)
{
    if (a->record->received_s != b->record->received_s)
        return a->record->received_s < b->record->received_s ? -1 : 1;
    return strcmp(a->id, b->id);
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
        rows->list_capacity = rows->list_capacity ? 2 * rows->list_capacity : 64;
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
