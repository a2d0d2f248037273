/* The writer: a queue of operations in, batches committed, a queue of finished operations out. One
 * mutex guards the two queues and is never held over I/O or a callback. Knows nothing of what an
 * operation does. */
#include "writer.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"

struct operations {
    struct operation *first;
    struct operation *last;
    size_t count;
};

struct writer {
    struct db *db; /* the thread's, once it runs */
    void (*wake)(void *context);
    void *context;
    pthread_t thread;
    bool threaded;

    pthread_mutex_t mutex; /* guards from here to `totals` */
    pthread_cond_t work;
    struct operations submitted;
    struct operations finished;
    bool stopping;
    struct writer_counters totals;

    size_t pending; /* these two are the loop's */
    struct writer_counters counters;
};

static void append(struct operations *list, struct operation *operation)
{
    operation->next = NULL;
    if (list->last)
        list->last->next = operation;
    else
        list->first = operation;
    list->last = operation;
    list->count++;
}

/* The first operation, out of the list; NULL when empty. */
static struct operation *take_first(struct operations *list)
{
    struct operation *operation = list->first;
    if (!operation)
        return NULL;
    list->first = operation->next;
    list->last = list->first ? list->last : NULL;
    list->count--;
    return operation;
}

static struct operations take_batch(struct writer *writer)
{
    struct operations batch = {0};
    (void)pthread_mutex_lock(&writer->mutex);
    while (batch.count < WRITER_BATCH && writer->submitted.first)
        append(&batch, take_first(&writer->submitted));
    (void)pthread_mutex_unlock(&writer->mutex);
    return batch;
}

/* False means that the transaction is lost, not that the operation failed. */
static bool apply_one(struct db *db, struct operation *operation, struct error *error)
{
    if (!db_savepoint(db, error))
        return false;
    if (!operation->apply(operation, db, &operation->failure)) {
        assert(operation->failure.kind != ERROR_NONE); /* or it would be told that it is durable */
        return db_savepoint_undo(db, error);
    }
    error_clear(&operation->failure); /* of something that it tried and did without */
    return db_savepoint_keep(db, error);
}

static bool apply_all(struct db *db, const struct operations *batch, struct error *error)
{
    for (struct operation *each = batch->first; each; each = each->next)
        if (!apply_one(db, each, error))
            return false;
    return true;
}

/* Also those that failed by themselves: what they saw has never been. */
static void fail_all(const struct operations *batch, const struct error *error)
{
    for (struct operation *each = batch->first; each; each = each->next) {
        error_clear(&each->failure);
        (void)error_set(&each->failure, ERROR_UNAVAILABLE, "nothing was stored: %s", error->text);
    }
}

static bool run_batch(struct db *db, const struct operations *batch)
{
    struct error error = {0};
    if (!db_begin(db, &error)) {
        fail_all(batch, &error);
        return false;
    }
    if (!apply_all(db, batch, &error) || !db_commit(db, &error)) {
        db_rollback(db);
        fail_all(batch, &error);
        return false;
    }
    return true;
}

static void hand_back(struct writer *writer, struct operations *batch, bool committed)
{
    (void)pthread_mutex_lock(&writer->mutex);
    writer->totals.operations += (int64_t)batch->count;
    writer->totals.commits += committed ? 1 : 0;
    writer->totals.failed_commits += committed ? 0 : 1;
    while (batch->first)
        append(&writer->finished, take_first(batch));
    (void)pthread_mutex_unlock(&writer->mutex);
    if (writer->wake)
        writer->wake(writer->context);
}

size_t writer_step(struct writer *writer)
{
    struct operations batch = take_batch(writer);
    const size_t count = batch.count;
    if (count > 0) {
        const bool committed = run_batch(writer->db, &batch);
        hand_back(writer, &batch, committed);
    }
    return count;
}

/* False when there is nothing left to do, ever. */
static bool wait_for_work(struct writer *writer)
{
    (void)pthread_mutex_lock(&writer->mutex);
    while (!writer->submitted.first && !writer->stopping)
        (void)pthread_cond_wait(&writer->work, &writer->mutex);
    const bool work = writer->submitted.first != NULL;
    (void)pthread_mutex_unlock(&writer->mutex);
    return work;
}

static void *run_thread(void *context)
{
    struct writer *writer = context;
    while (wait_for_work(writer))
        (void)writer_step(writer);
    return NULL;
}

struct writer *writer_new(struct db *db, void (*wake)(void *context), void *context)
{
    struct writer *writer = memory_new(1, sizeof *writer);
    writer->db = db;
    writer->wake = wake;
    writer->context = context;
    (void)pthread_mutex_init(&writer->mutex, NULL);
    (void)pthread_cond_init(&writer->work, NULL);
    return writer;
}

bool writer_start(struct writer *writer, struct error *error)
{
    assert(!writer->threaded);
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all); /* signals are the loop's */
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    const int code = pthread_create(&writer->thread, NULL, run_thread, writer);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code != 0) {
        return error_set(error, ERROR_UNAVAILABLE, "cannot start the writer thread: %s",
                         strerror(code));
    }
    writer->threaded = true;
    return true;
}

void writer_submit(struct writer *writer, struct operation *operation)
{
    operation->failure = (struct error){0};
    writer->pending++;
    (void)pthread_mutex_lock(&writer->mutex);
    append(&writer->submitted, operation);
    (void)pthread_mutex_unlock(&writer->mutex);
    (void)pthread_cond_signal(&writer->work);
}

static void deliver_one(struct writer *writer, struct operation *operation)
{
    const struct error failure = operation->failure; /* done() frees the operation */
    writer->pending--;
    operation->done(operation, failure.kind == ERROR_NONE ? NULL : &failure);
}

size_t writer_deliver(struct writer *writer)
{
    (void)pthread_mutex_lock(&writer->mutex);
    struct operations finished = writer->finished;
    writer->finished = (struct operations){0};
    writer->counters = writer->totals;
    (void)pthread_mutex_unlock(&writer->mutex);
    const size_t count = finished.count;
    while (finished.first)
        deliver_one(writer, take_first(&finished));
    return count;
}

size_t writer_pending(const struct writer *writer)
{
    return writer->pending;
}

struct writer_counters writer_counters(const struct writer *writer)
{
    return writer->counters;
}

static void stop_thread(struct writer *writer)
{
    if (!writer->threaded)
        return;
    (void)pthread_mutex_lock(&writer->mutex);
    writer->stopping = true;
    (void)pthread_mutex_unlock(&writer->mutex);
    (void)pthread_cond_signal(&writer->work);
    const int code = pthread_join(writer->thread, NULL);
    assert(code == 0);
}

void writer_free(struct writer *writer)
{
    if (!writer)
        return;
    stop_thread(writer);
    writer->wake = NULL; /* from here this thread does what is left, done() may have added some */
    do {
        while (writer_step(writer) > 0) {
        }
    } while (writer_deliver(writer) > 0);
    struct error ignored = {0}; /* the WAL stays longer; nothing is lost */
    (void)!db_checkpoint(writer->db, &ignored);
    db_close(writer->db);
    (void)pthread_cond_destroy(&writer->work);
    (void)pthread_mutex_destroy(&writer->mutex);
    free(writer);
}
