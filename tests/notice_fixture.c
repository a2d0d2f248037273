/* The bench of the tests of notices. */
#include "notice_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intake.h"
#include "intake_store.h"

static int64_t wall_ms(void *context)
{
    return ((struct notice_bench *)context)->wall_ms;
}

static int64_t ticks_ms(void *context)
{
    return ((struct notice_bench *)context)->ticks_ms;
}

static void weak_random(void *context, void *bytes, size_t length)
{
    struct notice_bench *bench = context;
    for (size_t i = 0; i < length; i++) {
        bench->seed = bench->seed * 6364136223846793005u + 1442695040888963407u;
        ((unsigned char *)bytes)[i] = (unsigned char)(bench->seed >> 56);
    }
}

/* --- fake channels --- */

static struct send *fake_send(struct channel *self, const struct letter *letter,
                              const struct send_caller *caller, struct error *error)
{
    struct fake_channel *fake = (struct fake_channel *)self;
    if (fake->refuses) {
        (void)error_set(error, ERROR_INVALID, "there is no address any more");
        return NULL;
    }
    cr_assert_lt(fake->count, (size_t)FAKE_SENDS);
    struct fake_send *send = &fake->sends[fake->count++];
    *send = (struct fake_send){.letter = *letter, .caller = *caller, .open = true};
    return (struct send *)send;
}

static void fake_cancel(struct send *send)
{
    struct fake_send *fake = (struct fake_send *)send;
    cr_assert(fake->open);
    fake->open = false;
    fake->cancelled = true;
}

struct fake_send *notice_bench_sending(struct notice_bench *bench, enum notice_channel channel)
{
    struct fake_channel *fake = &bench->fakes[channel];
    for (size_t i = 0; i < fake->count; i++)
        if (fake->sends[i].open)
            return &fake->sends[i];
    return NULL;
}

void notice_bench_answer(struct notice_bench *bench, enum notice_channel channel,
                         const struct send_answer *answer)
{
    struct fake_send *send = notice_bench_sending(bench, channel);
    cr_assert(send, "nothing is on its way by %s", notice_channel_name(channel));
    send->open = false;
    send->caller.done(send->caller.context, answer);
}

/* --- the store and who steps it --- */

static void start(struct notice_bench *bench, unsigned channels)
{
    char path[80];
    struct error error = {0};
    (void)snprintf(path, sizeof path, "%s/intake.db", bench->folder);
    struct db *db = db_open(path, DB_WRITE, intake_schema(), &error);
    cr_assert(db, "%s", error.text);
    cr_assert(notice_channels_set(db, channels, &error), "%s", error.text);
    bench->writer = writer_new(db, NULL, NULL);
    bench->reader = db_open(path, DB_READ, intake_schema(), &error);
    cr_assert(bench->reader, "%s", error.text);
    bench->channels = (struct channels){.fd = -1};
    for (int i = 0; i < NOTICE_CHANNELS; i++) {
        bench->fakes[i].channel = (struct channel){.send = fake_send, .cancel = fake_cancel};
        if (channels & 1U << i)
            bench->channels.each[i] = &bench->fakes[i].channel;
    }
    bench->notifier = notifier_new(&(struct notifier_options){.reader = bench->reader,
                                                              .writer = bench->writer,
                                                              .world = &bench->world,
                                                              .channels = &bench->channels});
}

static void stop(struct notice_bench *bench)
{
    db_close(bench->reader);
    writer_free(bench->writer);
    notifier_free(bench->notifier);
}

void notice_bench_open(struct notice_bench *bench, unsigned channels)
{
    *bench = (struct notice_bench){.wall_ms = BENCH_NOW_MS, .ticks_ms = 5000, .seed = 1};
    bench->world = (struct world){wall_ms, ticks_ms, weak_random, bench};
    (void)snprintf(bench->folder, sizeof bench->folder, "/tmp/bookflow-notices-XXXXXX");
    cr_assert(mkdtemp(bench->folder));
    start(bench, channels);
    notice_bench_put_user(bench, "zoe@example.org", "+49 170 1234567");
    notice_bench_run(bench, "INSERT INTO people (kind, id, name, email, phone) VALUES"
                            " ('provider', 'p-1', 'Salon', 'salon@example.org', '')");
}

void notice_bench_close(struct notice_bench *bench)
{
    char command[128];
    stop(bench);
    (void)snprintf(command, sizeof command, "rm -rf %s", bench->folder);
    cr_assert(system(command) == 0);
}

void notice_bench_restart(struct notice_bench *bench, unsigned channels)
{
    stop(bench);
    for (int i = 0; i < NOTICE_CHANNELS; i++)
        bench->fakes[i] = (struct fake_channel){0};
    start(bench, channels);
}

static size_t write_all(struct notice_bench *bench)
{
    size_t delivered = 0;
    while (writer_step(bench->writer) > 0)
        delivered += writer_deliver(bench->writer);
    return delivered;
}

int64_t notice_bench_settle(struct notice_bench *bench)
{
    int64_t delay = notifier_step(bench->notifier);
    while (write_all(bench) > 0)
        delay = notifier_step(bench->notifier);
    return delay;
}

void notice_bench_pass(struct notice_bench *bench, int64_t ms)
{
    bench->wall_ms += ms;
    bench->ticks_ms += ms;
}

/* --- operations --- */

struct deed {
    struct operation operation; /* first */
    struct notice_bench *bench;
    bool (*apply)(struct notice_bench *bench, struct db *db, struct error *error);
    enum event_type type;
    const char *text;
    struct error failure;
};

static void deed_done(struct operation *operation, const struct error *failure)
{
    if (failure)
        ((struct deed *)operation)->failure = *failure;
}

static void perform(struct deed *deed,
                    bool (*apply)(struct operation *, struct db *, struct error *))
{
    deed->operation = (struct operation){.apply = apply, .done = deed_done};
    writer_submit(deed->bench->writer, &deed->operation);
    (void)write_all(deed->bench);
}

static void perform_well(struct deed *deed,
                         bool (*apply)(struct operation *, struct db *, struct error *))
{
    perform(deed, apply);
    cr_assert_eq(deed->failure.kind, ERROR_NONE, "%s", deed->failure.text);
}

static bool apply_any(struct operation *operation, struct db *db, struct error *error)
{
    const struct deed *deed = (const struct deed *)operation;
    return deed->apply(deed->bench, db, error);
}

bool notice_bench_do(struct notice_bench *bench,
                     bool (*apply)(struct notice_bench *bench, struct db *db, struct error *error),
                     struct error *error)
{
    struct deed deed = {.bench = bench, .apply = apply};
    perform(&deed, apply_any);
    *error = deed.failure;
    return deed.failure.kind == ERROR_NONE;
}

static bool apply_sql(struct operation *operation, struct db *db, struct error *error)
{
    return db_run(db, ((const struct deed *)operation)->text, BIND_NOTHING, error);
}

void notice_bench_run(struct notice_bench *bench, const char *sql)
{
    struct deed deed = {.bench = bench, .text = sql};
    perform_well(&deed, apply_sql);
}

static bool apply_book(struct operation *operation, struct db *db, struct error *error)
{
    struct notice_bench *bench = ((struct deed *)operation)->bench;
    struct slot slot = {.start_s = bench->wall_ms / 1000 + 86400};
    struct booking booking = {0};
    bool added = false;
    slot.end_s = slot.start_s + 1800;
    (void)snprintf(slot.id, sizeof slot.id, "slot-%d", ++bench->slots);
    id_copy(slot.provider_id, "p-1");
    const struct booking_order order = {
        .slot_id = slot.id, .user_id = "u-1", .world = &bench->world, .now_ms = bench->wall_ms};
    if (!slot_add(db, &slot, &added, error) || !intake_book(db, &order, &booking, error))
        return false;
    id_copy(bench->booking_id, booking.id);
    return true;
}

void notice_bench_book(struct notice_bench *bench)
{
    struct deed deed = {.bench = bench};
    perform_well(&deed, apply_book);
}

static bool apply_hear(struct operation *operation, struct db *db, struct error *error)
{
    const struct deed *deed = (const struct deed *)operation;
    enum consumer_effect effect = EFFECT_DUPLICATE;
    struct event event = {
        .type = deed->type, .at_s = deed->bench->wall_ms / 1000, .cancelled_by = ACTOR_PROVIDER};
    id_new(&deed->bench->world, event.id);
    id_copy(event.booking.id, deed->bench->booking_id);
    id_copy(event.booking.provider_id, "p-1");
    return intake_hear(NULL, db, &event, deed->bench->wall_ms, &effect, error);
}

void notice_bench_hear(struct notice_bench *bench, enum event_type type)
{
    struct deed deed = {.bench = bench, .type = type};
    perform_well(&deed, apply_hear);
}

static bool apply_cancel(struct operation *operation, struct db *db, struct error *error)
{
    const struct deed *deed = (const struct deed *)operation;
    struct booking booking = {0};
    const struct booking_cancel cancel = {.booking_id = deed->bench->booking_id,
                                          .reason = deed->text,
                                          .world = &deed->bench->world,
                                          .now_ms = deed->bench->wall_ms};
    return intake_cancel(db, &cancel, &booking, error);
}

void notice_bench_cancel(struct notice_bench *bench, const char *reason)
{
    struct deed deed = {.bench = bench, .text = reason};
    perform_well(&deed, apply_cancel);
}

struct contact {
    struct deed deed; /* first */
    const char *email;
    const char *phone;
};

static bool apply_user(struct operation *operation, struct db *db, struct error *error)
{
    const struct contact *contact = (const struct contact *)operation;
    struct person person = {.id = "u-1", .name = "Zoë"};
    bool created = false;
    (void)snprintf(person.email, sizeof person.email, "%s", contact->email);
    (void)snprintf(person.phone, sizeof person.phone, "%s", contact->phone);
    return person_put(db, PERSON_USER, &person, &created, error);
}

void notice_bench_put_user(struct notice_bench *bench, const char *email, const char *phone)
{
    struct contact contact = {.deed = {.bench = bench}, .email = email, .phone = phone};
    perform_well(&contact.deed, apply_user);
}

/* --- looking --- */

int64_t notice_bench_number(struct notice_bench *bench, const char *sql)
{
    struct error error = {0};
    struct db_rows rows AUTO(db_rows_release) = {0};
    bool found = false;
    cr_assert(db_query(bench->reader, sql, BIND_NOTHING, &rows, &error) &&
                  db_next(&rows, &found, &error) && found,
              "%s", error.text);
    return db_column_int(&rows, 0);
}

void notice_bench_list(struct notice_bench *bench, enum notice_state state, char out[static 512])
{
    struct error error = {0};
    struct notice notices[32];
    size_t count = 0;
    const struct notice_filter filter = {.booking_id = bench->booking_id, .limit = 32};
    cr_assert(notices_list(bench->reader, &filter, notices, &count, &error), "%s", error.text);
    size_t length = 0;
    out[0] = '\0';
    for (size_t i = count; i > 0; i--)
        if (notices[i - 1].state == state)
            length += (size_t)snprintf(out + length, 512 - length, "%s%s", length ? " " : "",
                                       notices[i - 1].id + strlen(bench->booking_id) + 1);
}
