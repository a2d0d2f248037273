/* The queues as the operator's verbs use them: configuration and account as the workers have them,
 * and calls that return when they are answered. Nothing is made: an embedded queue whose file is
 * not there is refused. */
#ifndef BOOKFLOW_QUEUE_SESSION_H
#define BOOKFLOW_QUEUE_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "account.h"
#include "buf.h"
#include "config.h"
#include "errors.h"
#include "queue.h"
#include "settings.h"
#include "world.h"

enum which_queue { WHICH_REQUEST, WHICH_CONFIRMATION, WHICH_COUNT };

struct queue_session {
    const struct world *world; /* the real one */
    struct config *config;
    struct settings settings;
    struct account *account;
    bool woken;
};

/* The environment, and a file of variables (NULL = none), as `bookflow serve all` reads them. After
 * a failure, too, the session is to be released; its config then has the complaints. */
MUST_CHECK bool queue_session_open(struct queue_session *session, const char *env_file,
                                   struct error *error);
/* After its queues. */
void queue_session_release(struct queue_session *session); /* for AUTO() */

/* How a verb fails that could not open its session: every complaint is one line on stderr. Returns
 * the exit code. */
int queue_session_fail(const struct queue_session *session, const struct error *error);

/* Ctrl-C must not leave messages hidden: it is kept back, looked for between calls, and takes its
 * usual effect when it is no longer held. */
void queue_session_hold_signals(bool held);
/* ERROR_UNAVAILABLE when one waits. */
MUST_CHECK bool queue_session_may_go_on(struct error *error);

/* "request", "confirmation"; WHICH_COUNT for another name. */
const char *which_queue_name(enum which_queue which);
enum which_queue which_queue_parse(const char *name);
const char *which_queue_url(const struct queue_session *session, enum which_queue which);

bool queue_is_embedded(const char *url);
/* The queue's own name, at the end of its URL; appended. */
void queue_own_name(struct buf *out, const char *url);

/* ERROR_UNAVAILABLE for an embedded queue whose file is not there. */
MUST_CHECK struct queue *session_queue(struct queue_session *session, const char *url,
                                       struct error *error);
void session_queue_release(struct queue **queue); /* for AUTO() */

/* What a queue says of itself; texts are the holder's own. */
struct queue_report {
    struct queue_attributes attributes;
    char *texts[3];
};
MUST_CHECK bool session_report(struct queue_session *session, struct queue *queue,
                               struct queue_report *report, struct error *error);
void queue_report_release(struct queue_report *report);

/* Each of these waits for its answer. */
MUST_CHECK bool session_receive(struct queue_session *session, struct queue *queue,
                                const struct queue_receive_options *options,
                                queue_messages_fn *take, void *context, struct error *error);
MUST_CHECK bool session_send(struct queue_session *session, struct queue *queue,
                             const struct queue_entry *entry, struct error *error);
MUST_CHECK bool session_delete(struct queue_session *session, struct queue *queue,
                               const char *receipt, struct error *error);
/* Of up to QUEUE_BATCH; those whose receipts are no longer valid are passed over. */
MUST_CHECK bool session_hide(struct queue_session *session, struct queue *queue,
                             const struct queue_visibility changes[], size_t count,
                             struct error *error);

/* Whose credentials are used: where they come from, and when they end (wall time; 0 = never). */
enum { CREDENTIALS_SOURCE_SIZE = 160 };
struct credentials_report {
    char source[CREDENTIALS_SOURCE_SIZE];
    int64_t expires_ms;
};
MUST_CHECK bool session_credentials(struct queue_session *session,
                                    struct credentials_report *report, struct error *error);

/* "12s", "5m", "3h", "2d"; "-" below 0. */
enum { AGE_SIZE = 24 };
const char *age_text(int64_t seconds, char out[AGE_SIZE]);

#endif
