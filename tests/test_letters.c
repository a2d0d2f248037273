/* Dead letters in an operator's hands: on the embedded queue, with a clock of our own. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "letters.h"

/* --- the bench: one queue file, a session without configuration, a clock that stands --- */

struct bench {
    char folder[64];
    char file[96];
    char url[160];
    int64_t now_ms;
    struct world world;
    struct queue_session session;
    struct queue *dead;
};

static int64_t now_of(void *context)
{
    return ((struct bench *)context)->now_ms;
}

static void chance_of(void *context, void *bytes, size_t length)
{
    (void)context;
    world_real()->random(NULL, bytes, length);
}

static void bench_open(struct bench *bench)
{
    struct error error = {0};
    *bench =
        (struct bench){.folder = "/tmp/bookflow-letters-XXXXXX", .now_ms = INT64_C(1700000000000)};
    cr_assert_not_null(mkdtemp(bench->folder));
    (void)snprintf(bench->file, sizeof bench->file, "%s/queues.db", bench->folder);
    (void)snprintf(bench->url, sizeof bench->url, "sqlite:%s?queue=work", bench->file);
    bench->world = (struct world){now_of, now_of, chance_of, bench};
    bench->session.world = &bench->world;
    (void)fclose(fopen(bench->file, "w"));
    char url[192];
    (void)snprintf(url, sizeof url, "%s-dlq", bench->url);
    bench->dead = session_queue(&bench->session, url, &error);
    cr_assert_not_null(bench->dead, "%s", error.text);
}

static void bench_release(struct bench *bench)
{
    session_queue_release(&bench->dead);
    (void)unlink(bench->file);
    (void)rmdir(bench->folder);
}

static void put(struct bench *bench, const char *body, const struct queue_attribute *attributes)
{
    struct error error = {0};
    const struct queue_entry entry = {.body = body, .attributes = attributes};
    cr_assert(session_send(&bench->session, bench->dead, &entry, &error), "%s", error.text);
    bench->now_ms++;
}

static struct letters in_hand(struct bench *bench)
{
    struct error error = {0};
    struct letters letters = {.session = &bench->session, .queue = bench->dead};
    cr_assert(letters_receive(&letters, &error), "%s", error.text);
    return letters;
}

static int64_t visible(struct bench *bench)
{
    struct error error = {0};
    struct queue_report report = {0};
    cr_assert(session_report(&bench->session, bench->dead, &report, &error), "%s", error.text);
    const int64_t count = report.attributes.visible;
    queue_report_release(&report);
    return count;
}

/* --- the tests --- */

Test(letters, come_all_oldest_first_and_go_back)
{
    struct bench bench AUTO(bench_release);
    bench_open(&bench);
    for (int i = 0; i < 23; i++) {
        char body[8];
        (void)snprintf(body, sizeof body, "%d", i);
        put(&bench, body, NULL);
    }
    struct letters letters = in_hand(&bench);
    cr_assert_eq(letters.count, 23);
    for (size_t i = 0; i < letters.count; i++)
        cr_assert_eq(strtoul(letters.items[i]->body, NULL, 10), i);
    cr_assert_eq(letters_find(&letters, letters.items[7]->id), letters.items[7]);
    cr_assert_null(letters_find(&letters, "nobody"));
    cr_assert_eq(visible(&bench), 0);
    letters_release(&letters);
    cr_assert_eq(visible(&bench), 23);
}

Test(letters, are_held_for_as_long_as_it_takes)
{
    struct bench bench AUTO(bench_release);
    struct error error = {0};
    bench_open(&bench);
    for (int i = 0; i < 12; i++)
        put(&bench, "held", NULL);
    struct letters letters = in_hand(&bench);
    for (int second = 0; second < 600; second++) {
        bench.now_ms += 1000;
        cr_assert(letters_keep(&letters, &error), "%s", error.text);
        cr_assert_eq(visible(&bench), 0, "after %d s", second);
    }
    letters_release(&letters);
    cr_assert_eq(visible(&bench), 12);
}

Test(letters, that_were_deleted_do_not_come_back)
{
    struct bench bench AUTO(bench_release);
    struct error error = {0};
    bench_open(&bench);
    for (int i = 0; i < 3; i++)
        put(&bench, "x", NULL);
    struct letters letters = in_hand(&bench);
    cr_assert(letters_delete(&letters, letters.items[1], &error), "%s", error.text);
    letters_release(&letters);
    cr_assert_eq(visible(&bench), 2);
}

Test(letters, whose_lease_ran_out_are_known_again)
{
    struct bench bench AUTO(bench_release);
    struct error error = {0};
    bench_open(&bench);
    put(&bench, "slow", NULL);
    struct letters letters = in_hand(&bench);
    bench.now_ms += INT64_C(200000); /* nobody renewed */
    letters.renewed_ms = bench.now_ms;
    cr_assert(letters_receive(&letters, &error), "%s", error.text);
    cr_assert_eq(letters.count, 1, "the same letter, with its newer receipt");
    letters_release(&letters);
    cr_assert_eq(visible(&bench), 1);
}

Test(letters, say_what_they_are_about_by_attribute_or_body)
{
    static const struct queue_attribute marked[] = {{"EventType", "BOOKING_CREATED"},
                                                    {"BookingId", "b-1"},
                                                    {"ProviderId", "p-1"},
                                                    {"DeadLetterReason", "why"},
                                                    {0}};
    static const struct {
        const char *body;
        const struct queue_attribute *attributes;
        const char *event, *booking, *provider, *reason;
    } cases[] = {
        {"{}", marked, "BOOKING_CREATED", "b-1", "p-1", "why"},
        {"{\"eventType\":\"E\",\"bookingId\":\"b-2\",\"providerId\":\"p-2\"}", NULL, "E", "b-2",
         "p-2", "none given: moved by the queue, received too often"},
        {"{\"bookingId\":7}", NULL, "", "", "",
         "none given: moved by the queue, received too often"},
        {"nonsense", marked, "BOOKING_CREATED", "b-1", "p-1", "why"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench bench AUTO(bench_release);
        bench_open(&bench);
        put(&bench, cases[i].body, cases[i].attributes);
        struct letters letters = in_hand(&bench);
        const struct letter *letter = letters.items[0];
        cr_assert_str_eq(letter_event(letter), cases[i].event, "%s", cases[i].body);
        cr_assert_str_eq(letter_booking(letter), cases[i].booking, "%s", cases[i].body);
        cr_assert_str_eq(letter_provider(letter), cases[i].provider, "%s", cases[i].body);
        cr_assert_str_eq(letter_reason(letter), cases[i].reason, "%s", cases[i].body);
        letters_release(&letters);
    }
}

Test(session, refuses_a_queue_file_that_is_not_there_and_makes_none)
{
    struct error error = {0};
    struct queue_session session = {.world = world_real()};
    cr_assert_null(session_queue(&session, "sqlite:/tmp/bookflow-nowhere/q.db?queue=x", &error));
    cr_assert_eq(error.kind, ERROR_UNAVAILABLE);
    cr_assert_not_null(strstr(error.text, "/tmp/bookflow-nowhere/q.db"));
    cr_assert_neq(access("/tmp/bookflow-nowhere", F_OK), 0);
}

Test(session, reports_where_the_dead_letters_go)
{
    struct bench bench AUTO(bench_release);
    struct error error = {0};
    struct queue_report report = {0};
    bench_open(&bench);
    struct queue *queue = session_queue(&bench.session, bench.url, &error);
    cr_assert(session_report(&bench.session, queue, &report, &error), "%s", error.text);
    char wanted[192];
    (void)snprintf(wanted, sizeof wanted, "%s-dlq", bench.url);
    cr_assert_str_eq(report.attributes.dead_letter_url, wanted);
    cr_assert_eq(report.attributes.retention_s, -1);
    cr_assert_str_eq(report.attributes.resource, "");
    queue_report_release(&report);
    session_queue_release(&queue);
    cr_assert(session_report(&bench.session, bench.dead, &report, &error), "%s", error.text);
    cr_assert_str_eq(report.attributes.dead_letter_url, "");
    queue_report_release(&report);
}

Test(session, knows_queues_by_their_names)
{
    static const struct {
        const char *url, *name;
        bool embedded;
    } cases[] = {
        {"https://sqs.eu-central-1.amazonaws.com/123456789012/booking-request", "booking-request",
         false},
        {"http://127.0.0.1:9324/0/orders.fifo", "orders.fifo", false},
        {"sqlite:/var/q.db?queue=orders", "orders", true},
        {"SQLite:/var/q.db?max_receives=3&queue=orders&dlq=x-dlq", "orders", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf name AUTO(buf_release) = {0};
        queue_own_name(&name, cases[i].url);
        cr_assert_str_eq(buf_text(&name), cases[i].name, "%s", cases[i].url);
        cr_assert_eq(queue_is_embedded(cases[i].url), cases[i].embedded, "%s", cases[i].url);
    }
    cr_assert_eq(which_queue_parse("request"), WHICH_REQUEST);
    cr_assert_eq(which_queue_parse("confirmation"), WHICH_CONFIRMATION);
    cr_assert_eq(which_queue_parse("requests"), WHICH_COUNT);
    cr_assert_eq(which_queue_parse(NULL), WHICH_COUNT);
}
