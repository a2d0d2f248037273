/* The disk: its names, its operations one by one, and the moment the power goes. Must not know what
 * SQLite keeps on it. */
#include "disk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "disk_private.h"

/* Even a disk that lies about its syncs writes back when its cache is full. */
enum { LIE_MAX = 64 * 1024 * 1024 };

/* A path: what it names now, and what it names after a power cut. */
struct name {
    char *path;
    uint64_t key;
    struct disk_file *now;
    struct disk_file *safe;
};

struct names {
    struct name *all;
    size_t count;
    size_t capacity;
};

struct disk {
    sqlite3_vfs *vfs;
    enum disk_honesty honesty;
    struct names names;
    struct names kept;
    int handles;
    int64_t wall_ms;
    uint64_t chance; /* what a cut does */
    uint64_t seed;   /* of SQLite's own randomness */
    uint64_t trace;
    int64_t operations;
    int64_t cut_at; /* 0 = not */
    bool off;
    int64_t fail_at;
    int64_t fail_times;
    int fail_code;
    char *kinds; /* the watcher's */
    size_t kinds_size;
};

static struct name *name_of(struct disk *disk, const char *path)
{
    const uint64_t key = disk_hash(1, path, strlen(path));
    for (size_t i = 0; i < disk->names.count; i++)
        if (disk->names.all[i].key == key && strcmp(disk->names.all[i].path, path) == 0)
            return &disk->names.all[i];
    return NULL;
}

static struct name *names_add(struct names *names, const char *path)
{
    if (names->count == names->capacity) {
        names->capacity = names->capacity ? 2 * names->capacity : 8;
        names->all = memory_resize(names->all, names->capacity, sizeof *names->all);
    }
    struct name *name = &names->all[names->count++];
    *name = (struct name){.path = memory_text(path), .key = disk_hash(1, path, strlen(path))};
    return name;
}

static void names_clear(struct names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        disk_file_release(names->all[i].now);
        disk_file_release(names->all[i].safe);
        free(names->all[i].path);
    }
    free(names->all);
    *names = (struct names){0};
}

static void name_drop(struct disk *disk, struct name *name)
{
    free(name->path);
    *name = disk->names.all[--disk->names.count];
}

static struct names names_copy(const struct names *from)
{
    struct names copy = {0};
    for (size_t i = 0; i < from->count; i++) {
        const struct name *old = &from->all[i];
        struct name *name = names_add(&copy, old->path);
        name->now = old->now ? disk_file_copy(old->now) : NULL;
        if (old->safe == old->now)
            name->safe = disk_file_hold(name->now);
        else if (old->safe)
            name->safe = disk_file_copy(old->safe);
    }
    return copy;
}

uint64_t disk_name_hash(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path; /* the folder has a new name in every run */
    return disk_hash(2, name, strlen(name));
}

struct disk_file *disk_find(struct disk *disk, const char *path)
{
    const struct name *name = name_of(disk, path);
    return name ? name->now : NULL;
}

struct disk_file *disk_create(struct disk *disk, const char *path)
{
    struct name *name = name_of(disk, path);
    if (!name)
        name = names_add(&disk->names, path);
    assert(!name->now);
    name->now = disk_file_new();
    return name->now;
}

static void make_safe(struct name *name)
{
    disk_file_release(name->safe);
    name->safe = disk_file_hold(name->now);
}

static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) : 0;
}

static void sync_folder(struct disk *disk, const char *path)
{
    const size_t length = folder_length(path);
    for (size_t i = disk->names.count; i-- > 0;) {
        struct name *name = &disk->names.all[i];
        if (folder_length(name->path) != length || strncmp(name->path, path, length) != 0)
            continue;
        make_safe(name);
        if (!name->now)
            name_drop(disk, name);
    }
}

void disk_remove(struct disk *disk, const char *path, bool durably)
{
    struct name *name = name_of(disk, path);
    disk_file_release(name->now);
    name->now = NULL;
    if (durably && disk->honesty == DISK_HONEST)
        sync_folder(disk, path); /* may drop the name, so the caller's path and not its own */
    else if (!name->safe)
        name_drop(disk, name);
}

void disk_sync(struct disk *disk, struct disk_file *file, const char *path)
{
    if (disk->honesty == DISK_SYNC_LIES && file->log.size < LIE_MAX)
        return;
    disk_file_sync(file);
    for (size_t i = 0; i < disk->names.count; i++)
        if (disk->names.all[i].now == file)
            make_safe(&disk->names.all[i]);
    if (path)
        sync_folder(disk, path);
}

void disk_opened(struct disk *disk, int handles)
{
    disk->handles += handles;
    assert(disk->handles >= 0);
}

int64_t disk_time(const struct disk *disk)
{
    return disk->wall_ms;
}

void disk_seed(struct disk *disk, void *out, size_t length)
{
    unsigned char *bytes = out;
    for (size_t i = 0; i < length; i++)
        bytes[i] = (unsigned char)(disk_random(&disk->seed) >> 56);
}

int disk_act(struct disk *disk, const struct disk_act *act)
{
    if (disk->off)
        return SQLITE_IOERR;
    disk->operations++;
    if (disk->operations == disk->cut_at) {
        disk->off = true;
        return SQLITE_IOERR;
    }
    const uint64_t facts[] = {(uint64_t)act->what, act->name, act->offset, act->length};
    disk->trace = disk_hash(disk->trace, facts, sizeof facts);
    if ((uint64_t)disk->operations <= disk->kinds_size)
        disk->kinds[disk->operations - 1] = act->what;
    if (act->data)
        disk->trace = disk_hash(disk->trace, act->data, act->length);
    if (disk->operations < disk->fail_at || disk->fail_times <= 0)
        return SQLITE_OK;
    disk->fail_times--;
    return disk->fail_code;
}

struct disk *disk_new(uint64_t seed, enum disk_honesty honesty)
{
    struct disk *disk = memory_new(1, sizeof *disk);
    disk->honesty = honesty;
    disk->seed = seed;
    disk->chance = ~seed;
    disk->trace = 1;
    disk->vfs = disk_vfs_register(disk);
    sqlite3_randomness(0, NULL); /* SQLite takes a seed once; this makes it ask again */
    return disk;
}

void disk_free(struct disk *disk)
{
    if (!disk)
        return;
    assert(disk->handles == 0);
    disk_vfs_release(disk->vfs);
    sqlite3_randomness(0, NULL);
    names_clear(&disk->names);
    names_clear(&disk->kept);
    free(disk);
}

void disk_set_time(struct disk *disk, int64_t wall_ms)
{
    disk->wall_ms = wall_ms;
}

int64_t disk_operations(const struct disk *disk)
{
    return disk->operations;
}

void disk_cut_after(struct disk *disk, int64_t operations)
{
    disk->cut_at = operations > 0 ? disk->operations + operations : 0;
}

void disk_cut(struct disk *disk)
{
    disk->off = true;
}

bool disk_is_off(const struct disk *disk)
{
    return disk->off;
}

/* A new or removed name that was not synced may have reached the disk all the same. */
static void settle_name(struct disk *disk, struct name *name)
{
    if (name->now == name->safe)
        return;
    const bool kept = disk_random(&disk->chance) % 2 == 0;
    struct disk_file *rest = disk_file_hold(kept ? name->now : name->safe);
    disk_file_release(name->now);
    disk_file_release(name->safe);
    name->now = rest;
    name->safe = disk_file_hold(rest);
}

void disk_power_on(struct disk *disk)
{
    assert(disk->handles == 0);
    for (size_t i = disk->names.count; i-- > 0;) {
        struct name *name = &disk->names.all[i];
        settle_name(disk, name);
        if (name->now)
            disk_file_lose_power(name->now, &disk->chance);
        else
            name_drop(disk, name);
    }
    disk->off = false;
    disk->cut_at = 0;
    disk->fail_times = 0;
}

void disk_keep(struct disk *disk)
{
    assert(disk->handles == 0);
    names_clear(&disk->kept);
    disk->kept = names_copy(&disk->names);
}

void disk_go_back(struct disk *disk, uint64_t seed)
{
    assert(disk->handles == 0);
    names_clear(&disk->names);
    disk->names = names_copy(&disk->kept);
    disk->chance = seed;
    disk->off = true;
}

void disk_fail_after(struct disk *disk, int64_t operations, int code, int64_t times)
{
    disk->fail_at = disk->operations + operations;
    disk->fail_times = operations > 0 ? times : 0;
    disk->fail_code = code;
}

void disk_watch(struct disk *disk, char *kinds, size_t size)
{
    disk->kinds = kinds;
    disk->kinds_size = size;
}

uint64_t disk_trace(const struct disk *disk)
{
    return disk->trace;
}

uint64_t disk_content(const struct disk *disk)
{
    uint64_t content = 0;
    for (size_t i = 0; i < disk->names.count; i++) {
        const struct name *name = &disk->names.all[i];
        if (name->now)
            content ^= disk_hash(name->key + name->now->now.size, name->now->now.data,
                                 name->now->now.size);
    }
    return content;
}
