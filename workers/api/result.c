/* How a reading handler ends. */
#include "result.h"

void reply_result(struct http_request *request, json_t *body, const struct error *error)
{
    if (body)
        http_reply_json(request, 200, body);
    else
        http_reply_error(request, error, NULL);
}
