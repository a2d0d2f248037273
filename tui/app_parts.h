/* Between the files of the app only. */
#ifndef BOOKFLOW_APP_PARTS_H
#define BOOKFLOW_APP_PARTS_H

#include "app.h"

/* app.c */
void app_say(struct app *app, const char *format, ...) PRINTF_LIKE(2, 3);
void app_ask(struct app *app, struct request *request);
void app_fetch_list(struct app *app);
void app_go_to(struct app *app, size_t place);
size_t app_place(const struct app *app); /* of the cursor */
/* Takes the row off the list if nothing keeps it there. */
void app_tidy(struct app *app, struct row *row);

/* app_answers.c */
void app_stage(struct app *app, struct row *row, enum booking_command command, const char *reason);
void app_undo(struct app *app, struct row *row);
void app_send(struct app *app, struct row *row);
void app_decision_news(struct app *app, struct news *news);
/* The record of a row has changed: what does that mean for its answer? */
void app_record_changed(struct app *app, struct row *row);
void app_row_gone(struct app *app, struct row *row);
/* The connection is whole again: kept answers get their time to be taken back anew. */
void app_restage_kept(struct app *app);
void app_tick_answers(struct app *app);
/* The client's name as a sentence starts with it. */
void app_name(const struct row *row, struct buf *out);

#endif
