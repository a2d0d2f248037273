/* Stored answers of idempotency keys. Must not know HTTP. */
#include "idempotency.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

void digest_of(const void *data, size_t length, unsigned char out[DIGEST_SIZE])
{
    if (EVP_Digest(data, length, out, NULL, EVP_sha256(), NULL) != 1)
        abort(); /* only memory can fail it */
}

void idempotency_answer_release(struct idempotency_answer *answer)
{
    buf_release(&answer->location);
    buf_release(&answer->body);
}

static bool is_same_body(const struct db_rows *rows, const unsigned char body[DIGEST_SIZE])
{
    size_t length = 0;
    const void *kept = db_column_bytes(rows, 0, &length);
    return length == DIGEST_SIZE && memcmp(kept, body, DIGEST_SIZE) == 0;
}

static void read_answer(const struct db_rows *rows, struct idempotency_answer *answer)
{
    answer->status = (int)db_column_int(rows, 1); /* an HTTP status that we wrote from an int */
    buf_clear(&answer->location);
    buf_text_append(&answer->location, db_column_text(rows, 2));
    buf_clear(&answer->body);
    buf_text_append(&answer->body, db_column_text(rows, 3));
}

bool idempotency_find(struct db *db, const struct idempotency_key *key,
                      struct idempotency_answer *answer, bool *found, struct error *error)
{
    static const char SQL[] =
        "SELECT body, status, location, answer FROM idempotency WHERE scope = ? AND key = ?";
    struct db_rows rows AUTO(db_rows_release) = {0};
    bool any = false;
    if (!db_query(db, SQL, BIND(db_text(key->scope), db_text(key->key)), &rows, error) ||
        !db_next(&rows, &any, error))
        return false;
    if (any && !is_same_body(&rows, key->body)) {
        return error_set(error, ERROR_UNPROCESSABLE,
                         "Idempotency-Key was used before with another body");
    }
    if (any)
        read_answer(&rows, answer);
    *found = any;
    return true;
}

bool idempotency_keep(struct db *db, const struct idempotency_key *key,
                      const struct idempotency_answer *answer, int64_t now_ms, struct error *error)
{
    static const char SQL[] =
        "INSERT INTO idempotency (scope, key, body, status, location, answer, created_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)";
    return db_run(db, SQL,
                  BIND(db_text(key->scope), db_text(key->key), db_bytes(key->body, DIGEST_SIZE),
                       db_int(answer->status), db_text(buf_text(&answer->location)),
                       db_text(buf_text(&answer->body)), db_int(now_ms)),
                  error);
}

bool idempotency_prune(struct db *db, int64_t now_ms, int64_t maximum, struct error *error)
{
    static const char SQL[] =
        "DELETE FROM idempotency WHERE rowid IN"
        " (SELECT rowid FROM idempotency WHERE created_ms < ? ORDER BY created_ms LIMIT ?)";
    return db_run(db, SQL, BIND(db_int(now_ms - IDEMPOTENCY_KEEP_MS), db_int(maximum)), error);
}
