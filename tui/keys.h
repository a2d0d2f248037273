/* The keys: one table, from which keys act and from which the help is made. Codes are Unicode code
 * points; keys without one have a code above those. Knows nothing of curses.
 *
 * Never bind A B C D F H O P Q R S Z, [ or ~: on a slow line an arrow key falls into Esc O B. */
#ifndef BOOKFLOW_KEYS_H
#define BOOKFLOW_KEYS_H

#include <stddef.h>
#include <stdint.h>

enum key {
    KEY_CODE_CTRL_C = 3,
    KEY_CODE_CTRL_L = 12,
    KEY_CODE_ENTER = 13,
    KEY_CODE_ESCAPE = 27,
    KEY_CODE_BACKSPACE = 127,
    KEY_CODE_UP = 0x200000,
    KEY_CODE_DOWN,
    KEY_CODE_PAGE_UP,
    KEY_CODE_PAGE_DOWN,
    KEY_CODE_HOME,
    KEY_CODE_END,
    KEY_CODE_F5,
    KEY_CODE_PASTE, /* a paste has ended; its text was dropped */
    KEY_CODE_OTHER
};

enum mode { MODE_INBOX, MODE_REASON, MODE_TYPING, MODE_HELP, MODE_QUIT, MODES };

/* A binding either acts or moves: by lines, pages or to an edge. */
enum { BY_PAGE = 1000, BY_EDGE = 1000000000 };

struct app;
struct key_binding {
    enum mode mode;
    uint32_t keys[2];
    int by;
    void (*act)(struct app *app); /* NULL: move */
    const char *group;            /* NULL = not in the help */
    const char *help;             /* the keys and what they do */
};

/* The i-th binding; NULL behind the last. */
const struct key_binding *key_binding_at(size_t i);

#endif
