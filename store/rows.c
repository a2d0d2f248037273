/* Rows into records. Knows no table. */
#include "rows.h"

#include <string.h>

#include "ids.h"

bool rows_read_one(struct db *db, const struct row_query *query, const struct row_target *target,
                   bool *found, struct error *error)
{
    struct db_rows rows AUTO(db_rows_release) = {0};
    if (!db_query(db, query->sql, query->values, &rows, error) || !db_next(&rows, found, error))
        return false;
    if (*found)
        target->read(&rows, target->elements);
    return true;
}

bool rows_read_all(struct db *db, const struct row_query *query, const struct row_target *target,
                   size_t *count, struct error *error)
{
    struct db_rows rows AUTO(db_rows_release) = {0};
    char *element = target->elements;
    bool found = false;
    if (!db_query(db, query->sql, query->values, &rows, error) || !db_next(&rows, &found, error))
        return false;
    size_t read = 0;
    for (; found; read++) {
        target->read(&rows, element);
        element += target->size;
        if (!db_next(&rows, &found, error))
            return false;
    }
    *count = read;
    return true;
}

bool row_text(const struct db_rows *rows, int column, char *out, size_t size)
{
    const char *text = db_column_text(rows, column);
    size_t length = 0;
    (void)db_column_bytes(rows, column, &length);
    if (length >= size || strlen(text) != length)
        return false;
    memcpy(out, text, length + 1);
    return true;
}

void row_read_id(const struct db_rows *rows, void *id)
{
    id_copy(id, db_column_text(rows, 0));
}

void row_read_number(const struct db_rows *rows, void *number)
{
    *(int64_t *)number = db_column_int(rows, 0);
}
