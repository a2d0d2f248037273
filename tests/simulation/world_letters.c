/* Strangers' messages and dead letters. Nothing is dropped silently: each of them is found again.
 */
#include "world_letters.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world_side.h"

enum { STRANGERS_MAX = 64, QUEUE_NAME_SIZE = 32, BODY_SIZE = 256 };
#define STRANGER "stranger-"
#define CRASHED  "crashed the worker "

#define DECISION_OF "{\"bookingId\":\"" STRANGER
#define CONFIRMED                                                                                  \
    "\",\"providerId\":\"provider-1\",\"acceptedAt\":\"2026-02-19T10:00:00Z\","                    \
    "\"eventType\":\"BOOKING_CONFIRMED\",\"timestamp\":\"2026-02-19T10:00:00Z\"}"

/* Around the stranger's number. */
static const struct {
    int side; /* the one that hears it */
    const char *before;
    const char *after;
} strangers[] = {
    {DECISION, "this is " STRANGER, " and not JSON"},
    {INTAKE, DECISION_OF, CONFIRMED},
    {DECISION, DECISION_OF, CONFIRMED},
};
enum { STRANGERS = sizeof strangers / sizeof *strangers };

/* What the side hears is what the other one publishes. */
static const char *queue_of(int side)
{
    return side_queues[side == INTAKE ? DECISION : INTAKE];
}

void letters_stranger(struct simulation *simulation)
{
    if (simulation->strangers == STRANGERS_MAX)
        return;
    char body[BODY_SIZE];
    const int64_t kind = between(simulation, 0, STRANGERS - 1);
    (void)snprintf(body, sizeof body, "%s%d%s", strangers[kind].before, simulation->strangers++,
                   strangers[kind].after);
    trail_add(simulation, "a stranger tells %s: %s", queue_of(strangers[kind].side), body);
    broker_put(simulation->broker, queue_of(strangers[kind].side),
               &(struct queue_entry){.body = body});
}

/* --- dead letters --- */

struct judgement {
    struct simulation *simulation;
    bool end;
    uint64_t found; /* a bit per stranger */
};

static const char *attribute_of(const struct queue_message *message, const char *name)
{
    for (const struct queue_attribute *at = message->attributes; at && at->name; at++)
        if (strcmp(at->name, name) == 0)
            return at->value;
    return "";
}

static void judge(void *context, const struct queue_message *message)
{
    struct judgement *judgement = context;
    struct simulation *simulation = judgement->simulation;
    const char *reason = attribute_of(message, "DeadLetterReason");
    const char *stranger = strstr(message->body, STRANGER);
    if (stranger)
        judgement->found |= UINT64_C(1)
                            << (strtoul(stranger + strlen(STRANGER), NULL, 10) % STRANGERS_MAX);
    if (stranger && *reason)
        return;
    simulation->counts.dead_letters++;
    if (judgement->end || strncmp(reason, CRASHED, strlen(CRASHED)) != 0)
        (void)violated(simulation, WRONG_STUCK, "%s of %s is a dead letter, %s",
                       attribute_of(message, "EventType"), attribute_of(message, "BookingId"),
                       *reason ? reason : "received too often");
}

static void judge_all(struct simulation *simulation, bool end)
{
    struct judgement judgement = {.simulation = simulation, .end = end};
    for (int i = 0; i < SIDES; i++) {
        char name[QUEUE_NAME_SIZE];
        (void)snprintf(name, sizeof name, "%s-dlq", side_queues[i]);
        broker_visit(simulation->broker, name, judge, &judgement);
    }
    for (int i = 0; i < simulation->strangers; i++)
        if (!(judgement.found & UINT64_C(1) << i))
            (void)violated(simulation, WRONG_LOST, "what stranger %d sent is nowhere", i);
}

void letters_redrive(struct simulation *simulation)
{
    judge_all(simulation, false);
    simulation->cured = true;
    for (int i = 0; i < SIDES; i++)
        (void)broker_redrive(simulation->broker, side_queues[i]);
}

void letters_end(struct simulation *simulation)
{
    judge_all(simulation, true);
}
