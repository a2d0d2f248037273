/* Entries of the outbox in memory, in the order of each booking. Must not know the queue. */
#include "window.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"

enum { LOAD_ROWS = 32 };

void entry_append(struct entry_list *list, struct entry *entry)
{
    entry->next = NULL;
    *(list->end ? list->end : &list->first) = entry;
    list->end = &entry->next;
}

struct entry *entry_take(struct entry_list *list)
{
    struct entry *entry = list->first;
    if (!entry)
        return NULL;
    list->first = entry->next;
    if (!list->first)
        list->end = NULL;
    return entry;
}

/* Takes over the row. */
static void window_add(struct window *window, struct outbox_row *row, struct publisher *publisher)
{
    struct entry *entry = memory_new(1, sizeof *entry);
    entry->publisher = publisher;
    entry->row = *row;
    entry->failure_noted = row->attempts > 0;
    struct entry *before = lookup_find(&window->bookings, entry->row.booking_id);
    if (before)
        before->follower = entry;
    else
        entry_append(&window->ready, entry);
    lookup_add(&window->bookings, &entry->by_booking, entry->row.booking_id, entry);
    window->last_sequence = row->sequence;
    window->rows++;
}

bool window_load(struct window *window, struct db *reader, struct publisher *publisher,
                 struct error *error)
{
    struct outbox_row rows[LOAD_ROWS];
    size_t wanted = 0;
    size_t count = 0;
    do {
        const size_t room = WINDOW_ROWS - window->rows;
        wanted = room < LOAD_ROWS ? room : LOAD_ROWS;
        count = 0;
        if (wanted > 0 && !outbox_load(reader, window->last_sequence, rows, wanted, &count, error))
            return false;
        for (size_t i = 0; i < count; i++)
            window_add(window, &rows[i], publisher);
    } while (wanted > 0 && count == wanted);
    return true;
}

static void entry_free(struct entry *entry)
{
    outbox_row_release(&entry->row);
    free(entry);
}

void window_remove(struct window *window, struct entry *entry)
{
    lookup_remove(&window->bookings, &entry->by_booking);
    if (entry->follower)
        entry_append(&window->ready, entry->follower);
    window->rows--;
    entry_free(entry);
}

void window_release(struct window *window)
{
    for (struct entry *entry = entry_take(&window->waiting); entry;
         entry = entry_take(&window->waiting))
        entry_append(&window->ready, entry);
    for (struct entry *entry = entry_take(&window->ready); entry;
         entry = entry_take(&window->ready))
        window_remove(window, entry);
}
