/* Messages by SMTP: MIME and the transfer are libcurl's. */
#include "exchange_mail.h"

#include <string.h>

/* Each of these fails for lack of memory only. */
static void add_part(curl_mime *mime, const char *type, const char *text)
{
    curl_mimepart *part = curl_mime_addpart(mime);
    (void)curl_mime_data(part, text, CURL_ZERO_TERMINATED);
    (void)curl_mime_type(part, type);
    (void)curl_mime_encoder(part, "quoted-printable");
}

void mail_set(CURL *easy, const struct exchange_request *request, struct mail_parts *parts)
{
    const struct exchange_mail *mail = request->mail;
    parts->mime = curl_mime_init(easy);
    add_part(parts->mime, "text/plain; charset=utf-8", mail->text);
    if (mail->calendar)
        add_part(parts->mime, mail->calendar_type, mail->calendar);
    parts->recipients = curl_slist_append(NULL, mail->to);
    (void)curl_easy_setopt(easy, CURLOPT_USE_SSL,
                           (long)(request->plain ? CURLUSESSL_NONE : CURLUSESSL_ALL));
    (void)curl_easy_setopt(easy, CURLOPT_MAIL_FROM, mail->from);
    (void)curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, parts->recipients);
    (void)curl_easy_setopt(easy, CURLOPT_MIMEPOST, parts->mime);
    (void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
    (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)request->connect_timeout_ms);
}

void mail_release(struct mail_parts *parts)
{
    curl_mime_free(parts->mime);
    curl_slist_free_all(parts->recipients);
}

bool mail_folded(const char *value)
{
    for (const char *at = strpbrk(value, "\r\n"); at; at = strpbrk(at, "\r\n")) {
        if (strncmp(at, "\r\n ", 3) != 0)
            return false;
        at += 3;
    }
    return true;
}

CURLcode mail_end(CURL *easy, CURLcode code, long *status)
{
    const bool refused =
        *status >= 400 && (code == CURLE_SEND_ERROR || code == CURLE_WEIRD_SERVER_REPLY ||
                           code == CURLE_LOGIN_DENIED || code == CURLE_UPLOAD_FAILED);
    curl_off_t sent = 0;
    (void)curl_easy_getinfo(easy, CURLINFO_SIZE_UPLOAD_T, &sent);
    if (!refused && sent > 0)
        *status = 0;
    return refused || sent > 0 ? CURLE_OK : code;
}
