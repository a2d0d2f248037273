/* SQLite whose nth call from now fails. For test programs that are linked with --wrap of the calls
 * in failing_sqlite.c. */
#ifndef BOOKFLOW_FAILING_SQLITE_H
#define BOOKFLOW_FAILING_SQLITE_H

#include <stdbool.h>
#include <stdint.h>

/* 1 = the next; 0 = none. Only one call fails. */
void sqlite_fails_at(int64_t nth);

/* Ends it: was there an nth call? */
bool sqlite_has_failed(void);

#endif
