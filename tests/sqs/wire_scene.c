/* The scene on the wire: queues with slower clocks, real waiting, the peer's weather. Must not
 * judge: the scene does. */
#include "wire_scene.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "outbox.h"
#include "wire_queue.h"

enum {
    ACTS = 20,
    BURST = 4,
    BETWEEN_ACTS_MS = 1500, /* of the workers' time */
    STORM_MOST_MS = 60000,  /* real, until the fault has come */
    FIRED_ENOUGH = 3,
    REST_MS = 100000, /* real */
    LOOK_MS = 250,    /* real; between two looks at the peer */
    TURN_MS = 50
};

static int64_t real_ms(void)
{
    return world_ticks_ms(world_real());
}

/* --- the queues of a scene --- */

static struct queue *wire_open_queue(void *context, const char *name, const struct queue_host *host)
{
    struct wire *wire = context;
    char url[256];
    struct error error = {0};
    struct queue_host ours = *host;
    ours.account = wire->account;
    peer_queue_url(&wire->peer, name, url, sizeof url);
    struct queue *queue = queue_open(url, &ours, &error);
    if (!queue)
        scene_violate(&wire->scene, "%s: %s", name, error.text);
    return slowed_queue(queue);
}

static void wire_put(void *context, const char *name, const struct queue_entry *entry)
{
    struct wire *wire = context;
    json_decref(
        peer_ask(&wire->peer, "/put",
                 json_pack("{s:o,s:[{s:s}]}", "queue", json_sprintf("%s-%s", wire->peer.name, name),
                           "messages", "body", entry->body)));
}

static size_t wire_depth(void *context, const char *name)
{
    return peer_depth(&((struct wire *)context)->peer, name);
}

static void visit_one(json_t *from, broker_visit_fn *visit, void *visitor)
{
    struct queue_attribute attributes[QUEUE_ATTRIBUTES_MAX + 1] = {0};
    const char *name = NULL;
    json_t *value = NULL;
    size_t count = 0;
    json_object_foreach(json_object_get(from, "attributes"), name, value)
    {
        if (count < QUEUE_ATTRIBUTES_MAX)
            attributes[count++] = (struct queue_attribute){name, json_string_value(value)};
    }
    const char *body = json_string_value(json_object_get(from, "body"));
    const struct queue_message message = {.id = json_string_value(json_object_get(from, "id")),
                                          .receipt = "",
                                          .body = body,
                                          .body_length = strlen(body),
                                          .attributes = attributes};
    visit(visitor, &message);
}

static void wire_visit(void *context, const char *name, broker_visit_fn *visit, void *visitor)
{
    struct wire *wire = context;
    json_t *list =
        peer_ask(&wire->peer, "/messages",
                 json_pack("{s:o}", "queue", json_sprintf("%s-%s", wire->peer.name, name)));
    for (size_t i = 0; i < json_array_size(list); i++)
        visit_one(json_array_get(list, i), visit, visitor);
    json_decref(list);
}

static void wire_storm(void *context, bool blows)
{
    struct wire *wire = context;
    json_t *rules = json_array();
    if (blows && wire->cell.fault[0])
        (void)json_array_append_new(rules, json_pack("{s:s,s:s,s:f}", "call", wire->cell.call,
                                                     "fault", wire->cell.fault, "chance",
                                                     wire->cell.chance / 100.0));
    json_decref(peer_ask(&wire->peer, "/faults",
                         json_pack("{s:s,s:o,s:I}", "listener", wire->peer.name, "rules", rules,
                                   "seed", (json_int_t)(wire->cell.seed & INT32_MAX))));
}

static int64_t fired(struct wire *wire)
{
    char name[2 * WIRE_NAME_SIZE + 1];
    json_t *counts =
        peer_ask(&wire->peer, "/counts", json_pack("{s:s}", "listener", wire->peer.name));
    (void)snprintf(name, sizeof name, "%s %s", wire->cell.call, wire->cell.fault);
    const int64_t count =
        json_integer_value(json_object_get(json_object_get(counts, "faults"), name));
    json_decref(counts);
    return count;
}

/* --- time --- */

/* Everything that is due, then until something happens, at most so long. */
static void wire_turn(struct wire *wire, int64_t most_ms)
{
    struct pollfd fd = {.fd = account_fd(wire->account), .events = POLLIN};
    wire->scene.now_ms = (real_ms() - wire->begun_ms) * WIRE_FASTER;
    scene_pass(&wire->scene, 0);
    (void)poll(&fd, 1, (int)(most_ms < TURN_MS ? most_ms : TURN_MS));
}

static void wire_pass(struct wire *wire, int64_t ms)
{
    const int64_t until = real_ms() + ms;
    for (int64_t left = ms; left > 0 && !wire->scene.violation[0]; left = until - real_ms())
        wire_turn(wire, left);
}

static void kill_one(struct wire *wire, int which)
{
    struct error error = {0};
    side_stop(&wire->scene.sides[which]);
    if (!side_start(&wire->scene.sides[which], &error))
        scene_violate(&wire->scene, "start: %s", error.text);
    wire->scene.killed++;
}

/* --- the play --- */

static void stumble(struct wire *wire, bool stumbling)
{
    for (int i = 0; i < SIDES; i++)
        wire->scene.sides[i].stumbling = stumbling;
}

/* Some at once, so that there are batches of more than one. */
static void act(struct wire *wire)
{
    for (int64_t acts = world_between(&wire->scene.world, 1, BURST); acts > 0; acts--)
        scene_act(&wire->scene);
    wire_pass(wire, world_between(&wire->scene.world, 0, 2 * BETWEEN_ACTS_MS) / WIRE_FASTER);
}

/* The queue must hold something for every call to be made. */
static void storm(struct wire *wire)
{
    const int64_t begun = real_ms();
    struct scene *scene = &wire->scene;
    stumble(wire, true);
    for (int i = 0; i < ACTS && !scene->violation[0]; i++) {
        act(wire);
        if (i % (ACTS / POISONS) == 0)
            scene_put_poison(scene, (enum poison)(i / (ACTS / POISONS)));
        if (i == ACTS / 2)
            kill_one(wire, (int)(wire->cell.seed % SIDES));
    }
    while (wire->cell.fault[0] && !scene->violation[0] && fired(wire) < FIRED_ENOUGH &&
           real_ms() - begun < STORM_MOST_MS) {
        if (scene->acts + BURST < PROMISES)
            act(wire);
        wire_pass(wire, LOOK_MS);
    }
    stumble(wire, false);
}

static bool has_unsent(struct wire *wire, int which)
{
    struct outbox_pressure pressure = {0};
    struct error error = {0};
    if (!outbox_pressure(wire->scene.sides[which].reader, &pressure, &error))
        scene_violate(&wire->scene, "outbox: %s", error.text);
    return pressure.unsent > 0;
}

static bool is_settled(struct wire *wire)
{
    for (int i = 0; i < SIDES; i++)
        if (!side_quiet(&wire->scene.sides[i]) || has_unsent(wire, i))
            return false;
    return wire_depth(wire, "request") + wire_depth(wire, "confirmation") == 0;
}

static void settle(struct wire *wire)
{
    const int64_t until = real_ms() + REST_MS;
    do
        wire_pass(wire, LOOK_MS);
    while (!wire->scene.violation[0] && !is_settled(wire) && real_ms() < until);
    if (!is_settled(wire))
        scene_violate(&wire->scene, "stuck: %zu requests, %zu confirmations are still on the way",
                      wire_depth(wire, "request"), wire_depth(wire, "confirmation"));
}

static int64_t redrive(struct wire *wire, const char *queue)
{
    json_t *answer =
        peer_ask(&wire->peer, "/redrive",
                 json_pack("{s:o}", "queue", json_sprintf("%s-%s", wire->peer.name, queue)));
    const int64_t moved = json_integer_value(json_object_get(answer, "moved"));
    json_decref(answer);
    return moved;
}

/* Nothing that is received arrives, until the queue has moved it all to its dead letters. */
static int64_t give_up_and_redrive(struct wire *wire)
{
    settle(wire);
    wire_storm(wire, false);
    const int64_t moved = redrive(wire, "request") + redrive(wire, "confirmation");
    if (moved == 0)
        scene_violate(&wire->scene, "the queue did not give up");
    return moved;
}

static bool wire_open(struct wire *wire)
{
    char name[32];
    struct error error = {0};
    (void)snprintf(name, sizeof name, "w%d", (int)getpid());
    peer_open(&wire->peer, name);
    peer_add_queue(&wire->peer, "request", wire->cell.max_receives);
    peer_add_queue(&wire->peer, "confirmation", wire->cell.max_receives);
    wire->config = config_read(NULL, &error);
    wire->account = account_new(
        &(struct account_options){.config = wire->config, .world = world_real()}, &error);
    wire->scene.queues = (struct scene_queues){.open = wire_open_queue,
                                               .put = wire_put,
                                               .depth = wire_depth,
                                               .visit = wire_visit,
                                               .storm = wire_storm,
                                               .context = wire};
    wire->scene.folder = wire->folder;
    wire->scene.seed = wire->cell.seed;
    wire->begun_ms = real_ms();
    scene_open(&wire->scene);
    return !wire->scene.violation[0];
}

static void wire_close(struct wire *wire)
{
    scene_close(&wire->scene);
    account_free(wire->account);
    config_release(&wire->config);
    peer_close(&wire->peer);
    (void)rmdir(wire->folder);
}

void wire_play(const struct wire_cell *cell, const char *folder, struct wire_outcome *outcome)
{
    struct wire wire = {.cell = *cell};
    const int64_t begun = real_ms();
    int64_t redriven = 0;
    (void)snprintf(wire.folder, sizeof wire.folder, "%s/%d", folder, (int)getpid());
    (void)mkdir(wire.folder, 0700);
    if (wire_open(&wire)) {
        wire_storm(&wire, true);
        storm(&wire);
        redriven = cell->redriven ? give_up_and_redrive(&wire) : 0;
        wire_storm(&wire, false);
        settle(&wire);
        scene_judge(&wire.scene);
    }
    *outcome = (struct wire_outcome){.fired = cell->fault[0] ? fired(&wire) : 1,
                                     .bookings = (int64_t)wire.scene.promises_count,
                                     .events = wire.scene.events,
                                     .redriven = redriven,
                                     .ms = real_ms() - begun};
    if (outcome->fired == 0)
        scene_violate(&wire.scene, "the fault never came");
    (void)snprintf(outcome->violation, sizeof outcome->violation, "%s", wire.scene.violation);
    wire_close(&wire);
}
