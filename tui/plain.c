/* The loop of the line mode: lines and news to the app, its questions to the network, sentences to
 * the output. What is said is in talk.c. */
#include "plain.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "api.h"
#include "talk.h"
#include "world.h"

enum {
    PASTE_MS = 100, /* nobody types two lines in that time */
    BUSY_MS = 50,
    LAST_WAIT_MS = 30 * 1000, /* for what became of answers, when the input has ended */
    LINE_MAX_BYTES = 4096
};

struct plain {
    struct app *app;
    struct api *api;
    struct talk talk;
    struct news *question; /* the network has no room for it yet */
    int signals;
    bool opened; /* the journal was read, or could not be */
    bool person; /* somebody types: lines that come at once were pasted */
    struct buf typed;
    int64_t typed_ms;
    bool endless; /* what was read last belongs to a line that is dropped */
    bool ended;   /* the input has */
};

static void release(struct plain *plain)
{
    const size_t staged = app_count(plain->app, row_is_staged);
    const size_t sending = app_count(plain->app, row_is_sending);
    if (staged + sending > 0)
        (void)fprintf(stderr, "bookflow-console: %zu not sent, %zu sent without an outcome\n",
                      staged, sending);
    api_free(plain->api);
    news_free(plain->question);
    talk_release(&plain->talk);
    app_free(plain->app);
    buf_release(&plain->typed);
    if (plain->signals >= 0)
        (void)close(plain->signals);
}

static void print(struct plain *plain)
{
    (void)fputs(buf_text(&plain->talk.out), stdout);
    (void)fflush(stdout);
    buf_clear(&plain->talk.out);
}

/* --- the input --- */

static void read_input(struct plain *plain)
{
    char chunk[1024];
    const ssize_t count = read(STDIN_FILENO, chunk, sizeof chunk);
    if (count > 0) {
        buf_append(&plain->typed, chunk, (size_t)count);
        plain->typed_ms = app_now_ms(plain->app);
    } else if (count == 0 || errno != EINTR) {
        plain->ended = true;
        plain->typed_ms = app_now_ms(plain->app);
        if (plain->typed.length > 0) /* a last line without its end */
            buf_char(&plain->typed, '\n');
    }
}

/* The length of the next line with its end; 0 = there is none. */
static size_t next_line(const struct plain *plain)
{
    const char *text = buf_text(&plain->typed);
    const char *end = memchr(text, '\n', plain->typed.length);
    return end ? (size_t)(end - text) + 1 : 0;
}

static bool drop(struct plain *plain, size_t length, const char *why)
{
    if (why)
        talk_say(&plain->talk, "%s", why);
    buf_consume(&plain->typed, length);
    return length > 0;
}

/* Of a person's lines that came at once none counts. Of one that is too long all goes, to its end.
 */
static bool drop_unfit(struct plain *plain)
{
    const size_t length = next_line(plain);
    const size_t have = length > 0 ? length : plain->typed.length;
    const bool rest = plain->endless;
    plain->endless = length == 0 && (rest || have > LINE_MAX_BYTES);
    if (plain->person && length > 0 && length < plain->typed.length)
        return drop(plain, plain->typed.length,
                    "Pasted lines are ignored: they could answer requests.");
    if (!rest && have <= LINE_MAX_BYTES)
        return false;
    return drop(plain, have, rest ? NULL : "That line is too long. It is ignored.");
}

static void take_lines(struct plain *plain)
{
    const bool settled = app_now_ms(plain->app) - plain->typed_ms >= PASTE_MS;
    if (plain->person && !settled && !plain->ended)
        return;
    while (plain->opened && !plain->app->done && !talk_is_busy(&plain->talk)) {
        if (drop_unfit(plain))
            continue;
        const size_t length = next_line(plain);
        if (length == 0)
            return;
        char *line AUTO(memory_release) = memory_text_n(buf_text(&plain->typed), length - 1);
        buf_consume(&plain->typed, length);
        if (strlen(line) == length - 1)
            talk_line(&plain->talk, line);
        else
            talk_say(&plain->talk, "That is not text in UTF-8.");
    }
}

/* Nobody is left to ask: what was sent gets some time for its outcome, what is staged is not sent.
 */
static void end_if_idle(struct plain *plain)
{
    const int64_t waited_ms = app_now_ms(plain->app) - plain->typed_ms;
    if (plain->ended && next_line(plain) == 0 && !talk_is_busy(&plain->talk) &&
        (app_count(plain->app, row_is_sending) == 0 || waited_ms >= LAST_WAIT_MS))
        plain->app->done = true;
}

/* --- the rest --- */

static void take_signal(struct plain *plain)
{
    struct signalfd_siginfo info = {0};
    if (read(plain->signals, &info, sizeof info) != (ssize_t)sizeof info)
        return;
    if (info.ssi_signo == SIGINT && plain->person)
        talk_say(&plain->talk, "Type quit to leave.");
    else
        plain->app->done = true;
}

static void take_news(struct plain *plain)
{
    for (struct news *news = NULL; (news = api_take(plain->api));) {
        plain->opened = plain->opened || news->kind == NEWS_OPENED;
        app_news(plain->app, news);
        talk_hear(&plain->talk);
    }
}

static void ask_questions(struct plain *plain)
{
    do {
        if (plain->question && !api_ask(plain->api, plain->question))
            return;
    } while ((plain->question = app_take_question(plain->app)));
}

static int wait_ms(const struct plain *plain, int64_t next_ms)
{
    const int64_t left_ms = next_ms - app_now_ms(plain->app);
    if (plain->ended || next_line(plain) > 0 || talk_is_busy(&plain->talk))
        return BUSY_MS;
    return left_ms > 0 ? (int)left_ms : 0;
}

static void turn(struct plain *plain)
{
    take_lines(plain);
    const int64_t next_ms = app_tick(plain->app);
    talk_hear(&plain->talk);
    ask_questions(plain);
    print(plain);
    end_if_idle(plain);
    if (plain->app->done)
        return;
    /* A script is read no faster than it is done. */
    const bool reads = !plain->ended && plain->typed.length <= LINE_MAX_BYTES &&
                       (plain->person || next_line(plain) == 0);
    struct pollfd ready[] = {{.fd = plain->signals, .events = POLLIN},
                             {.fd = api_fd(plain->api), .events = POLLIN},
                             {.fd = reads ? STDIN_FILENO : -1, .events = POLLIN}};
    (void)poll(ready, sizeof ready / sizeof ready[0], wait_ms(plain, next_ms));
    if (ready[0].revents)
        take_signal(plain);
    if (ready[1].revents)
        take_news(plain);
    if (ready[2].revents)
        read_input(plain);
}

static bool open_signals(struct plain *plain, struct error *error)
{
    static const int taken[] = {SIGTERM, SIGINT, SIGHUP};
    sigset_t set;
    (void)sigemptyset(&set);
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
        (void)sigaddset(&set, taken[i]);
    (void)sigprocmask(SIG_BLOCK, &set, NULL); /* before the threads */
    plain->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return plain->signals >= 0 ||
           error_set(error, ERROR_UNAVAILABLE, "signalfd: %s", strerror(errno));
}

bool plain_run(const struct remote *remote, const struct conf *conf, struct error *error)
{
    struct plain plain AUTO(release) = {
        .app = app_new(world_real(), conf, remote->provider, remote->url),
        .signals = -1,
        .person = isatty(STDIN_FILENO)};
    if (!open_signals(&plain, error) || !(plain.api = api_start(remote, error)))
        return false;
    app_use_journal(plain.app);
    talk_begin(&plain.talk, plain.app);
    while (!plain.app->done)
        turn(&plain);
    print(&plain);
    return true;
}
