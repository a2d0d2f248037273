/* The journal on a disk: kept, locked, full, torn, compacted. */
#include "journal.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char folder[] = "/tmp/bookflow-journal-XXXXXX";
static const struct journal_owner owner = {"http://127.0.0.1:3000", "salon-1"};

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

static void enter(void)
{
    cr_assert(mkdtemp(folder));
    setenv("XDG_STATE_HOME", folder, 1);
}

static void leave(void)
{
    (void)nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

TestSuite(journal, .init = enter, .fini = leave);

/* --- helpers --- */

/* The path of the only file whose name ends like that; "" when there is none. */
static const char *file_ending(const char *ending, char path[512])
{
    char state[300];
    (void)snprintf(state, sizeof state, "%s/bookflow", folder);
    DIR *directory = opendir(state);
    path[0] = '\0';
    for (struct dirent *entry = NULL; directory && (entry = readdir(directory));) {
        const size_t length = strlen(entry->d_name);
        if (length > strlen(ending) && strcmp(entry->d_name + length - strlen(ending), ending) == 0)
            (void)snprintf(path, 512, "%s/%.200s", state, entry->d_name);
    }
    if (directory)
        (void)closedir(directory);
    return path;
}

static struct journal *must_open(struct history *history)
{
    struct error error = {0};
    struct journal *journal = journal_open(&owner, history, &error);
    cr_assert(journal, "%s", error.text);
    return journal;
}

static void stage(struct history *history, const char *key, struct buf *lines)
{
    struct history_entry *entry =
        history_begin(history, &(struct history_entry){.key = key, .booking = "b", .client = "c"});
    const struct step step = {.at_s = time(NULL), .kind = STEP_STAGED};
    history_add(entry, &step);
    history_write_line(entry, &step, lines);
}

static bool append(struct journal *journal, const char *key, struct error *error)
{
    struct history history AUTO(history_release) = {0};
    struct buf lines AUTO(buf_release) = {0};
    stage(&history, key, &lines);
    return journal_append(journal, &lines, error);
}

static void must_append(struct journal *journal, const char *key)
{
    struct error error = {0};
    cr_assert(append(journal, key, &error), "%s", error.text);
}

/* Behind what is there, whoever holds it. */
static void write_raw(const char *bytes, size_t length)
{
    char path[512];
    const int fd = open(file_ending(".journal", path), O_WRONLY | O_APPEND | O_CLOEXEC);
    cr_assert(fd >= 0 && write(fd, bytes, length) == (ssize_t)length, "%s", path);
    (void)close(fd);
}

static void limit_files(rlim_t bytes)
{
    struct rlimit limit = {0};
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static off_t size_of_file(void)
{
    char path[512];
    struct stat about = {0};
    cr_assert_eq(stat(file_ending(".journal", path), &about), 0);
    return about.st_size;
}

/* --- the tests --- */

Test(journal, what_was_appended_is_there_the_next_time_and_only_for_us)
{
    struct history history AUTO(history_release) = {0};
    struct history again AUTO(history_release) = {0};
    struct journal *journal = must_open(&history);
    cr_expect_eq(history.count, 0);
    must_append(journal, "k-1");
    must_append(journal, "k-2");
    journal_free(journal);
    char path[512];
    struct stat about = {0};
    cr_assert_eq(stat(file_ending(".journal", path), &about), 0);
    cr_expect_eq(about.st_mode & 0777, 0600);
    journal_free(must_open(&again));
    cr_assert_eq(again.count, 2);
    cr_expect_str_eq(again.entries[1]->key, "k-2");
    cr_expect_eq(again.damaged, 0);
}

Test(journal, two_consoles_of_one_provider_do_not_share_it)
{
    struct history history AUTO(history_release) = {0};
    struct error error = {0};
    struct journal *first = must_open(&history);
    must_append(first, "k");
    cr_expect_null(journal_open(&owner, &history, &error));
    cr_expect_eq(error.kind, ERROR_BUSY, "%s", error.text);
    static const struct journal_owner others[] = {{"http://127.0.0.1:3000", "salon-2"},
                                                  {"http://127.0.0.1:3001", "salon-1"}};
    for (size_t i = 0; i < 2; i++) {
        struct history other AUTO(history_release) = {0};
        struct error none = {0};
        struct journal *journal = journal_open(&others[i], &other, &none);
        cr_expect(journal, "%s", none.text);
        cr_expect_eq(other.count, 0, "each has its own");
        journal_free(journal);
    }
    struct history read AUTO(history_release) = {0};
    cr_expect(journal_read(&owner, &read, &error));
    cr_expect_eq(read.count, 1, "it can be read meanwhile");
    journal_free(first);
    journal_free(must_open(&read));
}

Test(journal, a_journal_that_is_not_there_reads_as_empty)
{
    struct history history AUTO(history_release) = {0};
    struct error error = {0};
    cr_expect(journal_read(&owner, &history, &error), "%s", error.text);
    cr_expect_eq(history.count, 0);
}

Test(journal, half_a_line_costs_that_line_and_no_other)
{
    struct history history AUTO(history_release) = {0};
    struct history again AUTO(history_release) = {0};
    struct history last AUTO(history_release) = {0};
    struct journal *journal = must_open(&history);
    must_append(journal, "k-1");
    journal_free(journal);
    write_raw("{\"at\":\"20", 9); /* the power went */
    journal = must_open(&again);
    cr_expect_eq(again.count, 1);
    cr_expect_eq(again.damaged, 1);
    must_append(journal, "k-2");
    journal_free(journal);
    journal_free(must_open(&last));
    cr_expect_eq(last.count, 2);
    cr_expect_eq(last.damaged, 0, "it was put aside");
    char path[512];
    cr_expect_str_neq(file_ending(".damaged", path), "");
}

Test(journal, a_line_without_end_is_passed_over)
{
    enum { LONG = 100000 };
    static const char begin[] =
        "{\"at\":\"2025-10-14T08:42:00Z\",\"step\":\"staged\",\"key\":\"l\","
        "\"booking\":\"b\",\"command\":\"accept\",\"client\":\"";
    struct history history AUTO(history_release) = {0};
    struct history again AUTO(history_release) = {0};
    struct buf line AUTO(buf_release) = {0};
    struct journal *journal = must_open(&history);
    buf_text_append(&line, begin);
    for (int i = 0; i < LONG; i++)
        buf_char(&line, 'x');
    buf_text_append(&line, "\"}\n\n"); /* and an empty one, which is nothing */
    write_raw(buf_text(&line), line.length);
    must_append(journal, "k");
    journal_free(journal);
    journal_free(must_open(&again));
    cr_expect_eq(again.count, 1);
    cr_expect_eq(again.damaged, 1);
}

Test(journal, a_full_disk_is_said_and_nothing_is_lost_once_there_is_room)
{
    struct history history AUTO(history_release) = {0};
    struct history again AUTO(history_release) = {0};
    struct journal *journal = must_open(&history);
    must_append(journal, "k-1");
    const off_t whole = size_of_file();
    limit_files((rlim_t)whole + 20); /* in the middle of a line */
    for (int i = 2; i < 4; i++) {
        struct error error = {0};
        cr_expect_not(append(journal, i == 2 ? "k-2" : "k-3", &error));
        cr_expect_eq(error.kind, ERROR_UNAVAILABLE);
        cr_expect_str_eq(error.text, "File too large");
        cr_expect_eq(size_of_file(), whole, "half a line is cut off again");
    }
    limit_files(RLIM_INFINITY);
    must_append(journal, "k-4");
    journal_free(journal);
    journal_free(must_open(&again));
    cr_assert_eq(again.count, 4);
    for (size_t i = 0; i < 4; i++)
        cr_expect_eq(again.entries[i]->key[2], '1' + (char)i);
    cr_expect_eq(again.damaged, 0);
}

Test(journal, a_folder_that_cannot_be_used_is_named)
{
    struct history history AUTO(history_release) = {0};
    char file[300];
    struct error error = {0};
    (void)snprintf(file, sizeof file, "%s/file", folder);
    const int fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    cr_assert(fd >= 0);
    (void)close(fd);
    setenv("XDG_STATE_HOME", file, 1);
    cr_expect_null(journal_open(&owner, &history, &error));
    cr_expect_eq(error.kind, ERROR_UNAVAILABLE);
    cr_expect(strstr(error.text, file) && strstr(error.text, "Not a directory"), "%s", error.text);
    setenv("XDG_STATE_HOME", "relative", 1); /* counts as none */
    unsetenv("HOME");
    error_clear(&error);
    cr_expect_null(journal_open(&owner, &history, &error));
    cr_expect(strstr(error.text, "HOME"), "%s", error.text);
    setenv("HOME", folder, 1);
    journal_free(must_open(&history));
    (void)snprintf(file, sizeof file, "%s/.local/state/bookflow", folder);
    cr_expect_eq(access(file, F_OK), 0);
}

Test(journal, opening_drops_what_is_closed_and_too_much)
{
    struct history history AUTO(history_release) = {0};
    struct history big AUTO(history_release) = {0};
    struct buf lines AUTO(buf_release) = {0};
    struct error error = {0};
    struct journal *journal = must_open(&history);
    for (int i = 0; i < 2 * HISTORY_MAX; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "k-%d", i);
        stage(&big, key, &lines);
        const struct step undone = {.at_s = time(NULL), .kind = STEP_UNDONE};
        history_add(big.entries[i], &undone);
        if (i > 0) /* the first one stays open */
            history_write_line(big.entries[i], &undone, &lines);
    }
    cr_assert(journal_append(journal, &lines, &error), "%s", error.text);
    journal_free(journal);
    const off_t before = size_of_file();
    struct history again AUTO(history_release) = {0};
    journal_free(must_open(&again));
    cr_expect_eq(again.count, HISTORY_MAX + 1);
    cr_expect_lt(size_of_file(), before * 6 / 10);
    struct history last AUTO(history_release) = {0};
    journal_free(must_open(&last));
    cr_expect_eq(last.count, HISTORY_MAX + 1);
    cr_expect_str_eq(last.entries[0]->key, "k-0");
    char path[512];
    cr_expect_str_eq(file_ending(".damaged", path), "");
    cr_expect_str_eq(file_ending(".new", path), "");
}

Test(journal, a_disk_too_full_to_compact_it_leaves_it_whole)
{
    struct history history AUTO(history_release) = {0};
    struct journal *journal = must_open(&history);
    must_append(journal, "k-1");
    must_append(journal, "k-2");
    journal_free(journal);
    write_raw("damaged", 7);
    const off_t before = size_of_file();
    limit_files(30);
    struct history again AUTO(history_release) = {0};
    journal = must_open(&again);
    cr_expect_eq(again.count, 2);
    cr_expect_eq(size_of_file(), before);
    limit_files(RLIM_INFINITY);
    must_append(journal, "k-3"); /* on a line of its own */
    struct history read AUTO(history_release) = {0};
    struct error error = {0};
    cr_expect(journal_read(&owner, &read, &error));
    cr_expect_eq(read.count, 3);
    cr_expect_eq(read.damaged, 1);
    journal_free(journal);
}
