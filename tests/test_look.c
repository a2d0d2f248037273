/* The console's screens and questions: what is looked at, found, marked, and asked before it is
 * done. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app_fixture.h"
#include "dialog.h"
#include "view.h"

static void type(struct app *app, const char *keys)
{
    for (; *keys; keys++)
        press(app, (uint32_t)(unsigned char)*keys);
}

static void expect_list(const struct app *app, const char *ids)
{
    struct buf found AUTO(buf_release) = {0};
    for (size_t i = 0; i < app->rows.list.count; i++)
        buf_text_append(&found, app->rows.list.rows[i]->id);
    cr_expect_str_eq(buf_text(&found), ids, "%s, not %s", buf_text(&found), ids);
}

/* A booking at that minute of tomorrow's hour. */
static struct record *at(const char *id, int minute, int minutes, enum booking_status status)
{
    struct record *record = booking(id, 60, status);
    record->start_s = NOW_S + 86400 + 60 * minute;
    record->end_s = record->start_s + 60 * minutes;
    return record;
}

static void hear(struct app *app, struct record *record)
{
    struct news *news = news_new(NEWS_CHANGED, NULL);
    news_add(news, record);
    tell(app, news);
}

/* The day that was asked for comes, with these bookings in it. */
static void give_day(struct app *app, struct record *record)
{
    struct news *day = asked(app, NEWS_DAY);
    cr_assert(day);
    if (record)
        news_add(day, record);
    tell(app, day);
}

/* --- find, order --- */

Test(look, the_row_under_the_cursor_keeps_its_line_through_every_order)
{
    static const char *const orders[] = {"cba", "abc", "abc"}; /* by start, by name, by waiting */
    struct app *app AUTO(app_release) = start_live();
    press(app, 'j');
    for (size_t i = 0; i < 3; i++) {
        press(app, 'o');
        expect_list(app, orders[i]);
        cr_expect_str_eq(cursor_id(app), "b");
        cr_expect_eq(app->top, 0);
    }
}

Test(look, finding_shows_less_and_escape_shows_all_with_the_cursor_where_it_was)
{
    struct app *app AUTO(app_release) = start_live();
    press(app, 'G');
    type(app, "/a");
    cr_expect_eq(app->mode, MODE_FIND);
    expect_list(app, "a");
    cr_expect_str_eq(cursor_id(app), "a");
    press(app, KEY_CODE_BACKSPACE);
    expect_list(app, "abc");
    cr_expect_str_eq(cursor_id(app), "c");
    type(app, "mulr");
    cr_expect_null(app->cursor);
    expect_message(app, "Nothing matches \"mulr\".  3 requests hidden.   Esc Show all");
    press(app, KEY_CODE_ESCAPE);
    expect_list(app, "abc");
    cr_expect_str_eq(cursor_id(app), "c");
}

Test(look, what_was_found_stays_after_enter_until_escape)
{
    struct app *app AUTO(app_release) = start_live();
    type(app, "/b");
    press(app, KEY_CODE_ENTER);
    cr_expect_eq(app->mode, MODE_NONE);
    arrive(app, "zb", 10, BOOKING_PENDING);
    arrive(app, "zz", 10, BOOKING_PENDING);
    expect_list(app, "bzb");
    cr_expect_eq(app->arrived, 1, "what is hidden is not announced");
    press(app, 'a');
    expect_state(app, "b", "ACCEPT 10s");
    pass(app, 200);
    press(app, KEY_CODE_ESCAPE);
    expect_list(app, "abczbzz");
    cr_expect_str_eq(cursor_id(app), "b");
}

Test(look, what_was_found_must_be_seen_before_it_is_answered)
{
    struct app *app AUTO(app_release) = start_live();
    press(app, '/');
    app_key(app, 'c');
    app_key(app, KEY_CODE_ENTER);
    cr_expect_str_eq(cursor_id(app), "c");
    app_key(app, 'a');
    cr_expect_eq(app->active_count, 0);
    expect_notice(app, "The list has just changed");
    press(app, 'a');
    expect_state(app, "c", "ACCEPT 10s");
}

/* --- marks --- */

Test(look, what_is_marked_is_answered_together_after_a_question)
{
    struct app *app AUTO(app_release) = start_live();
    type(app, " j ");
    cr_expect_eq(app->rows.marked, 2);
    press(app, 'a');
    cr_expect_eq(app->mode, MODE_BULK);
    press(app, 'a'); /* the same key twice is never a confirmation */
    press(app, KEY_CODE_ENTER);
    cr_expect_eq(app->active_count, 0, "the default goes back");
    cr_expect_eq(app->rows.marked, 2);
    type(app, "ay");
    cr_expect_eq(app->active_count, 2);
    expect_state(app, "a", "ACCEPT 10s");
    expect_state(app, "c", "wait  1m");
    cr_expect_eq(app->rows.marked, 0);
    press(app, 'u');
    cr_expect_eq(app->active_count, 0, "they are one group");
}

Test(look, of_marked_requests_that_overlap_the_oldest_of_each_is_offered)
{
    struct app *app AUTO(app_release) = start_live();
    struct record *late = at("d", 3 * 60 + 10, 30, BOOKING_PENDING); /* in a's time */
    late->received_s = NOW_S - 5;
    hear(app, late);
    hear(app, at("booked", 60, 10, BOOKING_CONFIRMED)); /* in c's time */
    type(app, " j j j ");
    cr_assert_eq(app->rows.marked, 4);
    type(app, "a");
    struct buf words AUTO(buf_release) = {0};
    view_marked(app, &words);
    cr_expect(strstr(buf_text(&words), "! d, ") && strstr(buf_text(&words), "a (asked first)"),
              "%s", buf_text(&words));
    cr_expect(strstr(buf_text(&words), "! c, ") && strstr(buf_text(&words), "booked (accepted)"),
              "%s", buf_text(&words));
    type(app, "y");
    expect_state(app, "a", "ACCEPT 10s");
    expect_state(app, "b", "ACCEPT 10s");
    expect_state(app, "c", "wait  1m");
    expect_state(app, "d", "wait  0m");
    press(app, 'u');
    type(app, "g j j j ae");
    cr_expect_eq(app->active_count, 4, "all of them, said with another key");
}

Test(look, a_plan_that_changes_under_the_question_must_be_seen_before_it_is_done)
{
    struct app *app AUTO(app_release) = start_live();
    type(app, " j a");
    cr_assert_eq(app->plan.count, 2);
    app_shown(app);
    hear(app, at("booked", 2 * 60, 10, BOOKING_CONFIRMED)); /* in b's time */
    cr_expect_eq(app->plan.count, 1);
    app_key(app, 'y');
    cr_expect_eq(app->active_count, 0);
    expect_notice(app, "Something has just changed");
    press(app, 'y');
    cr_expect_eq(app->active_count, 1);
    expect_state(app, "a", "ACCEPT 10s");
}

Test(look, a_mark_dies_with_its_request)
{
    struct app *app AUTO(app_release) = start_live();
    type(app, "j j ");
    arrive(app, "b", 120, BOOKING_CANCELLED);
    cr_expect_eq(app->rows.marked, 1);
    type(app, "r1");
    press(app, KEY_CODE_ENTER);
    cr_expect_eq(app->active_count, 1);
    expect_state(app, "c", "REJECT 10s");
}

/* --- overlaps --- */

Test(look, accepting_what_overlaps_asks_with_another_key)
{
    struct app *app AUTO(app_release) = start_live();
    hear(app, at("tom", 3 * 60 + 20, 60, BOOKING_CONFIRMED));
    press(app, 'a');
    cr_expect_eq(app->mode, MODE_OVERLAP);
    struct buf words AUTO(buf_release) = {0};
    view_overlap(app, &words);
    cr_expect(strstr(buf_text(&words), "! Overlaps 12:02-13:02, tom (accepted)"), "%s",
              buf_text(&words));
    press(app, 'a');
    press(app, KEY_CODE_ENTER);
    cr_expect_eq(app->active_count, 0);
    app_key(app, 'a');
    app_key(app, 'y');
    cr_expect_eq(app->active_count, 0, "typed before the question was seen");
    press(app, 'y');
    expect_state(app, "a", "ACCEPT 10s");
}

Test(look, what_ends_when_the_next_begins_does_not_overlap)
{
    struct app *app AUTO(app_release) = start_live();
    hear(app, at("before", 2 * 60 + 30, 30, BOOKING_CONFIRMED));
    hear(app, at("after", 3 * 60 + 30, 30, BOOKING_CONFIRMED));
    press(app, 'a');
    expect_state(app, "a", "ACCEPT 10s");
}

Test(look, an_overlap_that_is_learned_late_is_said_and_gives_the_time_anew)
{
    struct app *app AUTO(app_release) = start_live();
    press(app, 'a');
    pass(app, 8000);
    give_day(app, at("tom", 3 * 60, 60, BOOKING_CONFIRMED));
    expect_state(app, "a", "ACCEPT 10s");
    expect_notice(app, "a: ! Overlaps 11:42-12:42, tom (accepted)");
}

Test(look, without_a_time_to_take_back_nothing_is_accepted_on_a_day_that_was_not_read)
{
    struct conf conf = *conf_default();
    conf.undo_seconds = 0;
    struct app *app AUTO(app_release) = start_with(&conf);
    tell(app, news_new(NEWS_CONNECTED, NULL));
    struct news *list = news_new(NEWS_LIST, NULL);
    news_add(list, booking("a", 180, BOOKING_PENDING));
    tell(app, list);
    press(app, 'a');
    cr_expect_eq(app->mode, MODE_OVERLAP);
    press(app, KEY_CODE_ESCAPE);
    pass(app, 1000);
    give_day(app, NULL);
    press(app, 'a');
    cr_expect_eq(app->mode, MODE_NONE);
    cr_expect_eq(app->active_count, 1);
}

/* --- days --- */

Test(look, a_day_is_asked_for_once_and_again_after_a_failure_or_a_gap_in_the_news)
{
    struct app *app AUTO(app_release) = start_live();
    struct news *day = asked(app, NEWS_DAY);
    cr_assert(day);
    cr_expect(day->from_s < NOW_S && day->to_s - day->from_s == 3 * DAY_S);
    pass(app, 3000);
    cr_expect_not(asks(app, NEWS_DAY), "one at a time");
    (void)error_set(&day->error, ERROR_UNAVAILABLE, "no");
    tell(app, day);
    cr_expect_not(asks(app, NEWS_DAY));
    pass(app, LIST_AGAIN_MS);
    give_day(app, NULL);
    cr_expect(app_knows_day(app, app->cursor));
    pass(app, 60000);
    cr_expect_not(asks(app, NEWS_DAY));
    resume(app);
    pass(app, 1000);
    cr_expect_not(asks(app, NEWS_DAY), "nothing was missed");
    tell(app, news_new(NEWS_CONNECTED, NULL));
    cr_expect_not(app_knows_day(app, app->cursor));
    tell(app, news_new(NEWS_LIST, NULL));
    cr_expect(asks(app, NEWS_DAY));
}

Test(look, a_day_that_was_read_before_news_were_missed_is_not_trusted)
{
    struct app *app AUTO(app_release) = start_live();
    struct news *day = asked(app, NEWS_DAY);
    cr_assert(day);
    tell(app, news_new(NEWS_CONNECTED, NULL));
    tell(app, day);
    cr_expect_not(app_knows_day(app, app->cursor));
}

Test(look, the_day_screen_moves_from_booking_to_booking_and_answers_the_one_it_shows)
{
    struct app *app AUTO(app_release) = start_live();
    give_day(app, at("tom", 5 * 60, 60, BOOKING_CONFIRMED));
    press(app, 'j');
    press(app, '2');
    cr_expect_str_eq(app_row(app)->id, "b");
    press(app, KEY_CODE_DOWN);
    cr_expect_str_eq(app_row(app)->id, "a");
    press(app, 'a');
    expect_state(app, "a", "ACCEPT 10s");
    press(app, 'G');
    cr_expect_str_eq(app_row(app)->id, "tom");
    press(app, 'a');
    expect_notice(app, "answered already");
    press(app, KEY_CODE_RIGHT);
    cr_expect_null(app_row(app));
    press(app, 'a');
    expect_notice(app, "no request under the cursor");
    press(app, 'h');
    cr_expect_str_eq(app_row(app)->id, "c");
    press(app, 't');
    cr_expect_null(app_row(app));
    press(app, '1');
    cr_expect_str_eq(cursor_id(app), "b", "the inbox is where it was");
    cr_expect_eq(app->active_count, 1);
}

Test(look, when_the_booking_under_the_cursor_of_a_day_goes_no_key_means_another)
{
    struct app *app AUTO(app_release) = start_live();
    press(app, '2');
    press(app, 'G');
    cr_expect_str_eq(app_row(app)->id, "a");
    app_shown(app);
    arrive(app, "a", 180, BOOKING_CANCELLED);
    app_key(app, 'a');
    cr_expect_eq(app->active_count, 0);
    expect_notice(app, "The list has just changed");
}

/* --- the menu --- */

/* What Enter, the arrows and Enter do on this screen: the i-th choice of the menu. */
static void choose(struct app *app, size_t i)
{
    press(app, KEY_CODE_ENTER);
    cr_assert_eq(app->mode, MODE_MENU);
    for (; i > 0; i--)
        press(app, KEY_CODE_DOWN);
    press(app, KEY_CODE_ENTER);
}

Test(look, every_action_of_every_screen_can_be_reached_by_arrows_and_enter)
{
    bool reached[ACTIONS_MAX] = {false};
    for (enum view_kind show = SHOW_INBOX; show < SHOWS; show++) {
        struct app *app AUTO(app_release) = start_live();
        press(app, 'a'); /* something to take back and to send */
        app->connection.signed_out = true;
        app_show(app, show);
        dialog_open(app, MODE_MENU);
        struct choice choice = {0};
        for (size_t i = 1; dialog_of(MODE_MENU)->choice(app, i, &choice); i++)
            for (size_t j = 0; action_at(j); j++)
                reached[j] = reached[j] || choice.action == action_at(j);
    }
    for (size_t i = 0; action_at(i); i++)
        if (action_at(i)->act && strcmp(action_at(i)->name, "menu") != 0 &&
            strcmp(action_at(i)->name, "edit") != 0)
            cr_expect(reached[i], "%s is in no menu", action_at(i)->name);
}

Test(look, the_menu_does_what_the_key_does_and_its_default_does_nothing)
{
    struct app *app AUTO(app_release) = start_live();
    choose(app, 0);
    cr_expect_eq(app->active_count, 0);
    choose(app, 2); /* behind next new */
    expect_state(app, "a", "ACCEPT 10s");
    press(app, 'j');
    press(app, KEY_CODE_ENTER);
    press(app, 'r');
    cr_expect_eq(app->mode, MODE_REASON);
    cr_expect_str_eq(app->target->id, "b");
}

Test(look, a_menu_acts_on_the_request_that_it_was_opened_for_or_not_at_all)
{
    struct app *app AUTO(app_release) = start_live();
    press(app, '2');
    press(app, 'G');
    press(app, KEY_CODE_ENTER);
    arrive(app, "a", 180, BOOKING_CANCELLED);
    cr_expect_str_eq(app_row(app)->id, "c", "another one is under the cursor now");
    press(app, 'a');
    cr_expect_eq(app->active_count, 0);
    expect_notice(app, "The list has just changed");
}

Test(look, every_question_can_be_left_by_escape_and_by_its_first_choice)
{
    for (enum mode mode = MODE_NONE; mode < MODES; mode++) {
        struct app *app AUTO(app_release) = start_live();
        if (!dialog_of(mode))
            continue;
        for (int way = 0; way < 2; way++) {
            dialog_open(app, mode);
            app->target = app->cursor;
            cr_expect(dialog_count(app) > 1);
            press(app, way ? KEY_CODE_ENTER : KEY_CODE_ESCAPE);
            cr_expect_eq(app->mode, MODE_NONE, "mode %d", mode);
            cr_expect_eq(app->active_count, 0);
            cr_expect_not(app->done);
            pass(app, 1000);
        }
    }
}

/* --- the rest --- */

Test(look, a_click_selects_and_the_wheel_scrolls_and_neither_acts)
{
    struct app *app AUTO(app_release) = start_live();
    const size_t top = view_layout(app->lines, app->columns).list.top;
    app_click(app, top + 1, 5);
    cr_expect_str_eq(cursor_id(app), "b");
    app_click(app, top + 3, 5);
    app_click(app, 0, 0);
    app_click(app, 1000, 1000);
    cr_expect_str_eq(cursor_id(app), "b");
    press(app, KEY_CODE_WHEEL_DOWN);
    cr_expect_str_eq(cursor_id(app), "c");
    press(app, 'r');
    app_click(app, top, 5);
    cr_expect_str_eq(cursor_id(app), "c", "not under a question");
    cr_expect_eq(app->active_count, 0);
}

Test(look, copies_the_request_without_what_a_terminal_would_act_on)
{
    struct app *app AUTO(app_release) = start_live();
    free(app->cursor->record->user_name);
    app->cursor->record->user_name = memory_text("Zo\xc3\xab \033]52;c;AAAA\a\xe2\x80\xae");
    press(app, 'y');
    cr_expect_str_eq(buf_text(&app->copied), "Zo\xc3\xab ]52;c;AAAA, Tomorrow 11:42-12:12, a", "%s",
                     buf_text(&app->copied));
}

Test(look, a_key_that_was_bound_anew_is_called_by_its_name)
{
    struct keymap keymap = keymap_default();
    struct conf conf = *conf_default();
    struct error error = {0};
    struct buf words AUTO(buf_release) = {0};
    cr_assert(keymap_bind(&keymap, "accept", "x", &error));
    conf.keymap = &keymap;
    struct app *app AUTO(app_release) = start_with(&conf);
    view_keys(app, &words);
    cr_expect(strstr(buf_text(&words), " x Accept "), "%s", buf_text(&words));
    buf_clear(&words);
    view_help(app, 79, &words);
    cr_expect(strstr(buf_text(&words), "x accept   "), "%s", buf_text(&words));
}

/* --- chance --- */

/* The worker does at once what it is asked. */
static void do_as_asked(struct app *app)
{
    for (struct news *question = NULL; (question = app_take_question(app));) {
        if (question->kind == NEWS_DECISION) {
            struct record *record = booking(question->id, 60, BOOKING_CONFIRMED);
            record->delivered = true;
            news_add(question, record);
            question->status = 200;
        }
        if (question->kind == NEWS_DECISION || question->kind == NEWS_DAY)
            app_news(app, question);
        else
            news_free(question);
    }
}

struct chance {
    struct app *app;
    unsigned seed;
    size_t answered;
};

static int dice(struct chance *chance, int sides)
{
    return rand_r(&chance->seed) % sides;
}

/* What comes by itself answers nothing and never puts another row under a cursor that was seen. */
static void hear_something(struct chance *chance, int step)
{
    struct app *app = chance->app;
    const struct row *seen = app->shown ? app_row(app) : NULL;
    const size_t active = app->active_count;
    const int status = dice(chance, 8);
    char id[16];
    (void)snprintf(id, sizeof id, "%c%d", 'a' + dice(chance, 3), step / 30 + dice(chance, 20));
    if (status == 7) {
        struct news *gone = news_new(NEWS_BOOKING, id);
        (void)error_set(&gone->error, ERROR_NOT_FOUND, "no longer");
        app_news(app, gone);
    } else {
        hear(app, at(id, dice(chance, 20000), 30, status < 4 ? (enum booking_status)status : 0));
    }
    cr_assert(!app->shown || !seen || app_row(app) == seen, "step %d", step);
    cr_assert(app->active_count <= active, "step %d", step);
}

/* A key answers only what was seen under the cursor, in the open question or marked. */
static void press_something(struct chance *chance, int step)
{
    static const uint32_t keys[] = {'a',
                                    'a',
                                    'a',
                                    'a',
                                    'a',
                                    'a',
                                    'y',
                                    'y',
                                    'y',
                                    'r',
                                    'e',
                                    'u',
                                    's',
                                    ' ',
                                    'j',
                                    'k',
                                    'o',
                                    '/',
                                    'b',
                                    '1',
                                    '1',
                                    '1',
                                    '2',
                                    'h',
                                    'l',
                                    't',
                                    'n',
                                    'g',
                                    'G',
                                    '3',
                                    '?',
                                    9,
                                    'z',
                                    KEY_CODE_ENTER,
                                    KEY_CODE_ENTER,
                                    KEY_CODE_DOWN,
                                    KEY_CODE_DOWN,
                                    KEY_CODE_UP,
                                    KEY_CODE_PAGE_DOWN,
                                    KEY_CODE_ESCAPE,
                                    KEY_CODE_ESCAPE,
                                    KEY_CODE_ESCAPE};
    struct app *app = chance->app;
    const struct row *seen = app->shown ? app_row(app) : NULL;
    const struct row *target = app->target;
    struct row_list marked AUTO(row_list_release) = rows_marked(&app->rows);
    const size_t active = app->active_count;
    app_key(app, keys[dice(chance, sizeof keys / sizeof keys[0])]);
    for (size_t i = active; i < app->active_count; i++) {
        const struct row *row = app->active[i];
        cr_assert(row == seen || row == target || row_list_has(&marked, row), "step %d: %s", step,
                  row->id);
        chance->answered++;
    }
}

Test(look, chance_never_answers_what_was_not_looked_at)
{
    struct app *app AUTO(app_release) = start_live();
    const char *seed = getenv("SEED"); /* plays another one */
    struct chance chance = {.app = app, .seed = seed ? (unsigned)strtoul(seed, NULL, 10) : 11};
    for (int step = 0; step < 25000; step++) {
        const int what = dice(&chance, 10);
        if (what < 4)
            hear_something(&chance, step);
        else if (what < 8)
            press_something(&chance, step);
        else
            app_shown(app);
        pass(app, what == 9 ? 2000 : 100);
        do_as_asked(app);
        app->done = false;
        cr_assert(!app->cursor || rows_shows(&app->rows, app->cursor), "step %d", step);
        cr_assert(!app->cursor || app_place(app) >= app->top, "step %d", step);
        cr_assert_eq(!app->cursor, app->rows.list.count == 0, "step %d", step);
    }
    cr_expect(chance.answered > 100, "%zu answers", chance.answered);
}
