/* The app: its life, its questions and what the network tells. What is looked at is in app_list.c
 * and app_day.c, answers in app_answers.c, keys in app_keys.c. */
#include "app.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "view.h"
#include "world.h"

struct app *app_new(const struct world *world, const struct conf *conf, const char *provider,
                    const char *server)
{
    struct app *app = memory_new(1, sizeof *app);
    app->world = world;
    app->conf = conf;
    app->keymap = conf->keymap ? *conf->keymap : keymap_default();
    app->mouse = conf->mouse;
    rows_init(&app->rows, conf->order);
    app->provider = provider;
    app->server = server;
    app->questions_end = &app->questions;
    app->ticked_ms = app->connection.lost_ms = app_now_ms(app);
    app->connection.lost_s = app_now_s(app);
    app_resize(app, 24, 80);
    return app;
}

void app_free(struct app *app)
{
    if (!app)
        return;
    for (struct news *question = NULL; (question = app_take_question(app));)
        news_free(question);
    app_answers_release(app);
    rows_release(&app->rows);
    row_list_release(&app->plan);
    buf_release(&app->typed);
    buf_release(&app->copied);
    buf_release(&app->notice);
    free(app->active);
    free(app);
}

int64_t app_now_ms(const struct app *app)
{
    return world_ticks_ms(app->world);
}

int64_t app_now_s(const struct app *app)
{
    return world_wall_ms(app->world) / 1000;
}

bool app_is_live(const struct app *app)
{
    return app->connection.connected && app->connection.loaded && !app->connection.signed_out;
}

void app_say(struct app *app, const char *format, ...)
{
    char text[512];
    va_list values;
    va_start(values, format);
    (void)vsnprintf(text, sizeof text, format, values);
    va_end(values);
    buf_clear(&app->notice);
    app->see = NULL;
    text_display(&app->notice, text, strlen(text));
    app->noticed_ms = app_now_ms(app);
}

/* --- questions --- */

void app_ask(struct app *app, struct news *question)
{
    struct connection *connection = &app->connection;
    if (question->kind > NEWS_DAY && connection->awaited++ == 0)
        connection->asked_ms = app_now_ms(app);
    *app->questions_end = question;
    app->questions_end = &question->next;
}

struct news *app_take_question(struct app *app)
{
    struct news *lines = app_journal_question(app);
    if (lines)
        return lines;
    struct news *first = app->questions;
    if (first)
        app->questions = first->next;
    if (!app->questions)
        app->questions_end = &app->questions;
    return first;
}

void app_fetch_list(struct app *app)
{
    app->connection.list_ms = 0;
    app->fetch++;
    app_ask(app, news_new(NEWS_LIST, NULL));
}

static void ask_pipeline(struct app *app)
{
    if (app->connection.pipeline)
        return;
    app->connection.pipeline = true;
    app_ask(app, news_new(NEWS_PIPELINE, NULL));
}

/* --- news --- */

static void take_record(struct app *app, struct record *record, bool arrival)
{
    bool changed = false;
    struct row *row = rows_put(&app->rows, record, &changed);
    row->fetched = app->fetch;
    if (!changed)
        return;
    if (!row->listed && row->record->status == BOOKING_PENDING) {
        row->fresh = arrival;
        rows_list(&app->rows, row);
        app->arrived += arrival && rows_shows(&app->rows, row);
        app->connection.came += arrival;
    }
    app_record_changed(app, row);
}

static void take_records(struct app *app, struct news *news, bool arrival)
{
    enum { MANY = 32 }; /* putting each into its place would take long */
    const size_t line = app_line(app);
    if (news->count > MANY)
        rows_gather(&app->rows);
    while (news->count > 0) /* lists come newest first: from the end, most go behind the others */
        take_record(app, news->records[--news->count], arrival);
    rows_settle(&app->rows);
    app_hold_line(app, line);
}

static void on_connected(struct app *app, const struct news *news)
{
    struct connection *connection = &app->connection;
    connection->connected = connection->ever = true;
    connection->signed_out = false;
    connection->loaded = connection->loaded && news->resumed;
    if (connection->loaded)
        app_back(app);
    else
        app_fetch_list(app);
    if (!news->resumed)
        days_forget(&app->days);
    ask_pipeline(app);
}

static bool is_refused(const struct news *news)
{
    return news->error.kind == ERROR_UNAUTHORISED || news->error.kind == ERROR_FORBIDDEN;
}

static void on_lost(struct app *app, const struct news *news)
{
    struct connection *connection = &app->connection;
    if (connection->connected) {
        connection->lost_ms = app_now_ms(app);
        connection->lost_s = app_now_s(app);
        connection->away = connection->away || connection->loaded;
        connection->came = connection->gone = 0;
    }
    connection->connected = false;
    connection->slow_ms = 0;
    connection->signed_out = is_refused(news);
    connection->refusal = error_policy(news->error.kind)->http_status;
    connection->retry_ms = app_now_ms(app) + (news->wait_ms > 0 ? news->wait_ms : 0);
    if (news->error.kind != ERROR_UNAVAILABLE && !connection->signed_out) /* that is said below */
        app_say(app, "%s", news->error.text);
}

/* What waits here and was not in the list has been decided or removed behind our back. */
static void ask_for_missing(struct app *app)
{
    for (size_t i = 0; i < app->rows.inbox.count; i++) {
        const struct row *row = app->rows.inbox.rows[i];
        if (row->fetched != app->fetch && row->record->status == BOOKING_PENDING)
            app_ask(app, news_new(NEWS_BOOKING, row->record->id));
    }
}

static void on_list(struct app *app, struct news *news)
{
    if (news->error.kind != ERROR_NONE) {
        app_say(app, "The list could not be read: %s  F5 Try again", news->error.text);
        app->connection.list_ms = app_now_ms(app) + LIST_AGAIN_MS;
        return;
    }
    take_records(app, news, app->connection.loaded || app->connection.away);
    ask_for_missing(app);
    if (!app->touched)
        app_look_at_first(app);
    if (app->connection.loaded)
        return;
    app->connection.loaded = true;
    app_back(app);
}

static void on_booking(struct app *app, struct news *news)
{
    struct row *row = rows_find(&app->rows, news->id);
    if (row && news->error.kind == ERROR_NOT_FOUND)
        app_row_gone(app, row);
    take_records(app, news, false);
    app_leftover_news(app, news);
}

static void on_pipeline(struct app *app, const struct news *news)
{
    struct connection *connection = &app->connection;
    if (news->kind == NEWS_PIPELINE)
        connection->pipeline = false;
    else if (connection->signed_out) /* F5 asks the same where nobody was signed out */
        app_say(app, "%s", news->error.kind == ERROR_NONE ? "Signed in." : news->error.text);
    if (is_refused(news)) {
        connection->signed_out = true;
        connection->refusal = error_policy(news->error.kind)->http_status;
    }
    if (news->error.kind != ERROR_NONE)
        return;
    const bool was_out = connection->signed_out;
    connection->unsent = news->unsent;
    connection->behind_s = news->oldest_unsent_s;
    connection->signed_out = false;
    if (was_out && app_is_live(app))
        app_back(app);
}

/* An outcome: how slow was it, and did the worker speak at all? */
static void note_life(struct app *app, const struct news *news)
{
    struct connection *connection = &app->connection;
    const int64_t now_ms = app_now_ms(app);
    if (news->kind >= NEWS_OPENED) /* the journal: nobody has spoken to the server */
        return;
    if (news->kind > NEWS_DAY && connection->awaited > 0) {
        const int64_t took_ms = now_ms - connection->asked_ms;
        connection->awaited--;
        connection->asked_ms = now_ms;
        connection->slow_ms = took_ms >= SLOW_MS ? took_ms : 0;
    }
    if (news->kind < NEWS_LIST ? news->kind != NEWS_LOST : news->status != 0)
        connection->heard_ms = now_ms;
}

static void on_news(struct app *app, struct news *owned)
{
    switch (owned->kind) {
    case NEWS_CONNECTED:
        on_connected(app, owned);
        return;
    case NEWS_ALIVE:
        ask_pipeline(app);
        return;
    case NEWS_LOST:
        on_lost(app, owned);
        return;
    case NEWS_CHANGED:
        take_records(app, owned, true);
        return;
    case NEWS_LIST:
        on_list(app, owned);
        return;
    case NEWS_DAY:
        take_records(app, owned, false);
        app_day_news(app, owned);
        return;
    case NEWS_BOOKING:
        on_booking(app, owned);
        return;
    case NEWS_DECISION:
        take_records(app, owned, false);
        app_decision_news(app, owned);
        return;
    case NEWS_PIPELINE:
    case NEWS_SIGN_IN:
        on_pipeline(app, owned);
        return;
    case NEWS_OPENED:
    case NEWS_JOURNAL:
        app_journal_news(app, owned);
        return;
    }
}

void app_news(struct app *app, struct news *news)
{
    struct news *owned AUTO(news_release) = news;
    note_life(app, owned);
    on_news(app, owned);
    app_settle_day(app);
    if (app->mode == MODE_BULK)
        app_settle_plan(app);
}

/* --- time --- */

/* Recorded answers are asked about until they are delivered: the stream tells of states, and
 * delivery is not one. */
static void check_recorded(struct app *app)
{
    enum { EVERY_MS = 2000 };
    if (!app_is_live(app) || app_now_ms(app) < app->connection.next_check_ms)
        return;
    bool any = false;
    for (size_t i = 0; i < app->active_count; i++) {
        const struct row *row = app->active[i];
        if (row->answer->state == ANSWER_RECORDED)
            app_ask(app, news_new(NEWS_BOOKING, row->record->id));
        any = any || row->answer->state == ANSWER_RECORDED;
    }
    if (any)
        ask_pipeline(app);
    app->connection.next_check_ms = app_now_ms(app) + EVERY_MS;
}

static void fetch_again_if_due(struct app *app)
{
    const int64_t list_ms = app->connection.list_ms;
    if (list_ms && app->connection.connected && app_now_ms(app) >= list_ms)
        app_fetch_list(app);
}

/* Every second while something on the screen counts, else with the minute of the clock. */
static int64_t next_tick(const struct app *app)
{
    const int64_t now_ms = app_now_ms(app);
    const int64_t stale_ms = app->connection.heard_ms + STALE_MS;
    const bool counting = app->active_count > 0 || app->connection.awaited > 0 ||
                          !app_is_live(app) || app->leaving || now_ms >= stale_ms ||
                          (app->cursor && !app_knows_day(app, app->cursor));
    if (counting)
        return now_ms + 1000 - now_ms % 1000;
    const int64_t minute_ms = now_ms + 60000 - world_wall_ms(app->world) % 60000;
    return minute_ms < stale_ms ? minute_ms : stale_ms;
}

int64_t app_tick(struct app *app)
{
    app_tick_answers(app);
    check_recorded(app);
    fetch_again_if_due(app);
    app_read_days(app);
    if (app->leaving && app_count(app, row_is_sending) == 0) {
        app->leaving = false; /* what could not be sent is asked about again */
        app->done = app_count(app, row_is_staged) == 0;
    }
    return next_tick(app);
}
