/* For the tests of notices: intake's store in a folder of its own with a user and a provider in its
 * directory, its rules, a notifier, and channels that do nothing until the test answers. */
#ifndef BOOKFLOW_NOTICE_FIXTURE_H
#define BOOKFLOW_NOTICE_FIXTURE_H

#include "booking.h"
#include "channel.h"
#include "event.h"
#include "notifier.h"
#include "world.h"

enum { FAKE_SENDS = 64 };

/* Starts at 2026-02-19T09:00:00Z; the slots are a day later. */
#define BENCH_NOW_MS (INT64_C(1771491600000))

struct fake_send {
    struct letter letter;
    struct send_caller caller;
    bool open;
    bool cancelled;
};

struct fake_channel {
    struct channel channel; /* first */
    struct fake_send sends[FAKE_SENDS];
    size_t count;
    bool refuses; /* to compose a letter */
};

struct notice_bench {
    char folder[64];
    int64_t wall_ms;
    int64_t ticks_ms;
    uint64_t seed;
    struct world world;
    struct writer *writer;
    struct db *reader;
    struct fake_channel fakes[NOTICE_CHANNELS];
    struct channels channels;
    struct notifier *notifier;
    char booking_id[ID_SIZE]; /* the last that was booked */
    int slots;
};

/* channels: a bit for each that is configured. */
void notice_bench_open(struct notice_bench *bench, unsigned channels);
void notice_bench_close(struct notice_bench *bench);
/* The process is started again, with these channels; what was on its way is not heard of again. */
void notice_bench_restart(struct notice_bench *bench, unsigned channels);

/* Steps and writes until nothing moves; returns the last delay. */
int64_t notice_bench_settle(struct notice_bench *bench);
void notice_bench_pass(struct notice_bench *bench, int64_t ms);

/* What happens to the booking; settled, but the notifier does not step. */
void notice_bench_book(struct notice_bench *bench);
void notice_bench_hear(struct notice_bench *bench, enum event_type type);
void notice_bench_cancel(struct notice_bench *bench, const char *reason);
void notice_bench_put_user(struct notice_bench *bench, const char *email, const char *phone);

/* The oldest send that waits for an answer; NULL = none. */
struct fake_send *notice_bench_sending(struct notice_bench *bench, enum notice_channel channel);
/* Answers it. */
void notice_bench_answer(struct notice_bench *bench, enum notice_channel channel,
                         const struct send_answer *answer);

/* Runs a statement on the writer; the first column of the only row. */
void notice_bench_run(struct notice_bench *bench, const char *sql);
int64_t notice_bench_number(struct notice_bench *bench, const char *sql);
/* The ids of the booking's notices in this state, without the booking's, in order:
 * "confirmed_user_mail ..." */
void notice_bench_list(struct notice_bench *bench, enum notice_state state, char out[static 512]);
/* Runs it on the writer, within a transaction. */
bool notice_bench_do(struct notice_bench *bench,
                     bool (*apply)(struct notice_bench *bench, struct db *db, struct error *error),
                     struct error *error);

#endif
