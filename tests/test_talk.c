/* The console in lines: what is said, and whom a line means. */
#include "talk.h"

#include <criterion/criterion.h>
#include <string.h>

#include "app_fixture.h"

/* Every day is known at once: the worker has nothing else. */
static void tell_days(struct talk *talk)
{
    struct app *app = talk->app;
    (void)app_tick(app);
    for (struct news *day = NULL; (day = asked(app, NEWS_DAY));)
        tell(app, day);
    talk_hear(talk);
}

static void begin(struct talk *talk, struct app *app)
{
    talk_begin(talk, app);
    talk_hear(talk);
    tell_days(talk);
}

static void type(struct talk *talk, const char *line)
{
    buf_clear(&talk->out);
    talk_line(talk, line);
    tell_days(talk);
}

static void expect(const struct talk *talk, const char *words)
{
    cr_expect(strstr(buf_text(&talk->out), words), "\"%s\" is not said: %s", words,
              buf_text(&talk->out));
}

static void expect_not(const struct talk *talk, const char *words)
{
    cr_expect_not(strstr(buf_text(&talk->out), words), "\"%s\" is said: %s", words,
                  buf_text(&talk->out));
}

static const char *answer_of(const struct talk *talk, const char *id)
{
    const struct row *row = row_of(talk->app, id);
    return row->answer ? row_verb(row) : "none";
}

Test(talk, it_says_who_waits_with_numbers)
{
    struct app *app AUTO(app_release) = start_live();
    struct talk talk AUTO(talk_release);
    begin(&talk, app);
    expect(&talk, "LIVE, 3 waiting.");
    expect(&talk, "\n1: a, Tomorrow ");
    expect(&talk, "waits 3 min.\n2: b");
    expect(&talk, "\n3: c");
}

Test(talk, a_number_stays_its_own)
{
    struct app *app AUTO(app_release) = start_live();
    struct talk talk AUTO(talk_release);
    begin(&talk, app);
    arrive(app, "older", 600, BOOKING_PENDING); /* comes before all in the list */
    arrive(app, "a", 180, BOOKING_CANCELLED);
    buf_clear(&talk.out);
    talk_hear(&talk);
    expect(&talk, "A new request.\n4: older");
    type(&talk, "accept 2");
    cr_expect_str_eq(answer_of(&talk, "b"), "ACCEPT");
    expect(&talk,
           "b: ACCEPT will be sent in 10 seconds. Type u within 10 seconds to take it back.");
    type(&talk, "list");
    expect(&talk, "4: older");
    expect(&talk, "3: c");
}

Test(talk, what_waits_no_more_is_not_answered)
{
    struct app *app AUTO(app_release) = start_live();
    struct talk talk AUTO(talk_release);
    begin(&talk, app);
    type(&talk, "2");
    arrive(app, "c", 60, BOOKING_CANCELLED);
    type(&talk, "accept 3");
    expect(&talk, "3: c, ");
    expect(&talk, "cancelled");
    cr_expect_eq(app->active_count, 0);
    type(&talk, "accept 4");
    expect(&talk, "There is no request 4.");
    type(&talk, "accept 0");
    type(&talk, "accept 2x");
    type(&talk, "accept -1");
    type(&talk, "accept 1 2");
    cr_expect_eq(app->active_count, 0);
}

Test(talk, without_a_number_it_is_the_one_that_was_talked_about)
{
    struct app *app AUTO(app_release) = start_live();
    struct talk talk AUTO(talk_release);
    begin(&talk, app);
    type(&talk, "accept");
    expect(&talk, "Which one?");
    type(&talk, "3");
    expect(&talk, "\nType accept or reject.");
    type(&talk, "a");
    cr_expect_str_eq(answer_of(&talk, "c"), "ACCEPT");
    type(&talk, "u");
    expect(&talk, "c: ACCEPT taken back");
    cr_expect_eq(app->active_count, 0);
}

Test(talk, a_sentence_is_said_once)
{
    struct app *app AUTO(app_release) = start_live();
    struct talk talk AUTO(talk_release);
    begin(&talk, app);
    type(&talk, "accept 1");
    type(&talk, "undo");
    arrive(app, "d", 10, BOOKING_PENDING);
    talk_hear(&talk);
    type(&talk, "reject 1");
    buf_clear(&talk.out);
    pass(app, 2000);
    talk_hear(&talk);
    cr_expect_eq(talk.out.length, 0, "%s", buf_text(&talk.out));
}

Test(talk, undo_means_the_answer_that_was_talked_about)
{
    struct app *app AUTO(app_release) = start_live();
    struct talk talk AUTO(talk_release);
    begin(&talk, app);
    type(&talk, "accept 1");
    type(&talk, "accept 2");
    type(&talk, "3");
    type(&talk, "undo");
    expect(&talk, "b: ACCEPT taken back");
    type(&talk, "send 1");
    expect(&talk, "Sending.");
    cr_expect(row_is_sending(row_of(app, "a")));
}

Test(talk, a_reject_asks_for_a_reason_by_number)
{
    struct app *app AUTO(app_release) = start_live();
    struct talk talk AUTO(talk_release);
    begin(&talk, app);
    type(&talk, "reject 1");
    expect(&talk, "Reject a?\n0: Go back, nothing happens.\n1: ");
    expect(&talk, "Type a number.");
    type(&talk, "9");
    expect(&talk, "That is none of them.");
    type(&talk, "accept 2");
    expect(&talk, "That is none of them.");
    type(&talk, "");
    expect(&talk, "Nothing happened.");
    cr_expect_eq(app->active_count, 0);
    type(&talk, "reject 1");
    type(&talk, "2");
    cr_expect_str_eq(row_of(app, "a")->answer->reason, conf_default()->reasons[1]);
    type(&talk, "reject 2");
    type(&talk, "6");
    expect(&talk, "Type the reason.");
    type(&talk, "not on 7 \xe5\xb1\xb1");
    cr_expect_str_eq(row_of(app, "b")->answer->reason, "not on 7 \xe5\xb1\xb1");
    type(&talk, "reject 3");
    type(&talk, "6");
    type(&talk, "");
    expect(&talk, "nothing was rejected");
    cr_expect_str_eq(answer_of(&talk, "c"), "none");
}

Test(talk, an_overlap_is_asked_about_once_its_day_is_known)
{
    struct app *app AUTO(app_release) = start_live();
    struct talk talk AUTO(talk_release);
    talk_begin(&talk, app);
    talk_hear(&talk);
    talk_line(&talk, "accept 1");
    cr_expect_eq(app->active_count, 0, "the day is not known yet");
    cr_expect(talk_is_busy(&talk));
    (void)app_tick(app);
    struct news *day = asked(app, NEWS_DAY);
    cr_assert(day);
    struct record *booked = booking("taken", 180, BOOKING_CONFIRMED);
    news_add(day, booked);
    tell(app, day);
    buf_clear(&talk.out);
    talk_hear(&talk);
    expect(&talk, "Accept a?");
    expect(&talk, "Overlaps ");
    expect(&talk, "0: Go back");
    type(&talk, "0");
    cr_expect_eq(app->active_count, 0);
    type(&talk, "accept 1");
    type(&talk, "1");
    cr_expect_str_eq(answer_of(&talk, "a"), "ACCEPT");
}

Test(talk, several_are_marked_and_asked_about)
{
    struct app *app AUTO(app_release) = start_live();
    struct talk talk AUTO(talk_release);
    begin(&talk, app);
    type(&talk, "mark 1");
    type(&talk, "mark 3");
    expect(&talk, "2 marked.");
    type(&talk, "accept 2");
    expect(&talk, "2 are marked");
    cr_expect_eq(app->mode, MODE_NONE);
    type(&talk, "accept");
    expect(&talk, "Accept 2 requests?");
    type(&talk, "1");
    expect(&talk, "2 answers will be sent in 10 seconds.");
    cr_expect_str_eq(answer_of(&talk, "b"), "none");
    type(&talk, "u");
    expect(&talk, "2 answers taken back.");
}

Test(talk, an_answer_is_said_when_it_is_in_the_journal)
{
    struct app *app AUTO(app_release) = start_with_journal(NULL);
    struct talk talk AUTO(talk_release);
    begin(&talk, app);
    buf_clear(&talk.out);
    talk_line(&talk, "accept 1");
    expect_not(&talk, "will be sent");
    cr_expect(talk_is_busy(&talk));
    keep(app, ERROR_NONE);
    talk_hear(&talk);
    expect(&talk, "a: ACCEPT will be sent in 10 seconds.");
    cr_expect_not(talk_is_busy(&talk));
}

Test(talk, a_lost_connection_and_its_return_are_said)
{
    struct app *app AUTO(app_release) = start_live();
    struct talk talk AUTO(talk_release);
    begin(&talk, app);
    type(&talk, "accept 1");
    lose(app, ERROR_UNAVAILABLE);
    buf_clear(&talk.out);
    talk_hear(&talk);
    expect(&talk, "OFFLINE");
    pass(app, 60 * 1000);
    buf_clear(&talk.out);
    talk_hear(&talk);
    cr_expect_eq(talk.out.length, 0, "once: %s", buf_text(&talk.out));
    resume(app);
    talk_hear(&talk);
    expect(&talk, "LIVE");
    expect(&talk, "a: ACCEPT kept, not sent. Type s to send, u to take back.");
}

Test(talk, names_cannot_act_on_a_terminal)
{
    struct app *app AUTO(app_release) = start_live();
    struct talk talk AUTO(talk_release);
    begin(&talk, app);
    struct news *news = news_new(NEWS_CHANGED, NULL);
    struct record *record = booking("evil", 10, BOOKING_PENDING);
    free(record->user_name);
    record->user_name = memory_text("\033]0;x\007Mal\xe2\x80\xae\n9: fake");
    news_add(news, record);
    tell(app, news);
    buf_clear(&talk.out);
    talk_hear(&talk);
    expect(&talk, "4: ]0;xMal 9: fake, Tomorrow");
    cr_expect_null(strpbrk(buf_text(&talk.out), "\033\007"));
    type(&talk, "\033[2J");
    cr_expect_null(strpbrk(buf_text(&talk.out), "\033"));
    type(&talk, "\xff\xfe");
    expect(&talk, "not text in UTF-8");
}

Test(talk, finding_hides_and_a_number_finds_again)
{
    struct app *app AUTO(app_release) = start_live();
    struct talk talk AUTO(talk_release);
    begin(&talk, app);
    type(&talk, "find b");
    expect(&talk, "2: b");
    expect_not(&talk, "1: a");
    type(&talk, "find nobody");
    expect(&talk, "No requests have that name.");
    type(&talk, "accept 3");
    cr_expect_str_eq(answer_of(&talk, "c"), "ACCEPT");
    type(&talk, "list");
    expect(&talk, "1: a");
}

Test(talk, more_goes_on_where_list_stopped)
{
    struct app *app AUTO(app_release) = start_live();
    struct talk talk AUTO(talk_release);
    for (int i = 0; i < 12; i++) {
        char id[] = "x00";
        id[1] = (char)('0' + i / 10);
        id[2] = (char)('0' + i % 10);
        arrive(app, id, 50 - i, BOOKING_PENDING);
    }
    begin(&talk, app);
    expect(&talk, "10: x06");
    expect(&talk, "5 more: type more.");
    type(&talk, "more");
    expect(&talk, "15: x11");
    expect_not(&talk, "10: x06");
}

Test(talk, leaving_with_an_answer_asks)
{
    struct app *app AUTO(app_release) = start_live();
    struct talk talk AUTO(talk_release);
    begin(&talk, app);
    type(&talk, "accept 1");
    type(&talk, "quit");
    expect(&talk, "0: Stay.");
    type(&talk, "0");
    cr_expect_not(app->done);
    type(&talk, "q");
    type(&talk, "2");
    cr_expect(app->done);
    cr_expect_eq(app->active_count, 0);
}

Test(talk, what_it_does_not_know_it_says)
{
    struct app *app AUTO(app_release) = start_live();
    struct talk talk AUTO(talk_release);
    begin(&talk, app);
    type(&talk, "  dance  ");
    expect(&talk, "\"dance\" means nothing here. Type help.");
    type(&talk, "menu");
    expect(&talk, "means nothing here");
    type(&talk, "");
    cr_expect_eq(talk.out.length, 0);
    type(&talk, "help");
    expect(&talk, "accept 3");
    type(&talk, "history");
    expect(&talk, "No answers yet.");
    type(&talk, "day 1");
    expect(&talk, "Tomorrow, ");
    expect(&talk, "asks a");
}
