/* What a worker tells the log: every transition of a booking, every event sent, every message
 * heard, and troubles once when they begin, change or end. Whoever searches the journals of both
 * workers for one booking id, or one trace id, reads its whole life. */
#ifndef BOOKFLOW_REPORT_H
#define BOOKFLOW_REPORT_H

#include <stdint.h>

#include "consumer.h"
#include "publisher.h"
#include "worker.h"

struct report {
    struct worker *worker;
    int64_t told;     /* the newest row of the audit trail that was */
    int64_t commits;  /* after how many of them it was looked for */
    char reason[160]; /* of the trouble as last told; "" = none */
    int64_t parked;
    char notices[160]; /* the trouble with telling people */
    int64_t given_up;
};

/* From here on: what is in the trail already was told by whoever wrote it. */
void report_begin(struct report *report, struct worker *worker);

/* Tells what is new, and keeps the worker's census. */
void report_step(struct report *report);

/* For the options of publisher and consumer; `context` is the report. */
publisher_sent_fn report_sent;
consumer_heard_fn report_heard;

#endif
