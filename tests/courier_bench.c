/* The bench of the courier's tests. */
#include "courier_bench.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"

enum { APPLICATION = 0x424b4674 };

extern const char schema_shared_1[];
static const struct db_migration MIGRATIONS[] = {
    {{schema_shared_1, "CREATE TABLE effect (event_id TEXT NOT NULL, traceparent TEXT) STRICT;"}},
};
static const struct db_schema SCHEMA = {APPLICATION, MIGRATIONS, 1};

static int64_t wall_ms(void *context)
{
    return ((struct bench *)context)->wall_ms;
}

static int64_t ticks_ms(void *context)
{
    return ((struct bench *)context)->ticks_ms;
}

/* splitmix64: the same bytes in every run. */
static void next_random(void *context, void *bytes, size_t length)
{
    struct bench *bench = context;
    for (size_t i = 0; i < length; i++) {
        uint64_t mixed = bench->seed += UINT64_C(0x9e3779b97f4a7c15);
        mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
        ((unsigned char *)bytes)[i] = (unsigned char)(mixed >> 40);
    }
}

static void bench_start(struct bench *bench)
{
    bench->world = (struct world){wall_ms, ticks_ms, next_random, bench};
    bench->fake = fake_queue_new();
    struct error error = {0};
    struct db *db = db_open(bench->path, DB_WRITE, &SCHEMA, &error);
    cr_assert(db, "%s", error.text);
    bench->writer = writer_new(db, NULL, NULL);
    bench->reader = db_open(bench->path, DB_READ, &SCHEMA, &error);
    cr_assert(bench->reader, "%s", error.text);
}

void bench_open(struct bench *bench)
{
    char folder[] = "/tmp/bookflow-courier-XXXXXX";
    cr_assert(mkdtemp(folder));
    *bench = (struct bench){.wall_ms = INT64_C(1700000000000), .ticks_ms = 5000, .seed = 1};
    (void)snprintf(bench->path, sizeof bench->path, "%s/store.db", folder);
    bench_start(bench);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

void bench_close(struct bench *bench)
{
    queue_close(&bench->fake->queue);
    db_close(bench->reader);
    writer_free(bench->writer);
    *strrchr(bench->path, '/') = '\0';
    (void)nftw(bench->path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void copy_file(const char *from, const char *to, const char *suffix)
{
    struct buf from_path AUTO(buf_release) = {0};
    struct buf to_path AUTO(buf_release) = {0};
    buf_printf(&from_path, "%s%s", from, suffix);
    buf_printf(&to_path, "%s%s", to, suffix);
    FILE *source = fopen(buf_text(&from_path), "rbe");
    FILE *target = fopen(buf_text(&to_path), "wbe");
    cr_assert(source && target);
    char block[4096];
    size_t length = 0;
    while ((length = fread(block, 1, sizeof block, source)) > 0)
        cr_assert_eq(fwrite(block, 1, length, target), length);
    (void)fclose(source);
    (void)fclose(target);
}

void bench_open_copy(struct bench *bench, const struct bench *of)
{
    char folder[] = "/tmp/bookflow-courier-XXXXXX";
    cr_assert(mkdtemp(folder));
    *bench = (struct bench){.wall_ms = of->wall_ms, .ticks_ms = of->ticks_ms, .seed = of->seed + 1};
    (void)snprintf(bench->path, sizeof bench->path, "%s/store.db", folder);
    copy_file(of->path, bench->path, "");
    copy_file(of->path, bench->path, "-wal");
    bench_start(bench);
}

size_t bench_settle(struct bench *bench)
{
    size_t delivered = 0;
    while (writer_step(bench->writer) > 0)
        delivered += writer_deliver(bench->writer);
    return delivered;
}

struct statement {
    struct operation operation;
    const char *sql;
};

static bool statement_apply(struct operation *self, struct db *db, struct error *error)
{
    return db_run(db, ((struct statement *)self)->sql, BIND_NOTHING, error);
}

static void statement_done(struct operation *self, const struct error *failure)
{
    cr_assert_null(failure, "%s: %s", ((struct statement *)self)->sql,
                   failure ? failure->text : "");
}

void bench_run(struct bench *bench, const char *sql)
{
    struct statement statement = {{.apply = statement_apply, .done = statement_done}, sql};
    writer_submit(bench->writer, &statement.operation);
    (void)bench_settle(bench);
}

static void query(struct bench *bench, const char *sql, struct db_rows *rows)
{
    struct error error = {0};
    bool found = false;
    cr_assert(db_query(bench->reader, sql, BIND_NOTHING, rows, &error), "%s", error.text);
    cr_assert(db_next(rows, &found, &error) && found, "no row for: %s", sql);
}

int64_t bench_number(struct bench *bench, const char *sql)
{
    struct db_rows rows AUTO(db_rows_release) = {0};
    query(bench, sql, &rows);
    return db_column_int(&rows, 0);
}

void bench_text(struct bench *bench, const char *sql, char out[static 512])
{
    struct db_rows rows AUTO(db_rows_release) = {0};
    query(bench, sql, &rows);
    (void)snprintf(out, 512, "%s", db_column_text(&rows, 0));
}

void bench_pass(struct bench *bench, int64_t ms)
{
    bench->ticks_ms += ms;
    bench->wall_ms += ms;
}
