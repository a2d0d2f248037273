/* The table of bookings and the order they are shown in. Knows neither keys nor the screen. */
#include "rows.h"

#include <assert.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "fold.h"

/* --- a row and its answer --- */

/* It goes out as soon as the journal has it. */
static bool is_hurried(const struct answer *answer)
{
    return answer->state == ANSWER_SAVING && answer->hurried;
}

bool row_is_staged(const struct row *row)
{
    const struct answer *answer = row->answer;
    return answer && !answer->unsure && !is_hurried(answer) && answer->state <= ANSWER_KEPT;
}

bool row_is_sending(const struct row *row)
{
    const struct answer *answer = row->answer;
    return answer && (is_hurried(answer) || answer->state == ANSWER_SENDING ||
                      answer->state == ANSWER_RETRYING);
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
    free(row->folded);
    free(row);
}

/* --- the table --- */

void rows_init(struct rows *rows, enum conf_order order)
{
    *rows = (struct rows){.order = order};
    rows->known.order = ORDER_TIME;
    rows->inbox.order = rows->list.order = order;
    for (enum conf_order other = 0; other < ORDERS; other++)
        rows->other[other].order = other;
}

void rows_release(struct rows *rows)
{
    tdestroy(rows->tree, row_free);
    row_list_release(&rows->known);
    row_list_release(&rows->inbox);
    row_list_release(&rows->list);
    for (enum conf_order order = 0; order < ORDERS; order++)
        row_list_release(&rows->other[order]);
    buf_release(&rows->wanted);
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

static bool is_wanted(const struct rows *rows, const struct row *row)
{
    const char *wanted = buf_text(&rows->wanted);
    return strstr(row->folded, wanted) ||
           (rows->wants_id && strcasestr(record_short_id(row->record), wanted));
}

static void enter(struct rows *rows, struct row *row)
{
    free(row->folded);
    row->folded = fold_new(record_client(row->record));
    for (enum conf_order order = 0; order < ORDERS; order++)
        if (order != rows->order)
            row_list_add(&rows->other[order], row);
    if (rows->gathering) {
        row_list_add(&rows->inbox, row);
        return;
    }
    row_list_put(&rows->inbox, row);
    if (is_wanted(rows, row))
        row_list_put(&rows->list, row);
}

static void leave(struct rows *rows, struct row *row)
{
    for (enum conf_order order = 0; order < ORDERS; order++)
        if (order != rows->order)
            row_list_take(&rows->other[order], row);
    row_list_take(&rows->inbox, row);
    if (is_wanted(rows, row))
        row_list_take(&rows->list, row);
}

static bool is_sorted_anew(const struct record *record, const struct record *news)
{
    return (news->start_s != 0 && news->start_s != record->start_s) ||
           strcmp(record_client(news), record_client(record)) != 0;
}

/* Its start or its name may have changed, and with them its place. */
static bool merge(struct rows *rows, struct row *row, struct record *news)
{
    if (!is_sorted_anew(row->record, news))
        return record_merge(row->record, news);
    rows_settle(rows);
    row_list_take(&rows->known, row);
    if (row->listed)
        leave(rows, row);
    const bool changed = record_merge(row->record, news);
    row_list_put(&rows->known, row);
    if (row->listed)
        enter(rows, row);
    return changed;
}

static void note_length(struct rows *rows, const struct record *record)
{
    const int64_t length_s = record->end_s - record->start_s;
    if (length_s > rows->longest_s)
        rows->longest_s = length_s;
}

static struct row *add(struct rows *rows, struct record *record)
{
    struct row *row = memory_new(1, sizeof *row);
    row->record = record;
    row->id = record->id;
    if (!tsearch(row, &rows->tree, compare_ids))
        memory_exhausted();
    if (rows->gathering)
        row_list_add(&rows->known, row);
    else
        row_list_put(&rows->known, row);
    return row;
}

struct row *rows_put(struct rows *rows, struct record *record, bool *changed)
{
    struct row *row = rows_find(rows, record->id);
    note_length(rows, record);
    *changed = row ? merge(rows, row, record) : true;
    return row ? row : add(rows, record);
}

size_t rows_reaching(const struct rows *rows, int64_t at_s)
{
    struct record record = {.start_s = at_s - rows->longest_s, .received_s = INT64_MIN};
    const struct row key = {.id = "", .record = &record};
    return row_list_place(&rows->known, &key);
}

/* --- the list --- */

size_t rows_place(const struct rows *rows, const struct row *row)
{
    return row_list_place(&rows->list, row);
}

bool rows_shows(const struct rows *rows, const struct row *row)
{
    return row->listed && is_wanted(rows, row);
}

void rows_list(struct rows *rows, struct row *row)
{
    assert(!row->listed);
    enter(rows, row);
    row->listed = true;
}

void rows_unlist(struct rows *rows, struct row *row)
{
    assert(row->listed);
    rows_settle(rows);
    leave(rows, row);
    rows_mark(rows, row, false);
    row->listed = false;
}

/* From those rows, which may be the list itself. */
static void choose(struct rows *rows, const struct row_list *from)
{
    const size_t count = from->count;
    rows->list.count = 0;
    for (size_t i = 0; i < count; i++)
        if (rows->wanted.length == 0 || is_wanted(rows, from->rows[i]))
            row_list_add(&rows->list, from->rows[i]);
    rows->list.sorted = rows->list.count;
}

void rows_gather(struct rows *rows)
{
    rows->gathering = true;
}

void rows_settle(struct rows *rows)
{
    const bool more = rows->inbox.sorted < rows->inbox.count;
    rows->gathering = false;
    row_list_settle(&rows->known);
    row_list_settle(&rows->inbox);
    for (enum conf_order order = 0; more && order < ORDERS; order++)
        row_list_settle(&rows->other[order]);
    if (more)
        choose(rows, &rows->inbox);
}

void rows_sort(struct rows *rows, enum conf_order order)
{
    const struct row_list inbox = rows->inbox;
    if (order == rows->order)
        return;
    rows->inbox = rows->other[order];
    rows->other[order] = (struct row_list){0};
    rows->other[rows->order] = inbox;
    rows->order = rows->list.order = order;
    row_list_settle(&rows->inbox);
    choose(rows, &rows->inbox);
}

/* A short word is somewhere in every id, and a name has no digits. */
static bool may_be_id(const char *text)
{
    enum { ID_LETTERS = 4 };
    const size_t length = strlen(text);
    return length >= ID_LETTERS && id_valid(text, length) && strpbrk(text, "0123456789");
}

void rows_want(struct rows *rows, const char *text)
{
    struct buf before AUTO(buf_release) = rows->wanted;
    rows->wanted = (struct buf){0};
    fold(&rows->wanted, text);
    const char *wanted = buf_text(&rows->wanted);
    rows->wants_id = may_be_id(wanted);
    /* What is typed on narrows what was found. */
    const bool narrows = !rows->wants_id && before.length > 0 &&
                         strncmp(wanted, buf_text(&before), before.length) == 0;
    choose(rows, narrows ? &rows->list : &rows->inbox);
}

void rows_mark(struct rows *rows, struct row *row, bool marked)
{
    rows->marked += marked && !row->marked;
    rows->marked -= !marked && row->marked;
    row->marked = marked;
}

struct row_list rows_marked(const struct rows *rows)
{
    struct row_list marked = {0};
    for (size_t i = 0; marked.count < rows->marked && i < rows->inbox.count; i++)
        if (rows->inbox.rows[i]->marked)
            row_list_add(&marked, rows->inbox.rows[i]);
    row_list_settle(&marked);
    return marked;
}
