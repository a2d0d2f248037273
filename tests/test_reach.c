/* Which addresses are public, and which hosts are this machine. */
#include "reach.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

static bool is_public(const char *text)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        return reach_is_public((const struct sockaddr *)&v4);
    cr_assert_eq(inet_pton(AF_INET6, text, &v6.sin6_addr), 1, "%s", text);
    return reach_is_public((const struct sockaddr *)&v6);
}

Test(reach, only_addresses_of_the_world_are_public)
{
    static const char *const public[] = {
        "1.1.1.1",        "9.255.255.255",   "11.0.0.0",   "100.63.255.255",  "100.128.0.0",
        "126.1.1.1",      "172.15.255.255",  "172.32.0.0", "192.167.255.255", "198.17.255.255",
        "198.20.0.0",     "223.255.255.255", "2600::1",    "2a00:1450::1",    "64:ff9b::101:101",
        "::ffff:1.1.1.1", "2002:101:101::1",
    };
    static const char *const hidden[] = {
        "0.0.0.0",
        "0.1.2.3",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "127.9.9.9",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fec0::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "2001:db8::1",
        "2001::1",
        "3fff::1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::1",
        "4000::1",
    };
    for (size_t i = 0; i < sizeof public / sizeof *public; i++)
        cr_expect(is_public(public[i]), "%s", public[i]);
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        cr_expect_not(is_public(hidden[i]), "%s", hidden[i]);
}

Test(reach, a_socket_of_another_kind_is_not_public)
{
    const struct sockaddr address = {.sa_family = AF_UNIX};
    cr_expect_not(reach_is_public(&address));
}

Test(reach, this_machine_has_few_names)
{
    static const struct {
        const char *host;
        bool loopback;
    } cases[] = {
        {"localhost", true},      {"LOCALHOST", true}, {"127.0.0.1", true},
        {"127.255.0.9", true},    {"[::1]", true},     {"128.0.0.1", false},
        {"localhost.org", false}, {"[::2]", false},    {"::1", false},
        {"127.1", false},         {"", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq(reach_is_loopback(cases[i].host), cases[i].loopback, "%s", cases[i].host);
}
