/* `bookflow doctor`: collects, judges, prints. */
#include "doctor.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "buf.h"
#include "json_fields.h"
#include "operator.h"
#include "remote.h"
#include "text.h"

static const char usage[] =
    "usage: bookflow doctor [--json] [--env-file FILE]\n"
    "\n"
    "Checks what a worker needs: configuration, credentials, both queues and their dead-letter\n"
    "queues, the clock, the worker at BOOKFLOW_URL (http://127.0.0.1:3000) and its store, and the\n"
    "files of the state directory. Changes nothing. One line a finding: ok, warn or FAIL, what to "
    "do,\n"
    "and in brackets the terraform setting that mends it.\n"
    "  --env-file FILE  read KEY=value lines; the real environment wins\n"
    "\n"
    "Exit code: 0 nothing FAILs; 1 something does; 2 wrong usage; 78 bad configuration.\n";

static const char *const words[] = {
    [VERDICT_OK] = "ok", [VERDICT_WARN] = "warn", [VERDICT_FAIL] = "FAIL"};

static void print_line(const struct finding *finding)
{
    (void)printf("%-4s  %s: ", words[finding->verdict], finding->about);
    remote_print(finding->text, 0);
    if (*finding->setting)
        (void)printf(" [%s]", finding->setting);
    (void)printf("\n");
}

/* Sentences of others may be cut in the middle of a letter. */
static json_t *safe_text(const char *text)
{
    struct buf safe AUTO(buf_release) = {0};
    text_display(&safe, text, strlen(text));
    return json_string(buf_text(&safe));
}

static json_t *finding_json(const struct finding *finding)
{
    return json_pack("{ss ss so so}", "verdict", words[finding->verdict], "about", finding->about,
                     "finding", safe_text(finding->text), "setting",
                     json_text_or_null(finding->setting));
}

/* Returns whether one of them is a FAIL. */
static bool print_findings(const struct findings *findings, bool as_json)
{
    json_t *all AUTO(json_release) = json_array();
    bool failed = false;
    for (size_t i = 0; i < findings->count; i++) {
        failed = failed || findings->items[i].verdict == VERDICT_FAIL;
        if (as_json)
            (void)json_array_append_new(all, finding_json(&findings->items[i]));
        else
            print_line(&findings->items[i]);
    }
    if (as_json) {
        (void)json_dumpf(all, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
        (void)printf("\n");
    }
    return failed;
}

static void judge_complaints(const struct config *config, const struct error *error,
                             struct findings *findings)
{
    const char *complaint = config ? config_complaint(config, 0) : NULL;
    if (!complaint)
        findings_add(findings, VERDICT_FAIL, "configuration", "%s", error->text);
    for (size_t i = 0; complaint; complaint = config_complaint(config, ++i))
        findings_add(findings, VERDICT_FAIL, "configuration", "%s", complaint);
}

static int examine(const char *env_file, bool as_json)
{
    struct error error = {0};
    struct findings findings = {0};
    struct doctor_facts facts = {0};
    bool misconfigured = false;
    struct queue_session session AUTO(queue_session_release) = {0};
    if (queue_session_open(&session, env_file, &error)) {
        doctor_collect(&session, &facts, &misconfigured);
        doctor_judge(&facts, &findings);
    } else {
        judge_complaints(session.config, &error, &findings);
        misconfigured = true;
    }
    const bool failed = print_findings(&findings, as_json);
    if (misconfigured)
        return error_policy(ERROR_CONFIGURATION)->exit_code;
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int doctor_main(int argc, char **argv)
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
    return optind == argc ? examine(env_file, as_json) : remote_usage(usage, false);
}
