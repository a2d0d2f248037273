/* Inside credentials only: the chain while it looks, and what its links may do with it. A link is
 * asked in turn; it finds, or is not configured, or asks somebody and answers later. */
#ifndef BOOKFLOW_CREDENTIALS_PRIVATE_H
#define BOOKFLOW_CREDENTIALS_PRIVATE_H

#include <sys/types.h>

#include "buf.h"
#include "credentials.h"
#include "profile.h"

enum { SOURCE_SIZE = 160 };

struct found {
    char *access_key;
    char *secret_key;
    char *session_token; /* NULL = none */
    int64_t expires_ms;  /* wall time; 0 = never */
    char source[SOURCE_SIZE];
};
void found_wipe(struct found *found);
void text_wipe(char **text);
void buf_wipe(struct buf *buf); /* for AUTO() */

/* Fills in from {"AccessKeyId", "SecretAccessKey", "Token" or "SessionToken", "Expiration"}. */
MUST_CHECK bool found_from_json(struct found *found, const char *text, size_t length,
                                struct error *error);

enum link_result {
    LINK_ABSENT,  /* not configured: the next one, please */
    LINK_FOUND,   /* in chain->fresh */
    LINK_PENDING, /* chain_found() or chain_failed() will be called */
    LINK_FAILED   /* configured, and wrong: the chain ends here, with *error */
};
typedef enum link_result link_fn(struct credentials_chain *chain, struct error *error);
link_fn link_environment, link_web_identity, link_profile, link_container, link_instance;

struct waiting {
    struct waiting *next;
    credentials_done_fn *done;
    void *context;
};

typedef void answered_fn(struct credentials_chain *chain, const char *body, size_t length);

/* A question over HTTP, asked again when it fails in passing. */
struct question {
    const char *method;
    char *url;
    char *body;         /* NULL = none */
    const char *header; /* NULL = none */
    char *header_value;
    int64_t timeout_ms;
    int tries_left;
    bool plain;       /* http: is allowed */
    bool optional;    /* no answer means that nobody is there, not that the chain has failed */
    int64_t again_ms; /* ticks; 0 = not waiting */
    struct exchange *exchange;
    answered_fn *answered; /* with the body of a 200; anything else ends the search */
};

struct credentials_chain {
    struct credentials_options options;
    struct found now;   /* .access_key NULL = none */
    struct found fresh; /* being put together by a link */
    int64_t fetched_ms; /* wall time of now */
    int64_t fetched_ticks_ms;
    int64_t again_ms; /* ticks: a refresh ahead of time failed, not again before */
    bool looking;
    bool stale; /* refused by the service */
    size_t link;
    struct buf tried; /* "environment: not set; profile ..." */
    struct waiting *waiting;
    struct waiting *telling; /* of those who waited, who has not been told yet */
    struct question question;
    struct buf metadata_token; /* of the instance metadata service */
    pid_t process;             /* credential_process; 0 = none */
    int process_fd;
    int64_t process_until_ms; /* ticks */
    struct buf process_output;
};

const char *chain_variable(const struct credentials_chain *chain, const char *name);
struct profile *chain_profile(const struct credentials_chain *chain, struct error *error);

/* Ends the search. */
void chain_found(struct credentials_chain *chain);
void chain_failed(struct credentials_chain *chain, const struct error *error);
/* Goes on with the next link: this one is not there after all. */
void chain_absent(struct credentials_chain *chain, const char *why);

struct question_options {
    const char *method;
    const char *url;
    const char *body;   /* NULL = none */
    const char *header; /* NULL = none */
    const char *value;
    int64_t timeout_ms;
    int tries;
    bool plain;
    bool optional;
};
void chain_ask(struct credentials_chain *chain, const struct question_options *options,
               answered_fn *answered);
int64_t question_step(struct credentials_chain *chain);
void question_stop(struct credentials_chain *chain);

/* One line from a file, without what is around it. */
MUST_CHECK bool token_read(const char *path, struct buf *token, struct error *error);

/* credential_process: started, and looked after by credentials_step(). */
enum link_result process_start(struct credentials_chain *chain, const char *command,
                               struct error *error);
int64_t process_step(struct credentials_chain *chain);
void process_stop(struct credentials_chain *chain);

#endif
