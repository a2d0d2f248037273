/* Which key means which action: the table of actions, with what a person has changed in it. Pure.
 */
#ifndef BOOKFLOW_KEYMAP_H
#define BOOKFLOW_KEYMAP_H

#include "buf.h"
#include "keys.h"

enum { KEYS_PER_ACTION = 2 };

struct keymap {
    int line; /* set by the caller before each keymap_bind(): where that stands */
    uint32_t keys[ACTIONS_MAX][KEYS_PER_ACTION];
    int lines[ACTIONS_MAX]; /* 0 = not bound by anybody */
};

/* The keys that the program comes with. */
struct keymap keymap_default(void);

/* Gives the action these keys, one or two with a blank between them, in place of those it had:
 * "x", "F3", "Ctrl-X", "Space", "PgUp". Up, Down, Enter, Esc and Ctrl-C stay what they are.
 * ERROR_INVALID: no such action, no such key, or one that must not be bound. */
MUST_CHECK bool keymap_bind(struct keymap *keymap, const char *name, const char *keys,
                            struct error *error);

/* After the last keymap_bind(). ERROR_INVALID: one key means two actions on one screen; *line is
 * the later of the two lines that say so. */
MUST_CHECK bool keymap_check(const struct keymap *keymap, int *line, struct error *error);

/* NULL when the key means nothing on that screen. */
const struct action *keymap_find(const struct keymap *keymap, uint32_t key, enum view_kind show);

/* "Up k" */
void keymap_names(const struct keymap *keymap, const struct action *action, struct buf *out);
/* The shortest name of the action's own key: "k", else "Up". */
void keymap_short_name(const struct keymap *keymap, const char *action, struct buf *out);

#endif
