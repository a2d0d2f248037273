/* Which bad luck when. Each world has its own mood, so that some see storms and some hardly a
 * cloud: what only goes wrong in quiet weather would be blown away in a storm. */
#include "world_weather.h"

#include "world_letters.h"
#include "world_side.h"

enum {
    CHANGE_EVERY = 25,
    MANY = 160,
    RARE = 600000,
    STRANGER_EVERY = 200,
    CERTAIN = 1000000,
    OFFSET_MS = 20000
};

/* Dead letters are so rare that their calls must fail often to fail at all. */
static void set_weather(struct simulation *simulation, int64_t worst)
{
    struct broker_weather weather = {0};
    for (int call = 0; call < BROKER_CALLS; call++)
        for (int fault = 0; fault < BROKER_FAULTS; fault++)
            if (one_in(simulation, 3))
                weather.chance[call][fault] =
                    (uint32_t)between(simulation, 0, call == BROKER_DEAD_LETTER ? RARE : worst);
    broker_set_weather(simulation->broker, &weather);
}

/* Nothing gets through: as a whole, or one kind of call. */
static void set_outage(struct simulation *simulation)
{
    struct broker_weather weather = {0};
    const int64_t only = between(simulation, 0, BROKER_CALLS);
    for (int call = 0; call < BROKER_CALLS; call++)
        if (only == BROKER_CALLS || only == call)
            weather.chance[call][one_in(simulation, 2) ? FAULT_REFUSED : FAULT_REPLY_LOST] =
                CERTAIN;
    broker_set_weather(simulation->broker, &weather);
}

static void change_weather(struct simulation *simulation)
{
    static const int64_t worst[] = {0, 5000, 50000, 150000};
    const int64_t kind = between(simulation, 0, 4);
    trail_add(simulation, "the weather changes to %lld", (long long)kind);
    if (kind == 4)
        set_outage(simulation);
    else
        set_weather(simulation, worst[kind]);
}

void weather_begin(struct simulation *simulation)
{
    simulation->mood = (struct mood){
        .cut_every = between(simulation, 5, 14),
        .kill_every = one_in(simulation, 3) ? 1000 : between(simulation, 40, 150),
        .clock_every = one_in(simulation, 2) ? 1000 : 40,
    };
    change_weather(simulation);
}

static void trouble_side(struct simulation *simulation, struct side *side)
{
    const struct mood *mood = &simulation->mood;
    if (!side->armed && one_in(simulation, mood->cut_every))
        side_arm(side, between(simulation, 1, MANY));
    if (!side_is_well(side))
        return;
    if (one_in(simulation, mood->kill_every))
        side_kill(side);
    else if (one_in(simulation, 2 * mood->kill_every))
        side_drain(side);
    if (one_in(simulation, 3 * mood->kill_every))
        side_refuse(side, between(simulation, 1, 60), between(simulation, 1, 3));
    if (one_in(simulation, mood->clock_every))
        side->wall_offset_ms = between(simulation, -OFFSET_MS, OFFSET_MS);
}

void weather_step(struct simulation *simulation)
{
    if (one_in(simulation, CHANGE_EVERY))
        change_weather(simulation);
    if (one_in(simulation, STRANGER_EVERY))
        letters_stranger(simulation);
    for (int i = 0; i < SIDES; i++)
        trouble_side(simulation, simulation->sides[i]);
}

void weather_end(struct simulation *simulation)
{
    simulation->settling = true;
    broker_set_weather(simulation->broker, &(struct broker_weather){0});
    for (int i = 0; i < SIDES; i++) {
        side_disarm(simulation->sides[i]);
        simulation->sides[i]->wall_offset_ms = 0;
    }
}
