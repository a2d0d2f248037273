/* Accept and reject without a screen: each id with an Idempotency-Key of its own, the same on every
 * try. There is no undo here. */
#include "batch.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

enum { TRIES = 4, FIRST_WAIT_MS = 500, LAST_WAIT_MS = 10 * 1000 };

/* Again and again with the same key, so that it cannot be done twice. */
static struct news *decide(const struct batch *batch, const char *id, const struct remote *remote,
                           struct client *client)
{
    const char *reason = batch->options[BATCH_REASON];
    char key[ID_SIZE];
    int64_t wait_ms = FIRST_WAIT_MS;
    id_new(world_real(), key);
    for (int try = 1;; try++) {
        struct news *news = news_new(NEWS_DECISION, id);
        news->command = batch->verb == BATCH_ACCEPT ? BOOKING_ACCEPT : BOOKING_REJECT;
        news->reason = reason ? memory_text(reason) : NULL;
        id_copy(news->key, key);
        remote_decide(remote, client, news);
        const enum error_kind kind = news->error.kind;
        if (try == TRIES || (kind != ERROR_UNAVAILABLE && kind != ERROR_BUSY))
            return news;
        const int64_t asked_ms = news->wait_ms > wait_ms ? news->wait_ms : wait_ms;
        (void)poll(NULL, 0, (int)(asked_ms < LAST_WAIT_MS ? asked_ms : LAST_WAIT_MS));
        wait_ms *= 2;
        news_free(news);
    }
}

static const char *done_word(const struct batch *batch)
{
    return batch->verb == BATCH_ACCEPT ? "accepted" : "rejected";
}

static int refused(const struct batch *batch, const struct news *news)
{
    struct error error = {0};
    const struct record *record = news->count > 0 ? news->records[0] : NULL;
    const enum booking_status wanted =
        batch->verb == BATCH_ACCEPT ? BOOKING_CONFIRMED : BOOKING_REJECTED;
    if (news->error.kind == ERROR_CONFLICT && record)
        (void)error_set(&error, ERROR_CONFLICT, "%s: it is %s already; %s", news->id,
                        booking_status_name(record->status),
                        record->status == wanted ? "nothing to do" : "--show tells more");
    else if (news->error.kind == ERROR_UNAVAILABLE)
        (void)error_set(&error, ERROR_UNAVAILABLE, "%s: not known to be %s: %s", news->id,
                        done_word(batch), news->error.text);
    else
        (void)error_set(&error, news->error.kind, "%s: %s", news->id, news->error.text);
    return batch_fail(&error);
}

/* What would end the next one in the same way. */
static bool ends_all(enum error_kind kind)
{
    return error_policy(kind)->retry || kind == ERROR_UNAUTHORISED || kind == ERROR_FORBIDDEN;
}

static int decide_each(const struct batch *batch, const struct remote *remote,
                       struct client *client)
{
    size_t done = 0;
    int failed = 0;
    for (size_t i = 0; i < batch->count; i++) {
        struct news *news AUTO(news_release) = decide(batch, batch->ids[i], remote, client);
        if (news->error.kind == ERROR_NONE) {
            (void)printf("%s %s\n", batch->ids[i], done_word(batch));
            done++;
            continue;
        }
        const int code = refused(batch, news);
        failed = failed == 0 || failed == code ? code : 1;
        if (!ends_all(news->error.kind))
            continue;
        if (i + 1 < batch->count)
            (void)fprintf(stderr, "bookflow-console: %zu more were not tried\n",
                          batch->count - i - 1);
        break;
    }
    return failed != 0 && done > 0 ? BATCH_PARTLY_DONE : failed;
}

/* --- ids from stdin --- */

struct ids {
    char **items;
    size_t count;
};

static void ids_release(struct ids *ids)
{
    for (size_t i = 0; i < ids->count; i++)
        free(ids->items[i]);
    free(ids->items);
}

/* The first word of each line, so that lines of --list do. Nothing is done before all are read. */
static bool read_ids(struct ids *ids, FILE *file, struct error *error)
{
    enum { LINE_MAX_BYTES = 8192 };
    static const char blanks[] = " \t\r\n";
    char line[LINE_MAX_BYTES];
    for (size_t number = 1; fgets(line, sizeof line, file); number++) {
        const char *id = line + strspn(line, blanks);
        const size_t length = strcspn(id, blanks);
        if (!strchr(line, '\n') && !feof(file))
            return error_set(error, ERROR_USAGE, "line %zu of the input is too long", number);
        if (length == 0)
            continue;
        if (!id_valid(id, length))
            return error_set(error, ERROR_USAGE, "line %zu of the input does not begin with an id",
                             number);
        ids->items = memory_resize(ids->items, ids->count + 1, sizeof(char *));
        ids->items[ids->count++] = memory_text_n(id, length);
    }
    return !ferror(file) || error_set(error, ERROR_USAGE, "the input cannot be read");
}

int batch_decide(const struct batch *batch, const struct remote *remote, struct client *client)
{
    struct error error = {0};
    struct ids ids AUTO(ids_release) = {0};
    struct batch named = *batch;
    if (strcmp(batch->ids[0], "-") == 0) {
        if (!read_ids(&ids, stdin, &error))
            return batch_fail(&error);
        named.ids = (const char *const *)ids.items; /* C knows no such conversion, C++ does */
        named.count = ids.count;
    }
    return decide_each(&named, remote, client);
}
