/* What the store subjects of the power-cut harness share: what was promised, and the acts that a
 * script is made of. */
#ifndef BOOKFLOW_POWER_CUTS_WORK_H
#define BOOKFLOW_POWER_CUTS_WORK_H

#include <stdbool.h>
#include <stddef.h>

#include "booking.h"
#include "db.h"
#include "outbox.h"
#include "power_cuts_bench.h"
#include "writer.h"

enum { WORK_BOOKINGS = 10, WORK_SENT = 40 };

/* Everything whose done() came without a failure, and what was tried. */
struct promises {
    bool slots[WORK_BOOKINGS];
    struct promised_booking {
        char id[ID_SIZE]; /* "" = nothing promised */
        enum booking_status status;
        unsigned tried; /* a bit per status that something asked for */
    } bookings[WORK_BOOKINGS];
    char sent[WORK_SENT][ID_SIZE]; /* event ids */
    size_t sent_count;
};

enum store_kind { STORE_INTAKE, STORE_DECISION, STORE_KINDS };
struct store_traits {
    const char *file;
    const struct db_schema *(*schema)(void);
    const char *script;
    const char *contradictions; /* SQL: how many there are */
};
extern const struct store_traits STORE_TRAITS[STORE_KINDS];

struct work {
    struct bench *bench;
    enum store_kind kind;
    struct promises *promises; /* NULL = nobody keeps count */
    struct db *db;
    struct writer *writer;
};

struct act;
struct task {
    struct operation operation; /* first: the writer's pointer is ours */
    struct work *work;
    const struct act *act;
    size_t which; /* slot and booking */
    char booking_id[ID_SIZE];
    struct outbox_row row; /* of a publication */
    bool done;
};

/* False: there is nothing for this act to act on now. */
bool task_prepare(struct task *task, struct work *work, char letter, size_t which);
/* Inside a transaction. */
bool task_apply(struct task *task, struct db *db, struct error *error);
/* It is durable. */
void task_promise(const struct task *task);
void task_release(struct task *task);

#endif
