/* The console program: its options and what they start. */
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "client.h"
#include "config.h"
#include "session.h"

static const char usage[] =
    "bookflow-console                  the screen: see, accept and reject booking requests\n"
    "  --list [--status S] [--day YYYY-MM-DD] [--json]\n"
    "  --show ID [--json]\n"
    "  --accept ID...\n"
    "  --reject ID... [--reason TEXT]\n"
    "  --health    --version    --help\n"
    "options and their variables:\n"
    "  --provider ID   BOOKFLOW_PROVIDER   whose bookings; required\n"
    "  --url URL       BOOKFLOW_URL        http://127.0.0.1:3000 unless set; also unix:/path\n"
    "                  BOOKFLOW_TOKEN, or BOOKFLOW_TOKEN_FILE with the token in its first line\n"
    "exit codes: 0 done, 1 not done, 2 wrong use, 5 partly done, 75 offline, 77 signed out,\n"
    "            78 bad configuration\n";

enum { UNDO_S = 10 };

enum word {
    OPTION_JSON = 256,
    OPTION_STATUS,
    OPTION_DAY,
    OPTION_REASON,
    OPTION_PROVIDER,
    OPTION_URL,
    OPTION_VERSION,
    OPTION_HELP
};

static const struct option options[] = {
    {"list", no_argument, NULL, BATCH_LIST},
    {"show", no_argument, NULL, BATCH_SHOW},
    {"accept", no_argument, NULL, BATCH_ACCEPT},
    {"reject", no_argument, NULL, BATCH_REJECT},
    {"health", no_argument, NULL, BATCH_HEALTH},
    {"json", no_argument, NULL, OPTION_JSON},
    {"status", required_argument, NULL, OPTION_STATUS},
    {"day", required_argument, NULL, OPTION_DAY},
    {"reason", required_argument, NULL, OPTION_REASON},
    {"provider", required_argument, NULL, OPTION_PROVIDER},
    {"url", required_argument, NULL, OPTION_URL},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"help", no_argument, NULL, OPTION_HELP},
    {0},
};

struct command {
    struct batch batch;
    const char *provider;
    const char *url;
    bool told; /* --help or --version was all that was asked */
};

static bool set_verb(struct batch *batch, enum batch_verb verb, struct error *error)
{
    if (batch->verb != BATCH_NONE && batch->verb != verb)
        return error_set(error, ERROR_USAGE, "one of --list --show --accept --reject --health");
    batch->verb = verb;
    return true;
}

static void set_word(struct command *command, enum word word, const char *value)
{
    switch (word) {
    case OPTION_JSON:
        command->batch.json = true;
        return;
    case OPTION_STATUS:
        command->batch.status = value;
        return;
    case OPTION_DAY:
        command->batch.day = value;
        return;
    case OPTION_REASON:
        command->batch.reason = value;
        return;
    case OPTION_PROVIDER:
        command->provider = value;
        return;
    case OPTION_URL:
        command->url = value;
        return;
    case OPTION_VERSION:
        command->told = true;
        (void)puts("bookflow-console " BOOKFLOW_VERSION);
        return;
    case OPTION_HELP:
        command->told = true;
        (void)fputs(usage, stdout);
        return;
    }
}

static bool parse(int count, char *words[], struct command *command, struct error *error)
{
    for (int found = 0;
         !command->told && (found = getopt_long(count, words, "", options, NULL)) != -1;) {
        if (found == '?')
            return error_set(error, ERROR_USAGE, "see --help");
        if (found >= OPTION_JSON)
            set_word(command, (enum word)found, optarg); /* only values of the table come back */
        else if (!set_verb(&command->batch, (enum batch_verb)found, error))
            return false;
    }
    command->batch.ids = (const char *const *)words + optind;
    command->batch.count = (size_t)(count - optind);
    if (command->batch.verb == BATCH_NONE && command->batch.count > 0)
        return error_set(error, ERROR_USAGE, "%.40s is not an option; see --help",
                         command->batch.ids[0]);
    return true;
}

static const char *or_else(const char *first, const char *second)
{
    return first ? first : second;
}

/* What the command line leaves open comes from the environment. */
static bool settle(const struct command *command, const struct config *config,
                   struct remote *remote, struct error *error)
{
    *remote = (struct remote){
        .provider = or_else(command->provider, config_text(config, "BOOKFLOW_PROVIDER")),
        .url = or_else(or_else(command->url, config_text(config, "BOOKFLOW_URL")),
                       "http://127.0.0.1:3000"),
        .token = config_text(config, "BOOKFLOW_TOKEN"),
        .token_file = config_text(config, "BOOKFLOW_TOKEN_FILE")};
    if (!remote->provider)
        return error_set(error, ERROR_CONFIGURATION,
                         "whose bookings? Set BOOKFLOW_PROVIDER or use --provider ID");
    if (!id_valid(remote->provider, strlen(remote->provider)))
        return error_set(error, ERROR_CONFIGURATION, "BOOKFLOW_PROVIDER is not an id");
    return true;
}

static int fail(const struct error *error)
{
    (void)fprintf(stderr, "bookflow-console: %s\n", error->text);
    return error_policy(error->kind)->exit_code;
}

static int show_screen(const struct remote *remote)
{
    struct error error = {0};
    const struct app_options settings = {.world = world_real(),
                                         .provider = remote->provider,
                                         .server = remote->url,
                                         .undo_s = UNDO_S};
    return session_run(&settings, remote, &error) ? EXIT_SUCCESS : fail(&error);
}

int main(int count, char *words[])
{
    struct error error = {0};
    struct command command = {0};
    struct remote remote = {0};
    (void)setlocale(LC_ALL, "");
    client_global_init();
    if (!parse(count, words, &command, &error))
        return fail(&error);
    if (command.told)
        return EXIT_SUCCESS;
    struct config *config AUTO(config_release) = config_read(NULL, &error);
    if (!config || !settle(&command, config, &remote, &error))
        return fail(&error);
    return command.batch.verb != BATCH_NONE ? batch_run(&command.batch, &remote)
                                            : show_screen(&remote);
}
