/* `bookflow slots import FILE.csv`: the whole file is read and checked before anything is sent. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "csv.h"
#include "remote.h"
#include "slot_batch.h"
#include "slots.h"
#include "timestamp.h"

enum { CSV_COLUMNS = 4, FILE_MAX = 256 * 1024 * 1024 };

static bool read_line(char **text, struct new_slot *slot, struct error *error)
{
    char *fields[CSV_COLUMNS];
    if (!csv_line(text, fields, CSV_COLUMNS, error) ||
        !timestamp_parse(fields[2], &slot->start_s, error) ||
        !timestamp_parse(fields[3], &slot->end_s, error))
        return false;
    slot->id = fields[0];
    slot->provider_id = fields[1];
    if (!id_valid(slot->provider_id, strlen(slot->provider_id)))
        return error_set(error, ERROR_INVALID, "provider_id must be an id");
    if (*slot->id && !id_valid(slot->id, strlen(slot->id)))
        return error_set(error, ERROR_INVALID, "id must be an id, or empty");
    return slot->end_s > slot->start_s ||
           error_set(error, ERROR_INVALID, "end must be after start");
}

static bool read_header(char **text, struct error *error)
{
    static const char *const names[CSV_COLUMNS] = {"id", "provider_id", "start", "end"};
    char *fields[CSV_COLUMNS] = {0};
    struct error bad = {0};
    if (strncmp(*text, "\xEF\xBB\xBF", 3) == 0)
        *text += 3; /* the byte order mark that spreadsheets write */
    bool right = csv_line(text, fields, CSV_COLUMNS, &bad);
    for (size_t i = 0; right && i < CSV_COLUMNS; i++)
        right = strcmp(fields[i], names[i]) == 0;
    return right ||
           error_set(error, ERROR_INVALID, "line 1 must be the header id,provider_id,start,end");
}

static bool skip_blank_line(char **text)
{
    size_t length = strspn(*text, "\r");
    if ((*text)[length] != '\n')
        return false;
    *text += length + 1;
    return true;
}

static bool read_slots(char *text, struct new_slot **slots, size_t *count, struct error *error)
{
    size_t room = 0;
    if (!read_header(&text, error))
        return false;
    for (size_t line = 2; *text; line++) {
        if (skip_blank_line(&text))
            continue;
        if (*count == room) {
            room = room ? room * 2 : 256;
            *slots = memory_resize(*slots, room, sizeof **slots);
        }
        if (!read_line(&text, &(*slots)[(*count)++], error))
            return error_context(error, "line %zu", line);
    }
    return true;
}

/* By provider, so that each one's slots go in few requests; as in the file within a provider. */
static int by_provider(const void *a, const void *b)
{
    const struct new_slot *left = a;
    const struct new_slot *right = b;
    int order = strcmp(left->provider_id, right->provider_id);
    return order ? order
                 : (left->id > right->id) - (left->id < right->id); /* one text holds both */
}

static bool read_file(const char *path, struct buf *text, struct error *error)
{
    FILE *file = fopen(path, "re");
    char chunk[64 * 1024];
    if (!file)
        return error_set(error, ERROR_INVALID, "cannot read %s", path);
    text->maximum = FILE_MAX;
    for (size_t read; (read = fread(chunk, 1, sizeof chunk, file)) > 0;)
        buf_append(text, chunk, read);
    bool failed = ferror(file) != 0;
    (void)fclose(file);
    if (failed || text->overflow)
        return error_set(error, ERROR_INVALID, "cannot read %s: %s", path,
                         failed ? "not a file" : "too large");
    if (strlen(buf_text(text)) != text->length)
        return error_set(error, ERROR_INVALID, "%s is not text", path);
    return true;
}

static bool send_all(struct slot_batch *batch, const struct new_slot slots[], size_t count,
                     struct error *error)
{
    for (size_t i = 0; i < count; i++)
        if (!slot_batch_add(batch, &slots[i], error))
            return false;
    return slot_batch_flush(batch, error);
}

static bool import(const char *path, struct error *error)
{
    struct buf text AUTO(buf_release) = {0};
    struct slot_batch batch AUTO(slot_batch_release) = {0};
    struct new_slot *slots AUTO(memory_release) = NULL;
    size_t count = 0;
    if (!read_file(path, &text, error) ||
        !read_slots(text.length ? text.data : (char[]){""}, &slots, &count, error))
        return error_context(error, "%s", path);
    if (!slot_batch_open(&batch, error))
        return false;
    if (count > 0)
        qsort(slots, count, sizeof *slots, by_provider);
    if (!send_all(&batch, slots, count, error))
        return batch.sent == 0 ? false : error_context(error, "%zu slots are in, then", batch.sent);
    return printf("%zu slots imported\n", batch.sent) > 0;
}

int slots_import_main(int argc, char **argv)
{
    struct error error = {0};
    bool asked = argc == 2 && strcmp(argv[1], "--help") == 0;
    if (argc != 2 || asked)
        return remote_usage(slots_usage, asked);
    return import(argv[1], &error) ? EXIT_SUCCESS : remote_fail(&error);
}
