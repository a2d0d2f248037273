/* What an error of an AWS service means. Classified by its code, not by its status: the services
 * answer throttling with 400, 403, 429 and 503 alike. */
#ifndef BOOKFLOW_FAILURE_H
#define BOOKFLOW_FAILURE_H

#include <stddef.h>

enum failure_class {
    FAILURE_THROTTLED,
    FAILURE_TRANSIENT,   /* nobody answered, or only in passing */
    FAILURE_EXPIRED,     /* the credentials: get others, then try again */
    FAILURE_SKEWED,      /* perhaps our clock: with the server's time it may work */
    FAILURE_CREDENTIALS, /* who we are is not known */
    FAILURE_DENIED,      /* who we are is known, and may not do this */
    FAILURE_REFUSED      /* the request is wrong and stays wrong */
};

enum { FAILURE_CODE_SIZE = 96, FAILURE_TEXT_SIZE = 384 };

struct failure {
    enum failure_class class;
    char code[FAILURE_CODE_SIZE]; /* "QueueDoesNotExist"; "" when nobody answered */
    char text[FAILURE_TEXT_SIZE]; /* for people: safe to show */
};

/* The class of a code of a single call or of a batch entry ("" = none), given the status (0 for an
 * entry). */
enum failure_class failure_class_of(const char *code, int status);

/* Reads an error answer of the JSON protocol. Tolerates what is not JSON (a load balancer's HTML),
 * `message` and `Message`, a code with or without namespace. */
void failure_read(struct failure *failure, int status, const char *body, size_t length);

/* Nobody answered, or not in a way that can be read. */
void failure_set(struct failure *failure, enum failure_class class, const char *text);

#endif
