/* The ledger of attempts, told as stories: a letter a step, and what the ledger says at its end. */
#include "attempts.h"

#include <criterion/criterion.h>
#include <string.h>

#include "shared_store.h"

enum { NOW = 1000 };

/* b = begin, l = look, f = failed, u = undo, d = done; a capital: by the next process ("other")
 * where that makes a difference. `before` is what the last b, l, B or L said. */
static const struct {
    const char *name, *story;
    struct attempt before;
    int64_t rows;
} STORIES[] = {
    {"a new message has no past", "b", {0, 0}, 1},
    {"a look at a new message writes nothing", "l", {0, 0}, 0},
    {"a failure counts", "bfb", {1, 0}, 1},
    {"failures add up", "bfbfbfl", {3, 0}, 1},
    {"done forgets", "bfbdl", {0, 0}, 0},
    {"done of the unknown is fine", "dl", {0, 0}, 0},
    {"undo of a first attempt leaves nothing", "bul", {0, 0}, 0},
    {"undo keeps earlier failures", "bfbul", {1, 0}, 1},
    {"undo keeps earlier crashes", "bBul", {0, 1}, 1},
    {"an undone attempt is no crash", "bfbuB", {1, 0}, 1},
    {"undo of the unknown is fine", "ul", {0, 0}, 0},
    {"an attempt of our own is no crash", "bb", {0, 0}, 1},
    {"a look at our own attempt is no crash", "bl", {0, 0}, 1},
    {"left running by another is a crash", "bB", {0, 1}, 1},
    {"a look counts the crash", "bL", {0, 1}, 1},
    {"a look counts it once", "bLL", {0, 1}, 1},
    {"looked at and begun it counts once", "bLB", {0, 1}, 1},
    {"crash after crash", "bBbB", {0, 3}, 1},
    {"a failure before another process is no crash", "bfB", {1, 0}, 1},
    {"failures and crashes are told apart", "bfbBfb", {2, 1}, 1},
};

static bool step(struct db *db, char letter, struct attempt *before, struct error *error)
{
    switch (letter) {
    case 'b':
        return attempts_begin(db, "m-1", "one", NOW, before, error);
    case 'B':
        return attempts_begin(db, "m-1", "other", NOW, before, error);
    case 'l':
        return attempts_look(db, "m-1", "one", before, error);
    case 'L':
        return attempts_look(db, "m-1", "other", before, error);
    case 'f':
        return attempts_failed(db, "m-1", error);
    case 'u':
        return attempts_undo(db, "m-1", error);
    default:
        return attempts_done(db, "m-1", error);
    }
}

Test(attempts, every_story_ends_with_the_right_counts)
{
    for (size_t i = 0; i < sizeof STORIES / sizeof STORIES[0]; i++) {
        struct shared_store store STORE;
        struct attempt before = {-1, -1};
        struct error error = {0};
        for (const char *letter = STORIES[i].story; *letter; letter++) {
            cr_assert(step(store.db, *letter, &before, &error), "%s: %s", STORIES[i].name,
                      error.text);
        }
        cr_assert_eq(before.failures, STORIES[i].before.failures, "%s: %d failures",
                     STORIES[i].name, (int)before.failures);
        cr_assert_eq(before.crashes, STORIES[i].before.crashes, "%s: %d crashes", STORIES[i].name,
                     (int)before.crashes);
        cr_assert_eq(store_number(store.db, "SELECT count(*) FROM attempts"), STORIES[i].rows, "%s",
                     STORIES[i].name);
    }
}

Test(attempts, messages_do_not_touch_each_other)
{
    struct shared_store store STORE;
    struct attempt before = {-1, -1};
    struct error error = {0};
    cr_assert(attempts_begin(store.db, "m-1", "one", NOW, &before, &error));
    cr_assert(attempts_begin(store.db, "m-2", "one", NOW, &before, &error));
    cr_assert(attempts_failed(store.db, "m-1", &error));
    cr_assert(attempts_undo(store.db, "m-1", &error));
    cr_assert(attempts_look(store.db, "m-2", "other", &before, &error));
    cr_assert_eq(before.failures, 0);
    cr_assert_eq(before.crashes, 1);
    cr_assert(attempts_done(store.db, "m-2", &error));
    cr_assert(attempts_look(store.db, "m-1", "one", &before, &error));
    cr_assert_eq(before.failures, 1);
    cr_assert_eq(before.crashes, 0);
}

Test(attempts, begin_notes_owner_and_time_of_the_latest_attempt)
{
    struct shared_store store STORE;
    struct attempt before = {0};
    struct error error = {0};
    cr_assert(attempts_begin(store.db, "m-1", "one", NOW, &before, &error));
    cr_assert(attempts_begin(store.db, "m-1", "other", NOW + 5, &before, &error));
    cr_assert_eq(store_number(store.db, "SELECT begun_ms FROM attempts"), NOW + 5);
    cr_assert_eq(store_number(store.db, "SELECT owner = 'other' FROM attempts"), 1);
}

Test(attempts, an_attempt_is_durable_with_its_transaction_and_gone_with_a_rolled_back_one)
{
    struct shared_store store STORE;
    struct attempt before = {0};
    struct error error = {0};
    cr_assert(db_begin(store.db, &error));
    cr_assert(attempts_begin(store.db, "m-1", "one", NOW, &before, &error));
    db_rollback(store.db);
    cr_assert_eq(store_number(store.db, "SELECT count(*) FROM attempts"), 0);
    cr_assert(db_begin(store.db, &error));
    cr_assert(attempts_begin(store.db, "m-1", "one", NOW, &before, &error));
    cr_assert(db_commit(store.db, &error));
    cr_assert_eq(store_number(store.db, "SELECT count(*) FROM attempts"), 1);
}

Test(attempts, a_row_whose_message_never_came_again_is_pruned_when_no_queue_can_still_have_it)
{
    struct shared_store store STORE;
    struct attempt before = {0};
    struct error error = {0};
    cr_assert(attempts_begin(store.db, "m-1", "one", NOW, &before, &error));
    cr_assert(attempts_begin(store.db, "m-2", "one", NOW, &before, &error));
    cr_assert(attempts_failed(store.db, "m-2", &error));
    cr_assert(attempts_begin(store.db, "m-2", "one", NOW + 1, &before, &error));
    cr_assert(attempts_prune(store.db, NOW + ATTEMPTS_KEEP_MS, 10, &error), "%s", error.text);
    cr_assert_eq(store_number(store.db, "SELECT count(*) FROM attempts"), 2);
    cr_assert(attempts_prune(store.db, NOW + ATTEMPTS_KEEP_MS + 1, 10, &error), "%s", error.text);
    cr_assert_eq(store_number(store.db, "SELECT count(*) FROM attempts"), 1);
    cr_assert_eq(store_number(store.db, "SELECT message_id = 'm-2' FROM attempts"), 1);
    cr_assert(attempts_begin(store.db, "m-3", "one", NOW, &before, &error));
    cr_assert(attempts_prune(store.db, NOW + ATTEMPTS_KEEP_MS + 2, 1, &error), "%s", error.text);
    cr_assert_eq(store_number(store.db, "SELECT count(*) FROM attempts"), 1, "no more than asked");
}

Test(attempts, a_store_that_fails_leaves_the_counts_alone)
{
    struct shared_store store STORE;
    struct attempt before = {4, 2};
    struct error error = {0};
    store_run(store.db, "DROP TABLE attempts");
    cr_assert_not(attempts_begin(store.db, "m-1", "one", NOW, &before, &error));
    cr_assert_not(attempts_look(store.db, "m-1", "one", &before, &error));
    cr_assert_not(attempts_failed(store.db, "m-1", &error));
    cr_assert_not(attempts_done(store.db, "m-1", &error));
    cr_assert_not(attempts_undo(store.db, "m-1", &error));
    cr_assert_not(attempts_prune(store.db, NOW, 10, &error));
    cr_assert_eq(before.failures, 4);
    cr_assert_eq(before.crashes, 2);
}
