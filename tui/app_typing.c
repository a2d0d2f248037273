/* The app: a line that is typed - a reason, what to find, a word of the help. */
#include "app.h"
#include "dialog.h"
#include "text.h"

static void take_typed(struct app *app)
{
    if (app->mode == MODE_FIND)
        app_find(app, buf_text(&app->typed));
    app->choice = 0;
}

static size_t last_letter(const struct buf *text)
{
    size_t at = text->length;
    while (at > 0 && ((unsigned char)text->data[--at] & 0xC0) == 0x80)
        continue;
    return at;
}

static void typed_backspace(struct app *app)
{
    struct buf shorter = {0};
    buf_append(&shorter, buf_text(&app->typed), last_letter(&app->typed));
    buf_release(&app->typed);
    app->typed = shorter;
    take_typed(app);
}

static void typed_letter(struct app *app, uint32_t key)
{
    const size_t most = app->mode == MODE_TYPING ? REASON_LETTERS_MAX : FIND_LETTERS_MAX;
    size_t letters = 0;
    for (size_t i = 0; i < app->typed.length; i++)
        letters += ((unsigned char)app->typed.data[i] & 0xC0) != 0x80;
    if (letters >= most) {
        app_say(app, "There is room for %zu letters.", most);
        return;
    }
    text_append(&app->typed, key);
    take_typed(app);
}

static void stage_typed(struct app *app)
{
    struct buf reason AUTO(buf_release) = {0};
    buf_text_append(&reason, buf_text(&app->typed));
    if (reason.length == 0) {
        app_say(app, "An empty reason: nothing was rejected.");
        dialog_close(app);
        return;
    }
    dialog_reject(app, buf_text(&reason));
}

static void typed_enter(struct app *app)
{
    if (app->mode == MODE_TYPING)
        stage_typed(app);
    else
        dialog_close(app);
}

static void typed_escape(struct app *app)
{
    if (app->mode == MODE_FIND)
        app_find(app, "");
    dialog_close(app);
}

void app_type(struct app *app, uint32_t key)
{
    if (key == KEY_CODE_ENTER)
        typed_enter(app);
    else if (key == KEY_CODE_ESCAPE)
        typed_escape(app);
    else if (key == KEY_CODE_BACKSPACE)
        typed_backspace(app);
    else if (key >= ' ' && key < KEY_CODE_UP)
        typed_letter(app, key);
    else if (key == KEY_CODE_UP || key == KEY_CODE_DOWN)
        app->choice += key == KEY_CODE_DOWN ? 1 : app->choice > 0 ? (size_t)-1 : 0;
}
