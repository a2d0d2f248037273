/* Asynchronous HTTP: many exchanges at once over kept-alive connections, on libcurl's multi
 * interface, HTTP/2 where the server offers it; and messages by SMTP. For what the workers call:
 * SQS, SNS, STS, metadata services, webhooks, mail servers. Knows none of them.
 *
 * One thread; nothing waits. The owner watches exchanges_fd() and calls exchanges_step() when it is
 * readable. TLS 1.2 or newer, peer and host verified; no redirects, no proxy from the environment;
 * https:, and http: only where the caller says so. */
#ifndef BOOKFLOW_EXCHANGE_H
#define BOOKFLOW_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "errors.h"

struct exchanges;

/* ca_file: certificates to trust instead of the system's; NULL = those. */
MUST_CHECK struct exchanges *exchanges_new(const char *ca_file, struct error *error);

/* Exchanges still open are answered with ERROR_UNAVAILABLE before it returns. */
void exchanges_free(struct exchanges *exchanges);

/* Readable whenever exchanges_step() has something to do, timers included. */
int exchanges_fd(const struct exchanges *exchanges);

/* Does what is due and calls back what is finished. */
void exchanges_step(struct exchanges *exchanges);

/* Makes exchanges_fd() readable until the next step: whoever steps has work of another kind. */
void exchanges_wake(struct exchanges *exchanges);

struct exchange_header {
    const char *name;
    const char *value;
};

/* A message by SMTP instead of HTTP: the URL is smtps:, or smtp:, where STARTTLS is required unless
 * the request is `plain`. Its headers may be folded. The answer's status is the server's last
 * reply: 250, or a refusal of 400 and above; 0 when the connection broke after something of the
 * message was sent, so that nobody knows whether it was taken. */
struct exchange_mail {
    const char *from; /* addresses */
    const char *to;
    const char *text;
    const char *calendar;      /* NULL = none */
    const char *calendar_type; /* with its method */
};

struct exchange_request {
    const char *method;
    const char *url;
    const struct exchange_header *headers; /* ended by a NULL name; NULL = none */
    const void *body;                      /* NULL = none */
    size_t body_length;
    int64_t timeout_ms;               /* of all of it */
    int64_t connect_timeout_ms;       /* of the connection, TLS included */
    size_t answer_maximum;            /* bytes of a body; more = ERROR_TOO_LARGE */
    bool plain;                       /* http: is allowed, too */
    bool public_only;                 /* no address of a private network, this machine, ... */
    const struct exchange_mail *mail; /* NULL = HTTP */
};

struct exchange_answer {
    int status;
    const char *body; /* NUL-terminated */
    size_t body_length;
    void *easy; /* for exchange_header_of() */
};
/* The first header of this name, NULL without one; valid until the next call. */
const char *exchange_header_of(const struct exchange_answer *answer, const char *name);

/* Called once, only from exchanges_step() or exchanges_free(): with an answer, whatever its status,
 * or a failure: ERROR_UNAVAILABLE (no connection, broken off, timed out, truncated),
 * ERROR_TOO_LARGE, ERROR_CONFIGURATION (a URL that is none, a header of more than one line, a
 * certificate that is not the host's). It may begin exchanges and cancel others. */
typedef void exchange_done_fn(void *context, const struct exchange_answer *answer,
                              const struct error *failure);

/* Copies what it needs. Valid until its done() is called. */
struct exchange;
struct exchange *exchange_begin(struct exchanges *exchanges, const struct exchange_request *request,
                                exchange_done_fn *done, void *context);

/* Ends it; done() is not called. */
void exchange_cancel(struct exchange *exchange);

#endif
