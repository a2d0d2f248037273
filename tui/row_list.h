/* Rows in order: sorted as far as `sorted`, with what has not been put into its place yet behind.
 * Changes cost little however many rows there are. */
#ifndef BOOKFLOW_ROW_LIST_H
#define BOOKFLOW_ROW_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "conf.h"

struct row;
struct row_list {
    struct row **rows;
    size_t count;
    size_t sorted;
    size_t capacity;
    enum conf_order order;
};

void row_list_release(struct row_list *list); /* for AUTO() */
/* Behind the others. */
void row_list_add(struct row_list *list, struct row *row);
/* Into its place; the list is settled. */
void row_list_put(struct row_list *list, struct row *row);
/* Must be in the list; wherever it is. */
void row_list_take(struct row_list *list, struct row *row);
/* Puts everything into its place. */
void row_list_settle(struct row_list *list);
/* Where the row stands among those in order, or would stand. */
size_t row_list_place(const struct row_list *list, const struct row *row);
bool row_list_has(const struct row_list *list, const struct row *row); /* looks at each */

#endif
