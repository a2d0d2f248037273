/* Reads a column of ids; inside the store only. */
#include "db_ids.h"

bool db_read_ids(struct db_rows *rows, char ids[][ID_SIZE], size_t *count, struct error *error)
{
    size_t read = 0;
    bool found = false;
    while (true) {
        if (!db_next(rows, &found, error))
            return false;
        if (!found)
            break;
        id_copy(ids[read++], db_column_text(rows, 0));
    }
    *count = read;
    return true;
}
