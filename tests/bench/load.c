/* The load of `./run bench`: sends every request of a file once, over so many keep-alive
 * connections, and tells how they were answered. Knows nothing of bookings: the driver writes the
 * requests beforehand, so that the two cores are the server's.
 *
 *   bench_load PORT CONNECTIONS SECONDS RATE STATUS ANSWERS <REQUESTS
 *
 * Each line is "METHOD PATH [BODY]". RATE is in requests/s for all connections; 0 = as fast as the
 * answers come. A paced request counts from when it was due, not from when a connection was free:
 * who stalls is charged for all that waited. Stops asking after SECONDS or at the end of the file
 * and waits for what is open. The first second is in no figure. An answer with another status than
 * STATUS is a failure. The bodies go to the file ANSWERS, a line each; "-" = nowhere. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"

enum {
    WARM_UP_US = 1000000,
    PATIENCE_US = 10000000, /* for the last answers */
    SECOND_US = 1000000,
    READ_SIZE = 65536,
    EVENTS = 256
};

struct request {
    size_t offset, length; /* in the load's text */
};

struct connection {
    int fd;
    int64_t asked_us; /* or when it was due */
    struct buf in;
};

struct load {
    struct buf text; /* all requests as they go over the wire */
    struct request *requests;
    size_t count, next;
    struct connection *connections;
    struct connection **idle;
    size_t connections_count, idle_count;
    int poll;
    int64_t begun_us, end_us, last_us; /* of asking; of the last answer */
    double rate;
    long status;
    FILE *answers;
    uint32_t *took_us; /* of what was asked after the warm-up */
    size_t took_count;
    size_t answered, measured, unexpected;
};

_Noreturn static void die(const char *what)
{
    (void)fprintf(stderr, "bench_load: %s: %s\n", what, strerror(errno));
    exit(2);
}

static int64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * SECOND_US + now.tv_nsec / 1000;
}

/* --- Before: the requests and the connections. --- */

static void add_request(struct load *load, char *line)
{
    const char *method = strsep(&line, " ");
    const char *path = strsep(&line, " \n");
    const size_t offset = load->text.length;
    size_t length = line ? strcspn(line, "\n") : 0;
    buf_printf(&load->text, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n", method, path);
    if (strcmp(method, "GET") != 0)
        buf_printf(&load->text, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
                   length);
    buf_text_append(&load->text, "\r\n");
    buf_append(&load->text, line, length);
    load->requests[load->count++] = (struct request){offset, load->text.length - offset};
}

static void read_requests(struct load *load)
{
    char *line AUTO(memory_release) = NULL;
    size_t size = 0;
    size_t room = 0;
    load->text.maximum = SIZE_MAX / 2;
    while (getline(&line, &size, stdin) > 0) {
        if (load->count == room) {
            room = room ? room * 2 : 1024;
            load->requests = memory_resize(load->requests, room, sizeof *load->requests);
        }
        add_request(load, line);
    }
    load->took_us = memory_new(load->count + 1, sizeof *load->took_us);
}

static void open_connections(struct load *load, uint16_t port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    load->poll = epoll_create1(EPOLL_CLOEXEC);
    load->connections = memory_new(load->connections_count, sizeof *load->connections);
    load->idle = memory_new(load->connections_count, sizeof *load->idle);
    for (size_t i = 0; i < load->connections_count; i++) {
        struct connection *connection = &load->connections[i];
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
        connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(connection->fd, (const struct sockaddr *)&address, sizeof address) < 0 ||
            epoll_ctl(load->poll, EPOLL_CTL_ADD, connection->fd, &event) < 0)
            die("cannot connect");
        load->idle[load->idle_count++] = connection;
    }
}

/* --- Asking. --- */

static int64_t due_us(const struct load *load)
{
    return load->rate > 0 ? load->begun_us + (int64_t)((double)load->next * SECOND_US / load->rate)
                          : 0;
}

static bool may_ask(const struct load *load, int64_t now)
{
    return load->next < load->count && now < load->end_us && due_us(load) <= now;
}

static void ask(struct load *load)
{
    for (int64_t now = now_us(); load->idle_count > 0 && may_ask(load, now); now = now_us()) {
        struct connection *connection = load->idle[--load->idle_count];
        connection->asked_us = load->rate > 0 ? due_us(load) : now;
        const struct request *request = &load->requests[load->next++];
        const char *text = load->text.data + request->offset;
        /* One small request into an empty socket: it goes whole, or something is wrong. */
        if (send(connection->fd, text, request->length, MSG_NOSIGNAL) != (ssize_t)request->length)
            die("cannot send");
    }
}

/* --- Answers. --- */

/* Where the body begins, once the answer is whole; else NULL. */
static const char *whole_body(const struct buf *in)
{
    static const char length_name[] = "\r\nContent-Length:";
    const char *text = buf_text(in);
    const char *end = strstr(text, "\r\n\r\n");
    if (!end)
        return NULL;
    const char *length = strcasestr(text, length_name);
    const size_t wanted =
        length && length < end ? strtoul(length + sizeof length_name - 1, NULL, 10) : 0;
    return in->length - (size_t)(end + 4 - text) < wanted ? NULL : end + 4;
}

static void judge(struct load *load, const struct connection *connection, const char *body)
{
    const char *text = buf_text(&connection->in);
    const long status = strtol(text + sizeof "HTTP/1.1", NULL, 10);
    if (status != load->status && load->unexpected++ == 0)
        (void)fprintf(stderr, "bench_load: unexpected: %.300s\n", text);
    if (load->answers)
        (void)fprintf(load->answers, "%s\n", body);
}

static void answered(struct load *load, struct connection *connection, const char *body)
{
    const int64_t now = now_us();
    const int64_t from_us = load->begun_us + WARM_UP_US;
    load->answered++;
    if (now >= from_us && now <= load->end_us) {
        load->measured++;
        load->last_us = now;
    }
    if (connection->asked_us >= from_us)
        load->took_us[load->took_count++] = (uint32_t)(now - connection->asked_us);
    judge(load, connection, body);
    buf_clear(&connection->in);
    load->idle[load->idle_count++] = connection;
}

static void read_answer(struct load *load, struct connection *connection)
{
    char bytes[READ_SIZE];
    const ssize_t got = recv(connection->fd, bytes, sizeof bytes, 0);
    if (got <= 0)
        die("the server hung up");
    buf_append(&connection->in, bytes, (size_t)got);
    const char *body = whole_body(&connection->in);
    if (body)
        answered(load, connection, body);
}

/* --- The run. --- */

static struct timespec time_left(const struct load *load, int64_t until_us)
{
    int64_t until = until_us;
    if (load->rate > 0 && load->idle_count > 0 && load->next < load->count && due_us(load) < until)
        until = due_us(load);
    const int64_t left = until - now_us();
    return (struct timespec){.tv_sec = left > 0 ? left / SECOND_US : 0,
                             .tv_nsec = left > 0 ? left % SECOND_US * 1000 : 0};
}

static bool is_over(const struct load *load)
{
    const int64_t now = now_us();
    const bool asked = load->next == load->count || now >= load->end_us;
    return asked &&
           (load->idle_count == load->connections_count || now >= load->end_us + PATIENCE_US);
}

static void run(struct load *load)
{
    struct epoll_event events[EVENTS];
    while (!is_over(load)) {
        ask(load);
        const int64_t now = now_us();
        const int64_t until = now < load->end_us ? load->end_us : load->end_us + PATIENCE_US;
        const struct timespec wait = time_left(load, until);
        const int count = epoll_pwait2(load->poll, events, EVENTS, &wait, NULL);
        for (int i = 0; i < count; i++)
            read_answer(load, events[i].data.ptr);
    }
}

/* --- After. --- */

static int compare(const void *a, const void *b)
{
    const uint32_t left = *(const uint32_t *)a;
    const uint32_t right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static double percentile_ms(const struct load *load, double share)
{
    if (load->took_count == 0)
        return -1;
    return load->took_us[(size_t)((double)(load->took_count - 1) * share)] / 1000.0;
}

/* When the requests ran out before the time did, the last answer ends the window. */
static double seconds_measured(const struct load *load)
{
    const bool ran_out = load->next == load->count && load->last_us < load->end_us;
    const int64_t end = ran_out ? load->last_us : load->end_us;
    return (double)(end - load->begun_us - WARM_UP_US) / SECOND_US;
}

static bool report(struct load *load)
{
    struct rusage use;
    const double seconds = seconds_measured(load);
    const size_t unanswered = load->connections_count - load->idle_count;
    (void)getrusage(RUSAGE_SELF, &use);
    qsort(load->took_us, load->took_count, sizeof *load->took_us, compare);
    (void)printf("{\"answered\":%zu,\"unexpected\":%zu,\"unanswered\":%zu,\"rate\":%.1f,"
                 "\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f,\"cpu_s\":%.3f}\n",
                 load->answered, load->unexpected, unanswered,
                 load->measured > 0 ? (double)load->measured / seconds : 0,
                 percentile_ms(load, 0.5), percentile_ms(load, 0.99), percentile_ms(load, 1),
                 (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
                     (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / SECOND_US);
    return load->unexpected == 0 && unanswered == 0 &&
           (!load->answers || fflush(load->answers) == 0);
}

static void load_release(struct load *load)
{
    for (size_t i = 0; i < load->connections_count; i++) {
        (void)close(load->connections[i].fd);
        buf_release(&load->connections[i].in);
    }
    (void)close(load->poll);
    if (load->answers)
        (void)fclose(load->answers);
    buf_release(&load->text);
    free(load->requests);
    free(load->connections);
    free(load->idle);
    free(load->took_us);
}

int main(int count, char **words)
{
    if (count != 7) {
        (void)fputs("usage: bench_load PORT CONNECTIONS SECONDS RATE STATUS ANSWERS <REQUESTS\n",
                    stderr);
        return 2;
    }
    struct load load AUTO(load_release) = {
        .connections_count = strtoul(words[2], NULL, 10),
        .rate = strtod(words[4], NULL),
        .status = strtol(words[5], NULL, 10),
        .answers = strcmp(words[6], "-") == 0 ? NULL : fopen(words[6], "we"),
    };
    read_requests(&load);
    open_connections(&load, (uint16_t)strtoul(words[1], NULL, 10));
    load.begun_us = now_us();
    load.end_us = load.begun_us + (int64_t)(strtod(words[3], NULL) * SECOND_US);
    run(&load);
    return report(&load) ? 0 : 1;
}
