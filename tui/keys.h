/* The keys and the actions behind them: one table, from which keys act and from which the help, the
 * menu and the names in the configuration are made. Codes are Unicode code points; keys without one
 * have a code above those. Knows nothing of curses.
 *
 * Never bind A B C D F H O P Q R S Z, [ or ~: on a slow line an arrow key falls into Esc O B. */
#ifndef BOOKFLOW_KEYS_H
#define BOOKFLOW_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum key {
    KEY_CODE_CTRL_C = 3,
    KEY_CODE_TAB = 9,
    KEY_CODE_CTRL_L = 12,
    KEY_CODE_ENTER = 13,
    KEY_CODE_ESCAPE = 27,
    KEY_CODE_BACKSPACE = 127,
    KEY_CODE_UP = 0x200000,
    KEY_CODE_DOWN,
    KEY_CODE_LEFT,
    KEY_CODE_RIGHT,
    KEY_CODE_PAGE_UP,
    KEY_CODE_PAGE_DOWN,
    KEY_CODE_HOME,
    KEY_CODE_END,
    KEY_CODE_F1,
    KEY_CODE_F12 = KEY_CODE_F1 + 11,
    KEY_CODE_WHEEL_UP,
    KEY_CODE_WHEEL_DOWN,
    KEY_CODE_CLICK, /* where: terminal_click() */
    KEY_CODE_PASTE, /* a paste has ended; its text was dropped */
    KEY_CODE_OTHER
};

/* What takes the keys: a screen, or a question over it (dialog.h), or a line that is typed. */
enum mode {
    MODE_NONE,    /* no question: the screen */
    MODE_REASON,  /* of a reject: choose */
    MODE_TYPING,  /* the same: type */
    MODE_FIND,    /* type what the list is to show */
    MODE_MENU,    /* what can be done here */
    MODE_OVERLAP, /* accept although the time is taken? */
    MODE_BULK,    /* answer what is marked? */
    MODE_HELP,
    MODE_QUIT,
    MODE_RESTART, /* what is to become of answers that were not sent? */
    MODES
};

/* The screens; Tab goes from one to the next. */
enum view_kind { SHOW_INBOX, SHOW_DAY, SHOW_HISTORY, SHOWS };

/* An action either acts or moves: by lines, pages or to an edge. */
enum { BY_PAGE = 1000, BY_EDGE = 1000000000, ACTIONS_MAX = 40 };

struct app;
struct action {
    const char *name; /* in the configuration */
    uint32_t fixed;   /* a key that it always has; 0 = none */
    const char *keys; /* the others, as the configuration writes them; at most two */
    unsigned where;   /* bits 1 << SHOW_INBOX ... */
    int by;
    void (*act)(struct app *app);           /* NULL: move */
    bool (*applies)(const struct app *app); /* NULL = always; else the menu leaves it out */
    const char *group;                      /* in the help */
    const char *words;
};

/* The i-th action; NULL behind the last. */
const struct action *action_at(size_t i);

#endif
