/* The table of bookings: order, search, marks, and what is booked on a day. */
#include "rows.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "day.h"
#include "fold.h"

enum { DAY = 1760400000 }; /* 2025-10-14, midnight in UTC */

struct wanted_record {
    const char *id;
    const char *name;
    int64_t start_s; /* since midnight */
    int64_t length_s;
    int64_t received_s;
    enum booking_status status;
};

static struct record *record_of(const struct wanted_record *wanted)
{
    struct record *record = memory_new(1, sizeof *record);
    *record = (struct record){.id = memory_text(wanted->id),
                              .user_id = memory_text("user"),
                              .user_name = wanted->name ? memory_text(wanted->name) : NULL,
                              .start_s = DAY + wanted->start_s,
                              .end_s = DAY + wanted->start_s + wanted->length_s,
                              .received_s = wanted->received_s,
                              .status = wanted->status};
    return record;
}

static struct row *put(struct rows *rows, const struct wanted_record *wanted)
{
    bool changed = false;
    struct row *row = rows_put(rows, record_of(wanted), &changed);
    if (!row->listed && wanted->status == BOOKING_PENDING)
        rows_list(rows, row);
    return row;
}

static void expect_list(const struct rows *rows, const char *ids)
{
    struct buf found AUTO(buf_release) = {0};
    for (size_t i = 0; i < rows->list.count; i++)
        buf_text_append(&found, rows->list.rows[i]->id);
    cr_expect_str_eq(buf_text(&found), ids, "%s, not %s", buf_text(&found), ids);
}

static const struct wanted_record three[] = {
    {"a", "Zo\xc3\xab M\xc3\xbcller", 3600, 1800, 30, BOOKING_PENDING},
    {"b", "\xc3\x81lvaro", 7200, 1800, 10, BOOKING_PENDING},
    {"c", "bob", 0, 1800, 20, BOOKING_PENDING},
};

static struct rows make_three(bool gathered)
{
    struct rows rows;
    rows_init(&rows, ORDER_OLDEST);
    if (gathered)
        rows_gather(&rows);
    for (size_t i = 0; i < 3; i++)
        put(&rows, &three[i]);
    rows_settle(&rows);
    return rows;
}

Test(rows, are_in_the_order_that_was_asked_for_one_by_one_or_many_at_once)
{
    static const struct {
        enum conf_order order;
        const char *ids;
    } cases[] = {{ORDER_OLDEST, "bca"}, {ORDER_TIME, "cab"}, {ORDER_NAME, "bca"},
                 {ORDER_NAME, "bca"},   {ORDER_TIME, "cab"}, {ORDER_OLDEST, "bca"}};
    for (int gathered = 0; gathered < 2; gathered++) {
        struct rows rows AUTO(rows_release) = make_three(gathered);
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            rows_sort(&rows, cases[i].order);
            expect_list(&rows, cases[i].ids);
        }
    }
}

Test(rows, a_new_name_or_start_moves_a_row_to_its_place_in_every_order)
{
    struct rows rows AUTO(rows_release) = make_three(false);
    rows_sort(&rows, ORDER_NAME);
    put(&rows, &(struct wanted_record){"b", "Zz", -60, 1800, 10, BOOKING_PENDING});
    expect_list(&rows, "cab");
    rows_sort(&rows, ORDER_TIME);
    expect_list(&rows, "bca");
    rows_sort(&rows, ORDER_OLDEST);
    expect_list(&rows, "bca");
}

Test(rows, a_search_minds_neither_case_nor_accents_and_finds_the_end_of_an_id)
{
    static const struct {
        const char *text;
        const char *ids;
    } cases[] = {{"", "bca"},  {"MUL", "a"}, {"zoe m", "a"}, {"m\xc3\xbc", "a"}, {"alvaro", "b"},
                 {"o", "bca"}, {"bo", "c"},  {"mulr", ""},   {"mu\xcc\x88", "a"}};
    struct rows rows AUTO(rows_release) = make_three(false);
    put(&rows, &(struct wanted_record){"0198-8f3a12", "X", 0, 1, 5, BOOKING_PENDING});
    rows_want(&rows, "8f3");
    expect_list(&rows, "");
    rows_want(&rows, "8F3A");
    expect_list(&rows, "0198-8f3a12");
    rows_unlist(&rows, rows_find(&rows, "0198-8f3a12"));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rows_want(&rows, cases[i].text);
        expect_list(&rows, cases[i].ids);
    }
    rows_want(&rows, "bob");
    put(&rows, &(struct wanted_record){"d", "Bobby", 0, 1, 1, BOOKING_PENDING});
    put(&rows, &(struct wanted_record){"e", "Carl", 0, 1, 2, BOOKING_PENDING});
    expect_list(&rows, "dc");
    rows_unlist(&rows, rows_find(&rows, "d"));
    rows_unlist(&rows, rows_find(&rows, "e"));
    expect_list(&rows, "c");
}

Test(rows, a_mark_dies_with_its_row)
{
    struct rows rows AUTO(rows_release) = make_three(false);
    rows_mark(&rows, rows_find(&rows, "a"), true);
    rows_mark(&rows, rows_find(&rows, "a"), true);
    rows_mark(&rows, rows_find(&rows, "b"), true);
    cr_expect_eq(rows.marked, 2);
    struct row_list marked AUTO(row_list_release) = rows_marked(&rows);
    cr_assert_eq(marked.count, 2);
    cr_expect_str_eq(marked.rows[0]->id, "b", "who waits longest first");
    rows_unlist(&rows, rows_find(&rows, "a"));
    cr_expect_eq(rows.marked, 1);
    rows_list(&rows, rows_find(&rows, "a"));
    cr_expect_not(rows_find(&rows, "a")->marked);
}

/* Against the simplest way to do the same. */
Test(rows, stay_in_order_through_ten_thousand_random_changes)
{
    struct rows rows AUTO(rows_release);
    unsigned seed = 7;
    size_t listed = 0;
    rows_init(&rows, ORDER_OLDEST);
    for (int i = 0; i < 10000; i++) {
        char id[8];
        char name[8];
        const int dice = rand_r(&seed) % 100;
        (void)snprintf(id, sizeof id, "r%d", rand_r(&seed) % 300);
        (void)snprintf(name, sizeof name, "n%d", rand_r(&seed) % 50);
        struct row *row = rows_find(&rows, id);
        if (dice == 0)
            rows_sort(&rows, (rows.order + 1) % ORDERS);
        else if (dice == 1)
            rows_want(&rows, dice % 2 ? "n1" : "");
        else if (dice == 2)
            rows_want(&rows, "");
        else if (dice < 5)
            rows_gather(&rows);
        else if (dice < 40 && row && row->listed)
            rows_unlist(&rows, row);
        else
            put(&rows, &(struct wanted_record){id, name, rand_r(&seed) % 90, 60, rand_r(&seed) % 90,
                                               BOOKING_PENDING});
        if (dice % 3 == 0)
            rows_settle(&rows);
        if (rows.gathering)
            continue;
        listed = 0;
        for (size_t j = 0; j < rows.known.count; j++)
            listed += rows.known.rows[j]->listed;
        cr_assert_eq(rows.inbox.count, listed, "step %d", i);
        for (size_t j = 0; j < rows.list.count; j++) {
            cr_assert_eq(rows_place(&rows, rows.list.rows[j]), j, "step %d", i);
            cr_assert(rows_shows(&rows, rows.list.rows[j]));
        }
        for (size_t j = 1; j < rows.known.count; j++)
            cr_assert(rows.known.rows[j - 1]->record->start_s <=
                      rows.known.rows[j]->record->start_s);
    }
}

/* --- days --- */

static const struct wanted_record busy[] = {
    {"tom", "Tom Baker", 15 * 3600, 2700, 1, BOOKING_CONFIRMED},
    {"zoe", "Zoe", 15 * 3600 + 1800, 2700, 2, BOOKING_PENDING},
    {"late", "Late", 17 * 3600, 3600, 3, BOOKING_CONFIRMED},
    {"no", "No", 15 * 3600, 7200, 4, BOOKING_REJECTED},
    {"night", "Night", -1800, 3600, 5, BOOKING_CONFIRMED},
    {"gone", "Gone", 15 * 3600, 7200, 6, BOOKING_CANCELLED},
    {"other", "Other day", 86400, 3600, 7, BOOKING_CONFIRMED},
    {"next", "Next", 18 * 3600, 600, 8, BOOKING_CONFIRMED},
};

static struct rows make_busy(void)
{
    struct rows rows;
    setenv("TZ", "UTC", 1);
    rows_init(&rows, ORDER_OLDEST);
    for (size_t i = 0; i < sizeof busy / sizeof busy[0]; i++)
        put(&rows, &busy[i]);
    return rows;
}

Test(day, stretches_of_time_are_half_open)
{
    static const struct {
        int64_t start_s;
        int64_t length_s;
        const char *over; /* the first that is booked then */
    } cases[] = {
        {14 * 3600, 3600, NULL},
        {14 * 3600, 3601, "tom"},
        {15 * 3600 + 2700, 900, NULL},
        {15 * 3600 + 2699, 900, "tom"},
        {15 * 3600 + 600, 60, "tom"},
        {12 * 3600, 8 * 3600, "tom"},
        {1800, 60, NULL},
        {1799, 60, "night"},
        {23 * 3600, 3600, NULL},
        {23 * 3600, 3601, "other"},
        {16 * 3600, 4 * 3600, "late"},
        {17 * 3600, 0, NULL},
    };
    struct rows rows AUTO(rows_release) = make_busy();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct record record = {.start_s = DAY + cases[i].start_s,
                                .end_s = DAY + cases[i].start_s + cases[i].length_s};
        const struct row row = {.id = "x", .record = &record};
        size_t from = 0;
        const struct row *over = day_overlap(&rows, &row, &from);
        cr_expect(cases[i].over ? over && strcmp(over->id, cases[i].over) == 0 : !over,
                  "case %zu: %s", i, over ? over->id : "nothing");
    }
}

Test(day, the_agenda_has_bookings_gaps_and_overlaps_in_order)
{
    static const struct {
        const char *id; /* NULL = a gap */
        const char *over;
        int64_t from_s;
    } expected[] = {
        {"night", NULL, -1800},    {NULL, NULL, 1800},        {"tom", NULL, 15 * 3600},
        {"zoe", NULL, 55800},      {"zoe", "tom", 15 * 3600}, {NULL, NULL, 58500},
        {"late", NULL, 17 * 3600}, {"next", NULL, 18 * 3600},
    };
    struct rows rows AUTO(rows_release) = make_busy();
    const struct day day = {.from_s = day_begin(DAY + 4000, 0), .to_s = day_begin(DAY + 4000, 1)};
    struct agenda agenda AUTO(agenda_release) = agenda_of(&rows, &day);
    cr_assert_eq(agenda.count, sizeof expected / sizeof expected[0], "%zu lines", agenda.count);
    for (size_t i = 0; i < agenda.count; i++) {
        const struct day_line *line = &agenda.lines[i];
        cr_expect_eq(line->from_s, DAY + expected[i].from_s, "line %zu", i);
        cr_expect(!expected[i].id == !line->row && !expected[i].over == !line->over, "line %zu", i);
        if (line->row && expected[i].id)
            cr_expect_str_eq(line->row->id, expected[i].id);
        if (line->over && expected[i].over)
            cr_expect_str_eq(line->over->id, expected[i].over);
    }
    cr_expect_eq(agenda_line(&agenda, rows_find(&rows, "zoe")), 3);
    cr_expect_eq(agenda_line(&agenda, rows_find(&rows, "no")), agenda.count);
}

Test(day, what_was_answered_here_counts_before_the_worker_knows)
{
    static const struct {
        enum booking_command command;
        enum answer_state state;
        bool booked;
    } cases[] = {{BOOKING_ACCEPT, ANSWER_STAGED, true},
                 {BOOKING_ACCEPT, ANSWER_KEPT, true},
                 {BOOKING_ACCEPT, ANSWER_SENDING, true},
                 {BOOKING_REJECT, ANSWER_STAGED, false},
                 {BOOKING_ACCEPT, ANSWER_NOT_DONE, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct answer answer = {.command = cases[i].command, .state = cases[i].state};
        struct record record = {.status = BOOKING_PENDING};
        const struct row row = {.record = &record, .answer = &answer};
        cr_expect_eq(day_is_booked(&row), cases[i].booked, "case %zu", i);
    }
}

Test(day, begins_and_ends_at_local_midnight_also_on_days_of_23_hours)
{
    setenv("TZ", "Europe/Berlin", 1);
    const int64_t noon_s = 1774778400; /* Sun 29 Mar 2026, 12:00 there */
    cr_expect_eq(day_begin(noon_s, 1) - day_begin(noon_s, 0), 23 * 3600);
    cr_expect_eq(day_begin(noon_s, 0) - day_begin(noon_s, -1), DAY_S);
    struct days days = {0};
    struct day *day = days_at(&days, noon_s);
    cr_expect_eq(days_at(&days, day->from_s), day);
    cr_expect_eq(days_at(&days, day->to_s - 1), day);
    cr_expect_null(days_held(&days, day->to_s));
    setenv("TZ", "UTC", 1);
}

Test(day, as_many_days_are_held_as_there_is_room_for)
{
    struct days days = {0};
    for (int i = 0; i < 3 * DAYS_MAX; i++)
        days_at(&days, DAY + (int64_t)i * DAY_S)->known = true;
    cr_expect_eq(days.count, DAYS_MAX);
    cr_expect(days_held(&days, DAY + (int64_t)(3 * DAYS_MAX - 1) * DAY_S)->known);
    cr_expect_null(days_held(&days, DAY));
    days_forget(&days);
    cr_expect_eq(days.count, 0);
}

/* --- folding --- */

Test(fold, leaves_small_letters_without_accents)
{
    static const struct {
        const char *text;
        const char *folded;
    } cases[] = {
        {"", ""},
        {"Anne-Marie Dupont-Lef\xc3\xa8vre", "anne-marie dupont-lefevre"},
        {"\xc5\x81ukasz Wi\xc5\x9bniewski", "lukasz wisniewski"},
        {"Stra\xc3\x9f"
         "e \xc3\x86r\xc3\xb8",
         "strasse aero"},
        {"Nguy\xe1\xbb\x85n", "nguyen"},
        {"\xd0\x9e\xd0\xbb\xd0\xb5\xd0\xbd\xd0\xb0 \xd0\x81",
         "\xd0\xbe\xd0\xbb\xd0\xb5\xd0\xbd\xd0\xb0 \xd1\x91"},
        {"\xce\x91\xce\xa9", "\xce\xb1\xcf\x89"},
        {"\xe5\xb1\xb1\xe7\x94\xb0", "\xe5\xb1\xb1\xe7\x94\xb0"},
        {"Zoe\xcc\x88", "zoe"},
        {"a\xe2\x80\xae"
         "b\033",
         "ab"},
        {"\xff", "\xef\xbf\xbd"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *folded AUTO(memory_release) = fold_new(cases[i].text);
        cr_expect_str_eq(folded, cases[i].folded, "%s: %s", cases[i].text, folded);
    }
}
