/* The scene is played: time, chance, people, poison. Must not judge. */
#include "network_scene.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "decision.h"
#include "intake.h"
#include "intake_store.h"
#include "outbox.h"

enum {
    SLOTS = 40,
    PROVIDERS = 3,
    START_S = 1800000000,
    SLOTS_FROM_S = START_S + 30 * 86400,
    SLOT_S = 1800,
    OVERSIZED = 300000,
    STEPS_AT_ONCE = 100000,
    BETWEEN_BURSTS_MS = 1500,
    BURST = 4,
    HANG_MS = 40000,
    STORM_MS = 75 * 1000,
    REST_MS = 4 * 3600 * 1000
};

/* --- the world --- */

static int64_t wall_ms(void *context)
{
    return (int64_t)START_S * 1000 + ((struct scene *)context)->now_ms;
}

static int64_t ticks_ms(void *context)
{
    return 1 + ((struct scene *)context)->now_ms;
}

/* splitmix64 */
static void next_chance(void *context, void *bytes, size_t length)
{
    struct scene *scene = context;
    for (size_t i = 0; i < length; i++) {
        uint64_t mixed = scene->chance += UINT64_C(0x9e3779b97f4a7c15);
        mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
        ((unsigned char *)bytes)[i] = (unsigned char)(mixed >> 40);
    }
}

static size_t one_of(struct scene *scene, size_t count)
{
    return (size_t)world_between(&scene->world, 0, (int64_t)count - 1);
}

/* --- poison --- */

static const struct {
    const char *name;
    const char *queue;
    const char *body; /* %s: the oversized part */
} poisons[POISONS] = {
    [POISON_BAD_JSON] = {"bad JSON", "request", "{\"bookingId\":\"b-1\",\"eventType"},
    [POISON_TYPE] = {"unknown type", "confirmation",
                     "{\"bookingId\":\"b-1\",\"eventType\":\"BOOKING_MOVED\","
                     "\"timestamp\":\"2027-01-15T08:00:00Z\"}"},
    [POISON_BOOKING] = {"unknown booking", "confirmation",
                        "{\"bookingId\":\"nobody-knows-it\",\"providerId\":\"provider-1\","
                        "\"acceptedAt\":\"2027-01-15T08:00:00Z\","
                        "\"eventType\":\"BOOKING_CONFIRMED\","
                        "\"timestamp\":\"2027-01-15T08:00:00Z\"}"},
    [POISON_OVERSIZED] = {"oversized", "request",
                          "{\"bookingId\":\"b-1\",\"userId\":\"u\",\"providerId\":\"p\","
                          "\"slotId\":\"s\",\"cancelledAt\":\"2027-01-15T08:00:00Z\","
                          "\"reason\":\"%s\",\"eventType\":\"BOOKING_CANCELLED\","
                          "\"timestamp\":\"2027-01-15T08:00:00Z\"}"},
    [POISON_FIELD] = {"missing field", "request",
                      "{\"bookingId\":\"b-1\",\"userId\":\"u\",\"providerId\":\"p\","
                      "\"slotId\":\"s\",\"eventType\":\"BOOKING_CREATED\","
                      "\"timestamp\":\"2027-01-15T08:00:00Z\"}"},
};

const char *poison_name(enum poison poison)
{
    return poisons[poison].name;
}

static char *poison_body(enum poison poison)
{
    struct buf body AUTO(buf_release) = {0};
    const char *hole = strstr(poisons[poison].body, "%s");
    if (!hole)
        return memory_text(poisons[poison].body);
    buf_append(&body, poisons[poison].body, (size_t)(hole - poisons[poison].body));
    for (int i = 0; i < OVERSIZED; i++)
        buf_char(&body, 'x');
    buf_text_append(&body, hole + 2);
    return buf_take(&body);
}

void scene_put_poison(struct scene *scene, enum poison poison)
{
    scene->poisoned[poison] = true;
    scene->queues.put(scene->queues.context, poisons[poison].queue,
                      &(struct queue_entry){.body = scene->poison[poison]});
}

/* --- opening and closing --- */

struct opening {
    struct operation operation; /* first */
    struct scene *scene;
};

static bool add_slots(struct operation *self, struct db *db, struct error *error)
{
    (void)self;
    for (int i = 0; i < SLOTS; i++) {
        struct slot slot = {.start_s = SLOTS_FROM_S + i * SLOT_S,
                            .end_s = SLOTS_FROM_S + (i + 1) * SLOT_S};
        bool added = false;
        (void)snprintf(slot.id, sizeof slot.id, "slot-%d", i);
        (void)snprintf(slot.provider_id, sizeof slot.provider_id, "provider-%d", i % PROVIDERS);
        if (!slot_add(db, &slot, &added, error))
            return false;
    }
    return true;
}

static void slots_added(struct operation *self, const struct error *failure)
{
    if (failure)
        scene_violate(((struct opening *)self)->scene, "slots: %s", failure->text);
}

static void start(struct scene *scene, int which)
{
    struct error error = {0};
    if (!side_start(&scene->sides[which], &error))
        scene_violate(scene, "start: %s", error.text);
    assert(scene->sides[which].consumer); /* a scene without its workers is none */
}

void scene_open(struct scene *scene)
{
    scene->world = (struct world){wall_ms, ticks_ms, next_chance, scene};
    scene->chance = scene->seed;
    for (enum poison i = 0; i < POISONS; i++)
        scene->poison[i] = poison_body(i);
    for (int i = 0; i < SIDES; i++) {
        scene->sides[i] = (struct side){.which = i,
                                        .folder = scene->folder,
                                        .world = &scene->world,
                                        .open_queue = scene->queues.open,
                                        .context = scene->queues.context,
                                        .applies_twice = scene->applies_twice};
        start(scene, i);
    }
    struct opening opening = {{.apply = add_slots, .done = slots_added}, scene};
    writer_submit(scene->sides[INTAKE].writer, &opening.operation);
    scene_pass(scene, 0);
}

void scene_close(struct scene *scene)
{
    static const char *const files[] = {"intake.db", "decision.db"};
    static const char *const suffixes[] = {"", "-wal", "-shm", ".lock"};
    for (int i = 0; i < SIDES; i++)
        side_stop(&scene->sides[i]);
    for (size_t i = 0; i < 8; i++) {
        struct buf path AUTO(buf_release) = {0};
        buf_printf(&path, "%s/%s%s", scene->folder, files[i / 4], suffixes[i % 4]);
        (void)unlink(buf_text(&path));
    }
    for (enum poison i = 0; i < POISONS; i++)
        free(scene->poison[i]);
}

/* --- people --- */

enum verb { BOOK, CANCEL, ACCEPT, REJECT, WITHDRAW };

struct act {
    struct operation operation; /* first */
    struct scene *scene;
    enum verb verb;
    size_t promise;
    char slot_id[ID_SIZE];
    struct booking booking;
};

static bool act_book(struct act *act, struct db *db, struct error *error)
{
    const struct booking_order order = {.slot_id = act->slot_id,
                                        .user_id = "user-1",
                                        .world = &act->scene->world,
                                        .now_ms = world_wall_ms(&act->scene->world)};
    return intake_book(db, &order, &act->booking, error);
}

static bool act_cancel(struct act *act, struct db *db, struct error *error)
{
    const struct booking_cancel cancel = {.booking_id =
                                              act->scene->promises[act->promise].booking.id,
                                          .world = &act->scene->world,
                                          .now_ms = world_wall_ms(&act->scene->world)};
    return intake_cancel(db, &cancel, &act->booking, error);
}

static bool act_decide(struct act *act, struct db *db, struct error *error)
{
    static const enum booking_command commands[] = {
        [ACCEPT] = BOOKING_ACCEPT, [REJECT] = BOOKING_REJECT, [WITHDRAW] = BOOKING_WITHDRAW};
    const struct promise *promise = &act->scene->promises[act->promise];
    struct decision_record record = {0};
    const struct decision decision = {.command = commands[act->verb],
                                      .provider_id = promise->booking.provider_id,
                                      .booking_id = promise->booking.id,
                                      .actor = "provider",
                                      .world = &act->scene->world,
                                      .now_ms = world_wall_ms(&act->scene->world)};
    return decision_make(db, &decision, &record, error);
}

static bool act_apply(struct operation *self, struct db *db, struct error *error)
{
    struct act *act = (struct act *)self; /* its first member */
    if (act->verb == BOOK)
        return act_book(act, db, error);
    return act->verb == CANCEL ? act_cancel(act, db, error) : act_decide(act, db, error);
}

/* It is on disk: from here on it is promised. */
static void act_done(struct operation *self, const struct error *failure)
{
    struct act *act AUTO(memory_release) = (struct act *)self; /* its first member */
    struct scene *scene = act->scene;
    struct promise *promise = &scene->promises[act->promise];
    scene->refused += failure != NULL;
    if (failure)
        return;
    if (act->verb == BOOK)
        scene->promises[scene->promises_count++] = (struct promise){.booking = act->booking};
    else if (act->verb == CANCEL || act->verb == WITHDRAW)
        promise->cancelled = true;
    else
        promise->decided = act->verb == ACCEPT ? BOOKING_CONFIRMED : BOOKING_REJECTED;
}

void scene_act(struct scene *scene)
{
    static const enum verb verbs[] = {BOOK, BOOK, BOOK, ACCEPT, ACCEPT, REJECT, CANCEL, WITHDRAW};
    struct act *act = memory_new(1, sizeof *act);
    act->operation = (struct operation){.apply = act_apply, .done = act_done};
    act->scene = scene;
    act->verb = verbs[one_of(scene, sizeof verbs / sizeof verbs[0])];
    if (scene->promises_count == 0)
        act->verb = BOOK;
    if (act->verb == BOOK)
        (void)snprintf(act->slot_id, sizeof act->slot_id, "slot-%zu", one_of(scene, SLOTS));
    else
        act->promise = one_of(scene, scene->promises_count);
    scene->acts++;
    assert(scene->acts < PROMISES);
    writer_submit(scene->sides[act->verb == BOOK || act->verb == CANCEL ? INTAKE : DECISION].writer,
                  &act->operation);
}

/* --- time --- */

static int64_t step_all(struct scene *scene)
{
    int64_t wait = -1;
    for (int i = 0; i < SIDES; i++) {
        const int64_t its = side_step(&scene->sides[i]);
        if (its >= 0 && (wait < 0 || its < wait))
            wait = its;
    }
    for (int i = 0; i < SIDES; i++)
        wait = scene->sides[i].woken ? 0 : wait;
    return wait;
}

/* Everything that is due now. Returns for how long nothing is. */
static int64_t step_now(struct scene *scene)
{
    for (int steps = 0; steps < STEPS_AT_ONCE; steps++) {
        const int64_t wait = step_all(scene);
        if (wait != 0)
            return wait < 0 ? INT64_MAX : wait;
    }
    scene_violate(scene, "a worker turns without end");
    return INT64_MAX;
}

void scene_pass(struct scene *scene, int64_t ms)
{
    const int64_t until = scene->now_ms + ms;
    while (!scene->violation[0]) {
        const int64_t wait = step_now(scene);
        if (scene->now_ms == until)
            return;
        scene->now_ms += wait < until - scene->now_ms ? wait : until - scene->now_ms;
    }
}

static void kill_one(struct scene *scene)
{
    const int which = (int)one_of(scene, SIDES);
    side_stop(&scene->sides[which]);
    start(scene, which);
    scene->killed++;
}

static void hang_one(struct scene *scene)
{
    scene->sides[one_of(scene, SIDES)].hangs_until_ms = 1 + scene->now_ms + HANG_MS;
}

static void stumble(struct scene *scene, bool stumbling)
{
    for (int i = 0; i < SIDES; i++)
        scene->sides[i].stumbling = stumbling;
}

static void disturb(struct scene *scene, int64_t burst, int64_t bursts)
{
    if (burst % (bursts / POISONS) == 0 && burst * POISONS / bursts < POISONS)
        scene_put_poison(scene, (enum poison)(burst * POISONS / bursts));
    if (burst == bursts / 3)
        hang_one(scene);
    if (burst == bursts / 2 || burst == bursts - 1)
        kill_one(scene);
}

void scene_busy(struct scene *scene, int64_t ms)
{
    const int64_t bursts = ms / BETWEEN_BURSTS_MS;
    const int64_t most_ms = INT64_C(2) * BETWEEN_BURSTS_MS;
    stumble(scene, true);
    for (int64_t i = 0; i < bursts && !scene->violation[0]; i++) {
        for (size_t acts = 1 + one_of(scene, BURST); acts > 0; acts--)
            scene_act(scene);
        disturb(scene, i, bursts);
        scene_pass(scene, world_between(&scene->world, 0, most_ms));
    }
    stumble(scene, false);
}

static int64_t unsent(struct scene *scene, int which)
{
    struct outbox_pressure pressure = {0};
    struct error error = {0};
    if (!outbox_pressure(scene->sides[which].reader, &pressure, &error))
        scene_violate(scene, "outbox: %s", error.text);
    return pressure.unsent;
}

static bool is_settled(struct scene *scene)
{
    static const char *const names[] = {"request", "confirmation"};
    for (int i = 0; i < SIDES; i++)
        if (scene->queues.depth(scene->queues.context, names[i]) > 0 ||
            !side_quiet(&scene->sides[i]) || unsent(scene, i) > 0)
            return false;
    return true;
}

bool scene_settle(struct scene *scene, int64_t ms)
{
    const int64_t until = scene->now_ms + ms;
    while (!scene->violation[0] && scene->now_ms < until) {
        const int64_t wait = step_now(scene);
        if (is_settled(scene))
            return true;
        scene->now_ms += wait < until - scene->now_ms ? wait : until - scene->now_ms;
    }
    return false;
}

void scene_play(struct scene *scene)
{
    const struct scene_queues *queues = &scene->queues;
    queues->storm(queues->context, true);
    scene_busy(scene, STORM_MS);
    queues->storm(queues->context, false);
    if (!scene_settle(scene, REST_MS))
        scene_violate(scene, "stuck: %zu requests, %zu confirmations are still on the way",
                      queues->depth(queues->context, "request"),
                      queues->depth(queues->context, "confirmation"));
    scene_judge(scene);
}
