/* The console's answers: staged, sent, taken back, refused, tried again, kept over an outage. */
#include <criterion/criterion.h>
#include <string.h>

#include "app_fixture.h"
#include "text.h"
#include "view.h"

/* --- helpers --- */

/* The reason of a reject: 0 goes back, then the list, "No reason", "Other". */
static void choose_reason(struct app *app, uint32_t number)
{
    press(app, 'r');
    press(app, '0' + number);
    press(app, KEY_CODE_ENTER);
}

static struct record *decided(const char *id, enum booking_status status, const char *by)
{
    struct record *record = booking(id, 180, status);
    record->decided_by = memory_text(by);
    record->decided_s = NOW_S - 60;
    return record;
}

/* The worker refuses, and tells what the booking is. Takes the record over. */
static void refuse(struct app *app, int status, enum error_kind kind, struct record *record)
{
    struct news *news = news_new(NEWS_DECISION, record->id);
    news_add(news, record);
    news->status = status;
    (void)error_set(&news->error, kind, "the server's sentence");
    tell(app, news);
}

static void answer_booking(struct app *app, struct record *record)
{
    struct news *news = news_new(NEWS_BOOKING, record->id);
    news_add(news, record);
    tell(app, news);
}

static const struct step *last_step(const struct app *app)
{
    const struct history_entry *entry = history_newest(&app->answers.history, 0);
    cr_assert(entry);
    return history_last(entry);
}

/* --- staged and sent --- */

Test(answers, an_answer_is_staged_for_ten_seconds_then_sent_recorded_and_delivered)
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
    struct record *told = booking("a", 180, BOOKING_CONFIRMED);
    told->delivered = true;
    answer_booking(app, told);
    expect_state(app, "a", "delivered");
    app_key(app, 'j');
    cr_expect_not(row_of(app, "a")->listed);
}

Test(answers, without_a_time_to_undo_it_goes_out_at_once)
{
    struct conf conf = *conf_default();
    conf.undo_seconds = 0;
    struct app *app AUTO(app_release) = start_with(&conf);
    tell(app, news_new(NEWS_CONNECTED, NULL));
    tell(app, news_new(NEWS_LIST, NULL));
    arrive(app, "a", 10, BOOKING_PENDING);
    app_stage(app, row_of(app, "a"), BOOKING_ACCEPT, NULL);
    expect_state(app, "a", "sending");
    cr_expect(asks(app, NEWS_DECISION));
}

Test(answers, the_time_to_undo_is_a_setting)
{
    struct conf conf = *conf_default();
    conf.undo_seconds = 33;
    struct app *app AUTO(app_release) = start_with(&conf);
    tell(app, news_new(NEWS_CONNECTED, NULL));
    tell(app, news_new(NEWS_LIST, NULL));
    arrive(app, "a", 10, BOOKING_PENDING);
    press(app, 'a');
    expect_state(app, "a", "ACCEPT 33s");
}

Test(answers, undo_takes_a_staged_answer_back_and_send_now_does_not_wait)
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

Test(answers, undo_means_the_staged_row_under_the_cursor_before_the_last_one)
{
    struct app *app AUTO(app_release) = start_live();
    app_key(app, 'a');
    app_key(app, 'j');
    press(app, 'a');
    app_key(app, 'g');
    app_key(app, 'u');
    expect_state(app, "a", "wait  3m");
    expect_state(app, "b", "ACCEPT 10s");
    app_key(app, 'u');
    expect_state(app, "b", "wait  2m");
}

Test(answers, a_second_answer_to_the_same_request_is_refused)
{
    struct app *app AUTO(app_release) = start_live();
    press(app, 'a');
    press(app, 'a');
    press(app, 'r');
    cr_expect_eq(app->mode, MODE_NONE);
    cr_expect_eq(app->active_count, 1);
    expect_notice(app, "answered already");
}

Test(answers, reject_asks_for_a_reason_and_escape_does_nothing)
{
    struct app *app AUTO(app_release) = start_live();
    press(app, 'r');
    cr_expect_eq(app->mode, MODE_REASON);
    press(app, KEY_CODE_ESCAPE);
    cr_expect_eq(app->active_count, 0);
    pass(app, 1000);
    press(app, 'r');
    press(app, 'r');
    press(app, KEY_CODE_ENTER); /* the default goes back */
    cr_expect_eq(app->active_count, 0);
    choose_reason(app, 2);
    expect_state(app, "a", "REJECT 10s");
    app_key(app, 's');
    struct news *request AUTO(news_release) = asked(app, NEWS_DECISION);
    cr_expect_eq(request->command, BOOKING_REJECT);
    cr_expect_str_eq(request->reason, conf_default()->reasons[1]);
}

Test(answers, reject_takes_a_typed_reason_of_at_most_two_hundred_letters)
{
    struct app *app AUTO(app_release) = start_live();
    choose_reason(app, (uint32_t)conf_default()->reason_count + 2);
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

Test(answers, a_reason_that_is_no_text_is_never_left_out)
{
    struct app *app AUTO(app_release) = start_live();
    app_stage(app, row_of(app, "a"), BOOKING_REJECT, "bad \xff");
    expect_state(app, "a", "wait  3m");
    expect_notice(app, "Nothing was rejected");
}

Test(answers, a_question_stays_bound_to_its_booking_while_rows_come_and_go)
{
    struct app *app AUTO(app_release) = start_live();
    app_key(app, 'j');
    press(app, 'r');
    arrive(app, "z", 500, BOOKING_PENDING);
    arrive(app, "a", 180, BOOKING_CANCELLED);
    press(app, '1');
    press(app, KEY_CODE_ENTER);
    expect_state(app, "b", "REJECT 10s");
    cr_expect_eq(app->active_count, 1);
}

Test(answers, what_is_answered_together_is_taken_back_and_sent_together)
{
    struct app *app AUTO(app_release) = start_live();
    struct row *rows[] = {row_of(app, "a"), row_of(app, "b"), row_of(app, "c")};
    press(app, 'a'); /* not of the group, and so passed over by it */
    app_stage_all(app, &(struct row_list){.rows = rows, .count = 3}, BOOKING_REJECT, "closed");
    expect_state(app, "a", "ACCEPT 10s");
    expect_state(app, "b", "REJECT 10s");
    app_key(app, 'j');
    expect_message(app, "2 answers: REJECT will be sent in 10 s");
    app_key(app, 'u');
    expect_notice(app, "2 answers taken back. Nothing was sent.");
    expect_state(app, "a", "ACCEPT 10s");
    expect_state(app, "b", "wait  2m");
    app_stage_all(app, &(struct row_list){.rows = rows, .count = 3}, BOOKING_REJECT, "closed");
    app_key(app, 's');
    expect_state(app, "b", "sending");
    expect_state(app, "c", "sending");
    expect_state(app, "a", "ACCEPT 10s");
}

Test(answers, the_time_to_take_back_does_not_run_while_the_process_is_stopped)
{
    struct app *app AUTO(app_release) = start_live();
    jump(app, 50000); /* idle */
    app_key(app, 'a');
    pass(app, 4000);
    tell(app, news_new(NEWS_PIPELINE, NULL));
    jump(app, 60000); /* Ctrl-Z, fg */
    expect_state(app, "a", "ACCEPT 6s");
    cr_expect_not(asks(app, NEWS_DECISION));
    pass(app, 6000);
    cr_expect(asks(app, NEWS_DECISION));
    app_key(app, 'u');
    expect_notice(app, "on its way already");
}

Test(answers, news_that_come_first_after_a_stop_do_not_eat_the_time_to_take_back)
{
    struct app *app AUTO(app_release) = start_live();
    app_key(app, 'a');
    pass(app, 4000);
    struct news *pipeline = news_new(NEWS_PIPELINE, NULL);
    pipeline->status = 200;
    test_clock_move(60000); /* Ctrl-Z, fg, and no tick yet */
    tell(app, pipeline);
    expect_state(app, "a", "ACCEPT 6s");
    cr_expect_not(asks(app, NEWS_DECISION));
}

Test(answers, different_answers_have_different_keys)
{
    struct app *app AUTO(app_release) = start_live();
    app_key(app, 'a');
    app_key(app, 'j');
    press(app, 'a');
    cr_expect_str_neq(row_of(app, "a")->answer->key, row_of(app, "b")->answer->key);
}

/* --- what becomes of it --- */

Test(answers, says_what_a_refusal_means)
{
    static const struct {
        const char *name;
        enum booking_status status; /* of the booking in the answer */
        const char *by;
        enum error_kind kind;
        int code;
        const char *words;
    } cases[] = {
        {"other", BOOKING_REJECTED, "front desk", ERROR_CONFLICT, 409,
         "Already REJECTED on \"front desk\" at 08:41. Your ACCEPT was not done.   Enter See it   "
         "(409)"},
        {"nameless", BOOKING_REJECTED, "provider", ERROR_CONFLICT, 409,
         "Already REJECTED elsewhere at 08:41. Your ACCEPT"},
        {"cancelled", BOOKING_CANCELLED, "user", ERROR_CONFLICT, 409,
         "The client cancelled at 08:41. Nothing was booked. Nothing to do.   (409)"},
        {"expired", BOOKING_CANCELLED, "system", ERROR_CONFLICT, 409, "It expired unanswered at"},
        {"withdrawn", BOOKING_CANCELLED, "provider", ERROR_CONFLICT, 409, "It was cancelled at"},
        {"absent", BOOKING_PENDING, "", ERROR_NOT_FOUND, 404,
         "no longer exists. Nothing was sent to the client. It left your list.   (404, a)"},
        {"unprocessable", BOOKING_PENDING, "", ERROR_UNPROCESSABLE, 422,
         "the server's sentence   (422)"},
        {"bad", BOOKING_PENDING, "", ERROR_INVALID, 400, "the server's sentence   (400)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct app *app AUTO(app_release) = start_live();
        app_key(app, 'a');
        app_key(app, 's');
        refuse(app, cases[i].code, cases[i].kind, decided("a", cases[i].status, cases[i].by));
        expect_state(app, "a", "NOT DONE");
        cr_expect(strstr(row_of(app, "a")->answer->why, cases[i].words), "%s: %s", cases[i].name,
                  row_of(app, "a")->answer->why);
        expect_notice(app, "a: ACCEPT NOT DONE. ");
        cr_expect_eq(last_step(app)->kind, STEP_NOT_DONE);
        cr_expect_str_eq(last_step(app)->text, row_of(app, "a")->answer->why);
    }
}

Test(answers, what_was_decided_otherwise_can_be_looked_at)
{
    struct app *app AUTO(app_release) = start_live();
    app_key(app, 'a');
    app_key(app, 's');
    app_key(app, 'G');
    refuse(app, 409, ERROR_CONFLICT, decided("a", BOOKING_REJECTED, "front desk"));
    pass(app, 5000);
    cr_expect_str_eq(cursor_id(app), "c");
    press(app, KEY_CODE_ENTER);
    cr_expect_str_eq(cursor_id(app), "a");
    cr_expect_eq(app->mode, MODE_NONE);
    press(app, KEY_CODE_ENTER);
    cr_expect_eq(app->mode, MODE_MENU, "only once");
}

Test(answers, a_refused_reason_can_be_edited_or_given_up)
{
    struct app *app AUTO(app_release) = start_live();
    choose_reason(app, 1);
    press(app, 's');
    cr_expect(asks(app, NEWS_DECISION));
    refuse(app, 422, ERROR_UNPROCESSABLE, booking("a", 180, BOOKING_PENDING));
    expect_notice(app, "The server did not take the reason text (26 letters): the server's "
                       "sentence   e Edit   Esc Keep waiting   (422)");
    press(app, 'e');
    cr_assert_eq(app->mode, MODE_TYPING);
    cr_expect_str_eq(buf_text(&app->typed), conf_default()->reasons[0]);
    press(app, KEY_CODE_BACKSPACE);
    press(app, KEY_CODE_ENTER);
    expect_state(app, "a", "REJECT 10s");
    press(app, 's');
    struct news *request AUTO(news_release) = asked(app, NEWS_DECISION);
    cr_expect_str_eq(request->reason, "Not available at this tim");
    refuse(app, 422, ERROR_UNPROCESSABLE, booking("a", 180, BOOKING_PENDING));
    press(app, KEY_CODE_ESCAPE);
    expect_state(app, "a", "wait  3m");
    pass(app, 1000);
    press(app, 'e');
    cr_expect_eq(app->mode, MODE_NONE);
}

Test(answers, tries_again_with_the_same_key_when_the_server_is_busy_or_silent)
{
    static const struct {
        int status;
        enum error_kind kind;
        const char *words;
    } cases[] = {{503, ERROR_UNAVAILABLE,
                  "Server busy. Trying again in 1 s (2 of 6). Not sent yet.   (503)"},
                 {429, ERROR_BUSY, "Not sent yet.   (429)"},
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

/* Lets the retry come and answers it in the same way. */
static void fail_again(struct app *app, int status)
{
    pass(app, 31000);
    cr_assert(asks(app, NEWS_DECISION));
    answer(app, "a", status, ERROR_UNAVAILABLE);
}

Test(answers, a_server_that_stays_busy_gets_six_tries_then_the_answer_waits_for_the_person)
{
    struct app *app AUTO(app_release) = start_live();
    app_key(app, 'a');
    struct buf key AUTO(buf_release) = {0};
    buf_text_append(&key, row_of(app, "a")->answer->key);
    app_key(app, 's');
    cr_assert(asks(app, NEWS_DECISION));
    answer(app, "a", 503, ERROR_UNAVAILABLE);
    for (int tries = 2; tries <= TRIES_MAX; tries++) {
        expect_state(app, "a", "retrying");
        fail_again(app, 503);
    }
    expect_state(app, "a", "NOT DONE");
    expect_notice(app, "NOT DONE. The server was busy 6 times. It is kept.   s Send now   u Undo   "
                       "(503)");
    pass(app, 120000);
    cr_expect_not(asks(app, NEWS_DECISION));
    app_key(app, 's');
    struct news *request AUTO(news_release) = asked(app, NEWS_DECISION);
    cr_expect_str_eq(request->key, buf_text(&key));
    answer(app, "a", 503, ERROR_UNAVAILABLE);
    expect_notice(app, "(2 of 6)");
}

Test(answers, what_may_have_been_done_is_asked_about_for_as_long_as_it_takes)
{
    struct app *app AUTO(app_release) = start_live();
    app_key(app, 'a');
    app_key(app, 's');
    cr_assert(asks(app, NEWS_DECISION));
    answer(app, "a", 0, ERROR_UNAVAILABLE);
    for (int i = 0; i < 10; i++)
        fail_again(app, i % 2 ? 503 : 0);
    expect_state(app, "a", "retrying");
    app_key(app, 'u');
    expect_notice(app, "cannot be taken back");
}

Test(answers, what_somebody_else_has_done_alike_is_not_called_a_failure)
{
    for (int staged = 0; staged < 2; staged++) {
        struct app *app AUTO(app_release) = start_live();
        app_key(app, 'a');
        if (!staged)
            app_key(app, 's');
        cr_expect_eq(asks(app, NEWS_DECISION), !staged);
        struct record *told = decided("a", BOOKING_CONFIRMED, "front desk");
        if (!staged) {
            refuse(app, 409, ERROR_CONFLICT, told);
        } else {
            struct news *news = news_new(NEWS_CHANGED, "a");
            news_add(news, told);
            tell(app, news);
        }
        expect_notice(app, staged ? "Already ACCEPTED on \"front desk\" at 08:41. Nothing to do."
                                  : "at 08:41. Nothing to do.   (409)");
        expect_state(app, "a", "delivered");
        cr_expect_eq(last_step(app)->kind, STEP_DONE_ALREADY);
        pass(app, 20000);
        cr_expect_not(asks(app, NEWS_DECISION));
    }
}

Test(answers, a_cancellation_ends_a_staged_answer_unsent)
{
    struct app *app AUTO(app_release) = start_live();
    app_key(app, 'a');
    struct news *news = news_new(NEWS_CHANGED, NULL);
    news_add(news, decided("a", BOOKING_CANCELLED, "user"));
    tell(app, news);
    expect_state(app, "a", "NOT DONE");
    expect_notice(app, "NOT DONE. The client cancelled at 08:41. Nothing was booked.");
    pass(app, 20000);
    cr_expect_not(asks(app, NEWS_DECISION));
}

Test(answers, a_request_that_vanished_without_an_answer_is_said)
{
    struct app *app AUTO(app_release) = start_live();
    struct news *gone = news_new(NEWS_BOOKING, "b");
    (void)error_set(&gone->error, ERROR_NOT_FOUND, "no");
    tell(app, gone);
    expect_notice(app, "b, Tomorrow ");
    expect_notice(app, "no longer exists.");
    cr_expect_not(row_of(app, "b")->listed);
}

/* --- without a connection --- */

Test(answers, an_answer_given_without_a_connection_never_says_that_it_will_be_sent)
{
    struct app *app AUTO(app_release) = start_live();
    lose(app, ERROR_UNAVAILABLE);
    app_key(app, 'a');
    expect_state(app, "a", "ACCEPT kept");
    expect_message(app, "a: ACCEPT is kept, not sent.");
    pass(app, 20000);
    cr_expect_not(asks(app, NEWS_DECISION));
}

Test(answers, what_an_outage_kept_goes_out_only_when_the_person_says_so)
{
    struct app *app AUTO(app_release) = start_live();
    app_key(app, 'a');
    app_key(app, 'j');
    press(app, 'a');
    lose(app, ERROR_UNAVAILABLE);
    expect_message(app, "OFFLINE since 08:42:00. This is the list as it was then.");
    app_key(app, 's');
    expect_notice(app, "nothing was sent");
    pass(app, 42000);
    expect_tag(app, "[OFFLINE 00:42]");
    pass(app, 78000);
    tell(app, news_new(NEWS_CONNECTED, NULL)); /* not resumed: the list is read anew */
    pass(app, 15000);
    app_key(app, 's');
    cr_expect_not(asks(app, NEWS_DECISION), "not before it is read");
    struct news *list = news_new(NEWS_LIST, NULL);
    news_add(list, booking("d", 20, BOOKING_PENDING));
    news_add(list, booking("b", 120, BOOKING_PENDING));
    news_add(list, booking("a", 180, BOOKING_PENDING));
    tell(app, list);
    struct news *gone = news_new(NEWS_BOOKING, "c");
    (void)error_set(&gone->error, ERROR_NOT_FOUND, "no");
    tell(app, gone);
    expect_message(app, "Back after 2 min. 1 new, 1 gone. 2 kept answers.   s Send   u Undo");
    pass(app, 60000);
    cr_expect_not(asks(app, NEWS_DECISION));
    expect_state(app, "a", "ACCEPT kept");
    app_key(app, 's');
    expect_state(app, "a", "sending");
    expect_state(app, "b", "sending");
    struct buf text AUTO(buf_release) = {0};
    view_message(app, &text);
    cr_expect_not(strstr(buf_text(&text), "Back after"), "%s", buf_text(&text));
}

Test(answers, what_was_sent_into_an_outage_is_asked_about_by_itself)
{
    struct app *app AUTO(app_release) = start_live();
    app_key(app, 'a');
    app_key(app, 's');
    cr_assert(asks(app, NEWS_DECISION));
    answer(app, "a", 0, ERROR_UNAVAILABLE);
    lose(app, ERROR_UNAVAILABLE);
    pass(app, 60000);
    cr_expect_not(asks(app, NEWS_DECISION));
    resume(app);
    expect_message(app, "Back after 1 min. 0 new, 0 gone.");
    cr_expect(asks(app, NEWS_DECISION));
    answer(app, "a", 401, ERROR_UNAUTHORISED); /* and nobody knows yet whether it was done */
    app_key(app, 'u');
    expect_state(app, "a", "ACCEPT kept");
    struct news *in = news_new(NEWS_SIGN_IN, NULL);
    in->status = 200;
    tell(app, in);
    cr_expect(asks(app, NEWS_DECISION));
}
