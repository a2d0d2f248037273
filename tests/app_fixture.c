/* A console's state with a clock of its own, and the news that drive it. */
#include "app_fixture.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "view.h"

/* --- a world whose clock stands until it is moved --- */

struct test_clock {
    int64_t ms;
    unsigned char next;
};

static int64_t wall_ms(void *context)
{
    return NOW_S * 1000LL + ((struct test_clock *)context)->ms;
}

static int64_t ticks_ms(void *context)
{
    return 1000000 + ((struct test_clock *)context)->ms;
}

static void give_random(void *context, void *bytes, size_t length)
{
    memset(bytes, ++((struct test_clock *)context)->next, length);
}

static struct test_clock test_clock;
static const struct world world = {wall_ms, ticks_ms, give_random, &test_clock};

void pass(struct app *app, int64_t ms)
{
    enum { TURN_MS = 1000 };
    for (; ms > TURN_MS; ms -= TURN_MS) {
        test_clock.ms += TURN_MS;
        (void)app_tick(app);
    }
    jump(app, ms);
}

void test_clock_move(int64_t ms)
{
    test_clock.ms += ms;
}

void jump(struct app *app, int64_t ms)
{
    test_clock_move(ms);
    (void)app_tick(app);
}

void app_release(struct app **app)
{
    app_free(*app);
    *app = NULL;
}

struct app *start_with(const struct conf *conf)
{
    test_clock = (struct test_clock){0};
    return app_new(&world, conf, "p", "http://x");
}

struct app *start(void)
{
    return start_with(conf_default());
}

/* --- news --- */

struct record *booking(const char *id, int64_t waits_s, enum booking_status status)
{
    struct record *made = memory_new(1, sizeof *made);
    *made = (struct record){.id = memory_text(id),
                            .user_id = memory_text("user"),
                            .user_name = memory_text(id),
                            .start_s = NOW_S + 86400 + 60 * waits_s,
                            .end_s = NOW_S + 88200 + 60 * waits_s,
                            .received_s = NOW_S - waits_s,
                            .status = status};
    return made;
}

void tell(struct app *app, struct news *news)
{
    app_news(app, news);
    (void)app_tick(app);
}

void arrive(struct app *app, const char *id, int64_t waits_s, enum booking_status status)
{
    struct news *news = news_new(NEWS_CHANGED, NULL);
    news_add(news, booking(id, waits_s, status));
    tell(app, news);
}

void lose(struct app *app, enum error_kind kind)
{
    struct news *news = news_new(NEWS_LOST, NULL);
    (void)error_set(&news->error, kind, "gone");
    news->wait_ms = 1000;
    tell(app, news);
}

void resume(struct app *app)
{
    struct news *news = news_new(NEWS_CONNECTED, NULL);
    news->resumed = true;
    tell(app, news);
}

static void go_live(struct app *app)
{
    tell(app, news_new(NEWS_CONNECTED, NULL));
    struct news *list = news_new(NEWS_LIST, NULL);
    news_add(list, booking("c", 60, BOOKING_PENDING));
    news_add(list, booking("b", 120, BOOKING_PENDING));
    news_add(list, booking("a", 180, BOOKING_PENDING));
    tell(app, list);
    tell(app, news_new(NEWS_PIPELINE, NULL));
    app_shown(app);
}

struct app *start_live(void)
{
    struct app *app = start();
    go_live(app);
    return app;
}

struct app *start_with_journal(struct history *history)
{
    struct app *app = start();
    struct news *opened = news_new(NEWS_OPENED, NULL);
    opened->history = history;
    app_use_journal(app);
    tell(app, opened);
    go_live(app);
    return app;
}

void keep(struct app *app, enum error_kind kind)
{
    struct news *lines = asked(app, NEWS_JOURNAL);
    cr_assert(lines, "the journal was asked for nothing");
    if (kind != ERROR_NONE)
        (void)error_set(&lines->error, kind, "No space left on device");
    tell(app, lines);
}

void press(struct app *app, uint32_t key)
{
    app_shown(app);
    app_key(app, key);
}

/* Takes every request; returns the last one of that kind, NULL if there was none. */
struct news *asked(struct app *app, enum news_kind kind)
{
    struct news *found = NULL;
    for (struct news *request = NULL; (request = app_take_question(app));) {
        if (request->kind != kind) {
            news_free(request);
            continue;
        }
        news_free(found);
        found = request;
    }
    return found;
}

bool asks(struct app *app, enum news_kind kind)
{
    struct news *request AUTO(news_release) = asked(app, kind);
    return request != NULL;
}

void answer(struct app *app, const char *id, int status, enum error_kind kind)
{
    struct news *news = news_new(NEWS_DECISION, id);
    news->status = status;
    if (kind != ERROR_NONE)
        (void)error_set(&news->error, kind, "the server's sentence");
    tell(app, news);
}

struct row *row_of(const struct app *app, const char *id)
{
    struct row *row = rows_find(&app->rows, id);
    cr_assert(row, "%s", id);
    return row;
}

const char *cursor_id(const struct app *app)
{
    return app->cursor ? app->cursor->record->id : "";
}

void expect_state(const struct app *app, const char *id, const char *state)
{
    struct buf text AUTO(buf_release) = {0};
    (void)view_state(app, row_of(app, id), &text);
    cr_expect_str_eq(buf_text(&text), state, "%s is %s, not %s", id, buf_text(&text), state);
}

void expect_tag(const struct app *app, const char *tag)
{
    struct buf text AUTO(buf_release) = {0};
    (void)view_tag(app, &text);
    cr_expect_str_eq(buf_text(&text), tag, "%s, not %s", buf_text(&text), tag);
}

void expect_notice(const struct app *app, const char *words)
{
    cr_expect(strstr(buf_text(&app->notice), words), "\"%s\" not in \"%s\"", words,
              buf_text(&app->notice));
}

void expect_message(const struct app *app, const char *words)
{
    struct buf text AUTO(buf_release) = {0};
    view_message(app, &text);
    view_staged(app, &text);
    cr_expect(strstr(buf_text(&text), words), "\"%s\" not in \"%s\"", words, buf_text(&text));
}
