/* Both stores in one uncommitted transaction each. Knows what the rules need to have something to
 * say about; must not know who asks them. */
#include "fuzz_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "decision.h"
#include "intake_store.h"

/* --- the writer --- */

/* The linker's name for what stands in front of writer_submit(). */
void __wrap_writer_submit(struct writer *writer, struct operation *operation);
void __wrap_writer_submit(struct writer *writer, struct operation *operation)
{
    operation->next = NULL;
    *(writer->first ? writer->end : &writer->first) = operation;
    writer->end = &operation->next;
}

static void must(bool done, const struct error *error)
{
    FUZZ_CHECK(done, "the store: %s", error->text);
}

static void run_one(struct db *db, struct operation *operation)
{
    struct error failure = {0};
    struct error error = {0};
    must(db_savepoint(db, &error), &error);
    const bool applied = operation->apply(operation, db, &failure);
    must(applied ? db_savepoint_keep(db, &error) : db_savepoint_undo(db, &error), &error);
    FUZZ_CHECK(applied == (failure.kind == ERROR_NONE), "applied, or failed and said why");
    operation->done(operation, applied ? NULL : &failure);
}

size_t fuzz_writer_run(struct writer *writer)
{
    size_t count = 0;
    while (writer->first) {
        struct operation *operation = writer->first;
        writer->first = operation->next;
        run_one(writer->db, operation);
        count++;
    }
    return count;
}

/* --- the stores --- */

/* The files go at once; open they live on. */
static void remove_files(const char *folder, const char *name)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal", ".lock"};
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        char path[512];
        (void)snprintf(path, sizeof path, "%s/%s%s", folder, name, suffixes[i]);
        (void)unlink(path);
    }
}

static struct db *open_store(const char *folder, const char *name, const struct db_schema *schema)
{
    char path[512];
    struct error error = {0};
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    struct db *db = db_open(path, DB_WRITE, schema, &error);
    must(db && db_begin(db, &error), &error);
    return db;
}

static void add_slot(struct db *db, const char *id, int64_t start_s)
{
    struct slot slot = {.start_s = start_s, .end_s = start_s + 1800, .provider_id = "provider-1"};
    struct error error = {0};
    bool added = false;
    id_copy(slot.id, id);
    must(slot_add(db, &slot, &added, &error), &error);
}

static void add_booking(struct fuzz_stores *stores)
{
    struct event event = {
        .type = EVENT_BOOKING_CREATED,
        .id = "event-2",
        .booking = {.id = "booking-2",
                    .user_id = "user-1",
                    .provider_id = "provider-1",
                    .slot_id = "slot-2",
                    .start_s = FUZZ_NOW_S + 7200,
                    .end_s = FUZZ_NOW_S + 9000},
        .at_s = FUZZ_NOW_S,
        .user_name = "Zoë",
    };
    struct slot slot = {0};
    struct error error = {0};
    bool found = false;
    enum consumer_effect effect = EFFECT_DUPLICATE;
    must(slot_find(stores->intake.db, "slot-2", &slot, &found, &error) && found, &error);
    must(intake_booking_add(stores->intake.db, &event.booking, slot.rowid, FUZZ_NOW_S, &error),
         &error);
    must(decision_hear(NULL, stores->decision.db, &event, FUZZ_NOW_S * INT64_C(1000), &effect,
                       &error),
         &error);
}

static void fill(struct fuzz_stores *stores)
{
    static const struct person zoe = {.id = "user-1", .name = "Zoë", .email = "z@example.org"};
    struct error error = {0};
    bool created = false;
    add_slot(stores->intake.db, "slot-0", FUZZ_NOW_S - 600);
    add_slot(stores->intake.db, "slot-1", FUZZ_NOW_S + 3600);
    add_slot(stores->intake.db, "slot-2", FUZZ_NOW_S + 7200);
    must(person_put(stores->intake.db, PERSON_USER, &zoe, &created, &error), &error);
    add_booking(stores);
}

static void open_stores(struct fuzz_stores *stores)
{
    const char *parent = getenv("TMPDIR");
    char folder[256];
    (void)snprintf(folder, sizeof folder, "%s/bookflow-fuzz-XXXXXX", parent ? parent : "/tmp");
    FUZZ_CHECK(mkdtemp(folder), "no folder %s", folder);
    stores->intake.db = open_store(folder, "intake.db", intake_schema());
    stores->decision.db = open_store(folder, "decision.db", decision_schema());
    remove_files(folder, "intake.db");
    remove_files(folder, "decision.db");
    (void)rmdir(folder);
    fill(stores);
}

struct fuzz_stores *fuzz_stores_begin(void)
{
    /* Opening a store takes longer than a hundred inputs: one for the process. */
    static struct fuzz_stores stores;
    struct error error = {0};
    if (!stores.intake.db)
        open_stores(&stores);
    stores.clock = (struct fuzz_clock){.seed = 1};
    stores.world = fuzz_world(&stores.clock);
    must(db_savepoint(stores.intake.db, &error) && db_savepoint(stores.decision.db, &error),
         &error);
    return &stores;
}

void fuzz_stores_undo(struct fuzz_stores *stores)
{
    struct error error = {0};
    must(db_savepoint_undo(stores->intake.db, &error) &&
             db_savepoint_undo(stores->decision.db, &error),
         &error);
}
