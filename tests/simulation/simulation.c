/* A world's life: it is built, lived in for some hundred steps of bad luck, and left to settle. The
 * schedule is here; what each kind of bad luck is, is in the files beside it. */
#include "simulation.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "attempts.h"
#include "intake.h"
#include "invariants.h"
#include "people.h"
#include "world_letters.h"
#include "world_poison.h"
#include "world_post.h"
#include "world_side.h"
#include "world_weather.h"

enum { STEPS = 90, BURSTS = 220, BURST_STEPS = 24, SMALL_MS = 60, PRUNE_S = 1200 };

const char *const wrong_names[WRONGS] = {
    [NOTHING_WRONG] = "nothing",
    [WRONG_LOST] = "lost",
    [WRONG_STUCK] = "stuck",
    [WRONG_DIVERGED] = "diverged",
    [WRONG_MOVED_DOWN] = "moved down",
    [WRONG_DOUBLE_BOOKED] = "double-booked",
    [WRONG_TWO_EFFECTS] = "two effects",
};

/* --- chance, time, violations --- */

/* SplitMix64. */
static uint64_t next_chance(struct simulation *simulation)
{
    uint64_t mixed = (simulation->chance += UINT64_C(0x9E3779B97F4A7C15));
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94D049BB133111EB);
    return mixed ^ (mixed >> 31);
}

int64_t between(struct simulation *simulation, int64_t low, int64_t high)
{
    return world_between(&simulation->world, low, high);
}

bool one_in(struct simulation *simulation, int64_t many)
{
    return between(simulation, 1, many) == 1;
}

bool violated(struct simulation *simulation, enum wrong wrong, const char *format, ...)
{
    struct violation *violation = &simulation->violation;
    if (violation->wrong != NOTHING_WRONG)
        return false;
    violation->wrong = wrong;
    violation->step = simulation->step;
    va_list values;
    va_start(values, format);
    (void)vsnprintf(violation->text, sizeof violation->text, format, values);
    va_end(values);
    return false;
}

static int64_t wall_ms(void *context)
{
    const struct simulation *simulation = context;
    return EPOCH_S * INT64_C(1000) + simulation->ticks_ms;
}

static int64_t ticks_ms(void *context)
{
    const struct simulation *simulation = context;
    return simulation->ticks_ms;
}

static void fill_by_chance(void *context, void *bytes, size_t length)
{
    unsigned char *out = bytes;
    while (length > 0) {
        const uint64_t chance = next_chance(context);
        const size_t some = length < sizeof chance ? length : sizeof chance;
        memcpy(out, &chance, some);
        out += some;
        length -= some;
    }
}

/* --- one step --- */

static int64_t sooner(int64_t a, int64_t b)
{
    if (a < 0)
        return b;
    return b < 0 || a < b ? a : b;
}

/* Returns in how many ms somebody wants to go on. */
static int64_t step_sides(struct simulation *simulation)
{
    int64_t delay = -1;
    simulation->step++;
    simulation->counts.steps++;
    for (int i = 0; i < SIDES; i++) {
        delay = sooner(delay, side_step(simulation->sides[i]));
        invariants_look(simulation->sides[i]);
    }
    return delay;
}

/* Mostly a moment passes, sometimes as long as everybody waits for, rarely minutes. */
static void pass_time(struct simulation *simulation, int64_t delay)
{
    const int64_t dice = between(simulation, 1, 100);
    if (dice <= 60)
        simulation->ticks_ms += between(simulation, 0, SMALL_MS);
    else if (dice <= 97)
        simulation->ticks_ms += delay > 0 ? delay : 1;
    else
        simulation->ticks_ms += between(simulation, 1000, one_in(simulation, 4) ? 240000 : 40000);
}

static void live(struct simulation *simulation)
{
    for (int i = 0; i < STEPS && !simulation->violation.wrong; i++) {
        weather_step(simulation);
        people_step(simulation->people);
        pass_time(simulation, step_sides(simulation));
    }
}

/* --- coming to rest --- */

static bool is_at_rest(struct simulation *simulation)
{
    for (int i = 0; i < SIDES; i++) {
        struct side *side = simulation->sides[i];
        if (!side_is_well(side) || broker_depth(simulation->broker, side_queues[i]) > 0 ||
            writer_pending(role_worker(side->role)->writer) > 0)
            return false;
    }
    return invariants_is_sent(simulation->sides[INTAKE]) &&
           invariants_is_sent(simulation->sides[DECISION]);
}

/* Short steps while things move, then a jump over what is waited for. */
static bool burst(struct simulation *simulation)
{
    for (int i = 0; i < BURST_STEPS && !simulation->violation.wrong; i++) {
        const int64_t delay = step_sides(simulation);
        if (i >= 3 && is_at_rest(simulation))
            return true;
        simulation->ticks_ms += delay < 1 ? 1 : delay;
    }
    return false;
}

/* Until nothing is on its way any more. */
static void settle(struct simulation *simulation)
{
    static const int64_t jumps_s[] = {1, 5, 31, 31, 60, 300, 900};
    for (size_t i = 0; i < BURSTS && !simulation->violation.wrong; i++) {
        if (burst(simulation))
            return;
        simulation->ticks_ms += jumps_s[i % (sizeof jumps_s / sizeof *jumps_s)] * 1000;
    }
    for (int i = 0; i < SIDES; i++)
        if (!side_is_well(simulation->sides[i]))
            (void)violated(simulation, WRONG_STUCK, "the %s worker dies again and again",
                           simulation->sides[i]->name);
    (void)violated(simulation, WRONG_STUCK, "never at rest: %zu requests, %zu confirmations",
                   broker_depth(simulation->broker, side_queues[INTAKE]),
                   broker_depth(simulation->broker, side_queues[DECISION]));
}

static void settle_at(struct simulation *simulation, int64_t at_s)
{
    if (simulation->ticks_ms < at_s * 1000)
        simulation->ticks_ms = at_s * 1000;
    settle(simulation);
}

static void rest(struct simulation *simulation)
{
    const int64_t last_s = SLOT_FIRST_S + SLOTS * SLOT_EVERY_S;
    trail_add(simulation, "the weather is good, nobody asks for anything any more");
    weather_end(simulation);
    settle(simulation);
    settle_at(simulation, last_s);
    settle_at(simulation, last_s + INTAKE_EXPIRY_GRACE_S + 1);
    letters_redrive(simulation);
    settle(simulation);
    settle_at(simulation, simulation->ticks_ms / 1000 + 2); /* one more sweep */
    invariants_count_attempts(simulation);
    settle_at(simulation, (simulation->ticks_ms + ATTEMPTS_KEEP_MS) / 1000 + PRUNE_S);
    letters_end(simulation);
    invariants_end(simulation);
    post_end(simulation->post);
}

/* --- a world --- */

static void build(struct simulation *simulation, const struct simulation_ground *ground)
{
    simulation->chance = simulation->seed;
    simulation->world = (struct world){wall_ms, ticks_ms, fill_by_chance, simulation};
    simulation->broker = broker_new(&simulation->world);
    simulation->ledger = ledger_new();
    simulation->people = people_new(simulation);
    simulation->post = post_new(simulation);
    for (int i = 0; i < SIDES; i++)
        simulation->sides[i] = side_new(simulation, i, ground);
    poison_begin(simulation);
    weather_begin(simulation);
}

static void take_result(struct simulation *simulation, struct simulation_result *result)
{
    const struct broker_counts broker = broker_counts(simulation->broker);
    const int64_t *sends = broker.faults[BROKER_SEND]; /* what made them say it again */
    simulation->counts.duplicates =
        sends[FAULT_REPLY_LOST] + sends[FAULT_PARTIAL_LIES] + sends[FAULT_SHORT_REPLY];
    for (int i = 0; i < BROKER_CALLS; i++)
        simulation->counts.duplicates += broker.faults[i][FAULT_DUPLICATE];
    simulation->counts.redeliveries = broker.redelivered;
    simulation->counts.worlds = 1;
    uint64_t trace = broker_trace(simulation->broker) ^ (uint64_t)simulation->ticks_ms;
    for (int i = 0; i < SIDES; i++)
        trace = trace * UINT64_C(1099511628211) ^ disk_trace(simulation->sides[i]->disk);
    *result = (struct simulation_result){simulation->violation, simulation->counts,
                                         trace * UINT64_C(1099511628211) ^ next_chance(simulation)};
}

void simulation_run(uint64_t seed, const struct simulation_ground *ground, struct trail *trail,
                    struct simulation_result *result)
{
    struct simulation simulation = {.seed = seed, .trail = trail};
    build(&simulation, ground);
    live(&simulation);
    rest(&simulation);
    take_result(&simulation, result);
    for (int i = 0; i < SIDES; i++)
        side_free(simulation.sides[i]);
    poison_end();
    post_free(simulation.post);
    people_free(simulation.people);
    ledger_free(simulation.ledger);
    broker_free(simulation.broker);
}
