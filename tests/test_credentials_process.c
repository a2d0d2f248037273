/* credential_process: a program whose output is the credentials, and the programs that are none. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "aws_fixture.h"
#include "credentials.h"

#define KEYS                                                                                       \
    "{\"Version\":1,\"AccessKeyId\":\"AKIAX\",\"SecretAccessKey\":\"x/secret\","                   \
    "\"SessionToken\":\"x-token\",\"Expiration\":\"2015-08-30T14:36:00+00:00\"}"

struct started {
    struct bench bench;
    int file;
};

/* The processes are real, and so is the time that they take. */
static void start(struct started *started, const char *command)
{
    struct buf text AUTO(buf_release) = {0};
    char path[64];
    buf_printf(&text, "[default]\ncredential_process = %s\n", command);
    started->file = memory_file(buf_text(&text));
    memory_file_path(started->file, path);
    bench_start(&started->bench);
    bench_set("AWS_EC2_METADATA_DISABLED", "true");
    bench_set("AWS_CONFIG_FILE", "%s", path);
    started->bench.real_time = true;
    bench_open(&started->bench);
}

static void finish(struct started *started)
{
    bench_finish(&started->bench);
    close(started->file);
    cr_assert_eq(waitpid(-1, NULL, WNOHANG), -1, "a process is left");
}

static struct told run(const char *command)
{
    struct started started;
    start(&started, command);
    const struct told told = bench_credentials(&started.bench);
    finish(&started);
    return told;
}

Test(process, prints_credentials)
{
    const struct told told = run("echo '" KEYS "'");
    cr_assert_eq(told.failure.kind, ERROR_NONE, "%s", told.failure.text);
    cr_assert_str_eq(told.access_key, "AKIAX");
    cr_assert_str_eq(told.secret_key, "x/secret");
    cr_assert_str_eq(told.session_token, "x-token");
    cr_assert_str_eq(told.source, "credential_process");
    cr_assert_eq(told.expires_ms, 1440938160000 + 2 * 3600 * 1000);
}

/* Not even while something that it started holds its output open. */
Test(process, is_not_waited_for_once_it_has_ended)
{
    const struct told told = run("sleep 1000 & echo '" KEYS "'");
    cr_assert_str_eq(told.access_key, "AKIAX", "%s", told.failure.text);
}

Test(process, that_closes_its_output_may_go_on_for_a_while)
{
    const struct told told = run("echo '" KEYS "'; exec >&-; sleep 0.05; exit 0");
    cr_assert_str_eq(told.access_key, "AKIAX", "%s", told.failure.text);
}

Test(process, that_gives_no_credentials_is_a_failure_that_does_not_quote_it)
{
    static const struct {
        const char *command, *says;
    } cases[] = {
        {"true", "it is no JSON object"},
        {"echo S3CRET", "it is no JSON object"},
        {"echo '{\"AccessKeyId\":\"S3CRET'", "it is no JSON object"},
        {"echo '{\"SecretAccessKey\":\"S3CRET\"}'", "no AccessKeyId and SecretAccessKey"},
        {"/nowhere/program", "it failed with status 127"},
        {"echo '" KEYS "'; exit 3", "it failed with status 3"},
        {"kill -9 $$", "it was ended by signal 9"},
        {"yes S3CRET", "it prints more than credentials"},
        {"head -c 100000 /dev/zero", "it prints more than credentials"},
        {"echo '{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"S3CRET\",\"Expiration\":"
         "\"2015-08-30T12:36:00Z\"}'",
         "what it prints has expired"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct told told = run(cases[i].command);
        cr_assert(told.failure.kind, "%s", cases[i].command);
        cr_assert(strstr(told.failure.text, cases[i].says), "%s: %s", cases[i].command,
                  told.failure.text);
        cr_assert(strstr(told.failure.text, "profile: credential_process") ||
                      strstr(told.failure.text, "credential_process: "),
                  "%s", told.failure.text);
        cr_assert_not(strstr(told.failure.text, "S3CRET"));
    }
}

Test(process, that_hangs_is_ended_after_a_minute)
{
    struct started started;
    struct told told = {0};
    start(&started, "sleep 1000; echo '" KEYS "'");
    started.bench.real_time = false;
    credentials_get(account_credentials(started.bench.account), told_it, &told);
    bench_settle(&started.bench);
    bench_pass(&started.bench, 59 * 1000);
    bench_settle(&started.bench);
    cr_assert_not(told.done);
    bench_pass(&started.bench, 1000);
    bench_settle(&started.bench);
    cr_assert_eq(told.failure.kind, ERROR_UNAVAILABLE);
    cr_assert(strstr(told.failure.text, "did not end within 60 s"), "%s", told.failure.text);
    finish(&started);
}

Test(process, is_ended_with_the_chain)
{
    struct started started;
    struct told told = {0};
    start(&started, "sleep 1000");
    credentials_get(account_credentials(started.bench.account), told_it, &told);
    cr_assert_not(told.done);
    finish(&started);
    cr_assert_eq(told.count, 1);
    cr_assert_eq(told.failure.kind, ERROR_UNAVAILABLE);
}

/* libcurl opens its sockets without FD_CLOEXEC, and we ignore SIGPIPE. */
Test(process, inherits_no_descriptor_and_no_ignored_signal)
{
    char command[512];
    const int leak = fcntl(STDERR_FILENO, F_DUPFD, 100);
    signal(SIGPIPE, SIG_IGN);
    snprintf(command, sizeof command,
             "test ! -e /proc/$$/fd/%d && grep -q 'SigIgn:.*0...$' /proc/self/status &&"
             " echo '" KEYS "'",
             leak);
    const struct told told = run(command);
    cr_assert_str_eq(told.access_key, "AKIAX", "%s", told.failure.text);
    close(leak);
}

/* What was given before is looked at while it is replaced. */
Test(process, may_be_replaced_by_keys_in_the_profile_while_its_credentials_are_given)
{
    struct started started;
    start(&started, "echo '" KEYS "'");
    cr_assert_str_eq(bench_credentials(&started.bench).access_key, "AKIAX");
    memory_file_write(started.file, "[default]\naws_access_key_id=K\naws_secret_access_key=S\n");
    bench_pass(&started.bench, (120 - 14) * 60 * 1000);
    const struct told told = bench_credentials(&started.bench);
    cr_assert_str_eq(told.access_key, "K");
    cr_assert_str_eq(told.source, "profile default");
    finish(&started);
}
