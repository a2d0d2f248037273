/* Keys, pastes, time and news in any order. A paste answers nothing; an answer goes out only when
 * its time to be taken back is over or the person said so; what is shown stays sound.
 *
 * An input is a list of steps: one byte says what happens, the next one how much or which. */
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "fuzz.h"
#include "fuzz_view.h"
#include "world.h"

enum { MANY_KEYS = 8, STEPS_MAX = 400, SHOWN_EVERY = 8 };

struct steps {
    const uint8_t *at;
    const uint8_t *end;
};

static uint8_t next(struct steps *steps)
{
    return steps->at < steps->end ? *steps->at++ : 0;
}

struct play {
    struct fuzz_clock clock;
    struct world world;
    struct app *app;
    struct steps steps;
    bool may_send;         /* this step may send what is not due */
    struct news *asked[2]; /* decisions without an outcome yet */
};

/* --- keys --- */

/* What a terminal can give: the keys that mean something, ASCII, and letters beyond it. */
static uint32_t key_of(uint8_t byte)
{
    static const uint32_t special[] = {KEY_CODE_CTRL_C,
                                       KEY_CODE_CTRL_L,
                                       KEY_CODE_ENTER,
                                       KEY_CODE_ESCAPE,
                                       KEY_CODE_BACKSPACE,
                                       KEY_CODE_UP,
                                       KEY_CODE_DOWN,
                                       KEY_CODE_PAGE_UP,
                                       KEY_CODE_PAGE_DOWN,
                                       KEY_CODE_HOME,
                                       KEY_CODE_END,
                                       KEY_CODE_F1 + 4,
                                       KEY_CODE_PASTE,
                                       KEY_CODE_OTHER,
                                       0x85,
                                       0x9B,
                                       0x202E,
                                       0xFFFE,
                                       0x10FFFF,
                                       0xFC,
                                       KEY_CODE_LEFT,
                                       KEY_CODE_RIGHT,
                                       KEY_CODE_TAB,
                                       KEY_CODE_WHEEL_DOWN};
    enum { SPECIAL = sizeof special / sizeof special[0] };
    return byte < SPECIAL ? special[byte] : byte;
}

static void press(struct play *play)
{
    const uint32_t key = key_of(next(&play->steps));
    play->may_send = key == 's' || key == KEY_CODE_ENTER; /* it may choose to send */
    app_key(play->app, key);
}

static void press_many(struct play *play)
{
    uint32_t keys[MANY_KEYS] = {0};
    const size_t count = next(&play->steps) % (MANY_KEYS + 1);
    size_t letters = 0;
    for (size_t i = 0; i < count; i++) {
        keys[i] = key_of(next(&play->steps));
        letters += keys[i] >= ' ' && keys[i] < KEY_CODE_UP;
    }
    const size_t before = play->app->active_count;
    play->may_send = letters < PASTE_LETTERS;
    app_keys(play->app, keys, count);
    FUZZ_CHECK(letters < PASTE_LETTERS || play->app->active_count == before,
               "a paste has answered or taken back");
    FUZZ_CHECK(letters < PASTE_LETTERS || !play->app->done, "a paste has ended the session");
}

/* --- news --- */

static struct record *record_of(uint8_t what)
{
    static const char *const names[] = {"Zoë", "\xff\033[31m", "山田 太郎", "\u202Eevil"};
    struct record *record = memory_new(1, sizeof *record);
    char id[] = {'b', (char)('0' + what % 8), '\0'};
    *record = (struct record){.id = memory_text(id),
                              .user_id = memory_text("user"),
                              .user_name = memory_text(names[what / 8 % 4]),
                              .start_s = FUZZ_NOW_S + 3600,
                              .end_s = FUZZ_NOW_S + 7200,
                              .received_s = FUZZ_NOW_S - what % 8,
                              .status = (enum booking_status)(what / 32 % BOOKING_STATUSES),
                              .delivered = what / 128 == 1};
    return record;
}

static void hear(struct play *play)
{
    static const enum news_kind kinds[] = {NEWS_CONNECTED, NEWS_ALIVE, NEWS_LOST,    NEWS_CHANGED,
                                           NEWS_CHANGED,   NEWS_LIST,  NEWS_BOOKING, NEWS_PIPELINE};
    const uint8_t what = next(&play->steps);
    struct news *news = news_new(kinds[what % 8], "b1");
    news->resumed = what & 8;
    news->unsent = what / 16;
    if (news->kind == NEWS_CHANGED || news->kind == NEWS_LIST || news->kind == NEWS_BOOKING)
        news_add(news, record_of(next(&play->steps)));
    if (news->kind == NEWS_LOST || what >= 0xF0)
        (void)error_set(&news->error, what & 16 ? ERROR_UNAUTHORISED : ERROR_UNAVAILABLE, "gone");
    app_news(play->app, news);
}

/* The outcome of a decision that went out. */
static void answer(struct play *play)
{
    static const struct {
        int status;
        enum error_kind kind;
    } outcomes[] = {{200, ERROR_NONE},          {0, ERROR_UNAVAILABLE}, {503, ERROR_UNAVAILABLE},
                    {409, ERROR_CONFLICT},      {404, ERROR_NOT_FOUND}, {401, ERROR_UNAUTHORISED},
                    {422, ERROR_UNPROCESSABLE}, {429, ERROR_BUSY}};
    const uint8_t what = next(&play->steps);
    struct news *news = play->asked[what / 8 % 2];
    if (!news)
        return;
    play->asked[what / 8 % 2] = NULL;
    news->status = outcomes[what % 8].status;
    if (outcomes[what % 8].kind != ERROR_NONE)
        (void)error_set(&news->error, outcomes[what % 8].kind, "the server's sentence");
    app_news(play->app, news);
}

/* --- time and the screen --- */

static void pass(struct play *play)
{
    play->clock.ms += next(&play->steps) * INT64_C(60);
}

static void resize(struct play *play)
{
    const uint8_t what = next(&play->steps);
    app_resize(play->app, 1U + what % 16 * 3, 10U + what / 16 * 10U);
}

static void show(struct play *play)
{
    app_shown(play->app);
}

/* --- what goes out --- */

static void decision_was_due(const struct play *play, const struct news *question)
{
    const struct row *row = rows_find(&play->app->rows, question->id);
    FUZZ_CHECK(row && row->answer, "%s was never answered", question->id);
    FUZZ_CHECK(strcmp(row->answer->key, question->key) == 0, "another key than the answer's");
    FUZZ_CHECK(row->answer->command == question->command, "another command than the answer's");
    FUZZ_CHECK(play->may_send || row->answer->due_ms <= app_now_ms(play->app),
               "%s went out %lld ms before its time", question->id,
               (long long)(row->answer->due_ms - app_now_ms(play->app)));
}

static void take_questions(struct play *play)
{
    for (struct news *question = NULL; (question = app_take_question(play->app));) {
        struct news **place = play->asked[0] ? &play->asked[1] : &play->asked[0];
        if (question->kind == NEWS_DECISION) {
            decision_was_due(play, question);
            news_free(*place);
            *place = question;
        } else {
            news_free(question);
        }
    }
}

static void (*const kinds_of_step[])(struct play *play) = {
    press, press, press, press_many, hear, answer, pass, pass, resize, show, show};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { KINDS = sizeof kinds_of_step / sizeof kinds_of_step[0] };
    struct play play = {.clock = {.seed = 1}, .steps = {data, data + size}};
    play.world = fuzz_world(&play.clock);
    play.app = app_new(&play.world, conf_default(), "provider-1", "http://x");
    for (int i = 0; i < STEPS_MAX && play.steps.at < play.steps.end && !play.app->done; i++) {
        play.may_send = false;
        kinds_of_step[next(&play.steps) % KINDS](&play);
        (void)app_tick(play.app);
        take_questions(&play);
        if (i % SHOWN_EVERY == 0)
            fuzz_view_check(play.app);
    }
    fuzz_view_check(play.app);
    news_free(play.asked[0]);
    news_free(play.asked[1]);
    app_free(play.app);
    return 0;
}
