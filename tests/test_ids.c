/* Ids: which texts are one, and that ours are RFC 9562 version 7. */
#include "ids.h"

#include <criterion/criterion.h>
#include <string.h>

Test(ids, texts_that_are_and_are_not_ids)
{
    static const struct {
        const char *text;
        bool valid;
    } CASES[] = {
        {"a", true},      {"AZaz09._:-", true}, {"0198c0de-0000-7000-8000-000000000000", true},
        {"", false},      {"a b", false},       {"a/b", false},
        {"a\n", false},   {"\u00E9", false},    {"a'b", false},
        {"a%20b", false}, {"a@b", false},       {"[a]", false},
        {"`a", false},    {"{a", false},        {"..", true},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        cr_expect_eq(id_valid(CASES[i].text, strlen(CASES[i].text)), CASES[i].valid, "\"%s\"",
                     CASES[i].text);
    cr_assert_not(id_valid("a\0b", 3), "a NUL inside");
}

Test(ids, at_most_128_characters)
{
    char text[ID_MAX + 2];
    memset(text, 'a', sizeof text);
    cr_assert(id_valid(text, ID_MAX));
    cr_assert_not(id_valid(text, ID_MAX + 1));
    text[ID_MAX - 1] = '!';
    cr_assert_not(id_valid(text, ID_MAX), "the last character is looked at");
}

static int64_t rfc_wall(void *context)
{
    (void)context;
    return 0x017F22E279B0;
}

static void ones(void *context, void *bytes, size_t length)
{
    (void)context;
    memset(bytes, 0xFF, length);
}

static void zeroes(void *context, void *bytes, size_t length)
{
    (void)context;
    memset(bytes, 0, length);
}

/* The time is that of the example in RFC 9562, appendix A.6. */
Test(ids, a_new_one_is_a_version_7_uuid_of_time_and_chance)
{
    char id[ID_SIZE];
    id_new(&(struct world){.wall_ms = rfc_wall, .random = ones}, id);
    cr_assert_str_eq(id, "017f22e2-79b0-7fff-bfff-ffffffffffff");
    id_new(&(struct world){.wall_ms = rfc_wall, .random = zeroes}, id);
    cr_assert_str_eq(id, "017f22e2-79b0-7000-8000-000000000000");
    cr_assert_eq(strlen(id) + 1, UUID_SIZE);
    cr_assert(id_valid(id, strlen(id)));
}

Test(ids, two_real_ones_differ)
{
    char one[ID_SIZE];
    char two[ID_SIZE];
    id_new(world_real(), one);
    id_new(world_real(), two);
    cr_assert_str_neq(one, two);
}

Test(ids, copying_takes_the_longest)
{
    char text[ID_SIZE] = "";
    char out[ID_SIZE] = "";
    memset(text, 'z', ID_MAX);
    id_copy(out, text);
    cr_assert_str_eq(out, text);
    id_copy(out, "b1");
    cr_assert_str_eq(out, "b1");
}
