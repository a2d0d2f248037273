/* `bookflow audit INTAKE.db DECISION.db`: do copies of the two stores tell the same story? */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "convergence.h"
#include "decision_store.h"
#include "intake_store.h"
#include "json_fields.h"
#include "operator.h"
#include "remote.h"

static const char usage[] =
    "usage: bookflow audit INTAKE.db DECISION.db [--json]\n"
    "\n"
    "Checks copies of the two stores: files whole, hash chains whole, and every booking in the "
    "same\n"
    "state in both. Take them with both workers stopped (a -wal beside a store belongs to it), or\n"
    "while they run by `sqlite3 STORE '.backup COPY'`. A copy with a -wal beside it must lie "
    "where\n"
    "it may be written; others are read where they are and left as they are.\n"
    "\n"
    "Two copies are never of the same moment while the workers run: what was on its way then is\n"
    "counted as unsent, as lost or as unexpected. Try again with both stopped and the queues "
    "empty.\n"
    "\n"
    "Of the events of each direction:\n"
    "  attempted     were written\n"
    "  acknowledged  were taken by the queue\n"
    "  ok            were taken, and the receiver shows it\n"
    "  recovered     were not taken, or not at the first try, and the receiver shows it\n"
    "  lost          left the outbox, and the receiver does not show it: lost or still on its way\n"
    "  dropped       left the outbox without being taken: a store was changed or set back\n"
    "  unexpected    are known to the receiver, and the sender never wrote them\n"
    "  duplicated    had more than one effect\n"
    "\n"
    "Exit code: 0 converged; 1 not converged, or a damaged file; 2 wrong usage;\n"
    "78 a file that cannot be opened, is no such store, or is of another version.\n";

static struct db *open_copy(const char *path, const struct db_schema *schema,
                            const struct db_schema *other, struct error *error)
{
    struct error ignored = {0};
    struct db *db = db_open(path, DB_COPY, schema, error);
    if (db)
        return db;
    struct db *swapped AUTO(db_release) = db_open(path, DB_COPY, other, &ignored);
    if (swapped) {
        error_clear(error);
        (void)error_set(error, ERROR_CONFIGURATION,
                        "%s is the other worker's store; INTAKE.db comes first", path);
    }
    return NULL;
}

static void print_chain(const char *name, int64_t rows, int64_t broken_at)
{
    (void)printf("%s trail: %" PRId64 " rows, ", name, rows);
    if (broken_at == 0)
        (void)printf("chain whole\n");
    else
        (void)printf("CHAIN BROKEN at row %" PRId64 "\n", broken_at);
}

static void print_counts(const char *name, const struct convergence_counts *counts)
{
    (void)printf("%-13s %9" PRId64 " %12" PRId64 " %9" PRId64 " %9" PRId64 " %9" PRId64 " %9" PRId64
                 " %10" PRId64 " %10" PRId64 "\n",
                 name, counts->attempted, counts->acknowledged, counts->ok, counts->recovered,
                 counts->lost, counts->dropped, counts->unexpected, counts->duplicated);
}

static void print_count(const char *name, int64_t count, const char *first)
{
    (void)printf("%s: %" PRId64, name, count);
    if (first[0]) {
        (void)printf(", first ");
        remote_print(first, 0);
    }
    (void)printf("\n");
}

static void print_text(const struct convergence *result)
{
    print_chain("intake", result->intake_audit_rows, result->intake_broken_at);
    print_chain("decision", result->decision_audit_rows, result->decision_broken_at);
    (void)printf("%-13s attempted acknowledged        ok recovered      lost   dropped unexpected"
                 " duplicated\n",
                 "events");
    print_counts("requests", &result->requests);
    print_counts("confirmations", &result->confirmations);
    print_count("bookings", result->bookings, "");
    print_count("differing", result->differing, result->first_differing);
    print_count("not in the state their trail ends in", result->untold, "");
    print_count("steps that go down or do not follow", result->moved_down, "");
    print_count("slots booked twice", result->double_booked, result->first_double_booked);
    print_count("unsent", result->unsent, "");
    print_count("parked", result->parked, "");
    if (result->requests.lost + result->confirmations.lost > 0)
        (void)printf("lost, or still on its way: what a queue holds, the stores do not tell\n");
    if (result->first_troubled[0]) {
        (void)printf("first booking to look at: ");
        remote_print(result->first_troubled, 0);
        (void)printf("\n");
    }
    (void)printf("converged: %s\n", result->converged ? "yes" : "no");
}

static json_t *counts_json(const struct convergence_counts *counts)
{
    return json_pack("{sI sI sI sI sI sI sI sI}", "attempted", (json_int_t)counts->attempted,
                     "acknowledged", (json_int_t)counts->acknowledged, "ok", (json_int_t)counts->ok,
                     "recovered", (json_int_t)counts->recovered, "lost", (json_int_t)counts->lost,
                     "dropped", (json_int_t)counts->dropped, "unexpected",
                     (json_int_t)counts->unexpected, "duplicated", (json_int_t)counts->duplicated);
}

static json_t *chain_json(int64_t rows, int64_t broken_at)
{
    return json_pack("{sI so}", "rows", (json_int_t)rows, "brokenAt",
                     broken_at ? json_integer(broken_at) : json_null());
}

static void print_json(const struct convergence *result)
{
    json_t *all = json_pack(
        "{so so so so sI sI so sI sI sI so sI sI so sb}", "intakeTrail",
        chain_json(result->intake_audit_rows, result->intake_broken_at), "decisionTrail",
        chain_json(result->decision_audit_rows, result->decision_broken_at), "requests",
        counts_json(&result->requests), "confirmations", counts_json(&result->confirmations),
        "bookings", (json_int_t)result->bookings, "differing", (json_int_t)result->differing,
        "firstDiffering", json_text_or_null(result->first_differing), "untold",
        (json_int_t)result->untold, "movedDown", (json_int_t)result->moved_down, "doubleBooked",
        (json_int_t)result->double_booked, "firstDoubleBooked",
        json_text_or_null(result->first_double_booked), "unsent", (json_int_t)result->unsent,
        "parked", (json_int_t)result->parked, "firstTroubled",
        json_text_or_null(result->first_troubled), "converged", result->converged);
    (void)json_dumpf(all, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    (void)printf("\n");
    json_decref(all);
}

static bool check(char *const paths[2], struct convergence *result, struct error *error)
{
    struct db *intake AUTO(db_release) =
        open_copy(paths[0], intake_schema(), decision_schema(), error);
    struct db *decision AUTO(db_release) =
        intake ? open_copy(paths[1], decision_schema(), intake_schema(), error) : NULL;
    if (!decision)
        return false;
    if (!db_verify(intake, error))
        return error_context(error, "%s", paths[0]);
    if (!db_verify(decision, error))
        return error_context(error, "%s", paths[1]);
    return convergence_check(intake, decision, result, error);
}

static int audit(char *const paths[2], bool as_json)
{
    struct convergence result = {0};
    struct error error = {0};
    if (!check(paths, &result, &error))
        return remote_fail(&error);
    if (as_json)
        print_json(&result);
    else
        print_text(&result);
    return result.converged ? EXIT_SUCCESS : EXIT_FAILURE;
}

int audit_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
    bool as_json = false;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'h' || option == '?')
            return remote_usage(usage, option == 'h');
        as_json = true;
    }
    return optind == argc - 2 ? audit(&argv[optind], as_json) : remote_usage(usage, false);
}
