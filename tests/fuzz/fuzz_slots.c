/* A CSV file of slots. Each slot that is read is one the worker would take; written anew the file
 * gives the same slots. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

/* The file itself: its reader is static. Its main function is not called. */
#include "slots_import.c" /* NOLINT(bugprone-suspicious-include) */

static void in_range(const struct new_slot *slot)
{
    FUZZ_CHECK(slot->id[0] == '\0' || id_valid(slot->id, strlen(slot->id)), "id '%s'", slot->id);
    FUZZ_CHECK(id_valid(slot->provider_id, strlen(slot->provider_id)), "provider '%s'",
               slot->provider_id);
    FUZZ_CHECK(slot->start_s >= 0 && slot->end_s > slot->start_s, "from %lld to %lld",
               (long long)slot->start_s, (long long)slot->end_s);
}

/* As it goes to the worker, which is not there. */
static void batched(const struct new_slot *slot)
{
    struct slot_batch batch AUTO(slot_batch_release) = {.slots = json_array()};
    struct error error = {0};
    if (!slot_batch_add(&batch, slot, &error)) {
        FUZZ_CHECK(error.kind == ERROR_INVALID && slot->id[0] == '\0', "not batched: %s",
                   error.text);
        return;
    }
    const json_t *made = json_array_get(batch.slots, 0);
    const char *id = json_string_value(json_object_get(made, "id"));
    FUZZ_CHECK(id && id_valid(id, strlen(id)), "id '%s' is sent", id ? id : "");
}

static void write_slot(const struct new_slot *slot, struct buf *out)
{
    char start[TIMESTAMP_SIZE];
    char end[TIMESTAMP_SIZE];
    buf_printf(out, "\"%s\",%s,%s,\"%s\"\r\n", slot->id, slot->provider_id,
               timestamp_format(slot->start_s, start), timestamp_format(slot->end_s, end));
}

static void same(const struct new_slot *a, const struct new_slot *b)
{
    FUZZ_CHECK(strcmp(a->id, b->id) == 0 && strcmp(a->provider_id, b->provider_id) == 0 &&
                   a->start_s == b->start_s && a->end_s == b->end_s,
               "a slot comes back as another");
}

static void read_again(struct buf *text, const struct new_slot slots[], size_t wanted)
{
    struct new_slot *again AUTO(memory_release) = NULL;
    struct error error = {0};
    size_t count = 0;
    FUZZ_CHECK(read_slots(text->data, &again, &count, &error), "what was read is refused: %s",
               error.text);
    FUZZ_CHECK(count == wanted, "%zu slots come back as %zu", wanted, count);
    for (size_t i = 0; i < count; i++)
        same(&slots[i], &again[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text AUTO(memory_release) = fuzz_text(data, size);
    struct new_slot *slots AUTO(memory_release) = NULL;
    struct buf written AUTO(buf_release) = {0};
    struct error error = {0};
    size_t count = 0;
    if (!read_slots(text, &slots, &count, &error)) {
        FUZZ_CHECK(error.kind == ERROR_INVALID, "refused as %d", (int)error.kind);
        FUZZ_CHECK(fuzz_is_showable(error.text, strlen(error.text)), "the refusal acts");
        return 0;
    }
    buf_text_append(&written, "id,provider_id,start,end\n");
    for (size_t i = 0; i < count; i++) {
        in_range(&slots[i]);
        batched(&slots[i]);
        write_slot(&slots[i], &written);
    }
    read_again(&written, slots, count);
    return 0;
}
