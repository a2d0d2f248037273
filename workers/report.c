/* The log of a worker. Transitions are read from the audit trail, which holds what was committed
 * and nothing else; the two queues tell by callback. Decides nothing. */
#include "report.h"

#include <stdio.h>
#include <string.h>

#include "audit.h"
#include "log.h"
#include "notifier.h"

enum { ROWS = 512, TRACE_SIZE = 33 };

/* Counted once: a count of all bookings takes the longer the more there have been. */
void report_begin(struct report *report, struct worker *worker)
{
    struct error error = {0};
    *report = (struct report){.worker = worker};
    (void)!audit_last(worker->reader, &report->told, &error); /* 0 only means telling more */
    (void)!audit_census(worker->reader, worker->census, &error);
}

/* The trace id inside a traceparent; "" = none. */
static void trace_of(const char *traceparent, char trace[TRACE_SIZE])
{
    const size_t prefix = sizeof "00-" - 1;
    const bool any = strlen(traceparent) > prefix;
    (void)snprintf(trace, TRACE_SIZE, "%.32s", any ? traceparent + prefix : "");
}

void report_sent(void *context, const struct outbox_row *row, const char *message_id)
{
    const struct report *report = context;
    char trace[TRACE_SIZE];
    trace_of(row->traceparent, trace);
    log_event(LOG_LEVEL_INFO, "event.sent",
              LOG(log_text("worker", report->worker->name), log_text("booking_id", row->booking_id),
                  log_text("provider_id", row->provider_id),
                  log_text("type", event_type_name(row->type)), log_text("event_id", row->event_id),
                  log_text("sqs_message_id", message_id), log_text("trace_id", trace)));
}

void report_heard(void *context, const struct consumer_news *news)
{
    static const struct {
        enum log_level level;
        const char *code;
    } lines[] = {
        [HEARD_APPLIED] = {LOG_LEVEL_INFO, "message.applied"},
        [HEARD_DUPLICATE] = {LOG_LEVEL_INFO, "message.duplicate"},
        [HEARD_FAILED] = {LOG_LEVEL_WARN, "message.failed"},
        [HEARD_DEAD] = {LOG_LEVEL_ERROR, "message.dead_lettered"},
    };
    const struct report *report = context;
    const struct event *event = news->event;
    char trace[TRACE_SIZE];
    trace_of(event->traceparent, trace);
    log_event(lines[news->outcome].level, lines[news->outcome].code,
              LOG(log_text("worker", report->worker->name),
                  log_text("booking_id", event->booking.id),
                  log_text("provider_id", event->booking.provider_id),
                  log_text("type", event_type_name(event->type)), log_text("event_id", event->id),
                  log_text("sqs_message_id", news->message_id), log_text("trace_id", trace),
                  log_text(*news->reason ? "reason" : NULL, news->reason)));
}

static void tell_row(void *context, const struct audit_entry *entry)
{
    static const char *const codes[] = {
        [BOOKING_PENDING] = "booking.pending",
        [BOOKING_CONFIRMED] = "booking.confirmed",
        [BOOKING_REJECTED] = "booking.rejected",
        [BOOKING_CANCELLED] = "booking.cancelled",
    };
    struct report *report = context;
    report->told = entry->sequence;
    if (entry->from == entry->to || entry->to >= BOOKING_ABSENT)
        return; /* what became of a send */
    report->worker->census[entry->to]++;
    if (entry->from < BOOKING_ABSENT)
        report->worker->census[entry->from]--;
    log_event(LOG_LEVEL_INFO, codes[entry->to],
              LOG(log_text("worker", report->worker->name),
                  log_text("booking_id", entry->booking_id),
                  log_text("provider_id", entry->provider_id), log_text("actor", entry->actor),
                  log_text("event_id", entry->event_id)));
}

/* One line when it begins, changes or ends; not one per try. */
static void tell_trouble(struct report *report)
{
    const struct publisher_state sending = publisher_state(report->worker->publisher);
    const struct consumer_state receiving = consumer_state(report->worker->consumer);
    const char *reason = *sending.reason ? sending.reason : receiving.reason;
    if (strcmp(reason, report->reason) != 0) {
        (void)snprintf(report->reason, sizeof report->reason, "%s", reason);
        log_event(*reason ? LOG_LEVEL_WARN : LOG_LEVEL_INFO,
                  *reason ? "courier.trouble" : "courier.well",
                  LOG(log_text("worker", report->worker->name), log_text("reason", reason)));
    }
    if (sending.parked > report->parked)
        log_event(LOG_LEVEL_ERROR, "event.parked",
                  LOG(log_text("worker", report->worker->name),
                      log_number("count", sending.parked - report->parked)));
    report->parked = sending.parked;
}

/* The reasons are our own words and name no person. */
static void tell_notices(struct report *report)
{
    const struct notifier_state state = notifier_state(report->worker->notifier);
    if (strcmp(state.reason, report->notices) != 0) {
        (void)snprintf(report->notices, sizeof report->notices, "%s", state.reason);
        log_event(*state.reason ? LOG_LEVEL_WARN : LOG_LEVEL_INFO,
                  *state.reason ? "notice.trouble" : "notice.well",
                  LOG(log_text("worker", report->worker->name), log_text("channel", state.channel),
                      log_text("reason", state.reason)));
    }
    if (state.given_up > report->given_up)
        log_event(LOG_LEVEL_ERROR, "notice.given_up",
                  LOG(log_text("worker", report->worker->name),
                      log_number("count", state.given_up - report->given_up)));
    report->given_up = state.given_up;
}

/* A page at a time, and only after a commit: most steps follow none. */
static void tell_transitions(struct report *report)
{
    struct error error = {0};
    const struct audit_page page = {.after = report->told, .maximum = ROWS};
    const int64_t commits = writer_counters(report->worker->writer).commits;
    if (commits == report->commits)
        return;
    const int64_t before = report->told;
    if (audit_read(report->worker->reader, &page, tell_row, report, &error) &&
        report->told - before < ROWS)
        report->commits = commits;
}

void report_step(struct report *report)
{
    tell_transitions(report);
    tell_trouble(report);
    if (report->worker->notifier)
        tell_notices(report);
}
