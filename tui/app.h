/* The console's state: what is known, what is looked at, what was answered, how the connection is.
 * Pure: no curses, no I/O; keys, news and time come in, requests come out. The screen reads the
 * struct and changes nothing.
 *
 * An action means the row that the person saw. A row stays at its address, the cursor points at a
 * row and not at a number, and rows that come or go never move what is looked at. */
#ifndef BOOKFLOW_APP_H
#define BOOKFLOW_APP_H

#include "buf.h"
#include "keys.h"
#include "news.h"
#include "rows.h"

enum {
    STALE_MS = 20 * 1000,
    SLOW_MS = 2000,
    BEHIND_S = 60,
    LIST_AGAIN_MS = 5000,
    REASON_LETTERS_MAX = 200
};

struct connection {
    bool connected;
    bool ever; /* it was connected once */
    bool signed_out;
    bool loaded;      /* the list on the screen is whole */
    int64_t heard_ms; /* the last sign of life */
    int64_t lost_ms;  /* since when there is none; the start counts */
    int64_t lost_s;
    int64_t retry_ms;
    int64_t list_ms;       /* when to fetch the list again after a failure; 0 = not */
    int64_t slow_ms;       /* how long the last answer took, if that was too long; else 0 */
    int64_t asked_ms;      /* since when an answer about the pipeline is awaited; 0 = none is */
    int64_t unsent;        /* decisions that clients have not been told */
    int64_t behind_s;      /* age of the oldest of those */
    int64_t next_check_ms; /* when to ask again what became of recorded answers */
};

struct app_options {
    const struct world *world;
    const char *provider;
    const char *server; /* for messages only */
    int64_t undo_s;     /* 0 to 60 */
};

struct app {
    const struct world *world;
    char *provider;
    char *server;
    int64_t undo_ms;
    struct rows rows;
    struct row *cursor; /* NULL while the list is empty */
    size_t top;         /* the first line of the list on the screen */
    bool touched;       /* the cursor was moved by a key */
    bool shown;         /* what the cursor points at has been on the screen */
    size_t lines;
    size_t columns;
    enum mode mode;
    struct row *target; /* what the open question is about */
    size_t choice;
    struct buf typed;
    struct row **active; /* rows with an answer that is not over, oldest answer first */
    size_t active_count;
    size_t active_capacity;
    struct connection connection;
    struct letter *requests; /* oldest first */
    struct buf notice;       /* the last thing worth saying */
    uint32_t fetch;          /* number of the last fetch of the list */
    size_t arrived;          /* rows that came by themselves since the last key */
    int64_t deaf_until_ms;
    bool redraw; /* the screen is to be painted from nothing */
    bool leaving;
    bool done;
};

struct app *app_new(const struct app_options *options);
void app_free(struct app *app);
void app_release(struct app **app); /* for AUTO() */

void app_resize(struct app *app, size_t lines, size_t columns);
void app_key(struct app *app, uint32_t key);
/* Takes the news over. */
void app_news(struct app *app, struct news *news);
/* Time has passed. Returns when to call again at the latest, in ticks. */
int64_t app_tick(struct app *app);
/* The next request for the network, now the caller's; NULL = none. */
struct request *app_take_request(struct app *app);
/* The screen shows this state now. */
void app_shown(struct app *app);

/* Connected, signed in, and the list is whole: answers may go out. */
bool app_is_live(const struct app *app);
/* The row that `u` and `s` mean: the one under the cursor if it is staged, else the one staged
 * last. NULL = none is staged. */
struct row *app_staged_row(const struct app *app);
size_t app_count_staged(const struct app *app);
size_t app_count_sending(const struct app *app);
int64_t app_now_s(const struct app *app);
int64_t app_now_ms(const struct app *app); /* ticks */

/* The reasons that a reject offers. The first one goes back, the last one asks for a text. */
extern const char *const app_reasons[];
enum { REASON_GO_BACK = 0, REASON_NONE = 5, REASON_OWN = 6, REASONS = 7 };

#endif
