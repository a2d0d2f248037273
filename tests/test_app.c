/* The console's list, cursor, connection and keys. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "app_fixture.h"
#include "view.h"

/* --- the list --- */

Test(app, shows_the_oldest_waiting_first_with_the_cursor_on_it)
{
    struct app *app AUTO(app_release) = start_live();
    cr_assert_eq(app->rows.listed, 3);
    cr_expect_str_eq(cursor_id(app), "a");
    cr_expect_str_eq(app->rows.list[2]->record->id, "c");
    expect_state(app, "a", "wait  3m");
}

Test(app, arrivals_never_move_what_is_looked_at)
{
    struct app *app AUTO(app_release) = start_live();
    app_resize(app, 10, 80);
    app_key(app, 'j');
    const size_t line = 1 - app->top;
    for (int i = 0; i < 40; i++) {
        char id[8] = {'x', (char)('A' + i % 26), (char)('a' + i / 26), '\0'};
        arrive(app, id, i % 2 ? 1000 + i : 10, BOOKING_PENDING);
        cr_assert_str_eq(cursor_id(app), "b");
        cr_assert_eq(rows_place(&app->rows, app->cursor) - app->top, line, "after %d", i);
    }
    cr_assert_eq(app->rows.listed, 43);
}

Test(app, rows_that_leave_above_do_not_move_what_is_looked_at)
{
    struct app *app AUTO(app_release) = start_live();
    app_key(app, 'G');
    arrive(app, "a", 180, BOOKING_CANCELLED);
    cr_assert_str_eq(cursor_id(app), "c");
    cr_assert_eq(app->rows.listed, 2);
}

Test(app, a_row_that_was_answered_elsewhere_stays_until_the_cursor_leaves_it)
{
    struct app *app AUTO(app_release) = start_live();
    arrive(app, "a", 180, BOOKING_CONFIRMED);
    cr_expect_eq(app->rows.listed, 3);
    app_key(app, 'j');
    cr_expect_eq(app->rows.listed, 2);
    cr_expect_str_eq(cursor_id(app), "b");
}

Test(app, a_stale_list_never_beats_a_newer_event)
{
    struct app *app AUTO(app_release) = start_live();
    arrive(app, "b", 120, BOOKING_CONFIRMED);
    struct news *list = news_new(NEWS_LIST, NULL);
    news_add(list, booking("b", 120, BOOKING_PENDING));
    tell(app, list);
    cr_expect_eq(row_of(app, "b")->record->status, BOOKING_CONFIRMED);
    cr_expect_not(row_of(app, "b")->listed);
}

Test(app, asks_about_waiting_rows_that_a_new_list_does_not_have)
{
    struct app *app AUTO(app_release) = start_live();
    tell(app, news_new(NEWS_CONNECTED, NULL));
    cr_expect(asks(app, REQUEST_LIST));
    struct news *list = news_new(NEWS_LIST, NULL);
    news_add(list, booking("c", 60, BOOKING_PENDING));
    news_add(list, booking("a", 180, BOOKING_PENDING));
    tell(app, list);
    struct request *request AUTO(request_release) = asked(app, REQUEST_BOOKING);
    cr_assert(request);
    cr_expect_str_eq(request->id, "b");
    struct news *gone = news_new(NEWS_BOOKING, "b");
    (void)error_set(&gone->error, ERROR_NOT_FOUND, "no");
    tell(app, gone);
    cr_expect_not(row_of(app, "b")->listed);
}

Test(app, n_goes_to_the_next_new_row_and_the_edges_hold)
{
    struct app *app AUTO(app_release) = start_live();
    arrive(app, "d", 0, BOOKING_PENDING);
    cr_expect_eq(app->arrived, 1);
    app_key(app, 'n');
    cr_expect_str_eq(cursor_id(app), "d");
    static const struct {
        uint32_t key;
        const char *at;
    } steps[] = {
        {KEY_CODE_DOWN, "d"},      {KEY_CODE_HOME, "a"},    {KEY_CODE_UP, "a"}, {'j', "b"},
        {KEY_CODE_PAGE_DOWN, "d"}, {KEY_CODE_PAGE_UP, "a"}, {'G', "d"},         {'k', "c"}};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        app_key(app, steps[i].key);
        cr_expect_str_eq(cursor_id(app), steps[i].at, "step %zu", i);
    }
}

/* --- the connection --- */

Test(app, keeps_answers_while_offline_and_stages_them_anew_when_it_is_back)
{
    struct app *app AUTO(app_release) = start_live();
    app_key(app, 'a');
    lose(app, ERROR_UNAVAILABLE);
    pass(app, 42000);
    expect_tag(app, "[OFFLINE 00:42]");
    expect_state(app, "a", "ACCEPT kept");
    cr_expect_not(asks(app, REQUEST_DECISION));
    resume(app);
    expect_tag(app, "[LIVE]");
    expect_state(app, "a", "ACCEPT 10s");
    expect_notice(app, "1 kept answer");
    pass(app, 10000);
    cr_expect(asks(app, REQUEST_DECISION));
}

Test(app, sends_nothing_before_a_list_is_fresh)
{
    struct app *app AUTO(app_release) = start_live();
    app_key(app, 'a');
    lose(app, ERROR_UNAVAILABLE);
    tell(app, news_new(NEWS_CONNECTED, NULL));
    pass(app, 15000);
    cr_expect_not(asks(app, REQUEST_DECISION));
    tell(app, news_new(NEWS_LIST, NULL));
    expect_state(app, "a", "ACCEPT 10s");
}

Test(app, fetches_the_list_until_it_has_one)
{
    struct app *app AUTO(app_release) = start();
    tell(app, news_new(NEWS_CONNECTED, NULL));
    cr_expect(asks(app, REQUEST_LIST));
    struct news *failed = news_new(NEWS_LIST, NULL);
    (void)error_set(&failed->error, ERROR_UNAVAILABLE, "gone");
    tell(app, failed);
    expect_tag(app, "[CONNECTING 00:00]");
    pass(app, LIST_AGAIN_MS - 1);
    cr_expect_not(asks(app, REQUEST_LIST));
    pass(app, 1);
    cr_expect(asks(app, REQUEST_LIST));
    lose(app, ERROR_UNAVAILABLE);
    resume(app); /* the stream missed nothing, but the list was never read */
    cr_expect(asks(app, REQUEST_LIST));
    tell(app, news_new(NEWS_LIST, NULL));
    expect_tag(app, "[LIVE]");
}

Test(app, answers_nothing_on_a_screen_that_is_too_small_to_see_it)
{
    struct app *app AUTO(app_release) = start_live();
    app_resize(app, 5, 80);
    app_shown(app);
    app_key(app, 'a');
    cr_expect_eq(app->active_count, 0);
    app_resize(app, 24, 80);
    app_key(app, 'a');
    cr_expect_eq(app->active_count, 1);
}

Test(app, names_the_health_of_the_connection)
{
    struct app *app AUTO(app_release) = start();
    expect_tag(app, "[CONNECTING 00:00]");
    app_free(app);
    app = start_live();
    expect_tag(app, "[LIVE]");
    struct news *pipeline = news_new(NEWS_PIPELINE, NULL);
    pipeline->unsent = 12;
    pipeline->oldest_unsent_s = 185;
    pipeline->took_ms = 4250;
    tell(app, pipeline);
    expect_tag(app, "[QUEUE BEHIND 3 min]");
    app->connection.unsent = 0;
    expect_tag(app, "[SLOW 4.2 s]");
    pass(app, 42000);
    expect_tag(app, "[STALE 00:42]");
    tell(app, news_new(NEWS_ALIVE, NULL));
    cr_expect(asks(app, REQUEST_PIPELINE));
    pass(app, 3100);
    expect_tag(app, "[SLOW 3.1 s]"); /* no answer yet */
    lose(app, ERROR_UNAUTHORISED);
    expect_tag(app, "[SIGNED OUT]");
    app_key(app, 'L');
    cr_expect(asks(app, REQUEST_SIGN_IN));
}

Test(app, a_refused_key_keeps_the_answer)
{
    struct app *app AUTO(app_release) = start_live();
    app_key(app, 'a');
    app_key(app, 's');
    answer(app, "a", 401, ERROR_UNAUTHORISED);
    expect_state(app, "a", "ACCEPT kept");
    expect_tag(app, "[SIGNED OUT]");
}

/* --- keys --- */

Test(app, quitting_with_a_staged_answer_asks)
{
    struct app *app AUTO(app_release) = start_live();
    app_key(app, 'a');
    app_key(app, 'q');
    cr_expect_not(app->done);
    app_key(app, 'q');
    cr_expect_not(app->done, "the same key twice is never a confirmation");
    app_key(app, KEY_CODE_ESCAPE);
    cr_expect_eq(app->mode, MODE_INBOX);
    expect_state(app, "a", "ACCEPT 10s");
    pass(app, 1000);
    app_key(app, 'q');
    app_key(app, 's');
    (void)app_tick(app);
    cr_expect_not(app->done, "it waits for the outcome");
    cr_expect(asks(app, REQUEST_DECISION));
    answer(app, "a", 200, ERROR_NONE);
    cr_expect(app->done);
}

Test(app, quitting_can_take_everything_back)
{
    struct app *app AUTO(app_release) = start_live();
    app_key(app, 'a');
    app_key(app, 'j');
    app_key(app, 'a');
    app_key(app, 'q');
    app_key(app, 'u');
    cr_expect(app->done);
    cr_expect_not(asks(app, REQUEST_DECISION));
}

Test(app, quits_at_once_with_nothing_staged)
{
    struct app *app AUTO(app_release) = start_live();
    app_key(app, 'q');
    cr_expect(app->done);
}

Test(app, pasted_split_and_unknown_keys_answer_nothing)
{
    struct app *app AUTO(app_release) = start_live();
    static const uint32_t keys[] = {
        KEY_CODE_PASTE, KEY_CODE_CTRL_C, KEY_CODE_OTHER, 'x', '[', '~', 'A', 'O', 'B', 0x1F600};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        app_key(app, keys[i]);
    app_key(app, KEY_CODE_ESCAPE); /* Alt-a, or the reply of a terminal, in pieces */
    pass(app, 100);
    app_key(app, 'a');
    cr_expect_eq(app->active_count, 0);
    cr_expect_not(app->done);
    pass(app, 100);
    app_key(app, 'a');
    cr_expect_eq(app->active_count, 1);
}

Test(app, no_binding_can_come_from_a_split_arrow_key)
{
    for (size_t i = 0; key_binding_at(i); i++) {
        const uint32_t key = key_binding_at(i)->key;
        cr_expect(key >= 0x80 || key < ' ' || !strchr("ABCDFHOPQRSZ[~", (int)key), "%c", (int)key);
    }
}

Test(app, an_action_waits_until_the_row_was_on_the_screen)
{
    struct app *app AUTO(app_release) = start();
    tell(app, news_new(NEWS_CONNECTED, NULL));
    arrive(app, "a", 10, BOOKING_PENDING);
    app_key(app, 'a');
    cr_expect_eq(app->active_count, 0);
    app_shown(app);
    app_key(app, 'a');
    cr_expect_eq(app->active_count, 1);
}

Test(app, an_empty_list_bears_every_key)
{
    struct app *app AUTO(app_release) = start();
    tell(app, news_new(NEWS_CONNECTED, NULL));
    for (size_t i = 0; key_binding_at(i); i++)
        if (key_binding_at(i)->mode == MODE_INBOX && key_binding_at(i)->key != 'q')
            app_key(app, key_binding_at(i)->key);
    cr_expect_eq(app->active_count, 0);
}

Test(app, random_arrivals_removals_and_keys_never_answer_another_row)
{
    struct app *app AUTO(app_release) = start_live();
    unsigned seed = 7;
    for (int i = 0; i < 10000; i++) {
        seed = seed * 1103515245U + 12345U;
        const unsigned dice = seed >> 16;
        char id[16];
        (void)snprintf(id, sizeof id, "r%u", dice % 300);
        const struct row *seen = app->cursor;
        if (dice % 5 < 2)
            arrive(app, id, dice % 1000, dice % 7 ? BOOKING_PENDING : BOOKING_CANCELLED);
        else if (dice % 5 == 2)
            app_key(app, dice % 2 ? 'j' : 'k');
        else if (seen && seen->record->status == BOOKING_PENDING && !seen->answer) {
            app_shown(app);
            app_key(app, 'a');
            cr_assert(seen->answer && app->active[app->active_count - 1] == seen);
            app_key(app, 'u');
        }
        cr_assert(!app->cursor || app->cursor->listed);
        cr_assert(!app->cursor || rows_place(&app->rows, app->cursor) >= app->top);
    }
}

Test(app, holds_a_hundred_thousand_rows)
{
    struct app *app AUTO(app_release) = start();
    tell(app, news_new(NEWS_CONNECTED, NULL));
    struct news *list = news_new(NEWS_LIST, NULL);
    for (int i = 0; i < 100000; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "r%d", i);
        news_add(list, booking(id, i, BOOKING_PENDING));
    }
    tell(app, list);
    cr_expect_eq(app->rows.listed, 100000);
    cr_expect_str_eq(cursor_id(app), "r99999");
    app_key(app, 'G');
    cr_expect_str_eq(cursor_id(app), "r0");
}
