/* Rows into records: one query, read into the caller's record or array. Inside the store only. */
#ifndef BOOKFLOW_ROWS_H
#define BOOKFLOW_ROWS_H

#include <stddef.h>

#include "db.h"

/* Fills one element from the current row. */
typedef void row_read_fn(const struct db_rows *rows, void *element);

struct row_target {
    row_read_fn *read;
    void *elements; /* room for as many as the query's LIMIT */
    size_t size;    /* of one */
};

struct row_query {
    const char *sql; /* a string constant */
    const struct db_value *values;
};

MUST_CHECK bool rows_read_one(struct db *db, const struct row_query *query,
                              const struct row_target *target, bool *found, struct error *error);
MUST_CHECK bool rows_read_all(struct db *db, const struct row_query *query,
                              const struct row_target *target, size_t *count, struct error *error);

/* Copies a column of text; false for what does not fit, or has a NUL that would hide what is behind
 * it: only damage makes it so. */
MUST_CHECK bool row_text(const struct db_rows *rows, int column, char *out, size_t size);

/* row_read_fn's for a column of ids and for a single number. */
void row_read_id(const struct db_rows *rows, void *id);
void row_read_number(const struct db_rows *rows, void *number);

#endif
