/* A copy of a store that goes on being written: whole, of one moment, and nothing left of one that
 * failed. */
#include "copy.h"

#include <criterion/criterion.h>
#include <semaphore.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"

enum { ROWS = 20000 };

static const struct db_migration MIGRATIONS[] = {
    {{"CREATE TABLE pairs (a INTEGER, b INTEGER, filler BLOB)"}}};
static const struct db_schema SCHEMA = {.application_id = 7, .migrations = MIGRATIONS, .count = 1};

struct scene {
    char folder[32];
    char path[64], copied[80], part[96];
    struct db *db, *reader;
    sem_t ended;
};

static struct scene scene;

static struct db *open_db(const char *path, enum db_mode mode)
{
    struct error error = {0};
    struct db *db = db_open(path, mode, &SCHEMA, &error);
    cr_assert(db, "%s", error.text);
    return db;
}

static void run(const char *sql)
{
    struct error error = {0};
    cr_assert(db_begin(scene.db, &error) && db_run(scene.db, sql, BIND_NOTHING, &error) &&
                  db_commit(scene.db, &error),
              "%s", error.text);
}

static void set_up(void)
{
    scene = (struct scene){.folder = "/tmp/bookflow-copy.XXXXXX"};
    cr_assert(mkdtemp(scene.folder));
    (void)snprintf(scene.path, sizeof scene.path, "%s/store.db", scene.folder);
    (void)snprintf(scene.copied, sizeof scene.copied, "%s.copy", scene.path);
    (void)snprintf(scene.part, sizeof scene.part, "%s.part", scene.copied);
    (void)sem_init(&scene.ended, 0, 0);
    scene.db = open_db(scene.path, DB_WRITE);
    scene.reader = open_db(scene.path, DB_READ);
    run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
        " INSERT INTO pairs SELECT 0, 0, randomblob(200) FROM n");
}

static void tear_down(void)
{
    struct buf command AUTO(buf_release) = {0};
    db_close(scene.reader);
    db_close(scene.db);
    (void)sem_destroy(&scene.ended);
    buf_printf(&command, "rm -r %s", scene.folder);
    cr_assert_eq(system(buf_text(&command)), 0);
}

TestSuite(copy, .init = set_up, .fini = tear_down);

static void wake(void *context)
{
    (void)sem_post(context);
}

static struct copy *begin(void)
{
    struct error error = {0};
    struct copy *copy = copy_new(scene.reader, wake, &scene.ended, &error);
    cr_assert(copy, "%s", error.text);
    return copy;
}

static int64_t count(struct db *db, const char *sql)
{
    struct error error = {0};
    struct db_rows rows AUTO(db_rows_release) = {0};
    bool found = false;
    cr_assert(db_query(db, sql, BIND_NOTHING, &rows, &error) && db_next(&rows, &found, &error));
    return db_column_int(&rows, 0);
}

Test(copy, is_of_one_moment_however_much_is_written_meanwhile)
{
    struct error error = {0};
    const char *path = NULL;
    int64_t bytes = 0;
    struct copy *copy = begin();
    for (int i = 0; i < 50 && !copy_ended(copy); i++)
        run("UPDATE pairs SET a = a + 1, b = b + 1");
    (void)sem_wait(&scene.ended);
    cr_assert(copy_ended(copy));
    cr_assert(copy_result(copy, &path, &bytes, &error), "%s", error.text);
    cr_expect_str_eq(path, scene.copied);
    struct stat status;
    cr_assert_eq(stat(path, &status), 0);
    cr_expect_eq(status.st_size, bytes);
    cr_expect_eq(status.st_mode & 0777, 0600);
    struct db *copied AUTO(db_release) = open_db(path, DB_COPY);
    cr_expect(db_verify(copied, &error), "%s", error.text);
    cr_expect_eq(count(copied, "SELECT count(*) FROM pairs"), ROWS);
    cr_expect_eq(count(copied, "SELECT count(DISTINCT a) FROM pairs WHERE a = b"), 1);
    cr_expect_eq(access(scene.part, F_OK), -1);
    copy_free(copy);
}

Test(copy, that_fails_says_why_and_leaves_the_one_before)
{
    struct error error = {0};
    const char *path = NULL;
    int64_t bytes = 0;
    FILE *before = fopen(scene.copied, "we");
    cr_assert(before && fputs("before", before) >= 0 && fclose(before) == 0);
    cr_assert_eq(mkdir(scene.part, 0700), 0);
    struct copy *copy = begin();
    (void)sem_wait(&scene.ended);
    cr_expect_not(copy_result(copy, &path, &bytes, &error));
    cr_expect_eq(error.kind, ERROR_UNAVAILABLE);
    cr_expect(strstr(error.text, scene.part), "%s", error.text);
    struct stat status;
    cr_assert_eq(stat(scene.copied, &status), 0);
    cr_expect_eq(status.st_size, 6);
    copy_free(copy);
}

Test(copy, that_is_stopped_ends_and_is_none)
{
    struct error error = {0};
    const char *path = NULL;
    int64_t bytes = 0;
    struct copy *copy = begin();
    copy_stop(copy);
    (void)sem_wait(&scene.ended);
    /* It may have been done before it was told. */
    const bool done = copy_result(copy, &path, &bytes, &error);
    cr_expect_eq(access(scene.copied, F_OK) == 0, done);
    cr_expect_eq(access(scene.part, F_OK), -1);
    cr_expect(done || error.kind == ERROR_UNAVAILABLE, "%s", error.text);
    copy_free(copy);
}
