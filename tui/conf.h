/* What a person can set: the file console.conf. It is read once and never written. Knows neither
 * the command line nor the environment, which both win. */
#ifndef BOOKFLOW_CONF_H
#define BOOKFLOW_CONF_H

#include <stddef.h>

#include "buf.h"

enum { CONF_REASONS_MAX = 20, CONF_UNDO_MAX_S = 60 };

/* How the inbox is sorted: who waits longest, whose slot begins first, by the client's name. */
enum conf_order { ORDER_OLDEST, ORDER_TIME, ORDER_NAME, ORDERS };

struct keymap;

/* All texts are the conf's, and UTF-8 without control characters. */
struct conf {
    const char *url; /* NULL = not said, as with the next two */
    const char *provider;
    const char *token_file;
    int undo_seconds; /* 0 = an answer goes out at once */
    const char *reasons[CONF_REASONS_MAX];
    size_t reason_count;
    enum conf_order order;
    bool mouse;
    bool colour;           /* false = as with NO_COLOR */
    struct keymap *keymap; /* NULL = every key as it is built in */
    char *text;            /* the file, which the texts above point into */
    char *token_path;      /* or into this, where ~ is spelled out */
};

/* What holds without a file. Nobody frees it. */
const struct conf *conf_default(void);

/* Reads `path`, or with NULL console.conf in $XDG_CONFIG_HOME/bookflow (~/.config/bookflow), which
 * may be missing. ERROR_CONFIGURATION: it cannot be read, or lines are wrong; those are in
 * `complaints`, one each with file and line number. */
MUST_CHECK struct conf *conf_read(const char *path, struct buf *complaints, struct error *error);
void conf_free(struct conf *conf);
void conf_release(struct conf **conf); /* for AUTO() */

/* "oldest", "time", "name" */
const char *conf_order_name(enum conf_order order);

#endif
