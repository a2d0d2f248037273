/* The notifier's steps: a notice is loaded, begun, sent, noted. Must not know how a channel works.
 */
#include "notifier.h"

#include <stdlib.h>
#include <string.h>

#include "backoff.h"
#include "buf.h"
#include "patience.h"

enum {
    IN_HAND = 4, /* of each channel */
    LOOKED_AT = 2 * IN_HAND,
    LOAD_AGAIN_MS = 1000,
    LAST_TRY_MS = 60 * 1000, /* before its time is over */
    DRAIN_PATIENCE_MS = 2000
};

enum stage { HAND_FREE, HAND_BEGINS, HAND_SENDS, HAND_NOTES, HAND_WAITS_TO_NOTE };

/* One notice on its way. */
struct hand {
    struct operation operation; /* first: the writer hands this back */
    struct line *line;
    enum stage stage;
    struct notice notice;
    struct letter letter; /* the writer's, while it begins */
    struct send *send;
    bool begun;
    int64_t now_ms; /* wall time, for what the operation writes */
    struct notice_end end;
    char reason[OUTAGE_REASON_SIZE];
    int64_t notes_failed; /* in a row */
    int64_t again_ms;     /* ticks: HAND_WAITS_TO_NOTE */
};

/* One channel's. */
struct line {
    struct notifier *notifier;
    enum notice_channel number;
    struct hand hands[IN_HAND];
    struct outage outage;
    bool gone;       /* nothing more is wanted from us */
    int64_t look_ms; /* ticks: not before, unless something was committed */
};

struct notifier {
    struct notifier_options options;
    struct line lines[NOTICE_CHANNELS];
    int64_t commits; /* when it was last looked */
    bool draining;
    int64_t drained_ms; /* ticks */
    int64_t sent, failed, given_up;
};

struct notifier *notifier_new(const struct notifier_options *options)
{
    struct notifier *notifier = memory_new(1, sizeof *notifier);
    notifier->options = *options;
    notifier->commits = -1;
    for (int i = 0; i < NOTICE_CHANNELS; i++) {
        struct line *line = &notifier->lines[i];
        line->notifier = notifier;
        line->number = (enum notice_channel)i; /* within its range */
        line->outage.since_ms = world_wall_ms(options->world);
        for (size_t j = 0; j < IN_HAND; j++)
            line->hands[j].line = line;
    }
    return notifier;
}

static int64_t ticks(const struct line *line)
{
    return world_ticks_ms(line->notifier->options.world);
}

static int64_t wall(const struct line *line)
{
    return world_wall_ms(line->notifier->options.world);
}

static struct channel *channel_of(const struct line *line)
{
    return line->notifier->options.channels->each[line->number];
}

static void submit(struct hand *hand, enum stage stage,
                   bool (*apply)(struct operation *, struct db *, struct error *),
                   void (*done)(struct operation *, const struct error *))
{
    hand->stage = stage;
    hand->operation = (struct operation){.apply = apply, .done = done};
    writer_submit(hand->line->notifier->options.writer, &hand->operation);
}

/* --- noting how a try ended --- */

static void hand_free(struct hand *hand)
{
    hand->stage = HAND_FREE;
    hand->line->look_ms = 0;
}

static bool note_apply(struct operation *operation, struct db *db, struct error *error)
{
    const struct hand *hand = (const struct hand *)operation; /* its first member */
    return notice_finish(db, &hand->notice, &hand->end, error);
}

/* What the far side has answered stands: it is noted later, and not asked again. */
static void note_done(struct operation *operation, const struct error *failure)
{
    struct hand *hand = (struct hand *)operation; /* its first member */
    if (!failure) {
        hand->notes_failed = 0;
        hand_free(hand);
        return;
    }
    hand->stage = HAND_WAITS_TO_NOTE;
    hand->notes_failed++;
    hand->again_ms =
        ticks(hand->line) + backoff_ms(hand->line->notifier->options.world, hand->notes_failed);
}

/* --- what became of a try --- */

static int64_t delay_ms(const struct hand *hand, const struct send_answer *answer)
{
    const int64_t delay = patience_ms(hand->line->notifier->options.world, hand->line->number,
                                      hand->notice.attempts + 1);
    return answer->wait_ms > delay ? answer->wait_ms : delay;
}

/* The last try is a minute before the notice's time is over. */
static void plan(struct hand *hand, const struct send_answer *answer)
{
    const int64_t last_ms = hand->notice.until_ms - LAST_TRY_MS;
    const bool again = answer->outcome == SEND_UNTAKEN || answer->outcome == SEND_DOUBTFUL;
    const int64_t due_ms = hand->end.now_ms + (again ? delay_ms(hand, answer) : 0);
    hand->end.due_ms = due_ms < last_ms ? due_ms : last_ms;
    hand->end.state = again && hand->end.now_ms < last_ms ? NOTICE_WAITING : NOTICE_GIVEN_UP;
    hand->end.untaken = answer->outcome != SEND_DOUBTFUL;
}

static void ended(struct hand *hand, const struct send_answer *answer)
{
    struct notifier *notifier = hand->line->notifier;
    hand->send = NULL;
    reason_copy(hand->reason, answer->outcome == SEND_TAKEN ? "" : answer->reason);
    hand->end = (struct notice_end){.state = NOTICE_SENT,
                                    .now_ms = wall(hand->line),
                                    .due_ms = hand->notice.due_ms,
                                    .reason = hand->reason};
    if (answer->outcome != SEND_TAKEN)
        plan(hand, answer);
    notifier->sent += hand->end.state == NOTICE_SENT;
    notifier->failed += hand->end.state == NOTICE_WAITING;
    notifier->given_up += hand->end.state == NOTICE_GIVEN_UP;
    submit(hand, HAND_NOTES, note_apply, note_done);
}

static void judge_line(struct line *line, const struct send_answer *answer)
{
    const struct world *world = line->notifier->options.world;
    line->gone = line->gone || answer->outcome == SEND_GONE;
    if (!answer->down && answer->outcome != SEND_GONE) {
        if (!line->gone)
            outage_over(&line->outage, world);
        return;
    }
    outage_failed(&line->outage, world, answer->reason);
    if (line->outage.until_ms < ticks(line) + answer->wait_ms)
        line->outage.until_ms = ticks(line) + answer->wait_ms;
}

static void send_done(void *context, const struct send_answer *answer)
{
    struct hand *hand = context;
    const struct notifier_options *options = &hand->line->notifier->options;
    judge_line(hand->line, answer);
    ended(hand, answer);
    if (options->wake)
        options->wake(options->context);
}

/* --- beginning --- */

/* A line without a channel has notices of an earlier configuration. */
static void hand_send(struct hand *hand)
{
    struct channel *channel = channel_of(hand->line);
    struct error error = {0};
    struct send_answer answer = {.outcome = SEND_UNTAKEN, .down = true};
    if (!channel) {
        answer.reason = "is not configured any more";
    } else if (hand->line->gone) {
        answer.reason = "the receiver answered 410 Gone; asked again after a restart";
    } else {
        hand->stage = HAND_SENDS;
        hand->send =
            channel->send(channel, &hand->letter, &(struct send_caller){send_done, hand}, &error);
        if (hand->send)
            return;
        answer = (struct send_answer){.outcome = SEND_REFUSED, .reason = error.text};
    }
    if (answer.down)
        judge_line(hand->line, &answer);
    ended(hand, &answer);
}

static bool begin_apply(struct operation *operation, struct db *db, struct error *error)
{
    struct hand *hand = (struct hand *)operation; /* its first member */
    return notice_begin(db, &hand->notice, hand->now_ms, &hand->letter, &hand->begun, error);
}

static void begin_done(struct operation *operation, const struct error *failure)
{
    struct hand *hand = (struct hand *)operation; /* its first member */
    struct line *line = hand->line;
    if (!failure && hand->begun) {
        hand_send(hand);
        return;
    }
    hand_free(hand);
    if (failure)
        line->look_ms = ticks(line) + LOAD_AGAIN_MS;
}

/* --- loading --- */

static bool is_in_hand(const struct line *line, const struct notice *notice)
{
    for (size_t i = 0; i < IN_HAND; i++) {
        const struct notice *other = &line->hands[i].notice;
        if (line->hands[i].stage != HAND_FREE && other->recipient == notice->recipient &&
            strcmp(other->booking_id, notice->booking_id) == 0)
            return true;
    }
    return false;
}

/* While the channel is down one asks whether it is back. */
static struct hand *free_hand(struct line *line)
{
    struct hand *free = NULL;
    for (size_t i = 0; i < IN_HAND; i++)
        if (line->hands[i].stage == HAND_FREE)
            free = &line->hands[i];
        else if (line->outage.down)
            return NULL;
    return free;
}

static void take(struct line *line, const struct notice notices[], size_t count)
{
    const int64_t now_ms = wall(line);
    for (size_t i = 0; i < count; i++) {
        struct hand *hand = free_hand(line);
        const int64_t wait_ms = notices[i].due_ms - now_ms;
        if (is_in_hand(line, &notices[i]))
            continue;
        if (!hand)
            return; /* whoever is freed looks again */
        if (wait_ms > 0) {
            line->look_ms = ticks(line) + wait_ms;
            return;
        }
        hand->notice = notices[i];
        hand->now_ms = now_ms;
        submit(hand, HAND_BEGINS, begin_apply, begin_done);
    }
}

/* As many as are in hand may stand in front of those that are not. */
static void look(struct line *line)
{
    struct notice notices[LOOKED_AT];
    struct error error = {0};
    size_t count = 0;
    line->look_ms = INT64_MAX;
    if (notices_load(line->notifier->options.reader, line->number, notices, LOOKED_AT, &count,
                     &error))
        take(line, notices, count);
    else
        line->look_ms = ticks(line) + LOAD_AGAIN_MS;
}

/* --- the step --- */

static int64_t sooner(int64_t a, int64_t b)
{
    if (a < 0)
        return b;
    return b < 0 || a < b ? a : b;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Notes what waits for that; returns when (ticks) there is more, INT64_MAX = nothing. */
static int64_t note_again(struct line *line)
{
    int64_t due_ms = INT64_MAX;
    for (size_t i = 0; i < IN_HAND; i++) {
        struct hand *hand = &line->hands[i];
        if (hand->stage != HAND_WAITS_TO_NOTE)
            continue;
        if (hand->again_ms <= ticks(line))
            submit(hand, HAND_NOTES, note_apply, note_done);
        else
            due_ms = earlier(due_ms, hand->again_ms);
    }
    return due_ms;
}

/* Returns in how many ms, -1 = only when something happens. */
static int64_t step_line(struct line *line)
{
    int64_t due_ms = note_again(line);
    if (!line->notifier->draining) {
        const bool waits = outage_waits(&line->outage, line->notifier->options.world);
        if (!waits && line->look_ms <= ticks(line))
            look(line);
        due_ms = earlier(due_ms, waits ? line->outage.until_ms : line->look_ms);
    }
    if (due_ms == INT64_MAX)
        return -1;
    return due_ms > ticks(line) ? due_ms - ticks(line) : 0;
}

int64_t notifier_step(struct notifier *notifier)
{
    const struct channels *channels = notifier->options.channels;
    const int64_t commits = writer_counters(notifier->options.writer).commits;
    int64_t delay = channels->step ? channels->step(channels->context) : -1;
    for (size_t i = 0; i < NOTICE_CHANNELS; i++) {
        if (commits != notifier->commits && channels->each[i])
            notifier->lines[i].look_ms = 0;
        delay = sooner(delay, step_line(&notifier->lines[i]));
    }
    notifier->commits = commits;
    return delay;
}

void notifier_drain(struct notifier *notifier)
{
    notifier->draining = true;
    notifier->drained_ms = world_ticks_ms(notifier->options.world) + DRAIN_PATIENCE_MS;
}

bool notifier_idle(const struct notifier *notifier)
{
    const bool patient = world_ticks_ms(notifier->options.world) < notifier->drained_ms;
    for (size_t i = 0; i < NOTICE_CHANNELS; i++)
        for (size_t j = 0; j < IN_HAND; j++) {
            const enum stage stage = notifier->lines[i].hands[j].stage;
            if (stage != HAND_FREE && (stage != HAND_SENDS || patient))
                return false;
        }
    return true;
}

const struct channels *notifier_channels(const struct notifier *notifier)
{
    return notifier->options.channels;
}

struct notifier_state notifier_state(const struct notifier *notifier)
{
    struct notifier_state state = {.sent = notifier->sent,
                                   .failed = notifier->failed,
                                   .given_up = notifier->given_up,
                                   .reason = ""};
    for (size_t i = 0; i < NOTICE_CHANNELS; i++) {
        const struct line *line = &notifier->lines[i];
        if (!line->outage.down)
            continue;
        state.down++;
        state.channel = notice_channel_name(line->number);
        state.reason = line->outage.reason;
    }
    return state;
}

void notifier_free(struct notifier *notifier)
{
    if (!notifier)
        return;
    for (size_t i = 0; i < NOTICE_CHANNELS; i++)
        for (size_t j = 0; j < IN_HAND; j++) {
            struct hand *hand = &notifier->lines[i].hands[j];
            if (hand->stage == HAND_SENDS)
                channel_of(hand->line)->cancel(hand->send);
        }
    free(notifier);
}
