/* Reads a column of ids; inside the store only. */
#ifndef BOOKFLOW_DB_IDS_H
#define BOOKFLOW_DB_IDS_H

#include "db.h"
#include "ids.h"

/* Fills the caller's array from a running query whose LIMIT is its size. */
MUST_CHECK bool db_read_ids(struct db_rows *rows, char ids[][ID_SIZE], size_t *count,
                            struct error *error);

#endif
