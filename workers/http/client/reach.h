/* Whom a connection leads to: this machine, the world, or something in between that nobody outside
 * may make us speak to. */
#ifndef BOOKFLOW_REACH_H
#define BOOKFLOW_REACH_H

#include <stdbool.h>

struct in6_addr;
struct sockaddr;

/* A host as a URL spells it: "localhost", 127.0.0.0/8, [::1]. Narrow: one spelling. */
bool reach_is_loopback(const char *host);

/* An IPv6 address in the brackets that a URL puts it in. */
bool reach_read_ipv6(const char *host, struct in6_addr *address);

/* An address of the public internet: not private, loopback, link-local (where metadata services
 * live), shared, reserved, multicast, nor an IPv6 address that leads to such an IPv4 one. */
bool reach_is_public(const struct sockaddr *address);

#endif
