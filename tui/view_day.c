/* A day in words: what overlaps, what is free, the agenda. */
#include "text.h"
#include "view.h"

enum { MARK_COLUMNS = 4, TIME_COLUMNS = 13, TWO_COLUMNS_FROM = 60 };

struct box view_day_box(const struct app *app)
{
    const struct layout layout = view_layout(app->lines, app->columns);
    struct box box = layout.day.height > 0 ? layout.day : layout.list;
    if (layout.day.height > 0) { /* below the rule and the head */
        box.top += 2;
        box.height -= 2;
    }
    return box;
}

/* --- overlaps and gaps --- */

static void append_booked(const struct row *row, struct buf *out)
{
    enum { NAME_COLUMNS = 40 };
    view_span(out, row->record->start_s, row->record->end_s);
    buf_text_append(out, ", ");
    view_outside(out, record_client(row->record), NAME_COLUMNS);
    buf_text_append(out,
                    row->record->status == BOOKING_CONFIRMED ? " (accepted)" : " (your ACCEPT)");
}

void view_overlaps(const struct app *app, const struct row *row, struct buf *out)
{
    size_t i = 0;
    if (app_misses_day(app, row))
        buf_text_append(out, "The day could not be read yet: overlaps are not known.\n");
    for (const struct row *over = NULL; (over = day_overlap(&app->rows, row, &i));) {
        buf_text_append(out, "! Overlaps ");
        append_booked(over, out);
        buf_char(out, '\n');
    }
}

void view_free(const struct app *app, const struct row *row, struct buf *out)
{
    enum { GAPS_SHOWN = 6 };
    if (!app_knows_day(app, row))
        return;
    const struct day *day = days_held(&app->days, row->record->start_s);
    struct agenda gaps AUTO(agenda_release) = gaps_of(&app->rows, day);
    for (size_t i = 0; i < gaps.count && i < GAPS_SHOWN; i++) {
        buf_text_append(out, i == 0 ? "  Free between bookings: " : ", ");
        view_span(out, gaps.lines[i].from_s, gaps.lines[i].to_s);
    }
    buf_text_append(out, gaps.count > 0 ? "\n" : "");
}

/* --- the agenda --- */

static size_t half(size_t columns)
{
    return (columns - MARK_COLUMNS - TIME_COLUMNS) / 2;
}

void view_day_head(const struct app *app, size_t columns, struct buf *out)
{
    buf_text_append(out, "    ");
    if (columns < TWO_COLUMNS_FROM) {
        view_day(app, app_day_s(app), out);
        view_pad(out, MARK_COLUMNS + TIME_COLUMNS);
        buf_text_append(out, "CLIENT");
        return;
    }
    buf_text_append(out, "TIME         ");
    buf_text_append(out, "BOOKED");
    view_pad(out, MARK_COLUMNS + TIME_COLUMNS + half(columns));
    buf_text_append(out, "REQUESTED");
}

static void append_client(const struct app *app, const struct row *row, size_t columns,
                          struct buf *out)
{
    struct buf state AUTO(buf_release) = {0};
    (void)view_state(app, row, &state);
    const size_t used = row->answer ? state.length + 2 : 0;
    view_outside(out, record_client(row->record), columns > used ? columns - used : 1);
    if (row->answer)
        buf_printf(out, ", %s", buf_text(&state));
}

static void append_booking(const struct app *app, const struct row *row, size_t columns,
                           struct buf *out)
{
    const bool booked = day_is_booked(row);
    view_span(out, row->record->start_s, row->record->end_s);
    view_pad(out, MARK_COLUMNS + TIME_COLUMNS);
    if (columns < TWO_COLUMNS_FROM) {
        buf_text_append(out, booked ? "booked " : "asks ");
        append_client(app, row, columns - MARK_COLUMNS - TIME_COLUMNS - 7, out);
        return;
    }
    if (!booked)
        view_pad(out, MARK_COLUMNS + TIME_COLUMNS + half(columns));
    append_client(app, row, half(columns) - 1, out);
}

void view_day_line(const struct app *app, const struct day_line *line, size_t columns,
                   struct buf *out)
{
    if (!line->row) {
        buf_text_append(out, "    ");
        view_span(out, line->from_s, line->to_s);
        buf_printf(out, "  free, %lld min", (long long)((line->to_s - line->from_s) / 60));
    } else if (line->over) {
        buf_text_append(out, "  !   overlaps ");
        append_booked(line->over, out);
    } else {
        buf_text_append(out, line->row == app_row(app) ? ">   " : "    ");
        append_booking(app, line->row, columns, out);
    }
}
