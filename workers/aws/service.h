/* One AWS service, called by the protocol it speaks (wire.h): signed, tried again as the SDKs do
 * (retry.h), the server's clock learned from its Date header. Knows no service: SQS and SNS sit on
 * top.
 *
 * While the credentials are refused, calls fail at once with the reason and only one in
 * SERVICE_REFUSED_MS asks whether that is still so. */
#ifndef BOOKFLOW_SERVICE_H
#define BOOKFLOW_SERVICE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "account.h"
#include "errors.h"
#include "failure.h"

enum { SERVICE_REFUSED_MS = 30 * 1000 };

struct service_options {
    struct account *account; /* borrowed */
    const char *name;        /* for signing: "sqs" */
    const char *target; /* JSON: in front of the action in X-Amz-Target: "AmazonSQS". NULL: Query */
    const char *endpoint; /* "https://host[:port]", or http: of a loopback host */
    const char *region;
};

struct service;

/* Copies endpoint and region; name and target are constants. ERROR_CONFIGURATION for an
 * endpoint that is none, for a link-local or metadata address, and for plain http: beyond loopback.
 */
MUST_CHECK struct service *service_new(const struct service_options *options, struct error *error);

/* Calls still open are answered first. */
void service_free(struct service *service);

/* With an answer ({} for an empty one, borrowed) or a failure; exactly once, from account_step() or
 * service_free(). It may begin calls and cancel others, but not free the service; from
 * service_free() it begins none. */
typedef void service_done_fn(void *context, const json_t *answer, const struct failure *failure);

struct service_request {
    const char *action;
    char *body;         /* JSON, or a form (wire.h), on the heap; taken over */
    int64_t timeout_ms; /* of one try */
    bool is_poll;       /* with no tokens for a retry it still waits before it fails, or polling
                           would spin */
};
/* Valid until done() has been called. */
struct service_call;
struct service_call *service_begin(struct service *service, const struct service_request *request,
                                   service_done_fn *done, void *context);

/* Ends it; done() is not called. Whether the service had heard it nobody knows. */
void service_cancel(struct service_call *call);

struct service_counts {
    int64_t calls, tries, throttled, failed;
    int64_t skew_ms; /* the server's clock minus ours */
};
struct service_counts service_counts(const struct service *service);

#endif
