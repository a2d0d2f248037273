/* The console program: its options and what they start. */
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "client.h"
#include "conf.h"
#include "config.h"
#include "library_memory.h"
#include "plain.h"
#include "session.h"

static const char usage[] =
    "usage: bookflow-console [OPTION...]           the screen: see and answer booking requests\n"
    "       bookflow-console VERB ... [OPTION...]  one thing, without a screen\n"
    "\n"
    "  --plain           the same in lines and sentences: for screen readers, works in a pipe\n"
    "  --list            the bookings, newest first\n"
    "    --status S      only those: pending, confirmed, rejected or cancelled\n"
    "    --day D         only those of a day: 2026-02-19, today or tomorrow\n"
    "  --watch           every change as a line of JSON; goes on after an outage\n"
    "  --show ID         all about one booking\n"
    "  --accept ID...    - instead of IDs reads them from stdin: the first word of each line\n"
    "  --reject ID...    the same\n"
    "    --reason TEXT   what the client is told\n"
    "  --history         the answers given on this computer and what became of them\n"
    "  --health          is the worker there, and is its queue?\n"
    "    --json          with --list, --show, --history and --health\n"
    "  --version\n"
    "  --help\n"
    "\n"
    "Whose bookings, and where; before an option comes its variable, before that the setting\n"
    "  --provider ID     BOOKFLOW_PROVIDER    provider; required\n"
    "  --url URL         BOOKFLOW_URL         url; else http://127.0.0.1:3000; also unix:/path\n"
    "  --token-file FILE BOOKFLOW_TOKEN_FILE  token_file: the token in its first line; or\n"
    "                    BOOKFLOW_TOKEN\n"
    "  --config FILE     settings; else console.conf in $XDG_CONFIG_HOME/bookflow\n"
    "\n"
    "Exit code: 0 done; 1 not done; 2 wrong usage; 5 partly done; 75 offline, try again;\n"
    "77 signed out; 78 bad configuration.\n";

enum {
    OPTION_PROVIDER = BATCH_OPTIONS,
    OPTION_URL,
    OPTION_TOKEN_FILE,
    OPTION_CONFIG,
    OPTION_VERSION,
    OPTION_HELP,
    OPTIONS
};
enum { FIRST_OPTION = 256 }; /* below are the verbs */

static const struct option options[] = {
    {"plain", no_argument, NULL, BATCH_PLAIN},
    {"list", no_argument, NULL, BATCH_LIST},
    {"watch", no_argument, NULL, BATCH_WATCH},
    {"show", no_argument, NULL, BATCH_SHOW},
    {"accept", no_argument, NULL, BATCH_ACCEPT},
    {"reject", no_argument, NULL, BATCH_REJECT},
    {"history", no_argument, NULL, BATCH_HISTORY},
    {"health", no_argument, NULL, BATCH_HEALTH},
    {"json", no_argument, NULL, FIRST_OPTION + BATCH_JSON},
    {"status", required_argument, NULL, FIRST_OPTION + BATCH_STATUS},
    {"day", required_argument, NULL, FIRST_OPTION + BATCH_DAY},
    {"reason", required_argument, NULL, FIRST_OPTION + BATCH_REASON},
    {"provider", required_argument, NULL, FIRST_OPTION + OPTION_PROVIDER},
    {"url", required_argument, NULL, FIRST_OPTION + OPTION_URL},
    {"token-file", required_argument, NULL, FIRST_OPTION + OPTION_TOKEN_FILE},
    {"config", required_argument, NULL, FIRST_OPTION + OPTION_CONFIG},
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
            return error_set(error, ERROR_USAGE,
                             "one verb at a time; --list --watch --show --accept --reject "
                             "--history --health --plain are such");
        batch->verb = (enum batch_verb)found; /* a value of the table */
    }
    if (command->options[OPTION_HELP] || command->options[OPTION_VERSION])
        return true;
    memcpy(batch->options, command->options, sizeof batch->options);
    batch->ids = (const char *const *)words + optind;
    batch->count = (size_t)(count - optind);
    return batch_check(batch, error);
}

/* --- what the command line leaves open --- */

static const char *or_else(const char *first, const char *second)
{
    return first ? first : second;
}

/* The environment comes before the file. */
static bool settle(const struct command *command, const struct config *config,
                   const struct conf *conf, struct remote *remote, struct error *error)
{
    const char *const *given = command->options;
    const char *token = config_text(config, "BOOKFLOW_TOKEN");
    const char *token_file =
        or_else(given[OPTION_TOKEN_FILE], config_text(config, "BOOKFLOW_TOKEN_FILE"));
    *remote = (struct remote){
        .provider =
            or_else(or_else(given[OPTION_PROVIDER], config_text(config, "BOOKFLOW_PROVIDER")),
                    conf->provider),
        .url = or_else(or_else(given[OPTION_URL], config_text(config, "BOOKFLOW_URL")),
                       or_else(conf->url, "http://127.0.0.1:3000")),
        .token = token,
        .token_file = token_file || token ? token_file : conf->token_file};
    if (!remote->provider)
        return error_set(error, ERROR_CONFIGURATION,
                         "whose bookings? Set BOOKFLOW_PROVIDER or use --provider ID");
    if (!id_valid(remote->provider, strlen(remote->provider)))
        return error_set(error, ERROR_CONFIGURATION, "BOOKFLOW_PROVIDER is not an id");
    return true;
}

static int run(const struct command *command, const struct remote *remote, const struct conf *conf)
{
    struct error error = {0};
    if (command->batch.verb > BATCH_PLAIN)
        return batch_run(&command->batch, remote);
    const bool plain = command->batch.verb == BATCH_PLAIN;
    if (plain ? plain_run(remote, conf, &error) : session_run(remote, conf, &error))
        return EXIT_SUCCESS;
    return batch_fail(&error);
}

static int start(const struct command *command)
{
    struct error error = {0};
    struct remote remote = {0};
    struct buf complaints AUTO(buf_release) = {0};
    struct config *config AUTO(config_release) = config_read(NULL, &error);
    if (!config)
        return batch_fail(&error);
    struct conf *conf AUTO(conf_release) =
        conf_read(command->options[OPTION_CONFIG], &complaints, &error);
    (void)fputs(buf_text(&complaints), stderr);
    if (!conf || !settle(command, config, conf, &remote, &error))
        return batch_fail(&error);
    return run(command, &remote, conf);
}

int main(int count, char *words[])
{
    library_memory_init();
    struct error error = {0};
    struct command command = {0};
    (void)setlocale(LC_CTYPE, ""); /* not the names of days: the words around them are English */
    client_global_init();
    if (!parse(count, words, &command, &error))
        return batch_fail(&error);
    if (!command.options[OPTION_HELP] && !command.options[OPTION_VERSION])
        return start(&command);
    (void)fputs(command.options[OPTION_HELP] ? usage : "bookflow-console " BOOKFLOW_VERSION "\n",
                stdout);
    return EXIT_SUCCESS;
}
