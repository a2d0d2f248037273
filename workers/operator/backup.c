/* `bookflow backup DIR`: a good copy of the running worker's store. The worker makes it beside the
 * store; here it is moved to where the operator wants it, and read once as a whole. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit.h"
#include "buf.h"
#include "decision_store.h"
#include "intake_store.h"
#include "json_fields.h"
#include "operator.h"
#include "remote.h"

static const char usage[] = "usage: bookflow backup DIRECTORY [--json]\n"
                            "\n"
                            "Asks the worker at BOOKFLOW_URL (http://127.0.0.1:3000) for a copy of "
                            "its store while it works,\n"
                            "and puts it into the directory as intake.db or decision.db (of `serve "
                            "all`: both), checked as a\n"
                            "whole. Run it as root or as the worker's user: the worker writes "
                            "where it may, beside its store.\n";

static const struct store {
    const char *route;
    const char *name;
    const char
        *made; /* how the worker's copy must be called: a server that says otherwise is none */
    const struct db_schema *(*schema)(void);
} stores[] = {
    {"/stores/intake/backup", "intake.db", "/intake.db.copy", intake_schema},
    {"/stores/decision/backup", "decision.db", "/decision.db.copy", decision_schema},
};

struct outcome {
    int64_t bytes;
    int64_t rows;
    int64_t took_ms;
};

static void close_file(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static bool ends_with(const char *text, const char *ending)
{
    const size_t length = strlen(text);
    const size_t wanted = strlen(ending);
    return text[0] == '/' && length >= wanted && strcmp(text + length - wanted, ending) == 0;
}

static bool file_failed(const char *doing, const char *path, struct error *error)
{
    return error_set(error, errno == EACCES || errno == EPERM ? ERROR_FORBIDDEN : ERROR_UNAVAILABLE,
                     "cannot %s %s: %s", doing, path, strerror(errno));
}

static bool copy_file(const char *from, const char *to, struct error *error)
{
    struct stat status = {0};
    int source AUTO(close_file) = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (source < 0 || fstat(source, &status) != 0)
        return file_failed("read", from, error);
    if (!S_ISREG(status.st_mode))
        return error_set(error, ERROR_CONFIGURATION, "%s is not a file", from);
    (void)unlink(to);
    int target AUTO(close_file) =
        open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (target < 0)
        return file_failed("make", to, error);
    ssize_t sent = 1;
    while (sent > 0)
        sent = sendfile(target, source, NULL, INT32_MAX);
    return (sent == 0 && fsync(target) == 0) || file_failed("write", to, error);
}

static bool is_good(const struct store *store, const char *path, int64_t *rows, struct error *error)
{
    int64_t broken_at = 0;
    struct db *db AUTO(db_release) = db_open(path, DB_COPY, store->schema(), error);
    if (!db || !db_verify(db, error) || !audit_verify(db, rows, &broken_at, error))
        return error_context(error, "the copy is not good");
    return broken_at == 0 ||
           error_set(error, ERROR_DAMAGED,
                     "the copy is not good: the hash chain breaks at row %" PRId64, broken_at);
}

static bool sync_folder(const char *folder, struct error *error)
{
    int fd AUTO(close_file) = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return (fd >= 0 && fsync(fd) == 0) || file_failed("write", folder, error);
}

/* What was there before stays until the new one is known to be good. */
static bool take(const struct store *store, const char *made, const char *folder,
                 struct outcome *outcome, struct error *error)
{
    struct buf path AUTO(buf_release) = {0};
    struct buf part AUTO(buf_release) = {0};
    buf_printf(&path, "%s/%s", folder, store->name);
    buf_printf(&part, "%s/%s.part", folder, store->name);
    if (!copy_file(made, buf_text(&part), error) ||
        !is_good(store, buf_text(&part), &outcome->rows, error)) {
        (void)unlink(buf_text(&part));
        return false;
    }
    if (rename(buf_text(&part), buf_text(&path)) != 0)
        return file_failed("write", buf_text(&path), error);
    (void)unlink(made);
    return sync_folder(folder, error);
}

/* False with ERROR_NOT_FOUND when the worker does not have this store. */
static bool back_up(struct client *client, const struct store *store, const char *folder,
                    struct outcome *outcome, struct error *error)
{
    json_t *answer = remote_call(client, "POST", store->route, NULL, error);
    const char *made = json_string_value(json_object_get(answer, "file"));
    bool good = false;
    if (answer && (!made || !ends_with(made, store->made)))
        (void)error_set(error, ERROR_UNAVAILABLE, "this is no answer of a worker to a backup");
    else if (answer)
        good = take(store, made, folder, outcome, error);
    outcome->bytes = json_integer_value(json_object_get(answer, "bytes"));
    outcome->took_ms = json_integer_value(json_object_get(answer, "tookMs"));
    json_decref(answer);
    return good;
}

static void print(const struct store *store, const struct outcome *outcome, json_t *list)
{
    if (list)
        (void)json_array_append_new(list, json_pack("{s:s,s:I,s:I,s:I}", "file", store->name,
                                                    "bytes", (json_int_t)outcome->bytes,
                                                    "auditRows", (json_int_t)outcome->rows,
                                                    "tookMs", (json_int_t)outcome->took_ms));
    else
        (void)printf("%s  %" PRId64 " bytes, %" PRId64 " audit rows, whole; took %" PRId64 " ms\n",
                     store->name, outcome->bytes, outcome->rows, outcome->took_ms);
}

static bool back_up_all(const char *folder, json_t *list, struct error *error)
{
    struct client *client AUTO(client_release) = remote_open(error);
    size_t done = 0;
    for (size_t i = 0; client && i < sizeof stores / sizeof *stores; i++) {
        struct outcome outcome = {0};
        error_clear(error);
        if (back_up(client, &stores[i], folder, &outcome, error)) {
            print(&stores[i], &outcome, list);
            done++;
        } else if (error->kind != ERROR_NOT_FOUND) {
            return false;
        }
    }
    if (done > 0)
        error_clear(error);
    return done > 0;
}

static int run(const char *folder, bool as_json)
{
    struct error error = {0};
    json_t *list = as_json ? json_array() : NULL;
    const bool made = mkdir(folder, S_IRWXU) == 0 || errno == EEXIST;
    if (!made)
        (void)file_failed("make", folder, &error);
    const bool good = made && back_up_all(folder, list, &error);
    if (good && list) {
        (void)json_dumpf(list, stdout, JSON_INDENT(2));
        (void)printf("\n");
    }
    json_decref(list);
    return good ? EXIT_SUCCESS : remote_fail(&error);
}

int backup_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
    bool as_json = false;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'h' || option == '?')
            return remote_usage(usage, option == 'h');
        as_json = true;
    }
    return optind == argc - 1 ? run(argv[optind], as_json) : remote_usage(usage, false);
}
