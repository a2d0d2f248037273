/* The stores as every world begins with them, made once: migrated, with the slots in intake's. */
#ifndef BOOKFLOW_WORLD_TEMPLATE_H
#define BOOKFLOW_WORLD_TEMPLATE_H

#include <stddef.h>
#include <stdint.h>

#include "simulation.h"

enum {
    SLOTS = 96,
    PROVIDERS = 3,
    USERS = 9,
    SLOT_FIRST_S = 60,
    SLOT_EVERY_S = 8,
    SLOT_LENGTH_S = 1800
};

/* User 1 to USERS and all providers have entries in the directory.
 *
 * Slot i is "slot-I" of "provider-(I % PROVIDERS)" and starts at EPOCH_S + SLOT_FIRST_S +
 * I * SLOT_EVERY_S. */

struct template
{
    struct image {
        size_t length;
        unsigned char *bytes;
    } images[SIDES];
};

extern const char *const template_files[SIDES];

/* Makes both stores in `folder`; false when it cannot. */
MUST_CHECK bool template_make(struct template *template, const char *folder, struct error *error);
void template_release(struct template *template);

/* Puts the side's store onto the newest disk, durable. */
MUST_CHECK bool template_put(const struct template *template, int side, const char *folder,
                             struct error *error);

#endif
