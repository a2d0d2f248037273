/* The loop of the console: keys at once, news at most every 100 ms, the app's own deadlines. It
 * only carries: keys and news to the app, questions to the network, the app to the screen. */
#include "session.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api.h"
#include "app.h"
#include "screen.h"
#include "terminal.h"
#include "view.h"
#include "world.h"

enum { FRAME_MS = 100, KEYS_AT_ONCE = 64 };

struct session {
    struct app *app;
    struct api *api;
    struct screen screen;
    struct news *question; /* the network has no room for it yet */
    struct buf title;      /* what the window is called */
    int64_t drawn_ms;
    bool dirty;
    bool typed; /* a key asks for a frame at once */
};

/* What is not part of the frame. */
static void tell_terminal(struct session *session)
{
    struct app *app = session->app;
    struct buf title AUTO(buf_release) = {0};
    view_title(app, &title);
    if (strcmp(buf_text(&title), buf_text(&session->title)) != 0) {
        terminal_title(buf_text(&title));
        buf_clear(&session->title);
        buf_text_append(&session->title, buf_text(&title));
    }
    if (app->copied.length > 0)
        terminal_copy(buf_text(&app->copied));
    buf_clear(&app->copied);
    terminal_mouse(app->mouse);
}

static void draw(struct session *session)
{
    const int64_t now_ms = app_now_ms(session->app);
    const bool due = session->typed || now_ms - session->drawn_ms >= FRAME_MS;
    /* A terminal that does not read would stop us in the middle of a frame: skip it. */
    if (!session->dirty || !due || !terminal_writable())
        return;
    if (session->app->redraw)
        terminal_resume();
    session->app->redraw = false;
    screen_draw(&session->screen, session->app);
    tell_terminal(session);
    app_shown(session->app);
    session->drawn_ms = now_ms;
    session->dirty = session->typed = false;
}

static void resize(struct session *session)
{
    size_t lines = 0;
    size_t columns = 0;
    terminal_size(&lines, &columns);
    app_resize(session->app, lines, columns);
    session->dirty = session->typed = true;
}

static void take_signals(struct session *session)
{
    for (enum terminal_signal signal; (signal = terminal_signal()) != TERMINAL_NONE;) {
        if (signal == TERMINAL_END)
            session->app->done = true; /* what is staged is not sent */
        if (signal == TERMINAL_STOP)
            terminal_stop();
        if (signal == TERMINAL_BACK)
            terminal_resume();
        resize(session);
    }
}

static void click(struct session *session)
{
    size_t line = 0;
    size_t column = 0;
    terminal_click(&line, &column);
    app_click(session->app, line, column);
    session->dirty = session->typed = true;
}

static void take_keys(struct session *session)
{
    uint32_t keys[KEYS_AT_ONCE];
    size_t count = 0;
    /* Drained to the end: curses keeps a queue of its own that poll does not see. */
    for (uint32_t key = 0; (key = terminal_key(app_now_ms(session->app))) != 0;) {
        if (key == TERMINAL_CTRL_Z) {
            terminal_stop();
            resize(session);
            continue;
        }
        if (key == KEY_CODE_CLICK) {
            click(session);
            continue;
        }
        keys[count++] = key;
        if (count == KEYS_AT_ONCE) {
            app_keys(session->app, keys, count);
            count = 0;
        }
        session->dirty = session->typed = true;
    }
    app_keys(session->app, keys, count);
}

static void take_news(struct session *session)
{
    for (struct news *news = NULL; (news = api_take(session->api));) {
        app_news(session->app, news);
        session->dirty = true;
    }
}

static void ask_questions(struct session *session)
{
    do {
        if (session->question && !api_ask(session->api, session->question))
            return;
    } while ((session->question = app_take_question(session->app)));
}

static int wait_ms(const struct session *session, int64_t next_ms)
{
    const int64_t now_ms = app_now_ms(session->app);
    const int64_t frame_ms = session->drawn_ms + FRAME_MS;
    const int64_t until_ms = session->dirty && frame_ms < next_ms ? frame_ms : next_ms;
    const int64_t least_ms = session->dirty ? 5 : 0; /* the terminal does not read: look again */
    return (int)(until_ms - now_ms > least_ms ? until_ms - now_ms : least_ms);
}

/* While a frame waits for its time, so may the news: under load they come in bunches. */
static int news_fd(const struct session *session)
{
    const bool due = app_now_ms(session->app) - session->drawn_ms >= FRAME_MS;
    return session->dirty && !due ? -1 : api_fd(session->api);
}

static void turn(struct session *session)
{
    const int64_t next_ms = app_tick(session->app);
    ask_questions(session);
    draw(session);
    if (session->app->done)
        return;
    struct pollfd ready[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                             {.fd = terminal_signal_fd(), .events = POLLIN},
                             {.fd = news_fd(session), .events = POLLIN}};
    const int woken = poll(ready, sizeof ready / sizeof ready[0], wait_ms(session, next_ms));
    if (woken == 0)
        session->dirty = true; /* a second has passed on the screen */
    if (woken <= 0)
        return;
    if (ready[0].revents & (POLLHUP | POLLERR | POLLNVAL))
        session->app->done = true; /* the terminal has gone */
    else if (ready[0].revents)
        take_keys(session);
    take_signals(session);
    take_news(session);
}

static void release(struct session *session)
{
    const size_t staged = app_count(session->app, row_is_staged);
    const size_t sending = app_count(session->app, row_is_sending);
    terminal_close();
    if (staged + sending > 0)
        (void)fprintf(stderr, "bookflow-console: %zu not sent, %zu sent without an outcome\n",
                      staged, sending);
    if (session->api) /* the journal gets its last lines */
        ask_questions(session);
    api_free(session->api);
    news_free(session->question);
    app_free(session->app);
    buf_release(&session->title);
}

bool session_run(const struct remote *remote, const struct conf *conf, struct error *error)
{
    if (!terminal_open(error))
        return false;
    struct session session AUTO(release) = {
        .app = app_new(world_real(), conf, remote->provider, remote->url)};
    app_use_journal(session.app);
    session.screen = screen_start(conf->colour);
    resize(&session);
    draw(&session); /* before any network */
    session.api = api_start(remote, error);
    if (!session.api)
        return false;
    while (!session.app->done)
        turn(&session);
    return true;
}
