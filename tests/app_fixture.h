/* A console's state with a clock of its own, and the news that drive it: no terminal, no network.
 */
#ifndef BOOKFLOW_APP_FIXTURE_H
#define BOOKFLOW_APP_FIXTURE_H

#include "app.h"

enum { NOW_S = 1760431320 };

void app_release(struct app **app); /* for AUTO() */
/* Not connected; the second one with settings of its own. */
struct app *start(void);
struct app *start_with(const struct conf *conf);
/* Connected, with a, b, c waiting, oldest first; a under the cursor. */
struct app *start_live(void);
/* The same with a journal, which was opened: `history` may be NULL, and is taken over. */
struct app *start_with_journal(struct history *history);
/* Answers what the journal is asked; ERROR_NONE: it is on the disk. */
void keep(struct app *app, enum error_kind kind);
/* A key, on a screen that was seen. */
void press(struct app *app, uint32_t key);
/* Lets time pass, second by second as the loop does. */
void pass(struct app *app, int64_t ms);
/* All at once: the process was stopped. */
void jump(struct app *app, int64_t ms);
/* The same, and nobody has noticed yet. */
void test_clock_move(int64_t ms);
/* A booking named as its id, tomorrow, at a time that nobody else has who waits longer or less. */
struct record *booking(const char *id, int64_t waits_s, enum booking_status status);
/* Hands the news over. */
void tell(struct app *app, struct news *news);
/* A change of the stream. */
void arrive(struct app *app, const char *id, int64_t waits_s, enum booking_status status);
void lose(struct app *app, enum error_kind kind);
void resume(struct app *app);
/* Takes every request; the last one of that kind, NULL if there was none. */
struct news *asked(struct app *app, enum news_kind kind);
bool asks(struct app *app, enum news_kind kind);
/* The worker's answer to a decision. */
void answer(struct app *app, const char *id, int status, enum error_kind kind);
struct row *row_of(const struct app *app, const char *id);
/* The id under the cursor. */
const char *cursor_id(const struct app *app);
void expect_state(const struct app *app, const char *id, const char *state);
void expect_tag(const struct app *app, const char *tag);
void expect_notice(const struct app *app, const char *words);
/* In the lines below the list. */
void expect_message(const struct app *app, const char *words);

#endif
