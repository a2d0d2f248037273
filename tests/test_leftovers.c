/* The console's answers and the journal: kept before they are shown, left behind, looked after,
 * told as history. */
#include <criterion/criterion.h>
#include <string.h>

#include "app_fixture.h"
#include "view.h"

/* --- helpers --- */

static struct record *decided(const char *id, enum booking_status status, const char *by)
{
    struct record *record = booking(id, 180, status);
    record->decided_by = memory_text(by);
    record->decided_s = NOW_S - 60;
    return record;
}

static void answer_booking(struct app *app, struct record *record)
{
    struct news *news = news_new(NEWS_BOOKING, record->id);
    news_add(news, record);
    tell(app, news);
}

/* An answer that an earlier console has left. */
static struct history_entry *leave(struct history *history, const char *id, enum step_kind last)
{
    char key[8] = "key-";
    strcat(key, id); /* one letter */
    struct history_entry *entry =
        history_begin(history, &(struct history_entry){.key = key, .booking = id, .client = id});
    for (enum step_kind kind = STEP_STAGED; kind <= last; kind++)
        if (kind != STEP_UNDONE || last == STEP_UNDONE)
            history_add(entry, &(struct step){.at_s = NOW_S - 600, .kind = kind, .number = 1});
    return entry;
}

static void expect_restart(const struct app *app, const char *words)
{
    struct buf text AUTO(buf_release) = {0};
    view_restart_title(app, &text);
    view_restart(app, &text);
    cr_expect(strstr(buf_text(&text), words), "\"%s\" not in \"%s\"", words, buf_text(&text));
}

/* --- the journal --- */

Test(leftovers, an_answer_is_shown_as_staged_only_when_it_is_in_the_journal)
{
    struct app *app AUTO(app_release) = start_with_journal(NULL);
    press(app, 'a');
    expect_state(app, "a", "saving");
    pass(app, 5000);
    expect_state(app, "a", "saving");
    keep(app, ERROR_NONE);
    expect_state(app, "a", "ACCEPT 10s");
}

Test(leftovers, nothing_goes_out_before_the_journal_says_that_it_was_sent)
{
    struct app *app AUTO(app_release) = start_with_journal(NULL);
    press(app, 'a');
    press(app, 's'); /* too early: remembered */
    keep(app, ERROR_NONE);
    expect_state(app, "a", "sending");
    struct news *lines AUTO(news_release) = app_take_question(app);
    cr_assert_eq(lines->kind, NEWS_JOURNAL);
    cr_expect(strstr(buf_text(&lines->lines), "\"step\":\"sent\",\"try\":1"), "%s",
              buf_text(&lines->lines));
    cr_expect_not(asks(app, NEWS_DECISION));
    tell(app, news_new(NEWS_PIPELINE, NULL));
    struct news *written = news_new(NEWS_JOURNAL, NULL);
    written->number = lines->number;
    tell(app, written);
    cr_expect(asks(app, NEWS_DECISION));
}

Test(leftovers, one_answer_does_not_wait_for_the_lines_of_another)
{
    struct app *app AUTO(app_release) = start_with_journal(NULL);
    press(app, 'a');
    struct news *first = asked(app, NEWS_JOURNAL);
    press(app, 'j');
    press(app, 'a');
    struct news *second = asked(app, NEWS_JOURNAL);
    tell(app, first);
    expect_state(app, "a", "ACCEPT 10s");
    expect_state(app, "b", "saving");
    tell(app, second);
    expect_state(app, "b", "ACCEPT 10s");
}

Test(leftovers, leaving_waits_for_an_answer_that_is_still_being_kept)
{
    struct app *app AUTO(app_release) = start_with_journal(NULL);
    press(app, 'a');
    press(app, 'q');
    press(app, 's');
    pass(app, 2000);
    cr_expect(app->leaving);
    cr_expect_eq(app_count(app, row_is_staged), 0, "it is on its way");
    keep(app, ERROR_NONE); /* staged, and so sent */
    keep(app, ERROR_NONE);
    cr_expect(asks(app, NEWS_DECISION));
    answer(app, "a", 200, ERROR_NONE);
    cr_expect(app->done);
}

Test(leftovers, what_is_taken_back_while_it_is_being_kept_is_noted_too)
{
    struct app *app AUTO(app_release) = start_with_journal(NULL);
    press(app, 'a');
    press(app, 'u');
    expect_state(app, "a", "wait  3m");
    struct news *lines AUTO(news_release) = asked(app, NEWS_JOURNAL);
    const char *staged = strstr(buf_text(&lines->lines), "\"staged\"");
    cr_expect(staged && strstr(staged, "\"undone\""), "%s", buf_text(&lines->lines));
}

Test(leftovers, a_journal_that_fails_is_said_before_anything_goes_out)
{
    struct conf conf = *conf_default();
    conf.undo_seconds = 0; /* even then */
    struct app *app AUTO(app_release) = start_with(&conf);
    app_use_journal(app);
    tell(app, news_new(NEWS_CONNECTED, NULL));
    tell(app, news_new(NEWS_LIST, NULL));
    arrive(app, "a", 10, BOOKING_PENDING);
    app_stage(app, row_of(app, "a"), BOOKING_ACCEPT, NULL);
    keep(app, ERROR_UNAVAILABLE);
    expect_notice(app, "lost if this console dies. Journal: No space left on device.");
    expect_state(app, "a", "ACCEPT 10s");
    expect_message(app, "a: ACCEPT will be sent in 10 s, not kept");
    pass(app, 9999);
    expect_state(app, "a", "ACCEPT 1s");
    arrive(app, "b", 10, BOOKING_PENDING);
    app_stage(app, row_of(app, "b"), BOOKING_ACCEPT, NULL);
    keep(app, ERROR_NONE); /* there is room again, for what could not be written, too */
    expect_notice(app, "can be written again");
    cr_expect_not(row_of(app, "a")->answer->unkept);
    expect_state(app, "b", "sending");
}

Test(leftovers, what_an_earlier_console_did_not_send_waits_for_the_person)
{
    struct history *history = memory_new(1, sizeof *history);
    leave(history, "a", STEP_STAGED);
    leave(history, "b", STEP_STAGED);
    leave(history, "c", STEP_UNDONE); /* nothing is left of it */
    struct app *app AUTO(app_release) = start_with_journal(history);
    expect_message(app, "2 answers were not sent when the console closed.   Enter Check them");
    pass(app, 60000);
    cr_expect_not(asks(app, NEWS_DECISION));
    expect_state(app, "a", "ACCEPT kept");
    expect_state(app, "c", "wait  2m");
    press(app, KEY_CODE_ENTER);
    cr_assert_eq(app->mode, MODE_RESTART);
    expect_restart(app, " 2 answers were not sent when the console closed ");
    expect_restart(app, "ACCEPT a: still waits for an answer");
    press(app, 's');
    cr_expect_eq(app->mode, MODE_NONE);
    expect_state(app, "a", "sending");
    expect_state(app, "b", "sending");
    keep(app, ERROR_NONE);
    struct news *request AUTO(news_release) = asked(app, NEWS_DECISION);
    cr_expect_str_eq(request->key, "key-b", "the key is the one that it had");
}

Test(leftovers, what_was_not_sent_can_be_sent_without_asking_for_it)
{
    struct history *history = memory_new(1, sizeof *history);
    leave(history, "a", STEP_STAGED);
    struct app *app AUTO(app_release) = start_with_journal(history);
    press(app, 's');
    keep(app, ERROR_NONE);
    cr_expect(asks(app, NEWS_DECISION));
    answer(app, "a", 503, ERROR_UNAVAILABLE);
    struct buf text AUTO(buf_release) = {0};
    view_message(app, &text);
    cr_expect_not(strstr(buf_text(&text), "not sent when"), "this one was: %s", buf_text(&text));
}

Test(leftovers, what_was_not_sent_can_be_taken_back_or_left)
{
    for (int undo = 0; undo < 2; undo++) {
        struct history *history = memory_new(1, sizeof *history);
        leave(history, "a", STEP_STAGED);
        struct app *app AUTO(app_release) = start_with_journal(history);
        press(app, KEY_CODE_ENTER);
        press(app, undo ? 'u' : KEY_CODE_ENTER); /* the default: go back */
        cr_expect_eq(app->mode, MODE_NONE);
        expect_state(app, "a", undo ? "wait  3m" : "ACCEPT kept");
        struct buf text AUTO(buf_release) = {0};
        view_message(app, &text);
        cr_expect_eq(strstr(buf_text(&text), "1 kept answer.") != NULL, !undo);
        press(app, KEY_CODE_ENTER);
        cr_expect_eq(app->mode, MODE_MENU, "it was looked at");
    }
}

Test(leftovers, tells_what_has_become_of_bookings_that_were_not_answered)
{
    struct history *history = memory_new(1, sizeof *history);
    leave(history, "x", STEP_STAGED);
    leave(history, "y", STEP_STAGED);
    leave(history, "z", STEP_STAGED);
    struct app *app AUTO(app_release) = start_with_journal(history);
    cr_expect(asks(app, NEWS_BOOKING));
    expect_restart(app, "ACCEPT x: not known yet");
    struct record *cancelled = decided("x", BOOKING_CANCELLED, "user");
    answer_booking(app, cancelled);
    struct news *gone = news_new(NEWS_BOOKING, "y");
    (void)error_set(&gone->error, ERROR_NOT_FOUND, "no");
    tell(app, gone);
    expect_restart(app, "ACCEPT x: The client cancelled at 08:41.");
    expect_restart(app, "ACCEPT y: The request no longer exists.");
    press(app, KEY_CODE_ENTER);
    press(app, 'u'); /* z, which nobody has found yet */
    struct news *lines AUTO(news_release) = asked(app, NEWS_JOURNAL);
    cr_expect(strstr(buf_text(&lines->lines), "\"step\":\"undone\",\"key\":\"key-z\""), "%s",
              buf_text(&lines->lines));
    tell(app, news_new(NEWS_PIPELINE, NULL));
    answer_booking(app, booking("z", 10, BOOKING_PENDING));
    expect_state(app, "z", "wait  0m");
}

Test(leftovers, what_an_earlier_console_sent_is_looked_after_with_the_same_key)
{
    struct history *history = memory_new(1, sizeof *history);
    leave(history, "a", STEP_SENT);
    struct app *app AUTO(app_release) = start_with_journal(history);
    struct buf text AUTO(buf_release) = {0};
    view_message(app, &text);
    cr_expect_not(strstr(buf_text(&text), "not sent when"), "%s", buf_text(&text));
    keep(app, ERROR_NONE);
    struct news *request AUTO(news_release) = asked(app, NEWS_DECISION);
    cr_assert(request);
    cr_expect_str_eq(request->key, "key-a");
    answer(app, "a", 200, ERROR_NONE);
    expect_state(app, "a", "recorded");
}

Test(leftovers, what_was_answered_before_the_journal_was_read_is_no_leftover)
{
    struct history *history = memory_new(1, sizeof *history);
    struct app *app AUTO(app_release) = start_live();
    leave(history, "b", STEP_STAGED);
    app_use_journal(app);
    press(app, 'a');
    struct news *opened = news_new(NEWS_OPENED, NULL);
    opened->history = history;
    tell(app, opened);
    expect_message(app, "1 answer was not sent");
    cr_expect_eq(app->answers.history.count, 2);
    expect_state(app, "a", "saving");
}

Test(leftovers, another_console_on_this_computer_is_named)
{
    struct app *app AUTO(app_release) = start_live();
    app_use_journal(app);
    struct news *opened = news_new(NEWS_OPENED, NULL);
    opened->history = memory_new(1, sizeof *opened->history);
    leave(opened->history, "b", STEP_STAGED); /* the other console's, and it is at work */
    (void)error_set(&opened->error, ERROR_BUSY, "another console on this computer keeps it");
    tell(app, opened);
    expect_notice(app, "another console on this computer keeps it");
    expect_state(app, "b", "wait  2m");
    cr_expect_eq(app_unsent_leftovers(app), 0);
    press(app, 'a');
    keep(app, ERROR_BUSY);
    expect_message(app, "not kept");
    expect_state(app, "a", "ACCEPT 10s");
    pass(app, 10000);
    keep(app, ERROR_BUSY);
    cr_expect(asks(app, NEWS_DECISION), "it works all the same");
}

/* --- history --- */

Test(leftovers, history_tells_every_step_what_it_means_and_what_to_do)
{
    struct app *app AUTO(app_release) = start_live();
    app_stage(app, row_of(app, "a"), BOOKING_REJECT, "Not available at this time");
    press(app, 's');
    struct news *news = news_new(NEWS_DECISION, "a");
    news_add(news, decided("a", BOOKING_CANCELLED, "user"));
    news->status = 409;
    (void)error_set(&news->error, ERROR_CONFLICT, "the server's sentence");
    tell(app, news);
    const struct history_entry *entry = history_newest(&app->answers.history, 0);
    struct buf row AUTO(buf_release) = {0};
    struct buf text AUTO(buf_release) = {0};
    cr_expect_eq(view_history_row(app, entry, 80, &row), VIEW_BAD);
    cr_expect_str_eq(buf_text(&row), "> NOT DONE      Today 08:42      REJECT  a, Tomorrow 11:42");
    view_history_detail(app, entry, &text);
    static const char *const lines[] = {
        "a, Tomorrow 11:42: REJECT\n",
        "reason: Not available at this time\n",
        "If the request still waits, answer it again.\n",
        "Today, Tue 14 Oct\n08:42:00  staged\n",
        "08:42:00  sent POST reject, key ",
        ", try 1\n",
        "08:42:00  answer 409: the server's sentence\n",
        "08:42:00  not done: The client cancelled at 08:41. Nothing was booked."};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        cr_expect(strstr(buf_text(&text), lines[i]), "%s not in %s", lines[i], buf_text(&text));
}
