/* Inside the client only: a message by SMTP, in libcurl's words. */
#ifndef BOOKFLOW_EXCHANGE_MAIL_H
#define BOOKFLOW_EXCHANGE_MAIL_H

#include <curl/curl.h>

#include "exchange.h"

/* What a transfer of a message needs as long as it lasts. Starts as {0}. */
struct mail_parts {
    curl_mime *mime;
    struct curl_slist *recipients;
};
void mail_set(CURL *easy, const struct exchange_request *request, struct mail_parts *parts);
void mail_release(struct mail_parts *parts);

/* Every line but the first begins with a blank: it goes on, and is no header of its own. */
bool mail_folded(const char *value);

/* What libcurl calls a failure may be an answer (see struct exchange_mail): CURLE_OK and its status
 * then, otherwise the same failure. */
CURLcode mail_end(CURL *easy, CURLcode code, long *status);

#endif
