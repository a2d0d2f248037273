/* `bookflow doctor`: facts, and what they mean. The judgement is a pure function of the facts, so
 * that each can be tested; collecting them asks the queues and the worker and changes nothing. */
#ifndef BOOKFLOW_DOCTOR_H
#define BOOKFLOW_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "errors.h"
#include "queue_session.h"

/* What is known of one queue and its dead-letter queue. */
struct queue_facts {
    bool embedded;
    struct error trouble; /* ERROR_NONE: it has answered, and the rest is known */
    int64_t visible;
    int64_t visibility_s;
    int64_t retention_s;
    int64_t max_receives;
    bool encrypted;
    bool has_dead_letter;
    struct error dead_trouble; /* likewise */
    int64_t dead_letters;
    int64_t dead_retention_s;
    bool dead_encrypted;
    enum queue_allows dead_allows;
    bool dead_lists_us; /* among those allowed */
};

struct worker_facts {
    char url[256];
    bool answers;
    bool ready;
    char reason[256];    /* why not */
    bool queue_down;     /* by its own last call */
    int64_t lost_leases; /* -1 = not told */
    int64_t slowest_ms;  /* within which its messages were handled; -1 = not told, or none was */
};

enum { DOCTOR_FILES = 5 };
struct file_facts {
    const char *name; /* "" = the state directory itself */
    bool exists;
    unsigned mode; /* the permission bits */
    bool secret;   /* more than data: who reads it may act */
};

struct doctor_facts {
    bool embedded_by_default;
    int64_t max_attempts;
    struct error credentials_trouble;
    struct credentials_report credentials;
    int64_t now_ms; /* wall time */
    bool skew_known;
    int64_t skew_ms; /* AWS's clock minus ours */
    struct queue_facts queues[WHICH_COUNT];
    struct worker_facts worker;
    char state_dir[256];
    struct file_facts files[DOCTOR_FILES];
};

enum verdict { VERDICT_OK, VERDICT_WARN, VERDICT_FAIL };

enum { FINDING_SIZE = 512, FINDINGS_MAX = 64 };
struct finding {
    enum verdict verdict;
    char about[32];
    char text[FINDING_SIZE]; /* what is so, and what to do */
    const char *setting;     /* of terraform's AWS provider; "" = none mends it */
};
struct findings {
    size_t count;
    struct finding items[FINDINGS_MAX];
};

void findings_add(struct findings *findings, enum verdict verdict, const char *about,
                  const char *format, ...) PRINTF_LIKE(4, 5);

void doctor_judge(const struct doctor_facts *facts, struct findings *findings);

/* Never fails: what cannot be found out is a fact, too. *misconfigured: something is wrong already
 * before anybody was asked. */
void doctor_collect(struct queue_session *session, struct doctor_facts *facts, bool *misconfigured);

#endif
