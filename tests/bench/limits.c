/* What this machine can do at best, each for so many seconds; prints the rate.
 *
 *   bench_limits disk FOLDER SECONDS      4 KiB overwritten, fdatasync
 *   bench_limits sqlite FOLDER SECONDS    a booking by the rules of intake, one a commit, no server
 *   bench_limits sign - SECONDS           our Signature Version 4, of a request with 400 bytes */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"
#include "intake.h"
#include "intake_store.h"
#include "sigv4.h"

enum { PAGE = 4096, PAGES = 4096, SLOTS = 50000, BODY = 400, SIGNED_HEADERS = 4 };

static double now_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct work {
    bool (*once)(struct work *work, int64_t number);
    double seconds;
    int fd;
    struct db *db;
    struct error error;
    struct sigv4_cache signing;
};

/* Repeats until the time is over; -1 = it went wrong. */
static double rate_of(struct work *work)
{
    const double begun = now_s();
    int64_t number = 0;
    for (; now_s() - begun < work->seconds; number++)
        if (!work->once(work, number))
            return -1;
    return (double)number / (now_s() - begun);
}

/* --- The disk. --- */

static bool overwrite(struct work *work, int64_t number)
{
    static const char page[PAGE] = {1};
    return pwrite(work->fd, page, PAGE, number % PAGES * PAGE) == PAGE && fdatasync(work->fd) == 0;
}

static bool fill_file(int fd)
{
    static const char page[PAGE] = {2};
    for (int i = 0; i < PAGES; i++)
        if (pwrite(fd, page, PAGE, (off_t)i * PAGE) != PAGE)
            return false;
    return fsync(fd) == 0;
}

static double disk(const char *folder, struct work *work)
{
    struct buf path AUTO(buf_release) = {0};
    buf_printf(&path, "%s/disk", folder);
    work->fd = open(buf_text(&path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    work->once = overwrite;
    return work->fd >= 0 && fill_file(work->fd) ? rate_of(work) : -1;
}

/* --- SQLite. --- */

static void slot_name(char id[static ID_SIZE], int64_t number)
{
    (void)snprintf(id, ID_SIZE, "slot-%lld", (long long)number);
}

static bool add_slots(struct db *db, struct error *error)
{
    struct slot slot = {.provider_id = "provider", .start_s = 4070944800, .end_s = 4070946600};
    bool added = true;
    bool good = db_begin(db, error);
    for (int64_t i = 0; good && i < SLOTS; i++) {
        slot_name(slot.id, i);
        good = slot_add(db, &slot, &added, error);
    }
    return good && db_commit(db, error);
}

static bool book(struct work *work, int64_t number)
{
    char slot_id[ID_SIZE];
    struct booking booking;
    const struct booking_order order = {.slot_id = slot_id,
                                        .user_id = "user",
                                        .world = world_real(),
                                        .now_ms = world_wall_ms(world_real())};
    slot_name(slot_id, number);
    return db_begin(work->db, &work->error) &&
           intake_book(work->db, &order, &booking, &work->error) &&
           db_commit(work->db, &work->error);
}

static double sqlite(const char *folder, struct work *work)
{
    struct buf path AUTO(buf_release) = {0};
    buf_printf(&path, "%s/sqlite.db", folder);
    struct db *db AUTO(db_release) =
        db_open(buf_text(&path), DB_WRITE, intake_schema(), &work->error);
    work->db = db;
    work->once = book;
    return db && add_slots(db, &work->error) ? rate_of(work) : -1;
}

/* --- Signing. --- */

static bool sign(struct work *work, int64_t number)
{
    static const struct sigv4_keys keys = {"AKIDEXAMPLE",
                                           "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"};
    static const struct sigv4_header headers[SIGNED_HEADERS] = {
        {"Host", "sqs.eu-central-1.amazonaws.com"},
        {"Content-Type", "application/x-amz-json-1.0"},
        {"X-Amz-Target", "AmazonSQS.SendMessageBatch"},
        {"X-Amz-Date", "20260101T000000Z"},
    };
    char body[BODY + 1];
    struct buf out AUTO(buf_release) = {0};
    (void)snprintf(body, sizeof body, "%0*lld", BODY, (long long)number);
    const struct sigv4_request request = {.method = "POST",
                                          .path = "/",
                                          .query = "",
                                          .headers = headers,
                                          .header_count = SIGNED_HEADERS,
                                          .body = body,
                                          .body_length = BODY,
                                          .region = "eu-central-1",
                                          .service = "sqs",
                                          .time_s = 1767225600};
    sigv4_authorization(&request, &keys, &work->signing, &out);
    return out.length > 0;
}

static double signing(const char *folder, struct work *work)
{
    (void)folder;
    work->once = sign;
    const double rate = rate_of(work);
    sigv4_cache_wipe(&work->signing);
    return rate;
}

int main(int count, char **words)
{
    static const struct {
        const char *name;
        double (*measure)(const char *folder, struct work *work);
    } limits[] = {{"disk", disk}, {"sqlite", sqlite}, {"sign", signing}};
    for (size_t i = 0; count == 4 && i < sizeof limits / sizeof *limits; i++) {
        if (strcmp(words[1], limits[i].name) != 0)
            continue;
        struct work work = {.seconds = strtod(words[3], NULL), .fd = -1};
        const double rate = limits[i].measure(words[2], &work);
        if (rate < 0)
            (void)fprintf(stderr, "bench_limits: %s: %s\n", words[1],
                          work.error.kind ? work.error.text : strerror(errno));
        (void)printf("%.1f\n", rate);
        return rate < 0;
    }
    (void)fputs("usage: bench_limits disk|sqlite|sign FOLDER SECONDS\n", stderr);
    return 2;
}
