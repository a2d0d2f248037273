/* What is read of notices: those that are due, those to be shown, and the letter that one makes. */
#include "notices.h"

#include <stdio.h>
#include <string.h>

#include "rows.h"

#define COLUMNS                                                                                    \
    "sequence, id, booking_id, status, recipient, channel, actor, reason, created_ms, until_ms,"   \
    " due_ms, state, attempts, doubts"

/* A number that stands for one of so many; false for any other. */
static bool read_choice(const struct db_rows *rows, int column, int count, int *choice)
{
    const int64_t value = db_column_int(rows, column);
    *choice = value >= 0 && value < count ? (int)value : 0;
    return *choice == value;
}

/* False for a row that notices_add() cannot have written. */
static bool read_notice(const struct db_rows *rows, struct notice *notice)
{
    int status = 0;
    int recipient = 0;
    int channel = 0;
    int state = 0;
    if (!read_choice(rows, 3, BOOKING_STATUSES, &status) ||
        !read_choice(rows, 4, NOTICE_RECIPIENTS, &recipient) ||
        !read_choice(rows, 5, NOTICE_CHANNELS, &channel) ||
        !read_choice(rows, 11, NOTICE_STATES, &state))
        return false;
    notice->sequence = db_column_int(rows, 0);
    notice->status = (enum booking_status)status; /* each within its range */
    notice->recipient = (enum notice_recipient)recipient;
    notice->channel = (enum notice_channel)channel;
    notice->state = (enum notice_state)state;
    notice->created_ms = db_column_int(rows, 8);
    notice->until_ms = db_column_int(rows, 9);
    notice->due_ms = db_column_int(rows, 10);
    notice->attempts = db_column_int(rows, 12);
    notice->doubts = db_column_int(rows, 13);
    return row_text(rows, 1, notice->id, sizeof notice->id) &&
           row_text(rows, 2, notice->booking_id, sizeof notice->booking_id) &&
           row_text(rows, 6, notice->actor, sizeof notice->actor) &&
           row_text(rows, 7, notice->reason, sizeof notice->reason);
}

static bool read_all(struct db *db, const struct row_query *query, struct notice notices[],
                     size_t *count, struct error *error)
{
    struct db_rows rows AUTO(db_rows_release) = {0};
    bool found = false;
    size_t read = 0;
    if (!db_query(db, query->sql, query->values, &rows, error) || !db_next(&rows, &found, error))
        return false;
    for (; found; read++) {
        if (!read_notice(&rows, &notices[read]))
            return error_set(error, ERROR_DAMAGED, "notice %lld is damaged",
                             (long long)db_column_int(&rows, 0));
        if (!db_next(&rows, &found, error))
            return false;
    }
    *count = read;
    return true;
}

bool notices_load(struct db *db, enum notice_channel channel, struct notice notices[],
                  size_t maximum, size_t *count, struct error *error)
{
    const struct row_query query = {
        "SELECT " COLUMNS
        " FROM notices WHERE state = 0 AND channel = ? ORDER BY due_ms, sequence LIMIT ?",
        BIND(db_int(channel), db_int((int64_t)maximum))};
    return read_all(db, &query, notices, count, error);
}

bool notices_list(struct db *db, const struct notice_filter *filter, struct notice notices[],
                  size_t *count, struct error *error)
{
    const struct db_value *values =
        BIND(db_int(filter->before ? filter->before : INT64_MAX), db_int((int64_t)filter->limit),
             db_text(filter->booking_id), db_int(filter->waiting));
    static const char OF_BOOKING[] =
        "SELECT " COLUMNS " FROM notices WHERE id >= ?3 || '_' AND id < ?3 || '`' AND"
        " booking_id = ?3 AND sequence < ?1 AND (state = 0 OR NOT ?4)"
        " ORDER BY sequence DESC LIMIT ?2";
    static const char WAITING[] =
        "SELECT " COLUMNS " FROM notices WHERE state = 0 AND sequence < ?1"
        " AND ?3 IS NULL AND ?4 ORDER BY sequence DESC LIMIT ?2";
    static const char ALL[] = "SELECT " COLUMNS " FROM notices WHERE sequence < ?1 AND ?3 IS NULL"
                              " AND NOT ?4 ORDER BY sequence DESC LIMIT ?2";
    const struct row_query query = {filter->booking_id ? OF_BOOKING
                                    : filter->waiting  ? WAITING
                                                       : ALL,
                                    values};
    return read_all(db, &query, notices, count, error);
}

/* Ids are opaque: without an entry in the directory one stands for the name. */
static bool read_person(struct db *db, enum person_kind kind, const char *id, struct person *person,
                        struct error *error)
{
    bool found = false;
    *person = (struct person){0};
    if (!person_find(db, kind, id, person, &found, error))
        return false;
    if (!found) {
        id_copy(person->id, id);
        id_copy(person->name, id);
    }
    return true;
}

/* Whether its mail may hold an invitation, which a cancel has to take back. */
static bool was_invited(struct db *db, const struct notice *notice, bool *invited,
                        struct error *error)
{
    struct booking confirmed = {.status = BOOKING_CONFIRMED};
    struct notice invitation = {.recipient = notice->recipient, .channel = notice->channel};
    id_copy(confirmed.id, notice->booking_id);
    *invited = false;
    if (notice->status != BOOKING_CANCELLED || !notice_of(&confirmed, &invitation))
        return true;
    const struct row_query query = {
        "SELECT count(*) FROM notices WHERE id = ? AND (state = 1 OR doubts > 0)",
        BIND(db_text(invitation.id))};
    int64_t count = 0;
    bool found = false;
    if (!rows_read_one(db, &query, &(struct row_target){row_read_number, &count, sizeof count},
                       &found, error))
        return false;
    *invited = count > 0;
    return true;
}

bool letter_read(struct db *db, const struct notice *notice, struct letter *letter,
                 struct error *error)
{
    bool found = false;
    letter->notice = *notice;
    if (!intake_booking_find(db, notice->booking_id, &letter->booking, &found, error))
        return false;
    if (!found)
        return error_set(error, ERROR_DAMAGED, "notice %s has no booking", notice->id);
    return read_person(db, PERSON_USER, letter->booking.user_id, &letter->user, error) &&
           read_person(db, PERSON_PROVIDER, letter->booking.provider_id, &letter->provider,
                       error) &&
           was_invited(db, notice, &letter->invited, error);
}

bool notice_pressure(struct db *db, struct notice_pressure *pressure, struct error *error)
{
    static const char SQL[] =
        "SELECT count(*), coalesce(min(created_ms), 0) FROM notices WHERE state = 0";
    struct db_rows rows AUTO(db_rows_release) = {0};
    bool found = false;
    if (!db_query(db, SQL, BIND_NOTHING, &rows, error) || !db_next(&rows, &found, error))
        return false;
    *pressure = (struct notice_pressure){.waiting = found ? db_column_int(&rows, 0) : 0,
                                         .oldest_ms = found ? db_column_int(&rows, 1) : 0};
    return true;
}
