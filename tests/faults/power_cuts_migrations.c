/* Migrations under power cuts: each kind of store made from nothing, and a store with rows in it
 * taken to a version that does not exist yet, so that the way every later migration will go is
 * proven before there is one. */
#include <string.h>

#include "decision_store.h"
#include "embedded_messages.h"
#include "intake_store.h"
#include "power_cuts_store.h"

enum { ROWS = 5, MIGRATIONS_MAX = 16 };

struct migrated {
    int64_t rows;    /* acknowledged before the next migration */
    bool first_done; /* db_open() with the schema of today has returned */
    bool next_done;  /* and with the one of tomorrow */
};

struct store {
    const char *file;
    const struct db_schema *(*schema)(void);
    enum db_mode mode;
};

static const struct db_schema *queue_schema(void)
{
    return &messages_schema;
}

static const struct store INTAKE = {"intake.db", intake_schema, DB_WRITE};
static const struct store DECISION = {"decision.db", decision_schema, DB_WRITE};
static const struct store QUEUE = {"queues.db", queue_schema, DB_WRITE_SHARED};

static const struct db_migration TOMORROW = {
    {"ALTER TABLE attempts ADD COLUMN note TEXT NOT NULL DEFAULT '';"
     "UPDATE attempts SET note = message_id;",
     "CREATE INDEX attempts_by_note ON attempts (note);"}};

/* Today's schema and one migration more. */
struct longer {
    struct db_migration migrations[MIGRATIONS_MAX];
    struct db_schema schema;
};

static const struct db_schema *lengthen(const struct db_schema *schema, struct longer *longer)
{
    memcpy(longer->migrations, schema->migrations, schema->count * sizeof *schema->migrations);
    longer->migrations[schema->count] = TOMORROW;
    longer->schema =
        (struct db_schema){schema->application_id, longer->migrations, schema->count + 1};
    return &longer->schema;
}

static struct db *open_as(struct bench *bench, const struct store *store,
                          const struct db_schema *schema, struct error *error)
{
    char path[BENCH_PATH_SIZE];
    bench_path(bench, store->file, path);
    return db_open(path, store->mode, schema, error);
}

static void leave(struct bench *bench, struct db **db)
{
    if (bench->closes_in_the_dark)
        disk_cut(bench->disk);
    db_release(db);
}

/* A worker that fails to start is started again. */
static bool open_once_more(struct bench *bench, const struct store *store,
                           const struct db_schema *schema, struct db **db)
{
    struct error ignored = {0};
    *db = open_as(bench, store, schema, &ignored);
    if (!*db)
        *db = open_as(bench, store, schema, &ignored);
    return *db != NULL;
}

static bool run_first(struct migrated *migrated, struct bench *bench, const struct store *store)
{
    struct db *db = NULL;
    migrated->first_done = open_once_more(bench, store, store->schema(), &db);
    leave(bench, &db);
    return migrated->first_done;
}

static bool insert_rows(struct migrated *migrated, struct db *db)
{
    bool all = true;
    for (int64_t i = 0; i < ROWS; i++) {
        struct error ignored = {0};
        const bool added =
            db_run(db,
                   "INSERT INTO attempts (message_id, owner, failures, crashes, begun_ms)"
                   " VALUES ('message-' || ?1, '', 0, 0, 0)",
                   BIND(db_int(i)), &ignored);
        migrated->rows += added;
        all &= added;
    }
    return all;
}

static bool run_next(struct migrated *migrated, struct bench *bench, const struct store *store)
{
    struct longer longer;
    struct db *db = NULL;
    if (!open_once_more(bench, store, store->schema(), &db))
        return false;
    migrated->first_done = true;
    (void)insert_rows(migrated, db);
    db_release(&db);
    migrated->next_done = open_once_more(bench, store, lengthen(store->schema(), &longer), &db);
    leave(bench, &db);
    return migrated->next_done;
}

static int64_t count_creates(const struct db_schema *schema)
{
    int64_t count = 0;
    for (size_t i = 0; i < schema->count; i++)
        for (size_t j = 0; j < DB_MIGRATION_PARTS && schema->migrations[i].parts[j]; j++) {
            const char *at = schema->migrations[i].parts[j];
            for (at = strstr(at, "CREATE "); at; at = strstr(at + 1, "CREATE "))
                count++;
        }
    return count;
}

static enum verdict check_schema(struct db *db, const struct db_schema *schema, struct error *why)
{
    const int64_t version = bench_number(db, "PRAGMA user_version");
    const int64_t made = bench_number(
        db, "SELECT count(*) FROM sqlite_schema WHERE sql <> '' AND name NOT LIKE 'sqlite_%'");
    if (version == (int64_t)schema->count && made == count_creates(schema))
        return VERDICT_KEPT;
    (void)error_set(why, ERROR_DAMAGED, "version %lld with %lld tables and indexes of %lld",
                    (long long)version, (long long)made, (long long)count_creates(schema));
    return VERDICT_CONTRADICTED;
}

/* Who reads only never migrates: what was acknowledged must be there before anybody else looks. */
static bool is_done(struct bench *bench, const struct store *store, const struct db_schema *schema)
{
    char path[BENCH_PATH_SIZE];
    struct error ignored = {0};
    bench_path(bench, store->file, path);
    struct db *db AUTO(db_release) = db_open(path, DB_READ, schema, &ignored);
    return db != NULL;
}

static enum verdict check_rows(const struct migrated *migrated, struct db *db, struct error *why)
{
    const int64_t rows = bench_number(db, "SELECT count(*) FROM attempts");
    const int64_t unmoved =
        bench_number(db, "SELECT count(*) FROM attempts WHERE note <> message_id");
    if (rows >= migrated->rows && unmoved == 0)
        return VERDICT_KEPT;
    (void)error_set(why, ERROR_DAMAGED, "%lld of %lld rows, %lld not moved", (long long)rows,
                    (long long)migrated->rows, (long long)unmoved);
    return rows < migrated->rows ? VERDICT_LOST : VERDICT_CONTRADICTED;
}

static enum verdict check_opened(struct db *db, const struct db_schema *schema, struct error *why)
{
    if (!db || !bench_is_whole(db, why))
        return VERDICT_CORRUPT;
    return check_schema(db, schema, why);
}

static enum verdict lost(struct error *why)
{
    (void)error_set(why, ERROR_DAMAGED, "the migration is gone");
    return VERDICT_LOST;
}

static enum verdict check_first(const struct migrated *migrated, struct bench *bench,
                                const struct store *store, struct error *why)
{
    const struct db_schema *schema = store->schema();
    if (migrated->first_done && !is_done(bench, store, schema))
        return lost(why);
    struct db *db AUTO(db_release) = open_as(bench, store, schema, why);
    return check_opened(db, schema, why);
}

static enum verdict check_next(const struct migrated *migrated, struct bench *bench,
                               const struct store *store, struct error *why)
{
    struct longer longer;
    const struct db_schema *schema = lengthen(store->schema(), &longer);
    if (migrated->next_done && !is_done(bench, store, schema))
        return lost(why);
    struct db *db AUTO(db_release) = open_as(bench, store, schema, why);
    const enum verdict verdict = check_opened(db, schema, why);
    return verdict == VERDICT_KEPT ? check_rows(migrated, db, why) : verdict;
}

/* A subject's functions have no context but their record and the bench. */
#define SUBJECT(which, stage, store)                                                               \
    static bool run_##stage##_##which(void *record, struct bench *bench)                           \
    {                                                                                              \
        return run_##stage(record, bench, store);                                                  \
    }                                                                                              \
    static enum verdict check_##stage##_##which(const void *record, struct bench *bench,           \
                                                struct error *why)                                 \
    {                                                                                              \
        return check_##stage(record, bench, store, why);                                           \
    }
SUBJECT(intake, first, &INTAKE)
SUBJECT(intake, next, &INTAKE)
SUBJECT(decision, first, &DECISION)
SUBJECT(queue, first, &QUEUE)

const struct subject power_cuts_migrations[POWER_CUTS_MIGRATIONS] = {
    {"intake store from nothing", sizeof(struct migrated), run_first_intake, check_first_intake},
    {"intake store to the next version", sizeof(struct migrated), run_next_intake,
     check_next_intake},
    {"decision store from nothing", sizeof(struct migrated), run_first_decision,
     check_first_decision},
    {"queue file from nothing", sizeof(struct migrated), run_first_queue, check_first_queue},
};
