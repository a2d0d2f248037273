/* Inside the client only: what every use of libcurl has in common. */
#ifndef BOOKFLOW_HARDEN_H
#define BOOKFLOW_HARDEN_H

#include <curl/curl.h>

/* TLS 1.2 or newer with peer and host verified, no redirects, no proxy from the environment, no
 * signals. libcurl's options are plain longs and pointers: each of these calls can only fail for
 * lack of memory or for an option unknown to the library, which the build rules out. */
static inline void harden(CURL *easy, const char *protocols)
{
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, protocols);
    (void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(easy, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    (void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_USERAGENT, "bookflow/" BOOKFLOW_VERSION);
}

#endif
