/* The app: days and overlaps. A day is read when it is looked at or when an answer hangs on it, one
 * question at a time; the change stream keeps it up to date. */
#include <string.h>

#include "app.h"
#include "view.h"

/* --- the day screen --- */

int64_t app_day_s(const struct app *app)
{
    if (app->showing == SHOW_DAY)
        return app->day_s;
    return app->cursor ? app->cursor->record->start_s : app_now_s(app);
}

struct agenda app_agenda(const struct app *app)
{
    const int64_t day_s = app_day_s(app);
    return agenda_of(&app->rows,
                     &(struct day){.from_s = day_begin(day_s, 0), .to_s = day_begin(day_s, 1)});
}

void app_settle_day(struct app *app)
{
    if (app->showing != SHOW_DAY)
        return;
    struct agenda agenda AUTO(agenda_release) = app_agenda(app);
    if (agenda_line(&agenda, app->day_cursor) < agenda.count && app->day_cursor)
        return;
    app->day_cursor = agenda.count > 0 ? agenda.lines[0].row : NULL; /* no day begins with a gap */
    app->shown = false;
}

void app_show_day(struct app *app, int64_t at_s)
{
    app->day_s = at_s;
    app->shown = false;
    app_settle_day(app);
}

/* --- reading --- */

static bool is_known(const struct app *app, int64_t at_s)
{
    const struct day *day = days_held(&app->days, at_s);
    return day && day->known;
}

bool app_knows_day(const struct app *app, const struct row *row)
{
    return is_known(app, row->record->start_s);
}

bool app_misses_day(const struct app *app, const struct row *row)
{
    const struct day *day = days_held(&app->days, row->record->start_s);
    const bool late = app->days.asked && app_now_ms(app) - app->days.asked_ms >= SLOW_MS;
    const bool failed = day && day->again_ms > 0;
    return row->record->status == BOOKING_PENDING && !app_knows_day(app, row) &&
           (late || failed || app->conf->undo_seconds == 0);
}

/* False: there is nothing to ask. */
static bool ask_for(struct app *app, int64_t at_s)
{
    struct day *day = days_at(&app->days, at_s);
    if (day->known || app_now_ms(app) < day->again_ms)
        return false;
    struct news *question = news_new(NEWS_DAY, NULL);
    question->from_s = day->from_s - DAY_S;
    question->to_s = day->to_s + DAY_S;
    app->days.asked = true;
    app->days.asked_ms = app_now_ms(app);
    app_ask(app, question);
    return true;
}

static bool ask_for_staged(struct app *app)
{
    for (size_t i = 0; i < app->active_count; i++)
        if (row_is_staged(app->active[i]) && ask_for(app, app->active[i]->record->start_s))
            return true;
    return false;
}

static bool ask_for_marked(struct app *app)
{
    struct row_list marked AUTO(row_list_release) = rows_marked(&app->rows);
    for (size_t i = 0; i < marked.count; i++)
        if (ask_for(app, marked.rows[i]->record->start_s))
            return true;
    return false;
}

void app_read_days(struct app *app)
{
    const bool looks = app->cursor || app->showing == SHOW_DAY;
    if (!app_is_live(app) || app->days.asked)
        return;
    if ((looks && ask_for(app, app_day_s(app))) || ask_for_staged(app))
        return;
    if (app->mode == MODE_BULK)
        (void)ask_for_marked(app);
}

/* Accepted before its day was known: whoever did that must see in time what it overlaps. */
static void warn(struct app *app, struct row *row)
{
    struct buf over AUTO(buf_release) = {0};
    view_overlaps(app, row, &over);
    if (row->answer->command != BOOKING_ACCEPT || over.length == 0)
        return;
    app_say(app, "%s: %s", record_client(row->record), buf_text(&over));
    row->answer->due_ms = app_now_ms(app) + INT64_C(1000) * app->conf->undo_seconds;
}

void app_day_news(struct app *app, const struct news *news)
{
    struct day *day = days_at(&app->days, news->from_s + DAY_S);
    const bool trusted = news->error.kind == ERROR_NONE && !app->days.distrust;
    app->days.asked = app->days.distrust = false;
    if (news->error.kind != ERROR_NONE)
        day->again_ms = app_now_ms(app) + LIST_AGAIN_MS;
    if (!trusted || day->known)
        return;
    day->known = true;
    for (size_t i = 0; i < app->active_count; i++)
        if (row_is_staged(app->active[i]) &&
            days_held(&app->days, app->active[i]->record->start_s) == day)
            warn(app, app->active[i]);
}

/* --- what is marked --- */

static bool overlaps_any(const struct row_list *list, const struct row *row)
{
    for (size_t i = 0; i < list->count; i++)
        if (day_rows_overlap(list->rows[i], row))
            return true;
    return false;
}

void app_settle_plan(struct app *app)
{
    struct row_list plan AUTO(row_list_release) = {0};
    struct row_list marked AUTO(row_list_release) = rows_marked(&app->rows);
    for (size_t i = 0; i < marked.count; i++) {
        size_t none = 0;
        struct row *row = marked.rows[i];
        if (!day_overlap(&app->rows, row, &none) && !overlaps_any(&plan, row))
            row_list_add(&plan, row);
    }
    const struct row_list before = app->plan;
    const bool same =
        plan.count == before.count &&
        (plan.count == 0 || memcmp(plan.rows, before.rows, plan.count * sizeof(struct row *)) == 0);
    app->shown = app->shown && same;
    app->plan = plan;
    plan = before;
}
