/* Bookings as the API shows them. */
#ifndef BOOKFLOW_BOOKING_JSON_H
#define BOOKFLOW_BOOKING_JSON_H

#include <jansson.h>

#include "booking.h"

/* Exactly {"id","userId","providerId","slotId","start","end","status"}, in this order. Unknown
 * times are null. A new reference. */
json_t *booking_to_json(const struct booking *booking);

/* Reads the seven fields back (the console does); ignores others. ERROR_INVALID. */
MUST_CHECK bool booking_from_json(const json_t *object, struct booking *booking,
                                  struct error *error);

#endif
