/* A store in a folder of its own that has only what both stores share. For the tests of that part;
 * include it once. */
#ifndef BOOKFLOW_SHARED_STORE_H
#define BOOKFLOW_SHARED_STORE_H

#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

#include "buf.h"
#include "db.h"

extern const char schema_shared_1[];

struct shared_store {
    char folder[32];
    struct db *db;
};

static inline struct shared_store shared_store_open(void)
{
    static const struct db_migration MIGRATIONS[] = {{{schema_shared_1}}};
    static const struct db_schema SCHEMA = {
        .application_id = 1, .migrations = MIGRATIONS, .count = 1};
    struct shared_store store = {.folder = "/tmp/bookflow-test-XXXXXX"};
    struct buf path AUTO(buf_release) = {0};
    struct error error = {0};
    cr_assert(mkdtemp(store.folder));
    buf_printf(&path, "%s/store.db", store.folder);
    store.db = db_open(buf_text(&path), DB_WRITE, &SCHEMA, &error);
    cr_assert(store.db, "%s", error.text);
    return store;
}

static inline void shared_store_release(struct shared_store *store)
{
    static const char *const FILES[] = {"", "-wal", "-shm", ".lock"};
    db_release(&store->db);
    for (size_t i = 0; i < sizeof FILES / sizeof FILES[0]; i++) {
        struct buf path AUTO(buf_release) = {0};
        buf_printf(&path, "%s/store.db%s", store->folder, FILES[i]);
        (void)unlink(buf_text(&path));
    }
    cr_assert(rmdir(store->folder) == 0, "%s is not empty", store->folder);
}

/* `struct shared_store store STORE;` opens one and takes it away again. */
#define STORE AUTO(shared_store_release) = shared_store_open()

static inline void store_run(struct db *db, const char *sql)
{
    struct error error = {0};
    cr_assert(db_run(db, sql, BIND_NOTHING, &error), "%s: %s", sql, error.text);
}

/* The number that a query gives. */
static inline int64_t store_number(struct db *db, const char *sql)
{
    struct error error = {0};
    struct db_rows rows AUTO(db_rows_release) = {0};
    bool found = false;
    cr_assert(db_query(db, sql, BIND_NOTHING, &rows, &error), "%s: %s", sql, error.text);
    cr_assert(db_next(&rows, &found, &error) && found, "%s: %s", sql, error.text);
    return db_column_int(&rows, 0);
}

#endif
