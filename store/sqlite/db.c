/* Opening and closing a database: the file and who may hold it, the connection, its pragmas read
 * back, the schema brought up to date. Must not know what any schema is for. Statements are in
 * db_statement.c, transactions in db_transaction.c. */
#include "db.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "db_private.h"

enum {
    CHECKPOINT_PAGES = 4000,
    WRITER_PATIENCE_MS = 5000,
    READER_PATIENCE_MS =
        50, /* a reader sits on the event loop, and in WAL mode hardly ever waits */
    PRAGMA_SIZE = 64
};

/* A pragma and how to see that it took. */
struct setting {
    unsigned modes; /* a bit per enum db_mode */
    const char *set;
    const char *get; /* NULL: only advice */
    const char *expected;
};

enum {
    ALONE = 1u << DB_WRITE,
    SHARED = 1u << DB_WRITE_SHARED,
    READER = 1u << DB_READ | 1u << DB_COPY,
    ALL = ALONE | SHARED | READER
};

/* PERSIST and not DELETE: with FULL, SQLite syncs the end of a persistent journal but not the
 * directory of a deleted one, from which a power cut can bring the journal back. PERSIST and not
 * TRUNCATE: overwriting a header is cheaper to sync than a change of length. */
static const struct setting SETTINGS[] = {
    {ALONE | SHARED, "PRAGMA page_size = 4096", NULL, NULL},
    {ALONE, "PRAGMA journal_mode = WAL", "PRAGMA journal_mode", "wal"},
    {SHARED, "PRAGMA journal_mode = PERSIST", "PRAGMA journal_mode", "persist"},
    {ALONE | SHARED, "PRAGMA synchronous = FULL", "PRAGMA synchronous", "2"},
    {ALL, "PRAGMA foreign_keys = ON", "PRAGMA foreign_keys", "1"},
    {ALL, "PRAGMA temp_store = MEMORY", NULL, NULL},
    {ALL, "PRAGMA cache_size = -65536", NULL, NULL}, /* KiB */
};

static bool reads_only(enum db_mode mode)
{
    return mode == DB_READ || mode == DB_COPY;
}

/* The path with its folder resolved. SQLite's NOFOLLOW refuses a link anywhere in the path, but
 * only the file itself must not be one: systemd's state directory is a link. */
static bool resolve(const char *path, struct buf *full, struct error *error)
{
    const char *slash = strrchr(path, '/');
    char *folder AUTO(memory_release) =
        slash ? memory_text_n(path, (size_t)(slash - path) + 1) : memory_text(".");
    char *real AUTO(memory_release) = realpath(folder, NULL);
    if (!real) {
        return error_set(error, ERROR_CONFIGURATION, "cannot reach its folder: %s",
                         strerror(errno));
    }
    buf_printf(full, "%s/%s", real, slash ? slash + 1 : path);
    struct stat status = {0};
    if (lstat(buf_text(full), &status) == 0 && !S_ISREG(status.st_mode)) {
        return error_set(error, ERROR_CONFIGURATION, "is %s, not a file",
                         S_ISDIR(status.st_mode) ? "a folder" : "a link or a device");
    }
    return true;
}

/* One writing process per store, for as long as the descriptor is open. On a file of its own:
 * locks on the database file are SQLite's. Never removed, or two could lock two different files. */
static bool take_lock(struct db *db, const char *path, struct error *error)
{
    struct buf name AUTO(buf_release) = {0};
    buf_printf(&name, "%s.lock", path);
    db->lock_fd =
        open(buf_text(&name), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    if (db->lock_fd < 0) {
        return error_set(error, ERROR_CONFIGURATION, "cannot open its lock file: %s",
                         strerror(errno));
    }
    if (flock(db->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    if (errno == EWOULDBLOCK)
        return error_set(error, ERROR_CONFIGURATION, "the store is in use by another worker");
    return error_set(error, ERROR_CONFIGURATION, "cannot lock it: %s", strerror(errno));
}

/* Creates the file with our mode, not the umask's; the WAL and the journal inherit it. mknod() and
 * not open(): closing any descriptor of the file drops the locks that SQLite holds on it. */
static bool create_file(const char *path, struct error *error)
{
    if (mknod(path, S_IFREG | S_IRUSR | S_IWUSR, 0) == 0 || errno == EEXIST)
        return true;
    return error_set(error, ERROR_CONFIGURATION, "cannot create it: %s", strerror(errno));
}

/* Copies the WAL when it is long. In place of SQLite's own hook, which ignores a failed fsync. Any
 * other failure only leaves the WAL longer, and the commit that called is durable. */
static int checkpoint_when_long(void *context, sqlite3 *handle, const char *name, int pages)
{
    (void)context;
    if (pages >= CHECKPOINT_PAGES) {
        db_check_fsync(
            sqlite3_wal_checkpoint_v2(handle, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL));
    }
    return SQLITE_OK;
}

static void harden(struct db *db, enum db_mode mode)
{
    (void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    (void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    (void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    (void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    (void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, reads_only(mode), NULL);
    (void)sqlite3_busy_timeout(db->handle,
                               reads_only(mode) ? READER_PATIENCE_MS : WRITER_PATIENCE_MS);
    if (reads_only(mode))
        (void)sqlite3_wal_autocheckpoint(db->handle, 0);
    else
        (void)sqlite3_wal_hook(db->handle, checkpoint_when_long, NULL);
}

/* What SQLite is to open. In WAL mode it wants files beside the database, even to read it; told
 * that the file never changes it does not, but then it does not see a WAL either. */
static void name_of(const char *path, enum db_mode mode, struct buf *name)
{
    struct buf wal AUTO(buf_release) = {0};
    struct stat status = {0};
    buf_printf(&wal, "%s-wal", path);
    if (mode != DB_COPY || (stat(buf_text(&wal), &status) == 0 && status.st_size > 0)) {
        buf_text_append(name, path);
        return;
    }
    buf_text_append(name, "file:");
    for (const char *c = path; *c; c++)
        buf_printf(name, strchr("%?#", *c) ? "%%%02X" : "%c", (unsigned char)*c);
    buf_text_append(name, "?immutable=1");
}

static bool open_connection(struct db *db, const char *path, enum db_mode mode, struct error *error)
{
    const int mode_flag = reads_only(mode) ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    struct buf name AUTO(buf_release) = {0};
    name_of(path, mode, &name);
    const int code =
        sqlite3_open_v2(buf_text(&name), &db->handle,
                        mode_flag | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW |
                            SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE,
                        NULL);
    if (code != SQLITE_OK) {
        const int reason = sqlite3_system_errno(db->handle);
        db_check_fsync(code);
        return error_set(error, code == SQLITE_NOMEM ? ERROR_UNAVAILABLE : ERROR_CONFIGURATION,
                         "cannot open it: %s",
                         reason ? strerror(reason) : sqlite3_errmsg(db->handle));
    }
    /* SQLite opens a file that may not be written as a reader, silently. */
    if (!reads_only(mode) && sqlite3_db_readonly(db->handle, "main"))
        return error_set(error, ERROR_CONFIGURATION, "is read-only for this user");
    harden(db, mode);
    return true;
}

static bool read_number(struct db *db, const char *sql, int64_t *number, struct error *error)
{
    struct db_rows rows AUTO(db_rows_release) = {0};
    bool found = false;
    if (!db_query(db, sql, BIND_NOTHING, &rows, error) || !db_next(&rows, &found, error))
        return false;
    *number = found ? db_column_int(&rows, 0) : 0;
    return true;
}

/* The SQL of a pragma cannot be bound, nor is it a constant here. */
static bool set_number(struct db *db, const char *pragma, int64_t number, struct error *error)
{
    char sql[PRAGMA_SIZE];
    (void)snprintf(sql, sizeof sql, "PRAGMA %s = %lld", pragma, (long long)number);
    const int code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
    return code == SQLITE_OK || db_fail(db, code, error);
}

static bool check_version(enum db_mode mode, const struct db_schema *schema, int64_t version,
                          struct error *error)
{
    if (version < 0 || (uint64_t)version > schema->count) {
        return error_set(error, ERROR_CONFIGURATION,
                         "has schema version %lld, newer than the %zu of this program; "
                         "use the program that wrote it, or a later one",
                         (long long)version, schema->count);
    }
    if (reads_only(mode) && (uint64_t)version < schema->count) {
        return error_set(error, ERROR_CONFIGURATION,
                         "has schema version %lld, older than the %zu of this program; "
                         "start its worker once to bring it up to date",
                         (long long)version, schema->count);
    }
    return true;
}

/* Before anything is changed: whose file is it? In one statement, so in one look: another process
 * that shares the file may be making its tables at this moment. */
static bool identify(struct db *db, enum db_mode mode, const struct db_schema *schema,
                     struct error *error)
{
    struct db_rows rows AUTO(db_rows_release) = {0};
    bool found = false;
    if (!db_query(db,
                  "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema)"
                  " FROM pragma_application_id, pragma_user_version",
                  BIND_NOTHING, &rows, error) ||
        !db_next(&rows, &found, error))
        return false;
    const int64_t application = db_column_int(&rows, 0);
    const int64_t version = db_column_int(&rows, 1);
    const bool blank =
        application == 0 && version == 0 && db_column_int(&rows, 2) == 0 && !reads_only(mode);
    if (!blank && application != schema->application_id)
        return error_set(error, ERROR_CONFIGURATION,
                         "is not a store of this kind: application_id is %lld, not %lld",
                         (long long)application, (long long)schema->application_id);
    return check_version(mode, schema, version, error);
}

static bool apply_setting(struct db *db, const struct setting *setting, struct error *error)
{
    if (!db_run(db, setting->set, BIND_NOTHING, error))
        return false;
    if (!setting->get)
        return true;
    struct db_rows rows AUTO(db_rows_release) = {0};
    bool found = false;
    if (!db_query(db, setting->get, BIND_NOTHING, &rows, error) || !db_next(&rows, &found, error))
        return false;
    const char *value = found ? db_column_text(&rows, 0) : "";
    return strcmp(value, setting->expected) == 0 ||
           error_set(error, ERROR_CONFIGURATION,
                     "%s did not take: it reads \"%s\"; use a local file system", setting->set,
                     value);
}

static bool tune(struct db *db, enum db_mode mode, struct error *error)
{
    for (size_t i = 0; i < sizeof SETTINGS / sizeof SETTINGS[0]; i++)
        if ((SETTINGS[i].modes & (1u << mode)) && !apply_setting(db, &SETTINGS[i], error))
            return false;
    return true;
}

static bool migrate_one(struct db *db, const struct db_schema *schema, int64_t version,
                        struct error *error)
{
    const struct db_migration *migration = &schema->migrations[version];
    for (size_t i = 0; i < DB_MIGRATION_PARTS && migration->parts[i]; i++) {
        const int code = sqlite3_exec(db->handle, migration->parts[i], NULL, NULL, NULL);
        if (code != SQLITE_OK) {
            (void)db_fail(db, code, error);
            return error_context(error, "migration to version %lld", (long long)version + 1);
        }
    }
    return (version > 0 || set_number(db, "application_id", schema->application_id, error)) &&
           set_number(db, "user_version", version + 1, error);
}

/* One migration in one transaction. The version is read again inside: another process that shares
 * the file may have been faster. */
static bool migrate_next(struct db *db, const struct db_schema *schema, int64_t *version,
                         struct error *error)
{
    if (!db_begin(db, error))
        return false;
    const bool current = read_number(db, "PRAGMA user_version", version, error) &&
                         check_version(DB_WRITE, schema, *version, error);
    if (!current ||
        ((size_t)*version < schema->count && !migrate_one(db, schema, *version, error))) {
        db_rollback(db);
        return false;
    }
    return db_commit(db, error);
}

static bool migrate(struct db *db, const struct db_schema *schema, struct error *error)
{
    int64_t version = 0;
    if (!read_number(db, "PRAGMA user_version", &version, error))
        return false;
    while ((size_t)version < schema->count)
        if (!migrate_next(db, schema, &version, error) ||
            !read_number(db, "PRAGMA user_version", &version, error))
            return false;
    return true;
}

/* A process that died between writing a commit and its fsync leaves it in the WAL, where recovery
 * finds it and every reader sees it; nothing makes it durable before the next commit, and a power
 * cut until then takes back what others were told of. A checkpoint begins with that fsync; that
 * there is no room for the pages behind it only leaves them in the WAL. */
static bool keep_recovered(struct db *db, struct error *error)
{
    const int code =
        sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return code == SQLITE_OK || code == SQLITE_FULL || db_fail(db, code, error);
}

static bool open_store(struct db *db, const char *path, enum db_mode mode,
                       const struct db_schema *schema, struct error *error)
{
    struct buf full AUTO(buf_release) = {0};
    return resolve(path, &full, error) &&
           (mode != DB_WRITE || take_lock(db, buf_text(&full), error)) &&
           (reads_only(mode) || create_file(buf_text(&full), error)) &&
           open_connection(db, buf_text(&full), mode, error) && identify(db, mode, schema, error) &&
           tune(db, mode, error) && (reads_only(mode) || migrate(db, schema, error)) &&
           (mode != DB_WRITE || keep_recovered(db, error));
}

struct db *db_open(const char *path, enum db_mode mode, const struct db_schema *schema,
                   struct error *error)
{
    struct db *db AUTO(db_release) = memory_new(1, sizeof *db);
    db->lock_fd = -1;
    db->opening = true;
    if (!open_store(db, path, mode, schema, error)) {
        (void)error_context(error, "%s", path);
        return NULL;
    }
    db->opening = false;
    struct db *opened = db;
    db = NULL;
    return opened;
}

bool db_verify(struct db *db, struct error *error)
{
    struct db_rows rows AUTO(db_rows_release) = {0};
    bool found = false;
    if (!db_query(db, "PRAGMA integrity_check(1)", BIND_NOTHING, &rows, error) ||
        !db_next(&rows, &found, error))
        return false;
    const char *verdict = found ? db_column_text(&rows, 0) : "no answer";
    return strcmp(verdict, "ok") == 0 || error_set(error, ERROR_DAMAGED, "damaged: %s", verdict);
}

struct db_size db_size(const struct db *db)
{
    struct buf wal AUTO(buf_release) = {0};
    struct stat store_status = {0};
    struct stat wal_status = {0};
    const char *path = sqlite3_db_filename(db->handle, "main");
    buf_printf(&wal, "%s-wal", path);
    (void)!stat(path, &store_status);
    (void)!stat(buf_text(&wal), &wal_status);
    return (struct db_size){.store = store_status.st_size, .wal = wal_status.st_size};
}

void db_close(struct db *db)
{
    if (!db)
        return;
    db_statements_close(db);
    const int code = sqlite3_close(db->handle);
    assert(code == SQLITE_OK);
    if (db->lock_fd >= 0)
        (void)close(db->lock_fd);
    free(db);
}

void db_release(struct db **db)
{
    db_close(*db);
    *db = NULL;
}
