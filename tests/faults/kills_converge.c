/* Looks from outside, with connections and SQL of its own. */
#include "kills_converge.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "load_http.h"

enum { LOOK_MS = 10, PATIENCE_MS = 5000 };

/* VISIBILITY_S of the workers: what was leased before the start is free again this much later. */
enum { LEASE_MS = 4 * 1000 };

struct left {
    int64_t unsent;  /* in both outboxes */
    int64_t visible; /* messages that anybody may take */
    int64_t fresh;   /* leased since the start: the living have them */
    int64_t leased;  /* leased before the start */
    int64_t last_ms; /* wall time at which the last of these is free again */
    int64_t dead;    /* in the dead-letter queues */
};

struct watch {
    sqlite3 *stores[2]; /* the first with the second attached, as the other */
    sqlite3 *queues;
    const char *queues_path;
    int64_t begun_ms;      /* ticks */
    int64_t begun_wall_ms; /* what SQL compares with */
};

static int64_t wall_ms(void)
{
    struct timeval now;
    (void)gettimeofday(&now, NULL);
    return (int64_t)now.tv_sec * 1000 + now.tv_usec / 1000;
}

static bool failed(sqlite3 *db, struct error *error)
{
    return error_set(error, ERROR_UNAVAILABLE, "watching: %s", sqlite3_errmsg(db));
}

/* The columns of the one row of a query; ?1 is now, ?2 when the leases of the dead are over. */
static bool ask(const struct watch *watch, sqlite3 *db, const char *sql, int64_t columns[],
                struct error *error)
{
    sqlite3_stmt *statement = NULL;
    bool good = sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK;
    if (good && sqlite3_bind_parameter_count(statement) == 2)
        good = sqlite3_bind_int64(statement, 1, wall_ms()) == SQLITE_OK &&
               sqlite3_bind_int64(statement, 2, watch->begun_wall_ms + LEASE_MS) == SQLITE_OK;
    good = good && sqlite3_step(statement) == (columns ? SQLITE_ROW : SQLITE_DONE);
    for (int i = 0; good && i < sqlite3_column_count(statement); i++)
        columns[i] = sqlite3_column_int64(statement, i);
    if (!good)
        (void)failed(db, error);
    (void)sqlite3_finalize(statement);
    return good;
}

static bool look(struct watch *watch, struct left *left, struct error *error)
{
    static const char messages[] =
        "SELECT count(*) FILTER (WHERE queue NOT LIKE '%-dlq' AND visible_ms <= ?1),"
        " count(*) FILTER (WHERE queue NOT LIKE '%-dlq' AND visible_ms > ?2),"
        " count(*) FILTER (WHERE queue NOT LIKE '%-dlq' AND visible_ms > ?1 AND visible_ms <= ?2),"
        " max(visible_ms) FILTER (WHERE visible_ms <= ?2),"
        " count(*) FILTER (WHERE queue LIKE '%-dlq') FROM message";
    int64_t unsent[2] = {0};
    int64_t columns[5] = {0};
    for (size_t i = 0; i < 2; i++)
        if (!ask(watch, watch->stores[i], "SELECT count(*) FROM outbox", &unsent[i], error))
            return false;
    if (!ask(watch, watch->queues, messages, columns, error))
        return false;
    *left = (struct left){.unsent = unsent[0] + unsent[1],
                          .visible = columns[0],
                          .fresh = columns[1],
                          .leased = columns[2],
                          .last_ms = columns[3],
                          .dead = columns[4]};
    return true;
}

static int64_t doable(const struct left *left)
{
    return left->unsent + left->visible + left->fresh + left->dead;
}

/* As a commit of the queue does: the file is touched, so that long polls look again. */
static bool change_queues(struct watch *watch, const char *sql, struct error *error)
{
    if (!ask(watch, watch->queues, sql, NULL, error))
        return false;
    (void)utimensat(AT_FDCWD, watch->queues_path, NULL, 0);
    return true;
}

static bool open_one(const char *path, sqlite3 **db, int flags, struct error *error)
{
    if (sqlite3_open_v2(path, db, flags, NULL) != SQLITE_OK)
        return failed(*db, error);
    (void)sqlite3_busy_timeout(*db, PATIENCE_MS);
    return true;
}

static bool attach(sqlite3 *db, const char *path, struct error *error)
{
    sqlite3_stmt *statement = NULL;
    const bool good =
        sqlite3_prepare_v2(db, "ATTACH ? AS other", -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_bind_text(statement, 1, path, -1, SQLITE_STATIC) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_DONE;
    (void)sqlite3_finalize(statement);
    return good || failed(db, error);
}

static bool open_watch(struct watch *watch, const struct converge_paths *paths, struct error *error)
{
    watch->queues_path = paths->queues;
    return open_one(paths->intake, &watch->stores[0], SQLITE_OPEN_READONLY, error) &&
           open_one(paths->decision, &watch->stores[1], SQLITE_OPEN_READONLY, error) &&
           open_one(paths->queues, &watch->queues, SQLITE_OPEN_READWRITE, error) &&
           attach(watch->stores[0], paths->decision, error);
}

static void close_watch(struct watch *watch)
{
    (void)sqlite3_close(watch->stores[0]);
    (void)sqlite3_close(watch->stores[1]);
    (void)sqlite3_close(watch->queues);
}

/* What an operator does: a dead letter whose cause is over goes back. */
static bool redrive(struct watch *watch, const struct left *left, struct converge_times *times,
                    struct error *error)
{
    times->redriven += left->dead;
    return left->dead == 0 ||
           change_queues(watch,
                         "UPDATE message SET queue = substr(queue, 1, length(queue) - 4),"
                         " visible_ms = sent_ms, receive_count = 0 WHERE queue LIKE '%-dlq'",
                         error);
}

static bool end_leases(struct watch *watch, struct error *error)
{
    return change_queues(
        watch, "UPDATE message SET visible_ms = sent_ms WHERE visible_ms > sent_ms", error);
}

/* Nothing left but what dead workers hold: noted the first time. */
static bool note_work(struct watch *watch, const struct left *left, bool hasten,
                      struct converge_times *times, struct error *error)
{
    static const char behind[] =
        "SELECT count(*) FROM main.bookings AS here LEFT JOIN other.bookings AS there"
        " ON there.id = here.id WHERE there.status IS NOT here.status";
    times->work_ms = harness_now_ms() - watch->begun_ms;
    times->leased = left->leased;
    if (!ask(watch, watch->stores[0], behind, &times->behind, error))
        return false;
    if (left->leased == 0 || !hasten)
        return true;
    times->leases_ms = times->work_ms;
    return end_leases(watch, error);
}

/* What the living still held at the start is gone soon; what stays to its end was a dead one's. */
static void note_leases(const struct watch *watch, const struct left *left, bool hasten,
                        struct converge_times *times)
{
    if (left->leased > 0 && !hasten)
        times->leases_ms = left->last_ms - watch->begun_wall_ms;
}

static bool watch_until_done(struct watch *watch, bool hasten, int64_t limit_ms,
                             struct converge_times *times, struct error *error)
{
    struct left left = {0};
    times->work_ms = -1;
    do {
        if (!look(watch, &left, error) || !redrive(watch, &left, times, error))
            return false;
        if (times->work_ms < 0 && doable(&left) == 0 &&
            !note_work(watch, &left, hasten, times, error))
            return false;
        note_leases(watch, &left, hasten, times);
        times->unfinished = doable(&left) + left.leased;
        times->total_ms = harness_now_ms() - watch->begun_ms;
        if (times->unfinished > 0)
            harness_pause_ms(LOOK_MS);
    } while (times->unfinished > 0 && times->total_ms < limit_ms);
    return true;
}

bool converge_watch(const struct converge_paths *paths, bool hasten, int64_t limit_ms,
                    struct converge_times *times, struct error *error)
{
    struct watch watch = {.begun_ms = harness_now_ms(), .begun_wall_ms = wall_ms()};
    *times = (struct converge_times){0};
    const bool good = open_watch(&watch, paths, error) &&
                      watch_until_done(&watch, hasten, limit_ms, times, error);
    const int64_t held_ms = times->leases_ms > times->work_ms ? times->leases_ms : times->work_ms;
    times->after_ms = times->total_ms - held_ms;
    close_watch(&watch);
    return good;
}
