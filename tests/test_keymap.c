/* Names of keys, and which of them may mean what. */
#include "keymap.h"

#include <criterion/criterion.h>
#include <string.h>

static const struct action *found(const struct keymap *keymap, uint32_t key, enum view_kind show,
                                  const char *name)
{
    const struct action *action = keymap_find(keymap, key, show);
    cr_expect(name ? action && strcmp(action->name, name) == 0 : !action, "%u on %d is %s, not %s",
              key, show, action ? action->name : "nothing", name ? name : "nothing");
    return action;
}

Test(keymap, the_keys_it_comes_with_do_not_clash_and_none_can_be_a_split_arrow_key)
{
    const struct keymap keymap = keymap_default();
    struct error error = {0};
    int line = 0;
    cr_expect(keymap_check(&keymap, &line, &error), "%s", error.text);
    for (const char *key = "ABCDFHOPQRSZ[~"; *key; key++)
        for (enum view_kind show = SHOW_INBOX; show < SHOWS; show++)
            found(&keymap, (uint32_t)*key, show, NULL);
    for (size_t i = 0; action_at(i); i++)
        cr_expect(action_at(i)->fixed || keymap.keys[i][0], "%s has no key", action_at(i)->name);
}

Test(keymap, a_key_may_mean_one_thing_on_one_screen_and_another_on_the_next)
{
    const struct keymap keymap = keymap_default();
    found(&keymap, 'h', SHOW_DAY, "day-before");
    found(&keymap, 'h', SHOW_INBOX, NULL);
    found(&keymap, KEY_CODE_LEFT, SHOW_DAY, "day-before");
    found(&keymap, ' ', SHOW_INBOX, "mark");
    found(&keymap, KEY_CODE_F1 + 1, SHOW_HISTORY, "mouse");
    found(&keymap, 12, SHOW_INBOX, "redraw");
    found(&keymap, KEY_CODE_ENTER, SHOW_HISTORY, "menu");
}

Test(keymap, binding_takes_the_old_keys_away_but_never_the_arrows)
{
    struct keymap keymap = keymap_default();
    struct error error = {0};
    struct buf names AUTO(buf_release) = {0};
    cr_assert(keymap_bind(&keymap, "accept", "x  F3", &error), "%s", error.text);
    cr_assert(keymap_bind(&keymap, "down", "Ctrl-n", &error), "%s", error.text);
    found(&keymap, 'x', SHOW_INBOX, "accept");
    found(&keymap, KEY_CODE_F1 + 2, SHOW_DAY, "accept");
    found(&keymap, 'a', SHOW_INBOX, NULL);
    found(&keymap, 14, SHOW_INBOX, "down");
    found(&keymap, 'j', SHOW_INBOX, NULL);
    found(&keymap, KEY_CODE_DOWN, SHOW_INBOX, "down");
    keymap_names(&keymap, action_at(1), &names);
    cr_expect_str_eq(buf_text(&names), "Down Ctrl-N");
    buf_clear(&names);
    keymap_short_name(&keymap, "accept", &names);
    cr_expect_str_eq(buf_text(&names), "x");
}

Test(keymap, refuses_what_is_no_key_and_what_must_not_be_bound)
{
    static const struct {
        const char *name;
        const char *keys;
        const char *says;
    } cases[] = {
        {"fly", "x", "no action fly"},
        {"accept", "", "which key"},
        {"accept", "  ", "which key"},
        {"accept", "xy", "xy is not the name"},
        {"accept", "x y z", "at most 2"},
        {"accept", "F13", "not the name"},
        {"accept", "F0", "not the name"},
        {"accept", "Ctrl-1", "not the name"},
        {"accept", "Ctrl-", "not the name"},
        {"accept", "\xe2\x80\xae", "not the name"},
        {"accept", "\xcc\x81", "not the name"},
        {"accept", "\x7f", "not the name"},
        {"accept", "A", "split arrow key"},
        {"accept", "O", "split arrow key"},
        {"accept", "[", "split arrow key"},
        {"accept", "Enter", "always means the same"},
        {"accept", "Up", "always"},
        {"accept", "Esc", "always"},
        {"accept", "Ctrl-C", "always"},
        {"accept", "Ctrl-M", "always"},
        {"accept", "Ctrl-Z", "always"},
        {"accept", "Backspace", "always"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct keymap keymap = keymap_default();
        const struct keymap before = keymap;
        struct error error = {0};
        cr_expect_not(keymap_bind(&keymap, cases[i].name, cases[i].keys, &error), "%s %s",
                      cases[i].name, cases[i].keys);
        cr_expect_eq(error.kind, ERROR_INVALID);
        cr_expect(strstr(error.text, cases[i].says), "%s: %s", cases[i].keys, error.text);
        cr_expect_eq(memcmp(&keymap, &before, sizeof before), 0, "%s changed it", cases[i].keys);
    }
}

Test(keymap, takes_any_letter_that_can_be_typed)
{
    static const struct {
        const char *name;
        uint32_t key;
    } cases[] = {{"\xc3\xa9", 0xE9}, {"\xd1\x8f", 0x44F}, {"\xe5\xb1\xb1", 0x5C71},
                 {"+", '+'},         {"space", ' '},      {"PGUP", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct keymap keymap = keymap_default();
        struct error error = {0};
        const bool bound = keymap_bind(&keymap, "accept", cases[i].name, &error);
        cr_expect_eq(bound, cases[i].key != 0, "%s: %s", cases[i].name, error.text);
        if (bound)
            cr_expect_eq(keymap.keys[7][0], cases[i].key, "%s", cases[i].name);
    }
}

Test(keymap, says_in_which_line_a_clash_is)
{
    static const struct {
        const char *name;
        const char *keys;
        bool fits;
        const char *says;
    } cases[] = {
        {"reject", "a", false, "a would mean both accept and reject"},
        {"find", "h", true, ""}, /* the other one is on another screen */
        {"copy", "h", false, "h would mean both day-before and copy"},
        {"redraw", "F5", false, "F5 would mean both"},
        {"find", "U", false, "would mean both undo and find"}, /* an answer by Shift alone */
        {"find", "J", true, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct keymap keymap = keymap_default();
        struct error error = {0};
        int line = 0;
        keymap.line = 7;
        cr_assert(keymap_bind(&keymap, cases[i].name, cases[i].keys, &error), "%s", error.text);
        cr_expect_eq(keymap_check(&keymap, &line, &error), cases[i].fits, "%s %s", cases[i].name,
                     cases[i].keys);
        cr_expect(strstr(error.text, cases[i].says), "%s", error.text);
        cr_expect_eq(line, cases[i].fits ? 0 : 7);
    }
}

Test(keymap, two_actions_may_change_places)
{
    struct keymap keymap = keymap_default();
    struct error error = {0};
    int line = 0;
    cr_assert(keymap_bind(&keymap, "accept", "r", &error));
    cr_assert(keymap_bind(&keymap, "reject", "a", &error));
    cr_expect(keymap_check(&keymap, &line, &error), "%s", error.text);
    found(&keymap, 'r', SHOW_INBOX, "accept");
    found(&keymap, 'a', SHOW_INBOX, "reject");
}
