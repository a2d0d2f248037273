/* Idempotency keys: kept, replayed, refused, pruned. */
#include "idempotency.h"

#include <criterion/criterion.h>
#include <string.h>

#include "shared_store.h"

enum { NOW = 1000 };

static bool keep(struct db *db, const char *scope, const char *key, const char *body,
                 int64_t now_ms, struct error *error)
{
    struct idempotency_key whole = {.scope = scope, .key = key};
    struct idempotency_answer answer AUTO(idempotency_answer_release) = {.status = 201};
    digest_of(body, strlen(body), whole.body);
    buf_text_append(&answer.location, "/bookings/b-1");
    buf_printf(&answer.body, "{\"answer to\":\"%s\"}", body);
    return idempotency_keep(db, &whole, &answer, now_ms, error);
}

static bool find(struct db *db, const char *scope, const char *key, const char *body,
                 struct idempotency_answer *answer, bool *found, struct error *error)
{
    struct idempotency_key whole = {.scope = scope, .key = key};
    digest_of(body, strlen(body), whole.body);
    return idempotency_find(db, &whole, answer, found, error);
}

static bool is_kept(struct db *db, const char *scope, const char *key, const char *body)
{
    struct idempotency_answer answer AUTO(idempotency_answer_release) = {0};
    struct error error = {0};
    bool found = false;
    cr_assert(find(db, scope, key, body, &answer, &found, &error), "%s", error.text);
    return found;
}

Test(idempotency, digest_is_sha256)
{
    static const unsigned char ABC[] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea};
    static const unsigned char NOTHING[] = {0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14};
    unsigned char digest[DIGEST_SIZE];
    digest_of("abc", 3, digest);
    cr_assert(memcmp(digest, ABC, sizeof ABC) == 0);
    digest_of(NULL, 0, digest);
    cr_assert(memcmp(digest, NOTHING, sizeof NOTHING) == 0);
}

Test(idempotency, an_unknown_key_finds_nothing_and_leaves_the_answer_alone)
{
    struct shared_store store STORE;
    struct idempotency_answer answer AUTO(idempotency_answer_release) = {.status = 7};
    struct error error = {0};
    bool found = true;
    cr_assert(find(store.db, "scope", "key", "body", &answer, &found, &error), "%s", error.text);
    cr_assert_not(found);
    cr_assert_eq(answer.status, 7);
}

Test(idempotency, the_same_key_and_body_replay_the_answer)
{
    struct shared_store store STORE;
    struct idempotency_answer answer AUTO(idempotency_answer_release) = {0};
    struct error error = {0};
    bool found = false;
    cr_assert(keep(store.db, "scope", "key", "body", NOW, &error), "%s", error.text);
    for (size_t i = 0; i < 2; i++) { /* an answer that is full already is replaced */
        cr_assert(find(store.db, "scope", "key", "body", &answer, &found, &error), "%s",
                  error.text);
        cr_assert(found);
        cr_assert_eq(answer.status, 201);
        cr_assert_str_eq(buf_text(&answer.location), "/bookings/b-1");
        cr_assert_str_eq(buf_text(&answer.body), "{\"answer to\":\"body\"}");
    }
}

Test(idempotency, an_answer_without_body_and_location_is_kept_too)
{
    struct shared_store store STORE;
    struct idempotency_answer empty = {.status = 204};
    struct idempotency_answer answer AUTO(idempotency_answer_release) = {0};
    struct error error = {0};
    struct idempotency_key key = {.scope = "scope", .key = "key"};
    bool found = false;
    digest_of("", 0, key.body);
    cr_assert(idempotency_keep(store.db, &key, &empty, NOW, &error));
    cr_assert(find(store.db, "scope", "key", "", &answer, &found, &error));
    cr_assert(found);
    cr_assert_eq(answer.status, 204);
    cr_assert_str_eq(buf_text(&answer.location), "");
    cr_assert_str_eq(buf_text(&answer.body), "");
}

Test(idempotency, the_same_key_with_another_body_is_unprocessable)
{
    struct shared_store store STORE;
    struct idempotency_answer answer AUTO(idempotency_answer_release) = {.status = 7};
    struct error error = {0};
    bool found = true;
    cr_assert(keep(store.db, "scope", "key", "body", NOW, &error), "%s", error.text);
    cr_assert_not(find(store.db, "scope", "key", "Body", &answer, &found, &error));
    cr_assert_eq(error.kind, ERROR_UNPROCESSABLE);
    cr_assert_str_eq(error.text, "Idempotency-Key was used before with another body");
    cr_assert(found, "outputs stay as they were");
    cr_assert_eq(answer.status, 7);
}

Test(idempotency, scopes_do_not_see_each_other)
{
    struct shared_store store STORE;
    struct error error = {0};
    cr_assert(keep(store.db, "one", "key", "body", NOW, &error), "%s", error.text);
    cr_assert_not(is_kept(store.db, "other", "key", "body"));
    cr_assert(keep(store.db, "other", "key", "another body", NOW, &error), "%s", error.text);
    cr_assert(is_kept(store.db, "one", "key", "body"));
    cr_assert(is_kept(store.db, "other", "key", "another body"));
}

Test(idempotency, a_key_is_kept_once)
{
    struct shared_store store STORE;
    struct error error = {0};
    cr_assert(keep(store.db, "scope", "key", "body", NOW, &error), "%s", error.text);
    cr_assert_not(keep(store.db, "scope", "key", "body", NOW, &error));
    cr_assert_eq(error.kind, ERROR_CONFLICT);
}

Test(idempotency, pruning_takes_what_is_older_than_a_day_and_nothing_younger)
{
    struct shared_store store STORE;
    struct error error = {0};
    const int64_t later = NOW + IDEMPOTENCY_KEEP_MS;
    cr_assert(keep(store.db, "scope", "old", "body", NOW - 1, &error), "%s", error.text);
    cr_assert(keep(store.db, "scope", "a day", "body", NOW, &error), "%s", error.text);
    cr_assert(keep(store.db, "scope", "new", "body", NOW + 1, &error), "%s", error.text);
    cr_assert(idempotency_prune(store.db, later, 10, &error), "%s", error.text);
    cr_assert_not(is_kept(store.db, "scope", "old", "body"));
    cr_assert(is_kept(store.db, "scope", "a day", "body"));
    cr_assert(is_kept(store.db, "scope", "new", "body"));
}

Test(idempotency, pruning_takes_at_most_the_maximum_oldest_first)
{
    struct shared_store store STORE;
    struct error error = {0};
    const int64_t later = NOW + 10 + IDEMPOTENCY_KEEP_MS;
    cr_assert(keep(store.db, "scope", "second", "body", NOW + 1, &error), "%s", error.text);
    cr_assert(keep(store.db, "scope", "first", "body", NOW, &error), "%s", error.text);
    cr_assert(keep(store.db, "scope", "third", "body", NOW + 2, &error), "%s", error.text);
    cr_assert(idempotency_prune(store.db, later, 1, &error), "%s", error.text);
    cr_assert_eq(store_number(store.db, "SELECT count(*) FROM idempotency"), 2);
    cr_assert_not(is_kept(store.db, "scope", "first", "body"));
}
