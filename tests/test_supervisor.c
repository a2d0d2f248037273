/* The notify protocol: what reaches a service manager, and when nothing does. */
#include "supervisor.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A manager that listens under `name`, '@' first for an abstract one. */
static int manager_open(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, name, strlen(name));
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    const socklen_t used = (socklen_t)(sizeof address - sizeof address.sun_path + strlen(name));
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    cr_assert_eq(bind(fd, (const struct sockaddr *)&address, used), 0, "%s", name);
    return fd;
}

static void manager_hears(const char *name)
{
    char text[64] = "";
    const int fd = manager_open(name);
    (void)setenv("NOTIFY_SOCKET", name, 1);
    supervisor_tell("READY=1\nSTATUS=listens");
    cr_expect_eq(read(fd, text, sizeof text - 1), 22, "%s", name);
    cr_expect_str_eq(text, "READY=1\nSTATUS=listens");
    (void)close(fd);
}

Test(supervisor, a_manager_hears_what_it_is_told)
{
    char folder[] = "/tmp/bookflow-supervisor.XXXXXX";
    char path[64];
    cr_assert(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/notify", folder);
    manager_hears(path);
    (void)unlink(path);
    (void)rmdir(folder);
    (void)snprintf(path, sizeof path, "@bookflow-supervisor-%ld", (long)getpid());
    manager_hears(path);
}

Test(supervisor, nobody_listens_is_no_failure)
{
    char huge[400];
    memset(huge, 'x', sizeof huge);
    huge[0] = '/';
    huge[sizeof huge - 1] = '\0';
    const char *const NAMES[] = {"", "/", "/nowhere/at/all", "@bookflow-nobody-here", huge};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        (void)setenv("NOTIFY_SOCKET", NAMES[i], 1);
        supervisor_tell("READY=1");
        cr_expect_not(datagram_send(NAMES[i], "x", 1), "%s", NAMES[i]);
    }
    (void)unsetenv("NOTIFY_SOCKET");
    supervisor_tell("READY=1");
}

Test(supervisor, patience_is_ours_and_a_number)
{
    char self[24];
    (void)snprintf(self, sizeof self, "%ld", (long)getpid());
    const struct {
        const char *usec, *pid;
        int64_t patience_ms;
    } CASES[] = {
        {NULL, NULL, -1},          {"", self, -1},
        {"0", self, -1},           {"never", self, -1},
        {"-5", self, -1},          {"20000000", "1", -1},
        {"20000000", self, 20000}, {"20000000", NULL, 20000},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        (void)(CASES[i].usec ? setenv("WATCHDOG_USEC", CASES[i].usec, 1)
                             : unsetenv("WATCHDOG_USEC"));
        (void)(CASES[i].pid ? setenv("WATCHDOG_PID", CASES[i].pid, 1) : unsetenv("WATCHDOG_PID"));
        cr_expect_eq(supervisor_patience_ms(), CASES[i].patience_ms, "case %zu", i);
    }
}
