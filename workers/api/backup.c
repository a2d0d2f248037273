/* The backup route: a request is kept while a thread copies. Knows nothing of what a store holds.
 */
#include "backup.h"

#include <inttypes.h>
#include <stdlib.h>

#include "buf.h"
#include "copy.h"
#include "log.h"
#include "loop.h"

struct backup {
    struct worker *worker;
    struct copy *copy;            /* NULL = none is made */
    struct http_request *request; /* who asked for it */
    int64_t begun_ms;
};

struct backup *backup_new(struct worker *worker)
{
    struct backup *backup = memory_new(1, sizeof *backup);
    backup->worker = worker;
    return backup;
}

static void wake(void *context)
{
    const struct backup *backup = context;
    loop_wake(backup->worker->waker);
}

static void answer(struct backup *backup)
{
    struct error error = {0};
    const char *path = NULL;
    int64_t bytes = 0;
    const int64_t took_ms = world_ticks_ms(backup->worker->world) - backup->begun_ms;
    if (!copy_result(backup->copy, &path, &bytes, &error)) {
        log_failure("backup.failed", &error);
        http_reply_error(backup->request, &error, NULL);
        return;
    }
    log_event(LOG_LEVEL_INFO, "backup.done",
              LOG(log_text("worker", backup->worker->name), log_text("file", path),
                  log_number("bytes", bytes), log_number("took_ms", took_ms)));
    http_reply_json(backup->request, 200,
                    json_pack("{s:s,s:s,s:I,s:I}", "store", backup->worker->name, "file", path,
                              "bytes", (json_int_t)bytes, "tookMs", (json_int_t)took_ms));
}

void backup_step(struct backup *backup)
{
    if (!backup->copy || !copy_ended(backup->copy))
        return;
    answer(backup);
    copy_free(backup->copy);
    backup->copy = NULL;
}

void backup_drain(struct backup *backup)
{
    if (backup->copy)
        copy_stop(backup->copy);
}

void backup_free(struct backup *backup)
{
    if (!backup)
        return;
    copy_free(backup->copy);
    free(backup);
}

static void begin(void *context, struct http_request *request)
{
    const struct worker *worker = context;
    struct backup *backup = worker->backup;
    struct error error = {0};
    if (backup->copy)
        (void)error_set(&error, ERROR_CONFLICT, "a backup is being made");
    else
        backup->copy = copy_new(worker->reader, wake, backup, &error);
    if (error.kind != ERROR_NONE) {
        http_reply_error(request, &error, NULL);
        return;
    }
    backup->request = request;
    backup->begun_ms = world_ticks_ms(worker->world);
}

const struct http_route *backup_intake_routes(void)
{
    static const struct http_route routes[] = {{.method = HTTP_POST,
                                                .pattern = "/stores/intake/backup",
                                                .handler = begin,
                                                .access = HTTP_ADMIN},
                                               {0}};
    return routes;
}

const struct http_route *backup_decision_routes(void)
{
    static const struct http_route routes[] = {{.method = HTTP_POST,
                                                .pattern = "/stores/decision/backup",
                                                .handler = begin,
                                                .access = HTTP_ADMIN},
                                               {0}};
    return routes;
}
