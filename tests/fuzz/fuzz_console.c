/* What a server tells the console: its change stream, byte by byte, and its answers to every
 * question. Whatever it says, the console stays whole and shows nothing that acts on a terminal.
 *
 * The first byte of an input chooses: S, the rest is a stream; L, B, D, P, the rest are the
 * answers, one a line, "STATUS body", to a question for the list, a booking, a decision, the
 * pipeline. */
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "client.h"
#include "fuzz.h"
#include "fuzz_view.h"

static bool scripted_send(struct client *client, const struct client_call *call,
                          struct client_answer *answer, struct error *error);

/* The files themselves, for their decoding is static. The one call that needs a network is the
 * script's; nothing here starts a thread. */
#define client_send scripted_send
#include "remote.c" /* NOLINT(bugprone-suspicious-include) */
#undef client_send
#include "api.c"           /* NOLINT(bugprone-suspicious-include) */
#include "client_stream.c" /* NOLINT(bugprone-suspicious-include) */

/* The rest of the script: remote.c passes its client on and does not look at it. */
struct script {
    char *text;
    int calls;
};

static bool scripted_send(struct client *client, const struct client_call *call,
                          struct client_answer *answer, struct error *error)
{
    struct script *script = (struct script *)client; /* console_of() put it there */
    char *line = fuzz_line(&script->text);
    FUZZ_CHECK(strncmp(call->path, "/p", 2) == 0, "a path: %s", call->path);
    script->calls++;
    if (!line)
        return error_set(error, ERROR_UNAVAILABLE, "the script is over");
    answer->status = (int)strtol(line, &line, 10) % 1000;
    answer->retry_after_s = answer->status == 429 ? 1 : -1;
    buf_text_append(&answer->body, line + (*line == ' '));
    return true;
}

/* --- the console --- */

struct console {
    struct fuzz_clock clock;
    struct world world;
    struct remote remote;
    struct api api;
    struct app *app;
};

static void console_open(struct console *console)
{
    console->world = fuzz_world(&console->clock);
    console->remote = (struct remote){.url = "http://x", .provider = "provider-1"};
    console->api = (struct api){.remote = &console->remote, .kick = -1, .questions = {-1, -1}};
    FUZZ_CHECK(pipe2(console->api.news, O_CLOEXEC | O_NONBLOCK) == 0, "pipe: %s", strerror(errno));
    console->app =
        app_new(&console->world, conf_default(), console->remote.provider, console->remote.url);
    app_news(console->app, news_new(NEWS_CONNECTED, NULL));
}

static void console_close(struct console *console)
{
    app_free(console->app);
    buf_release(&console->api.last_id);
    (void)close(console->api.news[0]);
    (void)close(console->api.news[1]);
}

static void hear(struct console *console, struct news *news)
{
    FUZZ_CHECK(news->kind != NEWS_CHANGED || news->count == 1, "a change of %zu", news->count);
    app_news(console->app, news);
    console->clock.ms += 100;
    (void)app_tick(console->app);
    fuzz_view_check(console->app);
}

static void hear_all(struct console *console)
{
    for (struct news *news = NULL; (news = api_take(&console->api));)
        hear(console, news);
}

/* --- the stream --- */

static bool on_event_heard(void *context, const struct client_event *event)
{
    struct console *console = context;
    const bool more = on_event(&console->api, event);
    FUZZ_CHECK(!strpbrk(buf_text(&console->api.last_id), "\r\n"), "an id of two lines");
    hear_all(console);
    return more;
}

static void read_stream(struct console *console, const char *bytes, size_t length)
{
    const struct client_stream_call call = {.event = on_event_heard, .context = console};
    struct stream stream AUTO(stream_release) = {
        .call = &call, .line.maximum = LINE_MAX_BYTES, .data.maximum = LINE_MAX_BYTES};
    for (size_t i = 0; i < length && take_byte(&stream, bytes[i]); i++)
        continue;
}

/* --- answers --- */

static const struct {
    char letter;
    enum news_kind kind;
    enum booking_command command;
} questions[] = {
    {'L', NEWS_LIST, BOOKING_ACCEPT},     {'B', NEWS_BOOKING, BOOKING_ACCEPT},
    {'D', NEWS_DECISION, BOOKING_REJECT}, {'A', NEWS_DECISION, BOOKING_ACCEPT},
    {'P', NEWS_PIPELINE, BOOKING_ACCEPT},
};

static void answer_question(struct console *console, char letter, char *answers)
{
    struct script script = {.text = answers};
    console->api.sender = (struct client *)&script; /* scripted_send() takes it back */
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++) {
        if (questions[i].letter != letter)
            continue;
        struct news *news = news_new(questions[i].kind, "booking-2");
        news->command = questions[i].command;
        news->reason = memory_text("no");
        ask(&console->api, news);
        FUZZ_CHECK(script.calls > 0, "no call was made");
        FUZZ_CHECK(news->error.kind == ERROR_NONE || news->error.text[0], "refused without a word");
        hear(console, news);
    }
    console->api.sender = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct console console = {.clock = {.seed = 1}};
    if (size == 0)
        return 0;
    char *answers AUTO(memory_release) = fuzz_text(data + 1, size - 1);
    console_open(&console);
    if (data[0] == 'S') /* char and uint8_t may look at the same bytes */
        read_stream(&console, (const char *)data + 1, size - 1);
    else
        answer_question(&console, (char)data[0], answers);
    console_close(&console);
    return 0;
}
