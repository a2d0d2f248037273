/* Where credentials may go: the same table that an attacker would try. */
#include "endpoint.h"

#include <criterion/criterion.h>
#include <string.h>

Test(endpoint, that_credentials_may_go_to_is_read)
{
    static const struct {
        const char *url, *host;
        bool plain;
    } cases[] = {
        {"https://sqs.eu-north-1.amazonaws.com", "sqs.eu-north-1.amazonaws.com", false},
        {"https://sqs.eu-north-1.amazonaws.com:443/1/q", "sqs.eu-north-1.amazonaws.com", false},
        {"https://example.com:8443/?x#y", "example.com:8443", false},
        {"HTTPS://example.com", "example.com", false},
        {"https://10.0.0.1", "10.0.0.1", false},
        {"https://[2001:db8::1]:8443/", "[2001:db8::1]:8443", false},
        {"http://127.0.0.1:4566", "127.0.0.1:4566", true},
        {"http://127.0.0.1:80", "127.0.0.1", true},
        {"http://127.8.9.10/", "127.8.9.10", true},
        {"http://localhost:4566/", "localhost:4566", true},
        {"http://LOCALHOST/", "LOCALHOST", true},
        {"http://[::1]:9324", "[::1]:9324", true},
        {"http://2130706433/", "127.0.0.1", true},
        {"http://0x7f.1/", "127.0.0.1", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct endpoint endpoint = {0};
        struct error error = {0};
        cr_assert(endpoint_parse(cases[i].url, &endpoint, &error), "%s", cases[i].url);
        cr_assert_str_eq(endpoint.host, cases[i].host);
        cr_assert_eq(endpoint.plain, cases[i].plain, "%s", cases[i].url);
    }
}

Test(endpoint, that_credentials_must_not_go_to_is_refused)
{
    static const char *const urls[] = {
        "", "x", "/", "example.com", "//example.com", "https://",
        /* in the clear */
        "http://example.com", "http://10.0.0.1/", "http://0.0.0.0/", "http://[::]/",
        "http://localhost.example.com/", "http://127.0.0.1.example.com/", "http://128.0.0.1/",
        "http://[::ffff:127.0.0.1]/", "http://[2001:db8::1]/",
        /* other schemes */
        "ftp://127.0.0.1/", "file:///etc/passwd", "gopher://127.0.0.1/", "unix:/x",
        "ws://localhost",
        /* metadata services, however they are written */
        "https://169.254.169.254/latest/", "http://169.254.169.254/", "https://169.254.170.2/",
        "https://169.254.0.1:8443/", "https://2852039166/", "https://0xa9fea9fe/",
        "https://0xa9.0xfe.0xa9.0xfe/", "https://0251.0376.0251.0376/", "https://169.16689662/",
        "https://169.254.43518/", "https://%31%36%39.254.169.254/",
        "https://%32%38%35%32%30%33%39%31%36%36/", "https://[::ffff:169.254.169.254]/",
        "https://[::ffff:a9fe:a9fe]/", "https://[::169.254.169.254]/",
        "https://[0:0:0:0:0:ffff:a9fe:a9fe]/", "https://[fe80::1]/", "https://[fe80::1%25eth0]/",
        "https://[fd00:ec2::254]/", "https://[fd00:0ec2:0::254]/", "https://[fd00:ec2::23]/",
        /* users */
        "https://a@example.com/", "https://user@example.com/", "https://user:secret@example.com/",
        "https://:secret@example.com/", "https://@example.com/", "http://user@127.0.0.1/",
        "https://sqs.amazonaws.com@example.com/",
        /* broken */
        "https://exa mple.com/", "https://example.com\r\nX: y/", "https://[::1/",
        "https://a:99999/", "https://a:x/"};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct endpoint endpoint = {0};
        struct error error = {0};
        cr_assert_not(endpoint_parse(urls[i], &endpoint, &error), "%s", urls[i]);
        cr_assert_eq(error.kind, ERROR_CONFIGURATION, "%s", urls[i]);
        cr_assert_not(strstr(error.text, "secret"), "%s", error.text);
    }
}

Test(endpoint, may_have_a_host_as_long_as_names_can_be)
{
    char url[600] = "https://";
    struct endpoint endpoint = {0};
    struct error error = {0};
    memset(url + 8, 'a', 253);
    cr_assert(endpoint_parse(url, &endpoint, &error), "%s", error.text);
    memset(url + 8, 'a', 500);
    cr_assert_not(endpoint_parse(url, &endpoint, &error));
}
