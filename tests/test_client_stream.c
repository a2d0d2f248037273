/* The HTTP client against a scripted server: event streams. */
#include "client.h"

#include <criterion/criterion.h>

#include "scripted_server.h"

static void note_open(void *context)
{
    buf_text_append(context, "open");
}

static bool note(void *context, const struct client_event *event)
{
    buf_printf(context, "[%s|%s|%s]", event->id ? event->id : "-", event->name,
               event->data ? event->data : "-");
    return !event->data || strcmp(event->data, "last") != 0;
}

#define STREAM_HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"

Test(client_stream, reads_events_ids_comments_and_every_line_end)
{
    static const struct {
        const char *name;
        const char *bytes;
        const char *seen;
    } cases[] = {
        {"one event", "id: 7\nevent: booking\ndata: {}\n\n", "[7|booking|{}]"},
        {"carriage returns", "data: a\r\rdata: b\r\n\r\n", "[-|message|a][-|message|b]"},
        {"id alone", "id: 12\n\n", "[12|message|-]"},
        {"comment", ": still here\n\n", "[-|message|-]"},
        {"two data lines", "data: a\ndata:b\n\n", "[-|message|a\nb]"},
        {"empty data", "data\n\n", "[-|message|]"},
        {"unknown field", "retry: 5\nfoo\ndata: a\n\n", "[-|message|a]"},
        {"name does not stick", "event: x\ndata: a\n\ndata: b\n\n", "[-|x|a][-|message|b]"},
        {"unfinished block", "data: a\n", ""},
        {"ended by us", "data: last\n\ndata: b\n\n", "[-|message|last]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf bytes AUTO(buf_release) = {0};
        buf_printf(&bytes, "%s%s", STREAM_HEAD, cases[i].bytes);
        struct server server = {.answers = {buf_text(&bytes)}};
        start(&server);
        struct client *client AUTO(client_release) = connect_to(&server, NULL);
        struct buf seen AUTO(buf_release) = {0};
        struct error error = {0};
        const struct client_stream_call call = {.path = "/events",
                                                .last_event_id = "6",
                                                .silence_ms = 5000,
                                                .event = note,
                                                .context = &seen};
        cr_expect(client_stream(client, &call, &error), "%s: %s", cases[i].name, error.text);
        finish(&server);
        cr_expect_str_eq(buf_text(&seen), cases[i].seen, "%s: %s", cases[i].name, buf_text(&seen));
        cr_expect(strstr(server.request, "Last-Event-ID: 6\r\n"));
    }
}

Test(client_stream, calls_a_silent_stream_broken)
{
    struct server server = {.answers = {STREAM_HEAD "data: a\n\n"}, .hang = true};
    start(&server);
    struct client *client AUTO(client_release) = connect_to(&server, NULL);
    struct buf seen AUTO(buf_release) = {0};
    struct error error = {0};
    const struct client_stream_call call = {
        .path = "/events", .silence_ms = 80, .event = note, .opened = note_open, .context = &seen};
    cr_assert_not(client_stream(client, &call, &error));
    cr_assert_eq(error.kind, ERROR_UNAVAILABLE);
    cr_assert_str_eq(buf_text(&seen), "open[-|message|a]");
    finish(&server);
}

Test(client_stream, gives_the_kind_of_a_refused_stream)
{
    struct server server = {
        .answers = {"HTTP/1.1 401 No\r\nContent-Length: 23\r\n\r\n{\"error\":\"who are you\"}\n"}};
    start(&server);
    struct client *client AUTO(client_release) = connect_to(&server, NULL);
    struct buf seen AUTO(buf_release) = {0};
    struct error error = {0};
    const struct client_stream_call call = {.path = "/events",
                                            .silence_ms = 5000,
                                            .event = note,
                                            .opened = note_open,
                                            .context = &seen};
    cr_assert_not(client_stream(client, &call, &error));
    finish(&server);
    cr_assert_eq(error.kind, ERROR_UNAUTHORISED);
    cr_assert_str_eq(error.text, "who are you");
    cr_assert_str_eq(buf_text(&seen), "");
}

struct stopper {
    atomic_bool stop;
    struct client *client;
};

static void *stop_it(void *context)
{
    struct stopper *stopper = context;
    atomic_store(&stopper->stop, true);
    client_wake(stopper->client);
    return NULL;
}

static bool stop_on_event(void *context, const struct client_event *event)
{
    (void)event;
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, stop_it, context), 0);
    pthread_join(thread, NULL);
    return true;
}

Test(client_stream, ends_a_stream_when_another_thread_says_stop)
{
    struct server server = {.answers = {STREAM_HEAD "data: a\n\n"}, .hang = true};
    start(&server);
    struct stopper stopper = {0};
    struct error error = {0};
    struct client *client AUTO(client_release) =
        client_new(&(struct client_options){.url = server.url, .stop = &stopper.stop}, &error);
    stopper.client = client;
    const struct client_stream_call call = {
        .path = "/e", .silence_ms = 60000, .event = stop_on_event, .context = &stopper};
    cr_assert_not(client_stream(client, &call, &error));
    cr_assert_eq(error.kind, ERROR_UNAVAILABLE);
    finish(&server);
}
