/* The judgement over a scene that has settled. Must not change anything. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "convergence.h"
#include "decision_store.h"
#include "intake_store.h"
#include "network_scene.h"

void scene_violate(struct scene *scene, const char *format, ...)
{
    va_list values;
    if (scene->violation[0])
        return;
    va_start(values, format);
    (void)vsnprintf(scene->violation, sizeof scene->violation, format, values);
    va_end(values);
}

static enum booking_status expected(const struct promise *promise)
{
    return promise->cancelled ? BOOKING_CANCELLED : promise->decided;
}

static void judge_promise(struct scene *scene, const struct promise *promise)
{
    struct booking ours = {.status = BOOKING_ABSENT};
    struct decision_record theirs = {.booking = {.status = BOOKING_ABSENT}};
    struct error error = {0};
    bool found = false;
    const char *id = promise->booking.id;
    if (!intake_booking_find(scene->sides[INTAKE].reader, id, &ours, &found, &error) ||
        !decision_find(scene->sides[DECISION].reader, id, &theirs, &found, &error)) {
        scene_violate(scene, "%s: %s", id, error.text);
        return;
    }
    if (ours.status != expected(promise) || theirs.booking.status != expected(promise))
        scene_violate(scene, "lost: %s was promised %s, is %s at intake, %s at decision", id,
                      booking_status_name(expected(promise)), booking_status_name(ours.status),
                      booking_status_name(theirs.booking.status));
}

static int64_t number(struct scene *scene, int which, const char *sql)
{
    struct db_rows rows AUTO(db_rows_release) = {0};
    struct error error = {0};
    bool found = false;
    if (!db_query(scene->sides[which].reader, sql, BIND_NOTHING, &rows, &error) ||
        !db_next(&rows, &found, &error))
        scene_violate(scene, "%s", error.text);
    return found ? db_column_int(&rows, 0) : 0;
}

/* By the trail, and apart from what convergence_check() thinks of it. */
static void judge_rows(struct scene *scene)
{
    static const struct {
        const char *what;
        const char *sql;
    } wrongs[] = {
        {"effects twice",
         "SELECT count(*) FROM (SELECT 1 FROM audit WHERE event <> 'PUBLISH_FAILED'"
         " GROUP BY event_id, event HAVING count(*) > 1)"},
        {"never sent", "SELECT count(*) FROM outbox"},
        {"attempts never closed", "SELECT count(*) FROM attempts"},
    };
    for (int i = 0; i < SIDES; i++) {
        for (size_t j = 0; j < sizeof wrongs / sizeof wrongs[0]; j++) {
            const int64_t count = number(scene, i, wrongs[j].sql);
            if (count > 0)
                scene_violate(scene, "%s: %lld", wrongs[j].what, (long long)count);
        }
        scene->events += number(scene, i, "SELECT count(*) FROM audit WHERE event = 'PUBLISHED'");
    }
}

static void judge_convergence(struct scene *scene)
{
    struct convergence result = {0};
    struct error error = {0};
    if (!convergence_check(scene->sides[INTAKE].reader, scene->sides[DECISION].reader, &result,
                           &error))
        scene_violate(scene, "convergence: %s", error.text);
    else if (!result.converged)
        scene_violate(scene,
                      "not converged: %lld differ, %lld and %lld lost, %lld and %lld twice, "
                      "%lld double-booked, %lld moved down",
                      (long long)result.differing, (long long)result.requests.lost,
                      (long long)result.confirmations.lost, (long long)result.requests.duplicated,
                      (long long)result.confirmations.duplicated, (long long)result.double_booked,
                      (long long)result.moved_down);
    else if (result.bookings != (int64_t)scene->promises_count)
        scene_violate(scene, "%lld bookings, %zu promised", (long long)result.bookings,
                      scene->promises_count);
}

struct visitor {
    struct scene *scene;
    int64_t seen[POISONS];
};

static bool has_reason(const struct queue_message *message)
{
    const struct queue_attribute *each = message->attributes;
    while (each->name && strcmp(each->name, "DeadLetterReason") != 0)
        each++;
    return each->name != NULL;
}

static void visit(void *context, const struct queue_message *message)
{
    struct visitor *visitor = context;
    for (enum poison i = 0; i < POISONS; i++)
        if (strcmp(message->body, visitor->scene->poison[i]) == 0) {
            visitor->seen[i]++;
            if (!has_reason(message))
                scene_violate(visitor->scene, "dead letter without a reason: %s", poison_name(i));
            return;
        }
    scene_violate(visitor->scene, "does not belong into the dead-letter queue: %.120s",
                  message->body);
}

void scene_judge_dead_letters(struct scene *scene)
{
    struct visitor visitor = {.scene = scene};
    scene->queues.visit(scene->queues.context, "request-dlq", visit, &visitor);
    scene->queues.visit(scene->queues.context, "confirmation-dlq", visit, &visitor);
    for (enum poison i = 0; i < POISONS; i++)
        if (scene->poisoned[i] && visitor.seen[i] == 0)
            scene_violate(scene, "lost: the poison '%s'", poison_name(i));
}

void scene_judge(struct scene *scene)
{
    for (size_t i = 0; i < scene->promises_count; i++)
        judge_promise(scene, &scene->promises[i]);
    judge_rows(scene);
    judge_convergence(scene);
    scene_judge_dead_letters(scene);
}
