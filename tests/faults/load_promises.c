/* Holds the promises against the stores. Reads them with SQL of its own: the code that wrote a row
 * must not be what says that it is there. */
#include "load_promises.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "booking.h"
#include "buf.h"
#include "convergence.h"
#include "db.h"
#include "decision_store.h"
#include "intake_store.h"

enum { LINE_WORDS = 4 };

struct check {
    struct db *intake;
    struct db *decision;
    bool settled;
    struct promises_result *result;
};

void promise_booked(FILE *log, const char *id, const char *slot, const char *user)
{
    (void)fprintf(log, "booked %s %s %s\n", id, slot, user);
}

void promise_status(FILE *log, const char *side, const char *id, const char *status)
{
    (void)fprintf(log, "%s %s %s\n", side, id, status);
}

void promise_broken(FILE *log, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    (void)fputs("violation ", log);
    (void)vfprintf(log, format, values);
    (void)fputs("\n", log);
    va_end(values);
}

bool promises_kept(const struct promises_result *result)
{
    return result->lost + result->below + result->doubled + result->broken + result->damaged == 0;
}

/* Counts, and keeps the first for the report. */
static void found(struct check *check, int64_t *count, const char *what, const char *id)
{
    (*count)++;
    if (!*check->result->first)
        (void)snprintf(check->result->first, sizeof check->result->first, "%.100s: %.140s", what,
                       id);
}

struct stored {
    bool there;
    int status;
    char slot[ID_SIZE];
    char user[ID_SIZE];
};

static bool read_stored(struct db *db, const char *id, struct stored *stored, struct error *error)
{
    struct db_rows rows AUTO(db_rows_release) = {0};
    if (!db_query(db, "SELECT status, slot_id, user_id FROM bookings WHERE id = ?",
                  BIND(db_text(id)), &rows, error) ||
        !db_next(&rows, &stored->there, error))
        return false;
    if (!stored->there)
        return true;
    stored->status = (int)db_column_int(&rows, 0);
    (void)snprintf(stored->slot, sizeof stored->slot, "%s", db_column_text(&rows, 1));
    (void)snprintf(stored->user, sizeof stored->user, "%s", db_column_text(&rows, 2));
    return true;
}

static void compare_sides(struct check *check, const char *id, const struct stored *intake,
                          const struct stored *decision)
{
    if (!decision->there)
        found(check, &check->result->lost, "decision never heard of", id);
    else if (intake->there && decision->status != intake->status)
        found(check, &check->result->below, "the two stores differ about", id);
}

static bool check_booked(struct check *check, char *words[LINE_WORDS], struct error *error)
{
    struct stored intake = {0};
    struct stored decision = {0};
    check->result->bookings++;
    if (!read_stored(check->intake, words[1], &intake, error) ||
        !read_stored(check->decision, words[1], &decision, error))
        return false;
    if (!intake.there)
        found(check, &check->result->lost, "intake does not have the booking", words[1]);
    else if (strcmp(intake.slot, words[2]) != 0 || strcmp(intake.user, words[3]) != 0)
        found(check, &check->result->lost, "intake has another slot or user for", words[1]);
    if (check->settled)
        compare_sides(check, words[1], &intake, &decision);
    return true;
}

/* What was promised, or cancelled since. */
static bool keeps(const struct stored *stored, enum booking_status promised)
{
    return stored->status == (int)promised || stored->status == BOOKING_CANCELLED;
}

static bool check_status(struct check *check, char *words[LINE_WORDS], struct error *error)
{
    struct promises_result *result = check->result;
    const bool by_intake = strcmp(words[0], "intake") == 0;
    enum booking_status promised = BOOKING_PENDING;
    struct db *sides[] = {by_intake ? check->intake : check->decision,
                          by_intake ? check->decision : check->intake};
    result->statuses++;
    if (!booking_status_parse(words[2], &promised))
        return error_set(error, ERROR_INVALID, "log: no status is called %s", words[2]);
    for (size_t i = 0; i < (check->settled ? 2 : 1); i++) {
        struct stored stored = {0};
        if (!read_stored(sides[i], words[1], &stored, error))
            return false;
        if (!stored.there)
            found(check, &result->lost, "a decided booking is gone", words[1]);
        else if (!keeps(&stored, promised))
            found(check, &result->below, "is not what was answered", words[1]);
    }
    return true;
}

static size_t split(char *line, char *words[LINE_WORDS])
{
    size_t count = 0;
    for (char *word = strsep(&line, " \n"); word && count < LINE_WORDS; word = strsep(&line, " \n"))
        if (*word)
            words[count++] = word;
    return count;
}

static bool check_line(struct check *check, char *line, struct error *error)
{
    char *words[LINE_WORDS] = {0};
    if (strncmp(line, "violation ", 10) == 0) {
        found(check, &check->result->broken, "the client saw", line + 10);
        return true;
    }
    const size_t count = split(line, words);
    if (count == 4 && strcmp(words[0], "booked") == 0)
        return check_booked(check, words, error);
    if (count == 3 && (strcmp(words[0], "intake") == 0 || strcmp(words[0], "decision") == 0))
        return check_status(check, words, error);
    return error_set(error, ERROR_INVALID, "log: a line that is no promise: %s",
                     count ? words[0] : "");
}

static bool check_log(struct check *check, const char *path, struct error *error)
{
    FILE *log = fopen(path, "re");
    char *line AUTO(memory_release) = NULL;
    size_t size = 0;
    bool good = true;
    if (!log)
        return error_set(error, ERROR_NOT_FOUND, "%s cannot be read", path);
    while (good && getline(&line, &size, log) > 0)
        good = check_line(check, line, error);
    (void)fclose(log);
    return good;
}

/* The client gives every request a user of its own and every booking a slot. */
static bool check_doubled(struct check *check, struct error *error)
{
    struct db_rows rows AUTO(db_rows_release) = {0};
    bool another = true;
    if (!db_query(check->intake,
                  "SELECT 'user ' || user_id FROM bookings GROUP BY user_id HAVING count(*) > 1"
                  " UNION ALL SELECT 'slot ' || slot_id FROM bookings WHERE status < 2"
                  " GROUP BY slot_id HAVING count(*) > 1",
                  BIND_NOTHING, &rows, error))
        return false;
    while (another) {
        if (!db_next(&rows, &another, error))
            return false;
        if (another)
            found(check, &check->result->doubled, "booked twice", db_column_text(&rows, 0));
    }
    return true;
}

static bool check_chain(struct check *check, struct db *db, struct error *error)
{
    int64_t rows = 0;
    int64_t broken_at = 0;
    if (!audit_verify(db, &rows, &broken_at, error))
        return false;
    if (broken_at)
        found(check, &check->result->damaged, "an audit chain is broken",
              db == check->intake ? "intake" : "decision");
    return true;
}

/* The product's own judgement, beside ours. */
static bool check_convergence(struct check *check, struct error *error)
{
    struct convergence convergence = {0};
    if (!check->settled)
        return true;
    if (!convergence_check(check->intake, check->decision, &convergence, error))
        return false;
    if (!convergence.converged)
        found(check, &check->result->damaged, "the stores have not converged",
              convergence.first_troubled);
    return true;
}

bool promises_check(const struct promises_paths *paths, struct promises_result *result,
                    struct error *error)
{
    *result = (struct promises_result){0};
    struct db *intake AUTO(db_release) = db_open(paths->intake, DB_READ, intake_schema(), error);
    struct db *decision AUTO(db_release) =
        intake ? db_open(paths->decision, DB_READ, decision_schema(), error) : NULL;
    struct check check = {
        .intake = intake, .decision = decision, .settled = paths->settled, .result = result};
    return decision && check_log(&check, paths->log, error) && check_doubled(&check, error) &&
           check_chain(&check, intake, error) && check_chain(&check, decision, error) &&
           check_convergence(&check, error);
}
