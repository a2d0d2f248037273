/* A booking as the decision worker's API shows it to its provider. What the API left out is NULL or
 * 0 and is shown as nothing, never guessed. */
#ifndef BOOKFLOW_RECORD_H
#define BOOKFLOW_RECORD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "booking.h"
#include "errors.h"

/* Texts are on the heap, not arrays: a hundred thousand of these must fit into a console. */
struct record {
    char *id;
    char *user_id;
    char *user_name;  /* NULL = not in the directory */
    char *decided_by; /* NULL = nobody yet, or not told */
    char *reason;
    int64_t start_s;
    int64_t end_s;
    int64_t received_s;
    int64_t decided_s;
    enum booking_status status;
    bool delivered; /* the decision has reached the queue */
};

/* ERROR_INVALID when it is not a booking. The caller owns the result. */
MUST_CHECK struct record *record_from_json(const json_t *object, struct error *error);
void record_free(struct record *record);
void record_release(struct record **record); /* for AUTO() */

/* Takes over from `news` what it knows; false, and nothing changed, when it is older: states only
 * move up, so a list that was read before an event never beats it. Frees `news`. */
bool record_merge(struct record *record, struct record *news);

/* The client's name, or the id where there is no name. Not sanitised. */
const char *record_client(const struct record *record);

/* The end of the id, enough to tell bookings apart by eye: ids made in one minute begin alike. */
const char *record_short_id(const struct record *record);

#endif
