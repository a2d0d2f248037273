/* Notices as rows: which are written, what supersedes them, how a try ends. Must not know how they
 * are sent, or when. What is read of them is in notices_read.c. */
#include "notices.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "rows.h"

/* Who hears of which state, a bit per recipient. A provider has made a confirmation or rejection,
 * and hears of the rest. */
static const unsigned TOLD[BOOKING_STATUSES] = {
    [BOOKING_PENDING] = 1U << TO_PROVIDER | 1U << TO_ENDPOINT,
    [BOOKING_CONFIRMED] = 1U << TO_USER | 1U << TO_ENDPOINT,
    [BOOKING_REJECTED] = 1U << TO_USER | 1U << TO_ENDPOINT,
    [BOOKING_CANCELLED] = 1U << TO_USER | 1U << TO_PROVIDER | 1U << TO_ENDPOINT,
};

/* Which channel leads to whom. */
static const unsigned REACHES[NOTICE_CHANNELS] = {
    [CHANNEL_MAIL] = 1U << TO_USER | 1U << TO_PROVIDER,
    [CHANNEL_WEBHOOK] = 1U << TO_ENDPOINT,
    [CHANNEL_SMS] = 1U << TO_USER | 1U << TO_PROVIDER,
};

static const char *const channel_names[] = {
    [CHANNEL_MAIL] = "mail", [CHANNEL_WEBHOOK] = "webhook", [CHANNEL_SMS] = "sms"};
static const char *const recipient_names[] = {
    [TO_USER] = "user", [TO_PROVIDER] = "provider", [TO_ENDPOINT] = "endpoint"};
static const char *const state_names[] = {[NOTICE_WAITING] = "waiting",
                                          [NOTICE_SENT] = "sent",
                                          [NOTICE_SUPERSEDED] = "superseded",
                                          [NOTICE_GIVEN_UP] = "given up"};

const char *notice_channel_name(enum notice_channel channel)
{
    return channel_names[channel];
}

bool notice_channel_parse(const char *name, enum notice_channel *channel)
{
    for (size_t i = 0; i < NOTICE_CHANNELS; i++)
        if (strcmp(name, channel_names[i]) == 0) {
            *channel = (enum notice_channel)i; /* within its range */
            return true;
        }
    return false;
}

const char *notice_recipient_name(enum notice_recipient recipient)
{
    return recipient_names[recipient];
}

const char *notice_state_name(enum notice_state state)
{
    return state_names[state];
}

/* Without a full stop: the signature of a webhook puts those between its parts. */
bool notice_of(const struct booking *booking, struct notice *notice)
{
    notice->status = booking->status;
    id_copy(notice->booking_id, booking->id);
    const int length = snprintf(notice->id, ID_SIZE, "%s_%s_%s_%s", booking->id,
                                booking_status_name(booking->status),
                                recipient_names[notice->recipient], channel_names[notice->channel]);
    return (TOLD[booking->status] & REACHES[notice->channel] & 1U << notice->recipient) != 0 &&
           length < ID_SIZE;
}

/* --- configured channels --- */

static bool read_channels(struct db *db, unsigned *channels, struct error *error)
{
    static const char SQL[] = "SELECT coalesce(sum(1 << channel), 0) FROM notice_channels";
    const struct row_query query = {SQL, BIND_NOTHING};
    int64_t mask = 0;
    bool found = false;
    if (!rows_read_one(db, &query, &(struct row_target){row_read_number, &mask, sizeof mask},
                       &found, error))
        return false;
    *channels = (unsigned)mask;
    return true;
}

static bool write_channels(struct db *db, unsigned channels, struct error *error)
{
    unsigned before = 0;
    if (!read_channels(db, &before, error))
        return false;
    if (before == channels)
        return true;
    if (!db_run(db, "DELETE FROM notice_channels", BIND_NOTHING, error))
        return false;
    for (int i = 0; i < NOTICE_CHANNELS; i++)
        if (channels & 1U << i &&
            !db_run(db, "INSERT INTO notice_channels (channel) VALUES (?)", BIND(db_int(i)), error))
            return false;
    return true;
}

bool notice_channels_set(struct db *db, unsigned channels, struct error *error)
{
    if (!db_begin(db, error))
        return false;
    if (write_channels(db, channels, error))
        return db_commit(db, error);
    db_rollback(db);
    return false;
}

/* --- with the state change --- */

/* Everything of a booking has an id from BOOKING_ up to the next character. */
static bool supersede(struct db *db, const char *booking_id, struct error *error)
{
    static const char SQL[] = "UPDATE notices SET state = 2 WHERE id >= ?1 || '_' AND"
                              " id < ?1 || '`' AND booking_id = ?1 AND state = 0";
    return db_run(db, SQL, BIND(db_text(booking_id)), error);
}

static bool insert(struct db *db, const struct notice *notice, struct error *error)
{
    static const char SQL[] =
        "INSERT INTO notices (id, booking_id, status, recipient, channel, actor, reason,"
        " created_ms, until_ms, due_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    return db_run(db, SQL,
                  BIND(db_text(notice->id), db_text(notice->booking_id), db_int(notice->status),
                       db_int(notice->recipient), db_int(notice->channel), db_text(notice->actor),
                       db_text(notice->reason), db_int(notice->created_ms),
                       db_int(notice->until_ms), db_int(notice->due_ms)),
                  error);
}

static bool has_address(const struct person *person, enum notice_channel channel)
{
    return channel == CHANNEL_MAIL ? *person->email : *person->phone;
}

static bool add(struct db *db, const struct notice_cause *cause, const struct person *person,
                struct notice notice, struct error *error)
{
    if (!notice_of(cause->booking, &notice) || (person && !has_address(person, notice.channel)))
        return true;
    (void)snprintf(notice.actor, sizeof notice.actor, "%s", cause->actor);
    (void)snprintf(notice.reason, sizeof notice.reason, "%s", cause->reason);
    notice.created_ms = notice.due_ms = cause->now_ms;
    notice.until_ms = cause->now_ms + NOTICE_KEEP_TRYING_MS;
    return insert(db, &notice, error);
}

static bool add_for(struct db *db, const struct notice_cause *cause,
                    enum notice_recipient recipient, unsigned channels, struct error *error)
{
    const bool is_user = recipient == TO_USER;
    struct person person = {0};
    bool found = false;
    if (recipient != TO_ENDPOINT &&
        !person_find(db, is_user ? PERSON_USER : PERSON_PROVIDER,
                     is_user ? cause->booking->user_id : cause->booking->provider_id, &person,
                     &found, error))
        return false;
    for (int i = 0; i < NOTICE_CHANNELS; i++) {
        const struct notice notice = {.recipient = recipient, .channel = (enum notice_channel)i};
        if (channels & 1U << i &&
            !add(db, cause, recipient == TO_ENDPOINT ? NULL : &person, notice, error))
            return false;
    }
    return true;
}

bool notices_add(struct db *db, const struct notice_cause *cause, struct error *error)
{
    unsigned channels = 0;
    const bool is_first = cause->booking->status == BOOKING_PENDING; /* nothing is older */
    if ((!is_first && !supersede(db, cause->booking->id, error)) ||
        !read_channels(db, &channels, error))
        return false;
    for (int i = 0; channels && i < NOTICE_RECIPIENTS; i++)
        if (TOLD[cause->booking->status] & 1U << i &&
            !add_for(db, cause, (enum notice_recipient)i, channels, error))
            return false;
    return true;
}

/* --- how a try ends --- */

/* What happened to a notice, for the history. */
static bool tell(struct db *db, const struct notice *notice, const char *event,
                 const struct notice_end *end, struct error *error)
{
    struct booking booking = {0};
    bool found = false;
    if (!intake_booking_find(db, notice->booking_id, &booking, &found, error))
        return false;
    struct audit_entry entry = {
        .at_ms = end->now_ms, .actor = "system", .from = notice->status, .to = notice->status};
    id_copy(entry.booking_id, notice->booking_id);
    id_copy(entry.provider_id, booking.provider_id);
    id_copy(entry.event_id, notice->id);
    (void)snprintf(entry.event, sizeof entry.event, "%s", event);
    (void)snprintf(entry.reason, sizeof entry.reason, "%s to %s, %s%s%s",
                   channel_names[notice->channel], recipient_names[notice->recipient],
                   booking_status_name(notice->status), *end->reason ? ": " : "", end->reason);
    return audit_append(db, &entry, error);
}

bool notice_finish(struct db *db, const struct notice *notice, const struct notice_end *end,
                   struct error *error)
{
    static const char SQL[] =
        "UPDATE notices SET attempts = attempts + 1, doubts = doubts - ?2, due_ms = ?3,"
        " state = CASE WHEN state = 0 OR ?4 = 1 THEN ?4 ELSE state END"
        " WHERE sequence = ?1 RETURNING state, attempts";
    struct db_rows rows AUTO(db_rows_release) = {0};
    bool found = false;
    const bool known = end->untaken || end->state == NOTICE_SENT;
    if (!db_query(
            db, SQL,
            BIND(db_int(notice->sequence), db_int(known), db_int(end->due_ms), db_int(end->state)),
            &rows, error) ||
        !db_next(&rows, &found, error))
        return false;
    const bool stands = found && db_column_int(&rows, 0) == end->state;
    const bool first = found && db_column_int(&rows, 1) == 1;
    db_rows_release(&rows);
    if (!stands || (end->state == NOTICE_WAITING && !first))
        return true;
    static const char *const events[NOTICE_STATES] = {[NOTICE_WAITING] = "NOTICE_FAILED",
                                                      [NOTICE_SENT] = "NOTICE_SENT",
                                                      [NOTICE_GIVEN_UP] = "NOTICE_GIVEN_UP"};
    return tell(db, notice, events[end->state], end, error);
}

bool notice_begin(struct db *db, const struct notice *notice, int64_t now_ms, struct letter *letter,
                  bool *begun, struct error *error)
{
    if (now_ms >= notice->until_ms) {
        *begun = false;
        return notice_finish(db, notice,
                             &(struct notice_end){.state = NOTICE_GIVEN_UP,
                                                  .due_ms = now_ms,
                                                  .now_ms = now_ms,
                                                  .reason = "its time is over"},
                             error);
    }
    if (!db_run(db, "UPDATE notices SET doubts = doubts + 1 WHERE sequence = ? AND state = 0",
                BIND(db_int(notice->sequence)), error))
        return false;
    *begun = db_changes(db) == 1;
    return !*begun || letter_read(db, notice, letter, error);
}

/* --- sent again --- */

/* Those that tell of the booking's state of today. What was sent keeps its mark in the doubts. */
bool notices_replay(struct db *db, const char *id, int64_t now_ms, int64_t *count,
                    struct error *error)
{
    static const char FIND[] = "SELECT count(*) FROM notices WHERE id = ?1 OR"
                               " (id >= ?1 || '_' AND id < ?1 || '`' AND booking_id = ?1)";
    static const char REPLAY[] =
        "UPDATE notices SET state = 0, attempts = 0, doubts = doubts + (state = 1), due_ms = ?2,"
        " until_ms = ?3 WHERE (id = ?1 OR (id >= ?1 || '_' AND id < ?1 || '`' AND booking_id = ?1))"
        " AND status = (SELECT status FROM bookings WHERE bookings.id = booking_id)";
    const struct row_query query = {FIND, BIND(db_text(id))};
    int64_t there = 0;
    bool found = false;
    if (!rows_read_one(db, &query, &(struct row_target){row_read_number, &there, sizeof there},
                       &found, error))
        return false;
    if (there == 0)
        return error_set(error, ERROR_NOT_FOUND, "No notice has this id, and no booking with it");
    if (!db_run(db, REPLAY,
                BIND(db_text(id), db_int(now_ms), db_int(now_ms + NOTICE_KEEP_TRYING_MS)), error))
        return false;
    *count = db_changes(db);
    return *count > 0 || error_set(error, ERROR_CONFLICT,
                                   "The booking has moved on: this notice would not be true");
}
