/* The proof about the network: each fault that a call to SQS can meet, against each call, on the
 * shipped courier, rules and stores. In every cell of that matrix two workers, dozens of bookings
 * and some poison go through a storm of the one fault and then through good weather, and must end
 * as if nothing had been. Beside it: poison in fair weather, a queue that gives up on messages and
 * is redriven, and bugs planted in the client, which the same matrix must find.
 *
 *   fault_network [SEED [CALL FAULT CHANCE]]    the numbers printed of a cell, to see it again */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "figure.h"
#include "network_plants.h"
#include "network_scene.h"

enum {
    REST_MS = 4 * 3600 * 1000,
    ALWAYS = 1000000, /* in a million */
    COPIES_MOST = 500000,
    RECEIVES_MOST = 1000, /* as many as SQS allows: that the queue gives up is a proof of its own */
    SEED = 20260219
};

struct cell {
    enum broker_call call;
    enum broker_fault fault; /* BROKER_FAULTS: fair weather */
    uint32_t chance;         /* in a million */
    uint64_t seed;
    enum plant plant;
};

/* A scene on the broker. */
struct stage {
    struct scene scene;
    struct broker *broker;
    struct cell cell;
};

struct proof {
    const char *folder;
    uint64_t seed;
    int64_t fired[BROKER_CALLS][BROKER_FAULTS];
    int64_t runs, bookings, events, redelivered, killed;
    int64_t violated;
};

/* --- a stage --- */

static struct queue *stage_open_queue(void *context, const char *name,
                                      const struct queue_host *host)
{
    struct stage *stage = context;
    return planted_queue(broker_open(stage->broker, name, host), stage->cell.plant);
}

static void stage_put(void *context, const char *name, const struct queue_entry *entry)
{
    broker_put(((struct stage *)context)->broker, name, entry);
}

static size_t stage_depth(void *context, const char *name)
{
    return broker_depth(((struct stage *)context)->broker, name);
}

static void stage_visit(void *context, const char *name, broker_visit_fn *visit, void *visitor)
{
    broker_visit(((struct stage *)context)->broker, name, visit, visitor);
}

/* Copies beget copies: there they must stay few. */
static void stage_storm(void *context, bool blows)
{
    struct stage *stage = context;
    const struct cell *cell = &stage->cell;
    const bool begets = cell->call == BROKER_RECEIVE && cell->fault == FAULT_DUPLICATE;
    struct broker_weather weather = {0};
    if (blows && cell->fault < BROKER_FAULTS)
        weather.chance[cell->call][cell->fault] =
            begets && cell->chance > COPIES_MOST ? COPIES_MOST : cell->chance;
    broker_set_weather(stage->broker, &weather);
}

static void stage_open(struct stage *stage, const struct proof *proof, struct cell cell)
{
    *stage = (struct stage){.cell = cell};
    stage->scene.queues = (struct scene_queues){.open = stage_open_queue,
                                                .put = stage_put,
                                                .depth = stage_depth,
                                                .visit = stage_visit,
                                                .storm = stage_storm,
                                                .context = stage};
    stage->scene.folder = proof->folder;
    stage->scene.seed = cell.seed;
    stage->scene.applies_twice = cell.plant == PLANT_APPLY_TWICE;
    stage->broker = broker_new(&stage->scene.world);
    broker_set_max_receives(stage->broker, RECEIVES_MOST);
    scene_open(&stage->scene);
}

static void stage_close(struct stage *stage)
{
    scene_close(&stage->scene);
    broker_free(stage->broker);
}

/* --- the matrix --- */

static const char *fault_name(enum broker_fault fault)
{
    return fault < BROKER_FAULTS ? broker_fault_name(fault) : "nothing";
}

static const char *plant_name(enum plant plant)
{
    static const char *const names[PLANTS] = {
        [PLANT_NONE] = "",
        [PLANT_DELETE_FIRST] = "deleted before handled, ",
        [PLANT_SENT_ANYWAY] = "sent although failed, ",
        [PLANT_APPLY_TWICE] = "duplicates applied, ",
        [PLANT_BURY_NOWHERE] = "dead letters dropped, ",
    };
    return names[plant];
}

static void account(struct proof *proof, const struct stage *stage)
{
    const struct broker_counts counts = broker_counts(stage->broker);
    for (enum broker_call call = 0; call < BROKER_CALLS; call++)
        for (enum broker_fault fault = 0; fault < BROKER_FAULTS; fault++)
            proof->fired[call][fault] += counts.faults[call][fault];
    proof->runs++;
    proof->bookings += (int64_t)stage->scene.promises_count;
    proof->events += stage->scene.events;
    proof->redelivered += counts.redelivered;
    proof->killed += stage->scene.killed;
}

/* True: nothing is wrong. */
static bool run_cell(struct proof *proof, struct cell cell, uint64_t *trace)
{
    struct stage stage;
    stage_open(&stage, proof, cell);
    scene_play(&stage.scene);
    const bool well = !stage.scene.violation[0];
    if (cell.plant == PLANT_NONE)
        account(proof, &stage);
    if (!well)
        (void)printf("%s%s%s x %s (%" PRIu64 " %d %d %u): %s\n",
                     cell.plant == PLANT_NONE ? "" : "found, planted: ", plant_name(cell.plant),
                     broker_call_name(cell.call), fault_name(cell.fault), cell.seed, (int)cell.call,
                     (int)cell.fault, cell.chance, stage.scene.violation);
    if (trace)
        *trace = broker_trace(stage.broker);
    stage_close(&stage);
    return well;
}

/* All cells once; how many are not well. Each round has a strength of its own. */
static int64_t run_matrix(struct proof *proof, int64_t round, enum plant plant, bool until_found)
{
    static const uint32_t chances[] = {900000, 600000, 250000};
    const uint32_t chance = chances[round % 3];
    const uint64_t seed = proof->seed + (uint64_t)round * 1000;
    int64_t violated = 0;
    for (enum broker_call call = 0; call < BROKER_CALLS; call++)
        for (enum broker_fault fault = 0; fault < BROKER_FAULTS; fault++) {
            const struct cell cell = {call, fault, chance, seed + (uint64_t)call * 100 + fault,
                                      plant};
            if (broker_fault_applies(call, fault))
                violated += !run_cell(proof, cell, NULL);
            if (until_found && violated > 0)
                return violated;
        }
    return violated;
}

/* A cell whose fault never came proves nothing. */
static int64_t print_fired(const struct proof *proof)
{
    int64_t silent = 0;
    for (enum broker_fault fault = 0; fault < BROKER_FAULTS; fault++) {
        (void)printf("%-14s", fault_name(fault));
        for (enum broker_call call = 0; call < BROKER_CALLS; call++) {
            const bool applies = broker_fault_applies(call, fault);
            if (applies)
                (void)printf(" %s %" PRId64, broker_call_name(call), proof->fired[call][fault]);
            silent += applies && proof->fired[call][fault] == 0;
        }
        (void)printf("\n");
    }
    return silent;
}

static int64_t cells(void)
{
    int64_t count = 0;
    for (enum broker_call call = 0; call < BROKER_CALLS; call++)
        for (enum broker_fault fault = 0; fault < BROKER_FAULTS; fault++)
            count += broker_fault_applies(call, fault);
    return count;
}

/* --- poison in fair weather --- */

/* All is where it belongs within two seconds: the poison buried, its neighbours at their goal. */
static bool poison_is_buried_at_once(const struct proof *proof)
{
    struct stage stage;
    struct scene *scene = &stage.scene;
    stage_open(&stage, proof, (struct cell){.fault = BROKER_FAULTS, .seed = proof->seed});
    for (enum poison i = 0; i < POISONS; i++) {
        scene_act(scene);
        scene_put_poison(scene, i);
        scene_act(scene);
    }
    if (!scene_settle(scene, 2000))
        scene_violate(scene, "something still waits");
    scene_judge(scene);
    const bool well = !scene->violation[0] && scene->promises_count > 0;
    if (!well)
        (void)printf("poison: %s\n", scene->violation);
    stage_close(&stage);
    return well;
}

/* --- the queue gives up --- */

/* Replies are lost until the queue itself moves everything to its dead-letter queues; then these
 * are redriven. */
static bool redrive_converges(const struct proof *proof, size_t *moved)
{
    struct stage stage;
    struct scene *scene = &stage.scene;
    struct broker_weather weather = {0};
    stage_open(&stage, proof, (struct cell){.fault = BROKER_FAULTS, .seed = proof->seed + 1});
    broker_set_max_receives(stage.broker, 3);
    weather.chance[BROKER_RECEIVE][FAULT_REPLY_LOST] = ALWAYS;
    broker_set_weather(stage.broker, &weather);
    for (int i = 0; i < 20; i++)
        scene_act(scene);
    scene_put_poison(scene, POISON_FIELD);
    if (!scene_settle(scene, REST_MS))
        scene_violate(scene, "the queue did not give up");
    stage_storm(&stage, false);
    *moved = broker_redrive(stage.broker, "request") + broker_redrive(stage.broker, "confirmation");
    if (!scene_settle(scene, REST_MS))
        scene_violate(scene, "stuck after the redrive");
    scene_judge(scene);
    const bool well = !scene->violation[0] && *moved > 5;
    if (!well)
        (void)printf("redrive of %zu: %s\n", *moved, scene->violation);
    stage_close(&stage);
    return well;
}

/* --- controls --- */

/* How many of the planted bugs are found. */
static int find_planted(struct proof *proof)
{
    int found = 0;
    for (enum plant plant = PLANT_NONE + 1; plant < PLANTS; plant++)
        found += run_matrix(proof, 0, plant, true) > 0;
    return found;
}

/* One seed is one history. */
static bool repeats(struct proof *proof)
{
    uint64_t traces[2] = {0};
    for (int i = 0; i < 2; i++)
        if (!run_cell(
                proof,
                (struct cell){BROKER_SEND, FAULT_PARTIAL_LIES, 600000, proof->seed, PLANT_NONE},
                &traces[i]))
            return false;
    return traces[0] == traces[1];
}

/* --- the figure --- */

static bool prove(struct proof *proof)
{
    static const int64_t rounds[] = {[PROVE_CI] = 1, [PROVE_FULL] = 3, [PROVE_NIGHTLY] = 60};
    const int64_t planted = PLANTS - 1;
    size_t moved = 0;
    (void)printf("seed %" PRIu64 "\n", proof->seed);
    bool well = run_cell(proof, (struct cell){.fault = BROKER_FAULTS, .seed = proof->seed}, NULL);
    *proof = (struct proof){.folder = proof->folder, .seed = proof->seed};
    for (int64_t i = 0; i < rounds[prove_size()]; i++)
        proof->violated += run_matrix(proof, i, PLANT_NONE, false);
    const struct proof matrix = *proof;
    const int64_t silent = print_fired(&matrix);
    const bool buried = poison_is_buried_at_once(proof);
    const bool redriven = redrive_converges(proof, &moved);
    const bool repeated = repeats(proof);
    const int found = find_planted(proof);
    well = well && matrix.violated == 0 && silent == 0 && buried && redriven && repeated &&
           found == planted;
    return figure("R7", well,
                  "network faults: %d faults x %d calls, %" PRId64 " pairs that exist = %" PRId64
                  " runs (%" PRId64 " bookings, %" PRId64 " events, %" PRId64
                  " redelivered, %" PRId64 " kills); %s, %" PRId64 " violations, %" PRId64
                  " faults silent; %d kinds of poison %s; %zu given up by the queue, %s; same seed "
                  "%s; controls %d/%" PRId64 " found",
                  BROKER_FAULTS, BROKER_CALLS, cells(), matrix.runs, matrix.bookings, matrix.events,
                  matrix.redelivered, matrix.killed,
                  matrix.violated ? "NOT all converged" : "all converged, 0 lost, 0 effects twice",
                  matrix.violated, silent, POISONS,
                  buried ? "dead-lettered at once, neighbours flowed" : "NOT dead-lettered", moved,
                  redriven ? "redriven, converged" : "NOT converged after the redrive",
                  repeated ? "same history" : "ANOTHER history", found, planted);
}

static bool see_again(struct proof *proof, char **arguments)
{
    const struct cell cell = {(enum broker_call)strtol(arguments[2], NULL, 10),
                              (enum broker_fault)strtol(arguments[3], NULL, 10),
                              (uint32_t)strtoul(arguments[4], NULL, 10), proof->seed, PLANT_NONE};
    if (cell.call >= BROKER_CALLS || cell.fault > BROKER_FAULTS)
        return false;
    return run_cell(proof, cell, NULL);
}

int main(int count, char **arguments)
{
    static const char *const places[] = {"/dev/shm", "/tmp"};
    char folder[64] = "";
    struct proof proof = {.folder = folder,
                          .seed = count > 1 ? strtoull(arguments[1], NULL, 10) : SEED};
    bool made = false;
    for (size_t i = 0; i < 2 && !made; i++) {
        (void)snprintf(folder, sizeof folder, "%s/bookflow-network-XXXXXX", places[i]);
        made = mkdtemp(folder) != NULL;
    }
    if (!made) {
        (void)fprintf(stderr, "no folder for the stores: %s\n", strerror(errno));
        return 1;
    }
    const bool well = count > 4 ? see_again(&proof, arguments) : prove(&proof);
    (void)rmdir(folder);
    return well ? 0 : 1;
}
