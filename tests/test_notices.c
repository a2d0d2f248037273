/* Notices as rows: who is told what, what supersedes what, how a try ends. */
#include "notices.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "notice_fixture.h"

enum {
    MAIL = 1U << CHANNEL_MAIL,
    WEBHOOK = 1U << CHANNEL_WEBHOOK,
    SMS = 1U << CHANNEL_SMS,
    ALL = MAIL | WEBHOOK | SMS
};

static void expect_list(struct notice_bench *bench, enum notice_state state, const char *expected)
{
    char list[512];
    notice_bench_list(bench, state, list);
    cr_expect_str_eq(list, expected, "%s: %s", notice_state_name(state), list);
}

Test(notices, nobody_is_told_without_a_channel)
{
    struct notice_bench bench;
    notice_bench_open(&bench, 0);
    notice_bench_book(&bench);
    notice_bench_hear(&bench, EVENT_BOOKING_CONFIRMED);
    notice_bench_cancel(&bench, NULL);
    cr_expect_eq(notice_bench_number(&bench, "SELECT count(*) FROM notices"), 0);
    notice_bench_close(&bench);
}

/* The provider's phone is not known. */
Test(notices, each_state_is_told_to_whom_it_concerns)
{
    static const struct {
        unsigned channels;
        enum event_type type; /* after the request; CREATED: nothing */
        const char *waiting;
    } cases[] = {
        {ALL, EVENT_BOOKING_CREATED, "pending_provider_mail pending_endpoint_webhook"},
        {ALL, EVENT_BOOKING_CONFIRMED,
         "confirmed_user_mail confirmed_user_sms confirmed_endpoint_webhook"},
        {ALL, EVENT_BOOKING_REJECTED,
         "rejected_user_mail rejected_user_sms rejected_endpoint_webhook"},
        {ALL, EVENT_BOOKING_CANCELLED,
         "cancelled_user_mail cancelled_user_sms cancelled_provider_mail"
         " cancelled_endpoint_webhook"},
        {MAIL, EVENT_BOOKING_CONFIRMED, "confirmed_user_mail"},
        {SMS, EVENT_BOOKING_CREATED, ""},
        {WEBHOOK, EVENT_BOOKING_CANCELLED, "cancelled_endpoint_webhook"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct notice_bench bench;
        notice_bench_open(&bench, cases[i].channels);
        notice_bench_book(&bench);
        if (cases[i].type != EVENT_BOOKING_CREATED)
            notice_bench_hear(&bench, cases[i].type);
        expect_list(&bench, NOTICE_WAITING, cases[i].waiting);
        notice_bench_close(&bench);
    }
}

Test(notices, who_has_no_address_is_not_told)
{
    struct notice_bench bench;
    notice_bench_open(&bench, ALL);
    notice_bench_put_user(&bench, "", "");
    notice_bench_book(&bench);
    notice_bench_hear(&bench, EVENT_BOOKING_CONFIRMED);
    expect_list(&bench, NOTICE_WAITING, "confirmed_endpoint_webhook");
    notice_bench_close(&bench);
}

Test(notices, a_state_that_is_said_twice_is_told_once)
{
    struct notice_bench bench;
    notice_bench_open(&bench, MAIL);
    notice_bench_book(&bench);
    notice_bench_hear(&bench, EVENT_BOOKING_CONFIRMED);
    notice_bench_hear(&bench, EVENT_BOOKING_CONFIRMED);
    expect_list(&bench, NOTICE_WAITING, "confirmed_user_mail");
    notice_bench_close(&bench);
}

Test(notices, a_newer_state_supersedes_what_is_not_sent_of_an_older_one)
{
    struct notice_bench bench;
    notice_bench_open(&bench, MAIL | WEBHOOK);
    notice_bench_book(&bench);
    notice_bench_hear(&bench, EVENT_BOOKING_CONFIRMED);
    notice_bench_cancel(&bench, NULL);
    expect_list(&bench, NOTICE_SUPERSEDED,
                "pending_provider_mail pending_endpoint_webhook confirmed_user_mail"
                " confirmed_endpoint_webhook");
    expect_list(&bench, NOTICE_WAITING,
                "cancelled_user_mail cancelled_provider_mail cancelled_endpoint_webhook");
    notice_bench_close(&bench);
}

Test(notices, a_booking_does_not_supersede_those_of_another)
{
    struct notice_bench bench;
    notice_bench_open(&bench, MAIL);
    notice_bench_book(&bench);
    notice_bench_book(&bench);
    notice_bench_cancel(&bench, NULL);
    cr_expect_eq(notice_bench_number(&bench, "SELECT count(*) FROM notices WHERE state = 0"), 3);
    notice_bench_close(&bench);
}

/* --- tries --- */

/* The newest notice of the bench's booking that waits for this channel. */
static struct notice waiting(struct notice_bench *bench, enum notice_channel channel)
{
    struct notice notice[1];
    struct error error = {0};
    size_t count = 0;
    cr_assert(notices_load(bench->reader, channel, notice, 1, &count, &error) && count == 1, "%s",
              error.text);
    return notice[0];
}

struct attempt {
    struct notice notice;
    struct letter letter;
    bool begun;
    struct notice_end end;
};
static struct attempt attempt; /* of the test that runs; each has a process of its own */

static bool begin(struct notice_bench *bench, struct db *db, struct error *error)
{
    return notice_begin(db, &attempt.notice, bench->wall_ms, &attempt.letter, &attempt.begun,
                        error);
}

static bool finish(struct notice_bench *bench, struct db *db, struct error *error)
{
    attempt.end.now_ms = bench->wall_ms;
    return notice_finish(db, &attempt.notice, &attempt.end, error);
}

static void do_well(struct notice_bench *bench,
                    bool (*apply)(struct notice_bench *, struct db *, struct error *))
{
    struct error error = {0};
    cr_assert(notice_bench_do(bench, apply, &error), "%s", error.text);
}

static void begin_waiting(struct notice_bench *bench)
{
    attempt.notice = waiting(bench, CHANNEL_MAIL);
    do_well(bench, begin);
}

static void end_with(struct notice_bench *bench, enum notice_state state, bool untaken,
                     const char *reason)
{
    attempt.end = (struct notice_end){
        .state = state, .untaken = untaken, .due_ms = bench->wall_ms + 5000, .reason = reason};
    do_well(bench, finish);
}

static int64_t trail(struct notice_bench *bench, const char *sql)
{
    return notice_bench_number(bench, sql);
}

Test(notices, a_try_carries_what_is_to_be_said)
{
    struct notice_bench bench;
    notice_bench_open(&bench, MAIL);
    notice_bench_book(&bench);
    notice_bench_hear(&bench, EVENT_BOOKING_REJECTED);
    begin_waiting(&bench);
    cr_assert(attempt.begun);
    cr_expect_str_eq(attempt.letter.user.email, "zoe@example.org");
    cr_expect_str_eq(attempt.letter.provider.name, "Salon");
    cr_expect_str_eq(attempt.letter.booking.id, bench.booking_id);
    cr_expect_str_eq(attempt.letter.notice.actor, "provider");
    cr_expect_not(attempt.letter.invited);
    notice_bench_close(&bench);
}

Test(notices, what_was_superseded_is_not_begun)
{
    struct notice_bench bench;
    notice_bench_open(&bench, MAIL);
    notice_bench_book(&bench);
    attempt.notice = waiting(&bench, CHANNEL_MAIL);
    notice_bench_cancel(&bench, NULL);
    do_well(&bench, begin);
    cr_expect_not(attempt.begun);
    cr_expect_eq(trail(&bench, "SELECT sum(attempts + doubts) FROM notices"), 0);
    notice_bench_close(&bench);
}

Test(notices, what_was_sent_is_sent_even_if_superseded_meanwhile)
{
    struct notice_bench bench;
    notice_bench_open(&bench, MAIL);
    notice_bench_book(&bench);
    notice_bench_hear(&bench, EVENT_BOOKING_CONFIRMED);
    begin_waiting(&bench);
    notice_bench_cancel(&bench, NULL);
    end_with(&bench, NOTICE_SENT, false, "");
    expect_list(&bench, NOTICE_SENT, "confirmed_user_mail");
    cr_expect_eq(trail(&bench, "SELECT count(*) FROM audit WHERE event = 'NOTICE_SENT' AND"
                               " reason = 'mail to user, confirmed' AND actor = 'system'"),
                 1);
    notice_bench_close(&bench);
}

Test(notices, a_superseded_one_that_failed_is_not_tried_again)
{
    struct notice_bench bench;
    notice_bench_open(&bench, MAIL);
    notice_bench_book(&bench);
    begin_waiting(&bench);
    notice_bench_hear(&bench, EVENT_BOOKING_CONFIRMED);
    end_with(&bench, NOTICE_WAITING, true, "down");
    expect_list(&bench, NOTICE_SUPERSEDED, "pending_provider_mail");
    cr_expect_eq(trail(&bench, "SELECT count(*) FROM audit WHERE event LIKE 'NOTICE%'"), 0);
    notice_bench_close(&bench);
}

Test(notices, the_history_shows_the_first_failure_and_the_end)
{
    struct notice_bench bench;
    notice_bench_open(&bench, MAIL);
    notice_bench_book(&bench);
    for (int i = 0; i < 3; i++) {
        begin_waiting(&bench);
        end_with(&bench, NOTICE_WAITING, true, "no answer");
    }
    begin_waiting(&bench);
    end_with(&bench, NOTICE_GIVEN_UP, true, "no answer");
    expect_list(&bench, NOTICE_GIVEN_UP, "pending_provider_mail");
    cr_expect_eq(trail(&bench, "SELECT count(*) FROM audit WHERE event = 'NOTICE_FAILED' AND"
                               " reason = 'mail to provider, pending: no answer'"),
                 1);
    cr_expect_eq(trail(&bench, "SELECT count(*) FROM audit WHERE event = 'NOTICE_GIVEN_UP'"), 1);
    cr_expect_eq(trail(&bench, "SELECT attempts FROM notices"), 4);
    notice_bench_close(&bench);
}

Test(notices, after_a_day_it_is_given_up_without_a_try)
{
    struct notice_bench bench;
    notice_bench_open(&bench, MAIL);
    notice_bench_book(&bench);
    notice_bench_pass(&bench, NOTICE_KEEP_TRYING_MS);
    begin_waiting(&bench);
    cr_expect_not(attempt.begun);
    expect_list(&bench, NOTICE_GIVEN_UP, "pending_provider_mail");
    cr_expect_eq(trail(&bench, "SELECT count(*) FROM audit WHERE event = 'NOTICE_GIVEN_UP'"), 1);
    notice_bench_close(&bench);
}

/* What was (or may have been) invited is to be taken back. */
Test(notices, a_cancel_knows_whether_there_may_be_an_invitation)
{
    static const struct {
        const char *name;
        bool begun;
        bool ended;
        enum notice_state state;
        bool untaken;
        bool invited;
    } cases[] = {
        {"never tried", false, false, NOTICE_WAITING, false, false},
        {"sent", true, true, NOTICE_SENT, false, true},
        {"certainly not taken", true, true, NOTICE_WAITING, true, false},
        {"nobody knows", true, true, NOTICE_WAITING, false, true},
        {"crashed meanwhile", true, false, NOTICE_WAITING, false, true},
        {"refused for good", true, true, NOTICE_GIVEN_UP, true, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct notice_bench bench;
        notice_bench_open(&bench, MAIL);
        notice_bench_book(&bench);
        notice_bench_hear(&bench, EVENT_BOOKING_CONFIRMED);
        if (cases[i].begun)
            begin_waiting(&bench);
        if (cases[i].ended)
            end_with(&bench, cases[i].state, cases[i].untaken, "");
        notice_bench_cancel(&bench, NULL);
        begin_waiting(&bench);
        cr_expect_eq(attempt.letter.invited, cases[i].invited, "%s", cases[i].name);
        notice_bench_close(&bench);
    }
}

/* --- replay --- */

static const char *replayed_id;
static int64_t replayed;

static bool replay(struct notice_bench *bench, struct db *db, struct error *error)
{
    return notices_replay(db, replayed_id, bench->wall_ms, &replayed, error);
}

Test(notices, only_what_is_true_today_is_told_again)
{
    struct notice_bench bench;
    struct error error = {0};
    char old[ID_SIZE + 32];
    notice_bench_open(&bench, MAIL);
    notice_bench_book(&bench);
    notice_bench_hear(&bench, EVENT_BOOKING_CONFIRMED);
    begin_waiting(&bench);
    end_with(&bench, NOTICE_SENT, false, "");
    replayed_id = bench.booking_id;
    cr_assert(notice_bench_do(&bench, replay, &error), "%s", error.text);
    cr_expect_eq(replayed, 1);
    expect_list(&bench, NOTICE_WAITING, "confirmed_user_mail");
    notice_bench_cancel(&bench, NULL);
    (void)snprintf(old, sizeof old, "%s_confirmed_user_mail", bench.booking_id);
    replayed_id = old;
    cr_expect_not(notice_bench_do(&bench, replay, &error));
    cr_expect_eq(error.kind, ERROR_CONFLICT, "%s", error.text);
    replayed_id = "nobody";
    error = (struct error){0};
    cr_expect_not(notice_bench_do(&bench, replay, &error));
    cr_expect_eq(error.kind, ERROR_NOT_FOUND);
    begin_waiting(&bench);
    cr_expect(attempt.letter.invited, "it was sent once, whatever was waiting since");
    notice_bench_close(&bench);
}

Test(notices, they_are_listed_newest_first_as_asked_for)
{
    static const struct {
        bool of_booking, waiting, behind_last;
        size_t limit, count;
    } cases[] = {
        {false, false, false, 9, 4}, {false, true, false, 9, 3},  {true, false, false, 9, 3},
        {true, true, false, 9, 2},   {false, false, false, 2, 2}, {false, false, true, 9, 3},
    };
    struct notice_bench bench;
    notice_bench_open(&bench, MAIL);
    notice_bench_book(&bench);
    notice_bench_book(&bench);
    notice_bench_cancel(&bench, NULL); /* tells the user and the provider, and supersedes one */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct notice notices[9];
        struct error error = {0};
        size_t count = 0;
        const struct notice_filter filter = {.booking_id =
                                                 cases[i].of_booking ? bench.booking_id : NULL,
                                             .waiting = cases[i].waiting,
                                             .before = cases[i].behind_last ? 4 : 0,
                                             .limit = cases[i].limit};
        cr_assert(notices_list(bench.reader, &filter, notices, &count, &error), "%s", error.text);
        cr_expect_eq(count, cases[i].count, "case %zu: %zu", i, count);
        for (size_t j = 1; j < count; j++)
            cr_expect_lt(notices[j].sequence, notices[j - 1].sequence, "case %zu", i);
    }
    notice_bench_close(&bench);
}

Test(notices, pressure_counts_what_waits)
{
    struct notice_bench bench;
    struct notice_pressure pressure = {0};
    struct error error = {0};
    notice_bench_open(&bench, MAIL);
    cr_assert(notice_pressure(bench.reader, &pressure, &error));
    cr_expect_eq(pressure.waiting, 0);
    cr_expect_eq(pressure.oldest_ms, 0);
    notice_bench_book(&bench);
    notice_bench_pass(&bench, 1000);
    notice_bench_book(&bench);
    cr_assert(notice_pressure(bench.reader, &pressure, &error));
    cr_expect_eq(pressure.waiting, 2);
    cr_expect_eq(pressure.oldest_ms, BENCH_NOW_MS);
    notice_bench_close(&bench);
}

/* A store of the version before has no such tables. */
Test(notices, a_store_of_the_version_before_is_taken_along)
{
    char folder[] = "/tmp/bookflow-upgrade-XXXXXX";
    char path[64];
    char command[64];
    struct error error = {0};
    cr_assert(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/intake.db", folder);
    struct db_schema before = *intake_schema();
    before.count = 1;
    struct db *db = db_open(path, DB_WRITE, &before, &error);
    cr_assert(db, "%s", error.text);
    cr_assert(
        db_run(db,
               "INSERT INTO bookings (id, user_id, provider_id, slot, slot_id, start_s, end_s,"
               " status, created_s) VALUES ('b-1', 'u-1', 'p-1', 1, 's-1', 1, 2, 0, 1)",
               BIND_NOTHING, &error));
    db_close(db);
    db = db_open(path, DB_WRITE, intake_schema(), &error);
    cr_assert(db, "%s", error.text);
    struct booking booking = {0};
    bool found = false;
    cr_assert(notice_channels_set(db, WEBHOOK, &error), "%s", error.text);
    cr_assert(intake_booking_find(db, "b-1", &booking, &found, &error) && found);
    const struct notice_cause cause = {&booking, "user", "", 1000};
    cr_assert(notices_add(db, &cause, &error), "%s", error.text);
    struct notice notices[1];
    size_t count = 0;
    cr_assert(notices_load(db, CHANNEL_WEBHOOK, notices, 1, &count, &error));
    cr_expect_eq(count, 1);
    db_close(db);
    (void)snprintf(command, sizeof command, "rm -rf %s", folder);
    cr_assert(system(command) == 0);
}
