/* Three threads, each a loop with one job. What crosses: pipes of pointers, a flag and a kick. */
#include "api.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "journal.h"
#include "json_fields.h"
#include "timestamp.h"

enum {
    SILENCE_MS = 40 * 1000,
    FIRST_WAIT_MS = 1000,
    LAST_WAIT_MS = 15 * 1000,
    SIGNED_OUT_WAIT_MS = 60 * 1000,
    THREADS = 3
};

/* What is written into a pipe: smaller than PIPE_BUF, so it goes and comes whole. */
struct letter {
    struct news *news;
};

struct api {
    const struct remote *remote;
    struct client *sender;
    struct client *listener;
    pthread_t threads[THREADS];
    size_t running;
    int questions[2];
    int lines[2]; /* questions, too: those for the journal */
    int news[2];
    int kick; /* ends the listener's wait */
    atomic_bool stop;
    /* Only the listener's: */
    struct buf last_id;
    bool told; /* NEWS_CONNECTED was said for this stream */
    bool resumed;
};

static struct news *take(int fd)
{
    struct letter letter = {0};
    return read(fd, &letter, sizeof letter) == (ssize_t)sizeof letter ? letter.news : NULL;
}

/* Waits while the screen has not read what is in the pipe. */
static void tell(const struct api *api, struct news *news)
{
    const struct letter letter = {news};
    if (write(api->news[1], &letter, sizeof letter) != (ssize_t)sizeof letter)
        news_free(news);
}

/* --- the listener --- */

static void tell_connected(struct api *api)
{
    if (api->told)
        return;
    api->told = true;
    struct news *news = news_new(NEWS_CONNECTED, NULL);
    news->resumed = api->resumed;
    tell(api, news);
}

/* A resumed stream may have nothing to say for a while; a new one says its number first, and only
 * then may the list be fetched. */
static void on_opened(void *context)
{
    struct api *api = context;
    if (api->resumed)
        tell_connected(api);
}

static void tell_changed(const struct api *api, const char *data)
{
    struct error ignored = {0};
    json_t *root AUTO(json_release) = json_parse_object(data, strlen(data), &ignored);
    struct record *record = root ? record_from_json(root, &ignored) : NULL;
    struct news *news = news_new(record ? NEWS_CHANGED : NEWS_ALIVE, NULL);
    news->event = memory_text(data);
    news_add(news, record);
    tell(api, news);
}

/* A server that counts from further back is not the one we knew: what we have may be gone. */
static bool begins_anew(const struct api *api, const char *id)
{
    return id && api->resumed && strtoll(id, NULL, 10) < strtoll(buf_text(&api->last_id), NULL, 10);
}

static bool on_event(void *context, const struct client_event *event)
{
    struct api *api = context;
    if (begins_anew(api, event->id))
        api->told = api->resumed = false;
    tell_connected(api);
    if (event->data && strcmp(event->name, "booking") == 0)
        tell_changed(api, event->data);
    else
        tell(api, news_new(NEWS_ALIVE, NULL));
    if (event->id) { /* after the news: what was not handed on is asked for again */
        buf_clear(&api->last_id);
        buf_text_append(&api->last_id, event->id);
    }
    return !atomic_load(&api->stop);
}

static bool listen_once(struct api *api, struct error *error)
{
    struct buf path AUTO(buf_release) = {0};
    remote_path(api->remote, &path, "/events");
    api->told = false;
    api->resumed = api->last_id.length > 0;
    const struct client_stream_call call = {.path = buf_text(&path),
                                            .last_event_id =
                                                api->resumed ? buf_text(&api->last_id) : NULL,
                                            .silence_ms = SILENCE_MS,
                                            .event = on_event,
                                            .opened = on_opened,
                                            .context = api};
    if (!remote_sign_in(api->remote, api->listener, error) ||
        !client_stream(api->listener, &call, error))
        return false;
    return error_set(error, ERROR_UNAVAILABLE, "the server ended the stream");
}

static int64_t wait_after(const struct error *error, int64_t *next_ms)
{
    if (error->kind != ERROR_UNAVAILABLE && error->kind != ERROR_BUSY)
        return SIGNED_OUT_WAIT_MS;
    const int64_t wait_ms = *next_ms;
    *next_ms = 2 * wait_ms < LAST_WAIT_MS ? 2 * wait_ms : LAST_WAIT_MS;
    return wait_ms;
}

static void *listen_always(void *context)
{
    struct api *api = context;
    struct pollfd kick = {.fd = api->kick, .events = POLLIN};
    int64_t next_ms = FIRST_WAIT_MS;
    while (!atomic_load(&api->stop)) {
        struct news *news = news_new(NEWS_LOST, NULL);
        (void)!listen_once(api, &news->error);
        if (api->told)
            next_ms = FIRST_WAIT_MS;
        if (news->error.kind == ERROR_INVALID) /* our number means nothing there: begin anew */
            buf_clear(&api->last_id);
        const int64_t wait_ms = wait_after(&news->error, &next_ms);
        news->wait_ms = wait_ms;
        tell(api, news);
        uint64_t count = 0;
        if (poll(&kick, 1, (int)wait_ms) > 0)
            (void)!read(api->kick, &count, sizeof count);
    }
    return NULL;
}

/* --- the sender --- */

static bool add_record(void *context, const json_t *booking)
{
    struct error ignored = {0};
    news_add(context, record_from_json(booking, &ignored));
    return true;
}

static void ask_pipeline(const struct api *api, struct news *news)
{
    json_t *root AUTO(json_release) =
        remote_get(api->sender, "/pipeline", &news->status, &news->error);
    news->unsent = json_integer_value(json_object_get(root, "unsent"));
    news->oldest_unsent_s = json_integer_value(json_object_get(root, "oldestUnsentSeconds"));
}

static void ask_list(const struct api *api, struct news *news, const char *query)
{
    const struct remote_list list = {query, add_record, news};
    news->status = remote_list(api->remote, api->sender, &list, &news->error) ? 200 : 0;
}

static void ask_day(const struct api *api, struct news *news)
{
    struct buf query AUTO(buf_release) = {0};
    char from[TIMESTAMP_SIZE];
    char to[TIMESTAMP_SIZE];
    buf_printf(&query, "&from=%s&to=%s", timestamp_format(news->from_s, from),
               timestamp_format(news->to_s, to));
    ask_list(api, news, buf_text(&query));
}

/* Only questions come here. */
static void ask(const struct api *api, struct news *news)
{
    json_t *booking AUTO(json_release) = NULL;
    if (news->kind == NEWS_LIST) {
        ask_list(api, news, "&status=pending");
    } else if (news->kind == NEWS_DAY) {
        ask_day(api, news);
    } else if (news->kind == NEWS_BOOKING) {
        booking = remote_booking(api->remote, api->sender, news->id, &news->error);
        if (booking)
            (void)add_record(news, booking);
    } else if (news->kind == NEWS_DECISION) {
        remote_decide(api->remote, api->sender, news);
    } else if (news->kind == NEWS_PIPELINE ||
               remote_sign_in(api->remote, api->sender, &news->error)) {
        ask_pipeline(api, news);
    }
}

static void *ask_always(void *context)
{
    struct api *api = context;
    for (struct news *news = NULL; !atomic_load(&api->stop) && (news = take(api->questions[0]));) {
        ask(api, news);
        tell(api, news);
    }
    return NULL;
}

/* --- the journal --- */

static struct journal *open_journal(const struct api *api, struct error *error)
{
    const struct journal_owner owner = {api->remote->url, api->remote->provider};
    struct error ignored = {0};
    struct news *news = news_new(NEWS_OPENED, NULL);
    news->history = memory_new(1, sizeof *news->history);
    struct journal *journal = journal_open(&owner, news->history, error);
    news->error = *error;
    if (error->kind == ERROR_BUSY) /* to be seen it is all the same */
        (void)!journal_read(&owner, news->history, &ignored);
    tell(api, news);
    return journal;
}

/* Ends with the pipe: what was handed over is written, whatever else ends. */
static void *keep_always(void *context)
{
    struct api *api = context;
    struct error closed = {0};
    struct journal *journal AUTO(journal_release) = open_journal(api, &closed);
    for (struct news *news = NULL; (news = take(api->lines[0]));) {
        if (journal)
            (void)!journal_append(journal, &news->lines, &news->error);
        else
            news->error = closed;
        tell(api, news);
    }
    return NULL;
}

/* --- the screen's side --- */

static bool start_thread(struct api *api, void *(*run)(void *), struct error *error)
{
    if (pthread_create(&api->threads[api->running], NULL, run, api) != 0)
        return error_set(error, ERROR_UNAVAILABLE, "no thread could be started");
    api->running++;
    return true;
}

/* The screen's ends never make it wait. */
static bool open_pipes(struct api *api, struct error *error)
{
    const int *ours[] = {&api->questions[1], &api->lines[1], &api->news[0]};
    api->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    bool opened = api->kick >= 0 && pipe2(api->questions, O_CLOEXEC) == 0 &&
                  pipe2(api->lines, O_CLOEXEC) == 0 && pipe2(api->news, O_CLOEXEC) == 0;
    for (size_t i = 0; i < sizeof ours / sizeof ours[0] && opened; i++)
        opened = fcntl(*ours[i], F_SETFL, O_NONBLOCK) == 0;
    return opened || error_set(error, ERROR_UNAVAILABLE, "pipe: %s", strerror(errno));
}

static bool start(struct api *api, bool only_listens, struct error *error)
{
    if (!open_pipes(api, error))
        return false;
    api->sender = remote_client(api->remote, &api->stop, error);
    api->listener = remote_client(api->remote, &api->stop, error);
    return api->sender && api->listener &&
           (only_listens ||
            (start_thread(api, keep_always, error) && start_thread(api, ask_always, error))) &&
           start_thread(api, listen_always, error);
}

static struct api *begin(const struct remote *remote, bool only_listens, struct error *error)
{
    struct api *api = memory_new(1, sizeof *api);
    *api = (struct api){
        .remote = remote, .kick = -1, .questions = {-1, -1}, .lines = {-1, -1}, .news = {-1, -1}};
    if (start(api, only_listens, error))
        return api;
    api_free(api);
    return NULL;
}

struct api *api_start(const struct remote *remote, struct error *error)
{
    return begin(remote, false, error);
}

struct api *api_listen(const struct remote *remote, struct error *error)
{
    return begin(remote, true, error);
}

static void kick(const struct api *api)
{
    const uint64_t one = 1;
    (void)!write(api->kick, &one, sizeof one);
}

static void drain(int fd)
{
    for (struct news *news = NULL; (news = take(fd));)
        news_free(news);
}

/* A closed pipe ends the sender's wait. A thread that waits for room in the other one gets it, sees
 * the flag and tells little more. */
static void end_threads(struct api *api)
{
    atomic_store(&api->stop, true);
    (void)close(api->questions[1]);
    (void)close(api->lines[1]);
    api->questions[1] = api->lines[1] = -1;
    client_wake(api->sender);
    client_wake(api->listener);
    kick(api);
    for (size_t i = 0; i < api->running; i++) {
        drain(api->news[0]);
        (void)pthread_join(api->threads[i], NULL);
    }
    drain(api->news[0]);
    drain(api->questions[0]);
}

void api_free(struct api *api)
{
    if (!api)
        return;
    if (api->running > 0)
        end_threads(api);
    client_free(api->sender);
    client_free(api->listener);
    buf_release(&api->last_id);
    const int fds[] = {api->questions[0], api->questions[1], api->lines[0], api->lines[1],
                       api->news[0],      api->news[1],      api->kick};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        if (fds[i] >= 0)
            (void)close(fds[i]);
    free(api);
}

bool api_ask(struct api *api, struct news *question)
{
    const struct letter letter = {question};
    const bool sign_in = question->kind == NEWS_SIGN_IN; /* it is not ours behind the write */
    const int *pipe = question->kind == NEWS_JOURNAL ? api->lines : api->questions;
    if (write(pipe[1], &letter, sizeof letter) != (ssize_t)sizeof letter)
        return false;
    if (sign_in)
        kick(api);
    return true;
}

int api_fd(const struct api *api)
{
    return api->news[0];
}

struct news *api_take(struct api *api)
{
    return take(api->news[0]);
}
