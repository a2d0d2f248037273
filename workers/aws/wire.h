/* The two protocols that services speak, both over POST /: JSON with the action in X-Amz-Target
 * (SQS), and AWS Query, a form that is answered in XML (SNS). Inside the service's calls only. */
#ifndef BOOKFLOW_WIRE_H
#define BOOKFLOW_WIRE_H

#include <jansson.h>

#include "exchange.h"
#include "failure.h"

struct wire {
    const char *target; /* JSON: in front of the action in X-Amz-Target; NULL = Query */
};

const char *wire_content_type(const struct wire *wire);

/* Query: the body of a request, ended by a NULL name; on the heap. */
struct wire_field {
    const char *name;
    const char *value;
};
char *wire_form(const struct wire_field fields[]);

/* What a 200 holds, {} when that does not matter; NULL when it is no answer of the service. */
json_t *wire_answer(const struct wire *wire, const struct exchange_answer *answer);

/* What any other status says. */
void wire_failure(const struct wire *wire, const struct exchange_answer *answer,
                  struct failure *failure);

/* The text of an element that has no children, as these services write it; NULL without one. The
 * caller's. */
char *wire_element(const char *xml, const char *name);

#endif
