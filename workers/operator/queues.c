/* `bookflow queues`: how much is in both queues, and how many dead letters. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "buf.h"
#include "json_fields.h"
#include "operator.h"
#include "queue_session.h"
#include "remote.h"

static const char usage[] =
    "usage: bookflow queues [--json] [--env-file FILE]\n"
    "\n"
    "Shows both queues: messages that wait, that are in a worker's hands, that are delayed, the "
    "age "
    "of\n"
    "the oldest that waits (SQS does not tell: -), and the dead letters (`bookflow dlq` shows "
    "them).\n"
    "Reads the environment as `bookflow serve all` does. What SQS counts is approximate.\n"
    "  --env-file FILE  read KEY=value lines; the real environment wins\n";

/* One line. Numbers below 0 are not known. */
struct depth {
    const char *name;
    struct buf own_name;
    struct queue_attributes attributes; /* its texts are gone */
    int64_t dead_letters;               /* -1 = there is no dead-letter queue */
};

static bool count_dead_letters(struct queue_session *session, const char *url, int64_t *count,
                               struct error *error)
{
    struct queue *queue AUTO(session_queue_release) = session_queue(session, url, error);
    struct queue_report report AUTO(queue_report_release) = {0};
    if (!queue || !session_report(session, queue, &report, error))
        return false;
    const struct queue_attributes *found = &report.attributes;
    *count = found->visible + found->in_flight + found->delayed;
    return true;
}

static bool measure(struct queue_session *session, enum which_queue which, struct depth *depth,
                    struct error *error)
{
    const char *url = which_queue_url(session, which);
    struct queue_report report AUTO(queue_report_release) = {0};
    struct queue *queue AUTO(session_queue_release) = session_queue(session, url, error);
    *depth = (struct depth){.name = which_queue_name(which), .dead_letters = -1};
    if (!queue || !session_report(session, queue, &report, error))
        return error_context(error, "%s queue", depth->name);
    queue_own_name(&depth->own_name, url);
    depth->attributes = report.attributes;
    const char *dead = report.attributes.dead_letter_url;
    return !*dead || count_dead_letters(session, dead, &depth->dead_letters, error) ||
           error_context(error, "dead-letter queue of the %s queue", depth->name);
}

static void print_text(const struct depth *depth)
{
    char age[AGE_SIZE];
    char dead[AGE_SIZE] = "-";
    if (depth->dead_letters >= 0)
        (void)snprintf(dead, sizeof dead, "%" PRId64, depth->dead_letters);
    (void)printf("%-12s  ", depth->name);
    remote_print(buf_text(&depth->own_name), 24);
    (void)printf("  %8" PRId64 "  %9" PRId64 "  %7" PRId64 "  %6s  %12s\n",
                 depth->attributes.visible, depth->attributes.in_flight, depth->attributes.delayed,
                 age_text(depth->attributes.visible ? depth->attributes.oldest_age_s : -1, age),
                 dead);
}

static json_t *number_or_null(int64_t number)
{
    return number < 0 ? json_null() : json_integer(number);
}

static json_t *depth_json(const struct depth *depth)
{
    const struct queue_attributes *found = &depth->attributes;
    return json_pack("{ss ss sI sI sI so so}", "queue", depth->name, "name",
                     buf_text(&depth->own_name), "visible", (json_int_t)found->visible, "inFlight",
                     (json_int_t)found->in_flight, "delayed", (json_int_t)found->delayed,
                     "oldestAgeSeconds", number_or_null(found->oldest_age_s), "deadLetters",
                     number_or_null(depth->dead_letters));
}

static void print_all(const struct depth depths[WHICH_COUNT], bool as_json)
{
    json_t *all AUTO(json_release) = json_array();
    if (!as_json)
        (void)printf("QUEUE         NAME                       VISIBLE  IN FLIGHT  DELAYED  OLDEST"
                     "  DEAD LETTERS\n");
    for (int which = 0; which < WHICH_COUNT; which++)
        if (as_json)
            (void)json_array_append_new(all, depth_json(&depths[which]));
        else
            print_text(&depths[which]);
    if (as_json) {
        (void)json_dumpf(all, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
        (void)printf("\n");
    }
}

static int show(const char *env_file, bool as_json)
{
    struct error error = {0};
    struct depth depths[WHICH_COUNT] = {0};
    struct queue_session session AUTO(queue_session_release) = {0};
    if (!queue_session_open(&session, env_file, &error))
        return queue_session_fail(&session, &error);
    bool good = true;
    for (int which = 0; which < WHICH_COUNT; which++)
        good = good && measure(&session, (enum which_queue)which, &depths[which], &error);
    if (good)
        print_all(depths, as_json);
    for (int which = 0; which < WHICH_COUNT; which++)
        buf_release(&depths[which].own_name);
    return good ? EXIT_SUCCESS : remote_fail(&error);
}

int queues_main(int argc, char **argv)
{
    static const struct option options[] = {{"env-file", required_argument, NULL, 'e'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    const char *env_file = NULL;
    bool as_json = false;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'h' || option == '?')
            return remote_usage(usage, option == 'h');
        env_file = option == 'e' ? optarg : env_file;
        as_json = as_json || option == 'j';
    }
    return optind == argc ? show(env_file, as_json) : remote_usage(usage, false);
}
