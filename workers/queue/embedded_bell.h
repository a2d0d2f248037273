/* How handles on one queue file tell each other to look again, within a process and between them.
 *
 * After a commit that made a message visible (or visible sooner), the handle touches the file;
 * every handle watches the file for that (inotify, IN_ATTRIB). So a long poll costs nothing while
 * it waits, and wakes at once; nothing is shared in memory. Watching for writes instead would wake
 * for every delete, and before the lock is free. A ring that a kill swallowed is made up for by the
 * end of the poll. */
#ifndef BOOKFLOW_EMBEDDED_BELL_H
#define BOOKFLOW_EMBEDDED_BELL_H

#include <stdbool.h>

/* The file must exist. -1 when the system has no watch left to give: then look every so often. */
int embedded_bell_listen(const char *path);

/* True when it rang since the last time. */
bool embedded_bell_heard(int bell);

void embedded_bell_ring(const char *path);
void embedded_bell_close(int bell);

#endif
