/* The workers of the story, and the one client they have. */
#include "allocations_stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "convergence.h"
#include "db.h"
#include "disk_private.h"
#include "outbox.h"
#include "worker.h"

enum { TURN_MS = 60, ASK_TURNS = 60, SETTLE_TURNS = 40, SETTLE_MS = 5000 };
#define EPOCH_MS (INT64_C(1771495200) * 1000) /* 2026-02-19T10:00:00Z */

static const char *const FILES[] = {"intake.db",       "intake.db-wal", "decision.db",
                                    "decision.db-wal", "queues.db",     "queues.db-journal"};
static const char *const LOCKS[] = {"intake.db.lock", "decision.db.lock", "queues.db.lock"};

/* --- its world --- */

static int64_t now_ms(void *context)
{
    return ((struct stage *)context)->now_ms;
}

/* Repeatable, and good enough for different ids. */
static void fill(void *context, void *bytes, size_t length)
{
    struct stage *stage = context;
    for (size_t i = 0; i < length; i++) {
        stage->chance = stage->chance * 6364136223846793005u + 1442695040888963407u;
        ((unsigned char *)bytes)[i] = (unsigned char)(stage->chance >> 56);
    }
}

static void stop_turning(void *context)
{
    loop_stop(((struct stage *)context)->loop);
}

static void woken(void *context)
{
    (void)context; /* every turn steps both */
}

static void path_of(const struct stage *stage, const char *name, char out[2 * STAGE_PATH])
{
    (void)snprintf(out, 2 * (size_t)STAGE_PATH, "%s/%s", stage->folder, name);
}

static char *text(const char *before, const char *folder, const char *behind)
{
    char *out = NULL;
    return asprintf(&out, "%s%s%s", before, folder, behind) < 0 ? NULL : out;
}

static struct sockaddr_un socket_name(const struct stage *stage)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    (void)snprintf(name.sun_path, sizeof name.sun_path, "%s/http", stage->folder);
    return name;
}

static void write_env(const struct stage *stage)
{
    char path[2 * STAGE_PATH];
    path_of(stage, "env", path);
    FILE *file = fopen(path, "we");
    if (!file || fputs("BOOKFLOW_STATE_DIR=/x\nBOOKFLOW_MAX_ATTEMPTS=5\n", file) < 0 ||
        fclose(file) != 0) {
        perror(path);
        exit(EXIT_FAILURE);
    }
}

/* One socket for all who are forked: a descriptor that is handed over is not unlinked. */
static int listening(const struct stage *stage)
{
    const struct sockaddr_un name = socket_name(stage);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&name, sizeof name) < 0 || listen(fd, 8) < 0) {
        perror("listen");
        exit(EXIT_FAILURE);
    }
    return fd;
}

void stage_init(struct stage *stage)
{
    *stage = (struct stage){.folder = "/tmp/bookflow-memory-XXXXXX", .now_ms = EPOCH_MS};
    stage->world = (struct world){now_ms, now_ms, fill, stage};
    if (!mkdtemp(stage->folder)) {
        perror(stage->folder);
        exit(EXIT_FAILURE);
    }
    write_env(stage);
    stage->disk = disk_new(1, DISK_HONEST);
    disk_set_time(stage->disk, EPOCH_MS);
    stage->settings = (struct settings){
        .roles = ROLE_ALL,
        .state_dir = text("", stage->folder, ""),
        .request_url = text("sqlite:", stage->folder, "/queues.db?queue=requests"),
        .confirmation_url = text("sqlite:", stage->folder, "/queues.db?queue=confirmations"),
        .listen_fd = listening(stage),
        .max_attempts = 8,
        .fair_queues = true,
    };
}

/* --- the process --- */

static bool open_roles(struct stage *stage, struct error *error)
{
    static const int NUMBERS[] = {ROLE_INTAKE, ROLE_DECISION};
    const struct role_host host = {
        .settings = &stage->settings,
        .world = &stage->world,
        .loop = stage->loop,
        .waker = stage->waker,
        .open_queue = queue_open,
        .single_threaded = true,
    };
    for (size_t i = 0; i < 2; i++) {
        stage->roles[i] = role_open(NUMBERS[i], &host, error);
        if (!stage->roles[i])
            return false;
    }
    return true;
}

static bool open_server(struct stage *stage, struct error *error)
{
    const struct http_listen given = {.fd = dup(stage->settings.listen_fd)};
    stage->server = http_server_new(stage->loop, &given, error);
    if (!stage->server)
        return false;
    for (size_t i = 0; i < 2; i++)
        role_add_routes(stage->roles[i], stage->server);
    return true;
}

/* A lock belongs to the open file, and that one the parent has open, too. */
static void forget_locks(const struct stage *stage)
{
    char path[2 * STAGE_PATH];
    for (size_t i = 0; i < sizeof LOCKS / sizeof *LOCKS; i++) {
        path_of(stage, LOCKS[i], path);
        (void)unlink(path);
    }
}

void stage_release(struct stage *stage)
{
    static const char *const OTHERS[] = {"env", "http"};
    char path[2 * STAGE_PATH];
    forget_locks(stage);
    for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++) {
        path_of(stage, OTHERS[i], path);
        (void)unlink(path);
    }
    (void)rmdir(stage->folder);
    settings_release(&stage->settings);
}

bool stage_open(struct stage *stage, struct error *error)
{
    forget_locks(stage);
    stage->loop = loop_new(error);
    if (!stage->loop)
        return false;
    stage->waker = loop_waker_new(stage->loop, woken, stage, error);
    stage->turn = loop_timer_new(stage->loop, stop_turning, stage);
    return stage->waker && open_roles(stage, error) && open_server(stage, error);
}

void stage_close(struct stage *stage)
{
    for (size_t i = 0; i < 2; i++)
        if (stage->roles[i])
            role_close(stage->roles[i]);
    http_server_free(stage->server);
    loop_timer_free(stage->turn);
    loop_waker_free(stage->waker);
    loop_free(stage->loop);
    stage->roles[0] = stage->roles[1] = NULL;
    stage->server = NULL;
    stage->turn = NULL;
    stage->waker = NULL;
    stage->loop = NULL;
}

void stage_died(struct stage *stage)
{
    char path[2 * STAGE_PATH];
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        path_of(stage, FILES[i], path);
        struct disk_file *file = disk_find(stage->disk, path);
        if (file) {
            file->sharing = 0;
            file->writing = NULL;
            file->shm = NULL;
        }
    }
    stage->roles[0] = stage->roles[1] = NULL;
    stage->server = NULL;
}

/* --- turning --- */

static void turn(struct stage *stage)
{
    loop_timer_set(stage->turn, 0);
    loop_run(stage->loop);
    for (size_t i = 0; i < 2; i++)
        if (stage->roles[i])
            (void)role_step(stage->roles[i]);
}

static void advance(struct stage *stage, int64_t ms)
{
    stage->now_ms += ms;
    disk_set_time(stage->disk, stage->now_ms);
}

void stage_turns(struct stage *stage, int count)
{
    for (int i = 0; i < count; i++) {
        advance(stage, TURN_MS);
        turn(stage);
    }
}

void stage_drain(struct stage *stage)
{
    http_server_drain(stage->server);
    for (size_t i = 0; i < 2; i++)
        role_drain(stage->roles[i]);
    for (int i = 0; i < ASK_TURNS; i++)
        if (!role_drained(stage->roles[0]) || !role_drained(stage->roles[1]))
            stage_turns(stage, 1);
}

/* --- the client --- */

static int connected(const struct stage *stage)
{
    const struct sockaddr_un name = socket_name(stage);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* connect() wants the general type of address. */
    if (fd < 0 || connect(fd, (const struct sockaddr *)&name, sizeof name) < 0) {
        perror("connect");
        exit(EXIT_FAILURE);
    }
    return fd;
}

/* Reads what is there; true when the answer is whole or nothing more will come. */
static bool read_answer(int fd, struct answer *answer)
{
    const ssize_t count = recv(fd, answer->text + answer->length,
                               sizeof answer->text - 1 - answer->length, MSG_DONTWAIT);
    if (count > 0)
        answer->length += (size_t)count;
    answer->text[answer->length] = '\0';
    const char *end = strstr(answer->text, "\r\n\r\n");
    const char *size = strstr(answer->text, "Content-Length: ");
    if (!end)
        return count == 0;
    answer->body = end + 4;
    answer->status = (int)strtol(answer->text + strlen("HTTP/1.1 "), NULL, 10);
    const size_t wanted = size && size < end ? strtoul(size + 16, NULL, 10) : 0;
    return answer->length >= (size_t)(answer->body - answer->text) + wanted || count == 0;
}

void stage_ask(struct stage *stage, const char *request, struct answer *answer)
{
    const int fd = connected(stage);
    *answer = (struct answer){.body = ""};
    (void)!send(fd, request, strlen(request), MSG_NOSIGNAL);
    for (int i = 0; i < ASK_TURNS && !read_answer(fd, answer); i++)
        turn(stage);
    (void)close(fd);
    for (int i = 0; i < 3; i++) /* the server sees it go */
        turn(stage);
}

/* --- looking --- */

static struct db *reader(const struct stage *stage, int role)
{
    return role_worker(stage->roles[role])->reader;
}

static bool settled(struct stage *stage, struct error *error)
{
    for (size_t i = 0; i < SETTLE_TURNS; i++) {
        struct outbox_pressure sending[2];
        for (int role = 0; role < 2; role++)
            if (!outbox_pressure(reader(stage, role), &sending[role], error))
                return false;
        const bool done = sending[0].unsent == 0 && sending[1].unsent == 0;
        stage_turns(stage, 4);
        if (done)
            return true;
        advance(stage, SETTLE_MS); /* whoever backs off has waited long enough */
    }
    return error_set(error, ERROR_UNAVAILABLE, "an outbox is not emptied");
}

static bool check(struct stage *stage, struct convergence *convergence, struct error *error)
{
    return convergence_check(reader(stage, 0), reader(stage, 1), convergence, error);
}

/* What is in the queue is not seen by the check: it waits a while for what is on its way. */
static bool converged(struct stage *stage, struct convergence *convergence, struct error *error)
{
    for (int i = 0; i < SETTLE_TURNS; i++) {
        if (!check(stage, convergence, error))
            return false;
        if (convergence->converged)
            return true;
        advance(stage, SETTLE_MS);
        stage_turns(stage, 4);
    }
    return error_set(
        error, ERROR_DAMAGED, "the stores differ: %s, unsent %lld, dropped %lld, untold %lld",
        convergence->first_troubled, (long long)convergence->unsent,
        (long long)(convergence->requests.dropped + convergence->confirmations.dropped),
        (long long)convergence->untold);
}

bool stage_bookings(struct stage *stage, int64_t *count, struct error *error)
{
    struct convergence convergence;
    if (!check(stage, &convergence, error))
        return false;
    *count = convergence.bookings;
    return true;
}

bool stage_verify(struct stage *stage, const struct stage_bookings *bookings, struct error *error)
{
    struct convergence convergence;
    if (!settled(stage, error) || !converged(stage, &convergence, error) ||
        !db_verify(reader(stage, 0), error) || !db_verify(reader(stage, 1), error))
        return false;
    return (convergence.bookings >= bookings->least && convergence.bookings <= bookings->most) ||
           error_set(error, ERROR_DAMAGED, "%lld bookings, not %lld to %lld",
                     (long long)convergence.bookings, (long long)bookings->least,
                     (long long)bookings->most);
}
