/* Who asks for what, and what becomes of the answers. */
#include "people.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "decision.h"
#include "idempotency.h"
#include "intake.h"
#include "invariants.h"
#include "world_side.h"

enum { KEYS = 112, NAME_LENGTH = 24, RACE = 4 };

/* A request under an idempotency key, which may be made again. */
struct order {
    char slot_id[NAME_LENGTH];
    char user_id[NAME_LENGTH];
    bool keyed;
    char answer[ID_SIZE]; /* the booking they were told of; "" = nothing yet */
};

struct people {
    struct simulation *simulation;
    int64_t wanted; /* bookings still to be asked for */
    int64_t poison; /* of these, how many from now is the poison; -1 = none */
    struct order orders[KEYS];
    size_t orders_count;
};

/* One request on its way through a worker's writer. */
struct request {
    struct operation operation; /* first: the writer hands this back */
    struct people *people;
    const struct world *world; /* of the worker that is asked */
    int64_t now_ms;
    struct order *order;          /* of a booking */
    enum booking_command command; /* of everything else */
    char booking_id[ID_SIZE];     /* "" = refused */
    char provider_id[ID_SIZE];
    enum booking_status status; /* as it is then */
};

struct people *people_new(struct simulation *simulation)
{
    struct people *people = memory_new(1, sizeof *people);
    people->simulation = simulation;
    people->wanted = between(simulation, 30, 80);
    people->poison =
        one_in(simulation, 2) ? between(simulation, people->wanted / 2, people->wanted) : -1;
    return people;
}

void people_free(struct people *people)
{
    free(people);
}

static void submit(struct request *request, struct side *side,
                   bool (*apply)(struct operation *, struct db *, struct error *),
                   void (*done)(struct operation *, const struct error *))
{
    request->world = &side->world;
    request->now_ms = side_wall_ms(side);
    request->operation = (struct operation){.apply = apply, .done = done};
    writer_submit(role_worker(side->role)->writer, &request->operation);
}

/* --- booking --- */

static bool book(struct request *request, struct db *db, struct error *error)
{
    struct booking booking = {0};
    const struct booking_order order = {.slot_id = request->order->slot_id,
                                        .user_id = request->order->user_id,
                                        .world = request->world,
                                        .now_ms = request->now_ms};
    if (!intake_book(db, &order, &booking, error))
        return false;
    id_copy(request->booking_id, booking.id);
    return true;
}

/* In a savepoint of its own, so that a refusal is undone and yet kept as the answer. */
static bool book_once(struct request *request, struct db *db, struct error *error)
{
    struct error refusal = {0};
    if (!db_savepoint(db, error))
        return false;
    if (book(request, db, &refusal))
        return db_savepoint_keep(db, error);
    if (!db_savepoint_undo(db, error))
        return false;
    return !error_policy(refusal.kind)->retry || error_set(error, refusal.kind, "%s", refusal.text);
}

static bool book_with_key(struct request *request, struct db *db, struct error *error)
{
    char name[NAME_LENGTH];
    struct idempotency_key key = {.scope = "POST /bookings", .key = name};
    struct idempotency_answer answer AUTO(idempotency_answer_release) = {0};
    bool found = false;
    (void)snprintf(name, sizeof name, "key-%zu",
                   (size_t)(request->order - request->people->orders));
    digest_of(request->order->slot_id, strlen(request->order->slot_id), key.body);
    if (!idempotency_find(db, &key, &answer, &found, error))
        return false;
    if (found) {
        id_copy(request->booking_id, buf_text(&answer.body));
        return true;
    }
    if (!book_once(request, db, error))
        return false;
    answer.status = *request->booking_id ? 201 : 409;
    buf_text_append(&answer.body, request->booking_id);
    return idempotency_keep(db, &key, &answer, request->now_ms, error);
}

static bool booking_apply(struct operation *operation, struct db *db, struct error *error)
{
    struct request *request = (struct request *)operation; /* its first member */
    request->booking_id[0] = '\0';
    return request->order->keyed ? book_with_key(request, db, error) : book(request, db, error);
}

static void booking_told(const struct request *request)
{
    struct simulation *simulation = request->people->simulation;
    struct order *order = request->order;
    if (order->keyed && *order->answer) {
        if (strcmp(order->answer, request->booking_id) != 0)
            (void)violated(simulation, WRONG_TWO_EFFECTS,
                           "a repeated request for %s gave %s and %s", order->slot_id,
                           order->answer, request->booking_id);
        return;
    }
    if (!*request->booking_id)
        return;
    id_copy(order->answer, request->booking_id);
    simulation->counts.bookings++;
    trail_add(simulation, "%s has booked %s: %s", order->user_id, order->slot_id, order->answer);
    ledger_promise(simulation, INTAKE, request->booking_id, BOOKING_PENDING);
}

static void booking_done(struct operation *operation, const struct error *failure)
{
    struct request *request AUTO(memory_release) =
        (struct request *)operation; /* its first member */
    if (!failure)
        booking_told(request);
    else
        trail_add(request->people->simulation, "%s has not booked %s: %s", request->order->user_id,
                  request->order->slot_id, failure->text);
}

static void ask_for(struct people *people, struct order *order)
{
    struct request *request = memory_new(1, sizeof *request);
    request->people = people;
    request->order = order;
    submit(request, people->simulation->sides[INTAKE], booking_apply, booking_done);
}

static int64_t choose_slot(struct simulation *simulation)
{
    const int64_t passed_s = simulation->ticks_ms / 1000 - SLOT_FIRST_S;
    const int64_t started = passed_s < 0 ? 0 : passed_s / SLOT_EVERY_S + 1;
    const bool any = started >= SLOTS || one_in(simulation, 20);
    return between(simulation, any ? 0 : started, SLOTS - 1);
}

/* Some want the same slot at once. */
static void ask_for_bookings(struct people *people)
{
    struct simulation *simulation = people->simulation;
    const int64_t slot = choose_slot(simulation);
    const int64_t racing = one_in(simulation, 3) ? between(simulation, 2, RACE) : 1;
    for (int64_t i = 0; i < racing && people->wanted > 0 && people->orders_count < KEYS; i++) {
        struct order *order = &people->orders[people->orders_count++];
        (void)snprintf(order->slot_id, sizeof order->slot_id, "slot-%d", (int)slot);
        if (people->poison == people->wanted)
            (void)snprintf(order->user_id, sizeof order->user_id, "%s", POISON_USER);
        else
            (void)snprintf(order->user_id, sizeof order->user_id, "user-%d",
                           (int)between(simulation, 1, USERS));
        order->keyed = one_in(simulation, 2);
        people->wanted--;
        ask_for(people, order);
    }
}

/* Who has heard nothing, or does not trust it, asks again under the same key. */
static void repeat_booking(struct people *people)
{
    if (people->orders_count == 0)
        return;
    const int64_t last = (int64_t)people->orders_count - 1;
    struct order *order =
        &people->orders[between(people->simulation, last > 6 ? last - 6 : 0, last)];
    if (order->keyed)
        ask_for(people, order);
}

/* --- everything else --- */

static bool cancel(struct request *request, struct db *db, struct error *error)
{
    struct booking booking = {0};
    const struct booking_cancel order = {.booking_id = request->booking_id,
                                         .reason = "ill",
                                         .world = request->world,
                                         .now_ms = request->now_ms};
    if (!intake_cancel(db, &order, &booking, error))
        return false;
    request->status = booking.status;
    return true;
}

static bool decide(struct request *request, struct db *db, struct error *error)
{
    struct decision_record record = {0};
    const struct decision decision = {.command = request->command,
                                      .provider_id = request->provider_id,
                                      .booking_id = request->booking_id,
                                      .actor = "provider",
                                      .world = request->world,
                                      .now_ms = request->now_ms};
    if (!decision_make(db, &decision, &record, error))
        return false;
    request->status = record.booking.status;
    return true;
}

static bool command_apply(struct operation *operation, struct db *db, struct error *error)
{
    struct request *request = (struct request *)operation; /* its first member */
    return request->command == BOOKING_CANCEL ? cancel(request, db, error)
                                              : decide(request, db, error);
}

static void command_done(struct operation *operation, const struct error *failure)
{
    struct request *request AUTO(memory_release) =
        (struct request *)operation; /* its first member */
    struct simulation *simulation = request->people->simulation;
    const int side = request->command == BOOKING_CANCEL ? INTAKE : DECISION;
    if (failure)
        return;
    trail_add(simulation, "%s %s is %s",
              side == INTAKE ? "its user says:" : "its provider says:", request->booking_id,
              booking_status_name(request->status));
    ledger_promise(simulation, side, request->booking_id, request->status);
}

static void command(struct people *people, enum booking_command command, const struct known *known)
{
    struct request *request = memory_new(1, sizeof *request);
    request->people = people;
    request->command = command;
    id_copy(request->booking_id, known->id);
    id_copy(request->provider_id, known->provider_id);
    const int side = command == BOOKING_CANCEL ? INTAKE : DECISION;
    submit(request, people->simulation->sides[side], command_apply, command_done);
}

/* A booking that this side has, preferably one that is still open; NULL = there is none. */
static const struct known *choose_booking(struct simulation *simulation, int side)
{
    const struct ledger *ledger = simulation->ledger;
    const struct known *chosen = NULL;
    if (ledger->count == 0)
        return NULL;
    for (int tries = 0; tries < 4; tries++) {
        const struct known *known =
            &ledger->bookings[between(simulation, 0, (int64_t)ledger->count - 1)];
        if (known->seen[side] == BOOKING_ABSENT)
            continue;
        chosen = known;
        if (known->seen[side] == BOOKING_PENDING)
            break;
    }
    return chosen;
}

static void user_cancels(struct people *people)
{
    const struct known *known = choose_booking(people->simulation, INTAKE);
    if (known)
        command(people, BOOKING_CANCEL, known);
}

/* Some say it twice, and not always the same. */
static void provider_decides(struct people *people)
{
    static const enum booking_command commands[] = {BOOKING_ACCEPT, BOOKING_ACCEPT, BOOKING_ACCEPT,
                                                    BOOKING_REJECT, BOOKING_WITHDRAW};
    enum { COMMANDS = sizeof commands / sizeof *commands };
    const struct known *known = choose_booking(people->simulation, DECISION);
    if (!known)
        return;
    const int64_t times = one_in(people->simulation, 4) ? 2 : 1;
    for (int64_t i = 0; i < times; i++)
        command(people, commands[between(people->simulation, 0, COMMANDS - 1)], known);
}

/* --- the step --- */

static void at_intake(struct people *people)
{
    const int64_t dice = between(people->simulation, 1, 10);
    if (dice <= 6)
        ask_for_bookings(people);
    else if (dice <= 8)
        repeat_booking(people);
    else
        user_cancels(people);
}

void people_step(struct people *people)
{
    struct simulation *simulation = people->simulation;
    if (side_is_well(simulation->sides[INTAKE]))
        for (int64_t i = between(simulation, 0, 3); i > 0; i--)
            at_intake(people);
    if (side_is_well(simulation->sides[DECISION]))
        for (int64_t i = between(simulation, 0, 2); i > 0; i--)
            provider_decides(people);
}
