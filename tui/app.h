/* The console's state: what is known, what is looked at, what was answered, how the connection is.
 * Pure: no curses, no I/O; keys, news and time come in, questions go out. The screen reads the
 * struct and changes nothing.
 *
 * An action means the row that the person saw. A row stays at its address, the cursor points at a
 * row and not at a number, and rows that come or go never move what is looked at. */
#ifndef BOOKFLOW_APP_H
#define BOOKFLOW_APP_H

#include "answers.h"
#include "buf.h"
#include "conf.h"
#include "day.h"
#include "keymap.h"
#include "news.h"
#include "rows.h"

enum {
    STALE_MS = 20 * 1000,
    SLOW_MS = 2000,
    BEHIND_S = 60,
    LIST_AGAIN_MS = 5000,
    GAP_MS = 3000,     /* a pause between two ticks in which nobody saw a countdown */
    NOTICE_MS = 1500,  /* a notice stays at least that long; then the next key takes it away */
    PASTE_LETTERS = 3, /* so many at once are not typed */
    REASON_LETTERS_MAX = 200,
    FIND_LETTERS_MAX = 60
};

struct connection {
    bool connected;
    bool ever; /* it was connected once */
    bool signed_out;
    int refusal;      /* the status that signed us out */
    bool loaded;      /* the list on the screen is whole */
    bool pipeline;    /* the question about it is on its way */
    int64_t heard_ms; /* the last sign of life */
    int64_t lost_ms;  /* since when there is none; the start counts */
    int64_t lost_s;
    int64_t retry_ms;
    int64_t list_ms;       /* when to fetch the list again after a failure; 0 = not */
    size_t awaited;        /* questions without an outcome, lists apart: those are many calls */
    int64_t asked_ms;      /* since when the next outcome is awaited */
    int64_t slow_ms;       /* how long the last outcome took, if that was too long; else 0 */
    int64_t unsent;        /* decisions that clients have not been told */
    int64_t behind_s;      /* age of the oldest of those */
    int64_t next_check_ms; /* when to ask again what became of recorded answers */
    bool away;             /* it was whole once and is not whole again yet */
    int64_t away_ms;       /* how long that was, until a key is pressed; 0 = it was not */
    size_t came;           /* requests since it was lost: new ones, */
    size_t gone;           /* and those that do not wait any more */
};

struct app {
    const struct world *world;
    const struct conf *conf;
    const char *provider;
    const char *server; /* for messages only */
    struct keymap keymap;
    size_t lines;
    size_t columns;
    enum view_kind showing;
    struct rows rows;
    struct row *cursor; /* of the inbox; NULL while it shows nothing */
    size_t top;         /* the first line of the list on the screen */
    bool touched;       /* the cursor was moved by a key */
    bool shown;         /* what the cursor points at has been on the screen */
    struct days days;
    int64_t day_s;                              /* a time on the day that the day screen shows */
    struct row *day_cursor;                     /* NULL: the day has no bookings */
    const struct history_entry *history_cursor; /* NULL = the newest */
    enum mode mode;
    struct row *target;   /* what the open question is about */
    size_t choice;        /* of the question; of the help, the first line that is shown */
    struct row_list plan; /* of what is marked, what can be accepted without an overlap */
    struct buf typed;
    struct row **active; /* rows with an answer under way, oldest answer first */
    size_t active_count;
    size_t active_capacity;
    struct answers answers;
    struct connection connection;
    struct news *questions; /* oldest first */
    struct news **questions_end;
    struct buf notice; /* the last thing worth saying */
    int64_t noticed_ms;
    struct row *see; /* what the notice is about, for Enter; NULL = nothing to be seen */
    uint32_t fetch;  /* number of the last fetch of the list */
    size_t arrived;  /* rows that came by themselves since the last key */
    int64_t deaf_until_ms;
    int64_t ticked_ms;
    struct buf copied; /* for the terminal's clipboard; the session takes it */
    bool mouse;
    bool redraw;  /* the screen is to be painted from nothing */
    bool leaving; /* as soon as what was sent has an outcome */
    bool done;
};

/* Borrowed; `server` is its address, for messages. */
struct app *app_new(const struct world *world, const struct conf *conf, const char *provider,
                    const char *server);
void app_free(struct app *app);

void app_resize(struct app *app, size_t lines, size_t columns);
void app_key(struct app *app, uint32_t key);
/* What came at once. Letters in a bunch are a paste that did not say so: they do nothing. */
void app_keys(struct app *app, const uint32_t *keys, size_t count);
/* Takes the news over. */
void app_news(struct app *app, struct news *news);
/* Time has passed. Returns when to call again at the latest, in ticks. */
int64_t app_tick(struct app *app);
/* A click on that line: selects what stands there, never acts. */
void app_click(struct app *app, size_t line, size_t column);
/* The next question for the network, now the caller's; NULL = none. */
struct news *app_take_question(struct app *app);
/* The screen shows this state now. */
void app_shown(struct app *app);

/* Connected, signed in, and the list is whole: answers may go out. */
bool app_is_live(const struct app *app);
/* The row that is looked at, on whichever screen; NULL = none. */
struct row *app_row(const struct app *app);
/* A time on the day that is looked at. */
int64_t app_day_s(const struct app *app);
/* What overlaps nothing can be told only of a day that was read. */
bool app_knows_day(const struct app *app, const struct row *row);
/* It was not, and that takes so long that it must be said. */
bool app_misses_day(const struct app *app, const struct row *row);
/* The row that `u` and `s` mean: the one under the cursor if it is staged, else the one staged
 * last. NULL = none is staged. */
struct row *app_staged_row(const struct app *app);
size_t app_count(const struct app *app, bool (*is)(const struct row *row));
int64_t app_now_s(const struct app *app);
int64_t app_now_ms(const struct app *app); /* ticks */

/* --- between the app's own files --- */

void app_say(struct app *app, const char *format, ...) PRINTF_LIKE(2, 3);
void app_ask(struct app *app, struct news *question);
void app_fetch_list(struct app *app);
size_t app_place(const struct app *app); /* of the cursor */
void app_go_to(struct app *app, size_t place);
void app_look_at_first(struct app *app);
/* The line of the cursor; to be given back when rows have come or gone, so that it stays there. */
size_t app_line(const struct app *app);
void app_hold_line(struct app *app, size_t line);
void app_order(struct app *app, enum conf_order order);
/* Shows what has the text in it; "" shows everything. */
void app_find(struct app *app, const char *text);
/* Moves by lines, BY_PAGE or BY_EDGE, on whichever screen. */
void app_move(struct app *app, int by);
void app_show(struct app *app, enum view_kind screen);
void app_show_day(struct app *app, int64_t at_s);
struct agenda app_agenda(const struct app *app);
size_t app_history_place(const struct app *app);
/* The bookings of the day have changed. */
void app_settle_day(struct app *app);
/* Asks for a day that is not known and should be. */
void app_read_days(struct app *app);
void app_day_news(struct app *app, const struct news *news);
/* A key of a line that is typed. */
void app_type(struct app *app, uint32_t key);
/* What is marked, or overlaps it, has changed. */
void app_settle_plan(struct app *app);
/* Takes the row off the list if nothing keeps it there. */
void app_tidy(struct app *app, struct row *row);

#endif
