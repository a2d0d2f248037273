/* The exchanges: libcurl's multi handle on an epoll descriptor. What happens to one exchange is in
 * the first half, how the sockets are watched in the second. */
#include "exchange.h"

#include <assert.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "buf.h"
#include "exchange_mail.h"
#include "harden.h"
#include "reach.h"

enum { EVENTS = 64, IDLE_CONNECTIONS = 32 };

struct exchange {
    struct exchanges *exchanges;
    struct exchange *next;
    struct exchange *previous;
    CURL *easy;
    struct curl_slist *headers;
    char *sent;
    size_t sent_length;
    const char *refused; /* why it is not even sent; NULL = it is */
    bool head_over;      /* the blank line behind the headers was seen */
    bool is_mail;
    struct mail_parts mail;
    struct buf body;
    exchange_done_fn *done;
    void *context;
    char problem[CURL_ERROR_SIZE];
};

struct exchanges {
    CURLM *multi;
    char *ca_file;
    int epoll_fd;
    int timer_fd; /* in the epoll set, so that one descriptor tells everything */
    int wake_fd;  /* there, too */
    struct exchange *first;
};

/* --- one exchange --- */

static size_t receive(char *data, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    buf_append(&exchange->body, data, size * count);
    return exchange->body.overflow ? 0 : size * count;
}

/* libcurl takes an answer for whole that ends within its headers. A status line begins them anew:
 * there may be provisional answers in front. */
static size_t receive_header(char *line, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    const size_t length = size * count;
    if (length > 0 && (*line == '\r' || *line == '\n'))
        exchange->head_over = true;
    else if (length >= 5 && memcmp(line, "HTTP/", 5) == 0)
        exchange->head_over = false;
    return length;
}

/* A value comes from outside, too (a token, a file): with a line end it would be a header more. */
static void add_header(struct exchange *exchange, const char *name, const char *value)
{
    if (exchange->is_mail ? !mail_folded(value) : strpbrk(value, "\r\n") != NULL) {
        exchange->refused = "a header value has more than one line";
        return;
    }
    struct buf line AUTO(buf_release) = {0};
    buf_printf(&line, *value ? "%s: %s" : "%s:", name, value); /* without a value: not sent */
    struct curl_slist *longer = curl_slist_append(exchange->headers, buf_text(&line));
    if (longer)
        exchange->headers = longer;
}

/* Asked for each address that a name has, right before it is connected to: what a name led to when
 * it was checked does not count. */
static curl_socket_t open_public(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct exchange *exchange = context;
    (void)purpose;
    if (reach_is_public(&address->addr))
        return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    exchange->refused = "its address is not a public one";
    return CURL_SOCKET_BAD;
}

static void set_http(struct exchange *exchange, const struct exchange_request *request)
{
    CURL *easy = exchange->easy;
    (void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    (void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
    (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)request->connect_timeout_ms);
    if (request->body) {
        exchange->sent = memory_text_n(request->body, request->body_length);
        exchange->sent_length = request->body_length;
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, exchange->sent);
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length);
    }
    if (request->public_only) {
        (void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_public);
        (void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, exchange);
    }
    add_header(exchange, "Expect", ""); /* it would cost a round trip */
}

static void set_request(struct exchange *exchange, const struct exchange_request *request)
{
    CURL *easy = exchange->easy;
    if (request->mail)
        mail_set(easy, request, &exchange->mail);
    else
        set_http(exchange, request);
    for (const struct exchange_header *at = request->headers; at && at->name; at++)
        add_header(exchange, at->name, at->value);
    (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, exchange->headers);
    /* Without a URL it fails as everything else does: later, and from exchanges_step(). */
    if (!exchange->refused)
        (void)curl_easy_setopt(easy, CURLOPT_URL, request->url);
}

static void set_receiver(struct exchange *exchange)
{
    CURL *easy = exchange->easy;
    (void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    (void)curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, NULL);
    /* What is given up while its name is looked up must not wait for the resolver's thread. */
    (void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, receive_header);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->problem);
    (void)curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
    if (exchange->exchanges->ca_file)
        (void)curl_easy_setopt(easy, CURLOPT_CAINFO, exchange->exchanges->ca_file);
}

static void exchange_free(struct exchange *exchange)
{
    struct exchanges *exchanges = exchange->exchanges;
    *(exchange->previous ? &exchange->previous->next : &exchanges->first) = exchange->next;
    if (exchange->next)
        exchange->next->previous = exchange->previous;
    (void)curl_multi_remove_handle(exchanges->multi, exchange->easy);
    curl_easy_cleanup(exchange->easy);
    mail_release(&exchange->mail);
    curl_slist_free_all(exchange->headers);
    if (exchange->body.data) /* both may be credentials */
        explicit_bzero(exchange->body.data, exchange->body.length);
    buf_release(&exchange->body);
    if (exchange->sent)
        explicit_bzero(exchange->sent, exchange->sent_length);
    free(exchange->sent);
    free(exchange);
}

struct exchange *exchange_begin(struct exchanges *exchanges, const struct exchange_request *request,
                                exchange_done_fn *done, void *context)
{
    struct exchange *exchange = memory_new(1, sizeof *exchange);
    exchange->exchanges = exchanges;
    exchange->easy = curl_easy_init();
    assert(exchange->easy); /* fails only for lack of memory */
    exchange->done = done;
    exchange->context = context;
    exchange->body.maximum = request->answer_maximum;
    exchange->next = exchanges->first;
    if (exchange->next)
        exchange->next->previous = exchange;
    exchanges->first = exchange;
    exchange->is_mail = exchange->head_over = request->mail != NULL;
    harden(exchange->easy, exchange->is_mail ? "smtp,smtps"
                           : request->plain  ? "http,https"
                                             : "https");
    set_receiver(exchange);
    set_request(exchange, request);
    (void)curl_multi_add_handle(exchanges->multi, exchange->easy);
    return exchange;
}

void exchange_cancel(struct exchange *exchange)
{
    exchange_free(exchange);
}

const char *exchange_header_of(const struct exchange_answer *answer, const char *name)
{
    struct curl_header *header = NULL;
    return curl_easy_header(answer->easy, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK
               ? header->value
               : NULL;
}

/* What our side has wrong stays wrong; everything else may pass. libcurl says "unsupported" of a
 * server, too, that answers in something that is no HTTP. */
static enum error_kind kind_of(const struct exchange *exchange, CURLcode code)
{
    long sent = 0;
    (void)curl_easy_getinfo(exchange->easy, CURLINFO_REQUEST_SIZE, &sent);
    if (exchange->body.overflow)
        return ERROR_TOO_LARGE;
    if (exchange->refused)
        return ERROR_CONFIGURATION;
    switch (code) {
    case CURLE_UNSUPPORTED_PROTOCOL:
        return sent > 0 ? ERROR_UNAVAILABLE : ERROR_CONFIGURATION;
    case CURLE_URL_MALFORMAT:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return ERROR_CONFIGURATION;
    default:
        return ERROR_UNAVAILABLE;
    }
}

static const char *text_of(const struct exchange *exchange, CURLcode code)
{
    if (exchange->refused)
        return exchange->refused;
    return exchange->problem[0] ? exchange->problem : curl_easy_strerror(code);
}

static void finish(struct exchange *exchange, CURLcode code)
{
    struct error failure = {0};
    long status = 0;
    (void)curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
    if (exchange->is_mail && code != CURLE_OK)
        code = mail_end(exchange->easy, code, &status);
    const struct exchange_answer answer = {.status = (int)status,
                                           .body = buf_text(&exchange->body),
                                           .body_length = exchange->body.length,
                                           .easy = exchange->easy};
    if (code != CURLE_OK)
        (void)error_set(&failure, kind_of(exchange, code), "%s", text_of(exchange, code));
    exchange->done(exchange->context, code == CURLE_OK ? &answer : NULL,
                   code == CURLE_OK ? NULL : &failure);
    exchange_free(exchange);
}

/* --- the sockets --- */

/* A socket that cannot be watched is left to the exchange's timeout: saying so to libcurl would end
 * all exchanges, of now and of later. */
static int watch(CURL *easy, curl_socket_t fd, int what, void *context, void *known)
{
    struct exchanges *exchanges = context;
    struct epoll_event event = {.data.fd = fd};
    (void)easy;
    event.events = (what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0) |
                   (what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0);
    if (what == CURL_POLL_REMOVE)
        (void)epoll_ctl(exchanges->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
    else if (epoll_ctl(exchanges->epoll_fd, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) == 0)
        (void)curl_multi_assign(exchanges->multi, fd, exchanges);
    return 0;
}

/* A timer of zero would disarm the descriptor: libcurl's "at once" is a nanosecond. */
static int set_timer(CURLM *multi, long timeout_ms, void *context)
{
    const struct exchanges *exchanges = context;
    struct itimerspec when = {0};
    (void)multi;
    if (timeout_ms >= 0) {
        when.it_value.tv_sec = timeout_ms / 1000;
        when.it_value.tv_nsec = timeout_ms % 1000 * 1000000 + (timeout_ms == 0);
    }
    return timerfd_settime(exchanges->timer_fd, 0, &when, NULL);
}

static void act(struct exchanges *exchanges, const struct epoll_event *event)
{
    int running = 0;
    int what = (event->events & EPOLLIN ? CURL_CSELECT_IN : 0) |
               (event->events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
               (event->events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
    curl_socket_t fd = event->data.fd;
    uint64_t count = 0;
    if (fd == exchanges->wake_fd) {
        (void)!read(fd, &count, sizeof count);
        return;
    }
    if (fd == exchanges->timer_fd) {
        (void)!read(fd, &count, sizeof count);
        fd = CURL_SOCKET_TIMEOUT;
        what = 0;
    }
    (void)curl_multi_socket_action(exchanges->multi, fd, what, &running);
}

/* A callback may begin others or cancel: each turn asks libcurl anew. */
static void finish_all(struct exchanges *exchanges)
{
    int left = 0;
    for (CURLMsg *message; (message = curl_multi_info_read(exchanges->multi, &left));) {
        struct exchange *exchange = NULL;
        const CURLcode code = message->data.result;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &exchange);
        finish(exchange, code == CURLE_OK && !exchange->head_over ? CURLE_PARTIAL_FILE : code);
    }
}

void exchanges_step(struct exchanges *exchanges)
{
    struct epoll_event events[EVENTS];
    const int count = epoll_wait(exchanges->epoll_fd, events, EVENTS, 0);
    for (int i = 0; i < count; i++)
        act(exchanges, &events[i]);
    finish_all(exchanges);
}

int exchanges_fd(const struct exchanges *exchanges)
{
    return exchanges->epoll_fd;
}

void exchanges_wake(struct exchanges *exchanges)
{
    const uint64_t one = 1;
    (void)!write(exchanges->wake_fd, &one, sizeof one);
}

static bool watch_own(const struct exchanges *exchanges, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    return fd >= 0 && epoll_ctl(exchanges->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool open_descriptors(struct exchanges *exchanges, struct error *error)
{
    exchanges->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    exchanges->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    exchanges->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return (watch_own(exchanges, exchanges->timer_fd) &&
            watch_own(exchanges, exchanges->wake_fd)) ||
           error_set(error, ERROR_UNAVAILABLE, "cannot watch connections: %s", strerror(errno));
}

struct exchanges *exchanges_new(const char *ca_file, struct error *error)
{
    struct exchanges *exchanges = memory_new(1, sizeof *exchanges);
    exchanges->epoll_fd = exchanges->timer_fd = exchanges->wake_fd = -1;
    exchanges->ca_file = ca_file ? memory_text(ca_file) : NULL;
    exchanges->multi = curl_multi_init();
    assert(exchanges->multi); /* fails only for lack of memory */
    if (!open_descriptors(exchanges, error)) {
        exchanges_free(exchanges);
        return NULL;
    }
    (void)curl_multi_setopt(exchanges->multi, CURLMOPT_SOCKETFUNCTION, watch);
    (void)curl_multi_setopt(exchanges->multi, CURLMOPT_SOCKETDATA, exchanges);
    (void)curl_multi_setopt(exchanges->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    (void)curl_multi_setopt(exchanges->multi, CURLMOPT_TIMERDATA, exchanges);
    (void)curl_multi_setopt(exchanges->multi, CURLMOPT_MAXCONNECTS, (long)IDLE_CONNECTIONS);
    return exchanges;
}

void exchanges_free(struct exchanges *exchanges)
{
    if (!exchanges)
        return;
    while (exchanges->first) {
        struct error failure = {0};
        struct exchange *exchange = exchanges->first;
        (void)error_set(&failure, ERROR_UNAVAILABLE, "stopped");
        exchange->done(exchange->context, NULL, &failure);
        exchange_free(exchange);
        assert(exchanges->first != exchange); /* it has left the list, or this would not end */
    }
    (void)curl_multi_cleanup(exchanges->multi);
    const int fds[] = {exchanges->timer_fd, exchanges->wake_fd, exchanges->epoll_fd};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0)
            (void)close(fds[i]);
    free(exchanges->ca_file);
    free(exchanges);
}
