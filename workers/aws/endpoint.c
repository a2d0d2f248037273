/* Reads a URL with libcurl's parser, which is the one that will follow it. */
#include "endpoint.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "reach.h"

static bool part(CURLU *url, CURLUPart which, char *out, size_t size)
{
    char *text = NULL;
    const bool fits = curl_url_get(url, which, &text, 0) == CURLUE_OK && strlen(text) < size;
    if (fits)
        (void)snprintf(out, size, "%s", text);
    curl_free(text);
    return fits;
}

/* 169.254.0.0/16, fe80::/10, and the metadata services' own fd00:ec2::/32. Wide: whatever a
 * resolver may take for an address, such as one number in octal. */
static bool is_metadata(const char *host)
{
    static const unsigned char ec2[] = {0xfd, 0x00, 0x0e, 0xc2};
    struct in_addr v4 = {0};
    struct in6_addr v6 = {0};
    if (inet_aton(host, &v4) != 0)
        return ntohl(v4.s_addr) >> 16 == 0xa9fe;
    if (!reach_read_ipv6(host, &v6))
        return false;
    if (IN6_IS_ADDR_V4MAPPED(&v6) || IN6_IS_ADDR_V4COMPAT(&v6))
        return v6.s6_addr[12] == 0xa9 && v6.s6_addr[13] == 0xfe;
    return IN6_IS_ADDR_LINKLOCAL(&v6) || memcmp(v6.s6_addr, ec2, sizeof ec2) == 0;
}

static bool has(CURLU *url, CURLUPart which)
{
    char *text = NULL;
    const bool there = curl_url_get(url, which, &text, 0) == CURLUE_OK;
    curl_free(text);
    return there;
}

static bool read_parts(CURLU *url, struct endpoint *endpoint)
{
    char scheme[8];
    char port[8];
    char host[ENDPOINT_HOST_SIZE - sizeof port];
    if (!part(url, CURLUPART_SCHEME, scheme, sizeof scheme) ||
        !part(url, CURLUPART_HOST, host, sizeof host) || has(url, CURLUPART_USER) ||
        has(url, CURLUPART_PASSWORD))
        return false;
    const bool plain = strcmp(scheme, "http") == 0;
    if ((!plain && strcmp(scheme, "https") != 0) || (plain && !reach_is_loopback(host)) ||
        is_metadata(host))
        return false;
    const bool own_port =
        part(url, CURLUPART_PORT, port, sizeof port) && strcmp(port, plain ? "80" : "443") != 0;
    (void)snprintf(endpoint->host, sizeof endpoint->host, "%s%s%s", host, own_port ? ":" : "",
                   own_port ? port : "");
    endpoint->plain = plain;
    return true;
}

bool endpoint_parse(const char *url, struct endpoint *endpoint, struct error *error)
{
    CURLU *parsed = curl_url();
    const bool good = parsed && curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
                      read_parts(parsed, endpoint);
    curl_url_cleanup(parsed);
    return good || error_set(error, ERROR_CONFIGURATION,
                             "\"%s\" is not an address that credentials may go to: write"
                             " https://HOST, or http://127.0.0.1:PORT for a server of your own",
                             strchr(url, '@') ? "USER@HOST" : url); /* it may hold a password */
}
