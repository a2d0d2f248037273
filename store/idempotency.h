/* Idempotency keys: the stored answer of a POST, kept in the transaction of its effect for
 * IDEMPOTENCY_KEEP_MS. */
#ifndef BOOKFLOW_IDEMPOTENCY_H
#define BOOKFLOW_IDEMPOTENCY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "db.h"

enum { IDEMPOTENCY_KEY_MAX = 255, DIGEST_SIZE = 32 };
#define IDEMPOTENCY_KEEP_MS (INT64_C(24) * 3600 * 1000)

/* SHA-256. */
void digest_of(const void *data, size_t length, unsigned char out[DIGEST_SIZE]);

struct idempotency_answer {
    int status;
    struct buf location; /* "" = none */
    struct buf body;
};
void idempotency_answer_release(struct idempotency_answer *answer);

/* Who asks for what under which key, with which body. */
struct idempotency_key {
    const char *scope; /* "POST /bookings", ... */
    const char *key;
    unsigned char body[DIGEST_SIZE];
};

/* Looks for an answer. The same key with another body is ERROR_UNPROCESSABLE. */
MUST_CHECK bool idempotency_find(struct db *db, const struct idempotency_key *key,
                                 struct idempotency_answer *answer, bool *found,
                                 struct error *error);

MUST_CHECK bool idempotency_keep(struct db *db, const struct idempotency_key *key,
                                 const struct idempotency_answer *answer, int64_t now_ms,
                                 struct error *error);

/* Deletes up to `maximum` keys older than IDEMPOTENCY_KEEP_MS. */
MUST_CHECK bool idempotency_prune(struct db *db, int64_t now_ms, int64_t maximum,
                                  struct error *error);

#endif
