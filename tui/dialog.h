/* The questions over a screen: a title, words, and choices that arrows and Enter reach; a letter
 * may stand for one, and Esc goes back. One table by mode; a mode that is not in it is a line to
 * type in. Pure. */
#ifndef BOOKFLOW_DIALOG_H
#define BOOKFLOW_DIALOG_H

#include "buf.h"
#include "keys.h"

struct choice {
    const char *text;
    const struct action *action;  /* the menu: its key and words are the text */
    uint32_t key;                 /* 0 = none */
    void (*act)(struct app *app); /* app->choice is its number */
};

struct dialog {
    void (*title)(const struct app *app, struct buf *out);
    void (*text)(const struct app *app, struct buf *out); /* blocks; NULL = none */
    /* The i-th choice; false behind the last. The first one is the default: going back. */
    bool (*choice)(const struct app *app, size_t i, struct choice *choice);
};

/* NULL when the mode has no choices. */
const struct dialog *dialog_of(enum mode mode);
size_t dialog_count(const struct app *app);

void dialog_open(struct app *app, enum mode mode);
/* Back to the screen. What was typed and what was aimed at is forgotten. */
void dialog_close(struct app *app);
/* Rejects what is aimed at, or what is marked; NULL = without a reason. */
void dialog_reject(struct app *app, const char *reason);
/* A key while a dialog with choices is open. */
void dialog_key(struct app *app, uint32_t key);

#endif
