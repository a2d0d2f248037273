/* Both stores, for the tests of the rules. */
#include "rules_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "decision_store.h"
#include "intake_store.h"
#include "outbox.h"

static int64_t still_ms(void *context)
{
    return ((struct rules *)context)->now_ms;
}

/* Repeatable, and good enough to make different ids. */
static void weak_random(void *context, void *bytes, size_t length)
{
    struct rules *rules = context;
    for (size_t i = 0; i < length; i++) {
        rules->seed = rules->seed * 6364136223846793005u + 1442695040888963407u;
        ((unsigned char *)bytes)[i] = (unsigned char)(rules->seed >> 56);
    }
}

static struct db *open_store(struct rules *rules, const char *name, const struct db_schema *schema)
{
    char path[128];
    struct error error = {0};
    (void)snprintf(path, sizeof path, "%s/%s", rules->folder, name);
    struct db *db = db_open(path, DB_WRITE, schema, &error);
    cr_assert(db, "%s", error.text);
    cr_assert(db_begin(db, &error), "%s", error.text);
    return db;
}

void rules_add_slot(struct rules *rules, const char *id, const char *provider, int64_t start_s)
{
    struct slot slot = {.start_s = start_s, .end_s = start_s + 1800};
    struct error error = {0};
    bool added = false;
    id_copy(slot.id, id);
    id_copy(slot.provider_id, provider);
    cr_assert(slot_add(rules->intake, &slot, &added, &error) && added, "%s", error.text);
}

void rules_open(struct rules *rules)
{
    *rules = (struct rules){.now_ms = (NOON - 3600) * 1000, .seed = 1};
    rules->world = (struct world){still_ms, still_ms, weak_random, rules};
    (void)snprintf(rules->folder, sizeof rules->folder, "/tmp/bookflow-rules-XXXXXX");
    cr_assert(mkdtemp(rules->folder));
    rules->intake = open_store(rules, "intake.db", intake_schema());
    rules->decision = open_store(rules, "decision.db", decision_schema());
    rules_add_slot(rules, "slot-1", "provider-1", NOON);
}

void rules_close(struct rules *rules)
{
    char command[128];
    db_rollback(rules->intake);
    db_rollback(rules->decision);
    db_close(rules->intake);
    db_close(rules->decision);
    (void)snprintf(command, sizeof command, "rm -rf %s", rules->folder);
    cr_assert(system(command) == 0);
}

bool rules_last_event(struct db *db, struct event *event)
{
    struct error error = {0};
    struct db_rows rows AUTO(db_rows_release) = {0};
    bool found = false;
    cr_assert(db_query(db, "SELECT body FROM outbox ORDER BY sequence DESC LIMIT 1", BIND_NOTHING,
                       &rows, &error) &&
                  db_next(&rows, &found, &error),
              "%s", error.text);
    if (found) {
        const char *body = db_column_text(&rows, 0);
        cr_assert(event_from_json(body, strlen(body), event, &error), "%s", error.text);
    }
    return found;
}

int64_t rules_count(struct db *db, const char *sql)
{
    struct error error = {0};
    struct db_rows rows AUTO(db_rows_release) = {0};
    bool found = false;
    cr_assert(db_query(db, sql, BIND_NOTHING, &rows, &error) && db_next(&rows, &found, &error) &&
                  found,
              "%s", error.text);
    return db_column_int(&rows, 0);
}

static void see_newest(void *context, const struct audit_entry *entry)
{
    *(struct audit_entry *)context = *entry;
}

void rules_expect_step(struct db *db, const struct audit_entry *expected)
{
    struct audit_entry newest = {0};
    struct error error = {0};
    cr_assert(audit_of_booking(db, expected->booking_id, see_newest, &newest, &error), "%s",
              error.text);
    cr_assert(newest.sequence > 0, "%s has no trail", expected->booking_id);
    cr_expect_eq(newest.at_ms, expected->at_ms, "%s: at %lld", expected->event,
                 (long long)newest.at_ms);
    cr_expect_str_eq(newest.provider_id, expected->provider_id, "%s", expected->event);
    cr_expect_str_eq(newest.actor, expected->actor, "%s by %s", expected->event, newest.actor);
    cr_expect_eq(newest.from, expected->from, "%s from %d", expected->event, (int)newest.from);
    cr_expect_eq(newest.to, expected->to, "%s to %d", expected->event, (int)newest.to);
    cr_expect_str_eq(newest.event, expected->event);
    cr_expect_str_eq(newest.reason, expected->reason, "%s: %s", expected->event, newest.reason);
    cr_expect_str_eq(newest.event_id, expected->event_id, "%s", expected->event);
}
