/* The bookflow program: a table of verbs. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "client.h"
#include "errors.h"
#include "library_memory.h"
#include "operator.h"
#include "serve.h"

static int version_main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) {
        (void)fputs("usage: bookflow version\n", stderr);
        return error_policy(ERROR_USAGE)->exit_code;
    }
    return printf("bookflow %s\n", BOOKFLOW_VERSION) < 0;
}

static const struct {
    const char *name;
    int (*main)(int argc, char **argv);
    const char *help;
} verbs[] = {
    {"serve", serve_main, "run the workers"},
    {"token", token_main, "make, list and revoke bearer tokens"},
    {"slots", slots_main, "make, import and list a provider's slots"},
    {"queues", queues_main, "how much is in both queues"},
    {"dlq", dlq_main, "list, show, redrive and drop dead letters"},
    {"doctor", doctor_main, "check configuration, credentials, queues, clock and store"},
    {"history", history_main, "show what happened to a booking"},
    {"notice", notice_main, "show, preview and repeat what people are told"},
    {"audit", audit_main, "check that copies of both stores tell the same story"},
    {"backup", backup_main, "copy the running worker's store"},
    {"version", version_main, "print the version"},
};

static void help(FILE *out)
{
    (void)fputs("usage: bookflow VERB ...\n\n", out);
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        (void)fprintf(out, "  %-10s %s\n", verbs[i].name, verbs[i].help);
    (void)fputs("\n`bookflow VERB --help` tells more.\n", out);
}

static int run(const char *name, int argc, char **argv)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(name, verbs[i].name) == 0)
            return verbs[i].main(argc, argv);
    if (*name)
        (void)fprintf(stderr, "bookflow: there is no such verb\n");
    help(stderr);
    return error_policy(ERROR_USAGE)->exit_code;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    library_memory_init();
    (void)signal(SIGPIPE, SIG_IGN);
    json_object_seed(0);
    client_global_init();
    if (strcmp(name, "--version") == 0)
        return version_main(1, argv);
    if (strcmp(name, "--help") != 0 && strcmp(name, "help") != 0)
        return run(name, argc - 1, argv + 1);
    help(stdout);
    return EXIT_SUCCESS;
}
