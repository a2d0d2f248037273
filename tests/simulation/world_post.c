/* The far side: mailboxes, an endpoint, phones. A letter arrives when it is sent, when it is
 * answered, or not at all; a process that dies leaves it to chance. */
#include "world_post.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "invariants.h"
#include "people.h"
#include "world_side.h"

enum { LINES_MAX = 8 * BOOKINGS_MAX, SLOW_MS = 9000, SOON_MS = 40, TROUBLE_ONE_IN = 4 };

/* What one recipient has heard of one booking by one channel. */
struct heard {
    char booking_id[ID_SIZE];
    enum notice_recipient recipient;
    enum notice_channel channel;
    enum booking_status last; /* BOOKING_ABSENT = nothing yet */
    bool invited;             /* a confirmation has arrived */
};

struct send {
    struct send *next;
    struct post *post;
    struct letter letter;
    struct send_caller caller;
    struct send_answer answer;
    int64_t answer_ms; /* ticks */
    bool arrives;      /* with the answer */
};

struct post {
    struct channel channel; /* first; the same for all, letters say which it is */
    struct simulation *simulation;
    struct channels channels;
    struct send *sends;
    struct heard heard[LINES_MAX];
    size_t heard_count;
};

/* --- arriving --- */

static struct heard *heard_of(struct post *post, const struct notice *notice)
{
    for (size_t i = 0; i < post->heard_count; i++) {
        struct heard *heard = &post->heard[i];
        if (heard->recipient == notice->recipient && heard->channel == notice->channel &&
            strcmp(heard->booking_id, notice->booking_id) == 0)
            return heard;
    }
    assert(post->heard_count < LINES_MAX);
    struct heard *heard = &post->heard[post->heard_count++];
    *heard = (struct heard){
        .recipient = notice->recipient, .channel = notice->channel, .last = BOOKING_ABSENT};
    id_copy(heard->booking_id, notice->booking_id);
    return heard;
}

static void arrive(struct post *post, const struct letter *letter)
{
    struct simulation *simulation = post->simulation;
    const struct notice *notice = &letter->notice;
    struct heard *heard = heard_of(post, notice);
    trail_add(simulation, "%s arrives", notice->id);
    simulation->counts.notices++;
    if (heard->last != notice->status && !booking_moves_up(heard->last, notice->status))
        (void)violated(simulation, WRONG_MOVED_DOWN, "%s arrives after one that says %s",
                       notice->id, booking_status_name(heard->last));
    if (notice->status == BOOKING_CANCELLED && heard->invited && !letter->invited &&
        notice->channel == CHANNEL_MAIL && notice->recipient == TO_USER)
        (void)violated(simulation, WRONG_DIVERGED, "%s does not take the invitation back",
                       notice->id);
    heard->invited = heard->invited || notice->status == BOOKING_CONFIRMED;
    heard->last = notice->status;
}

/* --- a channel --- */

/* The answer is decided when it is sent; whether it is true of the letter, too. */
static void meet_fate(struct send *send)
{
    static const struct {
        struct send_answer answer;
        bool arrives;
    } fates[] = {
        {{.outcome = SEND_UNTAKEN, .down = true, .reason = "out of reach"}, false},
        {{.outcome = SEND_UNTAKEN, .reason = "busy"}, false},
        {{.outcome = SEND_DOUBTFUL, .down = true, .reason = "the answer is lost"}, true},
        {{.outcome = SEND_DOUBTFUL, .reason = "the letter is lost"}, false},
    };
    struct simulation *simulation = send->post->simulation;
    send->answer = (struct send_answer){.outcome = SEND_TAKEN, .reason = ""};
    send->arrives = true;
    if (!simulation->settling && one_in(simulation, TROUBLE_ONE_IN)) {
        const int64_t fate = between(simulation, 0, sizeof fates / sizeof *fates - 1);
        send->answer = fates[fate].answer;
        send->arrives = fates[fate].arrives;
    }
    const bool slow = !simulation->settling && one_in(simulation, 6);
    send->answer_ms = simulation->ticks_ms + between(simulation, 1, slow ? SLOW_MS : SOON_MS);
    if (send->arrives && one_in(simulation, 2)) {
        arrive(send->post, &send->letter);
        send->arrives = false;
    }
}

static struct send *post_send(struct channel *self, const struct letter *letter,
                              const struct send_caller *caller, struct error *error)
{
    struct post *post = (struct post *)self; /* its first member */
    struct send *send = memory_new(1, sizeof *send);
    (void)error;
    send->post = post;
    send->letter = *letter;
    send->caller = *caller;
    send->next = post->sends;
    post->sends = send;
    meet_fate(send);
    return send;
}

static void unlink_send(struct send *send)
{
    struct send **at = &send->post->sends;
    while (*at != send)
        at = &(*at)->next;
    *at = send->next;
}

static void post_cancel(struct send *send)
{
    if (send->arrives && one_in(send->post->simulation, 2))
        arrive(send->post, &send->letter);
    unlink_send(send);
    free(send);
}

static struct send *next_due(const struct post *post)
{
    struct send *due = NULL;
    for (struct send *send = post->sends; send; send = send->next)
        if (!due || send->answer_ms < due->answer_ms)
            due = send;
    return due;
}

static int64_t step(void *context)
{
    struct post *post = context;
    struct send *send = next_due(post);
    for (; send && send->answer_ms <= post->simulation->ticks_ms; send = next_due(post)) {
        if (send->arrives)
            arrive(post, &send->letter);
        unlink_send(send);
        send->caller.done(send->caller.context, &send->answer);
        free(send);
    }
    return send ? send->answer_ms - post->simulation->ticks_ms : -1;
}

struct post *post_new(struct simulation *simulation)
{
    struct post *post = memory_new(1, sizeof *post);
    post->simulation = simulation;
    post->channel = (struct channel){.send = post_send, .cancel = post_cancel};
    post->channels = (struct channels){.fd = -1, .step = step, .context = post};
    const int64_t mask = one_in(simulation, 3) ? 0 : between(simulation, 1, 7);
    for (int i = 0; i < NOTICE_CHANNELS; i++)
        if (mask & 1 << i)
            post->channels.each[i] = &post->channel;
    return post;
}

void post_free(struct post *post)
{
    free(post);
}

const struct channels *post_channels(const struct post *post)
{
    return &post->channels;
}

/* --- the end --- */

static void check_one(struct post *post, const struct booking *booking,
                      enum notice_recipient recipient, enum notice_channel channel)
{
    struct notice notice = {.recipient = recipient, .channel = channel};
    if (!post->channels.each[channel] || !notice_of(booking, &notice))
        return;
    const bool known = recipient != TO_USER || strcmp(booking->user_id, POISON_USER) != 0;
    const struct heard *heard = heard_of(post, &notice);
    if (known && heard->last != booking->status)
        (void)violated(post->simulation, WRONG_LOST, "%s never arrives; the last says \"%s\"",
                       notice.id, booking_status_name(heard->last));
    if (!known && heard->last != BOOKING_ABSENT)
        (void)violated(post->simulation, WRONG_DIVERGED, "%s has no address to arrive at",
                       notice.id);
}

static void read_booking(const struct db_rows *rows, struct booking *booking)
{
    *booking = (struct booking){.status = (enum booking_status)db_column_int(rows, 2)};
    id_copy(booking->id, db_column_text(rows, 0));
    id_copy(booking->user_id, db_column_text(rows, 1));
}

void post_end(struct post *post)
{
    const struct side *intake = post->simulation->sides[INTAKE];
    struct error error = {0};
    struct db_rows rows AUTO(db_rows_release) = {0};
    bool found = false;
    if (post->simulation->violation.wrong)
        return;
    if (!db_query(role_worker(intake->role)->reader, "SELECT id, user_id, status FROM bookings",
                  BIND_NOTHING, &rows, &error) ||
        !db_next(&rows, &found, &error))
        (void)violated(post->simulation, WRONG_LOST, "%s", error.text);
    while (found) {
        struct booking booking;
        read_booking(&rows, &booking);
        for (int i = 0; i < NOTICE_RECIPIENTS * NOTICE_CHANNELS; i++)
            check_one(post, &booking, (enum notice_recipient)(i % NOTICE_RECIPIENTS),
                      (enum notice_channel)(i / NOTICE_RECIPIENTS));
        if (!db_next(&rows, &found, &error))
            return;
    }
}
