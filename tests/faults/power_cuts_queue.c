/* The embedded queue under work, and what must be true of it after the power came back: a message
 * whose send was acknowledged is there until its delete was asked for, and one whose delete was
 * acknowledged never comes again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "embedded_messages.h"
#include "power_cuts_store.h"
#include "queue.h"

enum { ROUNDS = 1, SENDS = 3, MESSAGES = (ROUNDS + 2) * SENDS, STEPS = 50, BODY = 900 };
enum { DAY_MS = 24 * 3600 * 1000, HIDDEN_S = 30, LONG_HIDDEN_S = 43200 };

struct message {
    char id[ID_SIZE]; /* "" = its send was not acknowledged */
    bool delete_asked;
    bool deleted;
};

/* The number of a message is in its body. */
struct letters {
    struct message messages[MESSAGES];
    size_t count;
};

/* Calls in hand; what they answer goes to one of these. */
struct call {
    struct letters *letters;
    size_t first; /* of a send: the number of its first message */
    size_t number;
    bool answered;
    bool succeeded;
    size_t received;
    size_t numbers[QUEUE_BATCH];
    char receipts[QUEUE_BATCH][ID_SIZE];
};

static void sent(void *context, const struct queue_result results[], size_t count,
                 const struct error *failure)
{
    struct call *call = context;
    call->answered = true;
    call->succeeded = !failure;
    for (size_t i = 0; i < count && !failure; i++) {
        call->succeeded &= results[i].kind == ERROR_NONE;
        if (results[i].kind == ERROR_NONE)
            id_copy(call->letters->messages[call->first + i].id, results[i].id);
    }
}

static void deleted(void *context, const struct queue_result results[], size_t count,
                    const struct error *failure)
{
    struct call *call = context;
    call->answered = true;
    call->succeeded = !failure && count == 1 && results[0].kind == ERROR_NONE;
    if (call->succeeded)
        call->letters->messages[call->number].deleted = true;
}

static void hidden(void *context, const struct queue_result results[], size_t count,
                   const struct error *failure)
{
    struct call *call = context;
    (void)results;
    (void)count;
    call->answered = true;
    call->succeeded = !failure;
}

static void received(void *context, const struct queue_message messages[], size_t count,
                     const struct error *failure)
{
    struct call *call = context;
    call->answered = true;
    call->succeeded = !failure;
    call->received = failure ? 0 : count;
    for (size_t i = 0; i < call->received; i++) {
        call->numbers[i] = (size_t)strtoul(messages[i].body, NULL, 10);
        (void)snprintf(call->receipts[i], ID_SIZE, "%s", messages[i].receipt);
    }
}

static bool settle(struct queue *queue, const struct call *call)
{
    for (int i = 0; i < STEPS && !call->answered; i++)
        (void)queue_step(queue);
    return call->answered && call->succeeded;
}

static bool send_some(struct queue *queue, struct letters *letters)
{
    char bodies[SENDS][BODY];
    struct queue_entry entries[SENDS];
    struct call call = {.letters = letters, .first = letters->count};
    for (size_t i = 0; i < SENDS; i++) {
        (void)snprintf(bodies[i], BODY, "%zu %0*d", letters->count + i, BODY - 10, 0);
        entries[i] = (struct queue_entry){.body = bodies[i]};
    }
    letters->count += SENDS;
    queue_send(queue, entries, SENDS, sent, &call);
    return settle(queue, &call);
}

static void delete_one(struct queue *queue, struct letters *letters, const struct call *from,
                       size_t i)
{
    const char *receipt = from->receipts[i];
    struct call call = {.letters = letters, .number = from->numbers[i]};
    letters->messages[from->numbers[i]].delete_asked = true;
    queue_delete(queue, &receipt, 1, deleted, &call);
    (void)settle(queue, &call);
}

static void hide_one(struct queue *queue, const struct call *from, size_t i)
{
    const struct queue_visibility change = {.receipt = from->receipts[i], .visibility_s = 0};
    struct call call = {0};
    queue_change_visibility(queue, &change, 1, hidden, &call);
    (void)settle(queue, &call);
}

/* Three in, two received, one of them deleted, the other given back. */
static void one_round(struct queue *queue, struct letters *letters, struct bench *bench)
{
    const struct queue_receive_options options = {.maximum = 2, .visibility_s = HIDDEN_S};
    struct call call = {0};
    bench->now_ms += 1000;
    (void)send_some(queue, letters);
    queue_receive(queue, &options, received, &call);
    if (!settle(queue, &call))
        return;
    if (call.received > 0)
        delete_one(queue, letters, &call, 0);
    if (call.received > 1)
        hide_one(queue, &call, 1);
}

static struct queue *open_queue(struct bench *bench, struct error *error)
{
    char url[BENCH_PATH_SIZE + 40];
    (void)snprintf(url, sizeof url, "sqlite:%s/queues.db?queue=request", bench->folder);
    const struct queue_host host = {.world = &bench->world, .single_threaded = true};
    struct queue *queue = queue_open(url, &host, error);
    if (!queue && !disk_is_off(bench->disk)) { /* as a worker that is started again */
        error_clear(error);
        queue = queue_open(url, &host, error);
    }
    return queue;
}

static bool run(void *record, struct bench *bench)
{
    struct letters *letters = record;
    struct error error = {0};
    struct queue *queue = open_queue(bench, &error);
    if (!queue)
        return false;
    for (int i = 0; i < ROUNDS; i++)
        one_round(queue, letters, bench);
    bool went_on = send_some(queue, letters);
    if (!went_on) /* it may be what the fault hits */
        went_on = send_some(queue, letters);
    if (bench->closes_in_the_dark)
        disk_cut(bench->disk);
    queue_close(queue);
    return went_on;
}

/* Everything that can be received, by number. */
static bool receive_all(struct queue *queue, size_t seen[MESSAGES])
{
    const struct queue_receive_options options = {.maximum = QUEUE_BATCH,
                                                  .visibility_s = LONG_HIDDEN_S};
    for (size_t more = 1; more > 0;) {
        struct call call = {0};
        queue_receive(queue, &options, received, &call);
        if (!settle(queue, &call))
            return false;
        for (size_t i = 0; i < call.received; i++)
            seen[call.numbers[i] % MESSAGES]++;
        more = call.received;
    }
    return true;
}

static enum verdict compare(const struct letters *letters, const size_t seen[MESSAGES],
                            struct error *why)
{
    for (size_t i = 0; i < MESSAGES; i++) {
        const struct message *message = &letters->messages[i];
        if (message->id[0] && !message->delete_asked && seen[i] == 0) {
            (void)error_set(why, ERROR_DAMAGED, "message %zu was acknowledged and is gone", i);
            return VERDICT_LOST;
        }
        if (message->deleted && seen[i] > 0) {
            (void)error_set(why, ERROR_DAMAGED, "message %zu was deleted and is back", i);
            return VERDICT_LOST;
        }
        if (seen[i] > 1) {
            (void)error_set(why, ERROR_DAMAGED, "message %zu is there twice", i);
            return VERDICT_CONTRADICTED;
        }
    }
    return VERDICT_KEPT;
}

static bool is_whole(struct bench *bench, struct error *why)
{
    char path[BENCH_PATH_SIZE];
    bench_path(bench, "queues.db", path);
    struct db *db AUTO(db_release) = db_open(path, DB_READ, &messages_schema, why);
    return db && bench_is_whole(db, why);
}

static enum verdict check_open(const struct letters *letters, struct queue *queue,
                               struct bench *bench, struct error *why)
{
    size_t seen[MESSAGES] = {0};
    struct letters more = {0};
    if (!is_whole(bench, why))
        return VERDICT_CORRUPT;
    if (!receive_all(queue, seen) || !send_some(queue, &more)) {
        (void)error_set(why, ERROR_DAMAGED, "it cannot be used");
        return VERDICT_CORRUPT;
    }
    return compare(letters, seen, why);
}

/* When everything hidden shows again. */
static enum verdict check(const void *record, struct bench *bench, struct error *why)
{
    const int64_t now_ms = bench->now_ms;
    bench->now_ms += DAY_MS * ++bench->checks;
    struct queue *queue = open_queue(bench, why);
    enum verdict verdict = VERDICT_CORRUPT;
    if (queue)
        verdict = check_open(record, queue, bench, why);
    if (queue)
        queue_close(queue);
    bench->now_ms = now_ms;
    return verdict;
}

const struct subject power_cuts_queue = {"embedded queue", sizeof(struct letters), run, check};
