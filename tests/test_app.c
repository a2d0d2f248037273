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
    cr_assert_eq(app->rows.list.count, 3);
    cr_expect_str_eq(cursor_id(app), "a");
    cr_expect_str_eq(app->rows.list.rows[2]->record->id, "c");
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
    cr_assert_eq(app->rows.list.count, 43);
}

Test(app, rows_that_leave_above_do_not_move_what_is_looked_at)
{
    struct app *app AUTO(app_release) = start_live();
    app_key(app, 'G');
    arrive(app, "a", 180, BOOKING_CANCELLED);
    cr_assert_str_eq(cursor_id(app), "c");
    cr_assert_eq(app->rows.list.count, 2);
}

Test(app, a_row_that_was_answered_elsewhere_stays_until_the_cursor_leaves_it)
{
    struct app *app AUTO(app_release) = start_live();
    arrive(app, "a", 180, BOOKING_CONFIRMED);
    cr_expect_eq(app->rows.list.count, 3);
    app_key(app, 'j');
    cr_expect_eq(app->rows.list.count, 2);
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
    cr_expect(asks(app, NEWS_LIST));
    struct news *list = news_new(NEWS_LIST, NULL);
    news_add(list, booking("c", 60, BOOKING_PENDING));
    news_add(list, booking("a", 180, BOOKING_PENDING));
    tell(app, list);
    struct news *request AUTO(news_release) = asked(app, NEWS_BOOKING);
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

Test(app, fetches_the_list_until_it_has_one)
{
    struct app *app AUTO(app_release) = start();
    tell(app, news_new(NEWS_CONNECTED, NULL));
    cr_expect(asks(app, NEWS_LIST));
    tell(app, news_new(NEWS_PIPELINE, NULL));
    struct news *failed = news_new(NEWS_LIST, NULL);
    (void)error_set(&failed->error, ERROR_UNAVAILABLE, "gone");
    tell(app, failed);
    expect_tag(app, "[CONNECTING 00:00]");
    pass(app, LIST_AGAIN_MS - 1);
    cr_expect_not(asks(app, NEWS_LIST));
    pass(app, 1);
    cr_expect(asks(app, NEWS_LIST));
    lose(app, ERROR_UNAVAILABLE);
    resume(app); /* the stream missed nothing, but the list was never read */
    cr_expect(asks(app, NEWS_LIST));
    tell(app, news_new(NEWS_PIPELINE, NULL));
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
    tell(app, news_new(NEWS_ALIVE, NULL));
    cr_expect(asks(app, NEWS_PIPELINE));
    pass(app, 4250);
    expect_tag(app, "[SLOW 4.2 s]"); /* no outcome yet */
    struct news *pipeline = news_new(NEWS_PIPELINE, NULL);
    pipeline->status = 200;
    pipeline->unsent = 12;
    pipeline->oldest_unsent_s = 185;
    tell(app, pipeline);
    expect_tag(app, "[QUEUE BEHIND 3 min]");
    app->connection.unsent = 0;
    expect_tag(app, "[SLOW 4.2 s]"); /* that long it took */
    pass(app, 42000);
    expect_tag(app, "[STALE 00:42]");
    lose(app, ERROR_UNAUTHORISED);
    expect_tag(app, "[SIGNED OUT]");
    cr_expect_eq(app->notice.length, 0); /* it would stand where it is said what to press */
    app_key(app, 'L');
    cr_expect(asks(app, NEWS_SIGN_IN));
}

Test(app, an_answer_that_waits_for_its_outcome_counts_as_slow)
{
    struct app *app AUTO(app_release) = start_live();
    app_key(app, 'a');
    app_key(app, 's');
    pass(app, SLOW_MS - 1);
    expect_tag(app, "[LIVE] 1 sending");
    pass(app, 1);
    expect_tag(app, "[SLOW 2.0 s]");
    answer(app, "a", 200, ERROR_NONE);
    expect_tag(app, "[SLOW 2.0 s]"); /* that long it took */
    asks(app, NEWS_DECISION);
    tell(app, news_new(NEWS_PIPELINE, NULL));
    tell(app, news_new(NEWS_BOOKING, "a"));
    expect_tag(app, "[LIVE]");
    app_key(app, 'j');
    app_key(app, 'a');
    app_key(app, 's');
    pass(app, SLOW_MS);
    answer(app, "b", 0, ERROR_UNAVAILABLE); /* none at all is no better */
    expect_tag(app, "[SLOW 2.0 s]");
}

Test(app, fetching_again_without_a_connection_does_not_speak_of_signing_in)
{
    struct app *app AUTO(app_release) = start_live();
    lose(app, ERROR_UNAVAILABLE);
    app_key(app, KEY_CODE_F1 + 4);
    cr_expect(asks(app, NEWS_SIGN_IN));
    resume(app);
    struct news *in = news_new(NEWS_SIGN_IN, NULL);
    in->status = 200;
    tell(app, in);
    cr_expect_not(strstr(buf_text(&app->notice), "Signed"), "%s", buf_text(&app->notice));
}

Test(app, signing_in_again_needs_no_new_stream)
{
    struct app *app AUTO(app_release) = start_live();
    app_key(app, 'a');
    app_key(app, 's');
    answer(app, "a", 401, ERROR_UNAUTHORISED);
    expect_tag(app, "[SIGNED OUT]");
    app_key(app, 'L');
    cr_expect(asks(app, NEWS_SIGN_IN));
    struct news *in = news_new(NEWS_SIGN_IN, NULL);
    in->status = 200;
    tell(app, in);
    expect_tag(app, "[LIVE]");
    expect_message(app, "1 kept answer.   s Send   u Undo");
}

Test(app, a_notice_goes_with_the_next_key_once_it_could_be_read)
{
    struct app *app AUTO(app_release) = start_live();
    app_key(app, 'x');
    app_key(app, 'j');
    expect_notice(app, "does nothing");
    pass(app, NOTICE_MS);
    app_key(app, 'j');
    cr_expect_eq(app->notice.length, 0);
}

Test(app, a_bigger_window_shows_the_rows_above_too)
{
    struct app *app AUTO(app_release) = start_live();
    app_resize(app, 6, 30);
    app_key(app, 'G');
    cr_expect_eq(app->top, 2);
    app_resize(app, 24, 80);
    cr_expect_eq(app->top, 0);
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
    cr_expect_eq(app->mode, MODE_NONE);
    expect_state(app, "a", "ACCEPT 10s");
    pass(app, 1000);
    app_key(app, 'q');
    app_key(app, 's');
    (void)app_tick(app);
    cr_expect_not(app->done, "it waits for the outcome");
    cr_expect(asks(app, NEWS_DECISION));
    answer(app, "a", 200, ERROR_NONE);
    cr_expect(app->done);
}

Test(app, leaving_waits_until_a_refusal_was_seen)
{
    static const struct {
        enum error_kind kind;
        int status;
        enum mode mode; /* behind it */
    } cases[] = {{ERROR_UNPROCESSABLE, 422, MODE_NONE}, {ERROR_UNAUTHORISED, 401, MODE_QUIT}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct app *app AUTO(app_release) = start_live();
        app_key(app, 'a');
        app_key(app, 'q');
        app_key(app, 's');
        answer(app, "a", cases[i].status, cases[i].kind);
        cr_expect_not(app->done, "%d", cases[i].status);
        cr_expect_not(app->leaving);
        cr_expect_eq(app->mode, cases[i].mode);
    }
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
    cr_expect_not(asks(app, NEWS_DECISION));
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

Test(app, letters_that_come_in_a_bunch_are_a_paste_and_answer_nothing)
{
    static const uint32_t pastes[][6] = {
        {'a', 'a', 'a', 'a'}, {'[', '2', '0', '0', '~', 'a'}, {'j', 'a', 's', 'q', 'r', 13}};
    for (size_t i = 0; i < sizeof pastes / sizeof pastes[0]; i++) {
        struct app *app AUTO(app_release) = start_live();
        app_keys(app, pastes[i], 6);
        cr_expect_eq(app->active_count, 0, "case %zu", i);
        cr_expect_eq(app->mode, MODE_NONE);
        cr_expect_not(app->done);
        expect_notice(app, "Pasted text is ignored");
    }
}

Test(app, a_key_held_down_and_two_keys_at_once_are_no_paste)
{
    struct app *app AUTO(app_release) = start_live();
    app_keys(app, (const uint32_t[]){'j', 'j', 'j', 'j', 'k'}, 5);
    cr_expect_str_eq(cursor_id(app), "b");
    app_keys(app, (const uint32_t[]){'j', 'a'}, 2);
    expect_state(app, "c", "ACCEPT 10s");
    app_key(app, 'g');
    app_key(app, 'r');
    app_key(app, '6');
    app_key(app, KEY_CODE_ENTER);
    app_keys(app, (const uint32_t[]){'a', 'b', 'c', KEY_CODE_ENTER}, 4);
    cr_expect_eq(app->mode, MODE_TYPING, "a pasted line does not send itself");
    cr_expect_str_eq(buf_text(&app->typed), "abc");
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
    app_key(app, 'a');
    expect_notice(app, "The list is not here yet.");
    tell(app, news_new(NEWS_CONNECTED, NULL));
    tell(app, news_new(NEWS_LIST, NULL));
    app_key(app, 'a');
    expect_notice(app, "No requests are waiting.");
    for (enum view_kind show = SHOW_INBOX; show < SHOWS; show++) {
        app_show(app, show);
        for (size_t i = 0; action_at(i); i++) {
            if (strcmp(action_at(i)->name, "quit") == 0)
                continue;
            if (action_at(i)->act)
                action_at(i)->act(app);
            else
                app_move(app, action_at(i)->by);
            app_key(app, KEY_CODE_ENTER);
            app_key(app, KEY_CODE_ESCAPE);
            app->showing = show;
        }
    }
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
    cr_expect_eq(app->rows.list.count, 100000);
    cr_expect_str_eq(cursor_id(app), "r99999");
    app_key(app, 'G');
    cr_expect_str_eq(cursor_id(app), "r0");
}
