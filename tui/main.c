/* The console program: its options and what they start. */
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "client.h"
#include "config.h"
#include "library_memory.h"
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

enum { OPTION_PROVIDER = BATCH_OPTIONS, OPTION_URL, OPTION_VERSION, OPTION_HELP, OPTIONS };
enum { FIRST_OPTION = 256 }; /* below are the verbs */

static const struct option options[] = {
    {"list", no_argument, NULL, BATCH_LIST},
    {"show", no_argument, NULL, BATCH_SHOW},
    {"accept", no_argument, NULL, BATCH_ACCEPT},
    {"reject", no_argument, NULL, BATCH_REJECT},
    {"health", no_argument, NULL, BATCH_HEALTH},
    {"json", no_argument, NULL, FIRST_OPTION + BATCH_JSON},
    {"status", required_argument, NULL, FIRST_OPTION + BATCH_STATUS},
    {"day", required_argument, NULL, FIRST_OPTION + BATCH_DAY},
    {"reason", required_argument, NULL, FIRST_OPTION + BATCH_REASON},
    {"provider", required_argument, NULL, FIRST_OPTION + OPTION_PROVIDER},
    {"url", required_argument, NULL, FIRST_OPTION + OPTION_URL},
    {"version", no_argument, NULL, FIRST_OPTION + OPTION_VERSION},
    {"help", no_argument, NULL, FIRST_OPTION + OPTION_HELP},
    {0},
};

struct command {
    struct batch batch;
    const char *options[OPTIONS]; /* NULL = not given */
};

static bool parse(int count, char *words[], struct command *command, struct error *error)
{
    struct batch *batch = &command->batch;
    opterr = 0; /* we say it, in one line */
    for (int found = 0; (found = getopt_long(count, words, "", options, NULL)) != -1;) {
        if (found == '?')
            return error_set(error, ERROR_USAGE,
                             "%.40s is not an option or lacks its value; see --help",
                             words[optind - 1]);
        if (found >= FIRST_OPTION) {
            command->options[found - FIRST_OPTION] = optarg ? optarg : "";
            continue;
        }
        if (batch->verb != BATCH_NONE && (int)batch->verb != found)
            return error_set(error, ERROR_USAGE, "one of --list --show --accept --reject --health");
        batch->verb = (enum batch_verb)found; /* a value of the table */
    }
    memcpy(batch->options, command->options, sizeof batch->options);
    batch->ids = (const char *const *)words + optind;
    batch->count = (size_t)(count - optind);
    return batch_check(batch, error);
}

/* --- the environment --- */

static const char *or_else(const char *first, const char *second)
{
    return first ? first : second;
}

/* What the command line leaves open comes from the environment. */
static bool settle(const struct command *command, const struct config *config,
                   struct remote *remote, struct error *error)
{
    *remote = (struct remote){
        .provider =
            or_else(command->options[OPTION_PROVIDER], config_text(config, "BOOKFLOW_PROVIDER")),
        .url = or_else(or_else(command->options[OPTION_URL], config_text(config, "BOOKFLOW_URL")),
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

static int show_screen(const struct remote *remote)
{
    struct error error = {0};
    return session_run(remote, &error) ? EXIT_SUCCESS : batch_fail(&error);
}

int main(int count, char *words[])
{
    library_memory_init();
    struct error error = {0};
    struct command command = {0};
    struct remote remote = {0};
    (void)setlocale(LC_CTYPE, ""); /* not the names of days: the words around them are English */
    client_global_init();
    if (!parse(count, words, &command, &error))
        return batch_fail(&error);
    if (command.options[OPTION_HELP] || command.options[OPTION_VERSION]) {
        (void)fputs(command.options[OPTION_HELP] ? usage
                                                 : "bookflow-console " BOOKFLOW_VERSION "\n",
                    stdout);
        return EXIT_SUCCESS;
    }
    struct config *config AUTO(config_release) = config_read(NULL, &error);
    if (!config || !settle(&command, config, &remote, &error))
        return batch_fail(&error);
    return command.batch.verb == BATCH_NONE ? show_screen(&remote)
                                            : batch_run(&command.batch, &remote);
}
