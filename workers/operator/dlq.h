/* The parts of `bookflow dlq`: what was asked for, and one function for each verb, run with the
 * dead letters in hand. */
#ifndef BOOKFLOW_DLQ_H
#define BOOKFLOW_DLQ_H

#include <stdbool.h>
#include <stddef.h>

#include "letters.h"
#include "queue_session.h"

struct dlq {
    enum which_queue which;
    char *const *ids; /* as given */
    size_t id_count;
    bool all;
    bool dry_run;
    bool as_json;
    struct queue_session *session;
    struct queue *source;
    struct letters *letters;
};

/* Every id is known before the first of them is touched. */
typedef bool dlq_verb_fn(const struct dlq *dlq, struct error *error);
dlq_verb_fn dlq_list, dlq_show, dlq_redrive, dlq_drop;

/* One letter's outcome, printed at once: what happened to it, and why not otherwise ("" = nothing
 * to add). As JSON they are collected. */
void dlq_print_outcome(json_t *outcomes, const struct letter *letter, const char *outcome,
                       const char *reason);
void dlq_print_json(const json_t *value);

#endif
