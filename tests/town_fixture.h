/* Two stores with five bookings that have come to rest, and what moves them: for tests that damage
 * them. */
#ifndef BOOKFLOW_TOWN_FIXTURE_H
#define BOOKFLOW_TOWN_FIXTURE_H

#include "rules_fixture.h"

enum { BOOKINGS = 5 };

struct town {
    struct rules rules;
    char ids[BOOKINGS][ID_SIZE]; /* confirmed, rejected, withdrawn, cancelled by the user, pending
                                  */
};

/* Five bookings, one in each way a booking can end; the cancel overtakes its create. */
void town_open(struct town *town);
void town_close(struct town *town);

void town_book(struct town *town, int number);
void town_decide(struct town *town, int number, enum booking_command command);
void town_cancel(struct town *town, int number);
void town_hear(struct town *town, struct db *receiver, const char *body);

/* Sends what the outbox has, the newest first; heard = by the other store. */
void town_send(struct town *town, struct db *sender, bool heard);

#endif
