/* The bell of a queue file. Knows nothing of what it is rung for. */
#include "embedded_bell.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

int embedded_bell_listen(const char *path)
{
    const int bell = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (bell < 0 || inotify_add_watch(bell, path, IN_ATTRIB) >= 0)
        return bell;
    (void)close(bell);
    return -1;
}

bool embedded_bell_heard(int bell)
{
    _Alignas(struct inotify_event) char events[sizeof(struct inotify_event) + NAME_MAX + 1];
    bool heard = false;
    while (read(bell, events, sizeof(events)) > 0)
        heard = true;
    return heard;
}

/* By path: opening and closing the file would drop SQLite's locks on it. */
void embedded_bell_ring(const char *path)
{
    (void)utimensat(AT_FDCWD, path, NULL, 0);
}

void embedded_bell_close(int bell)
{
    if (bell >= 0)
        (void)close(bell);
}
