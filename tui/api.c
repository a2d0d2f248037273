/* Two threads, each a loop with one job. What crosses: requests, news, two flags and a kick. */
#include "api.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "json_fields.h"
#include "world.h"

enum {
    SILENCE_MS = 40 * 1000,
    FIRST_WAIT_MS = 1000,
    LAST_WAIT_MS = 15 * 1000,
    SIGNED_OUT_WAIT_MS = 60 * 1000
};

struct api {
    const struct remote *remote;
    struct mailbox *requests;
    struct mailbox *news;
    struct client *sender;
    struct client *listener;
    pthread_t sender_thread;
    pthread_t listener_thread;
    bool sending;
    bool listening;
    atomic_bool stop;
    atomic_bool renew; /* the listener's client ends its stream while this is set */
    int kick;          /* ends the listener's wait */
    /* Only the listener's: */
    struct buf last_id;
    bool told; /* NEWS_CONNECTED was said for this stream */
    bool resumed;
};

static void tell(struct api *api, struct news *news)
{
    mailbox_put(api->news, &news->letter);
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

static void tell_changed(struct api *api, const char *data)
{
    struct error ignored = {0};
    json_t *root AUTO(json_release) = json_parse_object(data, strlen(data), &ignored);
    struct record *record = root ? record_from_json(root, &ignored) : NULL;
    struct news *news = news_new(record ? NEWS_CHANGED : NEWS_ALIVE, NULL);
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

static void wait_for_kick(const struct api *api, int64_t wait_ms)
{
    struct pollfd kick = {.fd = api->kick, .events = POLLIN};
    uint64_t count = 0;
    if (poll(&kick, 1, (int)wait_ms) > 0)
        (void)!read(api->kick, &count, sizeof count);
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
    int64_t next_ms = FIRST_WAIT_MS;
    for (;;) {
        atomic_store(&api->renew, false);
        if (atomic_load(&api->stop)) /* looked at last: whoever stops sets renew behind it */
            return NULL;
        struct news *news = news_new(NEWS_LOST, NULL);
        (void)!listen_once(api, &news->error);
        if (api->told)
            next_ms = FIRST_WAIT_MS;
        if (news->error.kind == ERROR_INVALID) /* our number means nothing there: begin anew */
            buf_clear(&api->last_id);
        const int64_t wait_ms = atomic_load(&api->renew) ? 0 : wait_after(&news->error, &next_ms);
        news->wait_ms = wait_ms;
        tell(api, news);
        wait_for_kick(api, wait_ms);
    }
}

/* --- the sender --- */

static bool add_record(void *context, const json_t *booking)
{
    struct error ignored = {0};
    news_add(context, record_from_json(booking, &ignored));
    return true;
}

static struct news *send_list(struct api *api)
{
    struct news *news = news_new(NEWS_LIST, NULL);
    const struct remote_list list = {
        .query = "status=pending", .each = add_record, .context = news};
    news->status = remote_list(api->remote, api->sender, &list, &news->error) ? 200 : 0;
    return news;
}

static struct news *send_booking(struct api *api, const struct request *request)
{
    struct news *news = news_new(NEWS_BOOKING, request->id);
    json_t *booking AUTO(json_release) =
        remote_booking(api->remote, api->sender, request->id, &news->error);
    if (booking)
        (void)add_record(news, booking);
    return news;
}

static struct news *send_pipeline(struct api *api)
{
    struct news *news = news_new(NEWS_PIPELINE, NULL);
    json_t *root AUTO(json_release) =
        remote_get(api->sender, "/pipeline", &news->status, &news->error);
    news->unsent = json_integer_value(json_object_get(root, "unsent"));
    news->oldest_unsent_s = json_integer_value(json_object_get(root, "oldestUnsentSeconds"));
    return news;
}

static struct news *answer(struct api *api, const struct request *request)
{
    switch (request->kind) {
    case REQUEST_LIST:
        return send_list(api);
    case REQUEST_BOOKING:
        return send_booking(api, request);
    case REQUEST_DECISION:
        return remote_decide(api->remote, api->sender, request);
    case REQUEST_PIPELINE:
        return send_pipeline(api);
    case REQUEST_SIGN_IN:
        break;
    }
    return NULL;
}

static void handle(struct api *api, const struct request *request)
{
    struct error ignored = {0}; /* the listener reads the same token and tells */
    const int64_t before_ms = world_ticks_ms(world_real());
    if (request->kind == REQUEST_SIGN_IN) {
        (void)!remote_sign_in(api->remote, api->sender, &ignored);
        return;
    }
    struct news *news = answer(api, request);
    /* A list is many calls; how long it took says nothing about how slow the server is. */
    if (request->kind != REQUEST_LIST)
        news->took_ms = world_ticks_ms(world_real()) - before_ms;
    tell(api, news);
}

static void *send_always(void *context)
{
    struct api *api = context;
    struct pollfd waiting = {.fd = mailbox_fd(api->requests), .events = POLLIN};
    while (!atomic_load(&api->stop)) {
        (void)poll(&waiting, 1, -1);
        struct letter *letter = NULL;
        while (!atomic_load(&api->stop) && (letter = mailbox_take(api->requests))) {
            struct request *request AUTO(request_release) = (struct request *)letter;
            handle(api, request);
        }
    }
    return NULL;
}

/* --- the screen's side --- */

static void kick(struct api *api)
{
    const uint64_t one = 1;
    (void)!write(api->kick, &one, sizeof one);
    client_wake(api->listener);
}

static bool start(struct api *api, struct error *error)
{
    if (!(api->requests = mailbox_new(error)) || !(api->news = mailbox_new(error)))
        return false;
    api->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (api->kick < 0)
        return error_set(error, ERROR_UNAVAILABLE, "eventfd: %s", strerror(errno));
    api->sender = remote_client(api->remote, &api->stop, error);
    api->listener = remote_client(api->remote, &api->renew, error);
    if (!api->sender || !api->listener)
        return false;
    api->sending = pthread_create(&api->sender_thread, NULL, send_always, api) == 0;
    api->listening = pthread_create(&api->listener_thread, NULL, listen_always, api) == 0;
    if (!api->sending || !api->listening)
        return error_set(error, ERROR_UNAVAILABLE, "no thread could be started");
    return true;
}

struct api *api_start(const struct remote *remote, struct error *error)
{
    struct api *api AUTO(api_release) = memory_new(1, sizeof *api);
    api->remote = remote;
    api->kick = -1;
    if (!start(api, error))
        return NULL;
    struct api *made = api;
    api = NULL;
    return made;
}

static void end_threads(struct api *api)
{
    atomic_store(&api->stop, true);
    atomic_store(&api->renew, true);
    if (api->listening)
        kick(api);
    if (api->sending) {
        client_wake(api->sender);
        mailbox_put(api->requests, &request_new(REQUEST_SIGN_IN, NULL)->letter);
        (void)pthread_join(api->sender_thread, NULL);
    }
    if (api->listening)
        (void)pthread_join(api->listener_thread, NULL);
}

void api_free(struct api *api)
{
    if (!api)
        return;
    end_threads(api);
    client_free(api->sender);
    client_free(api->listener);
    mailbox_free(api->requests, request_discard);
    mailbox_free(api->news, news_discard);
    buf_release(&api->last_id);
    if (api->kick >= 0)
        (void)close(api->kick);
    free(api);
}

void api_release(struct api **api)
{
    api_free(*api);
    *api = NULL;
}

void api_submit(struct api *api, struct request *request)
{
    if (request->kind == REQUEST_SIGN_IN) {
        atomic_store(&api->renew, true);
        kick(api);
    }
    mailbox_put(api->requests, &request->letter);
}

int api_fd(const struct api *api)
{
    return mailbox_fd(api->news);
}

/* The letter is the first member. */
struct news *api_take(struct api *api)
{
    return (struct news *)mailbox_take(api->news);
}
