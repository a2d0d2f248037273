/* The model of answers and their steps: lines out and in, what is open, what is dropped. */
#include "history.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "json_fields.h"

enum { NOW_S = 1760431320, DAY_S = 86400 };

static struct history_entry *begin(struct history *history, const char *key)
{
    return history_begin(history, &(struct history_entry){.key = key,
                                                          .booking = "b-1",
                                                          .client = "Zo\xc3\xab \033[2J",
                                                          .reason = "not \"today\"",
                                                          .start_s = NOW_S + DAY_S,
                                                          .command = BOOKING_REJECT});
}

static void add(struct history_entry *entry, enum step_kind kind, int number)
{
    history_add(entry, &(struct step){.at_s = NOW_S, .kind = kind, .number = number});
}

Test(history, what_is_written_is_read_back)
{
    struct history history AUTO(history_release) = {0};
    struct history read AUTO(history_release) = {0};
    struct history_entry *entry = begin(&history, "k-1");
    static const struct step steps[] = {{NOW_S, STEP_STAGED, 0, NULL},
                                        {NOW_S + 10, STEP_SENT, 1, NULL},
                                        {NOW_S + 11, STEP_ANSWERED, 409, "the client cancelled"},
                                        {NOW_S + 12, STEP_NOT_DONE, 0, "Nothing was booked."}};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct buf line AUTO(buf_release) = {0};
        history_add(entry, &steps[i]);
        history_write_line(entry, &steps[i], &line);
        cr_assert_eq(strcspn(buf_text(&line), "\n\033"), line.length - 1, "one line, no codes");
        history_read_line(&read, buf_text(&line), line.length - 1);
    }
    cr_assert_eq(read.damaged, 0);
    cr_assert_eq(read.count, 1);
    const struct history_entry *got = history_newest(&read, 0);
    cr_expect_str_eq(got->key, "k-1");
    cr_expect_str_eq(got->booking, "b-1");
    cr_expect_str_eq(got->client, "Zo\xc3\xab \033[2J");
    cr_expect_str_eq(got->reason, "not \"today\"");
    cr_expect_eq(got->start_s, NOW_S + DAY_S);
    cr_expect_eq(got->command, BOOKING_REJECT);
    cr_assert_eq(got->count, 4);
    for (size_t i = 0; i < 4; i++) {
        cr_expect_eq(got->steps[i].at_s, steps[i].at_s);
        cr_expect_eq(got->steps[i].kind, steps[i].kind);
        cr_expect_eq(got->steps[i].number, steps[i].number);
        cr_expect_eq(got->steps[i].text == NULL, steps[i].text == NULL);
    }
    cr_expect_str_eq(history_last(got)->text, "Nothing was booked.");
}

Test(history, damaged_lines_are_counted_and_change_nothing)
{
    static const char whole[] =
        "{\"at\":\"2025-10-14T08:42:00Z\",\"step\":\"staged\",\"key\":\"k\","
        "\"booking\":\"b\",\"client\":\"c\",\"command\":\"accept\"}";
    static const char *const lines[] = {
        "",
        "nonsense",
        "{}",
        "[]",
        "\xff\xfe",
        "{\"at\":\"2025-10-14T08:42:00Z\",\"step\":\"sent\",\"key\":\"unknown\",\"try\":1}",
        "{\"at\":\"2025-10-14T08:42:00Z\",\"step\":\"flown\",\"key\":\"k\"}",
        "{\"at\":\"yesterday\",\"step\":\"undone\",\"key\":\"k\"}",
        "{\"at\":\"2025-10-14T08:42:00Z\",\"step\":\"undone\",\"key\":\"../k\"}",
        "{\"at\":\"2025-10-14T08:42:00Z\",\"step\":\"undone\"}",
        "{\"at\":\"2025-10-14T08:42:00Z\",\"step\":\"staged\",\"key\":\"n\",\"booking\":\"b\","
        "\"client\":\"c\",\"command\":\"cancel\"}",
        "{\"at\":\"2025-10-14T08:42:00Z\",\"step\":\"staged\",\"key\":\"n\",\"booking\":\"b/b\","
        "\"client\":\"c\",\"command\":\"accept\"}",
        "{\"at\":\"2025-10-14T08:42:00Z\",\"step\":\"staged\",\"key\":\"n\",\"booking\":\"b\","
        "\"command\":\"accept\"}",
        whole, /* a second time */
    };
    struct history history AUTO(history_release) = {0};
    history_read_line(&history, whole, strlen(whole));
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        history_read_line(&history, lines[i], strlen(lines[i]));
        cr_expect_eq(history.damaged, i + 1, "%s", lines[i]);
        cr_expect_eq(history.count, 1, "%s", lines[i]);
        cr_expect_eq(history_newest(&history, 0)->count, 1, "%s", lines[i]);
    }
}

Test(history, knows_what_is_open_and_what_may_have_been_done)
{
    enum { STEPS_MAX = 6 };
    static const struct {
        const char *name;
        struct step steps[STEPS_MAX]; /* an empty one ends them: every answer begins as staged */
        bool open;
        bool unsure;
    } cases[] = {
        {"staged", {{0}}, true, false},
        {"undone", {{0, STEP_UNDONE, 0, NULL}}, false, false},
        {"sent", {{0, STEP_SENT, 1, NULL}}, true, true},
        {"busy", {{0, STEP_SENT, 1, NULL}, {0, STEP_ANSWERED, 503, NULL}}, true, false},
        {"silent", {{0, STEP_SENT, 1, NULL}, {0, STEP_ANSWERED, 0, NULL}}, true, true},
        {"silent, then busy",
         {{0, STEP_SENT, 1, NULL},
          {0, STEP_ANSWERED, 0, NULL},
          {0, STEP_SENT, 2, NULL},
          {0, STEP_ANSWERED, 503, NULL}},
         true,
         true},
        {"crashed, then busy",
         {{0, STEP_SENT, 1, NULL}, {0, STEP_SENT, 1, NULL}, {0, STEP_ANSWERED, 503, NULL}},
         true,
         true},
        {"recorded", {{0, STEP_SENT, 1, NULL}, {0, STEP_RECORDED, 0, NULL}}, false, false},
        {"refused",
         {{0, STEP_SENT, 1, NULL}, {0, STEP_ANSWERED, 409, NULL}, {0, STEP_NOT_DONE, 0, NULL}},
         false,
         false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct history history AUTO(history_release) = {0};
        struct history_entry *entry = begin(&history, "k");
        add(entry, STEP_STAGED, 0);
        for (size_t j = 0; cases[i].steps[j].kind != STEP_STAGED; j++)
            history_add(entry, &cases[i].steps[j]);
        cr_expect_eq(history_is_open(entry), cases[i].open, "%s", cases[i].name);
        if (cases[i].open)
            cr_expect_eq(entry->unsure, cases[i].unsure, "%s", cases[i].name);
    }
}

Test(history, what_is_old_or_too_much_goes_and_what_is_open_stays)
{
    struct history history AUTO(history_release) = {0};
    for (int i = 0; i < HISTORY_MAX + 10; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "k-%d", i);
        struct history_entry *entry = begin(&history, key);
        const int64_t old_s = i == 500 ? (HISTORY_DAYS + 1LL) * DAY_S : 0;
        history_add(entry, &(struct step){.at_s = NOW_S - old_s, .kind = STEP_STAGED});
        if (i != 3)
            history_add(entry, &(struct step){.at_s = NOW_S - old_s, .kind = STEP_UNDONE});
    }
    cr_expect_eq(history_prune(&history, NOW_S), 9 + 1);
    cr_expect_eq(history.count, HISTORY_MAX);
    cr_expect_str_eq(history.entries[0]->key, "k-3");
    cr_expect_str_eq(history.entries[1]->key, "k-10");
    cr_expect_str_eq(history_newest(&history, 0)->key, "k-1009");
    static const char undone[] =
        "{\"at\":\"2025-10-14T08:42:00Z\",\"step\":\"undone\",\"key\":\"k-500\"}";
    history_read_line(&history, undone, strlen(undone));
    cr_expect_eq(history.damaged, 1, "it is not found any more");
    begin(&history, "new");
    cr_expect_str_eq(history_newest(&history, 0)->key, "new");
}

Test(history, a_text_that_was_cut_in_a_letter_is_written_all_the_same)
{
    struct history history AUTO(history_release) = {0};
    struct buf line AUTO(buf_release) = {0};
    struct history_entry *entry = begin(&history, "k");
    const struct step step = {NOW_S, STEP_ANSWERED, 422, "M\xc3"};
    history_add(entry, &step);
    history_write_line(entry, &step, &line);
    cr_expect(strstr(buf_text(&line), "M\xef\xbf\xbd"), "%s", buf_text(&line));
}

Test(history, moves_behind_another_and_is_found_there)
{
    struct history old AUTO(history_release) = {0};
    struct history new AUTO(history_release) = {0};
    add(begin(&old, "old"), STEP_STAGED, 0);
    struct history_entry *entry = begin(&new, "new");
    add(entry, STEP_STAGED, 0);
    history_move(&old, &new);
    cr_expect_eq(new.count, 0);
    cr_expect_eq(history_newest(&old, 0), entry, "it keeps its address");
    static const char undone[] =
        "{\"at\":\"2025-10-14T08:42:00Z\",\"step\":\"undone\",\"key\":\"new\"}";
    history_read_line(&old, undone, strlen(undone));
    cr_expect_eq(history_last(entry)->kind, STEP_UNDONE);
}

Test(history, tells_programs_all_about_an_answer)
{
    struct history history AUTO(history_release) = {0};
    struct history_entry *entry = begin(&history, "k");
    add(entry, STEP_STAGED, 0);
    add(entry, STEP_SENT, 1);
    json_t *json AUTO(json_release) = history_to_json(entry);
    struct buf text AUTO(buf_release) = {0};
    json_append(&text, json);
    cr_expect_str_eq(buf_text(&text),
                     "{\"key\":\"k\",\"booking\":\"b-1\",\"client\":\"Zo\xc3\xab \\u001B[2J\","
                     "\"start\":\"2025-10-15T08:42:00Z\",\"command\":\"reject\","
                     "\"reason\":\"not \\\"today\\\"\",\"steps\":["
                     "{\"at\":\"2025-10-14T08:42:00Z\",\"step\":\"staged\"},"
                     "{\"at\":\"2025-10-14T08:42:00Z\",\"step\":\"sent\",\"try\":1}]}");
}
