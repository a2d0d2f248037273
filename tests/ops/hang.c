/* Preloaded into a worker: fdatasync() or epoll_wait() hangs once the file that HANG_AT names is
 * there. */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

static void hang_at(const char *place)
{
    const char *file = getenv("HANG_AT");
    if (file && strstr(file, place) && access(file, F_OK) == 0)
        for (;;)
            (void)pause();
}

int fdatasync(int fd)
{
    hang_at("store");
    int (*next)(int) = NULL;
    *(void **)&next = dlsym(RTLD_NEXT, "fdatasync"); /* POSIX's own way to say it */
    return next(fd);
}

int epoll_wait(int fd, struct epoll_event *events, int most, int timeout)
{
    hang_at("loop");
    int (*next)(int, struct epoll_event *, int, int) = NULL;
    *(void **)&next = dlsym(RTLD_NEXT, "epoll_wait");
    return next(fd, events, most, timeout);
}
