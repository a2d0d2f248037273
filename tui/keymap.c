/* Names of keys, and which action each of them means. */
#include "keymap.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "text.h"
#include "unicode.h"

/* --- names of keys --- */

static const struct {
    const char *name;
    uint32_t key;
} named[] = {
    {"Up", KEY_CODE_UP},
    {"Down", KEY_CODE_DOWN},
    {"Left", KEY_CODE_LEFT},
    {"Right", KEY_CODE_RIGHT},
    {"Home", KEY_CODE_HOME},
    {"End", KEY_CODE_END},
    {"PgUp", KEY_CODE_PAGE_UP},
    {"Tab", KEY_CODE_TAB},
    {"Enter", KEY_CODE_ENTER},
    {"PgDn", KEY_CODE_PAGE_DOWN},
    {"Space", ' '},
    {"Esc", KEY_CODE_ESCAPE},
    {"Backspace", KEY_CODE_BACKSPACE},
};

static void append_name(uint32_t key, struct buf *out)
{
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) {
        if (named[i].key == key) {
            buf_text_append(out, named[i].name);
            return;
        }
    }
    if (key >= KEY_CODE_F1 && key <= KEY_CODE_F12)
        buf_printf(out, "F%u", key - KEY_CODE_F1 + 1);
    else if (key < ' ')
        buf_printf(out, "Ctrl-%c", (char)(key + '@'));
    else
        text_append(out, key);
}

static bool read_function_key(const char *name, uint32_t *key)
{
    char *end = NULL;
    if (name[0] != 'F' || !isdigit((unsigned char)name[1]))
        return false;
    const unsigned long number = strtoul(name + 1, &end, 10);
    if (*end != '\0' || number < 1 || number > 12)
        return false;
    *key = KEY_CODE_F1 + (uint32_t)number - 1;
    return true;
}

static bool read_control_key(const char *name, uint32_t *key)
{
    if (strncasecmp(name, "Ctrl-", 5) != 0 || !isalpha((unsigned char)name[5]) || name[6] != '\0')
        return false;
    *key = (uint32_t)(toupper((unsigned char)name[5]) - '@');
    return true;
}

static bool read_name(const char *name, uint32_t *key)
{
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) {
        if (strcasecmp(named[i].name, name) == 0) {
            *key = named[i].key;
            return true;
        }
    }
    if (read_control_key(name, key) || read_function_key(name, key))
        return true;
    const char *const end = name + strlen(name);
    *key = text_next(&name, end);
    return *key > ' ' && name == end && !unicode_hidden(*key) && !unicode_mark(*key);
}

/* --- what may be bound --- */

static const char *refusal(uint32_t key)
{
    static const uint32_t taken[] = {KEY_CODE_ESCAPE, KEY_CODE_BACKSPACE, KEY_CODE_CTRL_C,
                                     26 /* Ctrl-Z */, 8 /* Backspace */,  10 /* Enter */};
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
        if (taken[i] == key)
            return "always means the same and cannot be bound";
    for (size_t i = 0; action_at(i); i++)
        if (action_at(i)->fixed == key)
            return "always means the same and cannot be bound";
    if (key < 0x80 && key > ' ' && strchr("ABCDFHOPQRSZ[~", (int)key))
        return "can come from a split arrow key and must not be bound";
    return NULL;
}

static bool find_action(const char *name, size_t *found)
{
    for (*found = 0; action_at(*found); (*found)++)
        if (strcmp(action_at(*found)->name, name) == 0)
            return true;
    return false;
}

/* One to KEYS_PER_ACTION names with blanks between them. */
static bool read_keys(const char *text, uint32_t keys[KEYS_PER_ACTION], struct error *error)
{
    size_t count = 0;
    for (text += strspn(text, " \t"); *text; text += strspn(text, " \t")) {
        const size_t length = strcspn(text, " \t");
        char *name AUTO(memory_release) = memory_text_n(text, length);
        uint32_t key = 0;
        if (!read_name(name, &key))
            return error_set(error, ERROR_INVALID, "%.20s is not the name of a key", name);
        if (refusal(key))
            return error_set(error, ERROR_INVALID, "%.20s %s", name, refusal(key));
        if (count == KEYS_PER_ACTION)
            return error_set(error, ERROR_INVALID, "an action has at most %d keys",
                             KEYS_PER_ACTION);
        keys[count++] = key;
        text += length;
    }
    return count > 0 || error_set(error, ERROR_INVALID, "which key?");
}

/* --- the map --- */

struct keymap keymap_default(void)
{
    struct keymap keymap = {0};
    for (size_t i = 0; action_at(i); i++) {
        struct error none = {0};
        (void)!read_keys(action_at(i)->keys, keymap.keys[i], &none); /* "" has none */
    }
    return keymap;
}

bool keymap_bind(struct keymap *keymap, const char *name, const char *keys, struct error *error)
{
    size_t i = 0;
    uint32_t read[KEYS_PER_ACTION] = {0};
    if (!find_action(name, &i))
        return error_set(error, ERROR_INVALID, "there is no action %.40s", name);
    if (!read_keys(keys, read, error))
        return false;
    memcpy(keymap->keys[i], read, sizeof read);
    keymap->lines[i] = keymap->line;
    return true;
}

static bool has_key(const struct keymap *keymap, size_t action, uint32_t key)
{
    for (size_t i = 0; key && i < KEYS_PER_ACTION; i++)
        if (keymap->keys[action][i] == key)
            return true;
    return key && action_at(action)->fixed == key;
}

static uint32_t other_case(uint32_t key)
{
    const bool letter = key < 0x80 && isalpha((int)key);
    return letter ? key ^ ('a' ^ 'A') : 0;
}

/* Nor may an answer be a matter of Shift. */
static bool clash(const struct keymap *keymap, size_t a, size_t b, uint32_t *key)
{
    const bool answers =
        strcmp(action_at(a)->group, "ANSWER") == 0 || strcmp(action_at(b)->group, "ANSWER") == 0;
    for (size_t i = 0; i < KEYS_PER_ACTION; i++) {
        *key = keymap->keys[a][i];
        if (has_key(keymap, b, *key) || (answers && has_key(keymap, b, other_case(*key))))
            return true;
    }
    return false;
}

bool keymap_check(const struct keymap *keymap, int *line, struct error *error)
{
    for (size_t a = 0; action_at(a); a++) {
        for (size_t b = a + 1; action_at(b); b++) {
            uint32_t key = 0;
            if (!(action_at(a)->where & action_at(b)->where) || !clash(keymap, a, b, &key))
                continue;
            struct buf name AUTO(buf_release) = {0};
            append_name(key, &name);
            *line = keymap->lines[a] > keymap->lines[b] ? keymap->lines[a] : keymap->lines[b];
            return error_set(error, ERROR_INVALID, "%s would mean both %s and %s", buf_text(&name),
                             action_at(a)->name, action_at(b)->name);
        }
    }
    return true;
}

const struct action *keymap_find(const struct keymap *keymap, uint32_t key, enum view_kind show)
{
    for (size_t i = 0; action_at(i); i++)
        if ((action_at(i)->where & 1U << show) && has_key(keymap, i, key))
            return action_at(i);
    return NULL;
}

/* --- in words --- */

void keymap_names(const struct keymap *keymap, const struct action *action, struct buf *out)
{
    size_t i = 0;
    (void)find_action(action->name, &i);
    if (action->fixed)
        append_name(action->fixed, out);
    for (size_t j = 0; j < KEYS_PER_ACTION && keymap->keys[i][j]; j++) {
        if (action->fixed || j > 0)
            buf_char(out, ' ');
        append_name(keymap->keys[i][j], out);
    }
}

void keymap_short_name(const struct keymap *keymap, const char *action, struct buf *out)
{
    size_t i = 0;
    if (!find_action(action, &i))
        return;
    append_name(keymap->keys[i][0] ? keymap->keys[i][0] : action_at(i)->fixed, out);
}
