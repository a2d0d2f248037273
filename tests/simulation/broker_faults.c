/* What goes wrong: which faults can happen to which call, and the dice. Must not know what a fault
 * does. */
#include "broker_private.h"

enum {
    SEND = 1 << BROKER_SEND,
    RECEIVE = 1 << BROKER_RECEIVE,
    DELETE = 1 << BROKER_DELETE,
    VISIBILITY = 1 << BROKER_VISIBILITY,
    DEAD_LETTER = 1 << BROKER_DEAD_LETTER,
    BATCHES = SEND | DELETE | VISIBILITY | DEAD_LETTER,
    EVERY = BATCHES | RECEIVE,
    MILLION = 1000000
};

static const struct {
    const char *name;
    unsigned calls;
} faults[BROKER_FAULTS] = {
    [FAULT_REFUSED] = {"refused", EVERY},
    [FAULT_REPLY_LOST] = {"reply lost", EVERY},
    [FAULT_SLOW] = {"slow", EVERY},
    [FAULT_STALLED] = {"stalled", EVERY},
    [FAULT_THROTTLED] = {"throttled", EVERY},
    [FAULT_PARTIAL] = {"partial", BATCHES},
    [FAULT_PARTIAL_LIES] = {"partial, lies", BATCHES},
    [FAULT_SHORT_REPLY] = {"short reply", BATCHES},
    [FAULT_UNAUTHORISED] = {"unauthorised", EVERY},
    [FAULT_QUEUE_MISSING] = {"queue missing", EVERY},
    [FAULT_TOO_LARGE] = {"too large", SEND},
    [FAULT_DUPLICATE] = {"duplicate", SEND | RECEIVE | DELETE | DEAD_LETTER},
    [FAULT_REORDER] = {"reorder", SEND | RECEIVE | DEAD_LETTER},
    [FAULT_LATE] = {"late", SEND | VISIBILITY | DEAD_LETTER},
    [FAULT_TWICE] = {"twice", RECEIVE},
    [FAULT_RECEIPT_LOST] = {"receipt lost", RECEIVE | DELETE | VISIBILITY},
    [FAULT_EMPTY] = {"empty", RECEIVE},
};

static const char *const calls[BROKER_CALLS] = {
    [BROKER_SEND] = "Send",
    [BROKER_RECEIVE] = "Receive",
    [BROKER_DELETE] = "Delete",
    [BROKER_VISIBILITY] = "ChangeVisibility",
    [BROKER_DEAD_LETTER] = "dead letter",
};

bool broker_fault_applies(enum broker_call call, enum broker_fault fault)
{
    return (faults[fault].calls & (1U << call)) != 0;
}

const char *broker_call_name(enum broker_call call)
{
    return calls[call];
}

const char *broker_fault_name(enum broker_fault fault)
{
    return faults[fault].name;
}

void broker_set_weather(struct broker *broker, const struct broker_weather *weather)
{
    broker->weather = *weather;
}

int64_t broker_between(struct broker *broker, int64_t low, int64_t high)
{
    return low == high ? low : world_between(broker->world, low, high);
}

bool fault_threatens(struct broker *broker, enum broker_call call, enum broker_fault fault)
{
    const uint32_t chance = broker->weather.chance[call][fault];
    return chance > 0 && broker_fault_applies(call, fault) &&
           broker_between(broker, 1, MILLION) <= chance;
}

void fault_count(struct broker *broker, enum broker_call call, enum broker_fault fault)
{
    broker->counts.faults[call][fault]++;
    broker_mark(broker, (uint64_t)call * BROKER_FAULTS + (uint64_t)fault + 1);
}

bool fault_happens(struct broker *broker, enum broker_call call, enum broker_fault fault)
{
    if (!fault_threatens(broker, call, fault))
        return false;
    fault_count(broker, call, fault);
    return true;
}
