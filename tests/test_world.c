/* The world: real clocks move, chance stays in its bounds, a made-up world is obeyed. */
#include "world.h"

#include <criterion/criterion.h>
#include <string.h>

static int64_t fixed_wall(void *context)
{
    (void)context;
    return 1771495200000;
}

static int64_t fixed_ticks(void *context)
{
    (void)context;
    return 77;
}

/* Chance that is always the number in the context. */
static void fixed_random(void *context, void *bytes, size_t length)
{
    cr_assert_eq(length, sizeof(uint64_t));
    memcpy(bytes, context, length);
}

Test(world, a_made_up_world_is_asked_for_everything)
{
    uint64_t chance = 0;
    const struct world world = {fixed_wall, fixed_ticks, fixed_random, &chance};
    cr_assert_eq(world_wall_ms(&world), 1771495200000);
    cr_assert_eq(world_ticks_ms(&world), 77);
}

Test(world, between_reaches_both_ends_and_nothing_else)
{
    static const struct {
        const char *name;
        uint64_t chance;
        int64_t low, high, expected;
    } CASES[] = {
        {"low end", 0, 10, 19, 10},
        {"high end", 9, 10, 19, 19},
        {"around", 10, 10, 19, 10},
        {"one value", 12345, 7, 7, 7},
        {"below zero", 3, -5, -1, -2},
        {"across zero", 5, -5, 5, 0},
        {"whole range, low", (uint64_t)1 << 63, INT64_MIN, INT64_MAX, 0},
        {"whole range, high", UINT64_MAX, INT64_MIN, INT64_MAX, INT64_MAX},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        uint64_t chance = CASES[i].chance;
        const struct world world = {fixed_wall, fixed_ticks, fixed_random, &chance};
        cr_expect_eq(world_between(&world, CASES[i].low, CASES[i].high), CASES[i].expected, "%s",
                     CASES[i].name);
    }
}

Test(world, the_real_one_has_clocks_and_chance)
{
    const struct world *world = world_real();
    cr_assert_gt(world_wall_ms(world), 1700000000000, "milliseconds since 1970");
    const int64_t before = world_ticks_ms(world);
    cr_assert_geq(world_ticks_ms(world), before);
    unsigned seen = 0;
    for (int i = 0; i < 1000; i++) {
        const int64_t value = world_between(world, 3, 6);
        cr_assert(value >= 3 && value <= 6);
        seen |= 1U << value;
    }
    cr_assert_eq(seen, 0x78U, "all four of them in a thousand tries");
}
