/* The sentences. One a line: a screen reader stops there. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "dialog.h"
#include "talk.h"
#include "text.h"
#include "view.h"

void talk_say(struct talk *talk, const char *format, ...)
{
    char text[1024];
    va_list values;
    va_start(values, format);
    (void)vsnprintf(text, sizeof text, format, values);
    va_end(values);
    text_display(&talk->out, text, strlen(text));
    buf_char(&talk->out, '\n');
}

/* What a screen sets apart by room is set apart by a comma. */
static void append_spoken(struct buf *out, const char *text, size_t length)
{
    size_t blanks = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == ' ' || text[i] == '\t') {
            blanks += text[i] == '\t' ? 2 : 1;
            continue;
        }
        if (blanks > 1 && out->length > 0 && !strchr(".,:?!", out->data[out->length - 1]))
            buf_char(out, ',');
        if (blanks > 0 && out->length > 0)
            buf_char(out, ' ');
        buf_char(out, text[i]);
        blanks = 0;
    }
}

void talk_block(struct talk *talk, const struct buf *block)
{
    for (const char *line = buf_text(block); *line;) {
        const size_t length = strcspn(line, "\n");
        struct buf spoken AUTO(buf_release) = {0};
        append_spoken(&spoken, line, length);
        if (spoken.length > 0)
            talk_say(talk, "%s", buf_text(&spoken));
        line += length + (line[length] == '\n');
    }
}

/* --- requests --- */

static bool row_is_waiting(const struct row *row)
{
    return !row->answer && row->record->status == BOOKING_PENDING;
}

static size_t number_of(struct talk *talk, struct row *row)
{
    size_t i = 0;
    while (i < talk->numbered.count && talk->numbered.rows[i] != row)
        i++;
    if (i == talk->numbered.count)
        row_list_add(&talk->numbered, row);
    return i + 1;
}

void talk_request(struct talk *talk, struct row *row)
{
    const struct record *record = row->record;
    struct buf text AUTO(buf_release) = {0};
    row->fresh = false;
    view_request(talk->app, row, &text);
    if (!row_is_waiting(row)) {
        buf_text_append(&text, ", ");
        (void)view_state(talk->app, row, &text);
    } else if (record->received_s) {
        buf_text_append(&text, ", waits ");
        view_ago(&text, app_now_s(talk->app) - record->received_s);
    }
    talk_say(talk, "%zu: %s%s.", number_of(talk, row), buf_text(&text),
             row->marked ? ", marked" : "");
}

void talk_list(struct talk *talk)
{
    enum { AT_ONCE = 10 };
    const struct row_list *list = &talk->app->rows.list;
    const size_t from = talk->listed < list->count ? talk->listed : 0;
    const size_t to = list->count - from > AT_ONCE ? from + AT_ONCE : list->count;
    if (list->count == 0)
        talk_say(talk, "No requests %s. New ones are said by themselves.",
                 talk->app->rows.wanted.length > 0 ? "have that name" : "are waiting");
    for (size_t i = from; i < to; i++)
        talk_request(talk, list->rows[i]);
    if (to < list->count)
        talk_say(talk, "%zu more: type more.", list->count - to);
    talk->listed = to;
}

void talk_detail(struct talk *talk)
{
    struct buf text AUTO(buf_release) = {0};
    view_detail(talk->app, &text);
    talk_block(talk, &text);
    talk_say(talk, "Type accept or reject.");
}

/* --- the day, history, status --- */

void talk_agenda(struct talk *talk)
{
    struct app *app = talk->app;
    struct agenda agenda AUTO(agenda_release) = app_agenda(app);
    struct buf day AUTO(buf_release) = {0};
    view_full_day(app, app_day_s(app), &day);
    talk_say(talk, "%s%s", buf_text(&day), agenda.count > 0 ? ":" : ": nothing is booked.");
    for (size_t i = 0; i < agenda.count; i++) {
        enum { NARROW = 59 }; /* one column: the words say who is booked */
        struct buf line AUTO(buf_release) = {0};
        view_day_line(app, &agenda.lines[i], NARROW, &line);
        if (line.length > 0 && line.data[0] == '>')
            line.data[0] = ' ';
        talk_block(talk, &line);
    }
}

void talk_history(struct talk *talk)
{
    enum { ANSWERS = 10 };
    const struct history *history = &talk->app->answers.history;
    const struct history_entry *entry = NULL;
    if (history->count == 0)
        talk_say(talk, "No answers yet.");
    for (size_t i = 0; i < ANSWERS && (entry = history_newest(history, i)); i++) {
        const struct step *last = history_last(entry);
        struct buf text AUTO(buf_release) = {0};
        view_time(&text, entry->steps[0].at_s, TIME_SHORT);
        buf_printf(&text, ": %s ", entry->command == BOOKING_ACCEPT ? "accept" : "reject");
        view_outside(&text, entry->client, 40);
        buf_printf(&text, ", %s", history_step_name(last->kind));
        if (last->text)
            buf_printf(&text, ": %s", last->text);
        talk_say(talk, "%s", buf_text(&text));
    }
}

void talk_status(struct talk *talk)
{
    const struct row_list *inbox = &talk->app->rows.inbox;
    struct buf text AUTO(buf_release) = {0};
    struct buf tag AUTO(buf_release) = {0};
    size_t waiting = 0;
    for (size_t i = 0; i < inbox->count; i++)
        waiting += row_is_waiting(inbox->rows[i]);
    (void)view_tag(talk->app, &text);
    for (size_t i = 0; i < text.length; i++)
        if (!strchr("[]", text.data[i]))
            buf_char(&tag, text.data[i]);
    talk_say(talk, "%s, %zu waiting.", buf_text(&tag), waiting);
    buf_clear(&text);
    view_message(talk->app, &text);
    talk_block(talk, &text);
}

/* --- questions --- */

void talk_question(struct talk *talk)
{
    struct app *app = talk->app;
    const struct dialog *dialog = dialog_of(app->mode);
    struct buf text AUTO(buf_release) = {0};
    struct choice choice = {0};
    if (!dialog) {
        talk_say(talk, "Type the reason. An empty line goes back.");
        return;
    }
    dialog->title(app, &text);
    buf_char(&text, '\n');
    if (dialog->text)
        dialog->text(app, &text);
    talk_block(talk, &text);
    for (size_t i = 0; dialog->choice(app, i, &choice); i++)
        talk_say(talk, "%zu: %s.", i, choice.text);
    talk_say(talk, "Type a number. An empty line goes back.");
}

void talk_staged(struct talk *talk, const struct row *row)
{
    const struct app *app = talk->app;
    const size_t size = app_group_size(app, row);
    const int64_t left_s = (row->answer->due_ms - app_now_ms(app) + 999) / 1000;
    struct buf what AUTO(buf_release) = {0};
    struct buf undo AUTO(buf_release) = {0};
    struct buf send AUTO(buf_release) = {0};
    if (size > 1) {
        for (size_t i = 0; i < app->active_count; i++)
            if (row_is_staged(app->active[i]) &&
                app->active[i]->answer->group == row->answer->group)
                talk_request(talk, app->active[i]);
        buf_printf(&what, "%zu answers", size);
    } else {
        view_outside(&what, record_client(row->record), 40);
        buf_printf(&what, ": %s", row_verb(row));
    }
    keymap_short_name(&app->keymap, "undo", &undo);
    keymap_short_name(&app->keymap, "send", &send);
    if (row->answer->state == ANSWER_KEPT)
        talk_say(talk, "%s kept, not sent. Type %s to send, %s to take back.", buf_text(&what),
                 buf_text(&send), buf_text(&undo));
    else
        talk_say(talk,
                 "%s will be sent in %lld seconds. Type %s within %lld seconds to take it back.",
                 buf_text(&what), (long long)left_s, buf_text(&undo), (long long)left_s);
}

void talk_help(struct talk *talk)
{
    static const char *const lines[] = {
        "list: who waits. more: the next ones. A number: all about that request.",
        "accept 3, reject 3: answers request 3. Without a number, the one that was talked about.",
        "undo: takes the last answer back. send: sends it now.",
        "mark 3: marks it; accept or reject without a number then answers all that are marked.",
        "find NAME: only those. find: all of them again. order: another order.",
        "day 3: the agenda of that day. day: of today. history: your answers.",
        "status: the connection. fetch: everything again. sign-in: reads the token again.",
        "quit: leaves, and asks when an answer is not sent.",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        talk_say(talk, "%s", lines[i]);
}
