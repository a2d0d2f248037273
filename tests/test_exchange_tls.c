/* Whom an exchange trusts: certificates of an authority made for the test, shown by openssl's own
 * server. */
#include <criterion/criterion.h>
#include <ftw.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "aws_fixture.h"

static char folder[] = "/tmp/bookflow-tls-XXXXXX";

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

static void leave_folder(void)
{
    (void)!chdir("/");
    (void)nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* ca.pem; good, other (of another host) and old (expired) of it; self, which is nobody's. */
static void make_certificates(void)
{
    static const char script[] =
        "set -e; new='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost'\n"
        "openssl req -x509 $new -keyout ca.key -out ca.pem -days 2\n"
        "openssl req -x509 $new -keyout self.key -out self.pem -days 2"
        " -addext subjectAltName=DNS:localhost\n"
        "leaf() { openssl req $new -keyout $1.key -out $1.csr -addext subjectAltName=DNS:$2\n"
        "openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca.key -copy_extensions copy -days $3"
        " -out $1.pem; }\n"
        "leaf good localhost 2; leaf other other.example 2; leaf old localhost -1\n"
        "printf "
        "'openssl_conf=a\\n[a]\\nssl_conf=b\\n[b]\\nsystem_default=c\\n[c]\\nMinProtocol=TLSv1\\n"
        "CipherString=DEFAULT:@SECLEVEL=0\\n' >openssl.cnf\n";
    char line[sizeof script + 32];
    cr_assert(mkdtemp(folder));
    cr_assert_eq(chdir(folder), 0);
    (void)snprintf(line, sizeof line, "exec >log 2>&1; %s", script);
    cr_assert_eq(system(line), 0);
    /* The system's own configuration must not be what refuses old protocols. */
    (void)snprintf(line, sizeof line, "%s/openssl.cnf", folder);
    (void)setenv("OPENSSL_CONF", line, 1);
}

TestSuite(tls, .init = make_certificates, .fini = leave_folder);

struct shown {
    pid_t process;
    char url[64];
};

/* Its first line tells the port. */
static void show(struct shown *shown, const char *certificate, const char *more)
{
    char command[256];
    char line[128] = "";
    char shell[] = "sh";
    char option[] = "-c";
    char *arguments[] = {shell, option, command, NULL};
    int ends[2];
    posix_spawn_file_actions_t actions;
    (void)snprintf(command, sizeof command,
                   "exec openssl s_server -accept 127.0.0.1:0 -www -cert %s.pem -key %s.key %s"
                   " 2>/dev/null",
                   certificate, certificate, more);
    cr_assert_eq(pipe(ends), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    cr_assert_eq(posix_spawn(&shown->process, "/bin/sh", &actions, NULL, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    FILE *output = fdopen(ends[0], "r");
    while (!strstr(line, "ACCEPT "))
        cr_assert(fgets(line, sizeof line, output), "openssl s_server does not start");
    fclose(output);
    (void)snprintf(shown->url, sizeof shown->url, "https://localhost:%d/",
                   atoi(strrchr(line, ':') + 1));
}

struct seen {
    bool done;
    int status;
    struct error failure;
};

static void note(void *context, const struct exchange_answer *answer, const struct error *failure)
{
    struct seen *seen = context;
    seen->done = true;
    seen->status = answer ? answer->status : 0;
    seen->failure = failure ? *failure : (struct error){0};
}

static struct seen ask(const char *certificate, const char *more, const char *ca_file)
{
    struct shown shown;
    struct seen seen = {0};
    struct error error = {0};
    struct peer nobody;
    show(&shown, certificate, more);
    peer_open(&nobody);
    struct exchanges *exchanges = exchanges_new(ca_file, &error);
    cr_assert(exchanges, "%s", error.text);
    (void)exchange_begin(exchanges,
                         &(struct exchange_request){.method = "GET",
                                                    .url = shown.url,
                                                    .timeout_ms = 10000,
                                                    .connect_timeout_ms = 10000,
                                                    .answer_maximum = 65536},
                         note, &seen);
    exchanges_until(exchanges, &nobody, &seen.done);
    exchanges_free(exchanges);
    peer_close(&nobody);
    (void)kill(shown.process, SIGKILL);
    (void)waitpid(shown.process, NULL, 0);
    return seen;
}

Test(tls, exchange_trusts_the_authority_that_it_is_given)
{
    const struct seen seen = ask("good", "", "ca.pem");
    cr_assert_eq(seen.status, 200, "%s", seen.failure.text);
}

Test(tls, exchange_with_somebody_who_is_not_who_he_should_be_is_a_failure_of_configuration)
{
    static const struct {
        const char *certificate, *ca_file, *says;
    } cases[] = {
        {"other", "ca.pem", "localhost"},
        {"old", "ca.pem", "expired"},
        {"self", "ca.pem", "self-signed"},
        {"good", NULL, "certificate"},
        {"good", "/nowhere/ca.pem", "/nowhere/ca.pem"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct seen seen = ask(cases[i].certificate, "", cases[i].ca_file);
        cr_assert_eq(seen.failure.kind, ERROR_CONFIGURATION, "%s: %d %s", cases[i].certificate,
                     seen.status, seen.failure.text);
        cr_assert(strstr(seen.failure.text, cases[i].says), "%s: %s", cases[i].certificate,
                  seen.failure.text);
    }
}

Test(tls, exchange_speaks_nothing_older_than_tls_1_2)
{
    const struct seen old = ask("good", "-tls1_1", "ca.pem");
    cr_assert_eq(old.failure.kind, ERROR_UNAVAILABLE, "%d", old.status);
    const struct seen new = ask("good", "-tls1_2", "ca.pem");
    cr_assert_eq(new.status, 200, "%s", new.failure.text);
}
