/* The model of answers and their steps, and their lines of JSON.
 *
 * A journal is a line for each step. The first one of an answer carries all about it:
 *     {"at":TIME,"step":"staged","key":K,"booking":ID,"client":NAME,"command":"accept",...}
 * the later ones name it by its key. To add a kind of step, give it a name below; to add a field,
 * read it as optional. Readers pass over what they do not know. */
#include "history.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "json_fields.h"
#include "text.h"
#include "timestamp.h"

static const char *const names[STEP_KINDS] = {
    [STEP_STAGED] = "staged",
    [STEP_UNDONE] = "undone",
    [STEP_SENT] = "sent",
    [STEP_ANSWERED] = "answered",
    [STEP_RECORDED] = "recorded",
    [STEP_DELIVERED] = "delivered",
    [STEP_DONE_ALREADY] = "done already",
    [STEP_NOT_DONE] = "not done",
};

/* What the number of a step is called. */
static const char *const numbers[STEP_KINDS] = {[STEP_SENT] = "try", [STEP_ANSWERED] = "status"};

const char *history_step_name(enum step_kind kind)
{
    return names[kind];
}

/* --- entries --- */

static void entry_free(struct history_entry *entry)
{
    for (size_t i = 0; i < entry->count; i++)
        memory_release(&entry->steps[i].text);
    free(entry->steps);
    memory_release(&entry->key);
    memory_release(&entry->booking);
    memory_release(&entry->client);
    memory_release(&entry->reason);
    free(entry);
}

static void leave_alone(void *node)
{
    (void)node; /* the array owns the entries */
}

void history_release(struct history *history)
{
    tdestroy(history->by_key, leave_alone);
    for (size_t i = 0; i < history->count; i++)
        entry_free(history->entries[i]);
    free(history->entries);
    *history = (struct history){0};
}

void history_free(struct history **history)
{
    if (*history)
        history_release(*history);
    free(*history);
    *history = NULL;
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(((const struct history_entry *)a)->key, ((const struct history_entry *)b)->key);
}

static void put(struct history *history, struct history_entry *entry)
{
    if ((history->count & (history->count - 1)) == 0) /* full at 0, 1, 2, 4, 8, ... */
        history->entries = memory_resize(history->entries, history->count ? 2 * history->count : 1,
                                         sizeof(struct history_entry *));
    history->entries[history->count++] = entry;
    if (!tsearch(entry, &history->by_key, compare_keys))
        memory_exhausted();
}

struct history_entry *history_begin(struct history *history, const struct history_entry *entry)
{
    struct history_entry *made = memory_new(1, sizeof *made);
    *made = (struct history_entry){.key = memory_text(entry->key),
                                   .booking = memory_text(entry->booking),
                                   .client = memory_text(entry->client),
                                   .reason = entry->reason ? memory_text(entry->reason) : NULL,
                                   .start_s = entry->start_s,
                                   .command = entry->command};
    put(history, made);
    return made;
}

void history_move(struct history *to, struct history *from)
{
    for (size_t i = 0; i < from->count; i++)
        put(to, from->entries[i]);
    from->count = 0;
    history_release(from);
}

/* A try, not the last one, that nobody heard of again: a refusal of a later one says nothing about
 * what the server did with it. */
static bool was_silent(const struct history_entry *entry)
{
    for (size_t i = 0; i + 1 < entry->count; i++) {
        const struct step *next = &entry->steps[i + 1];
        if (entry->steps[i].kind == STEP_SENT && (next->kind != STEP_ANSWERED || !next->number))
            return true;
    }
    return false;
}

void history_add(struct history_entry *entry, const struct step *step)
{
    if ((entry->count & (entry->count - 1)) == 0)
        entry->steps =
            memory_resize(entry->steps, entry->count ? 2 * entry->count : 1, sizeof(struct step));
    entry->steps[entry->count] = *step;
    entry->steps[entry->count++].text = step->text ? memory_text(step->text) : NULL;
    entry->unsure = step->kind == STEP_SENT || was_silent(entry);
}

const struct history_entry *history_newest(const struct history *history, size_t i)
{
    return i < history->count ? history->entries[history->count - 1 - i] : NULL;
}

const struct step *history_last(const struct history_entry *entry)
{
    return &entry->steps[entry->count - 1];
}

bool history_is_open(const struct history_entry *entry)
{
    const enum step_kind kind = history_last(entry)->kind;
    return kind == STEP_STAGED || kind == STEP_SENT || kind == STEP_ANSWERED;
}

size_t history_prune(struct history *history, int64_t now_s)
{
    enum { DAY_S = 24 * 3600 };
    const int64_t oldest_s = now_s - (int64_t)HISTORY_DAYS * DAY_S;
    size_t kept = 0;
    const size_t count = history->count;
    for (size_t i = 0; i < count; i++) {
        struct history_entry *entry = history->entries[i];
        const bool wanted = count - i <= HISTORY_MAX && history_last(entry)->at_s >= oldest_s;
        if (wanted || history_is_open(entry)) {
            history->entries[kept++] = entry;
            continue;
        }
        (void)tdelete(entry, &history->by_key, compare_keys);
        entry_free(entry);
    }
    history->count = kept;
    return count - kept;
}

/* --- lines --- */

static void set(json_t *object, const char *name, json_t *value)
{
    if (json_object_set_new(object, name, value) != 0)
        memory_exhausted(); /* the values are sound */
}

/* A sentence may have been cut in the middle of a letter. */
static void set_text(json_t *object, const char *name, const char *text)
{
    struct buf sound AUTO(buf_release) = {0};
    if (!text)
        return;
    if (!text_is_utf8(text, strlen(text))) {
        text_display(&sound, text, strlen(text));
        text = buf_text(&sound);
    }
    set(object, name, json_string(text));
}

static void set_step(json_t *object, const struct step *step)
{
    set(object, "at", json_timestamp(step->at_s));
    set_text(object, "step", names[step->kind]);
    if (numbers[step->kind])
        set(object, numbers[step->kind], json_integer(step->number));
    set_text(object, "text", step->text);
}

static void set_answer(json_t *object, const struct history_entry *entry)
{
    set_text(object, "booking", entry->booking);
    set_text(object, "client", entry->client);
    set(object, "start", json_timestamp(entry->start_s));
    set_text(object, "command", entry->command == BOOKING_ACCEPT ? "accept" : "reject");
    set_text(object, "reason", entry->reason);
}

void history_write_line(const struct history_entry *entry, const struct step *step, struct buf *out)
{
    json_t *object AUTO(json_release) = json_object();
    set_step(object, step);
    set_text(object, "key", entry->key);
    if (step->kind == STEP_STAGED)
        set_answer(object, entry);
    json_append(out, object);
    buf_char(out, '\n');
}

json_t *history_to_json(const struct history_entry *entry)
{
    json_t *object = json_object();
    json_t *steps = json_array();
    set_text(object, "key", entry->key);
    set_answer(object, entry);
    for (size_t i = 0; i < entry->count; i++) {
        json_t *step = json_object();
        set_step(step, &entry->steps[i]);
        if (json_array_append_new(steps, step) != 0)
            memory_exhausted();
    }
    set(object, "steps", steps);
    return object;
}

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static bool time_of(const json_t *object, const char *name, int64_t *seconds)
{
    struct error ignored = {0};
    return json_time(object, name, seconds, &ignored);
}

static bool read_step(const json_t *object, struct step *step)
{
    const char *name = text_of(object, "step");
    for (step->kind = 0; step->kind < STEP_KINDS; step->kind++)
        if (name && strcmp(name, names[step->kind]) == 0)
            break;
    if (step->kind == STEP_KINDS || !time_of(object, "at", &step->at_s))
        return false;
    if (numbers[step->kind]) {
        const json_int_t number = json_integer_value(json_object_get(object, numbers[step->kind]));
        step->number = number > 0 && number < 1000000 ? (int)number : 0;
    }
    step->text = text_of(object, "text");
    return true;
}

static struct history_entry *find(const struct history *history, const char *key)
{
    const struct history_entry wanted = {.key = key};
    struct history_entry *const *found = tfind(&wanted, &history->by_key, compare_keys);
    return found ? *found : NULL;
}

/* NULL: the line does not say what was answered. */
static struct history_entry *read_answer(struct history *history, const json_t *object,
                                         const char *key)
{
    char booking[ID_SIZE];
    struct error ignored = {0};
    const char *command = text_of(object, "command");
    const char *client = text_of(object, "client");
    struct history_entry entry = {
        .key = key, .booking = booking, .client = client, .reason = text_of(object, "reason")};
    if (!command || !client || !json_id(object, "booking", booking, &ignored))
        return NULL;
    if (strcmp(command, "accept") != 0 && strcmp(command, "reject") != 0)
        return NULL;
    entry.command = strcmp(command, "accept") == 0 ? BOOKING_ACCEPT : BOOKING_REJECT;
    (void)time_of(object, "start", &entry.start_s);
    return history_begin(history, &entry);
}

void history_read_line(struct history *history, const char *line, size_t length)
{
    struct error ignored = {0};
    struct step step = {0};
    char key[ID_SIZE];
    json_t *object AUTO(json_release) = json_parse_object(line, length, &ignored);
    struct history_entry *entry = NULL;
    if (object && read_step(object, &step) && json_id(object, "key", key, &ignored)) {
        entry = find(history, key);
        if (step.kind == STEP_STAGED) /* the second one of a key is as damaged as a lost one */
            entry = entry ? NULL : read_answer(history, object, key);
    }
    if (entry)
        history_add(entry, &step);
    else
        history->damaged++;
}
