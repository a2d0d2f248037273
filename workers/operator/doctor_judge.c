/* What the facts mean, and what to do about it. Pure: asks nobody. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "doctor.h"

enum {
    CRASHES = 3, /* attempts that a crashing message takes before it is dead-lettered */
    ROOM = 100,  /* receives that a restart, a drain or a slow store may cost besides */
    VISIBILITY_LEAST_S = 30,
    SKEW_WARN_MS = 60 * 1000,
    SKEW_FAIL_MS = 240 * 1000,
    EXPIRY_WARN_MS = 10 * 60 * 1000,
    DAY_S = 86400
};

static const char queue_resource[] = "aws_sqs_queue";
static const char redrive_setting[] = "aws_sqs_queue.redrive_policy";
static const char receives_setting[] = "aws_sqs_queue.redrive_policy.maxReceiveCount";
static const char allow_setting[] =
    "aws_sqs_queue_redrive_allow_policy.redrive_allow_policy.sourceQueueArns";
static const char retention_setting[] =
    "aws_sqs_queue.message_retention_seconds of the dead-letter queue";
static const char visibility_setting[] = "aws_sqs_queue.visibility_timeout_seconds";
static const char encryption_setting[] = "aws_sqs_queue.sqs_managed_sse_enabled";
static const char permission_setting[] = "aws_iam_policy: sqs:GetQueueAttributes, ReceiveMessage,"
                                         " SendMessage, DeleteMessage, ChangeMessageVisibility";

void findings_add(struct findings *findings, enum verdict verdict, const char *about,
                  const char *format, ...)
{
    if (findings->count == FINDINGS_MAX)
        return;
    struct finding *finding = &findings->items[findings->count++];
    va_list values;
    *finding = (struct finding){.verdict = verdict, .setting = ""};
    (void)snprintf(finding->about, sizeof finding->about, "%s", about);
    va_start(values, format);
    (void)vsnprintf(finding->text, sizeof finding->text, format, values);
    va_end(values);
}

/* Of the finding just added. */
static void mended_by(struct findings *findings, const char *setting)
{
    findings->items[findings->count - 1].setting = setting;
}

/* --- the surroundings --- */

static void judge_configuration(const struct doctor_facts *facts, struct findings *findings)
{
    if (facts->embedded_by_default)
        findings_add(findings, VERDICT_OK, "configuration",
                     "good; a queue URL is not set, so the embedded queue in %s is meant",
                     facts->state_dir);
    else
        findings_add(findings, VERDICT_OK, "configuration", "good");
}

static void judge_credentials(const struct doctor_facts *facts, struct findings *findings)
{
    const int64_t left_ms = facts->credentials.expires_ms - facts->now_ms;
    char left[AGE_SIZE];
    if (facts->queues[WHICH_REQUEST].embedded && facts->queues[WHICH_CONFIRMATION].embedded)
        findings_add(findings, VERDICT_OK, "credentials", "not needed: both queues are embedded");
    else if (facts->credentials_trouble.kind)
        findings_add(findings, VERDICT_FAIL, "credentials", "%s", facts->credentials_trouble.text);
    else if (facts->credentials.expires_ms == 0)
        findings_add(findings, VERDICT_OK, "credentials", "from %s; they do not expire",
                     facts->credentials.source);
    else
        findings_add(findings, left_ms < EXPIRY_WARN_MS ? VERDICT_WARN : VERDICT_OK, "credentials",
                     left_ms < EXPIRY_WARN_MS
                         ? "from %s; they expire in %s: see why they are not renewed"
                         : "from %s; they expire in %s and are renewed before",
                     facts->credentials.source, age_text(left_ms > 0 ? left_ms / 1000 : 0, left));
}

static void judge_clock(const struct doctor_facts *facts, struct findings *findings)
{
    const int64_t skew_ms = llabs(facts->skew_ms);
    if (!facts->skew_known)
        return;
    if (skew_ms < SKEW_WARN_MS) {
        findings_add(findings, VERDICT_OK, "clock", "within a minute of AWS's");
        return;
    }
    findings_add(findings, skew_ms < SKEW_FAIL_MS ? VERDICT_WARN : VERDICT_FAIL, "clock",
                 "%lld s %s AWS's, which refuses signatures beyond 15 minutes, and slots start and"
                 " expire by it: run a time service (chrony, systemd-timesyncd)",
                 (long long)(skew_ms / 1000), facts->skew_ms > 0 ? "behind" : "ahead of");
}

/* --- a queue --- */

static void judge_out_of_reach(const char *about, const struct error *trouble,
                               struct findings *findings)
{
    findings_add(findings, VERDICT_FAIL, about, "out of reach: %s", trouble->text);
    if (trouble->kind == ERROR_FORBIDDEN)
        mended_by(findings, permission_setting);
    else if (trouble->kind == ERROR_CONFIGURATION)
        mended_by(findings, queue_resource);
}

static void judge_receives(const struct queue_facts *queue, const char *about, int64_t max_attempts,
                           struct findings *findings)
{
    const int64_t least = max_attempts + CRASHES + 1;
    const bool enough = queue->max_receives >= least;
    findings_add(findings, enough ? VERDICT_OK : VERDICT_FAIL, about,
                 enough ? "maxReceiveCount %lld leaves the worker its %lld attempts"
                        : "maxReceiveCount is %lld: the queue would dead-letter before the worker"
                          " has had its attempts (%lld, and 3 for crashes), and without a reason;"
                          " set it to %lld at least, better %d",
                 (long long)queue->max_receives, (long long)max_attempts, (long long)least, ROOM);
    if (!enough)
        mended_by(findings, queue->embedded ? "" : receives_setting);
}

static void judge_allows(const struct queue_facts *queue, const char *about,
                         struct findings *findings)
{
    static const char *const texts[] = {
        [QUEUE_ALLOWS_ALL] = "takes dead letters of any queue: name this one alone (byQueue)",
        [QUEUE_ALLOWS_NONE] = "takes no dead letters (denyAll): set redrivePermission to byQueue",
        [QUEUE_ALLOWS_LISTED] = "takes dead letters of other queues only: add this one's ARN",
    };
    if (queue->dead_allows == QUEUE_ALLOWS_LISTED && queue->dead_lists_us) {
        findings_add(findings, VERDICT_OK, about, "takes dead letters of this queue (byQueue)");
        return;
    }
    findings_add(findings, queue->dead_allows == QUEUE_ALLOWS_ALL ? VERDICT_WARN : VERDICT_FAIL,
                 about, "%s", texts[queue->dead_allows]);
    mended_by(findings, allow_setting);
}

/* A letter that the queue itself moves keeps the age it had. */
static void judge_retention(const struct queue_facts *queue, const char *about,
                            struct findings *findings)
{
    const long long here = queue->dead_retention_s / DAY_S;
    const long long there = queue->retention_s / DAY_S;
    if (queue->dead_retention_s > queue->retention_s) {
        findings_add(findings, VERDICT_OK, about, "keeps letters %lld days, longer than the queue",
                     here);
        return;
    }
    findings_add(findings,
                 queue->dead_retention_s < queue->retention_s ? VERDICT_FAIL : VERDICT_WARN, about,
                 "keeps letters %lld s, the queue its messages %lld s (%lld and %lld days): one"
                 " that the queue moves keeps its age and may be gone before anybody looks; set"
                 " 1209600 here and less there",
                 (long long)queue->dead_retention_s, (long long)queue->retention_s, here, there);
    mended_by(findings, retention_setting);
}

static void judge_visibility(const struct queue_facts *queue, const char *about,
                             struct findings *findings)
{
    const bool enough = queue->visibility_s >= VISIBILITY_LEAST_S;
    findings_add(findings, enough ? VERDICT_OK : VERDICT_WARN, about,
                 enough ? "visibility timeout %lld s (the workers ask for their own)"
                        : "visibility timeout %lld s: the workers ask for their own, any other"
                          " reader would see messages twice; set %d",
                 (long long)queue->visibility_s, VISIBILITY_LEAST_S);
    if (!enough)
        mended_by(findings, visibility_setting);
}

static void judge_encryption(bool encrypted, const char *about, struct findings *findings)
{
    findings_add(findings, encrypted ? VERDICT_OK : VERDICT_WARN, about,
                 encrypted ? "encrypted at rest"
                           : "not encrypted at rest: messages name customers");
    if (!encrypted)
        mended_by(findings, encryption_setting);
}

static void judge_dead_letters(const struct queue_facts *queue, enum which_queue which,
                               struct findings *findings)
{
    const char *name = which_queue_name(which);
    char about[32];
    (void)snprintf(about, sizeof about, "%s dead letters", name);
    if (queue->dead_trouble.kind) {
        judge_out_of_reach(about, &queue->dead_trouble, findings);
        return;
    }
    findings_add(findings, queue->dead_letters > 0 ? VERDICT_WARN : VERDICT_OK, about,
                 queue->dead_letters > 0 ? "about %lld wait: see `bookflow dlq list --queue %s`"
                                         : "reachable, none waits",
                 (long long)queue->dead_letters, name);
    if (queue->embedded)
        return;
    judge_allows(queue, about, findings);
    judge_retention(queue, about, findings);
    judge_encryption(queue->dead_encrypted, about, findings);
}

static void judge_queue(const struct doctor_facts *facts, enum which_queue which,
                        struct findings *findings)
{
    const struct queue_facts *queue = &facts->queues[which];
    char about[32];
    (void)snprintf(about, sizeof about, "%s queue", which_queue_name(which));
    if (!queue->embedded && facts->credentials_trouble.kind) {
        findings_add(findings, VERDICT_FAIL, about, "cannot be asked without credentials");
        return;
    }
    if (queue->trouble.kind) {
        judge_out_of_reach(about, &queue->trouble, findings);
        return;
    }
    findings_add(findings, VERDICT_OK, about, "reachable, about %lld waiting",
                 (long long)queue->visible);
    if (!queue->embedded) {
        judge_visibility(queue, about, findings);
        judge_encryption(queue->encrypted, about, findings);
    }
    if (!queue->has_dead_letter) {
        findings_add(findings, VERDICT_FAIL, about,
                     "has no dead-letter queue in this region and account: what cannot be handled"
                     " has nowhere to go");
        mended_by(findings, redrive_setting);
        return;
    }
    judge_receives(queue, about, facts->max_attempts, findings);
    judge_dead_letters(queue, which, findings);
}

/* --- the worker --- */

/* What was observed against what the queues were given: any reader that does not renew, ours being
 * stopped for a moment among them, would see a message twice. */
static void judge_handling(const struct doctor_facts *facts, struct findings *findings)
{
    const int64_t slowest_ms = facts->worker.slowest_ms;
    int64_t least_s = INT64_MAX / 1000;
    for (size_t i = 0; i < WHICH_COUNT; i++)
        if (!facts->queues[i].embedded && facts->queues[i].visibility_s < least_s)
            least_s = facts->queues[i].visibility_s;
    if (slowest_ms < 0)
        return;
    const bool enough = slowest_ms <= least_s * 1000;
    findings_add(findings, enough ? VERDICT_OK : VERDICT_WARN, "worker",
                 enough
                     ? "every message was handled within %lld ms of its receipt"
                     : "messages took longer than %lld ms, the visibility timeout of their queue,"
                       " from receipt to commit",
                 (long long)(enough ? slowest_ms : least_s * 1000));
    if (!enough)
        mended_by(findings, visibility_setting);
}

static void judge_worker(const struct worker_facts *worker, struct findings *findings)
{
    if (!worker->answers) {
        findings_add(findings, VERDICT_WARN, "worker",
                     "none answers at %s (%s): its store was not checked; start it, or set"
                     " BOOKFLOW_URL",
                     worker->url, worker->reason);
        return;
    }
    if (worker->ready)
        findings_add(findings, VERDICT_OK, "worker", "ready at %s, its store answers", worker->url);
    else
        findings_add(findings, VERDICT_FAIL, "worker", "not ready at %s: %s", worker->url,
                     worker->reason);
    if (worker->queue_down)
        findings_add(findings, VERDICT_WARN, "worker",
                     "its last call to a queue failed: see courier.trouble in its log");
    if (worker->lost_leases > 0)
        findings_add(findings, VERDICT_WARN, "worker",
                     "%lld messages took longer than their lease and came twice: see whether its"
                     " disk or machine stalls",
                     (long long)worker->lost_leases);
}

static void judge_files(const struct doctor_facts *facts, struct findings *findings)
{
    bool good = true;
    if (!facts->files[0].exists) {
        findings_add(findings, VERDICT_OK, "files", "no %s here: nothing to check",
                     facts->state_dir);
        return;
    }
    for (size_t i = 0; i < DOCTOR_FILES; i++) {
        const struct file_facts *file = &facts->files[i];
        if (!file->exists || !(file->mode & 077))
            continue;
        good = false;
        findings_add(findings, file->secret ? VERDICT_FAIL : VERDICT_WARN, "files",
                     "%s%s%s is open to others (mode %04o): chmod %s", facts->state_dir,
                     *file->name ? "/" : "", file->name, file->mode, *file->name ? "600" : "700");
    }
    if (good)
        findings_add(findings, VERDICT_OK, "files", "%s is closed to others", facts->state_dir);
}

void doctor_judge(const struct doctor_facts *facts, struct findings *findings)
{
    judge_configuration(facts, findings);
    judge_credentials(facts, findings);
    judge_clock(facts, findings);
    for (int which = 0; which < WHICH_COUNT; which++)
        judge_queue(facts, (enum which_queue)which, findings);
    judge_worker(&facts->worker, findings);
    judge_handling(facts, findings);
    judge_files(facts, findings);
}
