/* A worker that starts with a hundred thousand events to send.
 *
 *   fault_recovery BOOKFLOW FOLDER ROWS ROUNDS LIMIT_MS
 *
 * FOLDER must be empty. Makes an intake store by the rules of intake, left as a crash leaves it
 * (its WAL not copied back), starts `serve intake` on a copy of it for each round and measures
 * until /ready answers 200; the last one goes on until every row is in the queue. */
#include <assert.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buf.h"
#include "db.h"
#include "figure.h"
#include "intake.h"
#include "intake_store.h"
#include "load_http.h"
#include "load_process.h"

enum { ROUNDS_MAX = 15, AT_ONCE = 10000, START_MS = 30000, SEND_MS = 120000, LOOK_MS = 50 };

struct recovery {
    const char *program, *folder;
    int64_t rows;
    char *request, *confirmation;
};

static char *in_folder(const char *folder, const char *name)
{
    struct buf path AUTO(buf_release) = {0};
    buf_printf(&path, "%s/%s", folder, name);
    return buf_take(&path);
}

static bool book_one(struct db *db, int64_t number, struct error *error)
{
    struct booking booking;
    struct slot slot = {.start_s = 4070944800, .end_s = 4070948400};
    char user[ID_SIZE];
    bool added = false;
    (void)snprintf(slot.id, sizeof slot.id, "slot-%lld", (long long)number);
    (void)snprintf(slot.provider_id, sizeof slot.provider_id, "p%lld", (long long)number % 100);
    (void)snprintf(user, sizeof user, "user-%lld", (long long)number);
    const struct booking_order order = {.slot_id = slot.id,
                                        .user_id = user,
                                        .world = world_real(),
                                        .now_ms = world_wall_ms(world_real())};
    return slot_add(db, &slot, &added, error) && intake_book(db, &order, &booking, error);
}

static bool fill(struct db *db, int64_t rows, struct error *error)
{
    for (int64_t i = 0; i < rows; i++) {
        if (i % AT_ONCE == 0 && ((i > 0 && !db_commit(db, error)) || !db_begin(db, error)))
            return false;
        if (!book_one(db, i, error))
            return false;
    }
    return db_commit(db, error);
}

/* In a process of its own, which ends without closing anything. */
static bool make_store(const char *path, int64_t rows)
{
    int status = 0;
    const pid_t pid = fork();
    assert(pid >= 0);
    if (pid == 0) {
        struct error error = {0};
        struct db *db = db_open(path, DB_WRITE, intake_schema(), &error);
        if (!db || !fill(db, rows, &error)) {
            (void)fprintf(stderr, "fault_recovery: %s\n", error.text);
            _exit(EXIT_FAILURE);
        }
        _exit(EXIT_SUCCESS);
    }
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool copy(const char *from, const char *to)
{
    char bytes[1 << 16];
    FILE *source = fopen(from, "re");
    FILE *target = fopen(to, "we");
    bool good = source && target;
    for (size_t got = 1; good && got > 0;) {
        got = fread(bytes, 1, sizeof bytes, source);
        good = fwrite(bytes, 1, got, target) == got;
    }
    if (source)
        (void)fclose(source);
    if (target)
        good = fclose(target) == 0 && good;
    return good;
}

static bool copy_store(const struct recovery *recovery, const char *state_dir)
{
    static const char *const names[][2] = {{"full.db", "intake.db"},
                                           {"full.db-wal", "intake.db-wal"}};
    bool good = mkdir(state_dir, 0700) == 0;
    for (size_t i = 0; good && i < 2; i++) {
        char *from AUTO(memory_release) = in_folder(recovery->folder, names[i][0]);
        char *to AUTO(memory_release) = in_folder(state_dir, names[i][1]);
        good = access(from, F_OK) != 0 || copy(from, to);
    }
    return good;
}

/* How long until /ready says yes; -1 = never. */
static int64_t time_start(const struct process_plan *plan, pid_t *pid)
{
    struct http_wire wire AUTO(http_wire_release) = {.path = plan->socket, .fd = -1};
    const int64_t begun_ms = harness_now_ms();
    int status = 0;
    const char *body = NULL;
    *pid = process_start(plan);
    while (harness_now_ms() - begun_ms < START_MS) {
        if (http_wire_call(&wire, &(struct http_ask){.method = "GET", .path = "/ready"}, START_MS,
                           &status, &body) &&
            status == 200)
            return harness_now_ms() - begun_ms;
        harness_pause_ms(1);
    }
    return -1;
}

/* -1 = could not look. */
static int64_t count(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    int64_t result = -1;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
        sqlite3_busy_timeout(db, START_MS) == SQLITE_OK &&
        sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        result = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    (void)sqlite3_close(db);
    return result;
}

/* Until the outbox is empty; how many are in the queue then. */
static int64_t wait_sent(const struct recovery *recovery, const char *state_dir, int64_t *took_ms)
{
    char *store AUTO(memory_release) = in_folder(state_dir, "intake.db");
    char *queues AUTO(memory_release) = in_folder(recovery->folder, "queues.db");
    const int64_t begun_ms = harness_now_ms();
    while (count(store, "SELECT EXISTS (SELECT 1 FROM outbox)") != 0 &&
           harness_now_ms() - begun_ms < SEND_MS)
        harness_pause_ms(LOOK_MS);
    *took_ms = harness_now_ms() - begun_ms;
    return count(queues, "SELECT count(DISTINCT body) FROM message WHERE queue = 'request'");
}

struct outcome {
    int64_t ready_ms[ROUNDS_MAX];
    int64_t in_queue, send_ms;
};

static bool run_round(const struct recovery *recovery, int round, bool last,
                      struct outcome *outcome)
{
    char name[32];
    (void)snprintf(name, sizeof name, "state.%d", round);
    char *state_dir AUTO(memory_release) = in_folder(recovery->folder, name);
    char *socket AUTO(memory_release) = in_folder(recovery->folder, "sock");
    char *log AUTO(memory_release) = in_folder(recovery->folder, "log");
    const struct process_plan plan = {.program = recovery->program,
                                      .role = "intake",
                                      .state_dir = state_dir,
                                      .socket = socket,
                                      .log = log,
                                      .request_url = recovery->request,
                                      .confirmation_url = recovery->confirmation};
    pid_t pid = 0;
    if (!copy_store(recovery, state_dir))
        return false;
    outcome->ready_ms[round] = time_start(&plan, &pid);
    if (last && outcome->ready_ms[round] >= 0)
        outcome->in_queue = wait_sent(recovery, state_dir, &outcome->send_ms);
    (void)process_end(pid, SIGKILL);
    return outcome->ready_ms[round] >= 0;
}

static int compare(const void *a, const void *b)
{
    const int64_t left = *(const int64_t *)a;
    const int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static bool run(const struct recovery *recovery, int rounds, int64_t limit_ms)
{
    struct outcome outcome = {0};
    for (int i = 0; i < rounds; i++)
        if (!run_round(recovery, i, i == rounds - 1, &outcome))
            return figure("R12", false, "recovery: round %d did not become ready", i + 1);
    (void)printf("ready after");
    for (int i = 0; i < rounds; i++)
        (void)printf(" %lld", (long long)outcome.ready_ms[i]);
    (void)printf(" ms\n");
    qsort(outcome.ready_ms, (size_t)rounds, sizeof *outcome.ready_ms, compare);
    const int64_t median_ms = outcome.ready_ms[rounds / 2];
    const int64_t rate = outcome.send_ms > 0 ? outcome.in_queue * 1000 / outcome.send_ms : 0;
    return figure("R12", median_ms <= limit_ms && outcome.in_queue == recovery->rows,
                  "recovery: %lld unsent events, ready in %lld ms (median of %d starts after a"
                  " crash, at most %lld); %lld different ones in the queue %lld ms later, %lld/s",
                  (long long)recovery->rows, (long long)median_ms, rounds, (long long)limit_ms,
                  (long long)outcome.in_queue, (long long)outcome.send_ms, (long long)rate);
}

int main(int words_count, char **words)
{
    if (words_count != 6) {
        (void)fputs("usage: fault_recovery BOOKFLOW FOLDER ROWS ROUNDS LIMIT_MS\n", stderr);
        return 2;
    }
    struct recovery recovery = {
        .program = words[1], .folder = words[2], .rows = strtol(words[3], NULL, 10)};
    const int rounds = (int)strtol(words[4], NULL, 10);
    char *store = in_folder(recovery.folder, "full.db");
    char *queues = in_folder(recovery.folder, "queues.db?queue=");
    struct buf urls[2] = {{0}, {0}};
    buf_printf(&urls[0], "sqlite:%srequest", queues);
    buf_printf(&urls[1], "sqlite:%sconfirmation", queues);
    recovery.request = buf_take(&urls[0]);
    recovery.confirmation = buf_take(&urls[1]);
    const int64_t begun_ms = harness_now_ms();
    bool good = rounds >= 1 && rounds <= ROUNDS_MAX && make_store(store, recovery.rows);
    (void)printf("made %lld rows in %lld ms\n", (long long)recovery.rows,
                 (long long)(harness_now_ms() - begun_ms));
    good = good && run(&recovery, rounds, strtol(words[5], NULL, 10));
    free(store);
    free(queues);
    free(recovery.request);
    free(recovery.confirmation);
    return good ? 0 : 1;
}
