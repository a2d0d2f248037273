/* The messages of the embedded queues as rows, one SQL statement for each thing that SQS does.
 * Knows nothing of calls, threads and long polls.
 *
 * visible_ms (wall time) is the one column that orders and hides: a message is visible when it is
 * not in the future. The index holds all that picking and counting ask for, so neither reads
 * bodies. A message given back at once returns to its place (visible_ms = sent_ms); one whose time
 * ran out queues up behind what was sent meanwhile, so neither starves the other.
 *
 * One thing that SQS does is left out on purpose: its retention, which drops old messages without a
 * word. Here a message stays until it is deleted or moved to the dead-letter queue. */
#include "embedded_messages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SHUFFLE_WINDOW = 100, /* a shuffled receive picks from so many */
    SHUFFLE_LATE_ONE_IN = 8,
    CHAOS_LATE_MS = 5000, /* how late a late or a repeated message comes at most */
    TOKEN_BYTES = 16
};

/* Recipe for a change: append a migration, never edit one; rows of the older form may be there.
 * attributes: name NUL value NUL, repeated. receipt: sequence "." random hex, NULL until received.
 */
static const char create_message[] =
    "CREATE TABLE message ("
    " sequence INTEGER PRIMARY KEY AUTOINCREMENT,"
    " queue TEXT NOT NULL,"
    " id TEXT NOT NULL,"
    " sent_ms INTEGER NOT NULL,"
    " visible_ms INTEGER NOT NULL,"
    " receive_count INTEGER NOT NULL DEFAULT 0,"
    " repeated INTEGER NOT NULL DEFAULT 0,"
    " receipt TEXT,"
    " attributes BLOB NOT NULL,"
    " body TEXT NOT NULL"
    ") STRICT;"
    "CREATE INDEX message_by_visibility"
    " ON message (queue, visible_ms, sequence, sent_ms, receive_count);";

static const struct db_migration migrations[] = {{.parts = {create_message}}};

const struct db_schema messages_schema = {
    .application_id = 0x424B5155, /* "BKQU" */
    .migrations = migrations,
    .count = sizeof(migrations) / sizeof(migrations[0]),
};

/* SplitMix64, for the seeds of tests: good enough to shuffle, never for a receipt. */
static void seeded_random(void *context, void *bytes, size_t length)
{
    struct messages *messages = context;
    unsigned char *out = bytes;
    for (size_t i = 0; i < length; i++) {
        messages->seed += 0x9E3779B97F4A7C15U;
        uint64_t mixed = messages->seed;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9U;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBU;
        out[i] = (unsigned char)((mixed ^ (mixed >> 31)) & 0xFF);
    }
}

void messages_init(struct messages *messages, const struct embedded_options *options,
                   const struct world *world)
{
    const int64_t seed = options->number[NUMBER_SEED];
    *messages = (struct messages){.options = options, .world = world, .chance = *world};
    if (seed < 0)
        return;
    messages->seed = (uint64_t)seed;
    messages->chance.random = seeded_random;
    messages->chance.context = messages;
}

void messages_pack(struct buf *packed, const struct queue_attribute *attributes)
{
    for (; attributes && attributes->name; attributes++) {
        buf_append(packed, attributes->name, strlen(attributes->name) + 1);
        buf_append(packed, attributes->value, strlen(attributes->value) + 1);
    }
}

static int64_t late_by(struct messages *messages)
{
    if (!messages->options->number[NUMBER_SHUFFLE] ||
        world_between(&messages->chance, 1, SHUFFLE_LATE_ONE_IN) != 1)
        return 0;
    return world_between(&messages->chance, 1, CHAOS_LATE_MS);
}

bool messages_send(struct messages *messages, struct db *db, const struct message_sending *sending,
                   char id[ID_SIZE], struct error *error)
{
    static const char sql[] = "INSERT INTO message (queue, id, sent_ms, visible_ms, attributes,"
                              " body) VALUES (?, ?, ?, ?, ?, ?)";
    const int64_t now = world_wall_ms(messages->world);
    const int64_t visible = now + sending->delay_s * 1000 + late_by(messages);
    const struct buf *packed = sending->packed;
    id_new(messages->world, id);
    return db_run(db, sql,
                  BIND(db_text(sending->queue), db_text(id), db_int(now), db_int(visible),
                       db_bytes(buf_text(packed), packed->length), db_text(sending->body)),
                  error);
}

struct candidate {
    int64_t sequence;
    int64_t receive_count;
};

struct candidates {
    size_t count;
    struct candidate list[SHUFFLE_WINDOW];
};

static bool find_visible(const struct messages *messages, struct db *db, int64_t now,
                         struct candidates *found, struct error *error)
{
    static const char sql[] = "SELECT sequence, receive_count FROM message"
                              " WHERE queue = ? AND visible_ms <= ?"
                              " ORDER BY visible_ms, sequence LIMIT ?";
    const bool shuffle = messages->options->number[NUMBER_SHUFFLE];
    struct db_rows rows AUTO(db_rows_release) = {0};
    if (!db_query(db, sql,
                  BIND(db_text(messages->options->name), db_int(now),
                       db_int(shuffle ? SHUFFLE_WINDOW : QUEUE_BATCH)),
                  &rows, error))
        return false;
    bool more = true;
    for (found->count = 0; more; found->count += more) {
        if (!db_next(&rows, &more, error))
            return false;
        if (more)
            found->list[found->count] =
                (struct candidate){db_column_int(&rows, 0), db_column_int(&rows, 1)};
    }
    return true;
}

static void shuffle(struct messages *messages, struct candidates *found)
{
    for (size_t i = found->count; messages->options->number[NUMBER_SHUFFLE] && i > 1; i--) {
        const size_t other = (size_t)world_between(&messages->chance, 0, (int64_t)i - 1);
        const struct candidate kept = found->list[i - 1];
        found->list[i - 1] = found->list[other];
        found->list[other] = kept;
    }
}

static bool move_to_dead_letter(const struct messages *messages, struct db *db, int64_t sequence,
                                struct error *error)
{
    static const char sql[] = "UPDATE message SET queue = ?, visible_ms = ?, receive_count = 0,"
                              " receipt = NULL WHERE sequence = ?";
    return db_run(db, sql,
                  BIND(db_text(messages->options->dead_letter),
                       db_int(world_wall_ms(messages->world)), db_int(sequence)),
                  error);
}

static void new_receipt(const struct messages *messages, int64_t sequence, char out[RECEIPT_SIZE])
{
    unsigned char token[TOKEN_BYTES] = {0};
    messages->world->random(messages->world->context, token, sizeof(token));
    int length = snprintf(out, RECEIPT_SIZE, "%lld.", (long long)sequence);
    for (size_t i = 0; i < sizeof(token); i++)
        length += snprintf(out + length, RECEIPT_SIZE - (size_t)length, "%02x", token[i]);
}

static void read_received(const struct db_rows *row, struct message_received *received)
{
    size_t length = 0;
    const char *body = db_column_text(row, 1);
    received->body_length = strlen(body);
    buf_append(&received->text, body, received->body_length + 1);
    const void *packed = db_column_bytes(row, 2, &length);
    buf_append(&received->text, packed, length);
    id_copy(received->id, db_column_text(row, 0));
    received->receive_count = db_column_int(row, 3);
    received->sent_ms = db_column_int(row, 4);
}

static bool take(const struct messages *messages, struct db *db, int64_t sequence,
                 struct message_receiving *receiving, struct error *error)
{
    static const char sql[] = "UPDATE message SET receive_count = receive_count + 1,"
                              " visible_ms = ?, receipt = ? WHERE sequence = ?"
                              " RETURNING id, body, attributes, receive_count, sent_ms";
    struct message_received *received = &receiving->received[receiving->count];
    const int64_t visible = world_wall_ms(messages->world) + receiving->visibility_s * 1000;
    struct db_rows rows AUTO(db_rows_release) = {0};
    new_receipt(messages, sequence, received->receipt);
    bool found = false;
    if (!db_query(db, sql, BIND(db_int(visible), db_text(received->receipt), db_int(sequence)),
                  &rows, error) ||
        !db_next(&rows, &found, error))
        return false;
    if (found) {
        read_received(&rows, received);
        receiving->count++;
    }
    return true;
}

static bool take_or_move(const struct messages *messages, struct db *db,
                         const struct candidate *candidate, struct message_receiving *receiving,
                         struct error *error)
{
    const int64_t maximum = messages->options->number[NUMBER_MAX_RECEIVES];
    if (maximum == 0 || candidate->receive_count < maximum)
        return take(messages, db, candidate->sequence, receiving, error);
    receiving->moved = true;
    return move_to_dead_letter(messages, db, candidate->sequence, error);
}

static bool find_next(const struct messages *messages, struct db *db, int64_t now, int64_t *next_ms,
                      struct error *error)
{
    static const char sql[] =
        "SELECT MIN(visible_ms) FROM message WHERE queue = ? AND visible_ms > ?";
    struct db_rows rows AUTO(db_rows_release) = {0};
    bool found = false;
    if (!db_query(db, sql, BIND(db_text(messages->options->name), db_int(now)), &rows, error) ||
        !db_next(&rows, &found, error))
        return false;
    *next_ms = !found || db_column_is_null(&rows, 0) ? INT64_MAX : db_column_int(&rows, 0);
    return true;
}

bool messages_receive(struct messages *messages, struct db *db, struct message_receiving *receiving,
                      struct error *error)
{
    const int64_t now = world_wall_ms(messages->world);
    struct candidates found = {0};
    do { /* again when all that was found went to the dead-letter queue */
        if (!find_visible(messages, db, now, &found, error))
            return false;
        shuffle(messages, &found);
        for (size_t i = 0; i < found.count && receiving->count < receiving->maximum; i++)
            if (!take_or_move(messages, db, &found.list[i], receiving, error))
                return false;
    } while (found.count > 0 && receiving->count == 0);
    return receiving->count > 0 || find_next(messages, db, now, &receiving->next_ms, error);
}

void message_receiving_release(struct message_receiving *receiving)
{
    for (size_t i = 0; i < QUEUE_BATCH; i++)
        buf_release(&receiving->received[i].text);
    receiving->count = 0;
}

void message_unpack(const struct message_received *received,
                    struct queue_attribute attributes[QUEUE_ATTRIBUTES_MAX + 1],
                    struct queue_message *out)
{
    const char *body = buf_text(&received->text);
    const char *packed = body + received->body_length + 1;
    const char *end = body + received->text.length;
    size_t count = 0;
    while (packed < end && count < QUEUE_ATTRIBUTES_MAX) {
        const char *value = packed + strlen(packed) + 1;
        attributes[count++] = (struct queue_attribute){packed, value};
        packed = value + strlen(value) + 1;
    }
    attributes[count] = (struct queue_attribute){0};
    *out = (struct queue_message){.id = received->id,
                                  .receipt = received->receipt,
                                  .body = body,
                                  .body_length = received->body_length,
                                  .attributes = attributes,
                                  .receive_count = received->receive_count,
                                  .sent_ms = received->sent_ms};
}

/* The row that a receipt names; its text is compared whole by every statement. */
static int64_t receipt_sequence(const char *receipt)
{
    return strtoll(receipt, NULL, 10);
}

/* Keeps a message for one more delivery. Not one that would be dead-lettered instead: a message
 * that was handled must not raise that alarm. */
static bool repeat(struct messages *messages, struct db *db, const char *receipt, bool *repeated,
                   struct error *error)
{
    static const char sql[] =
        "UPDATE message SET repeated = 1, visible_ms = ?, receipt = NULL WHERE sequence = ?"
        " AND receipt = ? AND queue = ? AND repeated = 0 AND receive_count < ?";
    const struct embedded_options *options = messages->options;
    const int64_t maximum = options->number[NUMBER_MAX_RECEIVES];
    const int64_t visible =
        world_wall_ms(messages->world) + world_between(&messages->chance, 0, CHAOS_LATE_MS);
    if (!db_run(db, sql,
                BIND(db_int(visible), db_int(receipt_sequence(receipt)), db_text(receipt),
                     db_text(options->name), db_int(maximum == 0 ? INT64_MAX : maximum)),
                error))
        return false;
    *repeated = db_changes(db) > 0;
    return true;
}

bool messages_delete(struct messages *messages, struct db *db, const char *receipt, bool *again,
                     struct error *error)
{
    static const char sql[] =
        "DELETE FROM message WHERE sequence = ? AND receipt = ? AND queue = ?";
    const int64_t percent = messages->options->number[NUMBER_DUPLICATE];
    *again = false;
    if (percent > 0 && world_between(&messages->chance, 1, 100) <= percent &&
        !repeat(messages, db, receipt, again, error))
        return false;
    return *again || db_run(db, sql,
                            BIND(db_int(receipt_sequence(receipt)), db_text(receipt),
                                 db_text(messages->options->name)),
                            error);
}

bool messages_hide(struct messages *messages, struct db *db, const struct queue_visibility *change,
                   bool *found, struct error *error)
{
    static const char sql[] =
        "UPDATE message SET visible_ms = iif(?1 > 0, ?2 + ?1, min(sent_ms, ?2))"
        " WHERE sequence = ?3 AND receipt = ?4 AND queue = ?5 AND visible_ms > ?2";
    if (!db_run(db, sql,
                BIND(db_int(change->visibility_s * 1000), db_int(world_wall_ms(messages->world)),
                     db_int(receipt_sequence(change->receipt)), db_text(change->receipt),
                     db_text(messages->options->name)),
                error))
        return false;
    *found = db_changes(db) > 0;
    return true;
}

bool messages_count(struct messages *messages, struct db *db, struct queue_attributes *attributes,
                    struct error *error)
{
    static const char sql[] = "SELECT count(*) FILTER (WHERE visible_ms <= ?2),"
                              " count(*) FILTER (WHERE visible_ms > ?2 AND receive_count > 0),"
                              " count(*) FILTER (WHERE visible_ms > ?2 AND receive_count = 0),"
                              " min(sent_ms) FILTER (WHERE visible_ms <= ?2)"
                              " FROM message WHERE queue = ?1";
    const struct embedded_options *options = messages->options;
    const int64_t now = world_wall_ms(messages->world);
    struct db_rows rows AUTO(db_rows_release) = {0};
    bool found = false;
    if (!db_query(db, sql, BIND(db_text(options->name), db_int(now)), &rows, error) ||
        !db_next(&rows, &found, error))
        return false;
    const bool any = !db_column_is_null(&rows, 3);
    *attributes = (struct queue_attributes){
        .visible = db_column_int(&rows, 0),
        .in_flight = db_column_int(&rows, 1),
        .delayed = db_column_int(&rows, 2),
        .oldest_age_s = any ? (now - db_column_int(&rows, 3)) / 1000 : 0,
        .visibility_s = options->number[NUMBER_VISIBILITY],
        .max_receives = options->number[NUMBER_MAX_RECEIVES],
        .has_dead_letter = options->dead_letter[0] != '\0',
    };
    return true;
}
