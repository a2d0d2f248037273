/* What a dead process had written and not synced: once a reader has seen it, it stays, whatever the
 * power does. On the disk of the simulation, which loses what was not synced. */
#include "db.h"

#include <criterion/criterion.h>
#include <sqlite3.h>

#include "db_support.h"
#include "disk.h"

TestSuite(db_recovered, .init = enter_folder, .fini = leave_folder);

enum { SEEDS = 32, FOR_GOOD = 1000000 };

/* A commit whose last step, the sync, does not happen: every operation from there on fails, as for
 * a process that is killed, and the file stays as it is. */
static void die_before_the_sync(struct disk *disk, struct db *db)
{
    struct error error = {0};
    insert(db, 3); /* begins the WAL anew */
    const int64_t before = disk_operations(disk);
    insert(db, 1);
    disk_fail_after(disk, disk_operations(disk) - before, SQLITE_IOERR, FOR_GOOD);
    cr_assert_not(db_run(db, INSERT, BIND(db_int(2), db_text(NULL), db_text(NULL)), &error));
    db_close(db);
    disk_fail_after(disk, 0, SQLITE_OK, 0);
}

Test(db_recovered, what_was_seen_after_a_restart_survives_a_power_cut)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct disk *disk = disk_new(seed, DISK_HONEST);
        die_before_the_sync(disk, open_as("a.db", DB_WRITE));
        struct db *again = open_as("a.db", DB_WRITE);
        cr_assert_eq(number(again, COUNT), 3, "the commit was not in the WAL: nothing is tested");
        disk_cut(disk);
        db_close(again);
        disk_power_on(disk);
        struct db *last = open_as("a.db", DB_WRITE);
        cr_assert_eq(number(last, COUNT), 3, "seed %d: lost", (int)seed);
        db_close(last);
        disk_free(disk);
    }
}
