/* The URL of the embedded queue:
 *
 *     sqlite:/path/queues.db?queue=NAME[&dlq=NAME][&max_receives=N][&visibility=S]
 *                           [&shuffle=1][&duplicate=PERCENT][&seed=N]
 *
 * A queue's dead-letter queue is an ordinary queue of the same file whose name ends in -dlq; it is
 * NAME-dlq unless named, and has none itself. shuffle and duplicate make visible what SQS may do at
 * any time: messages out of order and late, and messages again after their delete. seed makes these
 * two repeat; without it their chance comes from the host's world. */
#ifndef BOOKFLOW_EMBEDDED_URL_H
#define BOOKFLOW_EMBEDDED_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "errors.h"

enum { EMBEDDED_NAME_MAX = 80 };

enum embedded_number {
    NUMBER_MAX_RECEIVES, /* 0 = no redrive */
    NUMBER_VISIBILITY,
    NUMBER_SHUFFLE,
    NUMBER_DUPLICATE,
    NUMBER_SEED, /* -1 = none */
    NUMBER_COUNT
};

struct embedded_options {
    char *path;
    char name[EMBEDDED_NAME_MAX + 1];
    char dead_letter[EMBEDDED_NAME_MAX + 1]; /* "" = none */
    int64_t number[NUMBER_COUNT];
};

/* ERROR_CONFIGURATION names what is wrong. */
MUST_CHECK bool embedded_options_parse(const char *url, struct embedded_options *options,
                                       struct error *error);
void embedded_options_release(struct embedded_options *options);

#endif
