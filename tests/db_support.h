/* For tests of stores: a folder of one's own, and the database calls that must succeed. */
#ifndef BOOKFLOW_DB_SUPPORT_H
#define BOOKFLOW_DB_SUPPORT_H

#include "db.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { APPLICATION = 0x424b4657, PAGE = 4096 };

static const struct db_migration MIGRATIONS[] = {
    {{"CREATE TABLE parent (id INTEGER PRIMARY KEY) STRICT;"
      "CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT UNIQUE, data BLOB) STRICT;",
      "CREATE TABLE child (parent INTEGER NOT NULL REFERENCES parent (id)"
      " DEFERRABLE INITIALLY DEFERRED) STRICT;"}},
    {{"ALTER TABLE item ADD COLUMN note TEXT;"}},
};
static const struct db_schema SCHEMA = {APPLICATION, MIGRATIONS, 2};

static const char INSERT[] = "INSERT INTO item (id, name, data) VALUES (?1, ?2, ?3)";
static const char COUNT[] = "SELECT count(*) FROM item";

static char folder[] = "/tmp/bookflow-db-XXXXXX";

static inline int remove_entry(const char *path, const struct stat *status, int type,
                               struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

static inline void enter_folder(void)
{
    cr_assert(mkdtemp(folder) && chdir(folder) == 0);
}

static inline void leave_folder(void)
{
    (void)nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static inline struct db *open_as(const char *path, enum db_mode mode)
{
    struct error error = {0};
    struct db *db = db_open(path, mode, &SCHEMA, &error);
    cr_assert(db, "%s", error.text);
    return db;
}

static inline void run(struct db *db, const char *sql)
{
    struct error error = {0};
    cr_assert(db_run(db, sql, BIND_NOTHING, &error), "%s: %s", sql, error.text);
}

static inline void insert(struct db *db, int64_t id)
{
    struct error error = {0};
    cr_assert(db_run(db, INSERT, BIND(db_int(id), db_text(NULL), db_text(NULL)), &error), "%s",
              error.text);
}

static inline int64_t number(struct db *db, const char *sql)
{
    struct error error = {0};
    struct db_rows rows AUTO(db_rows_release) = {0};
    bool found = false;
    cr_assert(db_query(db, sql, BIND_NOTHING, &rows, &error), "%s: %s", sql, error.text);
    cr_assert(db_next(&rows, &found, &error) && found, "%s: %s", sql, error.text);
    return db_column_int(&rows, 0);
}

static inline void begin(struct db *db)
{
    struct error error = {0};
    cr_assert(db_begin(db, &error), "%s", error.text);
}

static inline void commit(struct db *db)
{
    struct error error = {0};
    cr_assert(db_commit(db, &error), "%s", error.text);
}

static inline void assert_refused(const char *path, enum db_mode mode,
                                  const struct db_schema *schema, const char *reason)
{
    struct error error = {0};
    struct db *db = db_open(path, mode, schema, &error);
    cr_assert_null(db, "%s was opened, expected: %s", path, reason);
    cr_expect_eq(error.kind, ERROR_CONFIGURATION, "%s: %s", path, error.text);
    cr_expect(strstr(error.text, path) == error.text, "no path: %s", error.text);
    cr_expect(strstr(error.text, reason), "%s: expected \"%s\" in: %s", path, reason, error.text);
}

static inline off_t size_of(const char *path)
{
    struct stat status = {0};
    return stat(path, &status) == 0 ? status.st_size : -1;
}

/* In a process of its own, so that the folder is still removed. */
static inline void assert_aborts(void (*bug)(void))
{
    const pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        bug();
        _exit(0);
    }
    int status = 0;
    cr_assert(waitpid(child, &status, 0) == child);
    cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "it went on (%x)", status);
}

#endif
