/* The embedded queue: the contract of all queues, on one thread and with its own, and what only it
 * has: its URL, and a file that lasts. */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buf.h"
#include "embedded_fixture.h"
#include "queue_probe.h"

#define CASE(name)                                                                                 \
    Test(on_one_thread, name)                                                                      \
    {                                                                                              \
        struct fixture fixture AUTO(fixture_release);                                              \
        fixture_init(&fixture, false);                                                             \
        queue_contract_##name(&fixture.contract);                                                  \
    }                                                                                              \
    Test(on_its_own_thread, name)                                                                  \
    {                                                                                              \
        struct fixture fixture AUTO(fixture_release);                                              \
        fixture_init(&fixture, true);                                                              \
        queue_contract_##name(&fixture.contract);                                                  \
    }
QUEUE_CONTRACT_CASES(CASE)

Test(url, is_checked)
{
    static const struct {
        const char *url;
        const char *complaint; /* NULL: good */
    } cases[] = {
        {"sqlite:/var/lib/queues.db?queue=orders", NULL},
        {"SQLite:/q.db?queue=a-B_9&dlq=x-dlq&max_receives=1&visibility=0&shuffle=0", NULL},
        {"sqlite:/q.db?queue=orders&shuffle=1&duplicate=100&seed=0", NULL},
        {"sqlite:/q.db?queue=orders-dlq", NULL},
        {"https://sqs.eu-west-1.amazonaws.com/1/q", NULL},
        {"http://localhost:4566/1/q", NULL},
        {"http://sqs.eu-west-1.amazonaws.com/1/q", "not an address that credentials may go to"},
        {"https://169.254.169.254/1/q", "not an address that credentials may go to"},
        {"https://sqs.eu-west-1.amazonaws.com", "is no queue URL"},
        {"https://sqs.eu-west-1.amazonaws.com/1/q?x=1", "is no queue URL"},
        {"postgres:/q", "is no queue URL"},
        {"", "is no queue URL"},
        {"sqlite:", "an absolute path"},
        {"sqlite:?queue=orders", "an absolute path"},
        {"sqlite:q.db?queue=orders", "an absolute path"},
        {"sqlite:/q.db", "'', it must be 1 to 80"},
        {"sqlite:/q.db?visibility=3", "queue=NAME is missing"},
        {"sqlite:/q.db?queue=", "option queue is ''"},
        {"sqlite:/q.db?queue=a/b", "option queue is 'a/b'"},
        {"sqlite:/q.db?queue=orders.fifo", "no FIFO"},
        {"sqlite:/q.db?queue=orders&dlq=dead", "ends in -dlq"},
        {"sqlite:/q.db?queue=orders-dlq&dlq=more-dlq", "has none itself"},
        {"sqlite:/q.db?queue=orders&colour=red", "no option 'colour'"},
        {"sqlite:/q.db?queue=orders&shuffle", "option 'shuffle' has no value"},
        {"sqlite:/q.db?queue=orders&&shuffle=1", "option '' has no value"},
        {"sqlite:/q.db?queue=orders&max_receives=0", "option max_receives is '0'"},
        {"sqlite:/q.db?queue=orders&max_receives=1001", "from 1 to 1000"},
        {"sqlite:/q.db?queue=orders&visibility=43201", "option visibility is '43201'"},
        {"sqlite:/q.db?queue=orders&duplicate=101", "option duplicate is '101'"},
        {"sqlite:/q.db?queue=orders&duplicate=1%", "option duplicate is '1%'"},
        {"sqlite:/q.db?queue=orders&seed=-1", "option seed is '-1'"},
        {"sqlite:/q.db?queue=orders&seed=99999999999999999999", "option seed is"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error error = {0};
        const bool good = queue_url_check(cases[i].url, &error);
        cr_assert_eq(good, cases[i].complaint == NULL, "%s: %s", cases[i].url, error.text);
        cr_assert_eq(error.kind, good ? ERROR_NONE : ERROR_CONFIGURATION);
        cr_assert(good || strstr(error.text, cases[i].complaint), "%s: %s", cases[i].url,
                  error.text);
    }
}

Test(url, of_a_name_too_long_for_the_suffix_is_refused_unless_the_dead_letter_queue_is_named)
{
    static const char name[] = "123456789-123456789-123456789-123456789-"
                               "123456789-123456789-123456789-1234567";
    for (int i = 0; i < 2; i++) {
        struct buf url AUTO(buf_release) = {0};
        struct error error = {0};
        buf_printf(&url, "sqlite:/q.db?queue=%s%s", name, i ? "&dlq=short-dlq" : "");
        cr_assert_eq(queue_url_check(buf_text(&url), &error), i == 1, "%s", error.text);
    }
}

Test(opening, fails_with_the_queue_and_the_reason)
{
    static const char *const urls[] = {"sqlite:/nowhere/at/all/queues.db?queue=orders",
                                       "sqlite:/tmp?queue=orders", "https://example.org/q"};
    const struct queue_host host = {.world = world_real(), .single_threaded = true};
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        struct error error = {0};
        cr_assert_null(queue_open(urls[i], &host, &error));
        cr_assert_eq(error.kind, ERROR_CONFIGURATION, "%s", error.text);
    }
}

Test(the_file, keeps_messages_when_it_is_closed_and_opened)
{
    FIXTURE("");
    {
        PROBE();
        probe_send_text(&probe, queue, "kept");
    }
    PROBE();
    cr_assert_eq(probe_count(&probe, queue, "kept"), 1);
}

Test(the_file, keeps_what_was_answered_when_the_process_is_killed)
{
    FIXTURE("");
    const pid_t child = fork();
    if (child == 0) {
        PROBE();
        probe_send_text(&probe, queue, "kept");
        (void)raise(SIGKILL);
    }
    int status = 0;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    PROBE();
    cr_assert_eq(probe_count(&probe, queue, "kept"), 1);
}

Test(the_file, holds_queues_apart)
{
    FIXTURE("");
    PROBE();
    MESSAGES(got);
    struct queue *other = probe_open(&probe, "other");
    probe_send_text(&probe, queue, "mine");
    cr_assert_eq(probe_count(&probe, other, NULL), 0);
    probe_receive(&probe, queue, 1, &got);
    cr_assert_eq(probe_delete(&probe, other, got.list[0].receipt), ERROR_NONE);
    cr_assert_eq(probe_hide(&probe, other, got.list[0].receipt, 0), ERROR_NOT_FOUND);
    cr_assert_eq(probe_attributes(&probe, queue).in_flight, 1);
}

static void send_when_told(const struct queue_contract *with, int fd)
{
    char go = 0;
    if (read(fd, &go, 1) == 1) {
        PROBE();
        probe_send_text(&probe, queue, "from afar");
    }
    _exit(0);
}

Test(the_file, wakes_a_long_poll_of_another_process)
{
    FIXTURE("");
    int fds[2] = {-1, -1};
    cr_assert_eq(pipe(fds), 0);
    const pid_t child = fork(); /* before SQLite has anything open */
    if (child == 0)
        send_when_told(with, fds[0]);
    fixture.threaded = true;
    PROBE();
    MESSAGES(got);
    probe_poll(queue, 20, &got);
    probe_quiet(&probe);
    cr_assert_eq(got.calls, 0);
    cr_assert_eq(write(fds[1], "", 1), 1);
    probe_until(&probe, &got.calls);
    cr_assert_eq(got.count, 1);
    cr_assert_eq(waitpid(child, NULL, 0), child);
}

/* From now on this process gets no inotify, as when the user's are all taken. */
static void refuse_watches(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_inotify_init1, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EMFILE),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    const struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};
    cr_assert_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    cr_assert_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

Test(the_file, is_looked_at_every_so_often_where_the_system_has_no_watch_left)
{
    FIXTURE("");
    PROBE();
    MESSAGES(got);
    refuse_watches();
    struct queue *deaf = probe_open(&probe, NAME);
    cr_assert_eq(queue_fd(deaf), -1);
    probe_poll(deaf, 20, &got);
    probe_quiet(&probe);
    cr_assert_eq(queue_step(deaf), 50);
    probe_send_text(&probe, queue, "at last");
    probe_quiet(&probe);
    cr_assert_eq(got.calls, 0);
    probe_advance(&probe, 50);
    probe_until(&probe, &got.calls);
    cr_assert_eq(got.count, 1);
}

Test(a_message, is_never_dropped_for_its_age)
{
    const int64_t year_ms = INT64_C(365) * 86400000;
    FIXTURE("");
    PROBE();
    MESSAGES(got);
    probe_send_text(&probe, queue, "old");
    probe_advance(&probe, year_ms);
    probe_receive(&probe, queue, 1, &got);
    cr_assert_eq(got.count, 1);
}

Test(a_receive, passes_by_any_number_of_messages_that_were_received_too_often)
{
    FIXTURE("&max_receives=1");
    PROBE();
    MESSAGES(got);
    for (int i = 0; i < 2 * QUEUE_BATCH; i++)
        probe_send_text(&probe, queue, "poison");
    for (int i = 0; i < 2; i++)
        probe_receive(&probe, queue, 1, &got);
    probe_advance(&probe, 1000);
    probe_send_text(&probe, queue, "good");
    cr_assert_eq(probe_count(&probe, queue, "good"), 1);
}

Test(a_message, given_back_at_once_returns_to_its_place)
{
    FIXTURE("");
    PROBE();
    MESSAGES(got);
    probe_send_text(&probe, queue, "first");
    probe_receive(&probe, queue, 30, &got);
    probe_advance(&probe, 1000);
    probe_send_text(&probe, queue, "second");
    probe_advance(&probe, 1000);
    cr_assert_eq(probe_hide(&probe, queue, got.list[0].receipt, 0), ERROR_NONE);
    probe_receive(&probe, queue, 30, &got);
    cr_assert_eq(got.count, 2);
    cr_assert_str_eq(got.list[0].body, "first");
}

/* While the waiting handle steps, between its taking what is committed and its listening. */
static void send_meanwhile(struct fixture *fixture)
{
    struct probe *other = fixture->other;
    struct pollfd committed = {.fd = fixture->wake_fd, .events = POLLIN};
    fixture->on_ticks = NULL;
    fixture->hold = false;
    cr_assert_eq(poll(&committed, 1, 10000), 1);
    probe_send_text(other, other->queues[0], "in between");
}

Test(a_long_poll, hears_what_was_sent_between_its_look_and_its_answer)
{
    FIXTURE("");
    MESSAGES(got);
    struct probe other AUTO(probe_close) = {.with = with};
    (void)probe_open(&other, NAME);
    fixture.threaded = true;
    PROBE();
    fixture.threaded = false;
    fixture.other = &other;
    fixture.hold = true;
    probe_poll(queue, 20, &got);
    fixture.on_ticks = send_meanwhile;
    (void)queue_step(queue);
    fixture.threaded = true;
    probe_until(&probe, &got.calls);
    cr_assert_eq(got.count, 1);
}

Test(a_deduplication_id, is_refused_as_on_any_standard_queue)
{
    FIXTURE("");
    PROBE();
    struct probe_results sent;
    probe_send(&probe, queue, &(struct queue_entry){.body = "x", .deduplication_id = "1"}, 1,
               &sent);
    cr_assert_eq(sent.kinds[0], ERROR_INVALID);
}
