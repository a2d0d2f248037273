/* The frame, drawn by curses into the null device and read back as text. */
#include "screen.h"

#include <criterion/criterion.h>
#include <curses.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "view.h"

enum { NOW_S = 1760431320, ROW_MAX = 1024 }; /* Tue 14 Oct 2025, 08:42 UTC */

static int64_t still(void *context)
{
    (void)context;
    return NOW_S * 1000LL;
}

static void no_chance(void *context, void *bytes, size_t length)
{
    (void)context;
    memset(bytes, 7, length);
}

static const struct world world = {still, still, no_chance, NULL};

struct stage {
    FILE *null;
    SCREEN *terminal;
    struct screen screen;
    struct app *app;
};

static struct stage start(const char *lines, const char *columns)
{
    setenv("LINES", lines, 1);
    setenv("COLUMNS", columns, 1);
    setenv("TERM", "xterm-256color", 1);
    setenv("TZ", "UTC", 1);
    cr_assert(setlocale(LC_ALL, "C.UTF-8"));
    struct stage stage = {.null = fopen("/dev/null", "r+e")};
    stage.terminal = newterm(NULL, stage.null, stage.null);
    cr_assert(stage.terminal);
    stage.screen = screen_start(true);
    stage.app = app_new(&world, conf_default(), "salon-1", "http://x");
    app_resize(stage.app, (size_t)LINES, (size_t)COLS);
    app_news(stage.app, news_new(NEWS_CONNECTED, NULL));
    return stage;
}

static void finish(struct stage *stage)
{
    endwin();
    delscreen(stage->terminal);
    fclose(stage->null);
    app_free(stage->app);
}

static void add(struct stage *stage, const char *id, const char *name, int64_t waits_min)
{
    struct record *record = memory_new(1, sizeof *record);
    *record = (struct record){.id = memory_text(id),
                              .user_id = memory_text("user"),
                              .user_name = memory_text(name),
                              .start_s = NOW_S + 6 * 3600,
                              .end_s = NOW_S + 6 * 3600 + 2700,
                              .received_s = NOW_S - 60 * waits_min,
                              .status = BOOKING_PENDING};
    struct news *list = news_new(NEWS_LIST, NULL);
    news_add(list, record);
    app_news(stage->app, list);
}

static void draw(struct stage *stage)
{
    screen_draw(&stage->screen, stage->app);
    app_shown(stage->app);
}

/* One row as UTF-8, without the blanks behind it. */
static const char *row(int line, char text[ROW_MAX])
{
    wchar_t wide[256] = L"";
    int cells = 0;
    int y = 0;
    int x = 0;
    getyx(stdscr, y, x);
    cells = mvinnwstr(line, 0, wide, COLS);
    move(y, x);
    cr_assert_neq(cells, ERR);
    size_t length = wcstombs(text, wide, ROW_MAX - 1);
    cr_assert_neq(length, (size_t)-1);
    while (length > 0 && text[length - 1] == ' ')
        length--;
    text[length] = '\0';
    return text;
}

static bool anywhere(const char *words)
{
    char text[ROW_MAX];
    for (int line = 0; line < LINES; line++)
        if (strstr(row(line, text), words))
            return true;
    return false;
}

Test(screen, shows_title_tag_list_and_detail_at_80_columns)
{
    struct stage stage = start("24", "80");
    add(&stage, "0198-8f3a12", "Zo\xc3\xab M\xc3\xbcller", 26);
    add(&stage, "0198-8f3a13", "\xe5\xb1\xb1\xe7\x94\xb0 \xe5\xa4\xaa\xe9\x83\x8e", 18);
    draw(&stage);
    static const struct {
        int line;
        const char *text;
    } expected[] = {
        {0, " salon-1                                          Tue 14 Oct  08:42 UTC   [LIVE]"},
        {1, "[1 Inbox 2]  2 Day   3 History                             oldest waits 26 min"},
        {3, ">   wait 26m    Today      14:42   45  Zo\xc3\xab M\xc3\xbcller"},
        {4, "  + wait 18m    Today      14:42   45  \xe5\xb1\xb1\xe7\x94\xb0 "
            "\xe5\xa4\xaa\xe9\x83\x8e"},
        {14,
         " Zo\xc3\xab M\xc3\xbcller                                      asked 08:16, 26 min ago"},
        {15, " Today, Tue 14 Oct, 14:42 - 15:27 (45 min)       decide before 14:42"},
        {23, " a Accept  r Reject  Enter Menu  Space Mark  / Find  o Order  ? Help  q Quit"},
    };
    char text[ROW_MAX];
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        cr_expect_str_eq(row(expected[i].line, text), expected[i].text, "%d: %s", expected[i].line,
                         text);
    cr_expect(anywhere("-- Request 8f3a12 --"));
    finish(&stage);
}

Test(screen, puts_the_detail_beside_the_list_at_100_columns)
{
    struct stage stage = start("24", "100");
    add(&stage, "a", "Ann", 3);
    draw(&stage);
    char text[ROW_MAX];
    cr_expect(strstr(row(3, text), "Ann") && strstr(strstr(text, "Ann") + 3, "Ann"), "%s", text);
    finish(&stage);
}

Test(screen, keeps_the_real_cursor_on_the_selected_row)
{
    struct stage stage = start("24", "80");
    for (int i = 0; i < 30; i++) {
        char id[8];
        (void)snprintf(id, sizeof id, "r%02d", i);
        add(&stage, id, id, 60 - i);
    }
    static const uint32_t keys[] = {'j', 'j', 'G', 'k', KEY_CODE_PAGE_UP, 'g', KEY_CODE_PAGE_DOWN};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        char text[ROW_MAX];
        app_key(stage.app, keys[i]);
        draw(&stage);
        cr_expect_eq(row(getcury(stdscr), text)[0], '>', "key %zu: %s", i, text);
        cr_expect(strstr(text, stage.app->cursor->record->id));
    }
    finish(&stage);
}

Test(screen, shows_a_staged_answer_in_the_row_and_in_the_message)
{
    struct stage stage = start("24", "80");
    add(&stage, "a", "Ann", 3);
    draw(&stage);
    app_key(stage.app, 'a');
    draw(&stage);
    cr_expect(anywhere("ACCEPT 10s"));
    cr_expect(anywhere("Ann: ACCEPT will be sent in 10 s   u Undo   s Send now"));
    finish(&stage);
}

static void lets_no_code_through(const char *lines, const char *columns)
{
    static const char hostile[] = "\033]0;pwned\a\033[2JMal\xe2\x80\xaelory\n\x7f\xc2\x9b";
    struct stage stage = start(lines, columns);
    add(&stage, "a", hostile, 3);
    draw(&stage);
    struct record *record = stage.app->cursor->record;
    struct conf conf = *conf_default();
    conf.reasons[0] = hostile;
    stage.app->conf = &conf;
    stage.app->provider = hostile;
    record->decided_by = memory_text(hostile);
    record->reason = memory_text(hostile);
    app_key(stage.app, 'a');
    app_key(stage.app, 's');
    struct news *news = news_new(NEWS_DECISION, "a");
    news->status = 422;
    (void)error_set(&news->error, ERROR_UNPROCESSABLE, "%s", hostile);
    app_news(stage.app, news);
    record->status = BOOKING_REJECTED; /* shows who decided */
    for (int i = 0; i < MODES * SHOWS; i++) {
        char text[ROW_MAX];
        app_show(stage.app, (enum view_kind)(i % SHOWS));
        stage.app->mode = (enum mode)(i / SHOWS);
        stage.app->target = stage.app->cursor;
        draw(&stage);
        for (int line = 0; line < LINES; line++) {
            cr_expect_not(strpbrk(row(line, text), "\033\a\n\x7f"), "%d: %s", line, text);
            cr_expect_not(strstr(text, "\xe2\x80\xae"), "%d: %s", line, text);
            /* How curses would write a control byte that it was given. */
            cr_expect_not(strstr(text, "^[") || strstr(text, "^G"), "%d: %s", line, text);
        }
    }
    app_show(stage.app, SHOW_INBOX);
    stage.app->mode = MODE_NONE;
    draw(&stage);
    cr_expect(anywhere("NOT DONE") && anywhere("Mallory"));
    finish(&stage);
}

Test(screen, lets_no_code_from_a_hostile_text_through)
{
    lets_no_code_through("24", "80");
    lets_no_code_through("40", "140");
}

Test(screen, marks_are_seen_beside_the_cursor)
{
    struct stage stage = start("24", "80");
    char text[ROW_MAX];
    add(&stage, "a", "Ann", 3);
    draw(&stage);
    app_key(stage.app, ' ');
    draw(&stage);
    cr_expect_eq(strncmp(row(3, text), ">*  wait", 8), 0, "%s", text);
    cr_expect(anywhere("1 marked"));
    finish(&stage);
}

/* --- the day --- */

/* Ann has asked for 14:42, Tom is booked from 15:00 to 16:00, Bo from 17:00. */
static struct stage start_day(const char *lines, const char *columns)
{
    static const struct {
        const char *name;
        int64_t start_s;
    } booked[] = {{"Tom", NOW_S + 6 * 3600 + 1080}, {"Bo", NOW_S + 8 * 3600 + 1080}};
    struct stage stage = start(lines, columns);
    add(&stage, "a", "Ann", 3);
    struct news *day = NULL;
    while (!day && app_tick(stage.app) && (day = app_take_question(stage.app)))
        if (day->kind != NEWS_DAY) {
            news_free(day);
            day = NULL;
        }
    cr_assert(day);
    for (size_t i = 0; i < 2; i++) {
        struct record *record = memory_new(1, sizeof *record);
        *record = (struct record){.id = memory_text(booked[i].name),
                                  .user_id = memory_text(booked[i].name),
                                  .start_s = booked[i].start_s,
                                  .end_s = booked[i].start_s + 3600,
                                  .status = BOOKING_CONFIRMED};
        news_add(day, record);
    }
    app_news(stage.app, day);
    return stage;
}

Test(screen, says_what_a_request_overlaps_and_what_is_free)
{
    struct stage stage = start_day("24", "80");
    draw(&stage);
    cr_expect(anywhere(" ! Overlaps 15:00-16:00, Tom (accepted)"));
    cr_expect(anywhere("   Free between bookings: 16:00-17:00"));
    app_key(stage.app, 'a');
    draw(&stage);
    char text[ROW_MAX];
    cr_expect(anywhere("-- Accept Ann? --"));
    cr_expect_eq(strncmp(row(getcury(stdscr), text), "> 0 Go back", 11), 0, "%s", text);
    finish(&stage);
}

Test(screen, shows_the_day_with_booked_and_requested_in_two_columns)
{
    static const char *const lines[] = {
        "    TIME         BOOKED                         REQUESTED",
        ">   14:42-15:27                                 Ann",
        "  !   overlaps 15:00-16:00, Tom (accepted)",
        "    15:00-16:00  Tom",
        "    16:00-17:00  free, 60 min",
        "    17:00-18:00  Bo",
    };
    struct stage stage = start_day("24", "80");
    char text[ROW_MAX];
    app_key(stage.app, '2');
    draw(&stage);
    for (int i = 0; i < 6; i++)
        cr_expect_str_eq(row(2 + i, text), lines[i], "%d: %s", i, text);
    app_key(stage.app, 'G');
    draw(&stage);
    cr_expect_eq(getcury(stdscr), 7, "the cursor is where the booking is");
    cr_expect(anywhere("Tue 14 Oct") && anywhere("[2 Day]"));
    finish(&stage);
}

Test(screen, shows_the_day_in_one_column_where_it_is_narrow)
{
    struct stage stage = start_day("12", "40");
    app_key(stage.app, '2');
    draw(&stage);
    cr_expect(anywhere("    Today        CLIENT"));
    cr_expect(anywhere(">   14:42-15:27  asks Ann"));
    cr_expect(anywhere("    15:00-16:00  booked Tom"));
    finish(&stage);
}

Test(screen, shows_the_day_as_a_third_pane_and_the_cursor_in_the_one_that_is_open)
{
    struct stage stage = start_day("40", "140");
    draw(&stage);
    cr_expect(anywhere("-- Request ") && anywhere("-- Today, Tue 14 Oct --"));
    cr_expect(anywhere("    15:00-16:00  Tom"));
    cr_expect_eq(getcurx(stdscr), 0);
    app_key(stage.app, KEY_CODE_TAB);
    draw(&stage);
    cr_expect_gt(getcurx(stdscr), 60);
    finish(&stage);
}

Test(screen, the_choices_are_seen_whatever_is_said_above_them)
{
    struct stage stage = start_day("10", "40");
    for (int i = 0; i < 20; i++) {
        char id[8];
        (void)snprintf(id, sizeof id, "b%d", i);
        struct record *record = memory_new(1, sizeof *record);
        *record = (struct record){.id = memory_text(id),
                                  .user_id = memory_text("somebody with a long name"),
                                  .start_s = NOW_S + 6 * 3600,
                                  .end_s = NOW_S + 7 * 3600,
                                  .status = BOOKING_CONFIRMED};
        struct news *news = news_new(NEWS_CHANGED, NULL);
        news_add(news, record);
        app_news(stage.app, news);
    }
    draw(&stage);
    app_key(stage.app, 'a');
    draw(&stage);
    cr_expect(anywhere("! Overlaps ") && anywhere("> 0 Go back"));
    cr_expect(anywhere("  y Accept all the same"));
    finish(&stage);
}

/* --- sizes --- */

Test(screen, says_when_it_is_too_small_and_bears_every_size)
{
    static const struct {
        const char *lines;
        const char *columns;
        bool fits;
    } cases[] = {{"5", "80", false}, {"24", "29", false}, {"1", "1", false},   {"6", "30", true},
                 {"10", "40", true}, {"16", "80", true},  {"60", "200", true}, {"7", "132", true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct stage stage = start(cases[i].lines, cases[i].columns);
        add(&stage, "a", "Ann", 3);
        for (enum mode mode = MODE_NONE; mode < MODES; mode++) {
            stage.app->mode = mode;
            stage.app->target = stage.app->cursor;
            draw(&stage);
        }
        stage.app->mode = MODE_NONE;
        draw(&stage);
        cr_expect_eq(anywhere("[LIVE]"), cases[i].fits, "%s x %s", cases[i].lines,
                     cases[i].columns);
        finish(&stage);
    }
}

Test(screen, says_who_and_how_to_quit_at_every_width)
{
    static const char *const sizes[][2] = {{"6", "30"},   {"10", "40"},  {"12", "40"},
                                           {"16", "60"},  {"24", "80"},  {"30", "100"},
                                           {"40", "132"}, {"12", "100"}, {"24", "51"}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct stage stage = start(sizes[i][0], sizes[i][1]);
        add(&stage, "a", "Zoe Muell", 3);
        draw(&stage);
        char text[ROW_MAX];
        cr_expect(strstr(row(3, text), "Zoe Muell"), "%s: %s", sizes[i][1], text);
        cr_expect(anywhere("a Accept") && anywhere("? Help"), "%s", sizes[i][1]);
        app_key(stage.app, 'a');
        draw(&stage);
        cr_expect(anywhere(COLS < 40 ? "Zoe Muell: ACCEPT in 10 s"
                                     : "Zoe Muell: ACCEPT will be sent in 10 s"));
        cr_expect(anywhere("u Undo") && anywhere("s Send now"), "%s", sizes[i][1]);
        app_key(stage.app, 'q');
        draw(&stage);
        cr_expect(anywhere("1 answer is not sent.") && anywhere("> 0 Stay"), "%s", sizes[i][1]);
        finish(&stage);
    }
}

Test(screen, names_a_day_once_and_the_year_when_it_is_another)
{
    static const struct {
        int64_t in_s;
        const char *list;
        const char *detail;
    } cases[] = {
        {0, "Today      08:42", " Today, Tue 14 Oct, 08:42 - 09:27 (45 min)       began 08:42"},
        {86400, "Tomorrow   08:42",
         " Tomorrow, Wed 15 Oct, 08:42 - 09:27 (45 min)    decide before 15 Oct 08:42"},
        {3 * 86400, "Fri 17     08:42",
         " Fri 17 Oct, 08:42 - 09:27 (45 min)              decide before 17 Oct 08:42"},
        {7 * 86400, "21 Oct     08:42",
         " Tue 21 Oct, 08:42 - 09:27 (45 min)              decide before 21 Oct 08:42"},
        {-86400, "13 Oct     08:42",
         " Mon 13 Oct, 08:42 - 09:27 (45 min)              began 13 Oct 08:42"},
        {365 * 86400, "2026-10-14 08:42",
         " Wed 14 Oct 2026, 08:42 - 09:27 (45 min)         decide before 14 Oct 08:42"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct stage stage = start("24", "80");
        char text[ROW_MAX];
        add(&stage, "a", "Ann", 3);
        stage.app->cursor->record->start_s = NOW_S + cases[i].in_s;
        stage.app->cursor->record->end_s = NOW_S + cases[i].in_s + 2700;
        draw(&stage);
        cr_expect(strstr(row(3, text), cases[i].list), "%zu: %s", i, text);
        cr_expect_str_eq(row(15, text), cases[i].detail, "%zu: %s", i, text);
        finish(&stage);
    }
}

Test(screen, counts_days_in_local_time_also_where_one_has_23_hours)
{
    struct stage stage = start("24", "80");
    char text[ROW_MAX];
    setenv("TZ", "Europe/Berlin", 1);
    add(&stage, "a", "Ann", 3);
    stage.app->cursor->record->start_s = NOW_S + 14 * 3600; /* 22:42 UTC is tomorrow there */
    draw(&stage);
    cr_expect(strstr(row(3, text), "Tomorrow   00:42"), "%s", text);
    stage.app->cursor->record->start_s = NOW_S + 166 * 86400; /* 2026-03-29, the short day */
    draw(&stage);
    cr_expect(strstr(row(3, text), "2026-03-29 10:42"), "%s", text);
    finish(&stage);
}

Test(screen, wraps_what_became_of_an_answer_beside_the_list)
{
    struct stage stage = start("30", "100");
    add(&stage, "a", "Ann", 3);
    draw(&stage);
    app_key(stage.app, 'a');
    struct news *news = news_new(NEWS_CHANGED, NULL);
    struct record *told = memory_new(1, sizeof *told);
    *told = (struct record){.id = memory_text("a"),
                            .user_id = memory_text("user"),
                            .decided_by = memory_text("front desk"),
                            .decided_s = NOW_S,
                            .status = BOOKING_REJECTED};
    news_add(news, told);
    app_news(stage.app, news);
    draw(&stage);
    char text[ROW_MAX];
    cr_expect(strstr(row(5, text), "Already REJECTED on \"front desk\" at 08:42."), "%s", text);
    cr_expect(strstr(row(6, text), "Your ACCEPT was not done."), "%s", text);
    finish(&stage);
}

Test(screen, the_help_names_every_key_at_every_size)
{
    static const char *const sizes[][2] = {{"24", "80"}, {"10", "40"}, {"6", "30"}, {"40", "132"}};
    for (size_t j = 0; j < sizeof sizes / sizeof sizes[0]; j++) {
        struct stage stage = start(sizes[j][0], sizes[j][1]);
        app_key(stage.app, '?');
        for (size_t i = 0; action_at(i); i++) {
            struct buf words AUTO(buf_release) = {0};
            bool seen = false;
            keymap_names(&stage.app->keymap, action_at(i), &words);
            stage.app->choice = 0;
            for (int line = 0; line < 40 && !seen; line++) {
                draw(&stage);
                seen = anywhere(action_at(i)->words) && anywhere(buf_text(&words));
                app_key(stage.app, KEY_CODE_DOWN);
            }
            cr_expect(seen, "%s x %s: %s %s", sizes[j][0], sizes[j][1], buf_text(&words),
                      action_at(i)->words);
        }
        finish(&stage);
    }
}

Test(screen, the_help_is_searched_by_typing)
{
    struct stage stage = start("24", "80");
    app_key(stage.app, '?');
    for (const char *letter = "quit"; *letter; letter++)
        app_key(stage.app, (uint32_t)*letter);
    draw(&stage);
    cr_expect(anywhere("q quit") && anywhere("Search: quit_"));
    cr_expect_not(anywhere("accept") || stage.app->done);
    app_key(stage.app, 'x');
    draw(&stage);
    cr_expect(anywhere("No key has that in its words."));
    finish(&stage);
}

Test(screen, has_the_same_text_with_and_without_colour)
{
    static char frames[2][64][ROW_MAX];
    for (int i = 0; i < 2; i++) {
        if (i == 1)
            setenv("NO_COLOR", "1", 1);
        struct stage stage = start("24", "80");
        add(&stage, "a", "Ann", 3);
        draw(&stage);
        app_key(stage.app, 'a');
        draw(&stage);
        cr_expect_eq(stage.screen.colour, i == 0);
        for (int line = 0; line < LINES; line++)
            (void)row(line, frames[i][line]);
        finish(&stage);
    }
    for (int line = 0; line < 24; line++)
        cr_expect_str_eq(frames[0][line], frames[1][line]);
}

Test(screen, writes_one_mark_for_each_letter_where_there_is_only_ascii)
{
    struct stage stage = start("24", "80");
    stage.screen.utf8 = false;
    add(&stage, "a", "Zo\xc3\xab", 3);
    draw(&stage);
    cr_expect(anywhere("Zo?"));
    finish(&stage);
}

Test(screen, has_head_and_rows_of_the_list_in_the_same_columns_at_every_width)
{
    static const char *const widths[] = {"30", "39", "40", "51", "52", "80", "99", "100", "132"};
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        struct stage stage = start("12", widths[i]);
        char text[ROW_MAX];
        add(&stage, "a", "Ann", 3);
        draw(&stage);
        const char *client = strstr(row(2, text), "CLIENT");
        cr_assert(client, "%s: %s", widths[i], text);
        const size_t column = (size_t)(client - text);
        cr_expect_eq(strncmp(row(3, text) + column, "Ann", 3), 0, "%s: %s", widths[i], text);
        finish(&stage);
    }
}
