/* Errors: a kind that says what to do, and a sentence that an operator can act on.
 *
 * A function that can fail returns bool (or a pointer), is marked MUST_CHECK and takes a struct
 * error * last. The caller owns the error and starts it as {0}. Success leaves it untouched; the
 * first failure fills it, later ones do not overwrite it; whoever passes it up may put context in
 * front. Libraries never log: the program that owns the outcome logs it, once. */
#ifndef BOOKFLOW_ERRORS_H
#define BOOKFLOW_ERRORS_H

#include <stdbool.h>

#define MUST_CHECK                __attribute__((warn_unused_result))
#define PRINTF_LIKE(text, values) __attribute__((format(printf, text, values)))

/* For a large array that is filled before it is read: we build with variables zeroed, and zeroing
 * two of these was a tenth of the instructions of a request. */
#define UNINITIALISED __attribute__((uninitialized))

/* Declares a variable that releases itself: `struct buf text AUTO(buf_release) = {0};` The named
 * function takes a pointer to the variable. */
#define AUTO(release) __attribute__((cleanup(release)))

enum error_kind {
    ERROR_NONE,
    ERROR_INVALID,       /* the input is wrong and stays wrong */
    ERROR_UNPROCESSABLE, /* well-formed, but in conflict with what was said before */
    ERROR_UNAUTHORISED,  /* nobody we know */
    ERROR_FORBIDDEN,     /* somebody we know, who may not */
    ERROR_NOT_FOUND,
    ERROR_CONFLICT, /* the state of things does not allow it */
    ERROR_TOO_LARGE,
    ERROR_UNSUPPORTED,   /* a media type that we do not read */
    ERROR_BUSY,          /* a limit of ours is reached; later it works */
    ERROR_UNAVAILABLE,   /* something we need is out of reach; later it works */
    ERROR_USAGE,         /* wrong command line */
    ERROR_CONFIGURATION, /* wrong configuration */
    ERROR_DAMAGED,       /* what we stored is not what we read: stop and look */
    ERROR_KINDS
};

struct error {
    enum error_kind kind;
    char text[384];
};

/* What follows from a kind, for each of the three parties that must act on it. */
struct error_policy {
    const char *name; /* a stable word for logs and metrics */
    int http_status;
    int exit_code;
    bool retry; /* the courier: true = it may pass, try again; false = dead-letter at once */
};

/* Fills the error unless it is filled already. Always returns false, so that a failing function
 * ends in `return error_set(...)`. */
bool error_set(struct error *error, enum error_kind kind, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* Puts "context: " in front of the sentence. Always returns false. */
bool error_context(struct error *error, const char *format, ...) PRINTF_LIKE(2, 3);

void error_clear(struct error *error);

const struct error_policy *error_policy(enum error_kind kind);

#endif
