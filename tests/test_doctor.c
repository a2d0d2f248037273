/* What the doctor concludes from what it is told: each judgement on both sides of its limits. */
#include <criterion/criterion.h>
#include <stddef.h>
#include <string.h>

#include "doctor.h"

static const struct queue_facts healthy_queue = {
    .visibility_s = 30,
    .retention_s = INT64_C(4) * 86400,
    .max_receives = 100,
    .encrypted = true,
    .has_dead_letter = true,
    .dead_retention_s = INT64_C(14) * 86400,
    .dead_encrypted = true,
    .dead_allows = QUEUE_ALLOWS_LISTED,
    .dead_lists_us = true,
};

static struct doctor_facts healthy(void)
{
    return (struct doctor_facts){
        .max_attempts = 8,
        .credentials = {.source = "environment"},
        .now_ms = INT64_C(1700000000000),
        .skew_known = true,
        .queues = {healthy_queue, healthy_queue},
        .worker = {.url = "http://127.0.0.1:3000", .answers = true, .ready = true},
        .state_dir = "/var/lib/bookflow",
        .files = {{.name = "", .exists = true, .mode = 0700},
                  {.name = "intake.db", .exists = true, .mode = 0600},
                  {.name = "decision.db"},
                  {.name = "queues.db"},
                  {.name = "tokens", .exists = true, .mode = 0600, .secret = true}},
    };
}

static struct findings judged(const struct doctor_facts *facts)
{
    struct findings findings = {0};
    doctor_judge(facts, &findings);
    cr_assert_lt(findings.count, FINDINGS_MAX);
    return findings;
}

/* The one finding that is not ok; NULL when all are. */
static const struct finding *only_complaint(const struct findings *findings, const char *name)
{
    const struct finding *complaint = NULL;
    for (size_t i = 0; i < findings->count; i++) {
        if (findings->items[i].verdict == VERDICT_OK)
            continue;
        cr_assert_null(complaint, "%s: more than one complaint: %s; %s", name,
                       complaint ? complaint->text : "", findings->items[i].text);
        complaint = &findings->items[i];
    }
    return complaint;
}

/* One number of the healthy facts is changed. */
struct number_case {
    const char *name;
    size_t offset;
    int64_t value;
    enum verdict verdict;
    const char *about;
    const char *text;
    const char *setting;
};

#define REQUEST(field) (offsetof(struct doctor_facts, queues) + offsetof(struct queue_facts, field))
#define FACT(field)    offsetof(struct doctor_facts, field)

static const struct number_case numbers[] = {
    {"receives: attempts, crashes and one more", REQUEST(max_receives), 12, VERDICT_OK, "", "", ""},
    {"receives: attempts and crashes", REQUEST(max_receives), 11, VERDICT_FAIL, "request queue",
     "set it to 12 at least", "redrive_policy.maxReceiveCount"},
    {"receives: AWS's examples", REQUEST(max_receives), 5, VERDICT_FAIL, "request queue",
     "maxReceiveCount is 5", "redrive_policy.maxReceiveCount"},
    {"visibility: low", REQUEST(visibility_s), 29, VERDICT_WARN, "request queue", "timeout 29 s",
     "visibility_timeout_seconds"},
    {"visibility: zero", REQUEST(visibility_s), 0, VERDICT_WARN, "request queue", "timeout 0 s",
     "visibility_timeout_seconds"},
    {"retention: a second longer", REQUEST(dead_retention_s), INT64_C(4) * 86400 + 1, VERDICT_OK,
     "", "", ""},
    {"retention: equal", REQUEST(dead_retention_s), INT64_C(4) * 86400, VERDICT_WARN,
     "request dead letters", "4 and 4 days", "message_retention_seconds of the dead-letter queue"},
    {"retention: shorter", REQUEST(dead_retention_s), 86400, VERDICT_FAIL, "request dead letters",
     "set 1209600 here", "message_retention_seconds of the dead-letter queue"},
    {"letters wait", REQUEST(dead_letters), 3, VERDICT_WARN, "request dead letters",
     "about 3 wait: see `bookflow dlq list --queue request`", ""},
    {"clock: a minute behind, nearly", FACT(skew_ms), 59999, VERDICT_OK, "", "", ""},
    {"clock: a minute behind", FACT(skew_ms), 60000, VERDICT_WARN, "clock", "60 s behind AWS's",
     ""},
    {"clock: ahead", FACT(skew_ms), -239999, VERDICT_WARN, "clock", "239 s ahead of", ""},
    {"clock: four minutes ahead", FACT(skew_ms), -240000, VERDICT_FAIL, "clock", "240 s ahead of",
     ""},
    {"credentials: ten minutes left", FACT(credentials.expires_ms),
     INT64_C(1700000000000) + INT64_C(600) * 1000, VERDICT_OK, "", "", ""},
    {"credentials: nine minutes left", FACT(credentials.expires_ms),
     INT64_C(1700000000000) + INT64_C(540) * 1000, VERDICT_WARN, "credentials", "expire in 9m", ""},
    {"credentials: over", FACT(credentials.expires_ms), 1, VERDICT_WARN, "credentials",
     "expire in 0s", ""},
    {"handling: as long as the timeout", FACT(worker.slowest_ms), 30000, VERDICT_OK, "", "", ""},
    {"handling: longer", FACT(worker.slowest_ms), 30001, VERDICT_WARN, "worker",
     "longer than 30000 ms", "visibility_timeout_seconds"},
    {"leases: none lost", FACT(worker.lost_leases), 0, VERDICT_OK, "", "", ""},
    {"leases: lost", FACT(worker.lost_leases), 2, VERDICT_WARN, "worker", "2 messages took longer",
     ""},
};

static void check(const struct doctor_facts *facts, const struct number_case *wanted)
{
    const struct findings findings = judged(facts);
    const struct finding *complaint = only_complaint(&findings, wanted->name);
    if (wanted->verdict == VERDICT_OK) {
        cr_assert_null(complaint, "%s: %s", wanted->name, complaint ? complaint->text : "");
        return;
    }
    cr_assert_not_null(complaint, "%s: no complaint", wanted->name);
    cr_assert_eq(complaint->verdict, wanted->verdict, "%s", wanted->name);
    cr_assert_str_eq(complaint->about, wanted->about, "%s", wanted->name);
    cr_assert_not_null(strstr(complaint->text, wanted->text), "%s: %s", wanted->name,
                       complaint->text);
    cr_assert_not_null(strstr(complaint->setting, wanted->setting), "%s: %s", wanted->name,
                       complaint->setting);
    cr_assert_eq(*wanted->setting == '\0', *complaint->setting == '\0', "%s", wanted->name);
}

Test(doctor, says_ok_to_everything_that_is_well)
{
    const struct doctor_facts facts = healthy();
    const struct findings findings = judged(&facts);
    cr_assert_null(only_complaint(&findings, "healthy"));
    cr_assert_geq(findings.count, 17);
}

Test(doctor, weighs_each_number_at_its_limit)
{
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct doctor_facts facts = healthy();
        memcpy((char *)&facts + numbers[i].offset, &numbers[i].value, sizeof(int64_t));
        check(&facts, &numbers[i]);
    }
}

Test(doctor, counts_receives_from_the_attempts_that_are_set)
{
    struct doctor_facts facts = healthy();
    facts.max_attempts = 97;
    const struct findings findings = judged(&facts);
    size_t failures = 0;
    for (size_t i = 0; i < findings.count; i++)
        failures += findings.items[i].verdict == VERDICT_FAIL &&
                    strstr(findings.items[i].text, "set it to 101 at least") != NULL;
    cr_assert_eq(failures, 2, "both queues leave too few");
}

/* Facts that are no numbers. */
struct state_case {
    struct number_case wanted;
    void (*spoil)(struct doctor_facts *facts);
};

static void no_dead_letters(struct doctor_facts *facts)
{
    facts->queues[WHICH_CONFIRMATION].has_dead_letter = false;
}

static void not_there(struct doctor_facts *facts)
{
    (void)error_set(&facts->queues[WHICH_REQUEST].trouble, ERROR_CONFIGURATION, "no such queue");
}

static void forbidden(struct doctor_facts *facts)
{
    (void)error_set(&facts->queues[WHICH_REQUEST].dead_trouble, ERROR_FORBIDDEN, "AccessDenied");
}

static void allows_all(struct doctor_facts *facts)
{
    facts->queues[WHICH_REQUEST].dead_allows = QUEUE_ALLOWS_ALL;
    facts->queues[WHICH_REQUEST].dead_lists_us = false;
}

static void allows_none(struct doctor_facts *facts)
{
    facts->queues[WHICH_REQUEST].dead_allows = QUEUE_ALLOWS_NONE;
}

static void allows_others(struct doctor_facts *facts)
{
    facts->queues[WHICH_REQUEST].dead_lists_us = false;
}

static void in_the_clear(struct doctor_facts *facts)
{
    facts->queues[WHICH_REQUEST].encrypted = false;
}

static void letters_in_the_clear(struct doctor_facts *facts)
{
    facts->queues[WHICH_REQUEST].dead_encrypted = false;
}

static void no_worker(struct doctor_facts *facts)
{
    facts->worker = (struct worker_facts){.url = "http://there", .reason = "refused"};
}

static void not_ready(struct doctor_facts *facts)
{
    facts->worker.ready = false;
    memcpy(facts->worker.reason, "intake is draining", sizeof "intake is draining");
}

static void queue_down(struct doctor_facts *facts)
{
    facts->worker.queue_down = true;
}

static void open_store(struct doctor_facts *facts)
{
    facts->files[1].mode = 0640;
}

static void open_tokens(struct doctor_facts *facts)
{
    facts->files[4].mode = 0604;
}

static void elsewhere(struct doctor_facts *facts)
{
    facts->files[0].exists = false;
    facts->files[4].mode = 0777;
}

static void clock_unknown(struct doctor_facts *facts)
{
    facts->skew_known = false;
    facts->skew_ms = INT64_C(900) * 1000;
}

static const struct state_case states[] = {
    {{.name = "no dead-letter queue",
      .verdict = VERDICT_FAIL,
      .about = "confirmation queue",
      .text = "no dead-letter queue",
      .setting = "aws_sqs_queue.redrive_policy"},
     no_dead_letters},
    {{.name = "no queue",
      .verdict = VERDICT_FAIL,
      .about = "request queue",
      .text = "no such queue",
      .setting = "aws_sqs_queue"},
     not_there},
    {{.name = "forbidden",
      .verdict = VERDICT_FAIL,
      .about = "request dead letters",
      .text = "AccessDenied",
      .setting = "sqs:GetQueueAttributes"},
     forbidden},
    {{.name = "allowAll",
      .verdict = VERDICT_WARN,
      .about = "request dead letters",
      .text = "byQueue",
      .setting = "aws_sqs_queue_redrive_allow_policy"},
     allows_all},
    {{.name = "denyAll",
      .verdict = VERDICT_FAIL,
      .about = "request dead letters",
      .text = "denyAll",
      .setting = "aws_sqs_queue_redrive_allow_policy"},
     allows_none},
    {{.name = "byQueue, another",
      .verdict = VERDICT_FAIL,
      .about = "request dead letters",
      .text = "add this one's ARN",
      .setting = "aws_sqs_queue_redrive_allow_policy"},
     allows_others},
    {{.name = "not encrypted",
      .verdict = VERDICT_WARN,
      .about = "request queue",
      .text = "not encrypted",
      .setting = "sqs_managed_sse_enabled"},
     in_the_clear},
    {{.name = "letters not encrypted",
      .verdict = VERDICT_WARN,
      .about = "request dead letters",
      .text = "not encrypted",
      .setting = "sqs_managed_sse_enabled"},
     letters_in_the_clear},
    {{.name = "no worker",
      .verdict = VERDICT_WARN,
      .about = "worker",
      .text = "none answers at http://there (refused)",
      .setting = ""},
     no_worker},
    {{.name = "not ready",
      .verdict = VERDICT_FAIL,
      .about = "worker",
      .text = "not ready at http://127.0.0.1:3000: intake is draining",
      .setting = ""},
     not_ready},
    {{.name = "queue down",
      .verdict = VERDICT_WARN,
      .about = "worker",
      .text = "courier.trouble",
      .setting = ""},
     queue_down},
    {{.name = "open store",
      .verdict = VERDICT_WARN,
      .about = "files",
      .text = "/var/lib/bookflow/intake.db is open to others (mode 0640): chmod 600",
      .setting = ""},
     open_store},
    {{.name = "open tokens",
      .verdict = VERDICT_FAIL,
      .about = "files",
      .text = "/var/lib/bookflow/tokens is open to others",
      .setting = ""},
     open_tokens},
    {{.name = "another machine", .verdict = VERDICT_OK}, elsewhere},
    {{.name = "clock unknown", .verdict = VERDICT_OK}, clock_unknown},
};

Test(doctor, names_each_thing_that_is_wrong_and_its_setting)
{
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        struct doctor_facts facts = healthy();
        states[i].spoil(&facts);
        check(&facts, &states[i].wanted);
    }
}

Test(doctor, blames_missing_credentials_once_and_asks_no_queue)
{
    struct doctor_facts facts = healthy();
    (void)error_set(&facts.credentials_trouble, ERROR_CONFIGURATION, "no AWS credentials: ...");
    const struct findings findings = judged(&facts);
    size_t failures = 0;
    for (size_t i = 0; i < findings.count; i++)
        failures += findings.items[i].verdict == VERDICT_FAIL;
    cr_assert_eq(failures, 3, "credentials, and both queues");
}

/* Of an embedded queue AWS's settings are not asked. */
Test(doctor, asks_of_an_embedded_queue_only_what_it_has)
{
    struct doctor_facts facts = healthy();
    const struct queue_facts embedded = {.embedded = true,
                                         .has_dead_letter = true,
                                         .max_receives = 100,
                                         .retention_s = -1,
                                         .dead_retention_s = -1};
    facts.queues[WHICH_REQUEST] = facts.queues[WHICH_CONFIRMATION] = embedded;
    facts.skew_known = false;
    (void)error_set(&facts.credentials_trouble, ERROR_CONFIGURATION, "none");
    struct findings findings = judged(&facts);
    cr_assert_null(only_complaint(&findings, "embedded"));
    facts.queues[WHICH_REQUEST].max_receives = 3;
    findings = judged(&facts);
    const struct finding *complaint = only_complaint(&findings, "embedded, three receives");
    cr_assert_eq(complaint->verdict, VERDICT_FAIL);
    cr_assert_str_eq(complaint->setting, "", "terraform does not know it");
}

Test(doctor, cuts_what_is_too_long_and_takes_no_more_than_it_has_room_for)
{
    struct findings findings = {0};
    char text[2 * FINDING_SIZE];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (int i = 0; i < FINDINGS_MAX + 5; i++)
        findings_add(&findings, VERDICT_FAIL, text, "%s", text);
    cr_assert_eq(findings.count, FINDINGS_MAX);
    cr_assert_eq(strlen(findings.items[0].text), FINDING_SIZE - 1);
}

Test(doctor, writes_ages_in_the_largest_unit_of_which_there_are_two)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } cases[] = {{-1, "-"},      {0, "0s"},    {119, "119s"},   {120, "2m"},
                 {7199, "119m"}, {7200, "2h"}, {172799, "47h"}, {172800, "2d"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[AGE_SIZE];
        cr_assert_str_eq(age_text(cases[i].seconds, text), cases[i].text);
    }
}
