/* The console's answers: staged, sent, taken back, refused, tried again. */
#include <criterion/criterion.h>
#include <string.h>

#include "app_fixture.h"
#include "text.h"

Test(app, an_answer_is_staged_for_ten_seconds_then_sent_recorded_and_delivered)
{
    struct app *app AUTO(app_release) = start_live();
    cr_assert_not(asks(app, NEWS_DECISION));
    app_key(app, 'a');
    expect_state(app, "a", "ACCEPT 10s");
    pass(app, 9999);
    cr_assert_not(asks(app, NEWS_DECISION));
    expect_state(app, "a", "ACCEPT 1s");
    pass(app, 1);
    struct news *request AUTO(news_release) = asked(app, NEWS_DECISION);
    cr_assert(request);
    cr_expect_str_eq(request->id, "a");
    cr_expect_eq(request->command, BOOKING_ACCEPT);
    cr_expect_null(request->reason);
    expect_state(app, "a", "sending");
    expect_tag(app, "[LIVE] 1 sending");
    answer(app, "a", 200, ERROR_NONE);
    expect_state(app, "a", "recorded");
    cr_expect(asks(app, NEWS_BOOKING));
    struct news *news = news_new(NEWS_BOOKING, "a");
    struct record *told = booking("a", 180, BOOKING_CONFIRMED);
    told->delivered = true;
    news_add(news, told);
    tell(app, news);
    expect_state(app, "a", "delivered");
    app_key(app, 'j');
    cr_expect_not(row_of(app, "a")->listed);
}

Test(app, undo_takes_a_staged_answer_back_and_send_now_does_not_wait)
{
    struct app *app AUTO(app_release) = start_live();
    app_key(app, 'a');
    app_key(app, 'u');
    pass(app, 20000);
    cr_expect_not(asks(app, NEWS_DECISION));
    expect_state(app, "a", "wait  3m");
    app_key(app, 'a');
    app_key(app, 's');
    cr_expect(asks(app, NEWS_DECISION));
    app_key(app, 'u');
    expect_state(app, "a", "sending");
}

Test(app, undo_means_the_staged_row_under_the_cursor_before_the_last_one)
{
    struct app *app AUTO(app_release) = start_live();
    app_key(app, 'a');
    app_key(app, 'j');
    app_key(app, 'a');
    app_key(app, 'g');
    app_key(app, 'u');
    expect_state(app, "a", "wait  3m");
    expect_state(app, "b", "ACCEPT 10s");
    app_key(app, 'u');
    expect_state(app, "b", "wait  2m");
}

Test(app, a_second_answer_to_the_same_request_is_refused)
{
    struct app *app AUTO(app_release) = start_live();
    app_key(app, 'a');
    app_key(app, 'a');
    app_key(app, 'r');
    cr_expect_eq(app->mode, MODE_INBOX);
    cr_expect_eq(app->active_count, 1);
    expect_notice(app, "answered already");
}

Test(app, reject_asks_for_a_reason_and_escape_does_nothing)
{
    struct app *app AUTO(app_release) = start_live();
    app_key(app, 'r');
    cr_expect_eq(app->mode, MODE_REASON);
    app_key(app, KEY_CODE_ESCAPE);
    cr_expect_eq(app->active_count, 0);
    pass(app, 1000);
    app_key(app, 'r');
    app_key(app, 'r');
    app_key(app, KEY_CODE_ENTER); /* the default goes back */
    cr_expect_eq(app->active_count, 0);
    app_key(app, 'r');
    app_key(app, '2');
    app_key(app, KEY_CODE_ENTER);
    expect_state(app, "a", "REJECT 10s");
    app_key(app, 's');
    struct news *request AUTO(news_release) = asked(app, NEWS_DECISION);
    cr_expect_eq(request->command, BOOKING_REJECT);
    cr_expect_str_eq(request->reason, app_reasons[2]);
}

Test(app, reject_takes_a_typed_reason_of_at_most_two_hundred_letters)
{
    struct app *app AUTO(app_release) = start_live();
    app_key(app, 'r');
    app_key(app, '6');
    app_key(app, KEY_CODE_ENTER);
    cr_assert_eq(app->mode, MODE_TYPING);
    static const uint32_t letters[] = {
        's', 0xE9, 0x5C71, 0x1F600, 'x', KEY_CODE_BACKSPACE, KEY_CODE_UP, KEY_CODE_BACKSPACE};
    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++)
        app_key(app, letters[i]);
    cr_expect_str_eq(buf_text(&app->typed), "s\xc3\xa9\xe5\xb1\xb1");
    for (int i = 0; i < 300; i++)
        app_key(app, 'q');
    app_key(app, KEY_CODE_ENTER);
    cr_expect_eq(strlen(app->cursor->answer->reason), 200 + 1 + 2);
    cr_expect(text_is_utf8(app->cursor->answer->reason, 203));
}

Test(app, a_question_stays_bound_to_its_booking_while_rows_come_and_go)
{
    struct app *app AUTO(app_release) = start_live();
    app_key(app, 'j');
    app_key(app, 'r');
    arrive(app, "z", 500, BOOKING_PENDING);
    arrive(app, "a", 180, BOOKING_CANCELLED);
    app_key(app, '1');
    app_key(app, KEY_CODE_ENTER);
    expect_state(app, "b", "REJECT 10s");
    cr_expect_eq(app->active_count, 1);
}

Test(app, says_what_a_refusal_means)
{
    static const struct {
        const char *name;
        enum booking_status status; /* of the booking in the answer */
        enum error_kind kind;
        int code;
        const char *words;
    } cases[] = {
        {"other", BOOKING_REJECTED, ERROR_CONFLICT, 409,
         "Already REJECTED by front desk. Your ACCEPT was not done"},
        {"cancelled", BOOKING_CANCELLED, ERROR_CONFLICT, 409, "Nothing was booked"},
        {"absent", BOOKING_PENDING, ERROR_NOT_FOUND, 404, "no longer exists"},
        {"reason", BOOKING_PENDING, ERROR_UNPROCESSABLE, 422, "the server's sentence (422)"},
        {"bad", BOOKING_PENDING, ERROR_INVALID, 400, "the server's sentence (400)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct app *app AUTO(app_release) = start_live();
        app_key(app, 'a');
        app_key(app, 's');
        struct news *news = news_new(NEWS_DECISION, "a");
        struct record *told = booking("a", 180, cases[i].status);
        told->decided_by = memory_text("front desk");
        news_add(news, told);
        news->status = cases[i].code;
        (void)error_set(&news->error, cases[i].kind, "the server's sentence");
        tell(app, news);
        expect_state(app, "a", "NOT DONE");
        cr_expect(strstr(row_of(app, "a")->answer->why, cases[i].words), "%s: %s", cases[i].name,
                  row_of(app, "a")->answer->why);
        expect_notice(app, "NOT DONE");
    }
}

Test(app, tries_again_with_the_same_key_when_the_server_is_busy_or_silent)
{
    static const struct {
        int status;
        enum error_kind kind;
        const char *words;
    } cases[] = {{503, ERROR_UNAVAILABLE, "Server busy. Trying again in 1 s"},
                 {429, ERROR_BUSY, "Not done yet. (429)"},
                 {0, ERROR_UNAVAILABLE, "no answer came. Checking what happened"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct app *app AUTO(app_release) = start_live();
        app_key(app, 'a');
        app_key(app, 's');
        struct news *first AUTO(news_release) = asked(app, NEWS_DECISION);
        answer(app, "a", cases[i].status, cases[i].kind);
        expect_notice(app, cases[i].words);
        expect_state(app, "a", "retrying");
        app_key(app, 'u');
        expect_state(app, "a", "retrying");
        pass(app, 999);
        cr_expect_not(asks(app, NEWS_DECISION));
        pass(app, 1);
        struct news *again AUTO(news_release) = asked(app, NEWS_DECISION);
        cr_assert(again, "case %zu", i);
        cr_expect_str_eq(again->key, first->key);
    }
}

Test(app, what_somebody_else_has_done_alike_is_not_called_a_failure)
{
    for (int staged = 0; staged < 2; staged++) {
        struct app *app AUTO(app_release) = start_live();
        app_key(app, 'a');
        if (!staged)
            app_key(app, 's');
        cr_expect_eq(asks(app, NEWS_DECISION), !staged);
        struct news *news = news_new(staged ? NEWS_CHANGED : NEWS_DECISION, "a");
        struct record *told = booking("a", 180, BOOKING_CONFIRMED);
        told->decided_by = memory_text("front desk");
        news_add(news, told);
        if (!staged)
            (void)error_set(&news->error, ERROR_CONFLICT, "no");
        tell(app, news);
        expect_notice(app, "a: ACCEPT was done already by front desk. Nothing to do.");
        expect_state(app, "a", "delivered");
        pass(app, 20000);
        cr_expect_not(asks(app, NEWS_DECISION));
    }
}

Test(app, an_answer_given_without_a_connection_never_says_that_it_will_be_sent)
{
    struct app *app AUTO(app_release) = start_live();
    lose(app, ERROR_UNAVAILABLE);
    app_key(app, 'a');
    expect_state(app, "a", "ACCEPT kept");
    pass(app, 20000);
    cr_expect_not(asks(app, NEWS_DECISION));
}

Test(app, the_time_to_take_back_does_not_run_while_the_process_is_stopped)
{
    struct app *app AUTO(app_release) = start_live();
    jump(app, 50000); /* idle */
    app_key(app, 'a');
    pass(app, 4000);
    jump(app, 60000); /* Ctrl-Z, fg */
    expect_state(app, "a", "ACCEPT 6s");
    cr_expect_not(asks(app, NEWS_DECISION));
    pass(app, 6000);
    cr_expect(asks(app, NEWS_DECISION));
    app_key(app, 'u');
    expect_notice(app, "on its way already");
}

Test(app, different_answers_have_different_keys)
{
    struct app *app AUTO(app_release) = start_live();
    app_key(app, 'a');
    app_key(app, 'j');
    app_key(app, 'a');
    cr_expect_str_neq(row_of(app, "a")->answer->key, row_of(app, "b")->answer->key);
}

Test(app, a_cancellation_ends_a_staged_answer_unsent)
{
    struct app *app AUTO(app_release) = start_live();
    app_key(app, 'a');
    arrive(app, "a", 180, BOOKING_CANCELLED);
    expect_state(app, "a", "NOT DONE");
    pass(app, 20000);
    cr_expect_not(asks(app, NEWS_DECISION));
}
