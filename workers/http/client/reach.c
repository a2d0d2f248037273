/* Addresses, by the registries of special-purpose addresses (RFC 6890 and its successors). */
#include "reach.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

bool reach_read_ipv6(const char *host, struct in6_addr *address)
{
    char bare[INET6_ADDRSTRLEN];
    const size_t length = strlen(host);
    if (length < 4 || host[0] != '[' || length - 2 >= sizeof bare)
        return false;
    (void)snprintf(bare, sizeof bare, "%.*s", (int)length - 2, host + 1);
    return inet_pton(AF_INET6, bare, address) == 1;
}

bool reach_is_loopback(const char *host)
{
    struct in_addr v4 = {0};
    struct in6_addr v6 = {0};
    if (inet_pton(AF_INET, host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    return strcasecmp(host, "localhost") == 0 ||
           (reach_read_ipv6(host, &v6) && IN6_IS_ADDR_LOOPBACK(&v6));
}

static bool is_public_v4(uint32_t address)
{
    static const struct {
        uint32_t network;
        int bits;
    } special[] = {
        {0x00000000, 8},  /* this network */
        {0x0A000000, 8},  /* private */
        {0x64400000, 10}, /* shared, behind a carrier's NAT */
        {0x7F000000, 8},  /* loopback */
        {0xA9FE0000, 16}, /* link-local */
        {0xAC100000, 12}, /* private */
        {0xC0000000, 24}, /* protocol assignments */
        {0xC0000200, 24}, /* documentation */
        {0xC0586300, 24}, /* 6to4 relays */
        {0xC0A80000, 16}, /* private */
        {0xC6120000, 15}, /* benchmarks */
        {0xC6336400, 24}, /* documentation */
        {0xCB007100, 24}, /* documentation */
        {0xE0000000, 3},  /* multicast, reserved, broadcast */
    };
    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        if ((address ^ special[i].network) >> (32 - special[i].bits) == 0)
            return false;
    return true;
}

static uint32_t v4_in(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* 2000::/3 is the world, but for the parts that lead elsewhere; 64:ff9b::/96 leads to IPv4. */
static bool is_public_v6(const unsigned char *address)
{
    static const unsigned char nat64[12] = {0x00, 0x64, 0xff, 0x9b};
    static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    const unsigned first = (unsigned)address[0] << 8 | address[1];
    const unsigned second = (unsigned)address[2] << 8 | address[3];
    if (memcmp(address, nat64, sizeof nat64) == 0 || memcmp(address, mapped, sizeof mapped) == 0)
        return is_public_v4(v4_in(address + 12));
    if (first == 0x2002) /* 6to4 */
        return is_public_v4(v4_in(address + 2));
    const bool assigned = first == 0x2001 && (second < 0x0200 || second == 0x0db8);
    return first >> 13 == 1 && !assigned && first >> 4 != 0x3ff;
}

bool reach_is_public(const struct sockaddr *address)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    switch (address->sa_family) {
    case AF_INET:
        memcpy(&v4, address, sizeof v4);
        return is_public_v4(ntohl(v4.sin_addr.s_addr));
    case AF_INET6:
        memcpy(&v6, address, sizeof v6);
        return is_public_v6(v6.sin6_addr.s6_addr);
    default:
        return false;
    }
}
