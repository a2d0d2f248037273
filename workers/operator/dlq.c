/* `bookflow dlq`: reads what is asked for, opens queue and dead-letter queue, takes the letters in
 * hand. What the verbs do is in the files beside it. */
#include "dlq.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "operator.h"
#include "remote.h"

static const char usage[] =
    "usage: bookflow dlq list                   --queue request|confirmation [--json]\n"
    "       bookflow dlq show ID                --queue ...\n"
    "       bookflow dlq redrive ID... | --all  --queue ... [--dry-run]\n"
    "       bookflow dlq drop ID                --queue ...\n"
    "\n"
    "Dead letters: messages that a worker could not handle, each with its reason.\n"
    "  list     id, age, attempts, event, booking, reason\n"
    "  show     all that one says\n"
    "  redrive  sends them to their queue again and then deletes them here\n"
    "  drop     deletes one for good\n"
    "\n"
    "  --dry-run        asks the worker at BOOKFLOW_URL (http://127.0.0.1:3000) what it would do:\n"
    "                   the decision worker for request, intake for confirmation. Changes nothing\n"
    "  --json           a list of objects\n"
    "  --env-file FILE  read KEY=value lines; the real environment wins\n"
    "\n"
    "Whoever looks holds the letters for that long: nobody else sees them, and all are given "
    "back.\n"
    "Of a FIFO queue only the first letters of each booking show up; once they are gone, the "
    "next.\n"
    "\n"
    "Exit code: 0 done; 1 an unknown ID (then nothing was touched), or refused by the queue;\n"
    "2 wrong usage; 75 out of reach, try again; 77 not allowed; 78 bad configuration.\n";

static const struct verb {
    const char *name;
    dlq_verb_fn *run;
    size_t ids_least;
    size_t ids_most;
    bool redrives; /* takes --all and --dry-run */
} verbs[] = {
    {"list", dlq_list, 0, 0, false},
    {"show", dlq_show, 1, 1, false},
    {"redrive", dlq_redrive, 1, 1000, true},
    {"drop", dlq_drop, 1, 1, false},
};

/* --- the run --- */

static bool all_known(const struct dlq *dlq, struct error *error)
{
    for (size_t i = 0; i < dlq->id_count; i++)
        if (!letters_find(dlq->letters, dlq->ids[i]))
            return error_set(error, ERROR_NOT_FOUND,
                             "there is no dead letter %s among the %zu of the %s queue; nothing"
                             " was touched",
                             dlq->ids[i], dlq->letters->count, which_queue_name(dlq->which));
    return true;
}

static bool with_letters(const struct dlq *dlq, const struct verb *verb, struct error *error)
{
    struct letters *letters = dlq->letters;
    if (!letters_receive(letters, error))
        return false;
    if (letters->more)
        (void)fprintf(stderr, "bookflow: there are more than %d dead letters; these are some\n",
                      LETTERS_MAX);
    return all_known(dlq, error) && verb->run(dlq, error);
}

/* Messages that somebody else holds cannot be seen. */
static void tell_held(int64_t in_flight)
{
    if (in_flight > 0)
        (void)fprintf(stderr,
                      "bookflow: about %" PRId64 " more are in somebody else's hands just now\n",
                      in_flight);
}

static bool run_on(const struct dlq *dlq, const struct verb *verb, const char *url,
                   struct error *error)
{
    struct queue_report report AUTO(queue_report_release) = {0};
    struct queue *dead AUTO(session_queue_release) = session_queue(dlq->session, url, error);
    if (!dead || !session_report(dlq->session, dead, &report, error))
        return error_context(error, "dead-letter queue");
    tell_held(report.attributes.in_flight);
    struct letters letters AUTO(letters_release) = {
        .session = dlq->session, .queue = dead, .waits = !queue_is_embedded(url)};
    struct dlq in_hand = *dlq;
    in_hand.letters = &letters;
    return with_letters(&in_hand, verb, error);
}

static bool run_verb(const struct dlq *dlq, const struct verb *verb, struct error *error)
{
    const char *url = which_queue_url(dlq->session, dlq->which);
    struct queue_report report AUTO(queue_report_release) = {0};
    struct queue *source AUTO(session_queue_release) = session_queue(dlq->session, url, error);
    if (!source || !session_report(dlq->session, source, &report, error))
        return error_context(error, "%s queue", which_queue_name(dlq->which));
    if (!*report.attributes.dead_letter_url)
        return error_set(error, ERROR_CONFIGURATION,
                         "the %s queue has no dead-letter queue: give it a redrive policy",
                         which_queue_name(dlq->which));
    struct dlq opened = *dlq;
    opened.source = source;
    queue_session_hold_signals(true);
    const bool good = run_on(&opened, verb, report.attributes.dead_letter_url, error);
    (void)fflush(stdout); /* a signal that was kept back ends the program here */
    queue_session_hold_signals(false);
    return good;
}

static int run(const struct dlq *dlq, const struct verb *verb, const char *env_file)
{
    struct error error = {0};
    struct queue_session session AUTO(queue_session_release) = {0};
    if (!queue_session_open(&session, env_file, &error))
        return queue_session_fail(&session, &error);
    struct dlq begun = *dlq;
    begun.session = &session;
    return run_verb(&begun, verb, &error) ? EXIT_SUCCESS : remote_fail(&error);
}

/* --- what is asked for --- */

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(name, verbs[i].name) == 0)
            return &verbs[i];
    return NULL;
}

static bool fits(const struct dlq *dlq, const struct verb *verb)
{
    if (!verb || dlq->which == WHICH_COUNT || ((dlq->all || dlq->dry_run) && !verb->redrives))
        return false;
    if (dlq->all)
        return dlq->id_count == 0;
    return dlq->id_count >= verb->ids_least && dlq->id_count <= verb->ids_most;
}

static void take_option(struct dlq *dlq, const char **env_file, int option)
{
    dlq->which = option == 'q' ? which_queue_parse(optarg) : dlq->which;
    *env_file = option == 'e' ? optarg : *env_file;
    dlq->all = dlq->all || option == 'a';
    dlq->dry_run = dlq->dry_run || option == 'd';
    dlq->as_json = dlq->as_json || option == 'j';
}

int dlq_main(int argc, char **argv)
{
    static const struct option options[] = {{"queue", required_argument, NULL, 'q'},
                                            {"all", no_argument, NULL, 'a'},
                                            {"dry-run", no_argument, NULL, 'd'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"env-file", required_argument, NULL, 'e'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct dlq dlq = {.which = WHICH_COUNT};
    const char *env_file = NULL;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'h' || option == '?')
            return remote_usage(usage, option == 'h');
        take_option(&dlq, &env_file, option);
    }
    if (optind == argc)
        return remote_usage(usage, false);
    const struct verb *verb = find_verb(argv[optind]);
    dlq.ids = &argv[optind + 1];
    dlq.id_count = (size_t)(argc - optind - 1);
    return fits(&dlq, verb) ? run(&dlq, verb, env_file) : remote_usage(usage, false);
}
