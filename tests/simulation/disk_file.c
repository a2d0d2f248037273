/* The bytes of a file on the disk: what is there now, what is safe, and the changes in between, of
 * which a power cut keeps what it likes. Must not know names, SQLite or when the power goes. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "disk_private.h"

enum { FIRST_CAPACITY = 16384, FIRST_CHANGES = 16 };

uint64_t disk_random(uint64_t *state)
{
    *state += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t mixed = *state;
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94D049BB133111EB);
    return mixed ^ (mixed >> 31);
}

/* Eight bytes at a time: every byte written goes through here. */
uint64_t disk_hash(uint64_t hash, const void *data, size_t length)
{
    const unsigned char *bytes = data;
    for (; length > 0; length -= length < 8 ? length : 8) {
        uint64_t word = 0;
        memcpy(&word, bytes, length < 8 ? length : 8);
        hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 29;
        bytes += 8;
    }
    return hash;
}

static void bytes_reserve(struct disk_bytes *bytes, size_t capacity)
{
    if (capacity <= bytes->capacity)
        return;
    size_t wanted = bytes->capacity ? bytes->capacity : FIRST_CAPACITY;
    while (wanted < capacity)
        wanted *= 2;
    bytes->data = memory_resize(bytes->data, wanted, 1);
    bytes->capacity = wanted;
}

/* What a file grows by is zero: nothing of an earlier life shows. */
static void bytes_resize(struct disk_bytes *bytes, size_t size)
{
    bytes_reserve(bytes, size);
    if (size > bytes->size)
        memset(bytes->data + bytes->size, 0, size - bytes->size);
    bytes->size = size;
}

static void bytes_put(struct disk_bytes *bytes, size_t offset, const void *data, size_t length)
{
    if (length == 0)
        return;
    if (offset > bytes->size)
        bytes_resize(bytes, offset);
    bytes_reserve(bytes, offset + length);
    memcpy(bytes->data + offset, data, length);
    if (offset + length > bytes->size)
        bytes->size = offset + length;
}

/* Makes this range of `to` what it is in `from`, as far as `from` goes. */
static void bytes_copy_range(struct disk_bytes *to, const struct disk_bytes *from, size_t offset,
                             size_t length)
{
    if (offset >= from->size)
        return;
    bytes_put(to, offset, from->data + offset,
              length < from->size - offset ? length : from->size - offset);
}

static void bytes_release(struct disk_bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct disk_bytes){0};
}

struct disk_file *disk_file_new(void)
{
    struct disk_file *file = memory_new(1, sizeof *file);
    file->references = 1;
    return file;
}

struct disk_file *disk_file_hold(struct disk_file *file)
{
    if (file)
        file->references++;
    return file;
}

void disk_file_release(struct disk_file *file)
{
    if (!file || --file->references > 0)
        return;
    assert(!file->shm);
    bytes_release(&file->now);
    bytes_release(&file->safe);
    bytes_release(&file->log);
    free(file->changes);
    free(file);
}

struct disk_file *disk_file_copy(const struct disk_file *file)
{
    struct disk_file *copy = disk_file_new();
    bytes_copy_range(&copy->now, &file->now, 0, file->now.size);
    bytes_copy_range(&copy->safe, &file->safe, 0, file->safe.size);
    bytes_copy_range(&copy->log, &file->log, 0, file->log.size);
    copy->count = copy->capacity = file->count;
    copy->changes = memory_new(file->count + 1, sizeof *copy->changes);
    if (file->count > 0)
        memcpy(copy->changes, file->changes, file->count * sizeof *copy->changes);
    return copy;
}

bool disk_file_read(const struct disk_file *file, void *out, size_t length, size_t offset)
{
    const size_t behind = offset < file->now.size ? file->now.size - offset : 0;
    const size_t there = length < behind ? length : behind;
    if (there > 0)
        memcpy(out, file->now.data + offset, there);
    if (there < length)
        memset((unsigned char *)out + there, 0, length - there);
    return there == length;
}

static void note(struct disk_file *file, const struct disk_change *change)
{
    if (file->count == file->capacity) {
        file->capacity = file->capacity ? 2 * file->capacity : FIRST_CHANGES;
        file->changes = memory_resize(file->changes, file->capacity, sizeof *file->changes);
    }
    file->changes[file->count++] = *change;
}

void disk_file_write(struct disk_file *file, const void *data, size_t length, size_t offset)
{
    const struct disk_change change = {
        .offset = offset, .length = length, .logged = file->log.size};
    bytes_put(&file->log, file->log.size, data, length);
    bytes_put(&file->now, offset, data, length);
    note(file, &change);
}

void disk_file_truncate(struct disk_file *file, size_t size)
{
    bytes_resize(&file->now, size);
    note(file, &(struct disk_change){.offset = size, .truncates = true});
}

/* The changes are followed with the bytes as they are now: what a later change has covered, that
 * one brings. */
void disk_file_sync(struct disk_file *file)
{
    for (size_t i = 0; i < file->count; i++) {
        const struct disk_change *change = &file->changes[i];
        if (change->truncates)
            bytes_resize(&file->safe, change->offset);
        else
            bytes_copy_range(&file->safe, &file->now, change->offset, change->length);
    }
    file->count = 0;
    file->log.size = 0;
}

/* What is there now becomes what is safe; looks only where something has changed. */
static void forget_changes(struct disk_file *file)
{
    bool truncated = false;
    for (size_t i = 0; i < file->count; i++)
        truncated |= file->changes[i].truncates;
    if (truncated) {
        bytes_resize(&file->now, 0);
        bytes_copy_range(&file->now, &file->safe, 0, file->safe.size);
        return;
    }
    bytes_resize(&file->now, file->safe.size);
    for (size_t i = 0; i < file->count; i++)
        bytes_copy_range(&file->now, &file->safe, file->changes[i].offset, file->changes[i].length);
}

/* How a cut treats one file. */
struct cut {
    uint64_t *chance;
    uint64_t kept;       /* of a hundred */
    unsigned char *lost; /* a byte per sector */
};

static bool keeps(const struct cut *cut)
{
    return disk_random(cut->chance) % 100 < cut->kept;
}

/* Each sector by itself. Writes to one sector reach the disk in order, so once one of them is lost,
 * so are those behind it. */
static void keep_some(struct disk_file *file, const struct disk_change *change,
                      const struct cut *cut)
{
    const size_t end = change->offset + change->length;
    for (size_t at = change->offset; at < end;) {
        const size_t sector = at / DISK_SECTOR;
        const size_t next = (sector + 1) * DISK_SECTOR < end ? (sector + 1) * DISK_SECTOR : end;
        if (cut->lost[sector] || !keeps(cut))
            cut->lost[sector] = 1;
        else
            bytes_put(&file->now, at, file->log.data + change->logged + (at - change->offset),
                      next - at);
        at = next;
    }
}

/* Behind the last byte that any change has touched. */
static size_t end_of(const struct disk_file *file)
{
    size_t end = 0;
    for (size_t i = 0; i < file->count; i++)
        if (file->changes[i].offset + file->changes[i].length > end)
            end = file->changes[i].offset + file->changes[i].length;
    return end;
}

void disk_file_lose_power(struct disk_file *file, uint64_t *chance)
{
    static const uint64_t KEPT[] = {0, 10, 50, 90, 100};
    if (file->count == 0)
        return;
    unsigned char *lost AUTO(memory_release) = memory_new(end_of(file) / DISK_SECTOR + 1, 1);
    const struct cut cut = {chance, KEPT[disk_random(chance) % (sizeof KEPT / sizeof KEPT[0])],
                            lost};
    forget_changes(file);
    for (size_t i = 0; i < file->count; i++) {
        const struct disk_change *change = &file->changes[i];
        if (!change->truncates)
            keep_some(file, change, &cut);
        else if (keeps(&cut))
            bytes_resize(&file->now, change->offset);
    }
    disk_file_sync(file);
}
