/* Both stores in a folder of their own, each inside one open transaction, and a world that stands
 * still until it is moved: what the tests of the rules share. */
#ifndef BOOKFLOW_RULES_FIXTURE_H
#define BOOKFLOW_RULES_FIXTURE_H

#include <stdint.h>

#include "audit.h"
#include "db.h"
#include "event.h"
#include "world.h"

#define NOON (INT64_C(1771495200)) /* 2026-02-19T10:00:00Z */

struct rules {
    char folder[64];
    struct db *intake;
    struct db *decision;
    struct world world;
    int64_t now_ms;
    uint64_t seed;
};

/* With one slot, slot-1 of provider-1, from NOON to NOON + 1800; the clock an hour before. */
void rules_open(struct rules *rules);
void rules_close(struct rules *rules);

void rules_add_slot(struct rules *rules, const char *id, const char *provider, int64_t start_s);

/* The newest event of a store's outbox, through its JSON and back; false when the outbox is empty.
 */
bool rules_last_event(struct db *db, struct event *event);
int64_t rules_count(struct db *db, const char *sql);

/* The newest row of a booking's trail is this one; its sequence is not looked at. */
void rules_expect_step(struct db *db, const struct audit_entry *expected);

#endif
