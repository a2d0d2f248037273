/* How a reading handler ends. */
#ifndef BOOKFLOW_RESULT_H
#define BOOKFLOW_RESULT_H

#include <jansson.h>

#include "errors.h"
#include "server.h"

/* 200 with the body, which it takes over; without a body the error. */
void reply_result(struct http_request *request, json_t *body, const struct error *error);

#endif
