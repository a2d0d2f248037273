/* What the service manager is told: systemd's notify protocol, a datagram to $NOTIFY_SOCKET.
 * Without that variable nobody listens, and nothing is said. Knows nothing of what is being
 * supervised. */
#ifndef BOOKFLOW_SUPERVISOR_H
#define BOOKFLOW_SUPERVISOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "READY=1", "STOPPING=1", "WATCHDOG=1", "STATUS=...", joined by newlines; see sd_notify(3). */
void supervisor_tell(const char *state);

/* How long this process may stay without WATCHDOG=1 before it is killed; -1 = for ever. */
int64_t supervisor_patience_ms(void);

/* One datagram to the unix socket of that name, '@' first for an abstract one. False when nobody
 * took it. */
bool datagram_send(const char *name, const void *data, size_t length);

#endif
