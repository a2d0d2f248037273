/* A worker's process and its disk: how it starts, turns, and dies. */
#include "world_side.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "buf.h"
#include "invariants.h"
#include "world_post.h"

enum { SOON_MS = 100, LATE_MS = 40000, RECOVERY = 100, MAX_ATTEMPTS = 8 };

const char *const side_queues[SIDES] = {[INTAKE] = "request", [DECISION] = "confirmation"};

static const struct {
    const char *name;
    int role;
} kinds[SIDES] = {[INTAKE] = {"intake", ROLE_INTAKE}, [DECISION] = {"decision", ROLE_DECISION}};

/* --- its world --- */

int64_t side_wall_ms(const struct side *side)
{
    return world_wall_ms(&side->simulation->world) + side->wall_offset_ms;
}

static int64_t wall_ms(void *context)
{
    return side_wall_ms(context);
}

static int64_t ticks_ms(void *context)
{
    const struct side *side = context;
    return side->simulation->ticks_ms;
}

static void fill_by_chance(void *context, void *bytes, size_t length)
{
    const struct side *side = context;
    const struct world *world = &side->simulation->world;
    world->random(world->context, bytes, length);
}

static struct queue *open_queue(const char *url, const struct queue_host *host, struct error *error)
{
    const struct side *side = host->world->context;
    (void)error;
    return broker_open(side->simulation->broker, url, host);
}

struct side *side_new(struct simulation *simulation, int index,
                      const struct simulation_ground *ground)
{
    struct side *side = memory_new(1, sizeof *side);
    side->simulation = simulation;
    side->index = index;
    side->name = kinds[index].name;
    side->world = (struct world){wall_ms, ticks_ms, fill_by_chance, side};
    side->settings = (struct settings){
        .state_dir = memory_text(ground->folder),
        .request_url = memory_text(side_queues[INTAKE]),
        .confirmation_url = memory_text(side_queues[DECISION]),
        .max_attempts = MAX_ATTEMPTS,
        .fair_queues = true,
    };
    side->disk = disk_new(simulation->chance + (uint64_t)index, ground->honesty);
    side->vfs = sqlite3_vfs_find(NULL); /* a new disk is the default one */
    struct error error = {0};
    if (!template_put(ground->template, index, ground->folder, &error))
        (void)violated(simulation, WRONG_LOST, "%s", error.text);
    return side;
}

/* --- dying --- */

/* The world goes on without this process. Closing it is what the system does for a dead one: with
 * the disk out of reach nothing of it remains. */
static void bury(struct side *side)
{
    struct simulation *simulation = side->simulation;
    const bool cut = disk_is_off(side->disk);
    if (side->role)
        role_close(side->role);
    side->role = NULL;
    trail_add(simulation, "%s: %s", side->name, cut ? "the power is cut" : "killed");
    if (cut)
        disk_power_on(side->disk);
    disk_fail_after(side->disk, 0, SQLITE_OK, 0);
    simulation->counts.cuts += cut;
    simulation->counts.kills += !cut;
    side->armed = side->armed && !cut;
    side->killed = false;
    side->draining = false;
    side->start_ms =
        simulation->ticks_ms + between(simulation, 0, one_in(simulation, 30) ? LATE_MS : SOON_MS);
    if (!simulation->settling && one_in(simulation, 2)) /* once more, while it recovers */
        side_arm(side, between(simulation, 1, RECOVERY));
}

static bool is_dead(const struct side *side)
{
    return side->killed || disk_is_off(side->disk);
}

/* --- living --- */

static void cannot_start(struct side *side, const struct error *error)
{
    if (is_dead(side)) {
        bury(side);
        return;
    }
    trail_add(side->simulation, "%s: does not start: %s", side->name, error->text);
    if (!side->refusing)
        (void)violated(side->simulation, WRONG_LOST, "%s does not start: %s", side->name,
                       error->text);
    side->refusing = false;
    disk_fail_after(side->disk, 0, SQLITE_OK, 0);
}

static void start(struct side *side)
{
    struct error error = {0};
    const struct role_host host = {
        .settings = &side->settings,
        .world = &side->world,
        .open_queue = open_queue,
        .channels = post_channels(side->simulation->post),
        .single_threaded = true,
    };
    (void)sqlite3_vfs_register(side->vfs, true); /* what is opened now is on this disk */
    side->role = role_open(kinds[side->index].role, &host, &error);
    if (!side->role) {
        cannot_start(side, &error);
        return;
    }
    trail_add(side->simulation, "%s: starts", side->name);
    invariants_started(side);
}

static void stop(struct side *side)
{
    trail_add(side->simulation, "%s: has drained", side->name);
    role_close(side->role);
    side->role = NULL;
    side->draining = false;
    side->start_ms = side->simulation->ticks_ms + between(side->simulation, 0, SOON_MS);
    side->simulation->counts.drains++;
}

int64_t side_step(struct side *side)
{
    const int64_t now = side->simulation->ticks_ms;
    int64_t delay = 0;
    disk_set_time(side->disk, side_wall_ms(side));
    if (!side->role && now < side->start_ms)
        return side->start_ms - now;
    if (!side->role)
        start(side);
    if (side->role)
        delay = role_step(side->role);
    if (side->role && side->draining && role_drained(side->role))
        stop(side);
    if (is_dead(side))
        bury(side);
    return delay;
}

bool side_is_well(const struct side *side)
{
    return side->role && !side->draining && !is_dead(side);
}

/* --- bad luck --- */

void side_arm(struct side *side, int64_t operations)
{
    side->armed = true;
    disk_cut_after(side->disk, operations);
}

void side_disarm(struct side *side)
{
    side->armed = false;
    side->refusing = false;
    disk_cut_after(side->disk, 0);
    disk_fail_after(side->disk, 0, SQLITE_OK, 0);
}

void side_refuse(struct side *side, int64_t operations, int64_t times)
{
    trail_add(side->simulation, "%s: its disk will refuse %lld operations", side->name,
              (long long)times);
    side->refusing = true;
    side->simulation->counts.refusals++;
    disk_fail_after(side->disk, operations,
                    one_in(side->simulation, 2) ? SQLITE_FULL : SQLITE_IOERR, times);
}

void side_kill(struct side *side)
{
    side->killed = true;
    disk_fail_after(side->disk, 1, SQLITE_IOERR, INT64_MAX);
}

void side_drain(struct side *side)
{
    trail_add(side->simulation, "%s: drains", side->name);
    side->draining = true;
    role_drain(side->role);
}

void side_free(struct side *side)
{
    if (side->role)
        role_close(side->role);
    disk_free(side->disk);
    free(side->settings.state_dir);
    free(side->settings.request_url);
    free(side->settings.confirmation_url);
    free(side);
}
